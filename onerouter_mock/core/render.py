"""A Decision as bytes on a timeline. Invents nothing: every id, word and number is in the Decision.

The JSON comes from `wire/`, heads and chunks from `framing`, events of a stream from `breaks`.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Literal

from onerouter_mock.core import framing, trace, wire
from onerouter_mock.core.breaks import first_us, keep_alives, stream_events, whole_stream, with_keep_alives
from onerouter_mock.core.framing import LAST_CHUNK, chunk
from onerouter_mock.core.plan import Frame, Frames, Plan
from onerouter_mock.core.records import Answer, Decision, Failure
from onerouter_mock.core.timeline import sent_text, streamed, whole_text
from onerouter_mock.core.wire import refusals

if TYPE_CHECKING:
    from onerouter_mock.core.records import Timeline
    from onerouter_mock.core.scenario.records import Break, Pace, Scenario

JSON_TYPE = "application/json; charset=utf-8"
STREAM_TYPE = "text/event-stream; charset=utf-8\r\nCache-Control: no-cache"
GARBAGE = b"\x15\x03\x03\x00\x02\x02P this is not HTTP \xff\xfe\r\n"
# What nginx, and the proxies that copied it, say when nobody answers behind them.
HTML = (
    b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"
    b"<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>cloudflare</center>\r\n</body>\r\n</html>\r\n"
)
BAD_CHUNK = b"1z\r\ndata: {\r\n"  # a size that is no number
_FRAMING = ("content-length", "transfer-encoding", "connection")
_LONGEST_ROUTE = 4_000
_EVENT_END = b"\n\n"  # JSON has no line breaks of its own
Close = Literal["keep", "fin", "rst", "hold"]
# How a break leaves the connection, and the journal's word for it. After the others a body ends as it should.
_ENDS: dict[str, tuple[Close, str]] = {
    "cut": ("fin", "cut"),
    "bad_chunk": ("fin", "cut"),
    "reset": ("rst", "reset"),
    "stall": ("hold", "stall"),
}


def render(scenario: Scenario, decision: Decision, *, trace_header: bool = True) -> Plan:
    """What is sent for a decision, when, and how the connection ends.

    Source: headers: seen (request id), what SDKs read (client code), guessed (the rest); streams: documented.
    """
    failure = decision.failure
    if decision.served is None and failure is not None:
        if decision.failed_lane == "router" and failure.connection is not None:
            return _render_accident(scenario, decision, failure, trace_header)
        return _render_failure(scenario, decision, failure, trace_header)
    if decision.call.stream and decision.answer is not None and decision.timeline is not None:
        return _render_stream(scenario, decision, decision.answer, decision.timeline, trace_header)
    at_us = decision.timeline.end_us if decision.timeline is not None else _failure_us(decision)
    headers = _headers(scenario, decision, at_us, JSON_TYPE, trace_header)
    plan = _plain(decision, 200, headers, wire.answer_body(decision, scenario), at_us)
    if decision.answer is not None:
        frame = plan.frames[0]
        frame.chunks, frame.tokens = 1, decision.answer.completion_tokens
        plan.sent_text = whole_text(decision.answer)
    return plan


# Heads


def _headers(
    scenario: Scenario, decision: Decision, at_us: int, content_type: str, trace_header: bool
) -> list[str]:
    """The header lines that every answer has; `at_us` is when the head goes out."""
    wire_id = decision.wire_id
    lines = [
        f"Content-Type: {content_type}",
        f"Date: {framing.http_date((decision.now_us + at_us) // 1_000_000)}",
        f"x-infron-request-id: {wire_id}",
    ]
    if scenario.wire == "documented":
        lines.append(f"x-request-id: {wire_id}")
    if trace_header:
        route = trace.route(decision)
        if len(route) > _LONGEST_ROUTE:  # clients refuse long heads; the journal has it whole
            route = f"{route[:_LONGEST_ROUTE]} ..."
        lines.append(f"x-onerouter-mock-route: {framing.clean_value(route)}")
    for name, value in decision.limit_headers:
        lines.append(f"{name}: {value}")
    if _closes(decision):
        lines.append("Connection: close")
    return lines


def _retry_headers(scenario: Scenario, decision: Decision, failure: Failure, at_us: int) -> list[str]:
    """What a refused client is told about trying again. A rule's own Retry-After stands for both of ours."""
    lines = []
    if failure.should_retry is not None:
        lines.append(f"x-should-retry: {'true' if failure.should_retry else 'false'}")
    told_us = decision.told_us
    if any(name.lower() in ("retry-after", "retry-after-ms") for name, _ in failure.headers):
        return lines
    if failure.date is not None and (scenario.waits == "told" or told_us is None):
        text = failure.date
        if text == "date":  # whole seconds: rounded up, so that who waits until then has waited long enough
            until_us = decision.now_us + at_us + (told_us or failure.wait_us or 0)
            text = framing.http_date(-(-until_us // 1_000_000))
        lines.append(f"Retry-After: {framing.clean_value(text)}")
    elif told_us is not None:
        ms = -(-told_us // 1000)
        lines += [f"retry-after-ms: {ms}", f"Retry-After: {-(-ms // 1000)}"]
    return lines


def _closes(decision: Decision) -> bool:
    """Whether the client cannot or will not use the connection again."""
    call = decision.call
    return call.http10 or call.headers.get("connection", "").lower() == "close"


def _failure_us(decision: Decision) -> int:
    """When a call that nobody served is answered: after its last attempt and the router's own delay."""
    last = decision.attempts[-1] if decision.attempts else None
    return decision.delay_us + (last.at_us + last.took_us if last is not None else 0)


# Answers that are one piece


def _plain(
    decision: Decision,
    status: int,
    headers: list[str],
    body: bytes,
    at_us: int,
    given: tuple[tuple[str, str], ...] = (),
) -> Plan:
    """An answer in one piece; `given` are headers of a rule, which win over ours."""
    headers.append(f"Content-Length: {len(body)}")
    closes = _closes(decision)
    if given:
        headers = framing.override(headers, given)
        # Whoever scripts framing may break it: no other answer may follow on this connection.
        closes = closes or any(name.lower() in _FRAMING for name, _ in given)
    if framing.has_no_body(decision.call.method, status):
        body = b""
    data = framing.head_bytes(status, headers) + body
    return Plan(status, [Frame(at_us, data)], "fin" if closes else "keep", end_us=at_us)


def _render_failure(scenario: Scenario, decision: Decision, failure: Failure, trace_header: bool) -> Plan:
    at_us = _failure_us(decision)
    in_body = scenario.router.deliver_errors == "body" and decision.failed_lane != "router"
    as_stream = in_body and decision.call.stream and failure.body is None
    status = 200 if in_body else decision.status or failure.status
    headers = _headers(scenario, decision, at_us, STREAM_TYPE if as_stream else JSON_TYPE, trace_header)
    headers += _retry_headers(scenario, decision, failure, at_us)
    if as_stream:
        event = Frame(at_us, refusals.error_event(decision, scenario.wire))
        return _streamed(decision, framing.override(headers, failure.headers), [event], at_us, at_us)
    if failure.body is not None:
        body = failure.body.encode("utf-8", "replace")
    else:
        body = refusals.error_body(decision, scenario.wire)
    return _plain(decision, status, headers, body, at_us, failure.headers)


# Streams


def _render_stream(
    scenario: Scenario, decision: Decision, answer: Answer, timeline: Timeline, trace_header: bool
) -> Plan:
    shape = decision.shape
    in_pieces = streamed(answer, shape)
    if in_pieces is not answer:
        decision = replace(decision, answer=in_pieces)
    parts = wire.stream_parts(decision, scenario)
    pace = shape.pace if shape is not None else None
    break_ = shape.break_ if shape is not None else None
    every_us = scenario.router.keep_alive_us
    events: Iterable[Frame]
    if break_ is None and timeline.at_us is None and not _slice_bytes(pace):
        events = (Frame(timeline.start_us, whole_stream(parts), timeline.pieces, timeline.tokens),)
    else:
        events = stream_events(
            parts, in_pieces.pieces, timeline, break_, lambda: refusals.break_event(decision, scenario)
        )
        # A stall is the router's silence too.
        if 0 < every_us < timeline.end_us - timeline.start_us and (break_ is None or break_.do != "stall"):
            events = with_keep_alives(events, every_us)
    waits = keep_alives(first_us(timeline, break_), every_us)
    head_us = min(timeline.start_us, waits[0].at_us) if waits else timeline.start_us
    headers = _headers(scenario, decision, head_us, STREAM_TYPE, trace_header)
    if waits:
        events = chain(waits, events)
    plan = _streamed(decision, headers, events, head_us, timeline.end_us, break_, _slice_bytes(pace))
    plan.sent_text = sent_text(answer, shape, timeline.pieces)
    return plan


def _slice_bytes(pace: Pace | None) -> int:
    return pace.slice[0] if pace is not None and pace.slice is not None and pace.slice[1] == "bytes" else 0


def _streamed(
    decision: Decision,
    headers: list[str],
    events: Iterable[Frame],
    head_us: int,
    end_us: int,
    break_: Break | None = None,
    slice_bytes: int = 0,
) -> Plan:
    """A chunked body: events due at one instant are one chunk. HTTP/1.0 knows none: a plain body, FIN."""
    do = break_.do if break_ is not None else ""
    endless = break_ is not None and do == "stall" and break_.for_us is None
    chunked = not decision.call.http10
    if chunked:
        headers.append("Transfer-Encoding: chunked")
    end = None
    if chunked and do == "bad_chunk":
        end = Frame(end_us, BAD_CHUNK)
    elif chunked and not endless and do not in ("cut", "reset"):
        end = Frame(end_us, LAST_CHUNK)
    head = framing.head_bytes(200, headers)
    laid = framing.lay_frames(head, head_us, events, chunked, slice_bytes, end)
    frames: Sequence[Frame] = Frames(laid) if end_us > head_us else list(laid)
    close, ending = _ENDS.get(do if do != "stall" or endless else "", ("keep", "finish"))
    if close == "keep" and _closes(decision):
        close = "fin"
    plan = Plan(200, frames, close, ending, end_us, separate=slice_bytes > 0)
    if do == "stall" and not endless and decision.timeline is not None:
        break_us = decision.timeline.break_us or 0
        plan.stall_at = sum(frame.at_us <= break_us for frame in frames)
    return plan


# Accidents between client and router


def _render_accident(scenario: Scenario, decision: Decision, failure: Failure, trace_header: bool) -> Plan:
    at_us = _failure_us(decision)
    match failure.connection:
        case "reset":
            return Plan(None, [], "rst", "reset", at_us)
        case "hang":
            return Plan(None, [], "hold", "hang", at_us)
        case "garbage":
            return Plan(None, [Frame(at_us, GARBAGE)], "fin", "garbage", at_us)
        case "short_body":
            return _render_short_body(scenario, decision, at_us, trace_header)
        case "html":
            headers = _headers(scenario, decision, at_us, "text/html; charset=utf-8", trace_header)
            headers += _retry_headers(scenario, decision, failure, at_us)
            return _plain(decision, 502, headers, HTML, at_us, failure.headers)
        case _:
            return Plan(None, [], "fin", "empty", at_us)


def _render_short_body(scenario: Scenario, decision: Decision, at_us: int, trace_header: bool) -> Plan:
    """An ordinary answer that promises more bytes than come: half of them, or half of a chunk."""
    if decision.call.stream and decision.answer is not None:
        return _render_short_stream(scenario, decision, decision.answer, at_us, trace_header)
    body = wire.answer_body(decision, scenario)
    headers = _headers(scenario, decision, at_us, JSON_TYPE, trace_header)
    headers.append(f"Content-Length: {len(body)}")
    data = framing.head_bytes(200, headers) + body[: len(body) // 2]
    return Plan(200, [Frame(at_us, data)], "fin", "cut", at_us)


def _render_short_stream(
    scenario: Scenario, decision: Decision, answer: Answer, at_us: int, trace_header: bool
) -> Plan:
    in_pieces = streamed(answer, decision.shape)
    parts = wire.stream_parts(replace(decision, answer=in_pieces), scenario)
    opened = parts.opening.count(_EVENT_END)
    body = whole_stream(parts)
    headers = _headers(scenario, decision, at_us, STREAM_TYPE, trace_header)
    if not decision.call.http10:
        headers.append("Transfer-Encoding: chunked")
        body = chunk(body)
    sent = body[: len(body) // 2]
    pieces = in_pieces.pieces[: max(0, sent.count(_EVENT_END) - opened)]
    data = framing.head_bytes(200, headers) + sent
    frame = Frame(at_us, data, len(pieces), sum(piece.tokens for piece in pieces))
    said = sent_text(answer, decision.shape, len(pieces))
    return Plan(200, [frame], "fin", "cut", at_us, sent_text=said)
