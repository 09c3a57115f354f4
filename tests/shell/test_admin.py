"""The control API over a real socket: every route, its errors, its door."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from asking import OWN, Answered, ask, chat

import onerouter_mock
from onerouter_mock import OneRouterMock


@pytest.fixture
def mock() -> Iterator[OneRouterMock]:
    with onerouter_mock.serve("ratelimit", clock="virtual") as mock:
        yield mock


def control(
    mock: OneRouterMock, path: str, method: str = "GET", body: object = None, **headers: str
) -> Answered:
    return ask(f"{mock.url}/_mock{path}", method, body, headers)


def test_calls_are_listed_oldest_first_and_cut_by_limit_and_after(mock: OneRouterMock) -> None:
    for _ in range(4):
        chat(mock.base_url, OWN)
    assert [call["id"] for call in control(mock, "/calls").json["calls"]] == [1, 2, 3, 4]
    assert [call["id"] for call in control(mock, "/calls?limit=2").json["calls"]] == [3, 4]
    assert [call["id"] for call in control(mock, "/calls?after=1&limit=2").json["calls"]] == [2, 3]
    assert control(mock, "/calls").json["dropped"] == 0


def test_calls_as_text_read_as_people_read_them(mock: OneRouterMock) -> None:
    for _ in range(4):
        chat(mock.base_url, OWN)
    answered = control(mock, "/calls?format=text")
    assert answered.headers["content-type"].startswith("text/plain")
    assert "byok:openai!rate_limit -> shared:openai" in answered.text
    assert "own-openai: 3/min used up by key …1234, free in 20s (ratelimit.yaml:" in answered.text


def test_one_call_is_found_by_its_id_and_by_its_request_ids(mock: OneRouterMock) -> None:
    answered = chat(mock.base_url, OWN)
    entry = control(mock, "/calls/1").json
    assert entry["route"] == "byok:openai"
    assert control(mock, f"/calls/{entry['request_id']}").json == entry
    assert control(mock, f"/calls/{answered.headers['x-request-id']}").json == entry
    assert control(mock, "/calls/2").status == 404


def test_waiting_for_calls_ends_as_soon_as_enough_have_ended(mock: OneRouterMock) -> None:
    def call_later() -> None:
        time.sleep(0.05)
        for _ in range(2):
            chat(mock.base_url)

    thread = threading.Thread(target=call_later)
    thread.start()
    began = time.monotonic()
    calls = control(mock, "/calls?wait=5s&count=2").json["calls"]
    assert time.monotonic() - began < 3
    thread.join()
    assert [call["ending"] for call in calls] == ["finish", "finish"]


def test_waiting_in_vain_answers_what_is_there(mock: OneRouterMock) -> None:
    chat(mock.base_url)
    answered = control(mock, "/calls?wait=30ms&count=2")
    assert answered.status == 200
    assert len(answered.json["calls"]) == 1


def test_forgetting_the_journal_keeps_the_state(mock: OneRouterMock) -> None:
    for _ in range(3):
        chat(mock.base_url, OWN)
    assert control(mock, "/calls", "DELETE").status == 200
    assert control(mock, "/calls").json["calls"] == []
    chat(mock.base_url, OWN)
    assert control(mock, "/calls").json["calls"][0]["route"] == "byok:openai!rate_limit -> shared:openai"


@pytest.mark.parametrize(
    ("text", "key"), [("extends: outage\nseed: 3", "rules"), ('{"extends": "outage", "seed": 3}', "rules")]
)
def test_a_scenario_is_replaced_by_yaml_or_json_and_reset_returns(
    mock: OneRouterMock, text: str, key: str
) -> None:
    answered = control(mock, "/scenario", "PUT", text.encode())
    assert answered.status == 200
    assert answered.json["seed"] == 3
    assert answered.json[key]
    assert control(mock, "/scenario").json == answered.json
    assert control(mock, "/reset", "POST").status == 200
    assert control(mock, "/scenario").json["name"] == "ratelimit"


def test_what_get_scenario_tells_makes_the_same_scenario_again(mock: OneRouterMock) -> None:
    control(mock, "/rules", "POST", {"rules": [{"when": {"lane": "shared"}, "error": "overloaded"}]})
    told = control(mock, "/scenario")
    assert control(mock, "/scenario", "PUT", told.body).json == told.json
    assert chat(mock.base_url).status == 502


WRONG = ["extends: /etc/passwd", "extends: ../x.yaml", "extends: ./ratelimit.yaml", "{", "rules: 3",
         "extends: nope", "sed: 3", "- a"]  # fmt: skip


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_scenario_is_answered_with_all_that_is_wrong(mock: OneRouterMock, text: str) -> None:
    answered = control(mock, "/scenario", "PUT", text.encode())
    error = answered.json["error"]
    assert answered.status == 400
    assert error["type"] == "onerouter_mock"
    assert error["problems"]
    assert "root:" not in answered.text
    assert control(mock, "/scenario").json["name"] == "ratelimit"


def test_added_rules_stand_in_front_and_are_removed_by_name(mock: OneRouterMock) -> None:
    body = {
        "rules": [{"name": "down", "when": {"lane": "byok"}, "error": "server_error"}],
        "limits": [{"name": "tight", "when": {"lane": "shared"}, "requests": "1/min"}],
        "where": "test_app.py:12",
    }
    answered = control(mock, "/rules", "POST", body)
    assert answered.json == {"names": ["down", "tight"], "rules": ["down"], "limits": ["tight"]}
    chat(mock.base_url, OWN)
    attempt = control(mock, "/calls").json["calls"][0]["attempts"][0]
    assert (attempt["cause"], attempt["where"]) == ("rule down", "test_app.py:12")
    listed = control(mock, "/rules").json
    assert [(limit["name"], limit["added"]) for limit in listed["limits"]] == [
        ("tight", True),
        ("own-openai", False),
    ]
    assert control(mock, "/rules/down", "DELETE").json == {"removed": ["down"]}
    assert control(mock, "/rules/down", "DELETE").status == 404
    assert "scenario's own" in control(mock, "/rules/own-openai", "DELETE").json["error"]["message"]
    assert control(mock, "/rules", "DELETE").json == {"removed": ["tight"]}


def test_a_later_post_stands_before_an_earlier_one(mock: OneRouterMock) -> None:
    for kind in ("server_error", "quota"):
        control(mock, "/rules", "POST", {"rules": [{"when": {"lane": "byok"}, "error": kind}]})
    assert "insufficient_quota" in chat(mock.base_url, {**OWN, "fallback": False}).text


def test_clock_goes_forward_only_and_only_by_durations(mock: OneRouterMock) -> None:
    assert control(mock, "/clock").json["now"] == 0
    assert control(mock, "/clock", "POST", {"advance": "61s"}).json["now"] == 61
    assert control(mock, "/clock").json["mode"] == "virtual"
    for wrong in ({"advance": 61}, {"advance": "61"}, {"advance": "-1s"}, {}, {"advance": "1s", "x": 1}, []):
        answered = control(mock, "/clock", "POST", wrong)
        assert answered.status == 400
        assert "61s" in answered.text or "would be right" in answered.text
    assert control(mock, "/clock").json["now"] == 61


def test_state_tells_what_is_left_of_a_budget(mock: OneRouterMock) -> None:
    chat(mock.base_url, OWN)
    state = control(mock, "/state").json
    assert set(state) >= {"now", "mode", "limits", "rules", "cooldowns", "accounts"}
    limit = state["limits"][0]
    assert (limit["name"], limit["budget"], limit["used"], limit["remaining"]) == (
        "own-openai",
        "3/min",
        1,
        2,
    )


def test_stats_have_the_form_of_a_matrix_cell(mock: OneRouterMock) -> None:
    chat(mock.base_url, OWN)
    chat(mock.base_url)
    stats = control(mock, "/stats").json
    assert stats["calls"] == 2
    assert stats["routes"] == {"byok:openai": 1, "shared:openai": 1}
    assert stats["served_by"] == {"byok": 1, "shared": 1, "nobody": 0}
    assert stats["credits_spent"] > 0
    assert stats["findings"] == []


def test_findings_are_none_yet(mock: OneRouterMock) -> None:
    assert control(mock, "/findings").json == {"ok": True, "findings": []}
    assert control(mock, "/findings?format=text").text == "no findings\n"


def test_sessions_have_worlds_of_their_own_and_can_be_dropped(mock: OneRouterMock) -> None:
    chat(f"{mock.url}/s/one/v1")
    chat(mock.base_url, headers={"X-Onerouter-Session": "two"})
    names = {session["name"]: session["calls"] for session in control(mock, "/sessions").json["sessions"]}
    assert names == {"one": 1, "two": 1}
    assert len(ask(f"{mock.url}/s/one/_mock/calls").json["calls"]) == 1
    assert control(mock, "/sessions/one", "DELETE").json == {"dropped": "one"}
    assert control(mock, "/sessions/one", "DELETE").status == 404
    assert ask(f"{mock.url}/s/one/_mock/calls").json["calls"] == []


def test_the_root_of_the_control_api_lists_its_routes(mock: OneRouterMock) -> None:
    routes = control(mock, "").json["routes"]
    assert {"GET", "POST", "PUT", "DELETE"} == {route["method"] for route in routes}
    assert control(mock, "/").json["routes"] == routes


@pytest.mark.parametrize(
    ("method", "path", "status", "hint"),
    [
        ("GET", "/call", 404, "did you mean /_mock/calls?"),
        ("GET", "/xyz", 404, "GET /_mock lists the routes"),
        ("DELETE", "/state", 405, "would be right: GET"),
        ("OPTIONS", "/scenario", 405, "GET, PUT"),
        ("GET", "/calls?limt=3", 400, "did you mean 'limit'?"),
        ("GET", "/calls?limit=-1", 400, "limit=3"),
        ("GET", "/calls?wait=2", 400, "2s"),
        ("GET", "/calls?format=xml", 400, "format=text"),
        ("POST", "/rules", 400, "would be right"),
        ("POST", "/verify", 400, "would be right"),
    ],
)
def test_a_wrong_question_is_told_what_would_be_right(
    mock: OneRouterMock, method: str, path: str, status: int, hint: str
) -> None:
    answered = control(mock, path, method)
    assert answered.status == status
    assert hint in answered.json["error"]["message"]
    assert answered.json["error"]["type"] == "onerouter_mock"
    assert "content-length" in answered.headers


def test_control_requests_are_not_journaled(mock: OneRouterMock) -> None:
    control(mock, "/state")
    control(mock, "/nope")
    assert control(mock, "/calls").json["calls"] == []


@pytest.mark.parametrize(
    "path", ["/_mock/calls", "/%5Fmock/calls", "/_mock%2Fcalls", "/s/a/%5Fmock/calls", "/_mock/events"]
)
def test_the_door_stands_on_the_decoded_path(mock: OneRouterMock, path: str) -> None:
    assert ask(mock.url + path, headers={"Host": "evil.com"}).status == 403


def test_a_foreign_page_can_neither_write_nor_read(mock: OneRouterMock) -> None:
    foreign = {"Origin": "http://evil.com", "Sec-Fetch-Site": "cross-site"}
    answered = ask(f"{mock.url}/_mock/reset", "POST", headers=foreign)
    assert answered.status == 403
    read = ask(f"{mock.url}/_mock/calls", headers=foreign)
    assert not [name for name in {**answered.headers, **read.headers} if name.startswith("access-control")]
    assert ask(f"{mock.url}/_mock/reset", "POST", headers={"Origin": mock.url}).status == 200


def test_events_tell_each_call_as_it_begins_and_as_it_ends(mock: OneRouterMock) -> None:
    host, port = mock.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as reader:
        reader.sendall(b"GET /_mock/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        seen = b""
        while b"each call" not in seen:
            seen += reader.recv(65536)
        chat(f"{mock.url}/s/other/v1")
        chat(mock.base_url, OWN)
        while seen.count(b"data: ") < 2 or not seen.endswith(b"\n\n\r\n"):
            seen += reader.recv(65536)
    entries = [json.loads(line[6:]) for line in seen.splitlines() if line.startswith(b"data: ")]
    assert [(entry["id"], entry["ending"], entry["session"]) for entry in entries] == [
        (1, None, "default"),
        (1, "finish", "default"),
    ]
