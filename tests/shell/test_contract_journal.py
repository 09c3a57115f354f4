"""Promises about the journal: what an entry holds, when it is there, what it costs, what sessions share."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

import pytest
from asking import OWN, ask, chat

from onerouter_mock import OneRouterMock, serve

ONLY = {**OWN, "fallback": False}
MEMBERS = [
    "id", "session", "request_id", "endpoint", "method", "path", "model", "stream", "account", "byok", "attempts",
    "skipped", "route", "served_by", "status", "error", "usage", "cost", "byok_cost", "ending", "sdk_retry",
    "request", "sent", "notices", "arrived_at", "clock", "ended_ms", "findings",
]  # fmt: skip
ATTEMPT = ["n", "lane", "provider", "model", "result", "status", "cause", "where", "at_ms", "took_ms"]


def entry_of(mock: OneRouterMock, session: str = "", nth: int = -1) -> dict[str, Any]:
    entry: dict[str, Any] = ask(f"{mock.url}{session}/_mock/calls").json["calls"][nth]
    return entry


def world(*rules: dict[str, Any], **fields: Any) -> OneRouterMock:
    return serve({"rules": list(rules), "clock": "virtual", **fields})


@contextmanager
def streaming(mock: OneRouterMock, byok: dict[str, Any] | None = None) -> Iterator[socket.socket]:
    """A streamed call on a bare socket, once something of its answer is there."""
    body = {"model": "gpt-5.1-chat", "messages": [{"role": "user", "content": "hi"}], "stream": True}
    data = json.dumps(body | ({"byok_conf": byok} if byok else {})).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: k\r\nContent-Length: {len(data)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", urlsplit(mock.url).port), timeout=5) as connection:
        connection.sendall(head.encode() + data)
        assert connection.recv(100)
        yield connection


def test_the_contracts_example_comes_true(tmp_path: Any) -> None:
    file = tmp_path / "ratelimit.yaml"
    file.write_text(
        "clock: virtual\nlimits:\n  - {name: own-openai, when: {lane: byok}, requests: 1/min}\n"
        "rules: [{when: {lane: byok}, delay: 30ms}]\nkeys: {alice: {match: 'sk-alice-*'}}\n"
    )
    byok = {"provider": "openai", "credentials": "sk-alice-0123-7f3a"}
    prompt = [{"role": "user", "content": "seventeen letters"}]
    with serve(file) as mock:
        chat(mock.base_url, byok)
        mock.advance("1300ms")
        mock.router.reply(" ".join("twelve" for _ in range(12)))
        answered = chat(mock.base_url, byok, {"User-Agent": "me", "X-Odd": "x"}, messages=prompt)
        entry = entry_of(mock)
    assert [name for name in entry if name in MEMBERS] == MEMBERS
    assert set(entry) - set(MEMBERS) == {"story", "wait_ms", "told_ms", "fallback_sent"}
    assert [list(attempt) for attempt in entry["attempts"]] == [ATTEMPT] * 2
    first, second = (tuple(attempt.values()) for attempt in entry["attempts"])
    assert first == (1, "byok", "openai", "gpt-5.1-chat", "rate_limit", 429, "limit own-openai", "ratelimit.yaml:3",
                     0, 0)  # fmt: skip
    assert second == (2, "shared", "openai", "gpt-5.1-chat", "ok", 200, None, None, 0, 0)
    assert entry["byok"] == {"provider": "openai", "key": "alice", "fingerprint": "…7f3a", "fallback": True}
    assert entry["served_by"] == {"lane": "shared", "provider": "openai", "model": "gpt-5.1-chat"}
    assert entry["usage"] == {"prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21}
    assert (entry["cost"], entry["byok_cost"], entry["status"], entry["error"]) == (0.000131, 0, 200, None)
    assert (entry["arrived_at"], entry["clock"], entry["ended_ms"]) == ("2026-01-01T00:00:01.300Z", 1.3, 0)
    assert (entry["ending"], entry["endpoint"], entry["session"], entry["id"]) == (
        "finish",
        "chat",
        "default",
        2,
    )
    assert entry["sent"]["text"] == answered.json["choices"][0]["message"]["content"]
    assert (entry["sent"]["tokens"], entry["request_id"]) == (12, answered.json["request_id"])
    assert entry["request"]["headers"]["user-agent"] == "me"
    assert (
        entry["request"]["headers"]["x-odd"] == entry["request"]["headers"]["authorization"] == "[not kept]"
    )
    assert entry["request"]["body"]["byok_conf"] == {"provider": "openai", "credentials": "[secret]"}


def test_a_refused_call_has_an_error_and_no_cost() -> None:
    with world() as mock:
        chat(mock.base_url, {**OWN, "credentials": "short"}, messages=[])
        entry = entry_of(mock)
    assert (entry["route"], entry["status"], entry["model"]) == (
        "router!invalid_request",
        400,
        "gpt-5.1-chat",
    )
    assert (entry["served_by"], entry["usage"], entry["cost"], entry["attempts"]) == (None, None, 0, [])
    assert entry["error"]["param"] == "messages"
    assert entry["byok"] == {"provider": "openai", "key": None, "fingerprint": None, "fallback": True}


def test_times_add_up_along_the_route() -> None:
    with world({"when": {"lane": "byok"}, "delay": "1s"}, {"when": {"lane": "byok"}, "error": 503}) as mock:
        chat(mock.base_url, OWN)
        entry = entry_of(mock)
    assert [(a["at_ms"], a["took_ms"]) for a in entry["attempts"]] == [(0, 1000), (1000, 0)]
    assert entry["ended_ms"] == 1000


@pytest.mark.parametrize(
    ("connection", "route", "status", "ending"),
    [
        ("reset", "router!connection", None, "reset"),
        ("empty", "router!connection", None, "empty"),
        ("garbage", "router!connection", None, "garbage"),
        ("short_body", "router!connection", 200, "cut"),
        ("html", "router!connection", 502, "finish"),
    ],
)
def test_accidents_on_the_wire(connection: str, route: str, status: int | None, ending: str) -> None:
    with world({"when": {"lane": "router"}, "connection": connection}) as mock:
        with nullcontext() if connection == "html" else pytest.raises((OSError, HTTPException)):
            chat(mock.base_url)
        call = mock.wait_for_calls(1)[0]
    assert (call.route, call.status, call.ending, call.served_by) == (route, status, ending, None)


@pytest.mark.parametrize(
    ("do", "mark", "ending", "tokens"),
    [("cut", "~cut", "cut", 8), ("reset", "~reset", "reset", 8), ("error", "~error", "finish", 8),
     ("truncate", "~truncate", "finish", 8), ("bad_chunk", "~cut", "cut", 8), ("no_done", "", "finish", 54),
     ("duplicate", "", "finish", 54), ("comment", "", "finish", 54), ("bad_json", "", "finish", 54)],
)  # fmt: skip
def test_breaks_of_a_stream(do: str, mark: str, ending: str, tokens: int) -> None:
    rule = {"when": {"lane": "shared"}, "break": {"do": do, "after": "8 tokens"}}
    with world(rule, {"reply": " ".join("word" for _ in range(54))}) as mock:
        with nullcontext() if ending == "finish" else pytest.raises((OSError, HTTPException)):
            chat(mock.base_url, stream=True)
        call = mock.wait_for_calls(1)[0]
        spent = mock.credits_spent
    assert (call.route, call.status, call.ending) == (f"shared:openai{mark}", 200, ending)
    assert (call.sent or {})["tokens"] == (call.usage or {})["completion_tokens"] == tokens
    assert call.cost == spent == pytest.approx((5 * 1.25 + tokens * 10) / 1e6, abs=1e-6)


def test_an_entry_is_there_before_the_answer_has_ended() -> None:
    limit = {"when": {"lane": "byok"}, "concurrency": 1}
    rule = {"when": {"lane": "byok", "stream": True}, "break": {"do": "stall", "after": "2 tokens"}}
    with world(rule, limits=[limit]) as mock:
        with streaming(mock, ONLY):
            entry = entry_of(mock)
            assert (entry["ending"], entry["sent"], entry["ended_ms"]) == ("stall", None, None)
            assert (entry["route"], entry["status"]) == ("byok:openai~stall", 200)
            assert chat(mock.base_url, ONLY).status == 429
            assert (
                "retry-after" not in chat(mock.base_url, ONLY, waits="told").headers
                or mock.last.wait_ms is None
            )
        mock.wait_for_calls(3)
        assert entry_of(mock, nth=0)["ending"] == "stall"
        assert chat(mock.base_url, ONLY).status == 200


def test_a_client_that_leaves_pays_for_what_came() -> None:
    rule = {"stream": {"rate": "20 tok/s"}, "reply": " ".join("word" for _ in range(50))}
    with world(rule, clock="real", limits=[{"when": {"lane": "shared"}, "tokens": "10k/min"}]) as mock:
        with streaming(mock) as connection:
            connection.recv(1000)
        call = mock.wait_for_calls(1)[0]
        assert (call.route, call.ending) == ("shared:openai~client_left", "client_left")
        came = (call.usage or {})["completion_tokens"]
        assert 1 <= came < 50
        assert (call.sent or {})["tokens"] == came
        assert mock.credits_spent == call.cost == pytest.approx((5 * 1.25 + came * 10) / 1e6, abs=1e-6)
        assert ask(f"{mock.url}/_mock/state").json["limits"][0]["used"] <= 5 + came


@pytest.mark.parametrize("stream", [False, True])
def test_failures_in_the_body(stream: bool) -> None:
    with world({"error": "rate_limit"}, router={"deliver_errors": "body"}) as mock:
        answered = chat(mock.base_url, ONLY, stream=stream)
        text = answered.text.removeprefix("data: ").strip() if stream else answered.text
        assert "[DONE]" not in text
        assert json.loads(text)["error"]["code"] == "rate_limit_exceeded"
        assert (answered.status, mock.last.status, mock.last.served_by) == (200, 200, None)
        assert answered.headers["retry-after"] == "1"
        assert chat(mock.base_url, model="").status == 400


def test_money_is_told_at_the_root_and_adds_up() -> None:
    with world() as mock:
        pool = chat(mock.base_url, usage={"include": True}).json
        own = chat(mock.base_url, OWN, usage={"include": True}).json
        plain = chat(mock.base_url).json
        assert not {"cost", "cost_details", "provider"} & set(plain)
        details = pool["cost_details"]
        assert len(details) == 16
        parts = sum(
            value for name, value in details.items() if name.endswith("_cost") and name != "byok_cost"
        )
        assert pool["cost"] == round(parts, 6) == mock.calls[0].cost
        assert (pool["provider"], details["is_byok"], details["byok_cost"]) == ("openai", False, 0)
        assert (own["cost"], own["cost_details"]["is_byok"]) == (0, True)
        assert own["cost_details"]["byok_cost"] == mock.calls[1].byok_cost == pool["cost"]
        assert mock.credits_spent == pytest.approx(2 * pool["cost"])


def test_a_session_is_a_world_of_its_own() -> None:
    with serve("ratelimit", clock="virtual") as mock:
        for _ in range(4):
            chat(f"{mock.url}/s/one/v1", ONLY)
        chat(f"{mock.url}/s/two/v1", ONLY, {"X-Onerouter-Session": "three"})
        chat(mock.base_url, ONLY, {"X-Onerouter-Session": "three"})
        chat(f"{mock.url}/s/four@outage/v1")
        assert chat(f"{mock.url}/s/no@such/v1").status == 404
        entries = {name: entry_of(mock, f"/s/{name}") for name in ("one", "two", "three", "four@outage")}
        assert [entry["id"] for entry in entries.values()] == [4, 1, 1, 1]
        assert [entry["session"] for entry in entries.values()] == list(entries)
        assert entries["one"]["status"] == 429
        assert entries["two"]["path"] == "/s/two/v1/chat/completions"
        assert entries["four@outage"]["route"] == "shared:openai!overloaded -> shared:azure-ai-foundry"
        assert mock.calls == []


def test_the_same_question_gets_the_same_answer_streamed_or_not_in_every_session() -> None:
    with world(seed=5) as mock, world(seed=6) as other:
        text = chat(mock.base_url).json["choices"][0]["message"]["content"]
        events = [
            line[6:]
            for line in chat(mock.base_url, stream=True).text.split("\n")
            if line.startswith("data: {")
        ]
        assert (
            "".join(json.loads(event)["choices"][0]["delta"].get("content", "") for event in events) == text
        )
        mock.advance("1d")
        assert chat(f"{mock.url}/s/x/v1", OWN).json["choices"][0]["message"]["content"] == text
        assert chat(other.base_url).json["choices"][0]["message"]["content"] != text
        assert chat(mock.base_url, seed=1).json["choices"][0]["message"]["content"] != text


def test_a_long_route_does_not_burst_the_head() -> None:
    with serve("everything-down", clock="virtual") as mock:
        models = [f"openai/model-{number:04d}" for number in range(400)]
        header = chat(mock.base_url, fallback_models=models).headers["x-onerouter-mock-route"]
        assert len(header) < 5_000
        assert header.endswith(" ...")
        assert mock.last.route.startswith(header.removesuffix(" ..."))
