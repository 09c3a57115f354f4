"""`break` on real sockets: each `do` at each kind of point, to the byte, with FIN, RST or the body's own end."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from heard import OWN, Heard, Line, asked, content, contents, hear, wait_for, world

from onerouter_mock import OneRouterMock
from onerouter_mock.core.scenario.aspects import Do
from onerouter_mock.host import shutdown_loop

# Six chunks, of 1, 1, 2, 1, 3 and 1 tokens.
CHUNKS = ["Grüße", " aus", " Köln 🦔", " heute", " drei vier fünf", " Ende"]
# All these points are behind the third chunk: when they go out 100 ms apart, and the whole is 9 tokens.
AFTER = ["3 chunks", "3 tokens", "4 tokens", "250ms", "40%", 0.4]
DO = get_args(Do)
PACE = {"gap": "100ms"}
END = b"0\r\n\r\n"


@pytest.fixture(scope="module", autouse=True)
def _close_the_loop() -> Iterator[None]:
    yield
    shutdown_loop()


def breaking(do: str, after: Any = None, lane: str = "byok", **fields: Any) -> dict[str, Any]:
    point = {} if after is None else {"after": after}
    details = {name: fields.pop(name) for name in ("for", "error") if name in fields}
    shape = {"reply": {"chunks": CHUNKS}, "stream": PACE, "break": {"do": do, **point, **details}}
    return {"name": "breaks", "when": {"lane": lane}, **shape, **fields}


def hear_stream(mock: OneRouterMock, **fields: Any) -> Heard:
    """A streamed answer with an own key, as far as it goes; of a stall, what comes before the silence."""
    with Line(mock) as line:
        line.send(asked(OWN, stream=True, **fields))
        heard = line.read(until=lambda data: b"K\xc3\xb6ln" in data and data.endswith(b"\n\n\r\n"))
        if heard.end == "open" and not heard.data.endswith(END):
            last = wait_for(mock, "stall")
            assert line.is_silent()
            assert last.ended_ms is None
            assert last.route == "byok:openai~stall"
    mock.wait_for_calls(1)
    return heard


# Every `do` at every point


@pytest.mark.parametrize("after", AFTER)
@pytest.mark.parametrize("do", DO)
def test_a_break_happens_where_it_is_told_to(do: str, after: Any) -> None:
    with world(breaking(do, after)) as mock:
        heard = hear_stream(mock) if do == "stall" else hear(mock, OWN, stream=True)
        last = mock.wait_for_calls(1)[0]
    events, rest = heard.events, heard.unchunked()[1]
    assert heard.status == 200
    assert content(events[0]) is None  # the role
    assert contents(events)[:3] == CHUNKS[:3]
    check, *expected = EXPECTED[do]
    check(events[4:], rest)
    assert [heard.end, last.ending, last.route.partition("~")[2], last.sent["chunks"]] == expected
    assert last.sent["text"] == "".join(CHUNKS[: last.sent["chunks"]])
    assert last.sent["bytes"] == len(heard.data)
    assert last.sent["tokens"] == (4 if last.sent["chunks"] == 3 else 9)


def nothing_more(events: list[bytes], rest: bytes) -> None:
    assert (events, rest) == ([], b"")


def an_error_and_the_end(events: list[bytes], rest: bytes) -> None:
    assert rest == END
    (event,) = events
    error = json.loads(event.removeprefix(b"data: "))["error"]
    assert {"code", "message", "type", "param"} <= error.keys()


def the_end(events: list[bytes], rest: bytes) -> None:
    assert (events, rest) == ([], END)


def a_bad_chunk(events: list[bytes], rest: bytes) -> None:
    assert events == []
    size = rest.partition(b"\r\n")[0]
    with pytest.raises(ValueError, match="invalid literal"):
        int(size, 16)


def all_but_done(events: list[bytes], rest: bytes) -> None:
    assert rest == END
    assert contents(events) == CHUNKS[3:]
    assert json.loads(events[-1][6:])["choices"][0]["finish_reason"] == "stop"


def goes_on(events: list[bytes], rest: bytes) -> None:
    assert rest == END
    assert contents(events) == CHUNKS[3:]
    assert events[-1] == b"data: [DONE]"
    assert json.loads(events[-2][6:])["choices"][0]["finish_reason"] == "stop"


def bad_json_then_goes_on(events: list[bytes], rest: bytes) -> None:
    bad, *events = events
    assert bad.startswith(b"data: {")
    assert b"\n" not in bad
    with pytest.raises(json.JSONDecodeError):
        json.loads(bad[6:])
    goes_on(events, rest)


def the_third_again_then_goes_on(events: list[bytes], rest: bytes) -> None:
    again, *events = events
    assert content(again) == CHUNKS[2]
    goes_on(events, rest)


def comments_then_goes_on(events: list[bytes], rest: bytes) -> None:
    comments = [event for event in events if event.startswith(b":")]
    assert comments
    assert events[: len(comments)] == comments
    goes_on(events[len(comments) :], rest)


EXPECTED: dict[str, list[Any]] = {
    "cut": [nothing_more, "fin", "cut", "cut", 3],
    "reset": [nothing_more, "rst", "reset", "reset", 3],
    "stall": [nothing_more, "open", "stall", "stall", 3],
    "error": [an_error_and_the_end, "open", "finish", "error", 3],
    "truncate": [the_end, "open", "finish", "truncate", 3],
    "no_done": [all_but_done, "open", "finish", "", 6],
    "bad_json": [bad_json_then_goes_on, "open", "finish", "", 6],
    "bad_chunk": [a_bad_chunk, "fin", "cut", "cut", 3],
    "duplicate": [the_third_again_then_goes_on, "open", "finish", "", 6],
    "comment": [comments_then_goes_on, "open", "finish", "", 6],
}


@pytest.mark.parametrize("lane", ["byok", "router"])
@pytest.mark.parametrize("do", ["cut", "error", "duplicate"])
def test_the_same_break_can_be_the_routers(do: str, lane: str) -> None:
    with world(breaking(do, "3 chunks", lane)) as mock:
        heard = hear(mock, OWN, stream=True)
        assert mock.last.served_by is not None
        assert mock.last.served_by["lane"] == "byok"
    EXPECTED[do][0](heard.events[4:], heard.unchunked()[1])


def test_without_after_half_of_the_tokens_are_delivered_first() -> None:
    with world(breaking("cut")) as mock:
        assert contents(hear(mock, OWN, stream=True).events) == CHUNKS[:4]  # 5 of 9


@pytest.mark.parametrize("after", ["7 chunks", "100 tokens", "100%", "1h"])
@pytest.mark.parametrize("do", ["cut", "error", "truncate"])
def test_a_break_that_the_answer_does_not_reach_is_just_before_its_finish(do: str, after: str) -> None:
    with world(breaking(do, after)) as mock:
        heard = hear(mock, OWN, stream=True)
        assert mock.last.route == f"byok:openai~{do}"
    assert contents(heard.events) == CHUNKS
    assert b'finish_reason":"' not in heard.body
    assert b"[DONE]" not in heard.body


def test_a_break_at_the_very_beginning_lets_the_answer_begin() -> None:
    with world(breaking("reset", "0 tokens")) as mock:
        heard = hear(mock, OWN, stream=True)
    assert (heard.status, heard.end) == (200, "rst")
    assert contents(heard.events) == []


def test_every_cut_point_is_exact() -> None:
    text = " ".join(f"w{n}" for n in range(20))
    for tokens in range(1, 21):
        rule = {"reply": text, "break": {"do": "reset", "after": f"{tokens} tokens"}}
        with world(rule) as mock:
            heard = hear(mock, stream=True)
            assert heard.end == "rst"
            assert "".join(contents(heard.events)) == " ".join(f"w{n}" for n in range(tokens))


# The error in the stream


def test_the_error_of_a_break_is_the_providers_own() -> None:
    rule = breaking("error", "3 chunks", error={"kind": "overloaded", "message": "no more", "code": "mine"})
    with world(rule) as mock:
        event = hear(mock, OWN, stream=True).events[-1]
    error = json.loads(event[6:])["error"]
    assert (error["message"], error["code"], error["type"]) == ("no more", "mine", "server_error")


def test_the_error_of_a_break_may_be_any_text() -> None:
    with world(breaking("error", "3 chunks", error={"kind": "overloaded", "body": "one\ntwo"})) as mock:
        assert hear(mock, OWN, stream=True).events[-1] == b"data: one\ndata: two"


# Nothing is tried after the first byte


@pytest.mark.parametrize("do", ["cut", "reset", "error", "truncate", "bad_chunk"])
def test_after_the_first_byte_nobody_else_is_tried(do: str) -> None:
    with world(breaking(do, "1 chunk")) as mock:
        heard = hear(mock, OWN | {"fallback": True}, stream=True)
        last = mock.last
    assert heard.status == 200
    assert [attempt.lane for attempt in last.attempts] == ["byok"]
    assert last.cost == 0


def test_a_plain_call_has_no_break_and_leaves_it_to_the_next_streamed_one() -> None:
    with world({"break": {"do": "cut"}, "times": 1}) as mock:
        assert hear(mock, OWN).status == 200
        assert hear(mock, OWN, stream=True).end == "fin"
        assert mock.routes == ["byok:openai", "byok:openai~cut"]


def test_a_broken_shared_answer_costs_what_was_delivered() -> None:
    with world(breaking("cut", "4 tokens", "shared")) as mock:
        hear(mock, stream=True)
        broken = mock.last
        mock.use({"clock": "virtual", "rules": [breaking("comment", None, "shared")]})
        hear(mock, stream=True)
        whole = mock.last
    assert broken.usage is not None
    assert whole.usage is not None
    assert (broken.usage["completion_tokens"], whole.usage["completion_tokens"]) == (4, 9)
    assert 0 < broken.cost < whole.cost


# Breaks in time


def test_a_stall_goes_on_after_its_time_and_keeps_silent_meanwhile() -> None:
    rule = breaking("stall", "3 chunks", **{"for": "20s"})
    with world(rule, router={"keep_alive": "1s"}, clock="real", speed=50) as mock, Line(mock) as line:
        began_s = time.monotonic()
        line.send(asked(OWN, stream=True))
        first = line.read(until=lambda data: b"K\xc3\xb6ln" in data)
        assert line.is_silent()
        heard = line.read()
        assert time.monotonic() - began_s >= 0.4
        assert mock.last.ending == "finish"
        assert mock.last.route == "byok:openai"
    assert b"PROCESSING" not in first.data
    assert b"PROCESSING" not in heard.data
    assert contents(heard.events) == CHUNKS


def test_a_break_in_time_counts_from_the_first_byte_of_the_stream() -> None:
    rule = {**breaking("cut", "250ms"), "delay": "20s"}
    with world(rule) as mock:
        assert contents(hear(mock, OWN, stream=True).events) == CHUNKS[:3]
        assert mock.last.ended_ms == 20_250


def test_a_cut_comes_when_it_is_due_in_real_time() -> None:
    with world(breaking("cut", "4s"), clock="real", speed=20) as mock:
        began_s = time.monotonic()
        assert hear(mock, OWN, stream=True).end == "fin"
        took_s = time.monotonic() - began_s
    assert 0.025 <= took_s < 2  # all is out after 500 ms: just before the finish chunk
