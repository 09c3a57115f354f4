"""The answers of a chat as bytes: as the API's pages have them, as OpenAI's types want them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from asked import body, good, own
from builders import BEGAN_US, scenario, state
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from onerouter_mock.core import wire
from onerouter_mock.core.answers import make_answer
from onerouter_mock.core.decide import decide
from onerouter_mock.core.records import Decision
from onerouter_mock.core.scenario.records import Reply, Scenario

TOOLS = [
    {
        "type": "function",
        "function": {"name": name, "parameters": {"type": "object", "properties": {"q": {}}}},
    }
    for name in ("look", "hear")
]
COST_MEMBERS = [
    "prompt_cost", "completion_cost", "image_cost", "video_cost", "audio_cost", "native_web_search_cost",
    "plugin_web_search_cost", "tools_cost", "prompt_cache_read_cost", "prompt_cache_write_cost",
    "prompt_cache_write_5_min", "prompt_cache_write_1_h", "reasoning_cost", "discount_rate", "is_byok",
        "byok_cost",
]  # fmt: skip


def decided(
    reply: Reply | None = None, of: Scenario | None = None, **members: Any
) -> tuple[Decision, Scenario]:
    of = of or scenario()
    call = good(body(**members), of=of)
    decision = decide(of, state(of), call, BEGAN_US)
    assert decision.served is not None
    if reply is not None:
        assert call.wants is not None
        decision.answer = make_answer(0, call.wants, reply, 4096)
    return decision, of


def plain(reply: Reply | None = None, of: Scenario | None = None, **members: Any) -> Any:
    return json.loads(wire.answer_body(*decided(reply, of, **members)))


def events(data: bytes) -> list[bytes]:
    assert data.endswith(b"\n\n")
    assert all(event.startswith(b"data: ") for event in data[:-2].split(b"\n\n"))
    return [event.removeprefix(b"data: ") for event in data[:-2].split(b"\n\n")]


def streamed(reply: Reply | None = None, of: Scenario | None = None, **members: Any) -> list[Any]:
    parts = wire.stream_parts(*decided(reply, of, stream=True, **members))
    whole = b"".join([parts.opening, *parts.pieces, *parts.closing, parts.usage, parts.done])
    *chunks, done = events(whole)
    assert done == b"[DONE]"
    return [json.loads(chunk) for chunk in chunks]


def test_a_plain_answer_is_the_documented_one() -> None:
    answer = plain()
    expected = ["id", "model", "object", "created", "choices", "request_id", "usage", "system_fingerprint"]
    assert list(answer) == expected
    assert (answer["object"], answer["model"], answer["created"]) == (
        "chat.completion",
        "gpt-5.1-chat",
        1767225600,
    )
    assert answer["id"].startswith("chatcmpl-")
    assert len(answer["request_id"]) == 32
    (choice,) = answer["choices"]
    assert list(choice) == ["index", "message", "finish_reason", "logprobs"]
    assert list(choice["message"]) == ["role", "content", "refusal"]
    usage = answer["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert list(usage["prompt_tokens_details"]) == [
        "cached_tokens", "cache_write_tokens", "audio_tokens", "video_tokens",
    ]  # fmt: skip
    assert list(usage["completion_tokens_details"]) == ["reasoning_tokens", "image_tokens", "audio_tokens"]


def test_costs_stand_at_the_root_when_asked_for() -> None:
    answer = plain(usage={"include": True})
    assert (answer["provider"], list(answer["cost_details"])) == ("openai", COST_MEMBERS)
    parts = answer["cost_details"]
    assert answer["cost"] == round(sum(parts[name] for name in COST_MEMBERS[:13]), 6) > 0
    assert (parts["is_byok"], parts["byok_cost"], parts["discount_rate"]) == (False, 0, 1)


def test_an_own_keys_answer_costs_no_credits() -> None:
    answer = plain(usage={"include": True}, byok_conf=own())
    parts = answer["cost_details"]
    assert (answer["cost"], sum(parts[name] for name in COST_MEMBERS[:13]), parts["is_byok"]) == (0, 0, True)
    assert parts["byok_cost"] > 0


WANTS: dict[str, dict[str, Any]] = {
    "text": {},
    "several": {"n": 3},
    "tools": {"tools": TOOLS},
    "one tool": {"tools": TOOLS, "parallel_tool_calls": False},
    "reasoning": {"reasoning": {"effort": "high"}},
    "logprobs": {"logprobs": True, "top_logprobs": 3},
    "short": {"max_tokens": 3},
    "json": {"response_format": {"type": "json_object"}},
    "costs": {"usage": {"include": True}},
    "usage": {"stream_options": {"include_usage": True}},
    "own key": {"byok_conf": own(), "usage": {"include": True}},
}


@pytest.mark.parametrize("dialect", ["documented", "observed"])
@pytest.mark.parametrize("members", WANTS.values(), ids=WANTS.keys())
def test_answers_are_what_openais_types_want(members: dict[str, Any], dialect: str) -> None:
    of = scenario(wire=dialect)
    ChatCompletion.model_validate_json(json.dumps(plain(of=of, **members)), strict=True)
    for chunk in streamed(of=of, **members):
        ChatCompletionChunk.model_validate_json(json.dumps(chunk), strict=True)


@pytest.mark.parametrize("members", WANTS.values(), ids=WANTS.keys())
def test_a_stream_says_what_the_plain_answer_says(members: dict[str, Any]) -> None:
    answer = plain(**members)
    chunks = streamed(**members)
    for choice in answer["choices"]:
        mine = [c for chunk in chunks for c in chunk["choices"] if c["index"] == choice["index"]]
        message = choice["message"]
        assert mine[0]["delta"]["role"] == "assistant"
        assert "".join(c["delta"].get("content") or "" for c in mine) == (message["content"] or "")
        assert "".join(c["delta"].get("reasoning") or "" for c in mine) == message.get("reasoning", "")
        calls: dict[int, Any] = {}
        for delta in (call for c in mine for call in c["delta"].get("tool_calls", ())):
            call = calls.setdefault(delta["index"], {"id": delta.get("id"), "name": "", "arguments": ""})
            call["name"] += delta["function"].get("name", "")
            call["arguments"] += delta["function"].get("arguments", "")
        assert [(c["id"], {"name": c["name"], "arguments": c["arguments"]}) for c in calls.values()] == [
            (c["id"], c["function"]) for c in message.get("tool_calls", ())
        ]
        assert [c["finish_reason"] for c in mine if c["finish_reason"]] == [choice["finish_reason"]]
        if choice["logprobs"]:
            told = [entry for c in mine if c["logprobs"] for entry in c["logprobs"]["content"]]
            assert told == choice["logprobs"]["content"]
            assert "".join(entry["token"] for entry in told) == message["content"]


def test_one_chunk_is_one_token() -> None:
    decision, of = decided(stream=True)
    assert decision.answer is not None
    assert len(list(wire.stream_parts(decision, of).pieces)) == decision.answer.completion_tokens


@pytest.mark.parametrize(
    ("members", "in_usage", "costs"),
    [
        ({}, False, False),
        ({"stream_options": {"include_usage": True}}, True, False),
        ({"usage": {"include": True}}, True, True),
    ],
)
def test_the_usage_chunk_comes_last_when_asked_for(
    members: dict[str, Any], in_usage: bool, costs: bool
) -> None:
    chunks = streamed(**members)
    assert all("usage" not in chunk for chunk in chunks[:-1])
    assert ("usage" in chunks[-1], "cost" in chunks[-1]) == (in_usage, costs)
    if in_usage:
        assert chunks[-1]["choices"] == []
        assert chunks[-1]["usage"]["completion_tokens"] == len(chunks) - 3  # role, finish, usage


def test_reasoning_has_the_documented_name_and_in_observed_the_clients_too() -> None:
    wanted = {"reasoning": {"effort": "low"}}
    message = plain(**wanted)["choices"][0]["message"]
    assert message["reasoning"]
    assert "reasoning_content" not in message
    seen = plain(of=scenario(wire="observed"), **wanted)["choices"][0]["message"]
    assert seen["reasoning_content"] == seen["reasoning"]
    assert "reasoning" not in plain(reasoning={"effort": "none"})["choices"][0]["message"]


def test_the_model_is_echoed_as_asked_for() -> None:
    assert plain(model="openai/gpt-5.1-chat")["model"] == "openai/gpt-5.1-chat"
    assert streamed(model="openai/gpt-5.1-chat")[0]["model"] == "openai/gpt-5.1-chat"


def test_after_a_model_fallback_the_item_of_the_list_is_echoed() -> None:
    broken = scenario(rules=[{"when": {"model": "gpt-5.1-chat"}, "error": "server_error"}])
    for item in ("claude-sonnet-4.5", "anthropic/claude-sonnet-4.5", "unheard-of-model"):
        assert plain(of=broken, fallback_models=[item])["model"] == item


def test_a_replys_usage_stands_as_given() -> None:
    given = Reply(text="x", usage=(("prompt_tokens", 7), ("total_tokens", 99), ("cached_tokens", 3)))
    usage = plain(given)["usage"]
    assert (usage["prompt_tokens"], usage["total_tokens"]) == (7, 99)
    assert usage["prompt_tokens_details"]["cached_tokens"] == 3


def test_malformed_answers_are_malformed_in_one_way() -> None:
    def made(form: str, **members: Any) -> tuple[Any, list[Any]]:
        reply = Reply(malformed=form)
        return plain(reply, **members), streamed(reply, stream_options={"include_usage": True}, **members)

    answer, chunks = made("empty_choices")
    assert answer["choices"] == []
    assert all(chunk["choices"] == [] for chunk in chunks)
    answer, chunks = made("null_content")
    assert answer["choices"][0]["message"]["content"] is None
    assert all(not choice["delta"].get("content") for chunk in chunks for choice in chunk["choices"])
    answer, chunks = made("unknown_finish_reason")
    assert (
        answer["choices"][0]["finish_reason"] == chunks[-2]["choices"][0]["finish_reason"] == "no_such_reason"
    )
    answer, chunks = made("no_usage")
    assert "usage" not in answer
    assert all("usage" not in chunk for chunk in chunks)
    answer, _ = made("unknown_tool", tools=TOOLS)
    assert answer["choices"][0]["message"]["tool_calls"][0]["function"]["name"] == "no_such_tool"
    answer, _ = made("tool_arguments_not_json", tools=TOOLS)
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"])


def test_bad_json_is_no_json() -> None:
    with pytest.raises(json.JSONDecodeError):
        plain(Reply(malformed="bad_json"))
    parts = wire.stream_parts(*decided(Reply(malformed="bad_json"), stream=True))
    broken = 0
    for event in events(b"".join(parts.pieces)):
        try:
            json.loads(event)
        except json.JSONDecodeError:
            broken += 1
    assert broken == 1


def test_one_answer_is_spliced_into_calls_of_different_ids() -> None:
    of = scenario()
    made = []
    for number in (1, 2):
        call = good(body(), of=of)
        call.number = number
        made.append(decide(of, state(of), call, BEGAN_US))
    assert made[0].answer is made[1].answer
    first, second = (json.loads(wire.answer_body(decision, of)) for decision in made)
    assert first["id"] != second["id"]
    assert first["choices"] == second["choices"]
