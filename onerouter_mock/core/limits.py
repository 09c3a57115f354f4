"""Budgets: an attempt draws from all that match or from none; what it was told to wait; what answers say is
left.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from onerouter_mock.core.catalogue.records import Reading, Spent
from onerouter_mock.core.counting import BUSY, NEVER, Way, way_of

if TYPE_CHECKING:
    from onerouter_mock.core.scenario.records import Budget, Limit
    from onerouter_mock.core.state import Pending


@dataclass(slots=True)
class Draw:
    """What an admitted attempt drew from one budget, so that it can be set right. Units: `size` as the
    budget's."""

    cell: tuple[Any, ...]
    way: Way
    budget: Budget
    size: int
    at_us: int


@dataclass(slots=True)
class Refused:
    """The budget that refused. `wait_us` None: it never opens again, or nobody can say when."""

    limit: Limit
    budget: Budget
    wait_us: int | None
    spent: Spent


def _cells(limit: Limit, facts: Mapping[str, str]) -> list[tuple[tuple[Any, ...], Way, Budget]]:
    """The cells that an attempt with these facts draws on, budget by budget."""
    values = tuple([facts[word] for word in limit.per])
    found = []
    for index, budget in enumerate(limit.budgets):
        way = way_of(limit, budget)
        found.append(((way.tag, limit.ident, index, *values), way, budget))
    return found


def admit(
    pending: Pending,
    limits: Sequence[Limit],
    facts: Mapping[str, str],
    tokens: int,
    began_us: int,
    now_us: int,
) -> list[Draw] | Refused:
    """Draws an attempt of `tokens` from every budget when all have room; else nothing, and who makes it
    wait longest.

    Shape: `limits` are those that match, `facts` the attempt's key, account, provider, model, lane;
    `pending` gets what was drawn.
    """
    admitted: list[tuple[Draw, Any]] = []
    worst: tuple[int, Limit, Draw, Any] | None = None
    for limit in limits:
        for cell, way, budget in _cells(limit, facts):
            value = pending.get(cell)
            if value is None:
                value = way.start(budget, limit.used, began_us)
                pending.set(("budget", limit.ident, cell[2]), budget)  # for who sweeps, and knows no scenario
            size = tokens if budget.unit == "tokens" else 0 if budget.unit == "usd" else 1
            wait_us = way.ask(value, budget, size, now_us)
            draw = Draw(cell, way, budget, size, now_us)
            if wait_us is None:
                admitted.append((draw, value))
            elif worst is None or wait_us > worst[0]:
                worst = (wait_us, limit, draw, value)
    if worst is not None:
        return _refused(*worst)
    for draw, value in admitted:
        pending.set(draw.cell, draw.way.put(value, draw.budget, draw.size, now_us))
    return [draw for draw, _ in admitted]


def _refused(wait_us: int, limit: Limit, draw: Draw, value: Any) -> Refused:
    budget = draw.budget
    spent = Spent(
        unit=budget.unit,
        limit=budget.amount,
        used=draw.way.read(value, budget, draw.at_us)[0],
        requested=draw.size,
        window_us=budget.window_us,
        quota=budget.kind == "quota",
        too_large=budget.unit == "tokens" and draw.size > budget.amount,
    )
    return Refused(limit, budget, None if wait_us in (NEVER, BUSY) else wait_us, spent)


def set_right(pending: Pending, draw: Draw, delta: int, now_us: int) -> None:
    """Corrects what was drawn by `delta` (below 0: gives back), as of `now_us`."""
    value = pending.get(draw.cell)
    if delta and value is not None:
        pending.set(draw.cell, draw.way.fix(value, draw.budget, delta, draw.at_us, now_us))


def read(
    pending: Pending, limits: Sequence[Limit], facts: Mapping[str, str], began_us: int, now_us: int
) -> list[Reading]:
    """What the rate-limit headers tell: for requests and tokens apart, the budget with the smallest
    remaining share."""
    smallest: dict[str, tuple[float, Reading]] = {}
    for limit in limits:
        if not limit.headers:
            continue
        for cell, way, budget in _cells(limit, facts):
            if budget.kind == "concurrency" or budget.unit == "usd":
                continue
            value = pending.get(cell)
            if value is None:
                value = way.start(budget, limit.used, began_us)
            _, remaining, reset_us = way.read(value, budget, now_us)
            share = remaining / budget.amount if budget.amount else 0.0
            if budget.unit not in smallest or share < smallest[budget.unit][0]:
                reading = Reading(budget.unit, budget.amount, remaining, reset_us, budget.window_us)
                smallest[budget.unit] = (share, reading)
    return [smallest[unit][1] for unit in ("requests", "tokens") if unit in smallest]
