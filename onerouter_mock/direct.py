"""A call whose request came whole, answered where its bytes arrive: without a task, while nothing is in the way.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Protocol

from onerouter_mock.core.plan import Outcome
from onerouter_mock.play import play_at_once
from onerouter_mock.play.performance import Performance
from onerouter_mock.sessions import SessionError

if TYPE_CHECKING:
    from onerouter_mock.core.wire.request import Asked
    from onerouter_mock.emulator import Begun, Emulator
    from onerouter_mock.play.turns import Turns


class Line(Protocol):
    """The connection of such a call: `direct` is the call that it waits for, `received_s` when its bytes came."""

    direct: Direct | None
    received_s: float
    transport: asyncio.Transport | None

    def answered(self) -> None:
        """The answer is all out."""

    def hand_over(self) -> None:
        """A task has to go on."""


class Direct:
    """One such call: waits for its turn, begins, is played. `connection` is told when all is out, or when it has to
    hand the request over to aiohttp, whose task then goes on with `take_over`."""

    __slots__ = (
        "_arrived_s", "_asked", "_begun", "_connection", "_emulator", "_error", "_path", "_performance", "_turns",
    )  # fmt: skip

    def __init__(self, emulator: Emulator, turns: Turns, connection: Line, asked: Asked, path: str) -> None:
        self._emulator, self._turns, self._connection = emulator, turns, connection
        self._asked, self._path = asked, path
        self._arrived_s = connection.received_s
        self._begun: Begun | None = None
        self._performance: Performance | None = None
        self._error: Exception | None = None

    def start(self) -> None:
        """Begins the call when it is its turn; may be over when this returns."""
        self._turns.take(self._begin)

    def _begin(self) -> None:
        connection, emulator = self._connection, self._emulator
        if connection.direct is not self:
            return  # the client has left while this waited for its turn, or a task goes on
        transport = connection.transport
        try:
            begun = self._begun = emulator.begin(self._asked, self._path)
            end = partial(emulator.end, begun)
            if transport is not None and play_at_once(
                begun.plan, transport, begun.clock, end, self._arrived_s
            ):
                connection.answered()
                return
            note = partial(emulator.note, begun)
            self._performance = performance = Performance(
                begun.plan, transport, begun.clock, end, note, self._arrived_s, self._turns
            )
            if performance.run_alone(self._stop):
                return
        except Exception as error:
            self._error = error
            if self._begun is not None:
                emulator.end(self._begun, Outcome("cut", 0, 0, 0))
        connection.hand_over()

    def _stop(self, is_out: bool) -> None:
        connection = self._connection
        if connection.direct is not self:
            return  # a task is about to go on
        if is_out:
            connection.answered()
        else:
            connection.hand_over()

    def leave(self) -> None:
        """The client has left, and no task has taken over."""
        if self._performance is not None:
            self._performance.leave()
        elif self._begun is None and self._error is None:
            note_left(self._emulator, self._asked, self._path)
        self._error = None

    async def take_over(self) -> tuple[Begun, Performance | None, float]:
        """What a task has to play, begun now if it was not, and when it arrived. Errors: of `Emulator.begin`."""
        if self._error is not None:
            raise self._error
        if self._begun is None:
            self._begun = await begin_in_turn(self._emulator, self._turns, self._asked, self._path)
        return self._begun, self._performance, self._arrived_s


async def begin_in_turn(emulator: Emulator, turns: Turns, asked: Asked, path: str) -> Begun:
    """Begins a call when it is its turn. Errors: those of `Emulator.begin`; CancelledError, when the client leaves."""
    try:
        await turns.wait()
    except asyncio.CancelledError:
        note_left(emulator, asked, path)
        raise
    return emulator.begin(asked, path)


def note_left(emulator: Emulator, asked: Asked, path: str) -> None:
    """Begins and ends a call whose client has left before its turn: it has called, however busy we were."""
    with suppress(SessionError):  # nobody is left to be told
        emulator.end(emulator.begin(asked, path), Outcome("client_left", 0, 0, 0))
