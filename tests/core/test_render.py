"""Heads, plain answers, refusals and accidents as bytes, with the instants in the plan."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest
from rendered import SCENARIO, SECOND_US, WORDS, answered, events, refused, split, unchunk, whole

from onerouter_mock.core.plan import Plan
from onerouter_mock.core.records import Decision, Failure
from onerouter_mock.core.render import render
from onerouter_mock.core.scenario.records import RouterConf

# Heads


def test_a_plain_answer_is_one_frame_with_its_length() -> None:
    plan = render(SCENARIO, answered(stream=False))
    status, headers, body = split(plan)
    assert status == "HTTP/1.1 200 OK"
    assert headers["content-type"] == "application/json; charset=utf-8"
    assert headers["content-length"] == str(len(body))
    assert orjson.loads(body)["choices"][0]["message"]["content"] == "".join(WORDS)
    assert (plan.status, plan.close, plan.ending, plan.end_us) == (200, "keep", "finish", 0)
    assert [(frame.chunks, frame.tokens) for frame in plan.frames] == [(1, 5)]
    assert plan.sent_text == "".join(WORDS)


def test_the_request_id_has_two_names_as_documented_and_one_as_recorded() -> None:
    documented = split(render(SCENARIO, answered()))[1]
    observed = split(render(replace(SCENARIO, wire="observed"), answered()))[1]
    assert (
        documented["x-request-id"] == documented["x-infron-request-id"] == "20260101000000123456789ABCDEFGH"
    )
    assert observed["x-infron-request-id"] == "20260101000000123456789ABCDEFGH"
    assert "x-request-id" not in observed


def test_the_date_is_of_the_sessions_clock_when_the_head_goes_out() -> None:
    headers = split(render(SCENARIO, answered(stream=False, start_us=90 * SECOND_US)))[1]
    assert headers["date"] == "Thu, 01 Jan 2026 00:01:30 GMT"


def test_the_trace_header_can_be_left_out() -> None:
    assert split(render(SCENARIO, answered()))[1]["x-onerouter-mock-route"] == "shared:openai"
    assert "x-onerouter-mock-route" not in split(render(SCENARIO, answered(), trace_header=False))[1]


def test_limit_headers_go_out_with_every_answer() -> None:
    limits = (("x-ratelimit-remaining-requests", "2"),)
    assert split(render(SCENARIO, answered(limit_headers=limits)))[1]["x-ratelimit-remaining-requests"] == "2"
    decision = refused("byok")
    decision.limit_headers = limits
    assert split(render(SCENARIO, decision))[1]["x-ratelimit-remaining-requests"] == "2"


def test_no_header_can_hold_a_line_end() -> None:
    decision = refused(headers=(("X-A\r\nX-B: 1", "a\r\nSet-Cookie: b\0"), ("X-Ü", "c"), ("\n", "d")))
    head = whole(render(SCENARIO, decision)).partition(b"\r\n\r\n")[0].decode()
    assert "X-AX-B1: a  Set-Cookie: b" in head.split("\r\n")
    assert "X-: c" in head.split("\r\n")
    assert not any(line.startswith((":", "Set-Cookie")) for line in head.split("\r\n"))


@pytest.mark.parametrize("status", [200, 404, 418, 429, 498, 520, 529])
def test_every_status_has_a_status_line(status: int) -> None:
    line = split(render(SCENARIO, refused(status=status)))[0]
    assert line.startswith(f"HTTP/1.1 {status} ")


def test_a_body_is_never_sent_where_http_forbids_one() -> None:
    for decision in (refused(status=204), answered(stream=False, method="HEAD")):
        _, headers, body = split(render(SCENARIO, decision))
        assert body == b""
        assert int(headers["content-length"]) > 0


# Refusals


def test_a_refusal_is_the_error_object_with_its_status() -> None:
    plan = render(SCENARIO, refused())
    status, headers, body = split(plan)
    assert status == "HTTP/1.1 429 Too Many Requests"
    assert orjson.loads(body)["error"]["message"] == "slow down"
    assert headers["content-length"] == str(len(body))
    assert headers["x-onerouter-mock-route"] == "router!rate_limit"
    assert (plan.status, plan.close, plan.ending) == (429, "keep", "finish")


@pytest.mark.parametrize(
    ("told_us", "ms", "s"),
    [
        (1, "1", "1"),
        (1000, "1", "1"),
        (1001, "2", "1"),
        (999_999, "1000", "1"),
        (1_000_001, "1001", "2"),
        (18_700_000, "18700", "19"),
        (20_000_000, "20000", "20"),
    ],
)
def test_waits_are_told_in_both_headers_rounded_up(told_us: int, ms: str, s: str) -> None:
    headers = split(render(SCENARIO, refused(told_us=told_us)))[1]
    assert (headers["retry-after-ms"], headers["retry-after"]) == (ms, s)


def test_no_wait_no_header() -> None:
    headers = split(render(SCENARIO, refused()))[1]
    assert not {"retry-after", "retry-after-ms", "x-should-retry"} & headers.keys()


def test_a_wait_can_be_told_as_a_date_whole_seconds_rounded_up() -> None:
    headers = split(render(SCENARIO, refused("byok", told_us=19_980_000, date="date")))[1]
    assert headers["retry-after"] == "Thu, 01 Jan 2026 00:00:21 GMT"  # 30 ms + 19.98 s after the call
    assert "retry-after-ms" not in headers


def test_a_date_written_in_the_scenario_is_sent_as_it_is() -> None:
    headers = split(render(SCENARIO, refused(date="Wed, 21 Oct 2026 07:28:00 GMT")))[1]
    assert headers["retry-after"] == "Wed, 21 Oct 2026 07:28:00 GMT"


def test_when_waits_jump_a_date_becomes_the_wait_that_was_told() -> None:
    decision = refused(told_us=1000, date="date")
    headers = split(render(replace(SCENARIO, waits="jump"), decision))[1]
    assert (headers["retry-after-ms"], headers["retry-after"]) == ("1", "1")


def test_when_waits_jump_a_date_that_nobody_retries_on_is_still_told() -> None:
    decision = refused(status=401, wait_us=20_000_000, date="date")
    headers = split(render(replace(SCENARIO, waits="jump"), decision))[1]
    assert headers["retry-after"] == "Thu, 01 Jan 2026 00:00:20 GMT"


@pytest.mark.parametrize(("should", "text"), [(True, "true"), (False, "false")])
def test_should_retry_becomes_a_header(should: bool, text: str) -> None:
    assert split(render(SCENARIO, refused(should_retry=should)))[1]["x-should-retry"] == text


def test_headers_of_a_rule_win_in_any_case() -> None:
    given = (("RETRY-AFTER", "7"), ("content-TYPE", "text/plain"), ("X-Request-Id", "mine"))
    head = (
        whole(render(SCENARIO, refused(told_us=5_000_000, headers=given))).partition(b"\r\n\r\n")[0].decode()
    )
    lines = head.lower().split("\r\n")
    assert [line for line in lines if line.startswith("retry-after")] == ["retry-after: 7"]
    assert [line for line in lines if line.startswith("content-type")] == ["content-type: text/plain"]
    assert [line for line in lines if line.startswith("x-request-id")] == ["x-request-id: mine"]


def test_a_scripted_length_is_sent_and_the_connection_closed_after_it() -> None:
    plan = render(SCENARIO, refused(headers=(("Content-Length", "3"),)))
    assert whole(plan).lower().count(b"content-length:") == 1
    assert (split(plan)[1]["content-length"], plan.close) == ("3", "fin")


def test_a_body_of_a_rule_replaces_the_error_object() -> None:
    _, headers, body = split(render(SCENARIO, refused(body="<html>ö</html>")))
    assert body == "<html>ö</html>".encode()
    assert headers["content-length"] == "15"


def test_a_refusal_comes_after_the_last_attempt_and_the_routers_delay() -> None:
    decision = refused("byok")
    assert render(SCENARIO, decision).frames[0].at_us == 30_000
    decision.delay_us = 250_000
    assert render(SCENARIO, decision).end_us == 280_000


def test_upstream_failures_can_be_delivered_in_the_body() -> None:
    scenario = replace(SCENARIO, router=RouterConf(frozenset(), deliver_errors="body"))
    status, headers, body = split(render(scenario, refused("byok", told_us=5000)))
    assert status == "HTTP/1.1 200 OK"
    assert orjson.loads(body)["error"]["code"] == 429
    assert headers["retry-after-ms"] == "5"
    assert split(render(scenario, refused("router")))[0] == "HTTP/1.1 429 Too Many Requests"


def test_delivered_in_the_body_of_a_stream_a_failure_is_one_event() -> None:
    scenario = replace(SCENARIO, router=RouterConf(frozenset(), deliver_errors="body"))
    plan = render(scenario, refused("shared", stream=True, told_us=5000))
    status, headers, body = split(plan)
    assert status == "HTTP/1.1 200 OK"
    assert headers["content-type"].startswith("text/event-stream")
    assert headers["retry-after-ms"] == "5"
    assert unchunk(body)[1]
    assert [orjson.loads(event[6:])["error"]["message"] for event in events(plan)] == ["slow down"]


# HTTP/1.0 and connections that close


@pytest.mark.parametrize("stream", [False, True])
def test_http_1_0_gets_a_plain_body_and_a_fin(stream: bool) -> None:
    plan = render(SCENARIO, answered(stream=stream, http10=True))
    _, headers, body = split(plan)
    assert headers["connection"] == "close"
    assert "transfer-encoding" not in headers
    assert body.startswith(b"data: " if stream else b"{")
    assert plan.close == "fin"


def test_a_client_that_asks_to_close_is_told_so() -> None:
    decision = answered(stream=False)
    decision.call.headers = {"connection": "Close"}
    plan = render(SCENARIO, decision)
    assert (split(plan)[1]["connection"], plan.close) == ("close", "fin")


# Accidents between client and router


def accident(connection: str, decision: Decision | None = None) -> Plan:
    decision = decision or refused()
    decision.served = None
    decision.failure = Failure("connection", 502, "", connection=connection)
    decision.failed_lane, decision.delay_us = "router", 5
    return render(SCENARIO, decision)


@pytest.mark.parametrize(
    ("connection", "close", "ending"),
    [("reset", "rst", "reset"), ("empty", "fin", "empty"), ("hang", "hold", "hang")],
)
def test_accidents_without_a_byte(connection: str, close: str, ending: str) -> None:
    assert accident(connection) == Plan(None, [], close, ending, 5)  # type: ignore[arg-type]  # one of the table's


def test_garbage_is_not_http() -> None:
    plan = accident("garbage")
    assert (plan.status, plan.close, plan.ending, plan.end_us) == (None, "fin", "garbage", 5)
    assert not whole(plan).startswith(b"HTTP")


def test_html_is_a_proxys_page() -> None:
    plan = accident("html")
    status, headers, body = split(plan)
    assert (status, plan.status, plan.ending) == ("HTTP/1.1 502 Bad Gateway", 502, "finish")
    assert headers["content-type"].startswith("text/html")
    assert body.startswith(b"<html>")


def test_a_short_body_promises_all_and_sends_half() -> None:
    plan = accident("short_body", answered(stream=False))
    status, headers, body = split(plan)
    full = split(render(SCENARIO, answered(stream=False)))[2]
    assert status == "HTTP/1.1 200 OK"
    assert int(headers["content-length"]) == len(full)
    assert body == full[: len(full) // 2]
    assert (plan.status, plan.close, plan.ending) == (200, "fin", "cut")


def test_a_short_body_of_a_stream_is_half_a_chunk() -> None:
    plan = accident("short_body", answered())
    size, _, rest = split(plan)[2].partition(b"\r\n")
    assert 0 < len(rest) < int(size, 16)
    assert plan.close == "fin"
    (frame,) = plan.frames
    assert frame.chunks == frame.tokens == rest.count(b"\n\n") - 1 > 0  # but for the opening
    assert plan.sent_text == "".join(WORDS[: frame.chunks])
