"""`error` on real sockets: statuses, headers, bodies, and what a client is told of trying again."""

from __future__ import annotations

from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from heard import OWN, Heard, Line, hear, world

from onerouter_mock.host import shutdown_loop

NO_FALLBACK = OWN | {"fallback": False}
STARTED = 1_767_225_600  # 2026-01-01T00:00:00Z, where a virtual clock stands
KINDS = {
    "rate_limit": 429, "quota": 402, "invalid_key": 401, "permission": 403, "model_not_found": 404,
    "server_error": 500, "overloaded": 503, "bad_gateway": 502, "timeout": 408, "connection": 502,
    "context_length": 400, "content_filter": 403, "invalid_request": 400,
}  # fmt: skip
OWN_STATUSES = KINDS | {"quota": 429, "content_filter": 400}  # OpenAI's own
ENDS_THE_WALK = {"context_length", "content_filter", "invalid_request"}


@pytest.fixture(scope="module", autouse=True)
def _close_the_loop() -> Iterator[None]:
    yield
    shutdown_loop()


def failing(error: Any, lane: str = "byok", **when: Any) -> dict[str, Any]:
    return {"name": "fails", "when": {"lane": lane, **when}, "error": error}


def refused(error: Any, lane: str = "byok", **fields: Any) -> Heard:
    """The answer to a call whose attempts in this lane fail, with nobody to fall back on."""
    with world(failing(error, lane), **{"waits": "told", **fields}) as mock:
        heard = hear(mock, NO_FALLBACK if lane == "byok" else None)
    assert heard.end == "open"
    return heard


# Kinds and statuses


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_routers_own_error_has_the_kinds_status(kind: str, stream: bool) -> None:
    with world(failing(kind, "router")) as mock:
        heard = hear(mock, OWN, stream=stream)
        assert (mock.last.route, mock.last.attempts) == (f"router!{kind}", [])
    assert heard.status == KINDS[kind]
    assert heard.error["code"] == KINDS[kind]
    assert isinstance(heard.error["message"], str)
    assert {"type", "param"} <= heard.error.keys()


@pytest.mark.parametrize("kind", KINDS)
def test_an_own_keys_error_without_fallback_is_the_providers(kind: str) -> None:
    with world(failing(kind)) as mock:
        heard = hear(mock, NO_FALLBACK)
        assert mock.last.route == f"byok:openai!{kind}"
        assert "fallback is false" in mock.last.skipped[0].why
    assert heard.status == OWN_STATUSES[kind]
    assert {"code", "message", "type", "param"} == heard.error.keys()


@pytest.mark.parametrize("kind", KINDS)
def test_an_own_keys_error_falls_back_unless_it_is_the_requests_own_fault(kind: str) -> None:
    with world(failing(kind)) as mock:
        heard = hear(mock, OWN)
        route = mock.last.route
    if kind in ENDS_THE_WALK:
        assert (heard.status, route) == (OWN_STATUSES[kind], f"byok:openai!{kind}")
    else:
        assert (heard.status, route) == (200, f"byok:openai!{kind} -> shared:openai")


@pytest.mark.parametrize("kind", KINDS)
def test_the_pools_error_is_429_408_or_502(kind: str) -> None:
    heard = refused(kind, "shared")
    if kind not in ENDS_THE_WALK:
        assert heard.status == {"rate_limit": 429, "timeout": 408}.get(kind, 502)
    else:
        assert heard.status == OWN_STATUSES[kind]


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, "invalid_request"), (401, "invalid_key"), (402, "quota"), (403, "permission"), (404, "model_not_found"),
     (408, "timeout"), (413, "invalid_request"), (418, "invalid_request"), (422, "invalid_request"),
     (429, "rate_limit"), (498, "invalid_request"), (500, "server_error"), (502, "bad_gateway"), (503, "overloaded"),
     (504, "timeout"), (529, "overloaded"), (599, "server_error")],
)  # fmt: skip
def test_a_bare_status_is_sent_as_it_is_and_stands_for_a_kind(status: int, kind: str) -> None:
    for lane in ("router", "byok"):
        with world(failing(status, lane)) as mock:
            assert hear(mock, NO_FALLBACK).status == status
            assert mock.last.route == ("router" if lane == "router" else "byok:openai") + f"!{kind}"


def test_a_status_with_a_kind_is_sent_too() -> None:
    heard = refused({"kind": "overloaded", "status": 599})
    assert (heard.status, heard.error["message"][:19]) == (599, "That model is curre")


# What a scenario says in the place of the catalogue's words


@pytest.mark.parametrize("lane", ["byok", "router"])
def test_what_is_given_is_sent_and_the_rest_is_the_catalogues(lane: str) -> None:
    given = {"message": "no «more»", "type": "mine", "code": "own_code", "param": "messages[0]"}
    assert refused({"kind": "rate_limit", **given}, lane).error == given
    assert refused({"kind": "rate_limit", "message": "no"}, lane).error.keys() == given.keys()


def test_a_number_stays_a_number_as_code() -> None:
    assert refused({"kind": "rate_limit", "code": 1300}).error["code"] == 1300


@pytest.mark.parametrize("lane", ["byok", "shared", "router"])
def test_a_body_and_headers_of_the_scenarios_own(lane: str) -> None:
    headers = {"Content-Type": "text/plain", "X-Own": "a b", "X-Number": 3}
    heard = refused({"status": 503, "body": "wait ä minute\n", "headers": headers}, lane)
    assert heard.body == "wait ä minute\n".encode()
    assert heard.headers["content-length"] == "15"
    assert (heard.headers["x-own"], heard.headers["x-number"]) == ("a b", "3")
    assert heard.headers["content-type"] == "text/plain"
    assert heard.head.lower().count(b"content-type:") == 1


def test_an_empty_body_is_one() -> None:
    heard = refused({"kind": "server_error", "body": ""})
    assert (heard.status, heard.body, heard.headers["content-length"]) == (500, b"", "0")


def test_a_scenarios_content_length_may_lie_and_ends_the_connection() -> None:
    with world(
        failing({"status": 500, "body": "ten bytes.", "headers": {"content-length": 20}}, "router")
    ) as mock:
        heard = hear(mock)
    assert (heard.end, heard.headers["content-length"], heard.body) == ("fin", "20", b"ten bytes.")


@pytest.mark.parametrize("should_retry", [True, False])
@pytest.mark.parametrize("lane", ["byok", "shared", "router"])
def test_should_retry_is_said_when_asked(lane: str, should_retry: bool) -> None:
    heard = refused({"kind": "quota", "should_retry": should_retry}, lane)
    assert heard.headers["x-should-retry"] == str(should_retry).lower()
    assert "x-should-retry" not in refused("quota", lane).headers


# What a client is told to wait


@pytest.mark.parametrize("lane", ["byok", "shared", "router"])
@pytest.mark.parametrize(
    ("wait", "ms", "s"),
    [("20s", "20000", "20"), ("250ms", "250", "1"), ("1.0004s", "1001", "2"), ("1m30s", "90000", "90")],
)
def test_a_wait_is_told_in_milliseconds_and_in_whole_seconds_rounded_up(
    wait: str, ms: str, s: str, lane: str
) -> None:
    heard = refused({"kind": "rate_limit", "retry_after": wait}, lane)
    assert (heard.headers["retry-after-ms"], heard.headers["retry-after"]) == (ms, s)


@pytest.mark.parametrize("lane", ["byok", "router"])
def test_the_message_carries_the_same_wait(lane: str) -> None:
    heard = refused({"kind": "rate_limit", "retry_after": "20s"}, lane)
    assert "try again in 20s" in heard.error["message"]
    assert "try again" not in refused("rate_limit", lane).error["message"]


@pytest.mark.parametrize("lane", ["byok", "shared", "router"])
def test_without_a_wait_nothing_is_told(lane: str) -> None:
    headers = refused("rate_limit", lane).headers
    assert "retry-after" not in headers
    assert "retry-after-ms" not in headers


def test_a_date_is_the_instant_until_which_to_wait() -> None:
    limits = [
        {
            "when": {"lane": "byok"},
            "requests": "1/min",
            "error": {"kind": "rate_limit", "retry_after": "date"},
        }
    ]
    with world(limits=limits, waits="told") as mock:
        hear(mock, NO_FALLBACK)
        mock.advance("20.5s")
        heard = hear(mock, NO_FALLBACK)
        told = parsedate_to_datetime(heard.headers["retry-after"]).timestamp()
        assert told == STARTED + 60  # 20.5 s + 39.5 s
        assert "retry-after-ms" not in heard.headers
        assert mock.last.wait_ms == 39_500
        mock.advance("39.5s")
        assert hear(mock, NO_FALLBACK).status == 200


def test_a_literal_date_is_sent_as_it_is_written() -> None:
    date = "Thu, 01 Jan 2026 00:00:45 GMT"
    heard = refused({"kind": "rate_limit", "retry_after": date})
    assert heard.headers["retry-after"] == date
    assert "retry-after-ms" not in heard.headers
    assert "try again in 45s" in heard.error["message"]
    past = "Wed, 21 Oct 2015 07:28:00 GMT"
    assert refused({"kind": "rate_limit", "retry_after": past}).headers["retry-after"] == past


def test_retry_after_in_the_scenarios_headers_stands_for_both_of_ours() -> None:
    for waits in ("told", "jump"):
        error = {"kind": "rate_limit", "retry_after": "20s", "headers": {"RETRY-AFTER": "soon"}}
        headers = refused(error, waits=waits).headers
        assert headers["retry-after"] == "soon"
        assert "retry-after-ms" not in headers


@pytest.mark.parametrize("kind", ["rate_limit", "timeout", "server_error", "bad_gateway", "overloaded"])
@pytest.mark.parametrize("error", [{}, {"retry_after": "20s"}], ids=["no wait", "a wait"])
def test_where_waits_jump_a_millisecond_is_told_of_what_sdks_retry(kind: str, error: dict[str, Any]) -> None:
    heard = refused({"kind": kind, **error}, waits="jump")
    assert (heard.headers["retry-after-ms"], heard.headers["retry-after"]) == ("1", "1")


def test_where_waits_jump_nothing_is_told_of_what_nobody_retries() -> None:
    assert "retry-after" not in refused("invalid_key", waits="jump").headers


def test_told_waits_are_true_under_speed() -> None:
    with world(failing({"kind": "rate_limit", "retry_after": "20s"}), clock="real", speed=40) as mock:
        heard = hear(mock, NO_FALLBACK)
        last = mock.last
    assert (heard.headers["retry-after-ms"], heard.headers["retry-after"]) == ("500", "1")
    assert "try again in 500ms" in heard.error["message"]
    assert (last.told_ms, last.wait_ms) == (500, 20_000)


# Errors in the body


@pytest.mark.parametrize("lane", ["byok", "shared"])
def test_upstream_errors_can_be_delivered_with_status_200(lane: str) -> None:
    router = {"deliver_errors": "body"}
    plain = refused("overloaded", lane, router=router)
    assert (plain.status, plain.headers["content-type"]) == (200, "application/json; charset=utf-8")
    assert plain.error["message"]
    with world(failing("overloaded", lane), router=router) as mock:
        heard = hear(mock, NO_FALLBACK if lane == "byok" else None, stream=True)
    assert heard.headers["content-type"].startswith("text/event-stream")
    (event,) = heard.events
    assert event.startswith(b'data: {"error":')
    assert heard.unchunked()[1] == b"0\r\n\r\n"
    assert refused("overloaded", "router", router=router).status == 503


# The connection after an error


def test_a_refused_call_leaves_a_good_connection() -> None:
    with world({**failing("rate_limit", "router"), "times": 2}) as mock, Line(mock) as line:
        assert [line.ask(stream=n == 1).status for n in range(3)] == [429, 429, 200]
