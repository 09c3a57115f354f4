"""Python values as the scenario language spells them, and journal entries as objects."""

from __future__ import annotations

import copy
import json
import pickle
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from onerouter_mock.mock.seen import read_call
from onerouter_mock.mock.spelling import calling_line, spell, spell_duration, spell_members


@pytest.mark.parametrize(
    ("value", "text"),
    [("61s", "61s"), (61, "61s"), (0.25, "250ms"), (0, "0s"), (timedelta(minutes=1.5), "90s"), (1e-6, "1us"),
     (timedelta(microseconds=1500), "1500us"), (2.5, "2500ms")],
)  # fmt: skip
def test_a_duration_gets_its_unit(value: Any, text: str) -> None:
    assert spell_duration(value) == text


@pytest.mark.parametrize("value", [True, None, [1]])
def test_what_is_no_duration_is_refused_with_the_right_form(value: Any) -> None:
    with pytest.raises(TypeError, match="would be right"):
        spell_duration(value)


def test_numbers_become_durations_only_where_the_language_wants_one() -> None:
    said = {
        "delay": 2,
        "times": 2,
        "error": {"status": 429, "retry_after": 20},
        "break_": {"do": "stall", "after": 3, "for_": 1.5},
        "reply": {"json": {"delay": 2}},
        "steps": [{"delay": {"uniform": [1, 3]}}],
        "router": {"timeout": timedelta(seconds=9)},
    }
    assert spell(said) == {
        "delay": "2s",
        "times": 2,
        "error": {"status": 429, "retry_after": "20s"},
        "break": {"do": "stall", "after": 3, "for": "1500ms"},
        "reply": {"json": {"delay": 2}},
        "steps": [{"delay": {"uniform": ["1s", "3s"]}}],
        "router": {"timeout": "9s"},
    }


def test_members_that_are_none_are_left_out() -> None:
    assert spell_members({"delay": None, "rate": "40 tok/s"}) == {"rate": "40 tok/s"}


def test_a_rule_is_known_by_the_line_that_made_it() -> None:
    where = calling_line(Path(__file__).parent.parent)
    assert where.startswith("shell/test_mock_spelling.py:")
    assert calling_line(Path("/nowhere")).startswith("test_mock_spelling.py:")


ENTRY = {
    "id": 1,
    "route": "byok:x",
    "byok": {"provider": "x", "key": None, "fingerprint": "…1234", "fallback": True},
    "attempts": [{"n": 1, "lane": "byok", "provider": "x", "result": "ok"}],
    "skipped": [],
    "served_by": None,
    "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
    "request": {"headers": {}, "body": {"model": "m"}},
}


def test_an_entrys_members_are_attributes_and_items_at_every_depth() -> None:
    call = read_call(ENTRY)
    assert call.route == call["route"] == "byok:x"
    assert call.byok is not None
    assert call.byok.fingerprint == "…1234"
    assert call.attempts[0].lane == "byok"
    assert call.usage is not None
    assert call.usage.total_tokens == 3
    assert call.request.body == {"model": "m"}
    assert call.served_by is None
    assert call == ENTRY
    assert json.loads(json.dumps(call)) == ENTRY


def test_what_a_call_in_flight_lacks_is_none_and_a_typo_an_error() -> None:
    call = read_call(ENTRY)
    assert call.ending is None
    with pytest.raises(AttributeError, match="no member 'rout'"):
        _ = call.rout  # type: ignore[attr-defined]


def test_an_entry_is_not_changed_but_copied_and_pickled() -> None:
    call = read_call(ENTRY)
    with pytest.raises(AttributeError, match="not changed"):
        call.route = "x"
    assert copy.deepcopy(call) == pickle.loads(pickle.dumps(call)) == call
    assert pickle.loads(pickle.dumps(call)).attempts[0].lane == "byok"
