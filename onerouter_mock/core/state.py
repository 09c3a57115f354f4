"""What a session remembers, in cells: budgets, rule counters, cooldowns, money. Reading it, reading it
through pending changes, showing it, and forgetting what says nothing any more. Nobody changes a value;
cells get new ones.

Cells are tuples that begin with what they are:

    (way, limit ident, budget index, *per values)   a budget's value, see counting.py; way: bucket fixed
    sliding quota held
    ("rule", rule ident, *per values)               (attempts counted, times it acted)
    ("cooldown", lane, provider, key ident)         (instants of the last failures, cooling until, void from)
    ("spent", account), ("byok_spent", account)     nano-dollars
    ("label", key ident)                            how a key is shown to people
    ("budget", limit ident, budget index)           the budget itself, for `sweep`

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from onerouter_mock.core.counting import TAGS, is_full_again, way_of

if TYPE_CHECKING:
    from onerouter_mock.core.records import Byok
    from onerouter_mock.core.scenario.records import Account, Budget, Limit, Rule, Scenario

Cell = tuple[Any, ...]
_ABSENT = object()
_SWEEP_ABOVE = 20_000


@dataclass(slots=True)
class State:
    """A session's memory under one scenario. `began_us`: when that came into force, from which `after`, `until`,
    `expires` and `used` count; `zero_us`: when the session began, from which shown times count.

    `sweep_above`: how many cells there may be before `sweep` looks at them.
    """

    session: str
    began_us: int
    zero_us: int
    cells: dict[Cell, Any] = field(default_factory=dict)
    sweep_above: int = _SWEEP_ABOVE


class Pending:
    """Cells as they would be with the changes made so far: what a later attempt of the same call must see."""

    __slots__ = ("_cells", "changes")

    def __init__(self, state: State, changes: dict[Cell, Any] | None = None) -> None:
        self._cells = state.cells
        self.changes: dict[Cell, Any] = {} if changes is None else changes

    def get(self, cell: Cell, default: Any = None) -> Any:
        """The cell's value, or `default` when nothing was ever put there."""
        value = self.changes.get(cell, _ABSENT)
        return self._cells.get(cell, default) if value is _ABSENT else value

    def set(self, cell: Cell, value: Any) -> None:
        """Puts a value there, for those who read through this."""
        self.changes[cell] = value


def new_state(scenario: Scenario, session: str, now_us: int, zero_us: int | None = None) -> State:
    """The state of a scenario that comes into force now, in a session that began at `zero_us` (default: now):
    nothing drawn but what `used` says, which absent cells stand for."""
    return State(session, now_us, now_us if zero_us is None else zero_us)


def label_key(pending: Pending, byok: Byok) -> None:
    """Remembers how people are shown a key that has a cell of its own."""
    cell = ("label", byok.ident)
    if pending.get(cell, _ABSENT) is _ABSENT:
        pending.set(cell, byok.key or (f"…{byok.last4}" if byok.last4 else None))


def sweep(state: State, now_us: int) -> int:
    """Forgets budgets that are full again, once there are many cells; returns how many it forgot.

    Callers choose keys and model ids, so cells would grow without end. Only what says no more than its
    absence is
    dropped: no decision changes. Changes the state: for the emulator alone, which owns it.
    """
    cells = state.cells
    if len(cells) <= state.sweep_above:
        return 0
    before = len(cells)
    for cell in [cell for cell in cells if cell[0] in TAGS]:
        budget = cells.get(("budget", cell[1], cell[2]))
        if budget is not None and is_full_again(cell[0], cells[cell], budget, now_us):
            del cells[cell]
    for cell in [cell for cell in cells if cell[0] == "cooldown" and cells[cell][2] <= now_us]:
        del cells[cell]
    named = {value for cell in cells if cell[0] in TAGS or cell[0] == "cooldown" for value in cell[1:]}
    for cell in [cell for cell in cells if cell[0] == "label" and cell[1] not in named]:
        del cells[cell]
    # What is left may be there to stay: look again only when there is twice as much.
    state.sweep_above = max(_SWEEP_ABOVE, 2 * len(cells))
    return before - len(cells)


def describe(scenario: Scenario, state: State, now_us: int) -> dict[str, Any]:
    """The state as people and tests read it.

    Shape: `limits`, `rules`, `cooldowns`, `accounts`, as decisions.md has them; a budget nobody drew on has
    `per` {}.
    Units: seconds since the session began; USD.
    """
    cells: dict[tuple[Any, ...], list[tuple[Cell, Any]]] = {}
    for cell, value in state.cells.items():
        cells.setdefault(cell[:3] if cell[0] in TAGS else cell[:2], []).append((cell, value))
    limits = [
        row
        for limit in scenario.limits
        for index, budget in enumerate(limit.budgets)
        for row in _limit_rows(state, limit, index, budget, cells, now_us)
    ]
    return {
        "limits": limits,
        "rules": [
            _rule_row(rule, [value for _, value in cells.get(("rule", rule.ident), [])])
            for rule in scenario.rules
        ],
        "cooldowns": [
            {
                "lane": cell[1],
                "provider": cell[2],
                "key": _label(state, cell[3]),
                "until_s": seconds(value[1] - state.zero_us),
            }
            for cell, value in state.cells.items()
            if cell[0] == "cooldown" and value[1] > now_us
        ],
        "accounts": [_account_row(state, account) for account in scenario.accounts],
    }


def seconds(us: int) -> float | int:
    """Microseconds as seconds, a whole number where it is one."""
    return us // 1_000_000 if us % 1_000_000 == 0 else us / 1_000_000


def _label(state: State, ident: str) -> str | None:
    label: str | None = state.cells.get(("label", ident))
    return label


def _limit_rows(
    state: State,
    limit: Limit,
    index: int,
    budget: Budget,
    cells: dict[tuple[Any, ...], list[tuple[Cell, Any]]],
    now_us: int,
) -> list[dict[str, Any]]:
    way = way_of(limit, budget)
    rows = []
    for cell, value in cells.get((way.tag, limit.ident, index), []):
        per = dict(zip(limit.per, cell[3:], strict=True))
        if "key" in per and ("label", per["key"]) in state.cells:
            per["key"] = _label(state, per["key"])
        rows.append(_limit_row(limit, budget, per, way.read(value, budget, now_us)))
    return rows or [
        _limit_row(limit, budget, {}, way.read(way.start(budget, limit.used, state.began_us), budget, now_us))
    ]


def _limit_row(
    limit: Limit, budget: Budget, per: dict[str, Any], reading: tuple[int, int, int | None]
) -> dict[str, Any]:
    used, remaining, reset_us = reading
    money = budget.unit == "usd"
    return {
        "name": limit.name,
        "per": per,
        "budget": budget.text,
        "used": used / 1e9 if money else used,
        "remaining": remaining / 1e9 if money else remaining,
        "full_in_s": None if reset_us is None else seconds(reset_us),
    }


def _rule_row(rule: Rule, counts: list[tuple[int, int]]) -> dict[str, Any]:
    acted = sum(acted for _, acted in counts)
    ends = [n for n in (rule.times, len(rule.steps) if rule.then == "pass" else None) if n is not None]
    # Counted apart there is no one number left, but before the first attempt.
    left = None if not ends or (rule.per and len(counts) > 1) else max(0, min(ends) - acted)
    return {"name": rule.name, "matched": sum(matched for matched, _ in counts), "acted": acted, "left": left}


def _account_row(state: State, account: Account) -> dict[str, Any]:
    spent: int = state.cells.get(("spent", account.name), 0)
    return {
        "name": account.name,
        "credits": (account.credits_nano - spent) / 1e9,
        "spent": spent / 1e9,
        "byok_spent": state.cells.get(("byok_spent", account.name), 0) / 1e9,
    }
