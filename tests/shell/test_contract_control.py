"""Promises about the control API: what each route answers, what a world keeps, how its clock moves."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from asking import OWN, Answered, ask, chat

from onerouter_mock import OneRouterMock, serve

ONLY = {**OWN, "fallback": False}
LIMIT = {"name": "own-openai", "when": {"lane": "byok", "provider": "openai"}, "requests": "3/min"}


@pytest.fixture
def mock() -> Iterator[OneRouterMock]:
    with serve({"limits": [LIMIT]}, clock="virtual") as mock:
        yield mock


def control(mock: OneRouterMock, path: str, method: str = "GET", body: Any = None) -> Answered:
    return ask(f"{mock.url}/_mock{path}", method, body)


def problem(answered: Answered) -> str:
    error = answered.json["error"]
    assert set(error) == {"type", "message", "problems"}
    assert (error["type"], bool(error["problems"])) == ("onerouter_mock", True)
    assert int(answered.headers["content-length"]) == len(answered.body)
    return str(error["message"])


def test_health_tells_the_version(mock: OneRouterMock) -> None:
    answered = ask(f"{mock.url}/healthz").json
    assert (answered["status"], set(answered)) == ("ok", {"status", "version"})


def test_the_state_in_its_shape() -> None:
    fields = {
        "keys": {"alice": {"match": "sk-own-*"}},
        "accounts": {"team": {"match": "sk-team-*", "credits": 2}},
    }
    cooldown = {"failures": 1, "within": "1m", "for": "30s"}
    rule = {"name": "down", "when": {"lane": "byok"}, "skip": 1, "times": 3, "error": 503}
    scenario = {"limits": [LIMIT], "rules": [rule], "router": {"cooldown": cooldown}, **fields}
    with serve(scenario, clock="virtual") as mock:
        chat(mock.base_url, OWN, {"Authorization": "Bearer sk-team-1"})
        chat(mock.base_url, OWN, {"Authorization": "Bearer sk-team-1"})
        mock.advance("5s")
        state = control(mock, "/state").json
        calls = mock.calls
    assert list(state) == ["now", "mode", "limits", "rules", "cooldowns", "accounts"]
    assert (state["now"], state["mode"]) == (5, "virtual")
    assert state["limits"] == [
        {
            "name": "own-openai",
            "per": {"key": "alice"},
            "budget": "3/min",
            "used": 2,
            "remaining": 1,
            "full_in_s": 35,
        }
    ]
    assert state["rules"] == [{"name": "down", "matched": 2, "acted": 1, "left": 2}]
    assert state["cooldowns"] == [{"lane": "byok", "provider": "openai", "key": "alice", "until_s": 30}]
    team, default = state["accounts"]
    assert (team["name"], default["name"], default["credits"]) == ("team", "default", 1000)
    assert set(team) == {"name", "credits", "spent", "byok_spent"}
    assert (team["spent"], team["byok_spent"]) == (calls[1].cost, calls[0].byok_cost)
    assert team["credits"] == pytest.approx(2 - calls[1].cost)


def test_the_clock_goes_forward(mock: OneRouterMock) -> None:
    answered = control(mock, "/clock", "POST", {"advance": "1m1s"}).json
    assert (answered["now"], answered["mode"]) == (61, "virtual")
    assert control(mock, "/clock").json == answered
    assert chat(mock.base_url).headers["date"] == "Thu, 01 Jan 2026 00:01:01 GMT"
    assert chat(mock.base_url).json["created"] == 1_767_225_661
    assert (mock.last.arrived_at, mock.last.clock) == ("2026-01-01T00:01:01.000Z", 61)


def test_a_real_clock_goes_forward_too(mock: OneRouterMock) -> None:
    with serve({"limits": [LIMIT], "speed": 100}, clock="real") as real:
        control(real, "/clock", "POST", {"advance": "1h"})
        assert control(real, "/clock").json["mode"] == "real"
        assert 3600 <= real.now < 3700
        for _ in range(4):
            answered = chat(real.base_url, ONLY)
        assert answered.status == 429
        assert int(answered.headers["retry-after-ms"]) <= 200  # 20 s, told divided by the speed


@pytest.mark.parametrize(
    "body", [{}, {"advance": 61}, {"advance": "61"}, {"advance": "-1s"}, {"advance": None}, [], b"x"]
)
def test_a_wrong_advance_moves_nothing(mock: OneRouterMock, body: Any) -> None:
    answered = control(mock, "/clock", "POST", body)
    assert answered.status == 400
    assert problem(answered)
    assert mock.now == 0


def test_a_new_scenario_keeps_journal_and_time_and_nothing_else(mock: OneRouterMock) -> None:
    for _ in range(4):
        chat(mock.base_url, ONLY)
    mock.advance("5s")
    mock.byok.fail("overloaded")
    assert control(mock, "/scenario", "PUT", {"extends": "ratelimit", "clock": "virtual"}).status == 200
    assert (len(mock.calls), mock.now) == (4, 5)
    assert control(mock, "/rules").json["rules"] == []
    state = control(mock, "/state").json
    assert (state["limits"][0]["used"], state["accounts"][0]["byok_spent"]) == (0, 0)
    assert chat(mock.base_url, ONLY).status == 200
    assert (mock.last.id, mock.last.clock) == (5, 5)


def test_reset_is_the_world_as_it_was_at_its_start(mock: OneRouterMock) -> None:
    first = chat(mock.base_url, ONLY)
    mock.advance("5s")
    mock.byok.fail("overloaded")
    mock.use("outage")
    chat(mock.base_url)
    assert control(mock, "/reset", "POST").status == 200
    assert (mock.calls, mock.now, mock.credits_spent) == ([], 0, 0)
    assert control(mock, "/state").json["limits"][0]["name"] == "own-openai"
    again = chat(mock.base_url, ONLY)
    assert (again.headers, again.body) == (first.headers, first.body)


def test_forgetting_the_journal_keeps_state_and_totals(mock: OneRouterMock) -> None:
    chat(mock.base_url, ONLY)
    assert control(mock, "/calls", "DELETE").status == 200
    assert control(mock, "/calls").json == {"calls": [], "dropped": 0}
    assert control(mock, "/state").json["limits"][0]["used"] == 1
    assert control(mock, "/stats").json["calls"] == 1


def test_the_newest_post_stands_in_front_each_in_its_own_order(mock: OneRouterMock) -> None:
    def post(*rules: dict[str, Any]) -> Any:
        return control(mock, "/rules", "POST", {"rules": list(rules)}).json["names"]

    assert post({"name": "a", "error": 500}, {"name": "b", "error": 501}) == ["a", "b"]
    assert chat(mock.base_url, ONLY).status == 500
    assert post({"name": "c", "error": 502}) == ["c"]
    assert chat(mock.base_url, ONLY).status == 502
    assert [rule["name"] for rule in control(mock, "/rules").json["rules"]] == ["c", "a", "b"]
    assert control(mock, "/rules/c", "DELETE").status == 200
    assert control(mock, "/rules/a", "DELETE").status == 200
    assert chat(mock.base_url, ONLY).status == 501
    assert control(mock, "/rules/c", "DELETE").status == 404
    assert control(mock, "/rules", "DELETE").status == 200
    mock.advance("1m")
    assert chat(mock.base_url, ONLY).status == 200


@pytest.mark.parametrize(
    ("path", "method", "body"),
    [
        ("/scenario", "PUT", b"rules: 3"),
        ("/scenario", "PUT", b"{"),
        ("/scenario", "PUT", b"outage"),
        ("/scenario", "PUT", b'{"extends": "../../etc/passwd"}'),
        ("/scenario", "PUT", b"extends: /etc/passwd"),
        ("/scenario", "PUT", b"a: &x 1"),
        ("/scenario", "PUT", b"[" * 50_000),
        ("/scenario", "PUT", b"\xff"),
        ("/rules", "POST", b"{}"),
        ("/rules", "POST", b'{"rules": [{"eror": 1}]}'),
        ("/rules", "POST", b'{"seed": 3}'),
        ("/verify", "POST", b"{}"),
        ("/verify", "POST", b'{"rout": "x"}'),
        ("/calls?limit=x", "GET", None),
        ("/calls?wait=2", "GET", None),
        ("/calls?format=xml", "GET", None),
        ("/nowhere", "GET", None),
        ("/calls/99", "GET", None),
        ("/sessions/none", "DELETE", None),
        ("/calls", "PATCH", None),
    ],
)
def test_a_wrong_question_changes_nothing_and_is_told_why(
    mock: OneRouterMock, path: str, method: str, body: bytes | None
) -> None:
    before = control(mock, "/scenario").json
    answered = control(mock, path, method, body)
    assert 400 <= answered.status < 500
    assert problem(answered)
    assert control(mock, "/scenario").json == before


@pytest.mark.parametrize(
    ("expectation", "holds"),
    [
        ({"route": "byok:openai!rate_limit -> shared:openai"}, True),
        ({"route": "byok:*", "nth": 0}, True),
        ({"route": "byok:openai"}, False),
        ({"route": "shared"}, False),
        ({"routes": ["byok:openai", "byok:openai", "byok:openai", "*"]}, True),
        ({"routes": ["byok:openai"]}, False),
        ({"served_by": {"lane": "shared", "provider": "openai"}}, True),
        ({"served_by": {"lane": "byok"}, "nth": -1}, False),
        ({"fallbacks": 1}, True),
        ({"fallbacks": 0}, False),
        ({"credits_spent": {"max": 1}}, True),
        ({"credits_spent": {"max": 0}}, False),
        ({"findings": "none"}, True),
        ({"fallbacks": 1, "credits_spent": {"max": 0}}, False),
    ],
)
def test_verify_says_whether_all_of_it_holds(
    mock: OneRouterMock, expectation: dict[str, Any], holds: bool
) -> None:
    for _ in range(4):
        chat(mock.base_url, OWN)
    answered = control(mock, "/verify", "POST", expectation)
    assert answered.status == (200 if holds else 409)
    if not holds:
        assert answered.headers["content-type"].startswith("text/plain")


def test_stats_have_the_members_of_a_matrix_cell(mock: OneRouterMock) -> None:
    for _ in range(4):
        chat(mock.base_url, OWN)
    chat(mock.base_url, headers={"Authorization": ""})
    cell = control(mock, "/stats").json
    assert {
        "scenario",
        "fallback",
        "exit_code",
        "calls",
        "routes",
        "served_by",
        "credits_spent",
        "findings",
    } <= set(cell)
    assert (cell["calls"], cell["served_by"]) == (5, {"byok": 3, "shared": 1, "nobody": 1})
    assert cell["routes"] == {
        "byok:openai": 3,
        "byok:openai!rate_limit -> shared:openai": 1,
        "router!invalid_key": 1,
    }
    assert cell["credits_spent"] == mock.calls[3].cost > 0


def test_waiting_ends_with_the_calls_or_with_patience(mock: OneRouterMock) -> None:
    threading.Timer(0.05, chat, (mock.base_url,)).start()
    began_s = time.monotonic()
    assert len(control(mock, "/calls?wait=5s&count=1").json["calls"]) == 1
    assert time.monotonic() - began_s < 3
    answered = control(mock, "/calls?wait=50ms&count=2")
    assert (answered.status, len(answered.json["calls"])) == (200, 1)


def test_sessions_are_listed_dropped_and_keep_apart(mock: OneRouterMock) -> None:
    chat(f"{mock.url}/s/one/v1", ONLY)
    assert ask(f"{mock.url}/s/one/_mock/clock", "POST", {"advance": "9s"}).json["now"] == 9
    assert mock.now == 0
    assert {entry["name"] for entry in control(mock, "/sessions").json["sessions"]} == {"default", "one"}
    assert control(mock, "/sessions/one", "DELETE").status == 200
    assert ask(f"{mock.url}/s/one/_mock/calls").json["calls"] == []
    assert ask(f"{mock.url}/s/one/_mock/clock").json["now"] == 0


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "mock"}, 200),
        ({"Host": "mock.internal:4117"}, 200),
        ({"Host": "evil.example"}, 403),
        ({"Host": "127.0.0.1.evil.example"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
    ],
)
def test_the_door(mock: OneRouterMock, headers: dict[str, str], status: int) -> None:
    answered = ask(f"{mock.url}/_mock/reset", "POST", None, headers)
    assert answered.status == status
    assert not any(name.startswith("access-control-") for name in answered.headers)
    assert chat(mock.base_url, headers=headers).status == 200  # the emulated API answers to all
