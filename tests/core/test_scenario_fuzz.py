"""Hostile and random input: a Scenario or a ScenarioError, nothing else, and soon."""

from __future__ import annotations

import json
import re
import time
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onerouter_mock.core.errors import ScenarioError
from onerouter_mock.core.scenario import fields, words
from onerouter_mock.core.scenario.advise import advise
from onerouter_mock.core.scenario.load import build_rules, build_scenario, load_scenario, override

HEALTHY = build_scenario({})
PLACE = re.compile(r"f\.yaml:[0-9]+:[0-9]+: \S")


def try_text(text: str) -> None:
    try:
        advise(load_scenario(text, file="f.yaml"))
    except ScenarioError as error:
        assert error.problems  # noqa: PT017 (both ways are right; this one needs a reason)
        for problem in error.problems:
            assert PLACE.match(str(problem)), str(problem)
            assert "\n" not in str(problem)


NAMES = sorted({
    field.alias or name
    for model in (fields.Scenario, fields.Rule, fields.Limit, fields.When, fields.Router, fields.Key)
    for name, field in model.model_fields.items()
} | {"kind", "status", "do", "after", "for", "match", "uniform", "normal", "text", "json", "x"})  # fmt: skip
WORDS = [
    *get_args(words.Kind), "byok", "shared", "router", "openai", "opnai", "3/min", "30k/min", "5 requests",
    "20s", "10%", "date", "reset", "cut", "8 tokens", "virtual", "", "*", "sk-*", "a" * 300, "ü", "\x00",
    "\ud800",
]  # fmt: skip
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.sampled_from(WORDS), st.text(max_size=8)
)
KEYS = st.one_of(st.sampled_from(NAMES), st.text(max_size=4))
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=5)),
    max_leaves=25,
)
RULES = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=5)
SCENARIOS = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=6) | st.fixed_dictionaries({
    "rules": st.lists(RULES, max_size=3), "limits": st.lists(RULES, max_size=3),
})  # fmt: skip


@settings(deadline=None, max_examples=80)
@given(SCENARIOS)
def test_any_data_is_a_scenario_or_a_scenario_error(data: dict[str, Any]) -> None:
    for make in (
        build_scenario,
        lambda it: build_rules(it, HEALTHY, where="t"),
        lambda it: override(HEALTHY, **it),
    ):
        try:
            make(data)
        except ScenarioError as error:
            assert all(problem.line == 0 for problem in error.problems)  # noqa: PT017 (as above)


@settings(deadline=None, max_examples=80)
@given(SCENARIOS)
def test_any_json_text_is_a_scenario_or_a_scenario_error(data: dict[str, Any]) -> None:
    try_text(json.dumps(data))


LETTERS = st.sampled_from("rules:limts-[]{},'\"*&!|>#%@`?~ \n\t\\0123.eE/+x\ud800\ufeff\x00ü")


@settings(deadline=None, max_examples=150)
@given(st.text(alphabet=LETTERS, max_size=60))
def test_any_text_is_a_scenario_or_a_scenario_error(text: str) -> None:
    try_text(text)


@settings(deadline=None, max_examples=80)
@given(st.data())
def test_a_good_scenario_with_a_scratch_is_a_scenario_or_a_scenario_error(data: st.DataObject) -> None:
    good = (
        "seed: 7\nkeys: {a: {match: 'x*', expires: 60s}}\n"
        "limits:\n  - {when: {lane: byok, key: a}, requests: 3/min}\n"
        "rules:\n  - {when: {stream: true}, break: {do: cut, after: 8 tokens}}\n"
        "  - error: {kind: quota, retry_after: 5s}\n"
    )
    at, length = data.draw(st.integers(0, len(good))), data.draw(st.integers(0, 6))
    scratch = data.draw(st.text(alphabet="{}[]:,-'\"*&x3 \n%", max_size=3))
    try_text(good[:at] + scratch + good[at + length :])


SLOW = {
    "json of blanks": "{" + " " * 250_000,
    "json of escaped quotes": '{"' + '\\"' * 120_000,
    "json of quotes": "{" + '"' * 250_000,
    "brackets": "[" * 250_000,
    "question marks": "? " * 120_000,
    "a long number": "seed: " + "1" * 250_000,
    "a long near number": "seed: " + "1" * 250_000 + "x",
    "a long duration": "rules: [{error: 500, after: " + "1s" * 120_000 + "}]",
    "a long budget": "limits: [{requests: " + "1" * 200_000 + "/min}]",
    "a long glob": "rules: [{error: 500, when: {prompt: '" + "*a" * 400 + "'}}]",
    "a long kind": "rules: [{error: " + "x" * 250_000 + "}]",
    "many twins": "rules:\n" + "- {error: 500}\n" * 3_000,
    "many unknown fields": "\n".join(f"k{number}: 1" for number in range(3_000)),
    "many anchors": "a: &a b\n" * 3_000,
}


@pytest.mark.parametrize("name", SLOW)
def test_hostile_text_is_worked_off_in_no_time(name: str) -> None:
    began = time.process_time()
    try:
        load_scenario(SLOW[name], file="f.yaml")
    except ScenarioError as error:
        assert len(str(error.problems[0])) < 500  # noqa: PT017 (as above)
    assert time.process_time() - began < 2.0
