"""Who may begin now, and when its time begins: calls take turns while streams keep time.

What may live here: rounds of the loop and waiting for a turn; nothing of what is done in it.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial

_BEGIN_AT_A_TIME = 8


class Turns:
    """Lets calls begin a few at a time while streams keep time: hundreds at once would make their chunks
    late. `paced` counts the plans that wait for an instant.
    """

    __slots__ = ("_begun", "_round_s", "_waiting", "paced")

    def __init__(self) -> None:
        self.paced = 0
        self._begun = 0
        self._round_s: float | None = None
        self._waiting: deque[Callable[[], object]] = deque()

    def round_s(self) -> float:
        """When the loop's present round began, as far as requests go, on the loop's clock.

        Hundreds that come at once were all there by then: those that are read last must not begin their time later.
        """
        if self._round_s is None:
            loop = asyncio.get_running_loop()
            self._round_s = loop.time()
            loop.call_soon(self._next_round)
        return self._round_s

    def take(self, begin: Callable[[], object]) -> None:
        """Calls `begin`, which raises nothing: at once, unless streams keep time and several have just begun."""
        if self.paced or self._waiting:
            self.round_s()
            if self._begun >= _BEGIN_AT_A_TIME or self._waiting:
                self._waiting.append(begin)
                return
            self._begun += 1
        begin()

    async def wait(self) -> None:
        """Returns when a call may begin."""
        if not self.paced and not self._waiting:
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.take(partial(_begin, turn))
        await turn

    def _next_round(self) -> None:
        # Between two rounds the loop looks at its timers.
        self._begun, self._round_s = 0, None
        if self._waiting:
            self.round_s()
        while self._waiting and self._begun < _BEGIN_AT_A_TIME:
            self._begun += 1
            self._waiting.popleft()()


def _begin(turn: asyncio.Future[None]) -> None:
    if not turn.done():  # it is when the client has left meanwhile
        turn.set_result(None)
