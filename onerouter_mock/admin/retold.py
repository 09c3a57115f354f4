"""A recorded request told anew, for a command that makes the call again: short, and with made-up credentials.

What may live here: request bodies and options of `explain`; nothing that is decided or run.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from onerouter_mock.core.catalogue import built_in
from onerouter_mock.dry_run import KEY, MODEL, PROVIDER, alter_request, make_credentials, plain_request

if TYPE_CHECKING:
    from onerouter_mock.core.records import Call

_LONGEST_BODY = 600  # characters in a line that is to be copied
_LONGEST_TEXT = 60
_LONGEST_MEMBER = 120
_PLAIN_MEMBERS = {"model", "messages", "byok_conf", "stream"}  # what options can say
_HI = [{"role": "user", "content": "hi"}]


@dataclass(frozen=True, slots=True)
class Request:
    """What a command sends: a body in a file, None for explain's own, and what options say beside it."""

    body: dict[str, Any] | None
    options: Mapping[str, Any] = field(default_factory=dict)

    def sent(self) -> dict[str, Any]:
        """The body that reaches the router."""
        return alter_request(plain_request() if self.body is None else self.body, **self.options)

    def flags(self) -> str:
        """The options as words of a command."""
        words = []
        for name, value in self.options.items():
            shown = str(value).lower() if isinstance(value, bool) else str(value)
            words.append(f" --{name}" if name == "stream" else f" --{name} {shlex.quote(shown)}")
        return "".join(words)


def retell(call: Call, key: str | None) -> Iterator[Request]:
    """Requests that may go the way of a chat call, the shortest to write first; none for one without a body.

    Shape: `key` is a made-up credential that the scenario takes as it took the call's, None when any will do.
    """
    shown = call.sealed.body()
    if shown is None:
        return
    if call.model and shown.keys() <= _PLAIN_MEMBERS:
        if call.byok is not None:
            yield Request(None, _say_plainly(call, key))
        elif shown.get("byok_conf") is None:
            yield Request({**shown, "messages": _HI})
    forced = call.byok is not None and call.byok.fallback != call.byok.fallback_sent
    options = {"fallback": call.byok.fallback} if call.byok is not None and forced else {}
    for body in _shorten(_with_made_up_key(shown, call.sealed.parsed(), key or KEY)):
        if not is_long(body):
            yield Request(body, options)


def is_long(body: dict[str, Any]) -> bool:
    """Whether a body is too long for a line."""
    return len(json.dumps(body, ensure_ascii=False)) > _LONGEST_BODY


def _say_plainly(call: Call, key: str | None) -> dict[str, Any]:
    byok = call.byok
    assert byok is not None
    said = {
        "stream": call.stream or None,
        "fallback": None if byok.fallback else False,
        "provider": None if byok.provider == PROVIDER else byok.provider,
        "model": None if call.model == MODEL else call.model,
        "key": key,
    }
    return {name: value for name, value in said.items() if value is not None}


def _with_made_up_key(shown: dict[str, Any], sent: Any, key: str) -> dict[str, Any]:
    conf = shown.get("byok_conf")
    if not isinstance(conf, dict) or "credentials" not in conf:
        return shown
    made_up = _make_up(sent["byok_conf"].get("credentials"), conf.get("provider"), key)
    return {**shown, "byok_conf": {**conf, "credentials": made_up}}


def _make_up(sent: Any, provider: object, key: str) -> Any:
    """Credentials of the same shape, so that what was wrong with them still is; nothing of what they said."""
    if isinstance(sent, str):
        return key if sent.strip() else ""
    if isinstance(sent, dict):
        known = built_in().providers.get(provider) if isinstance(provider, str) else None
        names = {name for form in known.credentials for name in form.required} if known else set()
        made_up = make_credentials(provider, key)
        members = made_up if isinstance(made_up, dict) else {}
        return {
            name: members.get(name, "explain") if isinstance(value, str) and value.strip() else _make_up(value, "", "")
            for name, value in sent.items()
            if name in names
        }  # fmt: skip
    if isinstance(sent, list):
        return []
    return sent if sent is None or isinstance(sent, bool) else 1


def _shorten(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The body, and the same with long texts clipped, and with no more than its last question."""
    yield body
    clipped = _clip(body)
    if clipped == body:
        return
    yield clipped
    messages = clipped.get("messages")
    asked = [
        one
        for one in (messages if isinstance(messages, list) else ())
        if isinstance(one, dict) and one.get("role") == "user" and isinstance(one.get("content"), str)
    ]
    small = {
        name: value
        for name, value in clipped.items()
        if name == "byok_conf" or len(json.dumps(value, ensure_ascii=False)) <= _LONGEST_MEMBER
    }
    yield {**small, "messages": asked[-1:] or _HI}


def _clip(value: Any) -> Any:
    if isinstance(value, str):
        return value if len(value) <= _LONGEST_TEXT else value[: _LONGEST_TEXT - 1] + "…"
    if isinstance(value, dict):
        return {name: member if name == "byok_conf" else _clip(member) for name, member in value.items()}
    return [_clip(member) for member in value] if isinstance(value, list) else value
