"""Performs a Plan on a connection: the only room that waits, writes a body or breaks a connection.

What is here plays a plan that is one piece, due now; any other is a `performance`. Bytes go straight to the transport,
head and body in one write (a `web.Response` costs a fifth of the speed, a `StreamResponse` a third); aiohttp only
learns whether the connection stays.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from onerouter_mock.core.plan import Outcome, Plan
from onerouter_mock.play.performance import Performance
from onerouter_mock.play.turns import Turns

if TYPE_CHECKING:
    from aiohttp import web

    from onerouter_mock.clock import Clock


class Played:
    """What aiohttp's low-level server gets as a response: all is written; does the connection stay?"""

    __slots__ = ("keep_alive",)

    def __init__(self, keep_alive: bool) -> None:
        self.keep_alive = keep_alive

    async def prepare(self, request: web.BaseRequest) -> None:
        """Nothing is left to prepare."""

    async def write_eof(self) -> None:
        """Nothing is left to write."""


KEPT, CLOSED = Played(True), Played(False)


def play_at_once(
    plan: Plan,
    transport: asyncio.Transport,
    clock: Clock,
    end: Callable[[Outcome], Any],
    start_s: float | None = None,
) -> bool:
    """Plays a plan that is one piece, due now, on a connection that stays; False for any other, nothing done."""
    if plan.close != "keep" or clock.real_delay_s(plan.end_us) or len(plan.frames) != 1:
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
    """Plays a plan as the answer to a request. Arguments and errors: those of `Performance` and its `run`."""
    transport = request.transport
    if transport is not None and play_at_once(plan, transport, clock, end, start_s):
        if transport.get_write_buffer_size():
            with suppress(ConnectionError):  # it left without reading; the call has ended already
                await request.writer.drain()
        return KEPT if request.keep_alive else CLOSED
    keeps = await Performance(plan, transport, clock, end, note, start_s, turns).run(request)
    return KEPT if keeps else CLOSED
