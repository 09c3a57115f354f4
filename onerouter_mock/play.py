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

from onerouter_mock.core.records import Frame, Outcome, Plan

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


async def play(
    plan: Plan,
    request: web.BaseRequest,
    clock: Clock,
    end: Callable[[Outcome], Any],
    note: Callable[[str], Any] | None = None,
    start_s: float | None = None,
) -> Played:
    """Writes the frames of a plan when they are due, then keeps, closes, resets or holds the connection.

    `end` is called once: just before the last byte where the ending is known by then, else when the client
    has left. `note("stall")` or `note("hang")` is called as a planned silence begins. Deadlines are absolute,
    from `start_s` on the loop's clock (default: now), so that a late frame delays none after it. The body of
    the request must have been read: unread bytes turn FIN into RST.
    Errors: CancelledError, when the client leaves (aiohttp's `handler_cancellation`) or the server stops.
    """
    transport = request.transport
    if len(plan.frames) == 1 and plan.close == "keep" and not clock.real_delay_s(plan.end_us):
        if transport is None or transport.is_closing():
            end(Outcome("client_left", 0, 0, 0))
            return _CLOSED
        data = plan.frames[0].data
        end(Outcome(plan.ending, 1, len(data), plan.end_us))
        transport.write(data)
        with suppress(ConnectionError):  # it left without reading; the call has ended already
            await request.writer.drain()
        return _KEPT if request.keep_alive else _CLOSED
    performance = _Performance(plan, request, clock, end, note, start_s)
    return await performance.run()


class _Performance:
    """One plan on one connection: what is out so far."""

    __slots__ = (
        "bytes",
        "clock",
        "end",
        "ended",
        "frames",
        "loop",
        "note",
        "plan",
        "request",
        "start_s",
        "transport",
    )

    def __init__(
        self,
        plan: Plan,
        request: web.BaseRequest,
        clock: Clock,
        end: Callable[[Outcome], Any],
        note: Callable[[str], Any] | None,
        start_s: float | None,
    ) -> None:
        self.plan, self.request, self.clock, self.end, self.note = plan, request, clock, end, note
        self.loop = asyncio.get_running_loop()
        self.start_s = self.loop.time() if start_s is None else start_s
        self.transport = request.transport
        self.frames = self.bytes = 0
        self.ended = False

    async def run(self) -> Played:
        """Plays to the end, or until the client leaves."""
        plan = self.plan
        try:
            await self._write_frames()
            if plan.close == "hold":
                self._note_silence()
                await self.loop.create_future()  # until aiohttp cancels this task
            await self._wait_until(plan.end_us)
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
        return _KEPT if plan.close == "keep" and self.request.keep_alive else _CLOSED

    async def _write_frames(self) -> None:
        frames, separate = self.plan.frames, self.plan.separate
        count = len(frames)
        while self.frames < count:
            first = self.frames
            if first == self.plan.stall_at:
                self._note_silence()
            await self._wait_until(frames[first].at_us)
            upto = first + 1 if separate else self._due(first)
            self._write(frames[first:upto])
            await self.request.writer.drain()
            if separate and self.frames % _WRITES_AT_A_TIME == 0:
                await asyncio.sleep(0)

    def _due(self, first: int) -> int:
        """The end of the frames that are due at this moment, the first of which is."""
        frames, stop = self.plan.frames, self.plan.stall_at
        count = len(frames) if stop is None or stop <= first else stop
        if self.clock.mode == "virtual":
            return count
        now_s = self.loop.time()
        upto = first + 1
        while upto < count and self.start_s + self.clock.real_delay_s(frames[upto].at_us) <= now_s:
            upto += 1
        return upto

    def _write(self, frames: list[Frame]) -> None:
        data = frames[0].data if len(frames) == 1 else b"".join([frame.data for frame in frames])
        transport = self.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError
        self.frames += len(frames)
        self.bytes += len(data)
        plan = self.plan
        if self.frames == len(plan.frames) and plan.close != "hold" and not self._rest_s(plan.end_us) > 0:
            self._end(plan.ending)  # before its last byte, so that who has read it finds the call ended
        if data:
            transport.write(data)

    def _rest_s(self, at_us: int) -> float:
        if self.clock.mode == "virtual":
            return 0.0
        return self.start_s + self.clock.real_delay_s(at_us) - self.loop.time()

    async def _wait_until(self, at_us: int) -> None:
        if self._rest_s(at_us) <= 0:
            return
        woken = self.loop.create_future()
        due_s = self.start_s + self.clock.real_delay_s(at_us)
        timer = self.loop.call_at(due_s, _wake, woken)
        try:
            await woken
        finally:
            timer.cancel()

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
        second_s = self.clock.real_delay_s(1_000_000)
        if not second_s:
            return planned_us
        return int((self.loop.time() - self.start_s) / second_s * 1_000_000)

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


def _wake(woken: asyncio.Future[None]) -> None:
    if not woken.done():
        woken.set_result(None)
