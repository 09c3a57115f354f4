"""One plan on one connection: what is written when, and what becomes of the connection.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from onerouter_mock.core.plan import Outcome, Plan
from onerouter_mock.play.resets import reset
from onerouter_mock.play.turns import Turns

if TYPE_CHECKING:
    from aiohttp import web

    from onerouter_mock.clock import Clock

_WRITES_AT_A_TIME = 64  # of a sliced answer, before other calls get their turn


class Performance:
    """One plan on one connection: writes its frames when they are due, then keeps, closes, resets or holds it.

    `end` is called once: just before the last byte where the ending is known by then, else when the client
    has left. `note("stall")` or `note("hang")` is called as a planned silence begins. Deadlines are absolute,
    from `start_s` on the loop's clock (default: now), so that a late frame delays none after it.

    `run` plays in a task; `run_alone` by timers, while nothing is in the way: a task costs as much as all else that
    a stream's beginning takes.
    """

    __slots__ = (
        "_bytes", "_coming", "_end_call", "_ended", "_error", "_frames", "_loop", "_note", "_plan", "_rest",
        "_start_s", "_timer", "_transport", "_turns", "_us_s",
    )  # fmt: skip

    def __init__(
        self,
        plan: Plan,
        transport: asyncio.Transport | None,
        clock: Clock,
        end: Callable[[Outcome], Any],
        note: Callable[[str], Any] | None = None,
        start_s: float | None = None,
        turns: Turns | None = None,
    ) -> None:
        self._plan, self._transport, self._end_call, self._note = plan, transport, end, note
        self._turns = turns or Turns()
        self._loop = asyncio.get_running_loop()
        self._start_s = self._loop.time() if start_s is None else start_s
        # How long a scripted microsecond is: 0 on a virtual clock.
        self._us_s = clock.real_delay_s(1_000_000) / 1e6
        self._frames = self._bytes = 0  # what is out so far
        self._coming = plan.frame(0)
        self._ended = False
        self._error: Exception | None = None
        self._rest: Callable[[], Any] | None = None  # what to do when timers can't go on
        self._timer: asyncio.TimerHandle | None = None

    # By timers alone

    def run_alone(self, then: Callable[[bool], Any]) -> bool:
        """Plays without a task; False, with nothing done, for a plan that needs one.

        `then(True)` is called when all is out, `then(False)` when something is in the way: `run` goes on from there.
        """
        plan = self._plan
        if plan.close != "keep" or plan.separate or plan.stall_at is not None or self._coming is None:
            return False
        self._rest = partial(self._stop_alone, then)
        self._turns.paced += 1
        if self._is_due(self._coming.at_us):
            self._write_on_time()
        else:
            self._timer = self._loop.call_at(self._due_s(self._coming.at_us), self._write_on_time)
        return True

    def _stop_alone(self, then: Callable[[bool], Any]) -> None:
        is_out = self._coming is None and self._error is None
        if is_out and not self._is_due(self._plan.end_us):
            self._timer = self._loop.call_at(self._due_s(self._plan.end_us), self._stop_alone, then)
            return
        if isinstance(self._error, ConnectionError):
            return  # `leave` is about to be called
        self._let_go()
        if is_out:
            self._end(self._plan.ending)
        then(is_out)

    def leave(self) -> None:
        """The client has left before `run` was called."""
        if self._rest is not None:
            self._let_go()
        self._error = None
        self._end(self._early_ending())

    def _let_go(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._rest = self._timer = None
        self._turns.paced -= 1

    # By a task

    async def run(self, request: web.BaseRequest) -> bool:
        """Plays to the end, or until the client leaves, once; answers whether the connection stays.

        The body of the request must have been read: unread bytes turn FIN into RST.

        Errors: CancelledError, when the client leaves (aiohttp's `handler_cancellation`) or the server stops.
        """
        plan = self._plan
        keeps = plan.close == "keep" and request.keep_alive
        if self._rest is not None:
            self._let_go()
        try:
            await self._write_frames(request.writer.drain)
            if plan.close == "hold":
                self._note_silence()
                await self._loop.create_future()  # until aiohttp cancels this task
            if not self._is_due(plan.end_us):
                await self._wait(plan.end_us, self._wake)
            self._end(plan.ending)
            if plan.close == "rst":
                await reset(self._transport, request.writer.drain)
        except ConnectionError:
            self._end(self._early_ending())
            return False
        except asyncio.CancelledError:
            self._end(self._early_ending())
            if request.transport is not None:  # else it is closed already
                request.transport.abort()  # where the server stops: wait for no slow reader
            raise
        finally:
            self._error = None  # it and its traceback would hold each other, and the plan
        return keeps

    async def _write_frames(self, drain: Callable[[], Awaitable[None]]) -> None:
        separate = self._plan.separate
        if self._error is not None:
            raise self._error
        await drain()  # timers may have stopped because of a slow reader
        while self._coming is not None:
            if self._frames == self._plan.stall_at:
                self._note_silence()
            if self._is_due(self._coming.at_us):
                self._write_due()
            else:
                await self._wait(self._coming.at_us, self._write_on_time)
            await drain()
            if separate and self._frames % _WRITES_AT_A_TIME == 0:
                await asyncio.sleep(0)

    async def _wait(self, at_us: int, then: Callable[[], None]) -> None:
        woken = self._loop.create_future()
        self._rest = partial(_wake, woken)
        self._timer = self._loop.call_at(self._due_s(at_us), then)
        self._turns.paced += 1
        try:
            await woken
        finally:
            self._let_go()
        if self._error is not None:
            raise self._error

    def _wake(self) -> None:
        if self._rest is not None:
            self._rest()

    # What is written, and when

    def _due_s(self, at_us: int) -> float:
        return self._start_s + at_us * self._us_s

    def _is_due(self, at_us: int) -> bool:
        return self._due_s(at_us) <= self._loop.time()

    def _write_on_time(self) -> None:
        """A timer's deed: writes what is due and sets the timer for what comes next, while nothing is in the way."""
        if self._rest is None:
            return
        try:
            self._write_due()
        except Exception as error:
            self._error = error
            self._rest()
            return
        coming, transport = self._coming, self._transport
        is_clogged = transport is not None and transport.get_write_buffer_size() > 0
        if coming is None or self._frames == self._plan.stall_at or is_clogged:
            self._rest()
        else:
            self._timer = self._loop.call_at(self._due_s(coming.at_us), self._write_on_time)

    def _write_due(self) -> None:
        """Writes the next frame, and with it those after it that are due by now, unless they are slices."""
        plan, now_s, frame = self._plan, self._loop.time(), self._coming
        transport = self._transport
        if transport is None or transport.is_closing() or frame is None:
            raise ConnectionResetError
        data, count = frame.data, self._frames + 1
        coming = plan.frame(count)
        if coming is not None and not plan.separate and self._due_s(coming.at_us) <= now_s:
            due = [data]
            while coming is not None and count != plan.stall_at and self._due_s(coming.at_us) <= now_s:
                due.append(coming.data)
                count += 1
                coming = plan.frame(count)
            data = b"".join(due)
        self._frames, self._coming = count, coming
        self._bytes += len(data)
        if coming is None and plan.close != "hold" and self._due_s(plan.end_us) <= now_s:
            self._end(plan.ending)  # before its last byte, so that who has read it finds the call ended
        transport.write(data)

    def _note_silence(self) -> None:
        if self._note is not None:
            self._note(self._plan.ending if self._plan.close == "hold" else "stall")

    def _early_ending(self) -> str:
        plan = self._plan
        if plan.close == "hold" and self._coming is None:
            return plan.ending
        if plan.stall_at is not None and self._frames == plan.stall_at:
            return "stall"
        return "client_left"

    def _end(self, ending: str) -> None:
        if not self._ended:
            self._ended = True
            self._end_call(Outcome(ending, self._frames, self._bytes, self._elapsed_us()))

    def _elapsed_us(self) -> int:
        plan = self._plan
        planned_us = plan.end_us
        if self._coming is not None:
            planned_us = plan.frames[max(self._frames - 1, 0)].at_us
        if not self._us_s:
            return planned_us
        return max(planned_us, int((self._loop.time() - self._start_s) / self._us_s))


def _wake(woken: asyncio.Future[None]) -> None:
    if not woken.done():
        woken.set_result(None)
