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
from onerouter_mock.cli.paint import paint_for
from onerouter_mock.cli.world import open_library, story_of
from onerouter_mock.core.scenario.units import format_duration
from onerouter_mock.core.story import sum_line, sum_up, timeline
from onerouter_mock.dry_run import alter_request, foresee, open_world, plain_request
from onerouter_mock.emulator import Emulator


def explain(args: argparse.Namespace) -> int:
    """Print the routes that the first N such calls would take, and why."""
    library = open_library(args)
    emulator = open_world(library.load(args.scenario), library, args.seed)
    body = make_body(args)
    entries = foresee(emulator, body, calls=args.calls, gap_us=args.gap, account_key=args.account_key)
    for line in [
        *_heading(emulator, body, args),
        "",
        *timeline(entries, paint=paint_for(sys.stdout)),
    ]:
        print(line)
    print(sum_line(sum_up(entries)))
    return 0


def make_body(args: argparse.Namespace) -> dict[str, Any]:
    """The request that the options describe: the file's, or a plain one with an own key; options win.

    Errors: Stop.
    """
    body = _read_request(Path(args.request)) if args.request else plain_request()
    return alter_request(
        body,
        provider=args.provider,
        model=args.model,
        key=args.key,
        fallback=args.fallback,
        stream=args.stream,
    )


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
