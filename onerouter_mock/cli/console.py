"""The log of calls on stderr: a line a call as it ends, a second one where something went wrong.

The server must never wait for who reads stderr (a harness that reads a pipe's first line and no more blocks
a writer after 64 kB): lines go through a queue with an end to a thread that writes them in batches.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, TextIO

from onerouter_mock.cli.paint import paint_for
from onerouter_mock.core.story import (
    Paint,
    call_line,
    call_lines,
    find_retried,
    is_trouble,
    plain,
    sum_line,
    sum_up,
)

if TYPE_CHECKING:
    from onerouter_mock.emulator import Emulator
    from onerouter_mock.journal import Entry

Mode = Literal["all", "problems", "off"]
_MOST_LINES = 10_000
_SLOW_S = 1.0
_REMEMBERED = 64


class Writer:
    """Writes lines to a stream from a thread of its own; what finds no room is counted, not waited for."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        try:
            self._fd: int | None = stream.fileno()
        except OSError:  # text in memory
            self._fd = None
        self._lines: deque[str] = deque()
        self._lost = 0
        self._wake = threading.Event()
        self._is_closed = False
        self._thread = threading.Thread(target=self._write, name="onerouter-mock log", daemon=True)
        self._thread.start()

    @property
    def is_full(self) -> bool:
        """Whether nobody has read for long: a further line would be lost."""
        return len(self._lines) >= _MOST_LINES

    def put(self, *lines: str) -> None:
        """Queue lines."""
        if self.is_full:
            self._lost += len(lines)
            return
        self._lines.extend(lines)
        self._wake.set()

    def close(self, timeout_s: float = 1.0) -> None:
        """Write what is left, if somebody reads it."""
        self._is_closed = True
        self._wake.set()
        self._thread.join(timeout_s)

    def _write(self) -> None:
        told = 0
        while True:
            self._wake.wait()
            self._wake.clear()
            lines = [self._lines.popleft() for _ in range(len(self._lines))]
            lost = self._lost - told  # only `put` counts up, only this thread tells: no lock
            if lost:
                lines.append(f"({lost} lines were lost: nobody read them)")
                told += lost
            try:
                self._write_out("".join([f"{line}\n" for line in lines]))
            except (OSError, ValueError):
                return  # who read it has left
            if self._is_closed and not self._lines:
                return

    def _write_out(self, text: str) -> None:
        if self._fd is None:
            self._stream.write(text)
            return
        # Past the stream: an exit while this thread is stuck would wait for the stream's lock.
        data = text.encode(self._stream.encoding or "utf-8", "replace")
        while data:
            data = data[os.write(self._fd, data) :]


class Console:
    """What the calls of an emulator look like on a console, and what they come to.

    Shape: `mode`: "all", "problems" (calls with a second line) or "off". `told` learns of each call that was
    printed whole.
    """

    def __init__(
        self,
        emulator: Emulator,
        writer: Writer,
        *,
        mode: Mode,
        as_json: bool = False,
        paint: Paint = plain,
        told: Callable[[Entry], None] | None = None,
    ) -> None:
        self.total = sum_up(())
        self._emulator, self._writer, self._mode, self._as_json, self._paint = (
            emulator,
            writer,
            mode,
            as_json,
            paint,
        )
        self._told = told
        self._notices: set[tuple[str, str]] = set()
        self._earlier: deque[dict[str, Any]] = deque(maxlen=_REMEMBERED)
        if mode != "off":
            emulator.subscribe(self.see)

    def put(self, *lines: str) -> None:
        """Print lines, whatever the mode."""
        shown = [
            json.dumps({"message": line}, ensure_ascii=False) if self._as_json else line for line in lines
        ]
        self._writer.put(*shown)

    def say(self, *lines: str) -> None:
        """Print lines that people read, where people read."""
        if self._mode != "off" and not self._as_json:
            self._writer.put(*lines)

    def see(self, event: str, entry: Entry) -> None:
        """Take note of a call that begins or has ended."""
        if event == "end":
            count_call(self.total, entry)
        if self._writer.is_full or (self._mode == "problems" and _went_well(entry)):
            return
        if event == "end":
            if self._print(entry.as_dict()) and self._told is not None:
                self._told(entry)
        elif self._mode == "all" and not self._as_json and self._is_slow(entry):
            self._writer.put(call_line(entry.as_dict(), paint=self._paint))

    def sum_line(self, lasted_us: int) -> str:
        """The last line: what all calls came to."""
        return sum_line(self.total, lasted_us=lasted_us)

    def _print(self, entry: dict[str, Any]) -> bool:
        if self._mode == "problems" and not is_trouble(entry):
            return False
        if self._as_json:
            self._writer.put(json.dumps({**entry, "request": None}, ensure_ascii=False))
            return True
        retried = find_retried(entry, reversed(self._earlier))
        if entry["served_by"] is None:
            self._earlier.append(entry)
        shown = {**entry, "notices": self._new_notices(entry)}
        is_shown = self._mode == "all" or is_trouble(shown)
        if is_shown:
            self._writer.put(*call_lines(shown, retry_of=retried, paint=self._paint))
        return is_shown

    def _is_slow(self, entry: Entry) -> bool:
        line = entry.decision.timeline
        if not entry.decision.call.stream or line is None:
            return False
        return self._emulator.session(entry.session).clock.real_delay_s(line.end_us) > _SLOW_S

    def _new_notices(self, entry: dict[str, Any]) -> list[str]:
        """Those of a call's notices that are new to its session: the same one on every call tells nothing."""
        fresh = [text for text in entry["notices"] if (entry["session"], text) not in self._notices]
        if len(self._notices) < _MOST_LINES:
            self._notices.update((entry["session"], text) for text in fresh)
        return fresh


@contextmanager
def open_console(
    emulator: Emulator,
    mode: Mode,
    log_format: str | None,
    *,
    told: Callable[[Entry], None] | None = None,
) -> Iterator[Console]:
    """The console of an emulator on stderr; what is left to write is written at the end."""
    writer, as_json = Writer(sys.stderr), log_format == "json"
    try:
        yield Console(emulator, writer, mode=mode, as_json=as_json, paint=paint_for(sys.stderr), told=told)
    finally:
        writer.close()


def count_call(total: dict[str, int], entry: Entry) -> None:
    """Count an ended call into totals of `sum_up`, without making it a dict."""
    decision = entry.decision
    total["calls"] += 1
    if decision.served is not None:
        total[decision.served.lane] += 1
    elif decision.failure is not None:
        total["nobody"] += 1
    if decision.cost is not None:
        total["credits_nano"] += decision.cost.total_nano
        total["byok_nano"] += decision.cost.byok_nano


def _went_well(entry: Entry) -> bool:
    """Whether a call surely has no second line: the cheap look, before the entry is made a dict."""
    decision = entry.decision
    shape = decision.shape
    return (
        len(decision.attempts) <= 1
        and decision.failure is None
        and entry.ending in (None, "finish")
        and not decision.notes
        and not decision.call.notices
        and (shape is None or shape.break_ is None)
    )
