"""An HTTP request as the server hands it over, and what is kept of it for the journal: with its secrets, so
that they can be cut out of whatever is shown. Nothing here shows one in a repr.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import orjson

from onerouter_mock.core.wire.secrets import SHORTEST_CUT, credential_texts, cut_secrets, cut_text

LARGEST_KEPT_BODY = 64 * 1024
NOT_KEPT = "[not kept]"
# These carry secrets by their very purpose: they stay here, and no rule can match on them.
SECRET_HEADERS = ("authorization", "x-api-key")
_KEPT_HEADERS = frozenset(
    ("user-agent", "content-type", "accept", "x-onerouter-session", "http-referer", "x-title")
)


@dataclass(slots=True, repr=False)
class Asked:
    """One HTTP request. Shape: `headers` with lower-case names; `query` without `?`; `too_large`: the server
    has cut the body at its limit."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    http10: bool = False
    too_large: bool = False

    def __repr__(self) -> str:
        return f"<Asked {self.method} {len(self.body)} bytes>"


@dataclass(slots=True, repr=False, eq=False)
class Sealed:
    """A request with its secrets, for the journal: what is shown of it is made when someone looks.

    Shape: `plain` are the headers that hold no secret by their name, `hidden` the names of the others,
    `secrets` the keys among them; `kept` is None for a body over 64 kB; `text_size` counts the
    texts that the call keeps beside it.
    """

    plain: Mapping[str, str]
    hidden: tuple[str, ...]
    secrets: tuple[str, ...]
    path: str
    kept: bytes | None
    digest: bytes
    text_size: int = 0

    def __repr__(self) -> str:
        return "<Sealed>"

    @property
    def size(self) -> int:
        """Bytes that keeping this costs, roughly."""
        return len(self.kept or b"") + self.text_size + sum(map(len, self.plain.values())) + 400

    def headers(self) -> dict[str, str]:
        """The headers as the journal shows them."""
        secrets = (*self.secrets, *credential_texts(self.parsed()))
        shown = {
            name: cut_text(value, secrets)
            if name in _KEPT_HEADERS or name.startswith("x-stainless-")
            else NOT_KEPT
            for name, value in self.plain.items()
        }
        return shown | dict.fromkeys(self.hidden, NOT_KEPT)

    def body(self) -> dict[str, Any] | None:
        """The body as the journal shows it; None when it was no JSON object, or none that can be written again
        (1e999), or too large to keep."""
        parsed = _parse_strictly(self.kept) if self.kept else None
        if not isinstance(parsed, dict):
            return None
        shown = cut_secrets(parsed, (*self.secrets, *credential_texts(parsed)))
        return shown if isinstance(shown, dict) else None

    def cut(self, text: str) -> str:
        """A text of the call's answer without the call's own secrets: an answer may quote the request."""
        return cut_text(text, self._long_secrets())

    def _long_secrets(self) -> list[str]:
        secrets = (*self.secrets, *credential_texts(self.parsed()))
        return [secret for secret in secrets if len(secret) >= SHORTEST_CUT]

    def retry_key(self) -> bytes:
        """What tells that a call repeats another: its key, path and body."""
        return blake2b("\0".join((*self.secrets, self.path)).encode() + self.digest, digest_size=16).digest()

    def parsed(self) -> Any:
        """The body as JSON with all its secrets: not for showing."""
        return parse_json(self.kept) if self.kept else None


def parse_json(body: bytes) -> Any:
    """A body as data, to find its secrets: also what pydantic reads and orjson does not. None when it is no JSON."""
    parsed = _parse_strictly(body)
    if parsed is None:
        with suppress(ValueError, RecursionError):
            return json.loads(body)
    return parsed


def _parse_strictly(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
