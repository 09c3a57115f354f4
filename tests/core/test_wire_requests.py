"""What a chat request says, and the 400 that names the first thing wrong with it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from asked import HEALTHY, USER, body, good, own, read, refused
from builders import scenario


def test_a_plain_request_becomes_a_call() -> None:
    call = good(body(stream=True, seed=3, max_tokens=9, stop="x", n=2))
    assert (call.endpoint, call.model, call.account, call.stream) == ("chat", "gpt-5.1-chat", "default", True)
    assert call.prompt == USER["content"]
    assert (call.byok, call.notices) == (None, [])
    wants = call.wants
    assert wants is not None
    assert (wants.seed, wants.max_tokens, wants.stop, wants.n) == (3, 9, ("x",), 2)


def test_null_is_absent() -> None:
    assert good(body(byok_conf=None)).byok is None
    assert good(body(byok_conf=own(fallback=None))).byok.fallback is True  # type: ignore[union-attr]  # given
    optional = ("temperature", "stream", "stop", "tools", "tool_choice", "provider", "fallback_models",
        "usage",
                "stream_options", "response_format", "reasoning", "max_tokens", "seed", "n",
                    "fallback_rules")  # fmt: skip
    good(body(**dict.fromkeys(optional)))


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"model": ...}, "model"), ({"model": None}, "model"), ({"model": 5}, "model"), ({"model": ""}, "model"),
    ({"model": "a b"}, "model"), ({"model": "a\nb"}, "model"), ({"model": "é"}, "model"), ({"model": "-a"},
    "model"),
    ({"model": "a" * 201}, "model"), ({"messages": ...}, "messages"), ({"messages": []}, "messages"),
    ({"messages": "hi"}, "messages"), ({"messages": ["hi"]}, "messages[0]"),
    ({"messages": [{"content": "x"}]}, "messages[0].role"),
    ({"messages": [USER, {"role": "robot", "content": "x"}]}, "messages[1].role"),
    ({"messages": [{"role": "user"}]}, "messages[0].content"),
    ({"messages": [{"role": "user", "content": None}]}, "messages[0].content"),
    ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content"),
    ({"messages": [{"role": "assistant"}]}, "messages[0].content"),
    ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages[0].content[0].text"),
    ({"messages": [{"role": "user", "content": [{"type": "smell"}]}]}, "messages[0].content[0].type"),
    ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]},
     "messages[0].content[0].image_url"),
    ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].tool_call_id"),
    ({"temperature": "0.1"}, "temperature"), ({"temperature": 2.1}, "temperature"), ({"temperature": True},
    "temperature"),
    ({"top_p": -0.1}, "top_p"), ({"n": 0}, "n"), ({"n": 129}, "n"), ({"n": 1.5}, "n"), ({"n": "2"}, "n"),
    ({"presence_penalty": 3}, "presence_penalty"), ({"frequency_penalty": -3}, "frequency_penalty"),
    ({"logprobs": True, "top_logprobs": 21}, "top_logprobs"), ({"top_logprobs": 1}, "top_logprobs"),
    ({"stop": ["a", "b", "c", "d", "e"]}, "stop"), ({"stop": [5]}, "stop[0]"), ({"stop": 5}, "stop"),
    ({"max_tokens": 0}, "max_tokens"), ({"max_completion_tokens": "9"}, "max_completion_tokens"),
    ({"stream": "true"}, "stream"), ({"stream": 1}, "stream"), ({"stream_options": True}, "stream_options"),
    ({"usage": {"include": "yes"}}, "usage.include"), ({"tools": {}}, "tools"),
    ({"tools": [{"type": "function", "function": {}}]}, "tools[0].function.name"),
    ({"tools": [{"type": "function"}]}, "tools[0].function"), ({"tool_choice": "sometimes"}, "tool_choice"),
    ({"tool_choice": "required"}, "tool_choice"),
    ({"tool_choice": {"type": "function", "function": {"name": "f"}}}, "tool_choice"),
    ({"response_format": {"type": "xml"}}, "response_format.type"),
    ({"response_format": {"type": "json_schema"}}, "response_format.json_schema"),
    ({"reasoning": {"effort": "huge"}}, "reasoning.effort"), ({"reasoning_effort": 5}, "reasoning_effort"),
    ({"seed": "1"}, "seed"), ({"provider": "openai"}, "provider"), ({"provider": {"order": "x"}},
    "provider.order"),
    ({"provider": {"allow_fallbacks": "no"}}, "provider.allow_fallbacks"), ({"provider": {"sort": "luck"}},
    "provider.sort"),
    ({"provider": {"service_tier": "gold"}}, "provider.service_tier"), ({"provider": {"zdr": 1}},
    "provider.zdr"),
    ({"fallback_models": "a"}, "fallback_models"), ({"fallback_models": ["a", "b c"]}, "fallback_models[1]"),
    ({"fallback_rules": "never"}, "fallback_rules"),
    ({"fallback_rules": {"error_code": {"hint_array": ["500"]}}}, "fallback_rules.error_code.hint_array"),
    ({"model": 5, "messages": 5, "byok_conf": 5}, "model"), ({"messages": 5, "byok_conf": 5, "n": 0},
    "messages"),
    ({"byok_conf": 5, "n": 0}, "byok_conf"),
    ({"messages": [{"role": "tool", "content": "x"}], "byok_conf": 5, "n": 0}, "messages[0].tool_call_id"),
]  # fmt: skip


@pytest.mark.parametrize(("members", "param"), WRONG, ids=[json.dumps(m, default=str)[:60] for m, _ in WRONG])
def test_the_first_wrong_member_is_named(members: dict[str, Any], param: str) -> None:
    call, error = read(body(**members))
    assert error is not None
    assert (error.status, error.kind, error.param) == (400, "invalid_request", param)
    assert error.message.startswith(f"{param}: ")
    assert "would be right: " in error.message
    assert (call.endpoint, call.account) == ("chat", "default")


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"[]", b"5", b"null", b"\xff", b'\xef\xbb\xbf{"model":"m"}', b'"text"',
        b'{"model":"m","messages":[{"role":"user","content":"x"}],"x":NaN}',
        b'{"model":"m","messages":[{"role":"user","content":"x"}],"x":-Infinity}',
        b'{"model":"m","messages":[{"role":"user","content":"\\ud800"}]}',
        b'{"model":"m","messages":[{"role":"user","content":"x"}],"x":' + b"[" * 100 + b"]" * 100 + b"}",
        b'{"x":' * 5000 + b"1" + b"}" * 5000,
        b"[" * 100_000,
        b"{" * 101 + b'"' + b'\\"' * 200_000,
    ],
)  # fmt: skip
def test_what_is_no_json_object_is_refused(content: bytes) -> None:
    call, error = read(content)
    assert error is not None
    assert (error.status, error.kind, error.param) == (400, "invalid_request", "body")
    assert call.sealed.body() is None or isinstance(call.sealed.body(), dict)


def test_99_levels_and_brackets_in_text_are_no_depth() -> None:
    good(body(x=json.loads("[" * 99 + "]" * 99)))
    good(body(messages=[{"role": "user", "content": '[{"' * 500}]))
    good(body(messages=[{"role": "user", "content": "NaN and Infinity"}]))


def test_a_body_that_is_too_large_is_413() -> None:
    error = refused(b'{"cut', too_large=True)
    assert (error.status, error.kind) == (413, "invalid_request")


def test_unknown_parameters_are_ignored_and_roles_and_parts_are_read() -> None:
    image = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    call = good(
        body(
            messages=[
                {"role": "system", "content": "Be brief."},
                {"role": "developer", "content": [{"type": "text", "text": "Be kind."}]},
                {
                    "role": "user",
                    "content": [{"type": "text", "text": "Look:"}, image, {"type": "text", "text": "é"}],
                },
                {"role": "assistant", "content": "Prefill"},
            ],
            wild_parameter={"x": [1]},
            metadata={"a": "b"},
            service_tier="auto",
        )
    )
    assert (call.system, call.prompt) == ("Be brief.\nBe kind.", "Look:\né")
    assert call.prompt_tokens == 8 + 4 * 4  # 32 bytes with the line ends
    assert call.notices == []


@pytest.mark.parametrize(
    ("content", "tokens"), [("", 4), ("hi", 5), ("hill", 5), ("hills", 6), ("ééé", 6), ("x" * 400, 104)]
)
def test_prompt_tokens_are_a_quarter_of_the_bytes_and_4_a_message(content: str, tokens: int) -> None:
    assert good(body(messages=[{"role": "user", "content": content}])).prompt_tokens == tokens


def test_a_tools_result_is_seen_until_the_user_speaks_again() -> None:
    called = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    talk: list[dict[str, Any]] = [USER, {"role": "assistant", "tool_calls": [called]},
                                  {"role": "tool", "tool_call_id": "call_1", "content": "7"}]  # fmt: skip
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
    first = good(body(tools=tools)).wants
    after = good(body(messages=talk, tools=tools)).wants
    again = good(body(messages=[*talk, USER], tools=tools)).wants
    assert first is not None
    assert after is not None
    assert again is not None
    assert (first.after_tool_result, after.after_tool_result, again.after_tool_result) == (False, True, False)


def test_tool_choice_by_name_leaves_that_tool() -> None:
    tools = [{"type": "function", "function": {"name": name}} for name in ("a", "auto")]
    wants = good(body(tools=tools, tool_choice={"type": "function", "function": {"name": "auto"}})).wants
    assert wants is not None
    assert (wants.tools, wants.tool_choice) == ((("auto", None),), "required")


def test_routing_is_read_and_what_has_no_effect_is_noted() -> None:
    call = good(
        body(
            provider={"order": ["a"], "only": ["b"], "ignore": ["c"], "allow_fallbacks": False,
                "sort": {"by": "price"},
                      "service_tier": "flex", "zdr": True, "colour": 1, "data_collection": None},
            fallback_models=["gpt-4o-mini"],
            fallback_rules={"error_code": {"hint_array": [500, 503], "action": "fallback"},
                "TTFT": {"hint_threshold": 5}},
        )
    )  # fmt: skip
    routing = call.routing
    assert (routing.order, routing.only, routing.ignore) == (("a",), ("b",), ("c",))
    assert (routing.allow_fallbacks, routing.sort) == (False, "price")
    assert (call.fallback_models, call.fallback_statuses) == (("gpt-4o-mini",), frozenset({500, 503}))
    said = " ".join(call.notices)
    for word in ("provider.service_tier", "provider.zdr", "provider.colour", "fallback_rules.TTFT"):
        assert word in said


@pytest.mark.parametrize("rules", [None, "", "auto", {}, {"error_code": None}])
def test_fallback_rules_that_name_no_statuses_are_auto(rules: Any) -> None:
    assert good(body(fallback_rules=rules)).fallback_statuses is None


CALL = {"role": "assistant", "content": None, "tool_calls": [
    {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}},
    {"id": "c2", "type": "function", "function": {"name": "f", "arguments": "{}"}},
]}  # fmt: skip
DONE = [{"role": "tool", "tool_call_id": name, "content": "x"} for name in ("c1", "c2")]
HI = {"role": "user", "content": "hi"}


@pytest.mark.parametrize(
    ("messages", "notices"),
    [
        ([HI, CALL, *DONE], []),
        ([HI, CALL, *DONE, HI, CALL, *reversed(DONE), HI], []),
        ([HI, CALL, DONE[0]], ["messages[1].tool_calls: 1 without a tool message; OpenAI answers 400"]),
        ([HI, CALL, HI], ["messages[1].tool_calls: 2 without a tool message; OpenAI answers 400"]),
        (
            [HI, DONE[0]],
            ["messages[1].tool_call_id: no open tool call has this id; OpenAI answers 400"],
        ),
        (
            [HI, CALL, *DONE, DONE[1]],
            ["messages[4].tool_call_id: no open tool call has this id; OpenAI answers 400"],
        ),
    ],
    ids=["whole", "twice", "one missing", "none", "no call", "answered twice"],
)
def test_a_loop_of_tools_that_openai_refuses_gets_a_notice(messages: list[Any], notices: list[str]) -> None:
    assert good(body(messages=messages)).notices == notices


def test_notices_of_what_a_client_probably_did_not_mean() -> None:
    assert good(body(stream_options={"include_usage": True}, stream=True)).notices == []
    (said,) = good(body(stream_options={"include_usage": True})).notices
    assert "without stream" in said
    assert any("extra_body" in notice for notice in good(body(extra_body={"byok_conf": own()})).notices)
    assert any("byok_conf.fallbck" in notice for notice in good(body(byok_conf=own(fallbck=False))).notices)
    guessed = good(body(model="gpt-4.1-unheard-of")).notices
    assert guessed == [
        "model 'gpt-4.1-unheard-of' is not in the catalogue; served as openai at a default price"
    ]
    assert good(body(model="gpt-4.1-unheard-of"), of=scenario(unknown_models="refuse")).notices == []


def test_a_bad_request_still_tells_the_journal_what_it_could() -> None:
    call, error = read(body(byok_conf=own(), stream=True, n=0))
    assert error is not None
    assert call.byok is not None
    assert (call.model, call.stream, call.byok.provider) == ("gpt-5.1-chat", True, "openai")


def test_equal_bodies_have_equal_digests_and_the_scenario_forgets_no_key() -> None:
    first, second = good(body(n=1)), good(body(n=1))
    assert first.wants is not None
    assert second.wants is not None
    assert first.wants.digest == second.wants.digest
    for number in range(5000):
        good(body(byok_conf=own(credentials=f"key-{number}")))
    assert len(HEALTHY.memo["wire.byok"]) <= 4096
