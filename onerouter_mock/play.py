"""Performs a Plan on a connection: the only file that waits, writes a body or breaks a connection.

Bytes go straight to the transport, head and body in one write (a `web.Response` costs a fifth of the speed, a
`StreamResponse` a third); aiohttp only learns whether the connection stays.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from onerouter_mock.core.plan import Outcome, Plan
from onerouter_mock.turns import Turns

if TYPE_CHECKING:
    from aiohttp import web

    from onerouter_mock.clock import Clock

# l_onoff 1, l_linger 0: closing sends RST instead of FIN.
_RESET = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
_POLL_S = 0.002
_WRITES_AT_A_TIME = 64  # of a sliced answer, before other calls get their turn


class Played:
    """What aiohttp's low-level server gets as a response: all is written; does the connection stay?"""

    __slots__ = ("keep_alive",)

    def __init__(self, keep_alive: bool) -> None:
        self.keep_alive = keep_alive

    async def prepare(self, request: web.BaseRequest) -> None:
        """Nothing is left to prepare."""

    async def write_eof(self) -> None:
        """Nothing is left to write."""


_KEPT, _CLOSED = Played(True), Played(False)


def play_at_once(
    plan: Plan,
    transport: asyncio.Transport,
    clock: Clock,
    end: Callable[[Outcome], Any],
    start_s: float | None = None,
) -> bool:
    """Plays a plan that is one piece, due now, on a connection that stays; False for any other, nothing done."""
    if len(plan.frames) != 1 or plan.close != "keep" or clock.real_delay_s(plan.end_us):
        return False
    if transport.is_closing():
        end(Outcome("client_left", 0, 0, 0))
        return True
    data = plan.frames[0].data
    elapsed_us = plan.end_us
    if start_s is not None and (second_s := clock.real_delay_s(1_000_000)):
        elapsed_us = int((asyncio.get_running_loop().time() - start_s) / second_s * 1e6)
    end(Outcome(plan.ending, 1, len(data), elapsed_us))
    transport.write(data)
    return True


async def play(
    plan: Plan,
    request: web.BaseRequest,
    clock: Clock,
    end: Callable[[Outcome], Any],
    note: Callable[[str], Any] | None = None,
    start_s: float | None = None,
    turns: Turns | None = None,
) -> Played:
    """Writes the frames of a plan when they are due, then keeps, closes, resets or holds the connection.

    `end` is called once: just before the last byte where the ending is known by then, else when the client
    has left. `note("stall")` or `note("hang")` is called as a planned silence begins. Deadlines are absolute,
    from `start_s` on the loop's clock (default: now), so that a late frame delays none after it. The body of
    the request must have been read: unread bytes turn FIN into RST.
    Errors: CancelledError, when the client leaves (aiohttp's `handler_cancellation`) or the server stops.
    """
    transport = request.transport
    if transport is not None and play_at_once(plan, transport, clock, end, start_s):
        if transport.get_write_buffer_size():
            with suppress(ConnectionError):  # it left without reading; the call has ended already
                await request.writer.drain()
        return _KEPT if request.keep_alive else _CLOSED
    return await _Performance(plan, request, clock, end, note, start_s, turns or Turns()).run()


class _Performance:
    """One plan on one connection: what is out so far."""

    __slots__ = (
        "bytes", "end", "ended", "frames", "loop", "note", "plan", "request", "start_s", "timer", "transport",
        "turns", "us_s", "woken",
    )  # fmt: skip

    def __init__(
        self,
        plan: Plan,
        request: web.BaseRequest,
        clock: Clock,
        end: Callable[[Outcome], Any],
        note: Callable[[str], Any] | None,
        start_s: float | None,
        turns: Turns,
    ) -> None:
        self.plan, self.request, self.end, self.note, self.turns = plan, request, end, note, turns
        self.loop = asyncio.get_running_loop()
        self.start_s = self.loop.time() if start_s is None else start_s
        self.us_s = (
            clock.real_delay_s(1_000_000) / 1e6
        )  # how long a scripted microsecond is: 0 on a virtual clock
        self.transport = request.transport
        self.frames = self.bytes = 0
        self.ended = False
        self.woken: asyncio.Future[None] | None = None
        self.timer: asyncio.TimerHandle | None = None

    async def run(self) -> Played:
        """Plays to the end, or until the client leaves. Once."""
        plan = self.plan
        keeps = plan.close == "keep" and self.request.keep_alive
        try:
            await self._write_frames()
            if plan.close == "hold":
                self._note_silence()
                await self.loop.create_future()  # until aiohttp cancels this task
            if self._due_s(plan.end_us) > self.loop.time():
                await self._wait(plan.end_us, self._wake)
            self._end(plan.ending)
            if plan.close == "rst":
                await self._reset()
        except ConnectionError:
            self._end(self._early_ending())
            return _CLOSED
        except asyncio.CancelledError:
            self._end(self._early_ending())
            if self.transport is not None:
                self.transport.abort()  # where the server stops: wait for no slow reader
            raise
        finally:
            # An error of a write, in the request or the future, and its traceback would hold each other, and the plan.
            self.woken = self.timer = None
            del self.request
        return _KEPT if keeps else _CLOSED

    def _due_s(self, at_us: int) -> float:
        return self.start_s + at_us * self.us_s

    async def _write_frames(self) -> None:
        frames, separate = self.plan.frames, self.plan.separate
        while self.frames < len(frames):
            if self.frames == self.plan.stall_at:
                self._note_silence()
            at_us = frames[self.frames].at_us
            if self._due_s(at_us) > self.loop.time():
                await self._wait(at_us, self._write_on_time)
            else:
                self._write_due()
            await self.request.writer.drain()
            if separate and self.frames % _WRITES_AT_A_TIME == 0:
                await asyncio.sleep(0)

    async def _wait(self, at_us: int, then: Callable[[], None]) -> None:
        self.woken = self.loop.create_future()
        self.timer = self.loop.call_at(self._due_s(at_us), then)
        self.turns.paced += 1
        try:
            await self.woken
        finally:
            self.turns.paced -= 1
            self.timer.cancel()

    def _wake(self) -> None:
        if self.woken is not None and not self.woken.done():
            self.woken.set_result(None)

    def _write_on_time(self) -> None:
        """A timer's deed: writes what is due and sets the timer for what comes next.

        The task sleeps on: waking it for every chunk takes half as long again, and makes many streams late.
        """
        if self.woken is None or self.woken.done():
            return
        try:
            self._write_due()
        except Exception as error:
            self.woken.set_exception(error)
            return
        plan = self.plan
        is_over = self.frames == len(plan.frames) or self.frames == plan.stall_at
        if is_over or self.transport is None or self.transport.get_write_buffer_size():
            self.woken.set_result(None)
        else:
            self.timer = self.loop.call_at(self._due_s(plan.frames[self.frames].at_us), self._write_on_time)

    def _write_due(self) -> None:
        """Writes the next frame, and with it those after it that are due by now, unless they are slices."""
        plan, first = self.plan, self.frames
        frames, count, stall_at = plan.frames, len(plan.frames), plan.stall_at
        now_s, upto = self.loop.time(), first + 1
        if not plan.separate:
            while upto < count and upto != stall_at and self._due_s(frames[upto].at_us) <= now_s:
                upto += 1
        data = frames[first].data
        if upto > first + 1:
            data = b"".join([frame.data for frame in frames[first:upto]])
        transport = self.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError
        self.frames = upto
        self.bytes += len(data)
        if upto == count and plan.close != "hold" and self._due_s(plan.end_us) <= now_s:
            self._end(plan.ending)  # before its last byte, so that who has read it finds the call ended
        transport.write(data)

    def _note_silence(self) -> None:
        if self.note is not None:
            self.note(self.plan.ending if self.plan.close == "hold" else "stall")

    def _early_ending(self) -> str:
        plan = self.plan
        if plan.close == "hold" and self.frames == len(plan.frames):
            return plan.ending
        if plan.stall_at is not None and self.frames == plan.stall_at:
            return "stall"
        return "client_left"

    def _end(self, ending: str) -> None:
        if not self.ended:
            self.ended = True
            self.end(Outcome(ending, self.frames, self.bytes, self._elapsed_us()))

    def _elapsed_us(self) -> int:
        plan = self.plan
        planned_us = (
            plan.end_us if self.frames == len(plan.frames) else plan.frames[max(self.frames - 1, 0)].at_us
        )
        return (
            max(planned_us, int((self.loop.time() - self.start_s) / self.us_s)) if self.us_s else planned_us
        )

    async def _reset(self) -> None:
        """RST, once all that was written has left: `abort` throws away what has not."""
        transport = self.transport
        if transport is None or transport.is_closing():
            return
        transport.set_write_buffer_limits(high=0)
        await self.request.writer.drain()
        sock = transport.get_extra_info("socket")
        if sock is not None:
            with suppress(OSError):  # the client closed first: there is nothing left to reset
                while _unsent_bytes(sock):  # noqa: ASYNC110 (the system tells nobody when it is done)
                    await asyncio.sleep(_POLL_S)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        transport.abort()


def _unsent_bytes(sock: socket.socket) -> int:
    """What the system still holds for a slow reader: RST would throw it away. 0 where it does not tell."""
    try:
        import fcntl
        import termios

        (count,) = struct.unpack("i", fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, b"\0\0\0\0"))
    except (ImportError, OSError):
        return 0
    return int(count)
