"""The OneRouter key of a call: where it stands, whose it is, whether it is good.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from onerouter_mock.core.errors import RequestError
from onerouter_mock.core.records import KINDS
from onerouter_mock.core.wire.secrets import fingerprint, kind_of_test_key, matches

if TYPE_CHECKING:
    from onerouter_mock.core.scenario.records import Scenario

NO_KEY = "No token provided"
BAD_KEY = "The token status is not available"
ROUTER_KINDS = (*KINDS, "no_provider")
_MOST_REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose a OneRouter key is. `account` None: nobody's, the key is refused."""

    account: str | None
    test_kind: str | None = None


def find_keys(headers: Mapping[str, str]) -> tuple[str, ...]:
    """The OneRouter keys that a request carries, the one that counts first.

    Shape: `Authorization: Bearer KEY` (the scheme in any case, KEY may hold spaces), `Authorization: KEY`
    (one word), `x-api-key: KEY`. Another scheme carries none.
    Source: documented (Bearer; bare in the media docs), engine (bare), Anthropic's SDK (x-api-key).
    """
    found = []
    if authorization := headers.get("authorization", "").strip():
        first, *rest = authorization.split(None, 1)  # also at a tab: a key must not hide behind its scheme
        if not rest and first.lower() != "bearer":
            found.append(first)
        elif first.lower() == "bearer" and rest:
            found.append(rest[0])
        elif rest:
            return ()
    if key := headers.get("x-api-key", "").strip():
        found.append(key)
    return tuple(found)


def secret_texts(headers: Mapping[str, str], keys: tuple[str, ...]) -> tuple[str, ...]:
    """Every text of the headers that may be a key, good or bad, for cutting it out."""
    texts = dict.fromkeys(keys)
    if not keys and (authorization := headers.get("authorization")):
        texts[authorization.split(None, 1)[-1] if authorization.strip() else authorization] = None
    for name in ("x-api-key", "api-key", "x-goog-api-key"):
        if name in headers and (value := headers[name].strip()):
            texts[value] = None
    return tuple(texts)


def find_owner(scenario: Scenario, keys: tuple[str, ...]) -> Owner:
    """Whose key this is: the first account that matches it, else `default`.

    Errors: RequestError 401 without a key, with a disabled account's, and with an unknown one under `auth:
    listed`.
    """
    if not keys:
        raise RequestError(NO_KEY, kind="invalid_key", status=401)
    remembered: dict[str, Owner] = scenario.memo.setdefault("wire.accounts", {})
    ident = fingerprint(keys[0])
    owner = remembered.get(ident)
    if owner is None:
        owner = _look_up(scenario, keys[0])
        if len(remembered) >= _MOST_REMEMBERED:
            remembered.clear()
        remembered[ident] = owner
    if owner.account is None:
        raise RequestError(BAD_KEY, kind="invalid_key", status=401)
    return owner


def _look_up(scenario: Scenario, key: str) -> Owner:
    kind = kind_of_test_key(key, ROUTER_KINDS)
    account = next((account for account in scenario.accounts if matches(key, account.match)), None)
    if (account is None and scenario.auth == "any") or kind:
        account = account or next((one for one in scenario.accounts if one.name == "default"), None)
    if account is None or account.disabled:
        return Owner(None)
    return Owner(account.name, kind)
