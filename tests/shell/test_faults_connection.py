"""`connection` on real sockets: between client and router, and at the provider, with and without fallback."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from heard import OWN, Heard, Line, asked, hear, wait_for, world

from onerouter_mock.host import shutdown_loop

NO_FALLBACK = OWN | {"fallback": False}
EVERY = ["reset", "empty", "hang", "garbage", "short_body", "html"]
AT_ONCE = [word for word in EVERY if word != "hang"]  # those that are over without the client's help


@pytest.fixture(scope="module", autouse=True)
def _close_the_loop() -> Iterator[None]:
    yield
    shutdown_loop()


def broken(connection: str, lane: str = "router", **when: Any) -> dict[str, Any]:
    return {"name": "accident", "when": {"lane": lane, **when}, "connection": connection}


# Between client and router: on the wire


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize(("connection", "end"), [("reset", "rst"), ("empty", "fin")], ids=["RST", "FIN"])
def test_reset_and_empty_end_without_a_byte(connection: str, end: str, stream: bool) -> None:
    with world(broken(connection)) as mock:
        assert hear(mock, stream=stream) == Heard(b"", end)  # type: ignore[arg-type]  # a literal
        last = mock.last
    assert (last.ending, last.status, last.route) == (connection, None, "router!connection")
    assert (last.sent["bytes"], last.attempts, last.cost) == (0, [], 0)


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
def test_hang_says_nothing_stays_open_and_ends_when_the_client_leaves(stream: bool) -> None:
    with world(broken("hang")) as mock:
        with Line(mock) as line:
            line.send(asked(stream=stream))
            before = wait_for(mock, "hang")
            assert line.is_silent()
            assert (before.status, before.ended_ms) == (None, None)
        (last,) = mock.wait_for_calls(1)
    assert (last.ending, last.route, last.sent["bytes"]) == ("hang", "router!timeout", 0)


def test_garbage_is_no_http_and_then_fin() -> None:
    with world(broken("garbage")) as mock:
        heard = hear(mock)
        last = mock.last
    assert heard.end == "fin"
    assert heard.data
    assert b"HTTP/" not in heard.data
    assert (last.ending, last.status, last.route) == ("garbage", None, "router!connection")
    assert last.sent["bytes"] == len(heard.data)


def test_short_body_promises_a_whole_answer_and_breaks_off_in_its_middle() -> None:
    with world(broken("short_body")) as mock:
        heard = hear(mock)
        last = mock.last
    promised = int(heard.headers["content-length"])
    assert (heard.status, heard.end, len(heard.body)) == (200, "fin", promised // 2)
    assert heard.headers["content-type"].startswith("application/json")
    assert heard.body.startswith(b'{"id":"chatcmpl-')
    with pytest.raises(json.JSONDecodeError):
        json.loads(heard.body)
    assert (last.ending, last.status, last.route) == ("cut", 200, "router!connection")
    assert (last.usage, last.cost, last.attempts) == (None, 0, [])


def test_short_body_of_a_stream_is_half_a_chunk() -> None:
    with world(broken("short_body")) as mock:
        heard = hear(mock, stream=True)
    assert (heard.status, heard.end) == (200, "fin")
    assert heard.headers["content-type"].startswith("text/event-stream")
    size, _, came = heard.body.partition(b"\r\n")
    assert 0 < len(came) < int(size, 16)
    assert came.startswith(b"data: {")


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
def test_html_is_the_502_page_of_a_proxy(stream: bool) -> None:
    with world(broken("html")) as mock, Line(mock) as line:
        heard = line.ask(stream=stream)
        again = line.ask(stream=stream)  # the connection is a good one
        last = mock.last
    assert (heard.status, heard.end) == (502, "open")
    assert heard.headers["content-type"] == "text/html; charset=utf-8"
    assert heard.body.startswith(b"<html>")
    assert b"502 Bad Gateway" in heard.body
    assert again.body == heard.body
    assert (last.status, last.route, last.error["kind"] if last.error else None) == (
        502, "router!connection", "connection",
    )  # fmt: skip


@pytest.mark.parametrize("connection", AT_ONCE)
def test_a_call_that_met_an_accident_draws_on_nothing_and_costs_nothing(connection: str) -> None:
    limits = [{"name": "own", "when": {"lane": "byok"}, "requests": "5/min"}]
    with world({**broken(connection), "times": 1}, limits=limits) as mock:
        hear(mock, OWN)
        assert [limit["used"] for limit in mock._control.read("state")["limits"]] == [0]
        assert mock.credits_spent == 0
        assert hear(mock, OWN).status == 200
        assert mock.routes == ["router!connection", "byok:openai"]


def test_the_connection_of_an_accident_is_not_taken_for_the_next_call() -> None:
    """Each call has its own; one in fifty meets a reset, as the language's example has it."""
    with world({**broken("reset"), "every": 3}) as mock:
        ends = [hear(mock).end for _ in range(7)]
    assert ends == ["open", "open", "rst", "open", "open", "rst", "open"]


# At the provider: what the router meets there


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize("connection", EVERY)
def test_an_own_keys_broken_connection_falls_back(connection: str, stream: bool) -> None:
    kind = "timeout" if connection == "hang" else "connection"
    with world(broken(connection, "byok")) as mock:
        heard = hear(mock, OWN, stream=stream)
        last = mock.last
    assert (heard.status, heard.end) == (200, "open")
    assert heard.headers["x-onerouter-mock-route"] == f"byok:openai!{kind} -> shared:openai"
    assert (last.route, last.ending) == (f"byok:openai!{kind} -> shared:openai", "finish")
    assert last.attempts[0].cause == "rule accident"


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize("connection", EVERY)
def test_an_own_keys_broken_connection_without_fallback_is_502_or_408(connection: str, stream: bool) -> None:
    kind, status = ("timeout", 408) if connection == "hang" else ("connection", 502)
    with world(broken(connection, "byok")) as mock:
        heard = hear(mock, NO_FALLBACK, stream=stream)
        last = mock.last
    assert (heard.status, heard.end) == (status, "open")
    assert heard.headers["content-type"].startswith("application/json")
    assert {"code", "message", "type", "param"} <= heard.error.keys()
    assert (last.status, last.route, last.ending) == (status, f"byok:openai!{kind}", "finish")


@pytest.mark.parametrize("connection", EVERY)
def test_the_shared_pools_broken_connections_are_502_or_408_when_nobody_is_left(connection: str) -> None:
    kind, status = ("timeout", 408) if connection == "hang" else ("connection", 502)
    with world(broken(connection, "shared")) as mock:
        assert hear(mock).status == status
        assert mock.last.route == f"shared:openai!{kind} -> shared:azure-ai-foundry!{kind}"
        assert mock.credits_spent == 0


@pytest.mark.parametrize("connection", EVERY)
def test_a_broken_connection_to_one_provider_of_the_pool_leads_to_the_next(connection: str) -> None:
    kind = "timeout" if connection == "hang" else "connection"
    with world(broken(connection, "shared", provider="openai")) as mock:
        assert hear(mock).status == 200
        assert mock.last.route == f"shared:openai!{kind} -> shared:azure-ai-foundry"


def test_a_kind_that_the_scenario_does_not_fall_back_on_is_the_answer() -> None:
    with world(broken("reset", "byok"), router={"fallback_on": ["timeout"]}) as mock:
        assert hear(mock, OWN).status == 502
        assert mock.last.route == "byok:openai!connection"
        assert mock.last.skipped[0].why == "connection is not in router.fallback_on"
    with world(broken("hang", "byok"), router={"fallback_on": ["timeout"]}) as mock:
        assert hear(mock, OWN).status == 200


# A silent provider and the router's patience


def test_a_silent_provider_takes_the_routers_patience_in_told_time_and_none_on_a_virtual_clock() -> None:
    began_s = time.monotonic()
    with world(broken("hang", "byok"), router={"timeout": "30s"}) as mock:
        assert hear(mock, OWN).status == 200
        own, pool = mock.last.attempts
        assert (own.at_ms, own.took_ms, pool.at_ms) == (0, 30_000, 30_000)
        assert (mock.last.ended_ms, mock.now) == (30_000, 0)
    assert time.monotonic() - began_s < 5


@pytest.mark.parametrize("fallback", [True, False], ids=["then the pool answers", "then 408"])
def test_a_silent_provider_takes_the_routers_patience_in_real_time(fallback: bool) -> None:
    with world(broken("hang", "byok"), router={"timeout": "3s"}, clock="real", speed=20) as mock:
        began_s = time.monotonic()
        heard = hear(mock, OWN | {"fallback": fallback})
        took_s = time.monotonic() - began_s
        assert heard.status == (200 if fallback else 408)
        assert mock.last.attempts[0].took_ms == 3_000
        assert mock.last.ended_ms is not None
        assert mock.last.ended_ms >= 3_000
    assert 0.15 <= took_s < 2


def test_a_refusal_at_the_provider_takes_no_patience() -> None:
    with world(broken("reset", "byok"), router={"timeout": "30s"}) as mock:
        hear(mock, OWN)
        assert [attempt.at_ms for attempt in mock.last.attempts] == [0, 0]


def test_a_delay_before_an_accident_is_waited_out_first() -> None:
    with world({**broken("reset"), "delay": "2s"}, clock="real", speed=20) as mock:
        began_s = time.monotonic()
        assert hear(mock) == Heard(b"", "rst")
        assert time.monotonic() - began_s >= 0.1
