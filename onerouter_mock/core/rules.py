"""Which rule acts on an attempt: gates, counting, and for each aspect the first rule that has it.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from onerouter_mock.core.dice import draw
from onerouter_mock.core.timeline import draw_delay_us

if TYPE_CHECKING:
    from onerouter_mock.core.scenario.records import Aspects, Break, ErrorSpec, Pace, Reply, Rule
    from onerouter_mock.core.state import Pending


@dataclass(slots=True)
class Verdict:
    """What rules decided about an attempt; `rule` is the one that failed it, `pace_dice` where the pace's dice fall.
    Units: `delay_us` None: no rule said one."""

    delay_us: int | None = None
    pace: Pace | None = None
    pace_dice: tuple[object, ...] = ()
    break_: Break | None = None
    break_rule: Rule | None = None
    reply: Reply | None = None
    error: ErrorSpec | None = None
    connection: str | None = None
    rule: Rule | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """Where the dice fall: for which seed and session, since when the session runs, and when it is now."""

    seed: int
    session: str
    began_us: int
    now_us: int


def judge(
    table: Table,
    pending: Pending,
    rules: Sequence[Rule],
    facts: Mapping[str, str],
    *,
    stream: bool,
    reached: bool = True,
) -> Verdict:
    """Walks the rules that match an attempt, in order, and counts them all.

    Shape: `facts` are the attempt's key, account, provider, model, lane; `reached` False: a limit or a test
    key got there first, so that rules only count. `pending` gets the counters.
    """
    verdict = Verdict()
    elapsed_us = table.now_us - table.began_us
    for rule in rules:
        if rule.after_us is not None and elapsed_us < rule.after_us:
            continue
        if rule.until_us is not None and elapsed_us >= rule.until_us:
            continue
        values = tuple([facts[word] for word in rule.per]) if rule.per else ()
        cell = ("rule", rule.ident, *values)
        matched, acted = pending.get(cell, (0, 0))
        matched += 1
        if reached and verdict.rule is None and _is_open(table, rule, values, matched, acted):
            aspects = _step(rule, acted)
            if aspects is not None and _take(verdict, aspects, rule, (table, values, matched), stream):
                acted += 1
        pending.set(cell, (matched, acted))
    return verdict


def _is_open(table: Table, rule: Rule, values: tuple[str, ...], matched: int, acted: int) -> bool:
    if rule.times is not None and acted >= rule.times:
        return False
    beyond = matched - rule.skip
    if beyond <= 0 or beyond % rule.every:
        return False
    return rule.chance is None or draw(table.seed, table.session, rule.ident, *values, matched) < rule.chance


def _step(rule: Rule, acted: int) -> Aspects | None:
    """The aspects of the next act, None when the steps are used up."""
    steps = rule.steps
    if acted < len(steps):
        return steps[acted]
    if rule.then == "pass" or not steps:
        return None
    return steps[-1] if rule.then == "last" else steps[acted % len(steps)]


def _take(
    verdict: Verdict, aspects: Aspects, rule: Rule, dice: tuple[Table, tuple[str, ...], int], stream: bool
) -> bool:
    """Lets the rule decide what is not decided yet; whether it decided anything."""
    acts = aspects.ok
    table, values, n = dice
    if aspects.delay is not None and verdict.delay_us is None:
        verdict.delay_us = draw_delay_us(
            aspects.delay, table.seed, table.session, rule.ident, *values, n, "delay"
        )
        acts = True
    # An answer that is not streamed has no pace, and no place to break: the rule waits for one that has.
    if stream and aspects.stream is not None and verdict.pace is None:
        verdict.pace, acts = aspects.stream, True
        verdict.pace_dice = (rule.ident, *values, n)
    if stream and aspects.break_ is not None and verdict.break_ is None:
        verdict.break_, verdict.break_rule, acts = aspects.break_, rule, True
    if aspects.reply is not None and verdict.reply is None:
        verdict.reply, acts = aspects.reply, True
    if aspects.error is not None or aspects.connection is not None:
        verdict.error, verdict.connection, verdict.rule, acts = aspects.error, aspects.connection, rule, True
    return acts


def count_only(table: Table, pending: Pending, rules: Sequence[Rule], facts: Mapping[str, Any]) -> None:
    """Counts an attempt that was refused before any rule was asked."""
    if rules:
        judge(table, pending, rules, facts, stream=False, reached=False)
