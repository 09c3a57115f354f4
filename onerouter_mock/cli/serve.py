"""`serve`: in front until a signal comes.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from contextlib import ExitStack, suppress

from onerouter_mock.cli.console import Console, Mode, open_console
from onerouter_mock.cli.door import could_not_bind, is_loopback, ready_file
from onerouter_mock.cli.watch import POLL_S, Watch
from onerouter_mock.cli.world import make_emulator, story_of
from onerouter_mock.emulator import Emulator
from onerouter_mock.host import serve_forever

HOST, PORT = "127.0.0.1", 4117


def serve(args: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM; 130 or 143 then.

    Errors: ScenarioError; Stop with code 3 when the port can't be had.
    """
    emulator = make_emulator(args)
    host, port = args.host or HOST, PORT if args.port is None else args.port
    mode: Mode = args.log or ("all" if sys.stderr.isatty() else "problems")
    with ExitStack() as stack:
        console = stack.enter_context(open_console(emulator, mode, args.log_format))
        started_s = time.monotonic()

        def tell_ready(url: str) -> None:
            stack.enter_context(ready_file(args.ready_file, url))
            _tell_ready(emulator, url, host, console)

        beside = [lambda: _watch(Watch(emulator, console.put))] if args.watch else []
        try:
            number = serve_forever(emulator, host=host, port=port, on_ready=tell_ready, beside=beside)
        except OSError as error:
            raise could_not_bind(host, port, error) from None
        console.say(console.sum_line(round((time.monotonic() - started_s) * 1e6)))
    return 128 + number


def _tell_ready(emulator: Emulator, url: str, host: str, console: Console) -> None:
    scenario = emulator.scenario
    with suppress(OSError):  # who started us may have stopped reading
        print(
            f"onerouter-mock ready on {url}/v1 (scenario: {scenario.name}, seed: {scenario.seed})", flush=True
        )
    if not is_loopback(host):
        console.put(
            f"warning: --host {host}: who can reach this machine can use the mock and its control API"
        )
    told = story_of(emulator)
    console.say(*([f"  {told}"] if told else []), f"  watch: {url}/    stop: Ctrl-C", "")


async def _watch(watch: Watch) -> None:
    while True:
        await asyncio.sleep(POLL_S)
        watch.look()
