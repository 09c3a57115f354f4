"""Who may begin now: calls take turns while streams keep time.

What may live here: waiting for a turn; nothing of what is done in it.

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

    __slots__ = ("_begun", "_in_round", "_waiting", "paced")

    def __init__(self) -> None:
        self.paced = 0
        self._begun = 0
        self._in_round = False
        self._waiting: deque[Callable[[], object]] = deque()

    def take(self, begin: Callable[[], object]) -> None:
        """Calls `begin`, which raises nothing: at once, unless streams keep time and several have just begun."""
        if self.paced or self._waiting:
            if not self._in_round:
                self._in_round = True
                asyncio.get_running_loop().call_soon(self._next_round)
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
        self._begun = 0
        while self._waiting and self._begun < _BEGIN_AT_A_TIME:
            self._begun += 1
            self._waiting.popleft()()
        self._in_round = self._begun > 0
        if self._in_round:
            asyncio.get_running_loop().call_soon(self._next_round)


def _begin(turn: asyncio.Future[None]) -> None:
    if not turn.done():  # it is when the client has left meanwhile
        turn.set_result(None)
