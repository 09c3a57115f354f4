"""Calls on virtual time and without a socket, by the server's own machinery: for `explain`, and for whoever
tells what it would show.

What may live here: the requests that options describe, and making them; no arguments, no printing.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from onerouter_mock import API_KEY
from onerouter_mock.core.catalogue import built_in
from onerouter_mock.core.plan import Outcome
from onerouter_mock.core.wire.request import Asked
from onerouter_mock.core.wire.secrets import make_sample
from onerouter_mock.emulator import Emulator, EmulatorOptions

if TYPE_CHECKING:
    from onerouter_mock.core.scenario.records import Scenario
    from onerouter_mock.library import Library

MODEL, PROVIDER = "gpt-5.1-chat", "openai"
KEY = "sk-own-key-of-explain-7f3a"
_PATH = "/v1/chat/completions"


def open_world(scenario: Scenario, library: Library | None, seed: int | None = None) -> Emulator:
    """An emulator in which a scenario's time is virtual, and clients are told to wait as without that."""
    options = EmulatorOptions(seed=seed, clock="virtual", waits=scenario.waits)
    return Emulator(scenario, library, options=options)


def foresee(
    emulator: Emulator,
    body: bytes | dict[str, Any],
    *,
    calls: int,
    gap_us: int = 0,
    account_key: str | None = None,
) -> list[dict[str, Any]]:
    """The journal entries of `calls` equal calls, `gap_us` apart on the session's virtual clock.

    Shape: `account_key` is the OneRouter key that they come with, "" for none; None for one that is let in.
    """
    data = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    headers = {"content-type": "application/json"}
    if key := choose_account_key(emulator.scenario) if account_key is None else account_key:
        headers["authorization"] = f"Bearer {key}"
    entries = []
    for number in range(calls):
        if number and gap_us:
            emulator.session("default").clock.advance(gap_us)
        begun = emulator.begin(Asked("POST", _PATH, "", headers, data, False), _PATH)
        plan = begun.plan
        sent = sum(len(frame.data) for frame in plan.frames)
        emulator.end(begun, Outcome(plan.ending, len(plan.frames), sent, plan.end_us))
        entries.append(begun.entry.as_dict())
    return entries


def choose_account_key(scenario: Scenario) -> str:
    """A OneRouter key that a scenario lets in."""
    if scenario.auth == "listed":
        globs = [glob for account in scenario.accounts if not account.disabled for glob in account.match]
        return next(filter(None, (make_sample(glob, "explain") for glob in globs)), API_KEY)
    return API_KEY


def plain_request() -> dict[str, Any]:
    """A chat request with an own key."""
    return {
        "model": MODEL,
        "messages": [{"role": "user", "content": "hi"}],
        "byok_conf": {"provider": PROVIDER, "credentials": KEY},
    }


def alter_request(
    body: dict[str, Any],
    *,
    provider: str | None = None,
    model: str | None = None,
    key: str | None = None,
    fallback: bool | None = None,
    stream: bool = False,
) -> dict[str, Any]:
    """The request with what options say in it; None says nothing."""
    body = dict(body)
    conf = body.get("byok_conf")
    if any(given is not None for given in (provider, key, fallback)):
        conf = dict(conf) if isinstance(conf, dict) else {"provider": PROVIDER, "credentials": KEY}
        if provider is not None:
            conf["provider"] = provider
        if provider is not None or key is not None:
            conf["credentials"] = make_credentials(conf.get("provider"), KEY if key is None else key)
        if fallback is not None:
            conf["fallback"] = fallback
        body["byok_conf"] = conf
    if model is not None:
        body["model"] = model
    if stream:
        body["stream"] = True
    return body


def make_credentials(provider: object, key: str) -> str | dict[str, str]:
    """A credential in the first form that the provider takes; an unknown one is for the router to refuse."""
    known = built_in().providers.get(provider) if isinstance(provider, str) else None
    form = known.credentials[0] if known else None
    if form is None or form.kind == "text" or form.secret is None:
        return key
    members = {
        "type": "service_account",
        "endpoint_url": "https://explain.invalid/chat/completions?api-version=1",
    }
    return {**{name: members.get(name, "explain") for name in form.required}, form.secret: key}
