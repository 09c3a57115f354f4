"""HTTP/1.x on the wire: heads, chunks, frames, dates. What the bytes mean is the business of `render`.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from http import HTTPStatus
from operator import attrgetter
from re import compile as pattern

from onerouter_mock.core.plan import Frame

LAST_CHUNK = b"0\r\n\r\n"
_INSTANT = attrgetter("at_us")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_NO_TOKEN = pattern(r"[^A-Za-z0-9!#$%&'*+.^_`|~-]")
_NOT_IN_A_VALUE = pattern(r"[\x00-\x08\x0a-\x1f\x7f]")
# Statuses that providers use and the registry lacks.
_REASONS = {498: "Capacity Exceeded", 499: "Client Closed Request", 529: "Overloaded"}
_LATEST_S = 253_402_300_799  # the last second of year 9999


@lru_cache(maxsize=256)
def status_line(status: int) -> str:
    """`HTTP/1.1 200 OK`, without its line end. A status nobody has named has no reason, as HTTP allows."""
    try:
        reason = HTTPStatus(status).phrase
    except ValueError:
        reason = _REASONS.get(status, "")
    return f"HTTP/1.1 {status} {reason}"


@lru_cache(maxsize=256)
def http_date(epoch_s: int) -> str:
    """An instant as HTTP dates are written: `Thu, 01 Jan 2026 00:00:00 GMT`.

    Units: whole seconds since the Unix epoch.
    """
    at = datetime.fromtimestamp(min(max(epoch_s, 0), _LATEST_S), UTC)
    return f"{_DAYS[at.weekday()]}, {at.day:02d} {_MONTHS[at.month - 1]} {at.year} {at:%H:%M:%S} GMT"


def has_no_body(method: str, status: int) -> bool:
    """Whether HTTP forbids a body here: a client would read it as the beginning of the next answer."""
    return method == "HEAD" or status in (204, 304) or status < 200


def chunk(data: bytes) -> bytes:
    """One chunk of a chunked body; nothing for no data, because an empty chunk would end the body."""
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""


def clean_name(name: str) -> str:
    """A header name with what no name may hold taken out."""
    return name if name.isalnum() and name.isascii() else _NO_TOKEN.sub("", name)


def clean_value(value: str) -> str:
    """A header value that can't end its line: control characters become spaces."""
    return value if value.isprintable() else _NOT_IN_A_VALUE.sub(" ", value).strip()


def override(lines: list[str], given: Iterable[tuple[str, str]]) -> list[str]:
    """Header lines with those that a rule gives in place of ours of the same name, in any case."""
    cleaned = [(clean_name(name), clean_value(value)) for name, value in given]
    replaced = {name.lower() for name, _ in cleaned}
    kept = [line for line in lines if line.partition(":")[0].lower() not in replaced]
    return kept + [f"{name}: {value}" for name, value in cleaned if name]


def head_bytes(status: int, lines: list[str]) -> bytes:
    """Status line and header lines, with the empty line after them. Names and values must be clean."""
    return "\r\n".join([status_line(status), *lines, "\r\n"]).encode("utf-8", "replace")


def lay_frames(
    head: bytes, head_us: int, events: Iterable[Frame], chunked: bool, slice_bytes: int, end: Frame | None
) -> Iterator[Frame]:
    """Head, events and the body's end as frames: one for each instant, or cut into `slice_bytes` each (0: uncut).

    Shape: `events` in order of time, their data not framed yet, that of `end` as it is; they are used up.
    """
    last = begin = Frame(head_us, head)
    coming = iter(events)
    event = next(coming, None)
    while event is not None:
        at_us, due, event = event.at_us, [event], next(coming, None)
        while event is not None and event.at_us == at_us:
            due.append(event)
            event = next(coming, None)
        if slice_bytes:
            yield last
            *cuts, last = _slices(at_us, due, chunked, slice_bytes)
            yield from cuts
            continue
        frame = due[0] if len(due) == 1 else _join(due)
        if chunked:
            frame.data = chunk(frame.data)
        if last is begin and at_us == head_us:
            frame.data = head + frame.data
        else:
            yield last
        last = frame
    if end is not None and end.at_us == last.at_us and not slice_bytes:
        last.data += end.data
    elif end is not None:
        yield last
        last = end
    yield last


def _join(due: list[Frame]) -> Frame:
    return Frame(
        due[0].at_us,
        b"".join([event.data for event in due]),
        sum([event.chunks for event in due]),
        sum([event.tokens for event in due]),
    )


def _slices(at_us: int, due: list[Frame], chunked: bool, slice_bytes: int) -> list[Frame]:
    """Events cut anywhere, also inside a character; what an event delivers counts with its last byte."""
    data = b"".join([event.data for event in due])
    cuts = [data[at : at + slice_bytes] for at in range(0, len(data), slice_bytes)]
    frames = [Frame(at_us, chunk(cut) if chunked else cut) for cut in cuts]
    end = 0
    for event in due:
        end += len(event.data)
        last = frames[(end - 1) // slice_bytes]
        last.chunks += event.chunks
        last.tokens += event.tokens
    return frames
