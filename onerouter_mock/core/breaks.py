"""A streamed answer as events in time, and what each break does to them. No HTTP here.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from onerouter_mock.core.plan import Frame
from onerouter_mock.core.timeline import ENDING_BREAKS

if TYPE_CHECKING:
    from onerouter_mock.core.records import Piece, Timeline
    from onerouter_mock.core.scenario.records import Break
    from onerouter_mock.core.wire import Parts

KEEP_ALIVE = b": ONEROUTER PROCESSING\n\n"  # Source: documented (streaming), the interval is not
_MOST_KEEP_ALIVES = 10_000  # an interval of a microsecond and a delay of an hour must not fill the memory
_SOME_JSON = 24  # so much of a chunk's JSON is surely none, and surely ASCII


def whole_stream(parts: Parts) -> bytes:
    """A stream without break, pace and slices, in one piece: nearly every stream."""
    return b"".join([parts.opening, *parts.pieces, *parts.closing, parts.usage, parts.done])


def stream_events(
    parts: Parts,
    pieces: tuple[Piece, ...],
    timeline: Timeline,
    break_: Break | None,
    error: Callable[[], bytes],
) -> Iterator[Frame]:
    """The events of a streamed answer, in order of time, as frames of a body without HTTP's framing.

    Shape: `error` makes the event of a break that does so.
    """
    at_us, count = timeline.at_us, timeline.pieces
    opening_us = at_us[0] if at_us else timeline.start_us
    extra_at = timeline.break_at if break_ is not None else None
    if break_ is not None and _is_early(timeline, opening_us):
        if break_.unit != "us":  # a break before the first chunk would be no break of an answer: let it begin
            opening_us = timeline.break_us or 0
        elif _is_end(break_):
            yield from _broken_off(timeline, break_, error)
            return
        elif break_.do == "comment":
            yield from _extra(break_, timeline, 0, b"")
            extra_at = None
    yield Frame(opening_us, parts.opening)
    last = parts.opening
    # `parts` and `pieces` have more of them than `count` where a break ends the answer.
    due_us = at_us[:count] if at_us else (opening_us,) * count
    for at, (us, data, piece) in enumerate(zip(due_us, parts.pieces, pieces, strict=False)):
        if at == extra_at:
            yield from _extra(break_, timeline, opening_us, last)
        yield Frame(us, data, 1, piece.tokens)
        last = data
    if count == extra_at:
        yield from _extra(break_, timeline, opening_us, last)
    if break_ is not None and timeline.break_us is not None and _is_end(break_):
        yield from _broken_off(timeline, break_, error)
    else:
        yield from _closing(parts, timeline.end_us, done=break_ is None or break_.do != "no_done")


def first_us(timeline: Timeline, break_: Break | None) -> int:
    """When the first event comes, or the silence or end that comes instead."""
    opening_us = timeline.at_us[0] if timeline.at_us else timeline.start_us
    if break_ is None or not _is_early(timeline, opening_us):
        return opening_us
    comes_first = break_.unit != "us" or break_.do in ("stall", "comment") or _is_end(break_)
    return timeline.break_us or 0 if comes_first else opening_us


def _is_early(timeline: Timeline, opening_us: int) -> bool:
    return timeline.break_us is not None and timeline.break_us < opening_us


def _is_end(break_: Break) -> bool:
    return break_.do in ENDING_BREAKS or (break_.do == "stall" and break_.for_us is None)


def _broken_off(timeline: Timeline, break_: Break, error: Callable[[], bytes]) -> list[Frame]:
    return [Frame(timeline.end_us, error())] if break_.do == "error" else []


def _closing(parts: Parts, end_us: int, *, done: bool) -> list[Frame]:
    events = [*parts.closing, parts.usage, parts.done if done else b""]
    return [Frame(end_us, data) for data in events if data]


def _extra(break_: Break | None, timeline: Timeline, opening_us: int, last: bytes) -> list[Frame]:
    """What a break that goes on puts between two chunks; `last` is the event before it."""
    match break_ and break_.do:
        case "duplicate":
            data = last
        case "comment":
            data = KEEP_ALIVE * 2
        case "bad_json":
            before, mark, json = last.rpartition(b"data: ")
            data = before + mark + json[: min(_SOME_JSON, len(json) // 2)] + b"\n\n"
        case _:
            return []
    return [Frame(max(timeline.break_us or 0, opening_us), data)]


def with_keep_alives(events: Iterable[Frame], every_us: int) -> Iterator[Frame]:
    """Events, and comment lines in each silence between them that lasts longer than `every_us`."""
    before_us: int | None = None
    for event in events:
        if before_us is not None and event.at_us - before_us > every_us:
            for wait in keep_alives(event.at_us - before_us, every_us):
                wait.at_us += before_us
                yield wait
        before_us = event.at_us
        yield event


def keep_alives(wait_us: int, every_us: int) -> list[Frame]:
    """Comment lines for a client that waits `wait_us` for the next word of an answer that will come."""
    if every_us <= 0 or wait_us <= every_us:
        return []
    count = min((wait_us - 1) // every_us, _MOST_KEEP_ALIVES)
    return [Frame(n * every_us, KEEP_ALIVE) for n in range(1, count + 1)]
