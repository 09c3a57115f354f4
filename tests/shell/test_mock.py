"""`OneRouterMock` in this process: what it shall do, what it saw, one object with two protocols."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from asking import OWN, chat
from openai import APIConnectionError, AsyncOpenAI, OpenAI, RateLimitError

import onerouter_mock
from onerouter_mock import OneRouterMock, ScenarioError

ASK: dict[str, Any] = {"model": "gpt-5.1-chat", "messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture
def mock() -> Iterator[OneRouterMock]:
    with onerouter_mock.serve(clock="virtual") as mock:
        yield mock


def test_addresses_and_key_are_what_a_client_takes(mock: OneRouterMock) -> None:
    assert mock.base_url == f"{mock.url}/v1"
    client = OpenAI(base_url=mock.base_url, api_key=mock.api_key)
    client.chat.completions.create(**ASK)
    assert mock.last.route == "shared:openai"
    assert mock.last.served_by is not None
    assert mock.last.served_by.lane == "shared"


def test_an_own_key_that_fails_falls_back_and_the_handle_counts(mock: OneRouterMock) -> None:
    fault = mock.byok.fail("rate_limit", times=1)
    chat(mock.base_url, OWN)
    chat(mock.base_url, OWN)
    assert mock.routes == ["byok:openai!rate_limit -> shared:openai", "byok:openai"]
    assert fault.used == 1
    assert mock.fallbacks == 1
    assert mock.credits_spent == mock.calls[0].cost > 0
    assert mock.byok_spent == mock.calls[1].byok_cost > 0


def test_a_fault_in_a_with_is_gone_after_it_and_keeps_its_count(mock: OneRouterMock) -> None:
    with mock.shared.fail(503) as fault:
        assert chat(mock.base_url).status == 502
    assert chat(mock.base_url).status == 200
    assert fault.used == 2  # both providers of the pool
    fault.remove()


def test_a_rule_is_known_by_the_test_line_that_added_it(mock: OneRouterMock) -> None:
    mock.byok.fail("quota")
    chat(mock.base_url, OWN)
    where = mock.last.attempts[0].where
    assert where is not None
    assert where.partition(":")[0].endswith("test_mock.py")


def test_the_fault_said_last_wins(mock: OneRouterMock) -> None:
    mock.byok.fail("rate_limit")
    mock.byok.fail("invalid_key", message="no such key", retry_after=timedelta(seconds=2))
    answered = chat(mock.base_url, {**OWN, "fallback": False})
    assert answered.status == 401
    assert answered.json["error"]["message"] == "no such key"


@pytest.mark.parametrize(
    ("filter_", "hit"),
    [({"provider": "openai"}, True), ({"provider": "anthropic"}, False), ({"model": "gpt-5*"}, True),
     ({"model": "x"}, False),
     ({"key": "sk-own-*"}, True), ({"key": "sk-other-*"}, False), ({"stream": True}, False),
     ({"skip": 1}, False)],
)  # fmt: skip
def test_faults_concern_only_what_was_said(mock: OneRouterMock, filter_: dict[str, Any], hit: bool) -> None:
    fault = mock.byok.fail("server_error", **filter_)
    chat(mock.base_url, OWN)
    assert fault.used == int(hit)


def test_a_limit_draws_and_refills_by_the_mocks_clock(mock: OneRouterMock) -> None:
    limit = mock.byok.limit(requests="2/min")
    for _ in range(3):
        chat(mock.base_url, OWN)
    assert limit.used == 2
    assert mock.last.route == "byok:openai!rate_limit -> shared:openai"
    mock.advance(30)
    chat(mock.base_url, OWN)
    assert mock.last.route == "byok:openai"
    assert mock.now == 30


def test_a_quota_with_its_own_error(mock: OneRouterMock) -> None:
    mock.byok.limit(quota="1 requests", error={"kind": "quota", "should_retry": False})
    chat(mock.base_url, OWN)
    answered = chat(mock.base_url, {**OWN, "fallback": False})
    assert answered.headers["x-should-retry"] == "false"


def test_slow_answers_take_no_real_time_and_tell_what_they_would_have(mock: OneRouterMock) -> None:
    mock.byok.slow(2.5)
    mock.shared.slow(ttft="1s", rate=10)
    chat(mock.base_url, OWN)
    assert mock.last.ended_ms == 2500
    chat(mock.base_url, stream=True)
    assert mock.last.ended_ms is not None
    assert mock.last.ended_ms > 3000


def test_slow_that_says_nothing_is_told_how(mock: OneRouterMock) -> None:
    with pytest.raises(TypeError, match=r'slow\("2s"\)'):
        mock.byok.slow()


def test_a_cut_stream_breaks_after_its_tokens(mock: OneRouterMock) -> None:
    mock.shared.cut(after="3 tokens", do="truncate")
    client = OpenAI(base_url=mock.base_url, api_key=mock.api_key)
    list(client.chat.completions.create(**ASK, stream=True))
    assert mock.last.route == "shared:openai~truncate"
    assert mock.last.sent is not None
    assert mock.last.sent.tokens == 3


def test_a_dropped_connection_in_the_router_lane_reaches_the_client(mock: OneRouterMock) -> None:
    mock.router.drop()
    client = OpenAI(base_url=mock.base_url, api_key=mock.api_key, max_retries=0)
    with pytest.raises(APIConnectionError):
        client.chat.completions.create(**ASK)
    assert mock.last.route == "router!connection"


@pytest.mark.parametrize("lane", ["byok", "shared", "router"])
def test_a_reply_is_said_as_written(mock: OneRouterMock, lane: str) -> None:
    getattr(mock, lane).reply("Forty-two.")
    answered = chat(mock.base_url, OWN if lane == "byok" else None)
    assert answered.json["choices"][0]["message"]["content"] == "Forty-two."


def test_a_reply_of_fields(mock: OneRouterMock) -> None:
    mock.router.reply(tool_calls=[{"name": "weather", "arguments": {"city": "Bern"}}])
    assert chat(mock.base_url).json["choices"][0]["message"]["tool_calls"][0]["function"]["name"] == "weather"


def test_rules_and_limits_of_the_language_itself(mock: OneRouterMock) -> None:
    rule = mock.rule(when={"provider": "openai"}, steps=[{"error": 429}, {"ok": True}], then="loop")
    mock.limit(name="account-wide", when={"lane": "router"}, requests="3/min")
    assert [chat(mock.base_url).status for _ in range(4)] == [200, 200, 200, 429]
    assert rule.used == 3
    fell = "shared:openai!rate_limit -> shared:azure-ai-foundry"
    assert mock.routes == [fell, "shared:openai", fell, "router!rate_limit"]


@pytest.mark.parametrize(
    "scenario",
    ["outage", {"extends": "outage"}, "extends: outage", '{"extends": "outage"}', "own.yaml",
     Path("own.yaml"), "./own.yaml"],
    ids=str,
)  # fmt: skip
def test_use_takes_a_name_a_path_a_dict_or_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scenario: Any
) -> None:
    (tmp_path / "own.yaml").write_text("extends: outage\n")
    monkeypatch.chdir(tmp_path)
    with onerouter_mock.serve(clock="virtual") as mock:
        chat(mock.base_url, OWN)
        mock.use(scenario, clock="virtual")
        assert chat(mock.base_url, {**OWN, "fallback": False}).status == 503
        assert len(mock.calls) == 2


def test_overrides_merge_into_a_scenario_and_wrong_ones_are_told(mock: OneRouterMock) -> None:
    mock.use("ratelimit", seed=7, router={"timeout": 9}, clock="virtual")
    told = mock._control.read("scenario")
    assert (told["name"], told["seed"], told["router"], len(told["limits"])) == (
        "ratelimit",
        7,
        {"timeout": "9s"},
        1,
    )
    with pytest.raises(ScenarioError, match="did you mean 'router'"):
        mock.use("ratelimit", routr={})


def test_reset_makes_the_world_as_it_was(mock: OneRouterMock) -> None:
    mock.use("outage", clock="virtual")
    mock.byok.fail("quota")
    mock.advance("5s")
    chat(mock.base_url)
    mock.reset()
    assert (mock.calls, mock.now, mock.credits_spent, mock.routes) == ([], 0, 0, [])
    chat(mock.base_url, OWN)
    assert mock.routes == ["byok:openai"]
    fault = mock.byok.fail("quota")
    assert fault.name == "byok-fail"


def test_a_wrong_fault_is_an_error_with_a_hint(mock: OneRouterMock) -> None:
    with pytest.raises(ScenarioError, match="did you mean 'rate_limit'"):
        mock.byok.fail("rate_limt")
    with pytest.raises(TypeError, match="'colour' is no word of it"):
        mock.byok.fail("rate_limit", colour="red")
    with pytest.raises(ScenarioError, match="3/min"):
        mock.byok.limit(3)  # type: ignore[arg-type]


def test_the_sdk_retries_without_sleeping_and_the_clock_jumps(mock: OneRouterMock) -> None:
    mock.byok.limit("3/min")
    client = OpenAI(base_url=mock.base_url, api_key=mock.api_key)
    for _ in range(4):
        client.chat.completions.create(**ASK, extra_body={"byok_conf": {**OWN, "fallback": False}})
    assert mock.routes == ["byok:openai"] * 3 + ["byok:openai!rate_limit", "byok:openai"]
    assert mock.now == 20


def test_waiting_for_calls_of_a_thread(mock: OneRouterMock) -> None:
    timer = threading.Timer(0.05, chat, (mock.base_url,))
    timer.start()
    assert [call.route for call in mock.wait_for_calls(1)] == ["shared:openai"]
    timer.join()


def test_waiting_in_vain_tells_what_was_seen(mock: OneRouterMock) -> None:
    chat(mock.base_url)
    with pytest.raises(AssertionError, match="waited 20ms for 3 calls; 1 ended") as failed:
        mock.wait_for_calls(3, timeout=0.02)
    assert isinstance(failed.value, TimeoutError)
    assert "shared:openai" in str(failed.value)


def test_last_without_a_call_tells_the_address_and_the_cures(mock: OneRouterMock) -> None:
    with pytest.raises(AssertionError, match="the mock saw no call") as failed:
        _ = mock.last
    assert mock.base_url in str(failed.value)
    assert "OpenAI(base_url=mock.base_url, api_key=mock.api_key)" in str(failed.value)


def test_assertions_hold_or_tell_the_story(mock: OneRouterMock) -> None:
    mock.use({"keys": {"alice": {"match": "sk-own-*"}}}, clock="virtual")
    fault = mock.byok.fail("rate_limit", times=1)
    chat(mock.base_url, OWN)
    mock.assert_route("byok:openai!rate_limit -> shared:openai")
    mock.assert_routes(["byok:*"])
    mock.assert_served_by("shared", "openai", "gpt-5.1-chat")
    mock.assert_served_by(lane="shared", nth=0)
    mock.assert_key_used("alice", times=1)
    with pytest.raises(AssertionError) as failed:
        mock.assert_served_by("byok")
    story = str(failed.value)
    assert "was served by shared" in story
    assert f"{fault.name}: openai answered 429 rate_limit to key alice …1234" in story
    assert "test_mock.py:" in story
    assert "--key sk-own-made-up" in story


def test_with_no_call_an_assertion_tells_the_cures(mock: OneRouterMock) -> None:
    with pytest.raises(AssertionError, match=r"the mock saw no call\n  expected   byok:openai\n"):
        mock.assert_route("byok:openai")
    mock.assert_routes([])


async def test_one_object_two_protocols() -> None:
    async with onerouter_mock.serve("healthy", clock="virtual") as mock:
        client = AsyncOpenAI(base_url=mock.base_url, api_key=mock.api_key, max_retries=0)
        mock.byok.fail("rate_limit")
        with pytest.raises(RateLimitError):
            await client.chat.completions.create(**ASK, extra_body={"byok_conf": {**OWN, "fallback": False}})
        mock.assert_route("byok:openai!rate_limit")
        task = asyncio.create_task(client.chat.completions.create(**ASK))
        assert len(await asyncio.to_thread(mock.wait_for_calls, 2)) == 2
        await task
        await client.close()


async def test_waiting_in_the_tests_own_loop_is_told_how() -> None:
    async with onerouter_mock.serve() as mock:
        with pytest.raises(AssertionError, match=r"await asyncio.to_thread\(onerouter.wait_for_calls, 1\)"):
            mock.wait_for_calls(1, timeout=0.02)


def test_a_closed_mock_answers_no_more_and_closes_twice() -> None:
    mock = onerouter_mock.serve()
    assert chat(mock.base_url).status == 200
    mock.close()
    mock.close()
    with pytest.raises(ConnectionError):
        chat(mock.base_url)


def test_two_mocks_are_two_worlds() -> None:
    with onerouter_mock.serve() as one, onerouter_mock.serve() as other:
        one.shared.fail("overloaded")
        assert (chat(one.base_url).status, chat(other.base_url).status) == (502, 200)
        assert (len(one.calls), len(other.calls)) == (1, 1)
