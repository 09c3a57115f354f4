"""Properties that are kept for ever, against models that share nothing with the code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import pytest
from builders import BEGAN_US, World, byok, call, routing, scenario, state, world
from hypothesis import given, settings
from hypothesis import strategies as st

from onerouter_mock.core.catalogue import built_in
from onerouter_mock.core.decide import decide
from onerouter_mock.core.records import KINDS
from onerouter_mock.core.state import describe

WINDOW_US = 10_000_000
KEY = byok(fallback=False)
OWN = {"lane": "byok"}
quick = settings(deadline=None, max_examples=60)


# Limiters, each modelled in the plainest way


@dataclass
class Bucket:
    limit: int
    level: Fraction = Fraction(0)
    at_us: int = 0

    def admits(self, now_us: int, size: int) -> bool:
        self.level = max(Fraction(0), self.level - Fraction(self.limit * (now_us - self.at_us), WINDOW_US))
        self.at_us = now_us
        if self.level + size > self.limit:
            return False
        self.level += size
        return True


@dataclass
class Fixed:
    limit: int
    begins_us: int | None = None
    used: int = 0

    def admits(self, now_us: int, size: int) -> bool:
        over = self.begins_us is None or now_us - self.begins_us >= WINDOW_US
        used = 0 if over else self.used
        if used + size > self.limit:
            return False
        if over:
            self.begins_us = now_us
        self.used = used + size
        return True


@dataclass
class Sliding:
    limit: int
    log: list[tuple[int, int]] = field(default_factory=list)

    def admits(self, now_us: int, size: int) -> bool:
        if sum(one for us, one in self.log if now_us - us < WINDOW_US) + size > self.limit:
            return False
        self.log.append((now_us, size))
        return True


@dataclass
class Quota:
    limit: int
    used: int = 0

    def admits(self, now_us: int, size: int) -> bool:
        if self.used + size > self.limit:
            return False
        self.used += size
        return True


MODELS: dict[str, Callable[[int], Any]] = {
    "bucket": Bucket,
    "fixed": Fixed,
    "sliding": Sliding,
    "quota": Quota,
}


def limited(way: str, unit: str, limit: int) -> World:
    if way == "quota":
        return world(limits=[{"name": "l", "when": OWN, "quota": f"{limit} {unit}"}])
    return world(limits=[{"name": "l", "when": OWN, "algorithm": way, unit: f"{limit}/10s"}])


# Gaps that meet the edges of windows and of single refills, and some that don't.
gaps = st.one_of(
    st.sampled_from(
        [0, 1, 999, 1000, 1_000_000, 3_333_333, 3_333_334, WINDOW_US - 1, WINDOW_US, WINDOW_US + 1]
    ),
    st.integers(0, 2 * WINDOW_US),
)
steps = st.lists(st.tuples(gaps, st.integers(1, 12)), min_size=1, max_size=25)


@pytest.mark.parametrize("way", MODELS)
@pytest.mark.parametrize("unit", ["requests", "tokens"])
@quick
@given(steps=steps, limit=st.integers(1, 12))
def test_a_limiter_admits_what_its_model_admits(way: str, unit: str, steps: Any, limit: int) -> None:
    there, model = limited(way, unit, limit), MODELS[way](limit)
    for gap_us, size in steps:
        there.now_us += gap_us
        size = size if unit == "tokens" else 1
        decision = there.ask(KEY, prompt_tokens=size, max_tokens=0)
        assert (decision.served is not None) is model.admits(there.now_us - BEGAN_US, size)


@pytest.mark.parametrize("way", ["bucket", "fixed", "sliding"])
@pytest.mark.parametrize("unit", ["requests", "tokens"])
@quick
@given(steps=steps, limit=st.integers(1, 12))
def test_after_the_named_wait_it_is_admitted_and_a_millisecond_earlier_not(
    way: str, unit: str, steps: Any, limit: int
) -> None:
    there = limited(way, unit, limit)
    for gap_us, size in steps:
        there.now_us += gap_us
        size = size if unit == "tokens" else 1
        asked = call(own=KEY, prompt_tokens=size, max_tokens=0)
        decision = decide(there.scenario, there.state, asked, there.now_us)
        if decision.served is not None:
            there.state.cells.update(decision.changes)
            continue
        if size > limit:
            assert decision.wait_us is None
            continue
        wait_us = decision.wait_us
        assert wait_us is not None
        assert wait_us % 1000 == 0
        assert wait_us > 0
        early, then = there.now_us + wait_us - 1000, there.now_us + wait_us
        assert decide(there.scenario, there.state, asked, early).served is None
        assert decide(there.scenario, there.state, asked, then).served is not None


@quick
@given(limit=st.integers(1, 4), moves=st.lists(st.integers(0, 5), max_size=30))
def test_no_more_places_are_taken_than_there_are(limit: int, moves: list[int]) -> None:
    there = world(limits=[{"name": "l", "when": OWN, "concurrency": limit}])
    flying: list[Any] = []
    for move in moves:
        if move and flying:
            there.end(flying.pop(move % len(flying)))
        else:
            decision = there.ask(KEY)
            assert (decision.served is not None) is (len(flying) < limit)
            flying += [decision] if decision.served is not None else []


@pytest.mark.parametrize("way", MODELS)
@quick
@given(moves=st.lists(st.tuples(gaps, st.integers(1, 300), st.integers(0, 80), st.booleans()), max_size=20))
def test_corrected_budgets_never_leave_their_bounds(way: str, moves: Any) -> None:
    there, flying = limited(way, "tokens", 500), []
    for gap_us, size, told, ends in moves:
        there.now_us += gap_us
        flying.append(there.ask(KEY, prompt_tokens=size, max_tokens=80))
        if ends:
            there.end(flying.pop(0), told)
        [row] = describe(there.scenario, there.state, there.now_us)["limits"]
        assert 0 <= row["remaining"] <= 500
        assert row["used"] >= 0
        assert row["full_in_s"] is None or row["full_in_s"] >= 0


@quick
@given(moves=st.lists(st.tuples(gaps, st.booleans()), max_size=25))
def test_one_keys_calls_never_touch_anothers(moves: Any) -> None:
    both, alone = limited("bucket", "requests", 3), limited("bucket", "requests", 3)
    other = byok(secret="sk-another-key-9876", fallback=False)
    for gap_us, is_other in moves:
        both.now_us += gap_us
        alone.now_us += gap_us
        if is_other:
            both.ask(other)
        else:
            mine, same = both.ask(KEY), alone.ask(KEY)
            assert (mine.status, mine.wait_us) == (same.status, same.wait_us)


# Whole decisions, in scenarios of all sorts

CATALOGUE = built_in()
models = st.sampled_from([*list(CATALOGUE.models)[:8], "gpt-4o-mini", "claude-sonnet-4.5", "nobody-knows-it"])
slugs = st.sampled_from(list(CATALOGUE.providers))
kinds = st.sampled_from(KINDS)
lanes = st.sampled_from(["byok", "shared", "router"])
faults = st.one_of(
    kinds.map(lambda kind: {"error": kind}),
    st.sampled_from(["reset", "hang", "html", "short_body"]).map(lambda fault: {"connection": fault}),
    st.just({"reply": "hello"}),
    st.just({"delay": {"uniform": ["1ms", "2s"]}}),
    st.just({"break": {"do": "cut", "after": "3 tokens"}}),
)
gates = st.fixed_dictionaries(
    {},
    optional={
        "skip": st.integers(0, 2),
        "times": st.integers(1, 3),
        "every": st.integers(1, 3),
        "chance": st.sampled_from([0.2, 0.8]),
    },
)
rules = st.builds(lambda lane, fault, gate: {"when": {"lane": lane}, **fault, **gate}, lanes, faults, gates)
limits = st.builds(
    lambda lane, budget, per: {"when": {"lane": lane}, "per": [per], **budget},
    lanes,
    st.sampled_from(
        [{"requests": "2/min"}, {"tokens": "500/min"}, {"quota": "2 requests"}, {"concurrency": 1}]
    ),
    st.sampled_from(["key", "account", "model", "lane"]),
)
scenarios = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 5),
        "rules": st.lists(rules, max_size=4),
        "limits": st.lists(limits, max_size=3),
        "accounts": st.sampled_from([{}, {"default": {"credits": 0}}, {"default": {"credits": "0.0005"}}]),
        "unknown_models": st.sampled_from(["accept", "refuse"]),
        "router": st.sampled_from(
            [
                {},
                {"cooldown": {"failures": 1, "within": "10s", "for": "20s"}, "balance": "weighted"},
                {"deliver_errors": "body", "fallback_on": ["rate_limit", "invalid_request"]},
            ]
        ),
    }
)
routings = st.builds(
    lambda order, ignore, fallbacks, sort: routing(
        order=order, ignore=ignore, allow_fallbacks=fallbacks, sort=sort
    ),
    st.lists(slugs, max_size=2).map(tuple),
    st.lists(slugs, max_size=2).map(tuple),
    st.booleans(),
    st.sampled_from([None, "price", "latency", "throughput"]),
)
calls = st.fixed_dictionaries(
    {
        "own": st.one_of(
            st.none(), st.builds(lambda slug, fallback: byok(slug, fallback=fallback), slugs, st.booleans())
        ),
        "model": models,
        "stream": st.booleans(),
        "routing": routings,
        "fallback_models": st.lists(models, max_size=2).map(tuple),
        "max_tokens": st.sampled_from([None, 5, 400]),
        "account_test_kind": st.sampled_from([None, None, None, "rate_limit"]),
    }
)
worlds = st.tuples(
    scenarios, st.lists(st.tuples(gaps, calls, st.one_of(st.none(), st.integers(0, 40))), max_size=6)
)


@settings(deadline=None, max_examples=150)
@given(worlds)
def test_what_holds_for_every_call(given_world: Any) -> None:
    fields, asked = given_world
    there = world(**fields)
    for gap_us, one, delivered in asked:
        there.now_us += gap_us
        before, spent = dict(there.state.cells), there.state.cells.get(("spent", "default"), 0)
        decision = there.ask(**one)
        own = one["own"]
        # a decision is a function of its inputs
        again = decide(scenario(**fields), state_of(before), decision.call, there.now_us)
        assert again == decision
        # exactly one end
        assert (decision.served is None) is (decision.failure is not None)
        assert [attempt.n for attempt in decision.attempts] == list(range(1, len(decision.attempts) + 1))
        assert all(attempt.result != "ok" for attempt in decision.attempts[:-1])
        # fallback false never reaches the pool
        if own is not None and not own.fallback:
            assert all(attempt.lane == "byok" for attempt in decision.attempts)
        # the own key comes first, whatever `provider` says
        if own is not None and any(attempt.lane == "byok" for attempt in decision.attempts):
            assert decision.attempts[0].lane == "byok"
        there.end(decision, delivered)
        now_spent = there.state.cells.get(("spent", "default"), 0)
        # an own key's answer never costs credits, nor does a failure
        if decision.served is None or decision.served.lane == "byok":
            assert now_spent == spent
        assert now_spent >= spent
        assert all(skip.why and skip.lane for skip in decision.skipped)


def state_of(cells: dict[Any, Any]) -> Any:
    made = state(scenario())
    made.cells = cells
    return made
