"""`POST /_mock/verify`: what holds is 200, what does not is 409 with the story."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asking import OWN, Answered, ask, chat

import onerouter_mock
from onerouter_mock import OneRouterMock

FELL = "byok:openai!rate_limit -> shared:openai"


@pytest.fixture(scope="module")
def four_calls() -> Iterator[OneRouterMock]:
    scenario = {"extends": "ratelimit", "keys": {"alice": {"match": "sk-own-*"}}}
    with onerouter_mock.serve(scenario, clock="virtual") as mock:
        for _ in range(4):
            chat(mock.base_url, OWN)
        yield mock


def verify(mock: OneRouterMock, body: Any) -> Answered:
    return ask(f"{mock.url}/_mock/verify", "POST", body)


HOLDS: list[dict[str, Any]] = [
    {"route": FELL},
    {"route": "byok:openai", "nth": 0},
    {"route": "byok:*!rate_limit -> *", "nth": -1},
    {"route": "*"},
    {"routes": ["byok:openai", "byok:openai", "*", FELL]},
    {"served_by": {"lane": "shared"}},
    {"served_by": {"lane": "byok", "provider": "openai", "model": "gpt-5.1-chat"}, "nth": 1},
    {"served_by": {"model": "openai/gpt-5.1-chat"}},
    {"fallbacks": 1},
    {"credits_spent": {"max": 0.01, "min": 0.00001}},
    {"byok_spent": {"max": 1}},
    {"key_used": {"name": "alice", "times": 4}},
    {"findings": "none"},
    {"route": FELL, "fallbacks": 1, "credits_spent": {"max": 1}},
]  # fmt: skip
FAILS: list[tuple[dict[str, Any], str]] = [
    ({"route": "byok:openai"}, "the last call (#4) took another route"),
    ({"route": "shared"}, "took another route"),
    ({"route": "byok:openai", "nth": 9}, "there is no call nth=9: the mock saw 4 calls"),
    ({"routes": ["byok:openai"]}, "the mock saw 4 calls, expected were 1 route"),
    ({"routes": ["*"] * 5}, "the mock saw 4 calls, expected were 5 routes"),
    ({"routes": ["*", "shared:*", "*", "*"]}, "call 2 of 4 (#2) took another route"),
    ({"served_by": {"lane": "byok"}}, "was served by shared"),
    ({"served_by": {"provider": "anthropic"}}, "served by anthropic"),
    ({"fallbacks": 0}, "1 fallback, expected 0"),
    ({"credits_spent": {"max": 0}}, "more credits spent than expected"),
    ({"credits_spent": {"min": 5}}, "less credits spent than expected"),
    ({"key_used": {"name": "bob"}}, "key 'bob' was used in no calls"),
    ({"key_used": {"name": "alice", "times": 1}}, "used in 4 calls"),
    ({"route": FELL, "fallbacks": 0}, "1 fallback, expected 0"),
]
WRONG: list[tuple[Any, str]] = [
    ({"rout": "x"}, "did you mean 'route'?"),
    ({}, "nothing to verify"),
    ({"nth": 0}, "nothing to verify"),
    ([], "no JSON object"),
    ({"route": ""}, "is no route"),
    ({"route": "x", "nth": "0"}, "is no whole number"),
    ({"routes": "byok:openai"}, "is no list of routes"),
    ({"served_by": {}}, "says nobody"),
    ({"served_by": {"line": "byok"}}, "says nobody"),
    ({"fallbacks": True}, "is no count"),
    ({"fallbacks": -1}, "is no count"),
    ({"credits_spent": {"most": 1}}, "is no amount"),
    ({"key_used": {"times": 1}}, "names no key"),
    ({"findings": "some"}, 'findings: "some" is not known; would be right: "none"'),
    (
        {"credits_spent": {"max": None}},
        'credits_spent: {"max": null} is no amount; would be right: {"max": 0.01}',
    ),
    ({"routes": "r" * 500}, "rrr… is no list of routes"),
]


@pytest.mark.parametrize("body", HOLDS, ids=str)
def test_what_holds_is_200(four_calls: OneRouterMock, body: dict[str, Any]) -> None:
    answered = verify(four_calls, body)
    assert answered.status == 200, answered.text


@pytest.mark.parametrize(("body", "says"), FAILS, ids=str)
def test_what_does_not_hold_is_409_with_the_story(
    four_calls: OneRouterMock, body: dict[str, Any], says: str
) -> None:
    answered = verify(four_calls, body)
    assert answered.status == 409
    assert answered.headers["content-type"].startswith("text/plain")
    assert says in answered.text
    assert "what the mock saw (scenario unnamed, seed 0)" in answered.text
    assert "onerouter-mock explain" in answered.text


@pytest.mark.parametrize(("body", "says"), WRONG, ids=str)
def test_what_can_not_be_judged_is_400(four_calls: OneRouterMock, body: Any, says: str) -> None:
    answered = verify(four_calls, body)
    assert answered.status == 400
    assert any(says in problem for problem in answered.json["error"]["problems"])


def test_the_story_of_a_route_shows_where_it_parts_and_why() -> None:
    with onerouter_mock.serve("ratelimit", clock="virtual") as mock:
        for _ in range(4):
            chat(mock.base_url, {**OWN, "fallback": False})
        story = verify(mock, {"route": FELL}).text.splitlines()
    assert story[:4] == [
        "the last call (#4) took another route",
        f"  expected   {FELL}",
        "  got        byok:openai!rate_limit",
        " " * 36 + "^ the shared pool was not tried: byok_conf.fallback is false in this request",
    ]
    marked = next(line for line in story if line.lstrip().startswith(">"))
    assert "#4" in marked
    assert "own-openai: 3/min used up by key …1234" in marked
    assert "(ratelimit.yaml:" in marked
    assert story[-2] == "  nearest: #4 differs in its end only; no call reached the pool"
    assert story[-1] == "  again:   onerouter-mock explain ratelimit --calls 4 --fallback false"


def test_without_a_call_the_story_says_so_and_where_calls_went() -> None:
    with onerouter_mock.serve() as mock:
        chat(f"{mock.url}/s/other/v1")
        story = verify(mock, {"route": FELL})
    assert story.status == 409
    assert story.text.startswith("the mock saw no call\n")
    assert "Sessions that saw calls: other" in story.text


def test_a_verdict_waits_for_a_call_in_flight() -> None:
    with onerouter_mock.serve({"rules": [{"delay": "300ms"}]}) as mock:
        thread = threading.Thread(target=chat, args=(mock.base_url,))
        thread.start()
        mock_calls = f"{mock.url}/_mock/calls"
        while not ask(mock_calls).json["calls"]:
            time.sleep(0.01)
        assert ask(mock_calls).json["calls"][0]["ended_ms"] is None
        assert verify(mock, {"served_by": {"lane": "shared"}}).status == 200
        assert ask(mock_calls).json["calls"][0]["ended_ms"] is not None
        thread.join()


def test_a_verdict_does_not_wait_for_an_endless_silence() -> None:
    with onerouter_mock.serve({"rules": [{"when": {"lane": "router"}, "connection": "hang"}]}) as mock:
        parts = mock.url.removeprefix("http://").split(":")
        with socket.create_connection((parts[0], int(parts[1]))) as client:
            body = b'{"model": "gpt-5.1-chat", "messages": [{"role": "user", "content": "hi"}]}'
            head = "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer any\r\n"
            client.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            while not ask(f"{mock.url}/_mock/calls").json["calls"]:
                time.sleep(0.01)
            began = time.monotonic()
            assert verify(mock, {"route": "router!timeout"}).status == 200
            assert time.monotonic() - began < 0.5


def test_a_story_holds_no_secret(four_calls: OneRouterMock) -> None:
    assert OWN["credentials"] not in verify(four_calls, {"route": "x"}).text
    assert OWN["credentials"] not in ask(f"{four_calls.url}/_mock/calls").text


@pytest.mark.parametrize(
    "scenario",
    ["ratelimit", "ratelimit.yaml", {"extends": "ratelimit", "keys": {"alice": {"match": "sk-own-*"}}}],
    ids=str,
)
def test_the_command_of_a_story_shows_the_same_route_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scenario: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ratelimit.yaml").write_text("seed: 3\nlimits: [{when: {lane: byok}, requests: 9/min}]\n")
    with onerouter_mock.serve(scenario, clock="virtual") as mock:
        mock.shared.fail("overloaded", times=1)
        for own in (OWN, OWN, None):
            chat(mock.base_url, own)
        for nth, route in ((1, "byok:openai"), (2, "shared:openai!overloaded -> shared:azure-ai-foundry")):
            mock.assert_route(route, nth)
            story = verify(mock, {"route": "x", "nth": nth}).text
            command = next(line for line in story.splitlines() if line.startswith("  again:"))[11:]
            command = command.replace("onerouter-mock", f"{sys.executable} -m onerouter_mock")
            shown = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True)
            assert route in shown.stdout, shown.stderr
