"""The bundled scenarios, each with a trace that a person has read (`make golden` writes them anew)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from golden.update import names, trace

from onerouter_mock.core.scenario.advise import advise
from onerouter_mock.library import Library

GOLDEN = Path(__file__).parent / "golden"
BUNDLED = {
    "healthy", "ratelimit", "quota-exhausted", "invalid-key", "outage", "flaky", "slow", "slow-stream",
    "midstream-cut", "shared-exhausted", "no-credits", "model-fallback", "recovery", "degraded-pool",
    "rotating-key", "everything-down",
}  # fmt: skip


def test_all_that_are_promised_are_there() -> None:
    assert set(names()) == BUNDLED


def test_no_trace_is_left_of_a_scenario_that_is_gone() -> None:
    assert {path.stem for path in GOLDEN.glob("*.txt")} == BUNDLED


@pytest.mark.parametrize("name", sorted(BUNDLED))
def test_the_trace_is_as_golden(name: str) -> None:
    assert trace(name) == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8"), (
        "make golden, and read the diff"
    )


@pytest.mark.parametrize("name", sorted(BUNDLED))
def test_the_first_line_tells_the_story_in_a_sentence(name: str) -> None:
    first = Library().text(name).splitlines()[0]
    assert re.fullmatch(r"# [A-Z].{20,130}\.", first)


@pytest.mark.parametrize("name", sorted(BUNDLED))
def test_a_bundled_scenario_is_no_longer_than_a_screen_and_valid(name: str) -> None:
    library = Library()
    assert len(library.text(name).splitlines()) <= 15
    assert library.load(name).name == name


@pytest.mark.parametrize("name", sorted(BUNDLED))
def test_check_warns_of_nothing_that_cannot_act(name: str) -> None:
    idle = [problem for problem in advise(Library().load(name)) if "fall" not in str(problem)]
    assert idle == []
