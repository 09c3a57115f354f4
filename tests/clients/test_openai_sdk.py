"""The official openai package, as people use it, against a served scenario."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from environments import Ask
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel

import onerouter_mock

QUESTION: dict[str, Any] = {
    "model": "gpt-5.1-chat",
    "messages": [{"role": "user", "content": "What is the meaning of life?"}],
}
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "unit": {"enum": ["C", "F"]}},
            "required": ["city", "unit"],
            "additionalProperties": False,
        },
    },
}


def own_key(**members: Any) -> dict[str, Any]:
    return {"byok_conf": {"provider": "openai", "credentials": "sk-own-12345678", **members}}


@pytest.fixture
def mock() -> Iterator[onerouter_mock.OneRouterMock]:
    with onerouter_mock.serve(clock="virtual") as served:
        yield served


@pytest.fixture
def client(mock: onerouter_mock.OneRouterMock) -> Iterator[OpenAI]:
    # strict: the package itself checks that every declared field is there and of its type
    with OpenAI(base_url=mock.base_url, api_key=mock.api_key, _strict_response_validation=True) as made:
        yield made


def test_answer_is_complete_and_the_same_streamed_or_not(client: OpenAI) -> None:
    plain = client.chat.completions.create(**QUESTION)
    pieces = [
        chunk.choices[0].delta.content or ""
        for chunk in client.chat.completions.create(**QUESTION, stream=True)
    ]
    assert plain.choices[0].message.content == "".join(pieces)
    assert plain.choices[0].finish_reason == "stop"
    assert plain.usage is not None
    assert plain.usage.total_tokens == plain.usage.prompt_tokens + plain.usage.completion_tokens
    assert plain.usage.completion_tokens == len(pieces) - 2, (
        "one chunk a token, between the role's and the finish"
    )


def test_own_key_falls_back_to_the_pool(mock: onerouter_mock.OneRouterMock, client: OpenAI) -> None:
    mock.use("ratelimit")
    for _ in range(4):
        client.chat.completions.create(**QUESTION, extra_body=own_key())
    assert mock.routes == ["byok:openai"] * 3 + ["byok:openai!rate_limit -> shared:openai"]
    assert mock.fallbacks == 1
    assert mock.credits_spent > 0


def test_without_fallback_the_provider_s_own_error_arrives(
    mock: onerouter_mock.OneRouterMock, client: OpenAI
) -> None:
    mock.use("ratelimit")
    once = client.with_options(max_retries=0)
    for _ in range(3):
        once.chat.completions.create(**QUESTION, extra_body=own_key(fallback=False))
    with pytest.raises(openai.RateLimitError) as caught:
        once.chat.completions.create(**QUESTION, extra_body=own_key(fallback=False))
    assert caught.value.code == "rate_limit_exceeded"
    assert caught.value.type == "requests"
    assert caught.value.response.headers["x-ratelimit-limit-requests"] == "3"
    assert caught.value.request_id
    assert mock.credits_spent == 0


def test_true_limit_is_obeyed_and_served_in_no_time_under_jump(
    mock: onerouter_mock.OneRouterMock, client: OpenAI
) -> None:
    mock.use("ratelimit", clock="virtual", waits="jump")
    began = mock.now
    for _ in range(4):
        client.chat.completions.create(**QUESTION, extra_body=own_key(fallback=False))
    assert mock.routes == ["byok:openai"] * 3 + ["byok:openai!rate_limit", "byok:openai"]
    assert mock.now - began == pytest.approx(20.0, abs=0.002)


def test_own_key_of_the_page_s_snippet_is_a_type_error(client: OpenAI) -> None:
    """The documentation's `create(byok_conf=...)` never leaves the package; README says so."""
    with pytest.raises(TypeError, match="byok_conf"):
        client.chat.completions.create(**QUESTION, **own_key())  # type: ignore[call-overload]  # it is wrong


def test_agent_loop_ends(client: OpenAI) -> None:
    messages: list[Any] = [{"role": "user", "content": "Weather in Paris?"}]
    turns = 0
    while True:
        turns += 1
        assert turns <= 2, "the loop ends: after the tool's result the answer is text"
        message = (
            client.chat.completions.create(model="gpt-5.1-chat", messages=messages, tools=[WEATHER])
            .choices[0]
            .message
        )
        if not message.tool_calls:
            break
        messages.append(message.model_dump(exclude_none=True))
        for call in message.tool_calls:
            arguments = json.loads(call.function.arguments)
            assert arguments.keys() == {"city", "unit"}
            assert arguments["unit"] in ("C", "F")
            messages.append({"role": "tool", "tool_call_id": call.id, "content": "22 C"})
    assert turns == 2
    assert message.content


def test_streamed_tool_call_is_put_together(client: OpenAI) -> None:
    with client.chat.completions.stream(
        model="gpt-5.1-chat",
        messages=[{"role": "user", "content": "Weather?"}],
        tools=[WEATHER],
        tool_choice="required",
    ) as stream:
        message = stream.get_final_completion().choices[0].message
    assert message.tool_calls
    assert json.loads(message.tool_calls[0].function.arguments).keys() == {"city", "unit"}


def test_tool_choice_none_answers_in_text(client: OpenAI) -> None:
    answer = client.chat.completions.create(**QUESTION, tools=[WEATHER], tool_choice="none")
    assert answer.choices[0].message.tool_calls is None
    assert answer.choices[0].message.content


class Step(BaseModel):
    explanation: str
    value: int


class Solution(BaseModel):
    steps: list[Step]
    unit: str | None
    final: float


def test_parse_returns_the_asked_model(client: OpenAI) -> None:
    parsed = client.chat.completions.parse(**QUESTION, response_format=Solution).choices[0].message.parsed
    assert isinstance(parsed, Solution)


def test_several_choices_stop_and_length(client: OpenAI) -> None:
    many = client.chat.completions.create(**QUESTION, n=3, max_tokens=5)
    assert [choice.finish_reason for choice in many.choices] == ["length"] * 3
    assert len({choice.message.content for choice in many.choices}) == 3
    whole = client.chat.completions.create(**QUESTION).choices[0].message.content or ""
    word = whole.split()[3]
    stopped = client.chat.completions.create(**QUESTION, stop=[word]).choices[0]
    assert stopped.message.content == whole[: whole.index(word)]
    assert stopped.finish_reason == "stop"


def test_logprobs_spell_the_answer(client: OpenAI) -> None:
    choice = client.chat.completions.create(**QUESTION, logprobs=True, top_logprobs=2).choices[0]
    assert choice.logprobs is not None
    assert choice.logprobs.content is not None
    assert "".join(item.token for item in choice.logprobs.content) == choice.message.content
    assert all(len(item.top_logprobs) == 2 for item in choice.logprobs.content)


def test_cost_comes_with_usage_include(client: OpenAI) -> None:
    answer = client.chat.completions.create(**QUESTION, extra_body={"usage": {"include": True}})
    told: Any = answer.model_extra
    parts = [
        value
        for name, value in told["cost_details"].items()
        if name.endswith("_cost") and name != "byok_cost"
    ]
    assert len(told["cost_details"]) == 16
    assert told["cost"] == round(sum(parts), 6) > 0
    assert told["provider"] == "openai"


async def test_async_streams_run_side_by_side(mock: onerouter_mock.OneRouterMock) -> None:
    async with AsyncOpenAI(base_url=mock.base_url, api_key=mock.api_key) as client:
        stream = await client.chat.completions.create(
            **QUESTION, stream=True, stream_options={"include_usage": True}
        )
        last = [chunk async for chunk in stream][-1]
    assert last.choices == []
    assert last.usage is not None
    assert last.usage.completion_tokens > 0


def test_models_are_listed_and_found_with_a_slash(client: OpenAI) -> None:
    ids = {model.id for model in client.with_options().models.list()}
    assert {"gpt-5.1-chat", "deepseek/deepseek-v3.2"} <= ids
    assert client.models.retrieve("deepseek/deepseek-v3.2").id == "deepseek/deepseek-v3.2"


def test_every_release_gets_the_same_answer(
    mock: onerouter_mock.OneRouterMock, client_name: str, ask: Ask
) -> None:
    mock.use("ratelimit", waits="told")
    # Node passes unknown members through; in Python they travel in extra_body
    body = own_key() if "Node" in client_name else {"extra_body": own_key()}
    question = {"base_url": mock.base_url, "body": body}
    seen = ask(
        [{**question, "name": "plain", "stream": False}, {**question, "name": "streamed", "stream": True}]
    )
    assert seen["plain"] == {**seen["streamed"], "status": None}
    assert seen["plain"]["error"] is None
    assert mock.routes == ["byok:openai", "byok:openai"]


def test_real_waits_take_their_real_time() -> None:
    """Ten times as fast as life: the 20 s of a 3/min limit take 2."""
    with onerouter_mock.serve("ratelimit", clock="real", waits="told", speed=10) as mock:
        client = OpenAI(base_url=mock.base_url, api_key=mock.api_key)
        began = time.monotonic()
        for _ in range(4):
            client.chat.completions.create(**QUESTION, extra_body=own_key(fallback=False))
        assert 1.8 < time.monotonic() - began < 6
        assert mock.routes == ["byok:openai"] * 3 + ["byok:openai!rate_limit", "byok:openai"]
