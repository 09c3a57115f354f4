"""Which texts of a request are secret, how they are cut out, and how keys are told apart without them.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from hashlib import blake2b
from typing import Any

from onerouter_mock.core.records import KINDS

CUT = "[secret]"
SHORTEST_SHOWN = 12
SHORTEST_CUT = 8  # shorter ones are cut from values only: a key that reads "any" must not garble all words
_DEEPEST = 100
_MARKS = "\ufeff\u200b"  # of a file's beginning, and of copied text: no white space by their names
# Fixed, and never shown: it only keeps a fingerprint from being looked up in a table of known keys' hashes.
_PEPPER = b"onerouter-mock: tells keys apart, proves nothing"

# Members whose value is a secret wherever they stand in a body.
_SECRET_MEMBERS = frozenset(
    ("credentials", "api_key", "apikey", "authorization", "x-api-key", "secretaccesskey", "accesskeyid",
     "private_key", "private_key_id", "password")
)  # fmt: skip
# Members of credentials that everybody may know, and that stand in many another text.
_PUBLIC_MEMBERS = frozenset(
    ("type", "region", "endpoint_url", "model_id", "project_id", "client_email", "client_id", "auth_uri",
     "token_uri", "auth_provider_x509_cert_url", "client_x509_cert_url", "universe_domain", "provider",
     "fallback")
)  # fmt: skip


def fingerprint(secret: str) -> str:
    """A keyed hash that tells one secret from another."""
    return blake2b(secret.encode("utf-8", "surrogatepass"), key=_PEPPER, digest_size=12).hexdigest()


def digest_body(body: bytes) -> bytes:
    """A keyed hash that tells one body from another."""
    return blake2b(body, key=_PEPPER, digest_size=16).digest()


def last4(secret: str) -> str | None:
    """The last 4 characters, which may be shown; None for a secret so short that they would give it away."""
    return secret[-4:] if len(secret) >= SHORTEST_SHOWN else None


def bare(secret: str) -> str:
    """A secret without the white space around it: a key that was read from a file brings its line break along."""
    return secret.strip().strip(_MARKS).strip()


def kind_of_test_key(secret: str, kinds: Sequence[str] = KINDS) -> str | None:
    """The error kind that a test key stands for (`sk-mock-quota`, `mock-quota-7`), None for an ordinary
    key."""
    word = secret.removeprefix("sk-")
    if not word.startswith("mock-"):
        return None
    kind = word[5:].partition("-")[0]
    return kind if kind in kinds else None


def matches(secret: str, globs: Sequence[str]) -> bool:
    return any(fnmatchcase(secret, glob) for glob in globs)


def make_sample(glob: str, word: str = "made-up") -> str:
    """A key that a glob matches and that is nobody's, "" where none is easily told. `word` stands for its first `*`."""
    if "[" in glob:
        return ""
    return glob.replace("*", word, 1).replace("*", "").replace("?", "x")


def credential_texts(body: Any) -> tuple[str, ...]:
    """All texts of a body that are credentials, wherever they stand: bare, as a message may repeat them."""
    return tuple(dict.fromkeys(filter(None, map(bare, _search(body, 0)))))


def _search(value: Any, depth: int) -> Iterator[str]:
    if depth > _DEEPEST:
        return
    if isinstance(value, dict):
        for name, member in value.items():
            if name == "byok_conf" and not isinstance(member, dict):
                yield from _leaves(member, depth)
            elif name == "byok_conf":
                yield from _misplaced(member)
            if name.lower() in _SECRET_MEMBERS:
                yield from _leaves(member, depth)
            else:
                yield from _search(member, depth + 1)
    elif isinstance(value, list):
        for member in value:
            yield from _search(member, depth + 1)


def _misplaced(conf: dict[str, Any]) -> Iterator[str]:
    """Texts that may be a key in the wrong place: in that of another member, or under a name of its own."""
    for name, member in conf.items():
        if name == "provider":
            if isinstance(member, str) and not is_slug(bare(member)):
                yield member
        elif name == "fallback" or name not in _PUBLIC_MEMBERS:
            yield from (text for text in _leaves(member, 0) if len(text) >= SHORTEST_SHOWN)


def is_slug(text: str) -> bool:
    """Whether a text looks like a provider's name, and not like a key."""
    return (
        len(text) <= 40 and text.replace("-", "").isalnum() and text.islower() and not text.startswith("sk-")
    )


def _leaves(value: Any, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield str(value)
    elif depth <= _DEEPEST and isinstance(value, dict):
        for name, member in value.items():
            if name not in _PUBLIC_MEMBERS:
                yield from _leaves(member, depth + 1)
    elif depth <= _DEEPEST and isinstance(value, list):
        for member in value:
            yield from _leaves(member, depth + 1)


def cut_text(text: str, secrets: Sequence[str]) -> str:
    """The text with every occurrence of a secret cut out, longer ones first."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        if secret in text:
            text = text.replace(secret, CUT)
    return text


def cut_secrets(value: Any, secrets: Sequence[str], depth: int = 0) -> Any:
    """A JSON value with its secrets cut out: by the names of members, and by the secrets' own texts."""
    if isinstance(value, str):
        return cut_text(value, secrets)
    if depth > _DEEPEST:
        return CUT
    if isinstance(value, dict):
        long = [secret for secret in secrets if len(secret) >= SHORTEST_CUT]
        return {
            cut_text(name, long): CUT if _is_secret(name, member) else cut_secrets(member, secrets, depth + 1)
            for name, member in value.items()
        }
    if isinstance(value, list):
        return [cut_secrets(member, secrets, depth + 1) for member in value]
    if isinstance(value, (int, float)) and not isinstance(value, bool) and str(value) in secrets:
        return CUT
    return value


def _is_secret(name: str, member: Any) -> bool:
    if member is None or isinstance(member, bool):
        return False
    return name.lower() in _SECRET_MEMBERS or (name == "byok_conf" and not isinstance(member, dict))
