"""Streamed answers as frames: pace, slices, comment lines, and what breaks do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest
from rendered import SCENARIO, SECOND_US, WORDS, answered, events, refused, split, spoken, unchunk, whole

from onerouter_mock.core.plan import Plan
from onerouter_mock.core.records import Decision
from onerouter_mock.core.render import render
from onerouter_mock.core.scenario.records import Break, Fixed, Pace, RouterConf

# Streams


def test_a_stream_without_pace_is_one_chunk_in_one_frame() -> None:
    plan = render(SCENARIO, answered())
    _, headers, body = split(plan)
    chunks, is_whole = unchunk(body)
    assert headers["content-type"] == "text/event-stream; charset=utf-8"
    assert headers["transfer-encoding"] == "chunked"
    assert (len(plan.frames), len(chunks), is_whole) == (1, 1, True)
    assert spoken(plan) == "".join(WORDS)
    assert events(plan)[-1] == b"data: [DONE]"
    assert (plan.frames[0].chunks, plan.frames[0].tokens) == (5, 5)
    assert (plan.sent_text, plan.close, plan.ending) == ("".join(WORDS), "keep", "finish")


def test_paced_pieces_are_frames_of_their_own_and_the_opening_comes_with_the_first() -> None:
    plan = render(SCENARIO, answered(pace=Pace(ttft=Fixed(100), gap=Fixed(40)), start_us=1000))
    assert [frame.at_us for frame in plan.frames] == [1000, 1100, 1140, 1180, 1220, 1260]
    assert plan.frames[0].data.endswith(b"chunked\r\n\r\n")
    assert b'"role"' in plan.frames[1].data
    assert b"[DONE]" in plan.frames[-1].data
    assert plan.frames[-1].data.endswith(b"0\r\n\r\n")
    assert [(frame.chunks, frame.tokens) for frame in plan.frames] == [(0, 0)] + [(1, 1)] * 5
    assert plan.end_us == 1260
    assert events(plan) == events(render(SCENARIO, answered()))


def test_pieces_due_at_one_instant_are_one_chunk() -> None:
    plan = render(SCENARIO, answered(pace=Pace(gap=Fixed(0))))
    assert len(plan.frames) == 1


@pytest.mark.parametrize("size", [1, 7, 64])
def test_slices_are_chunks_of_so_many_bytes_through_names_and_characters(size: int) -> None:
    plan = render(SCENARIO, answered(pace=Pace(slice=(size, "bytes"))))
    chunks, is_whole = unchunk(split(plan)[2])
    assert is_whole
    assert {len(piece) for piece in chunks[:-1]} == {size}
    assert b"".join(chunks) == b"".join(unchunk(split(render(SCENARIO, answered()))[2])[0])
    assert len(plan.frames) == len(chunks) + 2  # the head, each slice, the end of the body
    assert plan.separate
    assert sum(frame.tokens for frame in plan.frames) == 5


def test_slices_of_a_paced_stream_wait_for_their_bytes_only() -> None:
    plan = render(SCENARIO, answered(pace=Pace(gap=Fixed(40), slice=(64, "bytes"))))
    assert sorted({frame.at_us for frame in plan.frames}) == [0, 40, 80, 120, 160]
    assert spoken(plan) == "".join(WORDS)


def test_slices_of_tokens_put_several_in_a_chunk() -> None:
    plan = render(SCENARIO, answered(pace=Pace(gap=Fixed(40), slice=(2, "token"))))
    assert [(frame.chunks, frame.tokens) for frame in plan.frames] == [(1, 2), (1, 2), (1, 1)]
    assert spoken(plan) == "".join(WORDS)


# Keep-alive lines


def test_who_waits_long_for_a_stream_reads_comment_lines_after_the_head() -> None:
    plan = render(SCENARIO, answered(start_us=40 * SECOND_US))
    assert [frame.at_us for frame in plan.frames] == [15 * SECOND_US, 30 * SECOND_US, 40 * SECOND_US]
    assert events(plan)[:2] == [b": ONEROUTER PROCESSING"] * 2
    assert split(plan)[1]["date"] == "Thu, 01 Jan 2026 00:00:15 GMT"
    assert spoken(plan) == "".join(WORDS)


def test_the_time_to_the_first_token_is_waiting_too() -> None:
    plan = render(SCENARIO, answered(pace=Pace(ttft=Fixed(20 * SECOND_US))))
    assert [frame.at_us for frame in plan.frames] == [0, 15 * SECOND_US, 20 * SECOND_US]


@pytest.mark.parametrize(
    "decision", [answered(start_us=15 * SECOND_US), answered(stream=False, start_us=10**8)]
)
def test_no_comment_lines_where_the_wait_is_short_or_nothing_is_streamed(decision: Decision) -> None:
    plan = render(SCENARIO, decision)
    assert len(plan.frames) == 1
    assert b"PROCESSING" not in whole(plan)


def test_a_silence_between_two_words_carries_comment_lines_but_a_stall_is_silent() -> None:
    gap = Pace(gap=Fixed(20 * SECOND_US))
    plan = render(SCENARIO, answered(pace=gap))
    instants_s = [frame.at_us // SECOND_US for frame in plan.frames]
    assert instants_s == [0, 15, 20, 35, 40, 55, 60, 75, 80]
    assert [frame.chunks for frame in plan.frames] == [1, 0, 1, 0, 1, 0, 1, 0, 1]
    assert spoken(plan) == "".join(WORDS)
    stalled = render(SCENARIO, answered(pace=gap, break_=Break("stall", "tokens", 2, 60 * SECOND_US)))
    assert b"PROCESSING" not in whole(stalled)


def test_a_comment_may_come_before_the_first_word_and_nothing_else() -> None:
    pace = Pace(ttft=Fixed(200))
    plan = render(SCENARIO, answered(pace=pace, break_=Break("comment", "us", 50)))
    assert [(frame.at_us, b"PROCESSING" in frame.data) for frame in plan.frames] == [
        (0, False),
        (50, True),
        (200, False),
    ]
    late = render(SCENARIO, answered(pace=pace, break_=Break("duplicate", "us", 50)))
    assert [frame.at_us for frame in late.frames] == [0, 200]


def test_a_refusal_keeps_its_status_however_long_it_takes() -> None:
    decision = refused("byok", stream=True)
    decision.attempts[0].took_us = 60 * SECOND_US
    plan = render(SCENARIO, decision)
    assert [frame.at_us for frame in plan.frames] == [60 * SECOND_US]
    assert split(plan)[0] == "HTTP/1.1 429 Too Many Requests"


def test_a_tiny_interval_does_not_fill_the_memory() -> None:
    scenario = replace(SCENARIO, router=RouterConf(frozenset(), keep_alive_us=1))
    assert len(render(scenario, answered(start_us=3600 * SECOND_US)).frames) < 20_000


# Breaks


def broken(do: str, unit: Any = "tokens", after: float = 2, pace: Pace | None = None, **fields: Any) -> Plan:
    return render(SCENARIO, answered(pace=pace, break_=Break(do, unit, after, **fields)))


@pytest.mark.parametrize(
    ("do", "close", "ending"),
    [
        ("cut", "fin", "cut"),
        ("reset", "rst", "reset"),
        ("stall", "hold", "stall"),
        ("bad_chunk", "fin", "cut"),
        ("truncate", "keep", "finish"),
        ("error", "keep", "finish"),
        ("no_done", "keep", "finish"),
        ("bad_json", "keep", "finish"),
        ("duplicate", "keep", "finish"),
        ("comment", "keep", "finish"),
    ],
)
def test_how_a_break_leaves_connection_and_journal(do: str, close: str, ending: str) -> None:
    plan = broken(do)
    assert (plan.close, plan.ending, plan.status) == (close, ending, 200)


@pytest.mark.parametrize("do", ["cut", "reset", "stall", "truncate", "error", "bad_chunk"])
def test_what_was_due_before_an_ending_break_is_delivered(do: str) -> None:
    plan = broken(do)
    assert plan.sent_text == "".join(WORDS[:2])
    assert sum(frame.tokens for frame in plan.frames) == 2
    data = whole(plan)
    assert b"[DONE]" not in data
    assert b'"finish_reason":"stop"' not in data
    if do != "bad_chunk":
        assert spoken(plan).startswith("".join(WORDS[:2]))


@pytest.mark.parametrize(
    ("do", "is_whole"),
    [("cut", False), ("reset", False), ("stall", False), ("truncate", True), ("error", True)],
)
def test_only_some_breaks_end_the_body_as_http_wants(do: str, is_whole: bool) -> None:
    assert unchunk(split(broken(do))[2])[1] is is_whole


def test_an_error_break_is_an_error_object_and_nothing_after_it() -> None:
    *before, last = events(broken("error"))
    assert "error" in orjson.loads(last[6:])
    assert len(before) == 3  # the opening and two words


def test_bad_chunk_breaks_the_framing_after_what_was_due() -> None:
    plan = broken("bad_chunk", pace=Pace(gap=Fixed(40)))
    body = split(plan)[2]
    with pytest.raises(ValueError, match="invalid literal"):
        unchunk(body)
    assert WORDS[1].encode() in body


def test_no_done_leaves_out_only_done() -> None:
    assert events(broken("no_done")) == events(render(SCENARIO, answered()))[:-1]


def test_bad_json_is_one_line_too_many_that_is_no_json() -> None:
    got, plain = events(broken("bad_json")), events(render(SCENARIO, answered()))
    assert got[:3] + got[4:] == plain
    assert got[3].startswith(b"data: {")
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(got[3][6:])


def test_duplicate_repeats_the_last_chunk() -> None:
    got, plain = events(broken("duplicate")), events(render(SCENARIO, answered()))
    assert got[:3] + got[4:] == plain
    assert got[3] == got[2]
    assert spoken(broken("duplicate")) == "".join([*WORDS[:2], WORDS[1], *WORDS[2:]])


def test_comment_lines_stand_between_chunks() -> None:
    got, plain = events(broken("comment")), events(render(SCENARIO, answered()))
    assert [event for event in got if not event.startswith(b":")] == plain
    assert got[3].startswith(b":")


@pytest.mark.parametrize("do", ["cut", "duplicate", "bad_json", "comment", "error", "truncate"])
def test_a_break_after_nothing_still_lets_the_stream_begin(do: str) -> None:
    plan = broken(do, after=0, pace=Pace(ttft=Fixed(100)))
    assert b'"role"' in whole(plan)
    assert events(plan)[0].startswith(b"data: {")


def test_a_break_in_time_before_the_first_token_sends_the_head_alone() -> None:
    plan = broken("cut", "us", 30, pace=Pace(ttft=Fixed(100)))
    assert split(plan)[2] == b""
    assert (plan.close, plan.end_us) == ("fin", 30)


def test_an_error_in_time_before_the_first_token_is_the_only_event() -> None:
    plan = broken("error", "us", 30, pace=Pace(ttft=Fixed(100)))
    assert len(events(plan)) == 1
    assert [frame.at_us for frame in plan.frames] == [0, 30]


def test_the_connection_breaks_when_the_break_is_due_and_not_with_the_last_piece() -> None:
    plan = broken("cut", "us", 70, pace=Pace(gap=Fixed(40)))
    assert ([frame.at_us for frame in plan.frames], plan.end_us) == ([0, 40], 70)


def test_a_truncated_stream_ends_its_body_when_the_break_is_due() -> None:
    plan = broken("truncate", "us", 70, pace=Pace(gap=Fixed(40)))
    assert [frame.at_us for frame in plan.frames] == [0, 40, 70]
    assert plan.frames[-1].data == b"0\r\n\r\n"


def test_a_break_out_of_reach_stands_just_before_the_finish_chunk() -> None:
    got = events(broken("comment", after=99))
    assert got[-3].startswith(b":")
    assert b'"finish_reason":"stop"' in got[-2]


def test_a_stall_with_an_end_goes_on_after_it() -> None:
    plan = broken("stall", pace=Pace(gap=Fixed(40)), for_us=30 * SECOND_US)
    late = 30 * SECOND_US
    assert [frame.at_us for frame in plan.frames] == [0, 40, late + 80, late + 120, late + 160]
    assert (plan.close, plan.ending, plan.stall_at) == ("keep", "finish", 2)
    assert events(plan) == events(render(SCENARIO, answered()))
    assert b"PROCESSING" not in whole(plan)


def test_no_comment_lines_in_an_endless_silence_before_the_first_token() -> None:
    plan = broken("stall", "us", 20 * SECOND_US, pace=Pace(ttft=Fixed(100 * SECOND_US)))
    assert [frame.at_us for frame in plan.frames] == [0, 15 * SECOND_US]
    assert (plan.close, plan.end_us) == ("hold", 20 * SECOND_US)


def test_breaks_and_slices_go_together() -> None:
    plan = broken("cut", pace=Pace(slice=(1, "bytes")))
    chunks, is_whole = unchunk(split(plan)[2])
    assert not is_whole
    assert {len(piece) for piece in chunks} == {1}
    assert WORDS[1].encode() in b"".join(chunks)


def test_breaks_concern_no_plain_answer() -> None:
    plan = render(SCENARIO, answered(stream=False, break_=Break("cut"), pace=Pace(rate=1.0)))
    assert (plan.close, plan.end_us, len(plan.frames)) == ("keep", 0, 1)


def test_http_1_0_has_no_chunk_framing_to_break() -> None:
    plan = render(SCENARIO, answered(http10=True, break_=Break("bad_chunk", "tokens", 2)))
    assert whole(plan).endswith(b"\n\n")
    assert plan.close == "fin"


# For ever


@pytest.mark.parametrize("do", ["cut", "error", "stall", "duplicate", "no_done"])
def test_rendering_changes_nothing_and_says_the_same_again(do: str) -> None:
    decision = answered(pace=Pace(gap=Fixed(3), slice=(2, "token")), break_=Break(do, "tokens", 2))
    before = repr(decision)
    first, second = render(SCENARIO, decision), render(SCENARIO, decision)
    assert replace(first, frames=list(first.frames)) == replace(second, frames=list(second.frames))
    assert repr(decision).split("memo=")[0] == before.split("memo=")[0]


@pytest.mark.parametrize(
    "do", ["cut", "reset", "stall", "truncate", "error", "bad_chunk", "no_done", "duplicate"]
)
@pytest.mark.parametrize("unit", ["tokens", "chunks", "us", "share"])
@pytest.mark.parametrize(
    "pace", [None, Pace(ttft=Fixed(10), gap=Fixed(7)), Pace(gap=Fixed(7), slice=(3, "bytes"))]
)
def test_frames_are_in_order_of_time_and_end_with_the_plan(do: str, unit: Any, pace: Pace | None) -> None:
    for after in (0, 0.5, 1, 3, 20, 1000):
        plan = broken(do, unit, after, pace=pace)
        instants = [frame.at_us for frame in plan.frames]
        assert instants == sorted(instants)
        assert instants[-1] <= plan.end_us
        assert sum(frame.tokens for frame in plan.frames) <= 5
