"""`run`: a server of its own for one command.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from onerouter_mock.cli import Stop
from onerouter_mock.cli.console import count_call, open_console
from onerouter_mock.cli.door import could_not_bind, ready_file
from onerouter_mock.cli.environment import client_environment
from onerouter_mock.cli.paint import paint_for
from onerouter_mock.cli.report import is_failing
from onerouter_mock.cli.watch import POLL_S, Watch
from onerouter_mock.cli.world import make_emulator
from onerouter_mock.core.story import sum_line, sum_up, timeline
from onerouter_mock.host import Host

if TYPE_CHECKING:
    from onerouter_mock.emulator import Emulator
    from onerouter_mock.journal import Entry

_SHOWN = 200
_FORWARDED = ("SIGTERM", "SIGHUP")


def run(args: argparse.Namespace) -> int:
    """Serve, run CMD against that, and answer CMD's code; the timeline on stderr when that is not 0.

    Errors: ScenarioError; Stop when there is no CMD, or no port (3).
    """
    emulator = make_emulator(args)
    with ExitStack() as stack:
        record = Record(stack.enter_context(_open_journal(args.journal)))
        emulator.subscribe(record.see)
        if args.log not in (None, "off"):
            stack.enter_context(open_console(emulator, args.log, args.log_format, told=record.leave_out))
        host, port = args.host or "127.0.0.1", args.port or 0
        try:
            server = Host.start(emulator, host, port)
        except OSError as error:
            raise could_not_bind(host, port, error) from None
        stack.callback(server.stop)
        stack.enter_context(ready_file(args.ready_file, server.url))
        if args.watch:
            stack.enter_context(_watching(server, Watch(emulator, _tell_lines)))
        code = _run_command(args.tail, server.url)
        server.stop()  # what still hangs ends now, so that the timeline is whole
    failing = args.strict and any(is_failing(finding) for finding in record.findings)
    if code or failing:
        _tell(record, emulator, args.tail, code)
    return code or int(failing)


@contextmanager
def _watching(server: Host, watch: Watch) -> Iterator[None]:
    """Looks for changed scenario files while CMD runs; each look is on the server's loop thread."""
    over = threading.Event()

    def look() -> None:
        while not over.wait(POLL_S):
            server.ask(watch.look)

    thread = threading.Thread(target=look, name="onerouter-mock watch")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _tell_lines(*lines: str) -> None:
    print(*lines, sep="\n", file=sys.stderr)


class Record:
    """All calls of a run: the last of those that no log has shown for the timeline, every one for the journal
    file.
    """

    def __init__(self, journal: TextIO | None) -> None:
        self.dropped = 0  # calls that neither a log has shown nor the timeline will
        self.findings: list[Any] = []
        self.total = sum_up(())
        self._untold: dict[int, Entry] = {}  # by identity: after a reset numbers begin anew
        self._journal = journal

    @property
    def entries(self) -> list[dict[str, Any]]:
        """What the timeline shows."""
        return [entry.as_dict() for entry in self._untold.values()]

    def see(self, event: str, entry: Entry) -> None:
        """Take note of a call, on the loop's thread."""
        if event == "begin":
            self._untold[id(entry)] = entry
            if len(self._untold) > _SHOWN:
                del self._untold[next(iter(self._untold))]
                self.dropped += 1
            return
        count_call(self.total, entry)
        if self._journal is not None:
            self._journal.write(json.dumps(entry.as_dict(), ensure_ascii=False) + "\n")

    def leave_out(self, entry: Entry) -> None:
        """Take note that a log has shown a call."""
        if self._untold.pop(id(entry), None) is None:
            self.dropped -= 1


@contextmanager
def _open_journal(path: str | None) -> Iterator[TextIO | None]:
    if path is None:
        yield None
        return
    try:
        file = Path(path).open("w", encoding="utf-8")  # noqa: SIM115 (closed below; opening alone may fail)
    except OSError as error:
        raise Stop(f"--journal: {path}: {(error.strerror or str(error)).lower()}") from None
    with file:
        yield file


def _run_command(command: list[str], url: str) -> int:
    """CMD's exit code as a shell tells it: 128 + n when signal n killed it.

    Errors: Stop, with 127 when CMD is not found, 126 when it can't be run.
    """
    environment = {**os.environ, **client_environment(url, os.environ)}
    child: list[subprocess.Popen[bytes]] = []
    with _signals(child) as early:
        try:
            child.append(subprocess.Popen(command, env=environment))
            for number in early:  # came while CMD was being started
                child[0].send_signal(number)
        except FileNotFoundError:
            raise Stop(f'onerouter-mock run: "{command[0]}" is no command that can be found', 127) from None
        except OSError as error:
            what = (error.strerror or str(error)).lower()
            raise Stop(f'onerouter-mock run: "{command[0]}": {what}', 126) from None
        code = child[0].wait()
    return code if code >= 0 else 128 - code


@contextmanager
def _signals(child: list[subprocess.Popen[bytes]]) -> Iterator[list[int]]:
    """Forward SIGTERM and SIGHUP; SIGINT reaches the child by itself, we only outlive it to report.

    Shape: yields the signals that came before there was a child, for the caller to pass on.
    """
    early: list[int] = []

    def forward(number: int, _: object) -> None:
        if not child:
            early.append(number)
        elif child[0].poll() is None:
            child[0].send_signal(number)

    before: dict[int, Any] = {signal.SIGINT: signal.signal(signal.SIGINT, lambda *_: None)}
    for name in _FORWARDED:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) != signal.SIG_IGN:
            before[number] = signal.signal(number, forward)
    try:
        yield early
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _tell(record: Record, emulator: Emulator, command: list[str], code: int) -> None:
    scenario, entries = emulator.scenario, record.entries
    ended = f"ended with {code}" if code else "passed, but a finding fails it (--strict)"
    world = f"scenario {scenario.name}, seed {scenario.seed}"
    logged = record.total["calls"] - record.dropped - len(entries)
    saw = (
        "what the mock saw"
        if not logged
        else "what else the mock saw"
        if entries
        else "what the mock saw: above"
    )
    lines = [f"onerouter-mock: {command[0]} {ended}; {saw} ({world})"]
    if not (record.total["calls"] or entries):
        lines += [
            "  no call: the command went to another address, or to none; its environment had OPENAI_BASE_URL,",
            "  OPENAI_API_BASE, ONEROUTER_BASE_URL and ANTHROPIC_BASE_URL (onerouter-mock env)",
        ]
    else:
        lines += [f"({record.dropped} earlier calls are not shown)"] if record.dropped else []
        lines += [*timeline(entries, paint=paint_for(sys.stderr)), sum_line(record.total)]
    _tell_lines(*lines)
