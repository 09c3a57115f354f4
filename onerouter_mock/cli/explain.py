"""`explain`: what N calls would meet, on virtual time and without a socket, by the server's own machinery.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from onerouter_mock.cli import Stop
from onerouter_mock.cli.environment import API_KEY
from onerouter_mock.cli.paint import paint_for
from onerouter_mock.cli.world import open_library, story_of
from onerouter_mock.core.catalogue import built_in
from onerouter_mock.core.plan import Outcome
from onerouter_mock.core.scenario.units import format_duration
from onerouter_mock.core.story import sum_line, sum_up, timeline
from onerouter_mock.core.wire.request import Asked
from onerouter_mock.emulator import Emulator, EmulatorOptions

MODEL, PROVIDER = "gpt-5.1-chat", "openai"
KEY = "sk-own-key-of-explain-7f3a"
_PATH = "/v1/chat/completions"


def explain(args: argparse.Namespace) -> int:
    """Print the routes that the first N such calls would take, and why."""
    library = open_library(args)
    scenario = library.load(args.scenario)
    emulator = Emulator(
        scenario, library, options=EmulatorOptions(seed=args.seed, clock="virtual", waits=scenario.waits)
    )
    body = make_body(args)
    entries = foresee(emulator, body, calls=args.calls, gap_us=args.gap)
    for line in [
        *_heading(emulator, body, args),
        "",
        *timeline(entries, paint=paint_for(sys.stdout)),
    ]:
        print(line)
    print(sum_line(sum_up(entries)))
    return 0


def foresee(
    emulator: Emulator, body: bytes | dict[str, Any], *, calls: int, gap_us: int = 0
) -> list[dict[str, Any]]:
    """The journal entries of `calls` equal calls, `gap_us` apart on the session's virtual clock."""
    data = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    headers = {"authorization": f"Bearer {_account_key(emulator)}", "content-type": "application/json"}
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


def _account_key(emulator: Emulator) -> str:
    """A OneRouter key that the scenario lets in."""
    scenario = emulator.scenario
    globs = [glob for account in scenario.accounts if not account.disabled for glob in account.match]
    return (
        globs[0].replace("*", "explain").replace("?", "x") if scenario.auth == "listed" and globs else API_KEY
    )


def make_body(args: argparse.Namespace) -> dict[str, Any]:
    """The request that the options describe: the file's, or a plain one with an own key; options win.

    Errors: Stop.
    """
    body = _read_request(Path(args.request)) if args.request else _plain_request()
    conf = body.get("byok_conf")
    if any(given is not None for given in (args.provider, args.key, args.fallback)):
        conf = dict(conf) if isinstance(conf, dict) else {"provider": PROVIDER, "credentials": KEY}
        if args.provider is not None:
            conf["provider"] = args.provider
        if args.provider is not None or args.key is not None:
            key = KEY if args.key is None else args.key
            conf["credentials"] = _credentials(conf.get("provider"), key)
        if args.fallback is not None:
            conf["fallback"] = args.fallback
        body["byok_conf"] = conf
    if args.model is not None:
        body["model"] = args.model
    if args.stream:
        body["stream"] = True
    return body


def _plain_request() -> dict[str, Any]:
    return {
        "model": MODEL,
        "messages": [{"role": "user", "content": "hi"}],
        "byok_conf": {"provider": PROVIDER, "credentials": KEY},
    }


def _read_request(path: Path) -> dict[str, Any]:
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Stop(f"{path}: {(error.strerror or str(error)).lower()}") from None
    except (ValueError, RecursionError) as error:
        raise Stop(f"{path}: no JSON: {error}") from None
    if not isinstance(body, dict):
        raise Stop(f"{path}: no request body; would be right: an object with model and messages")
    return body


def _credentials(provider: object, key: str) -> str | dict[str, str]:
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


def _heading(emulator: Emulator, body: dict[str, Any], args: argparse.Namespace) -> list[str]:
    scenario, told = emulator.scenario, story_of(emulator)
    conf = body.get("byok_conf")
    own = "without an own key" if conf is None else "with an own key"
    if isinstance(conf, dict):
        own += f" at {conf.get('provider')}" + (", fallback false" if conf.get("fallback") is False else "")
    kind = "streamed call" if body.get("stream") is True else "call"
    apart = f", {format_duration(args.gap)} apart" if args.gap else ""
    return [
        f"{scenario.name} (seed {scenario.seed}){f': {told}' if told else ''}",
        f"{args.calls} {kind}{'' if args.calls == 1 else 's'} to {body.get('model')} {own}{apart}",
    ]
