"""Ways of counting, where only a cell's own functions can be looked at closely enough."""

from __future__ import annotations

import pytest
from builders import byok, world

from onerouter_mock.core.counting import way_of
from onerouter_mock.core.scenario.records import Budget, Limit, When
from onerouter_mock.core.state import describe

KEY = byok(fallback=False)
OWN = {"lane": "byok"}


def test_a_wait_that_is_a_hair_over_a_millisecond_is_two() -> None:
    budget = Budget("rate", "requests", 3, "3/3001us", 3001)
    way = way_of(Limit("l", "l", "", When(), (budget,)), budget)
    value = way.start(budget, 3, 0)
    assert way.ask(value, budget, 1, 0) == 2000  # 1000 and a third of a microsecond
    assert way.ask(value, budget, 1, 1000) is not None
    assert way.ask(value, budget, 1, 1001) is None


@pytest.mark.parametrize("algorithm", ["fixed", "sliding"])
def test_answers_of_one_instant_are_set_right_each_by_itself(algorithm: str) -> None:
    there = world(limits=[{"name": "l", "when": OWN, "tokens": "1000/min", "algorithm": algorithm}])
    first = there.ask(KEY, prompt_tokens=500, max_tokens=400)
    second = there.ask(KEY, prompt_tokens=10, max_tokens=20)
    there.end(first, 0)
    there.end(second, 0)
    assert there.ask(KEY, prompt_tokens=491, max_tokens=0).served is None
    assert there.ask(KEY, prompt_tokens=490, max_tokens=0).served is not None


@pytest.mark.parametrize("algorithm", ["fixed", "sliding"])
def test_an_answer_that_ends_in_another_window_leaves_it_alone(algorithm: str) -> None:
    there = world(limits=[{"name": "l", "when": OWN, "tokens": "1000/min", "algorithm": algorithm}])
    long = there.ask(KEY, prompt_tokens=500, max_tokens=500)
    there.advance(60)
    there.end(there.ask(KEY, prompt_tokens=600, max_tokens=0), 0)
    there.end(long, 0)
    assert there.ask(KEY, prompt_tokens=401, max_tokens=0).served is None


def test_a_bucket_forgets_what_has_leaked_before_it_is_set_right() -> None:
    there = world(limits=[{"name": "l", "when": OWN, "tokens": "60/min"}])
    slow = there.ask(KEY, prompt_tokens=10, max_tokens=50)
    there.advance(30)
    there.end(slow, 0)  # 30 of 60 have leaked; 50 go back: nothing is left to leak
    assert there.ask(KEY, prompt_tokens=60, max_tokens=0).served is not None


def test_a_sliding_window_is_empty_when_the_last_that_it_holds_has_left_it() -> None:
    limit = {"name": "l", "when": OWN, "tokens": "600/min", "algorithm": "sliding"}
    there = world(limits=[limit], rules=[{"when": OWN, "skip": 1, "error": "server_error"}])
    there.end(there.ask(KEY, prompt_tokens=4, max_tokens=6))
    there.advance(20)
    there.end(there.ask(KEY, prompt_tokens=4, max_tokens=6))  # fails, and gives its tokens back
    (row,) = describe(there.scenario, there.state, there.now_us)["limits"]
    assert 0 < row["used"] <= 10
    assert row["full_in_s"] == 40
