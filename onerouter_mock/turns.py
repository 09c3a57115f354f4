"""Who may begin now: calls take turns while streams keep time.

What may live here: waiting for a turn; nothing of what is done in it.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import asyncio
from collections import deque

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
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def are_free(self) -> bool:
        """Whether a call may begin at once without asking."""
        return not self.paced and not self._waiting

    async def take(self) -> None:
        """Returns when a call may begin: at once, unless streams keep time and several have just begun."""
        if self.are_free:
            return
        if not self._in_round:
            self._in_round = True
            asyncio.get_running_loop().call_soon(self._next_round)
        if self._begun < _BEGIN_AT_A_TIME and not self._waiting:
            self._begun += 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        await turn

    def _next_round(self) -> None:
        # Between two rounds the loop looks at its timers.
        self._begun = 0
        while self._waiting and self._begun < _BEGIN_AT_A_TIME:
            turn = self._waiting.popleft()
            if not turn.done():  # it is when the client has left meanwhile
                turn.set_result(None)
                self._begun += 1
        self._in_round = self._begun > 0
        if self._in_round:
            asyncio.get_running_loop().call_soon(self._next_round)
