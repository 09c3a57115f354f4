"""Ways of counting what is drawn from a budget: is there room at `now`, how long is the wait, what is left.

Each is five small functions over one immutable value (a cell of the state). All integers: a bucket keeps
U = used * window, which falls by the limit each microsecond, so that no rounding ever admits early or late.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onerouter_mock.core.scenario.records import Budget, Limit

NEVER = 1 << 62  # a "wait" that no time ends: a used-up quota, an attempt larger than the whole budget
BUSY = 0  # refused, and no wait is known: a place is free when somebody else's answer ends


@dataclass(frozen=True, slots=True)
class Way:
    """One way of counting. `start`: the value of a cell that is not there yet; `ask`: None when there is
    room, else the wait; `put`: after drawing; `fix`: after what was drawn turns out more or less; `read`:
    (used, remaining, reset)."""

    tag: str
    start: Callable[[Budget, int, int], Any]
    ask: Callable[[Any, Budget, int, int], int | None]
    put: Callable[[Any, Budget, int, int], Any]
    fix: Callable[[Any, Budget, int, int, int], Any]
    read: Callable[[Any, Budget, int], tuple[int, int, int | None]]


def _up_to_ms(us: int) -> int:
    return -(-us // 1000) * 1000


# --- bucket: (U, at_us) ---


def _start_bucket(budget: Budget, used: int, began_us: int) -> tuple[int, int]:
    return used * (budget.window_us or 1), began_us


def _level(value: tuple[int, int], budget: Budget, now_us: int) -> int:
    level, at_us = value
    return max(0, level - max(0, now_us - at_us) * budget.amount)


def _ask_bucket(value: tuple[int, int], budget: Budget, size: int, now_us: int) -> int | None:
    window_us = budget.window_us or 1
    if size > budget.amount:
        return NEVER
    over = _level(value, budget, now_us) + (size - budget.amount) * window_us
    return None if over <= 0 else _up_to_ms(-(-over // budget.amount))


def _put_bucket(value: tuple[int, int], budget: Budget, size: int, now_us: int) -> tuple[int, int]:
    return _level(value, budget, now_us) + size * (budget.window_us or 1), now_us


def _fix_bucket(
    value: tuple[int, int], budget: Budget, delta: int, at_us: int, now_us: int
) -> tuple[int, int]:
    return max(0, _level(value, budget, now_us) + delta * (budget.window_us or 1)), now_us


def _read_bucket(value: tuple[int, int], budget: Budget, now_us: int) -> tuple[int, int, int | None]:
    level, window_us = _level(value, budget, now_us), budget.window_us or 1
    remaining = max(0, budget.amount - -(-level // window_us))
    return budget.amount - remaining, remaining, -(-level // budget.amount) if budget.amount else None


# --- fixed window: (begins_us, used); the window begins at first use ---


def _start_fixed(budget: Budget, used: int, began_us: int) -> tuple[int, int]:
    return (began_us, used) if used else (began_us - (budget.window_us or 1), 0)


def _is_over(value: tuple[int, int], budget: Budget, now_us: int) -> bool:
    return now_us >= value[0] + (budget.window_us or 1)


def _ask_fixed(value: tuple[int, int], budget: Budget, size: int, now_us: int) -> int | None:
    if size > budget.amount:
        return NEVER
    if _is_over(value, budget, now_us) or value[1] + size <= budget.amount:
        return None
    return _up_to_ms(value[0] + (budget.window_us or 1) - now_us)


def _put_fixed(value: tuple[int, int], budget: Budget, size: int, now_us: int) -> tuple[int, int]:
    return (now_us, size) if _is_over(value, budget, now_us) else (value[0], value[1] + size)


def _fix_fixed(
    value: tuple[int, int], budget: Budget, delta: int, at_us: int, now_us: int
) -> tuple[int, int]:
    # A window that began after the draw knows nothing of it.
    return (value[0], max(0, value[1] + delta)) if at_us >= value[0] else value


def _read_fixed(value: tuple[int, int], budget: Budget, now_us: int) -> tuple[int, int, int | None]:
    if _is_over(value, budget, now_us):
        return 0, budget.amount, 0
    reset_us = value[0] + (budget.window_us or 1) - now_us if value[1] else 0
    return value[1], max(0, budget.amount - value[1]), reset_us


# --- sliding log: (base, ((at_us, total), ...)); totals run on from `base`, so that no sum is taken twice ---

_Log = tuple[int, tuple[tuple[int, int], ...]]


def _start_sliding(budget: Budget, used: int, began_us: int) -> _Log:
    return (0, ((began_us, used),)) if used else (0, ())


def _live(value: _Log, budget: Budget, now_us: int) -> tuple[int, int]:
    """Where the entries of the window begin, and the total before them."""
    base, log = value
    first = bisect_right(log, now_us - (budget.window_us or 1), key=lambda entry: entry[0])
    return first, (log[first - 1][1] if first else base)


def _ask_sliding(value: _Log, budget: Budget, size: int, now_us: int) -> int | None:
    if size > budget.amount:
        return NEVER
    first, base = _live(value, budget, now_us)
    log = value[1]
    over = (log[-1][1] if log else base) - base + size - budget.amount
    if over <= 0:
        return None
    # The first entry with whose end enough has left the window.
    leaving = bisect_right(log, base + over - 1, lo=first, key=lambda entry: entry[1])
    return _up_to_ms(log[leaving][0] + (budget.window_us or 1) - now_us)


def _put_sliding(value: _Log, budget: Budget, size: int, now_us: int) -> _Log:
    first, base = _live(value, budget, now_us)
    log = value[1][first:]
    total = (log[-1][1] if log else base) + size
    # One entry an instant: on a virtual clock many calls share one.
    return base, (*(log[:-1] if log and log[-1][0] == now_us else log), (now_us, total))


def _fix_sliding(value: _Log, budget: Budget, delta: int, at_us: int, now_us: int) -> _Log:
    base, log = value
    drawn = bisect_right(log, at_us, key=lambda entry: entry[0]) - 1
    if drawn < 0 or log[drawn][0] != at_us:
        return value  # it has left the window since
    return base, (*log[:drawn], *((us, total + delta) for us, total in log[drawn:]))


def _read_sliding(value: _Log, budget: Budget, now_us: int) -> tuple[int, int, int | None]:
    first, base = _live(value, budget, now_us)
    log = value[1][first:]
    used = log[-1][1] - base if log else 0
    # The last entry that holds something: what was given back leaves an empty one.
    last = bisect_left(log, log[-1][1], key=lambda entry: entry[1]) if used else 0
    reset_us = log[last][0] + (budget.window_us or 1) - now_us if used else 0
    return used, max(0, budget.amount - used), reset_us


# --- quota (amount used, for ever) and concurrency (places taken): a number ---


def _start_quota(budget: Budget, used: int, began_us: int) -> int:
    return used if budget.unit == "requests" else 0


def _ask_quota(value: int, budget: Budget, size: int, now_us: int) -> int | None:
    if budget.unit == "usd":  # what an answer costs is known when it is there: the last one may overshoot
        return None if value < budget.amount else NEVER
    return None if value + size <= budget.amount else NEVER


def _ask_places(value: int, budget: Budget, size: int, now_us: int) -> int | None:
    return None if value + size <= budget.amount else BUSY


def _put_number(value: int, budget: Budget, size: int, now_us: int) -> int:
    return value + size


def _fix_number(value: int, budget: Budget, delta: int, at_us: int, now_us: int) -> int:
    return max(0, value + delta)


def _read_number(value: int, budget: Budget, now_us: int) -> tuple[int, int, int | None]:
    return value, max(0, budget.amount - value), None


_WAYS = {
    "bucket": Way("bucket", _start_bucket, _ask_bucket, _put_bucket, _fix_bucket, _read_bucket),
    "fixed": Way("fixed", _start_fixed, _ask_fixed, _put_fixed, _fix_fixed, _read_fixed),
    "sliding": Way("sliding", _start_sliding, _ask_sliding, _put_sliding, _fix_sliding, _read_sliding),
    "quota": Way("quota", _start_quota, _ask_quota, _put_number, _fix_number, _read_number),
    "concurrency": Way("held", lambda *_: 0, _ask_places, _put_number, _fix_number, _read_number),
}


_BY_TAG = {way.tag: way for way in _WAYS.values()}
TAGS = frozenset(_BY_TAG)


def way_of(limit: Limit, budget: Budget) -> Way:
    """How this budget of the limit is counted."""
    return _WAYS[limit.algorithm if budget.kind == "rate" else budget.kind]


def is_full_again(tag: str, value: Any, budget: Budget, now_us: int) -> bool:
    """Whether a budget's cell says no more than an absent one would: dropping it changes nothing."""
    used, _, reset_us = _BY_TAG[tag].read(value, budget, now_us)
    if budget.kind == "rate":
        return used == 0 and reset_us in (0, None)
    return budget.kind == "concurrency" and used == 0
