"""From an HTTP request to a `Call`: which endpoint, whose key, what is asked. The first refusal ends it.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import fields
from operator import attrgetter
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from onerouter_mock.core.errors import RequestError
from onerouter_mock.core.records import Call
from onerouter_mock.core.wire.accounts import find_keys, find_owner, secret_texts
from onerouter_mock.core.wire.chat_call import read_chat, refuse_secret_names
from onerouter_mock.core.wire.complaints import cut_quotes
from onerouter_mock.core.wire.models import check_model
from onerouter_mock.core.wire.request import LARGEST_KEPT_BODY, SECRET_HEADERS, Asked, Sealed, parse_json
from onerouter_mock.core.wire.secrets import SHORTEST_CUT, credential_texts, cut_text, digest_body

if TYPE_CHECKING:
    from onerouter_mock.core.scenario.records import Scenario

_ROUTES = {
    ("POST", "/v1/chat/completions"): "chat",
    ("GET", "/v1/models"): "models",
    ("GET", "/v1/balance"): "balance",
}
_ONE_MODEL = "/v1/models/"
_FIELDS = attrgetter(*(field.name for field in fields(Call)))
_MOST_KNOWN, _LARGEST_KNOWN = 256, 16 * 1024


def read_call(
    scenario: Scenario, session_name: str, number: int, asked: Asked, path_in_session: str
) -> tuple[Call, RequestError | None]:
    """The call that a request makes, and why it is refused before anything is decided, if it is.

    The call is good enough for the journal in either case.
    """
    # Tests ask the same question again and again, and so do SDKs that retry: a good one is read once.
    headers = asked.headers
    known: dict[Any, Call] = scenario.memo.setdefault("wire.calls", {})
    key = (asked.method, asked.path, path_in_session, asked.body, asked.http10, *headers, *headers.values())
    call = None if asked.too_large else known.get(key)
    if call is not None:
        call = Call(*_FIELDS(call))
        call.number, call.session, call.notices = number, session_name, list(call.notices)
        return call, None
    call, refused = _read_anew(scenario, session_name, number, asked, path_in_session)
    if refused is None and call.sealed.size <= _LARGEST_KNOWN:
        if len(known) >= _MOST_KNOWN:
            known.clear()
        known[key] = kept = Call(*_FIELDS(call))  # the call itself is somebody's to change
        kept.notices = list(call.notices)
    return call, refused


def _read_anew(
    scenario: Scenario, session_name: str, number: int, asked: Asked, path_in_session: str
) -> tuple[Call, RequestError | None]:
    keys = find_keys(asked.headers)
    secrets = secret_texts(asked.headers, keys)
    call = Call(number, session_name, asked.method, _printable(asked.path), http10=asked.http10)
    call.sealed = _seal(call, asked, secrets)
    try:
        _read(scenario, call, asked, path_in_session, keys)
        refused = None
    except RequestError as error:
        refused = error
        if scenario.wire == "observed" and error.status in (400, 404):
            # Its recorded words are no help: what is wrong goes where the author of the client looks.
            call.notices.append(error.message)
    if refused is not None or call.notices:
        _cut(call, refused, (*call.sealed.secrets, *credential_texts(call.sealed.parsed())))
    return call, refused


def _seal(call: Call, asked: Asked, secrets: tuple[str, ...]) -> Sealed:
    plain = dict(asked.headers)
    hidden = tuple(name for name in SECRET_HEADERS if plain.pop(name, None) is not None)
    call.headers = plain
    if retries := plain.get("x-stainless-retry-count"):
        call.sdk_retry = int(retries) if retries.isascii() and retries.isdigit() and len(retries) < 9 else 0
    body = asked.body
    kept = body if len(body) <= LARGEST_KEPT_BODY else None
    if kept is None:  # what its secrets are can't be looked up later
        secrets = (*secrets, *credential_texts(parse_json(body)))
    return Sealed(plain, hidden, secrets, asked.path, kept, digest_body(body))


def _cut(call: Call, refused: RequestError | None, secrets: tuple[str, ...]) -> None:
    """Takes the secrets out of what was said so far; very short ones only where something is quoted."""
    long = tuple(secret for secret in secrets if len(secret) >= SHORTEST_CUT)
    call.notices[:] = [cut_quotes(cut_text(notice, long), secrets) for notice in call.notices]
    if refused is None:
        return
    message = refused.message
    if call.endpoint in ("unknown", "models"):
        call.path, message = cut_text(call.path, long), cut_text(message, long)
    refused.message = cut_quotes(message, secrets)
    refused.args = (refused.message,)


def _read(scenario: Scenario, call: Call, asked: Asked, path: str, keys: tuple[str, ...]) -> None:
    endpoint = _ROUTES.get((asked.method, path))
    if endpoint is None and asked.method == "GET" and path.startswith(_ONE_MODEL) and path != _ONE_MODEL:
        endpoint = "models"
        call.model = unquote(path[len(_ONE_MODEL) :])
    if endpoint is None:
        raise _unknown_path(asked.method, path)
    call.endpoint = endpoint
    if endpoint == "models":
        _read_models(scenario, call, keys)
        return
    owner = find_owner(scenario, keys)
    call.account, call.account_test_kind = owner.account, owner.test_kind
    if asked.too_large:
        raise RequestError("body: too large; would be right: a smaller one", param="body", status=413)
    if endpoint == "chat":
        read_chat(scenario, call, asked.body)
        call.sealed.text_size = len(call.prompt) + len(call.system)


def _read_models(scenario: Scenario, call: Call, keys: tuple[str, ...]) -> None:
    """The list of models needs no key; a good one is still whose it is."""
    if keys:
        try:
            owner = find_owner(scenario, keys)
            call.account, call.account_test_kind = owner.account, owner.test_kind
        except RequestError:
            pass
    if call.model:
        asked = call.model
        call.model = ""
        check_model(scenario, asked)
        call.model = asked
        refuse_secret_names(call)


def _printable(path: str) -> str:
    """A path as it may stand in a line of a log: `/v1/x%0A#9 200` must not make up a call."""
    return path if path.isprintable() else "".join(c if c.isprintable() else "?" for c in path)


def _unknown_path(method: str, path: str) -> RequestError:
    """Source: guessed after the engine (`Invalid URL (GET /v1/x)`); the hint is ours."""
    path = _printable(path)
    message = f"Invalid URL ({method} {path})"
    known = {route[1] for route in _ROUTES}
    if path.startswith("/v1/v1/"):
        message += f': "/v1" is doubled; would be right: {path[3:]}'
    elif f"/v1{path}" in known or path.startswith("/models/"):
        message += f': "/v1" is missing; would be right: /v1{path}'
    elif path in known:
        right = next(route[0] for route in _ROUTES if route[1] == path)
        message += f": wrong method; would be right: {right}"
    return RequestError(message, status=404)
