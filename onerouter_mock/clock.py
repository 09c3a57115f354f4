"""A session's clock, real or virtual, and the event loop's: the only place of the engine that reads the time.

Test suites freeze time (freezegun replaces `time`'s functions, also in modules that imported them; it can't
reach default arguments), and a frozen server would never wake from a sleep. So the real functions stand in
default arguments here.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import asyncio

Mode = Literal["real", "virtual"]
VIRTUAL_START_US = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z


def _true(name: str) -> Callable[[], Any]:
    # freezegun may be at work while this module is first imported: then it knows the real function.
    frozen = sys.modules.get("freezegun.api")
    function: Callable[[], Any] = getattr(frozen, f"real_{name}", None) or getattr(time, name)
    return function


def true_monotonic_ns(read: Callable[[], int] = _true("monotonic_ns")) -> int:  # noqa: B008 (the point of it)
    """Nanoseconds that really go by, whatever the test process does to `time`."""
    return read()


def true_time_ns(read: Callable[[], int] = _true("time_ns")) -> int:  # noqa: B008 (the point of it)
    """Nanoseconds since the Unix epoch, as the machine has them."""
    return read()


class Clock:
    """One session's time: a virtual clock stands still but for `advance`, a real one runs at `speed`.

    Units: `now_us` is microseconds since the Unix epoch.
    """

    __slots__ = ("_at_us", "_begun_ns", "mode", "speed")

    def __init__(self, mode: Mode = "real", speed: float = 1.0, start_us: int | None = None) -> None:
        if start_us is None:
            start_us = VIRTUAL_START_US if mode == "virtual" else true_time_ns() // 1000
        self.mode: Mode = mode
        self.speed = speed
        self._at_us = start_us  # at `_begun_ns`, with all that was advanced since
        self._begun_ns = true_monotonic_ns()

    def now_us(self) -> int:
        """The session's time. Units: microseconds since the Unix epoch."""
        if self.mode == "virtual":
            return self._at_us
        elapsed_us = (true_monotonic_ns() - self._begun_ns) // 1000
        return self._at_us + (elapsed_us if self.speed == 1 else int(elapsed_us * self.speed))

    def advance(self, us: int) -> None:
        """Moves the clock forward; whoever sleeps is not woken. Errors: ValueError when `us` is below 0."""
        if us < 0:
            raise ValueError(
                f"advance: {us / 1e6:g}s is in the past; would be right: a duration that is not negative"
            )
        self._at_us += us

    def real_delay_s(self, us: int) -> float:
        """How long a wait of `us` on this clock really takes, in seconds: nothing on a virtual one."""
        return 0.0 if self.mode == "virtual" else us / 1e6 / self.speed


def make_loop() -> asyncio.AbstractEventLoop:
    """An event loop whose timers go by real time, also where the process has frozen `time`."""
    import asyncio

    class RealTimeLoop(asyncio.SelectorEventLoop):
        def time(self, read: Callable[[], float] = _true("monotonic")) -> float:  # noqa: B008 (the point of it)
            return read()

    return RealTimeLoop()
