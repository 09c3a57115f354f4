"""Decisions by hand, and readers of the bytes that `render` makes of them."""

from __future__ import annotations

from typing import Any

import orjson

from onerouter_mock.core.catalogue import built_in
from onerouter_mock.core.plan import Plan
from onerouter_mock.core.records import (
    Answer,
    Attempt,
    Call,
    Choice,
    Cost,
    Decision,
    Failure,
    Piece,
    Shape,
    Usage,
)
from onerouter_mock.core.scenario.records import Break, Pace, Scenario
from onerouter_mock.core.timeline import lay_out
from onerouter_mock.core.wire.chat_call import ChatAsk

SCENARIO = Scenario("test", built_in())
NOW_US = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z
WORDS = [" häßlich", " und", " schön", " 🦔", " fünf"]
SECOND_US = 1_000_000


def answered(
    *,
    stream: bool = True,
    pace: Pace | None = None,
    break_: Break | None = None,
    start_us: int = 0,
    http10: bool = False,
    method: str = "POST",
    **fields: Any,
) -> Decision:
    """A decision for a call that the shared pool serves with five words."""
    pieces = tuple(Piece(0, "content", word, 1) for word in WORDS)
    said = Answer((Choice("".join(WORDS), tokens=tuple(WORDS)),), pieces, len(WORDS))
    shape = Shape(pace=pace, break_=break_)
    attempt = Attempt(1, "shared", "openai", "openai/gpt-5.1-chat")
    return Decision(
        call_to(stream=stream, http10=http10, method=method),
        NOW_US,
        attempts=[attempt],
        served=attempt,
        answer=said,
        shape=shape,
        timeline=lay_out(said, stream=stream, start_us=start_us, shape=shape),
        usage=Usage(9, 5),
        cost=Cost(),
        request_id="f" * 32,
        wire_id="20260101000000123456789ABCDEFGH",
        answer_id="chatcmpl-1",
        created_s=NOW_US // SECOND_US,
        **fields,
    )


def refused(
    lane: str = "router", *, stream: bool = False, told_us: int | None = None, **fields: Any
) -> Decision:
    """A decision for a call that nobody served: the failure has `fields`."""
    failure = Failure(**{"kind": "rate_limit", "status": 429, "message": "slow down"} | fields)
    attempts = []
    if lane != "router":
        attempts = [
            Attempt(1, lane, "openai", "m", failure.kind, failure.status, took_us=30_000, failure=failure)
        ]
    return Decision(
        call_to(stream=stream),
        NOW_US,
        attempts=attempts,
        failure=failure,
        failed_lane=lane,  # type: ignore[arg-type]  # a literal type, from the tests
        status=failure.status,
        told_us=told_us,
        wire_id="20260101000000123456789ABCDEFGH",
    )


def call_to(*, stream: bool = False, http10: bool = False, method: str = "POST") -> Call:
    return Call(
        1, "default", method, "/v1/chat/completions", endpoint="chat", account="default",
        model="gpt-5.1-chat", stream=stream, http10=http10, ask=ChatAsk(),
    )  # fmt: skip


def whole(plan: Plan) -> bytes:
    return b"".join(frame.data for frame in plan.frames)


def split(plan: Plan) -> tuple[str, dict[str, str], bytes]:
    """Status line, headers by lower-case name, and body as it is on the wire."""
    head, _, body = whole(plan).partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    return status, {line.partition(": ")[0].lower(): line.partition(": ")[2] for line in lines}, body


def unchunk(body: bytes) -> tuple[list[bytes], bool]:
    """The chunks of a chunked body, and whether it ends as it should."""
    chunks = []
    while body:
        size, _, rest = body.partition(b"\r\n")
        length = int(size, 16)
        if length == 0:
            return chunks, rest == b"\r\n"
        chunks.append(rest[:length])
        assert rest[length : length + 2] == b"\r\n"
        body = rest[length + 2 :]
    return chunks, False


def events(plan: Plan) -> list[bytes]:
    chunks, _ = unchunk(split(plan)[2])
    return [event for event in b"".join(chunks).split(b"\n\n") if event]


def spoken(plan: Plan) -> str:
    """What a client reads in the deltas of a stream."""
    text = ""
    for event in events(plan):
        if event.startswith(b"data: {"):
            for choice in orjson.loads(event[6:]).get("choices", ()):
                text += choice["delta"].get("content") or ""
    return text
