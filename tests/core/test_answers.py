"""What answers say: the same for the same question, cut where asked, scripted where a rule does so."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onerouter_mock.core.answers import make_answer, split_tokens
from onerouter_mock.core.records import Answer, Wants
from onerouter_mock.core.scenario.records import Reply

WEATHER = (
    "get_weather",
    {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)
CLOCK = ("get_time", None)
THIRD = ("third", None)


def answer(prompt: str = "hi", *, scenario_seed: int = 0, reply: Reply | None = None, **wants: Any) -> Answer:
    return make_answer(scenario_seed, Wants(prompt=prompt, **wants), reply, 4096)


def text(made: Answer, choice: int = 0) -> str:
    said = made.choices[choice].text
    assert said is not None
    return said


@given(st.text())
def test_tokens_spell_the_text(some: str) -> None:
    tokens = split_tokens(some)
    assert "".join(tokens) == some
    assert all(len(token) <= 17 for token in tokens)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6))
def test_an_answer_has_40_to_80_tokens(seed: int) -> None:
    made = answer(scenario_seed=seed)
    assert 40 <= made.completion_tokens <= 80
    assert made.completion_tokens == len(split_tokens(text(made)))
    assert made.choices[0].finish_reason == "stop"


def test_the_same_question_gets_the_same_answer_and_another_one_another() -> None:
    assert text(answer("a")) == text(answer("a"))
    assert text(answer("a")) != text(answer("b"))
    assert text(answer("a")) != text(answer("a", scenario_seed=1))
    assert text(answer("a", seed=1)) != text(answer("a", seed=2))
    assert text(answer("a", seed=1)) == text(answer("a", seed=1))


def test_an_answer_is_remembered_by_the_digest_of_its_question() -> None:
    first, again = answer("a", digest=b"one"), answer("a", digest=b"one")
    assert first is again
    assert answer("a", digest=b"two") is not first
    assert answer("a", digest=b"one", reply=Reply(text="x")) is not first


def test_n_choices_differ_and_the_first_is_what_one_would_be() -> None:
    made = answer("a", n=3)
    assert len({text(made, n) for n in range(3)}) == 3
    assert text(made) == text(answer("a"))
    assert made.completion_tokens == sum(piece.tokens for piece in made.pieces)


def test_pieces_put_together_are_the_answer() -> None:
    made = answer("a", n=2, want_reasoning=True)
    for index, choice in enumerate(made.choices):
        mine = [piece for piece in made.pieces if piece.choice == index]
        assert "".join(piece.text for piece in mine if piece.field == "content") == choice.text
        assert "".join(piece.text for piece in mine if piece.field == "reasoning") == choice.reasoning


@pytest.mark.parametrize("most", [1, 7, 39])
def test_max_tokens_cuts_with_finish_reason_length(most: int) -> None:
    made = answer("a", max_tokens=most)
    assert made.completion_tokens == most
    assert text(answer("a")).startswith(text(made))
    assert made.choices[0].finish_reason == "length"


def test_the_models_own_limit_cuts_too() -> None:
    made = make_answer(0, Wants(prompt="a", max_tokens=1000), None, 5)
    assert (made.completion_tokens, made.choices[0].finish_reason) == (5, "length")


def test_stop_cuts_before_its_first_occurrence() -> None:
    whole = text(answer("a"))
    word = whole.split()[5]
    made = answer("a", stop=(word, "never said"))
    assert text(made) == whole[: whole.index(word)]
    assert made.choices[0].finish_reason == "stop"


def test_reasoning_leaves_room_for_the_answer() -> None:
    made = answer("a", want_reasoning=True, max_tokens=10)
    assert 0 < made.reasoning_tokens <= 5
    assert text(made)
    assert made.completion_tokens == 10
    assert answer("a").reasoning_tokens == 0


def test_tools_are_called_once_and_their_result_is_answered_with_text() -> None:
    made = answer("a", tools=(WEATHER,))
    (call,) = made.choices[0].tool_calls
    assert call.name == "get_weather"
    assert isinstance(json.loads(call.arguments)["city"], str)
    assert (made.choices[0].text, made.choices[0].finish_reason) == (None, "tool_calls")
    after = answer("a", tools=(WEATHER,), after_tool_result=True)
    assert (after.choices[0].tool_calls, after.choices[0].finish_reason) == ((), "stop")


@pytest.mark.parametrize(
    ("wants", "names"),
    [
        pytest.param({"tool_choice": "none"}, [], id="none"),
        pytest.param({"tool_choice": "get_time"}, ["get_time"], id="named"),
        pytest.param({"tool_choice": "get_time", "after_tool_result": True}, ["get_time"], id="named, again"),
        pytest.param({"tool_choice": "required", "after_tool_result": True}, ["get_weather", "get_time"],
                     id="required"),
        pytest.param({}, ["get_weather", "get_time"], id="auto, in parallel"),
        pytest.param({"parallel_tool_calls": False}, ["get_weather"], id="auto, one at a time"),
    ],
)  # fmt: skip
def test_tool_choice_is_obeyed(wants: dict[str, Any], names: list[str]) -> None:
    made = answer("a", tools=(WEATHER, CLOCK, THIRD), **wants)
    assert [call.name for call in made.choices[0].tool_calls] == names


def test_json_object_answers_are_objects() -> None:
    assert isinstance(json.loads(text(answer("a", schema={}))), dict)


def test_a_reply_is_sent_as_written() -> None:
    reply = Reply(text="one two STOP three")
    made = answer("a", reply=reply, stop=("STOP",), max_tokens=1)
    assert text(made) == "one two STOP three"
    assert made.completion_tokens == 4
    assert made.choices[0].finish_reason == "stop"


def test_a_reply_of_chunks_places_the_borders() -> None:
    made = answer("a", reply=Reply(chunks=("Hel", "lo wor", "ld")))
    assert [piece.text for piece in made.pieces] == ["Hel", "lo wor", "ld"]
    assert text(made) == "Hello world"
    assert made.completion_tokens == 2


def test_a_reply_may_call_tools_refuse_reason_and_end_as_it_likes() -> None:
    called = answer(reply=Reply(tool_calls=(("f", '{"a":1}'),))).choices[0]
    assert [(call.name, call.arguments) for call in called.tool_calls] == [("f", '{"a":1}')]
    assert (called.text, called.finish_reason) == (None, "tool_calls")
    refused = answer(reply=Reply(refusal="I won't.")).choices[0]
    assert (refused.text, refused.refusal, refused.finish_reason) == (None, "I won't.", "stop")
    thought = answer(reply=Reply(text="yes", reasoning="Let me think.")).choices[0]
    assert (thought.text, thought.reasoning) == ("yes", "Let me think.")
    assert (
        answer(reply=Reply(text="y", finish_reason="content_filter")).choices[0].finish_reason
        == "content_filter"
    )
    assert text(answer(reply=Reply(json='{"ok":true}'))) == '{"ok":true}'
    assert text(answer(reply=Reply(text=""))) == ""
    assert answer(reply=Reply(text="y", usage=(("prompt_tokens", 7),))).usage == (("prompt_tokens", 7),)


def test_a_reply_that_says_no_text_leaves_the_made_one() -> None:
    made = answer("a", reply=Reply(finish_reason="length", usage=(("prompt_tokens", 7),)))
    assert text(made) == text(answer("a"))
    assert made.choices[0].finish_reason == "length"


def test_null_content_calls_no_tools_but_those_of_the_reply() -> None:
    said = answer(reply=Reply(malformed="null_content"), tools=(WEATHER,), tool_choice="required").choices[0]
    assert (said.text, said.tool_calls, said.finish_reason) == (None, (), "stop")
    scripted = answer(reply=Reply(malformed="null_content", tool_calls=(("f", "{}"),))).choices[0]
    assert [call.name for call in scripted.tool_calls] == ["f"]


def test_malformed_answers() -> None:
    assert answer(reply=Reply(malformed="null_content")).choices[0].text is None
    assert answer(reply=Reply(malformed="null_content", text="x")).pieces == ()
    assert answer(reply=Reply(malformed="unknown_finish_reason")).choices[0].finish_reason not in (
        "stop",
        "length",
    )
    for wants in ({}, {"tools": (WEATHER,)}):
        (call, *_) = answer(reply=Reply(malformed="tool_arguments_not_json"), **wants).choices[0].tool_calls
        with pytest.raises(json.JSONDecodeError):
            json.loads(call.arguments)
        (unknown, *_) = answer(reply=Reply(malformed="unknown_tool"), **wants).choices[0].tool_calls
        assert unknown.name != WEATHER[0]
        json.loads(unknown.arguments)
    assert answer(reply=Reply(malformed="no_usage")).malformed == "no_usage"
