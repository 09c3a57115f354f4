"""When pieces leave and where a break ends an answer: instants in microseconds, no bytes."""

from __future__ import annotations

from statistics import median

import pytest

from onerouter_mock.core.catalogue.records import Recorded
from onerouter_mock.core.records import Answer, Choice, Piece, Shape, Timeline
from onerouter_mock.core.scenario.records import Break, Fixed, Lognormal, Normal, Pace, Uniform
from onerouter_mock.core.timeline import draw_delay_us, lay_out, sent_text, streamed, whole_text


def answer(*texts: str, tokens: int = 1) -> Answer:
    pieces = tuple(Piece(0, "content", text, tokens) for text in texts)
    return Answer((Choice("".join(texts)),), pieces, tokens * len(texts))


TEN = answer(*(f" {n}" for n in range(10)))


def laid(
    pace: Pace | None = None, break_: Break | None = None, start_us: int = 0, said: Answer = TEN
) -> Timeline:
    return lay_out(said, stream=True, start_us=start_us, shape=Shape(pace=pace, break_=break_))


# Delays


def test_a_fixed_delay_is_itself() -> None:
    assert draw_delay_us(Fixed(250_000), 1) == 250_000


@pytest.mark.parametrize(
    ("delay", "low", "middle", "high"),
    [
        (Uniform(1_000_000, 3_000_000), 1_000_000, 2_000_000, 3_000_000),
        (Normal(1_000_000, 200_000), 0, 1_000_000, 2_000_000),
        (Lognormal(800_000, 0.6), 1, 800_000, 20_000_000),
        (Lognormal(800_000, 0.6, max_us=1_000_000), 1, 800_000, 1_000_000),
    ],
    ids=["uniform", "normal", "lognormal", "lognormal with a maximum"],
)
def test_a_distribution_stays_in_its_range_around_its_middle(
    delay: Uniform | Normal | Lognormal, low: int, middle: int, high: int
) -> None:
    draws = [draw_delay_us(delay, "seed", n) for n in range(2000)]
    assert low <= min(draws)
    assert max(draws) <= high
    assert median(draws) == pytest.approx(middle, rel=0.05)
    assert len(set(draws)) > 100


def test_a_delay_is_a_function_of_its_dice() -> None:
    delay = Lognormal(800_000, 0.6)
    assert draw_delay_us(delay, 7, "default", "slow", 3) == draw_delay_us(delay, 7, "default", "slow", 3)
    assert draw_delay_us(delay, 7, "default", "slow", 3) != draw_delay_us(delay, 7, "default", "slow", 4)


def test_a_normal_delay_is_never_negative() -> None:
    assert min(draw_delay_us(Normal(1000, 100_000), n) for n in range(200)) == 0


# Pace


def test_an_answer_without_pace_leaves_at_one_instant() -> None:
    assert laid(start_us=30_000) == Timeline(30_000, None, 10, 30_000, 10)


def test_a_rate_spaces_tokens_and_not_chunks() -> None:
    line = laid(Pace(rate=40), said=answer("a", "b", "c", tokens=3), start_us=5)
    assert line.at_us == (5, 75_005, 150_005)


def test_rounding_of_a_rate_does_not_add_up() -> None:
    line = laid(Pace(rate=3), said=answer(*"abcdefg"))
    assert line.at_us == (0, 333_333, 666_667, 1_000_000, 1_333_333, 1_666_667, 2_000_000)


def test_time_to_first_token_and_gaps() -> None:
    line = laid(Pace(ttft=Fixed(100), gap=Fixed(40)), start_us=1000)
    assert line.at_us == tuple(range(1100, 1500, 40))
    assert (line.start_us, line.end_us) == (1000, 1460)


def test_each_gap_is_drawn_apart() -> None:
    line = laid(Pace(gap=Uniform(0, 1_000_000)))
    assert line.at_us is not None
    gaps = {later - sooner for sooner, later in zip(line.at_us, line.at_us[1:], strict=False)}
    assert len(gaps) == 9


def test_a_recorded_latency_paces_a_stream_and_delays_a_plain_answer() -> None:
    latency = Recorded(Lognormal(1_000_000, 0.0), rate=10)
    line = lay_out(TEN, stream=True, start_us=0, latency=latency, dice=(1,))
    assert line.at_us == tuple(range(1_000_000, 2_000_000, 100_000))
    plain = lay_out(TEN, stream=False, start_us=0, latency=latency, dice=(1,))
    assert (plain.at_us, plain.end_us) == (None, 2_000_000)


def test_a_rule_goes_before_the_recorded_latency_part_by_part() -> None:
    latency = Recorded(Lognormal(1_000_000, 0.0), rate=10)
    line = lay_out(TEN, stream=True, start_us=0, latency=latency, shape=Shape(pace=Pace(ttft=Fixed(7))))
    assert line.at_us is not None
    assert line.at_us[:2] == (7, 100_007)


def test_pace_and_break_concern_no_plain_answer() -> None:
    shape = Shape(pace=Pace(ttft=Fixed(9), rate=1), break_=Break("cut"))
    assert lay_out(TEN, stream=False, start_us=4, shape=shape) == Timeline(4, None, 10, 4, 10)


# Slices of tokens


def test_a_slice_of_three_tokens_joins_pieces() -> None:
    pieces = streamed(TEN, Shape(pace=Pace(slice=(3, "token")))).pieces
    assert [piece.text for piece in pieces] == [" 0 1 2", " 3 4 5", " 6 7 8", " 9"]
    assert [piece.tokens for piece in pieces] == [3, 3, 3, 1]


def test_a_slice_joins_nothing_of_different_fields_or_choices() -> None:
    rows = [
        (0, "reasoning", "a"),
        (1, "content", "x"),
        (0, "content", "b"),
        (1, "content", "y"),
        (0, "content", "c"),
    ]
    said = Answer((Choice("bc"), Choice("xy")), tuple(Piece(*row, 1) for row in rows), 5)
    joined = streamed(said, Shape(pace=Pace(slice=(2, "token")))).pieces
    assert [(p.choice, p.field, p.text) for p in joined] == [
        (0, "reasoning", "a"),
        (1, "content", "xy"),
        (0, "content", "bc"),
    ]


def test_the_joined_answer_is_kept_for_the_next_call() -> None:
    shape = Shape(pace=Pace(slice=(4, "token")))
    assert streamed(TEN, shape) is streamed(TEN, shape)
    assert streamed(TEN, Shape(pace=Pace(slice=(64, "bytes")))) is TEN


# Breaks


@pytest.mark.parametrize(
    ("unit", "after", "pieces"),
    [
        ("chunks", 3, 3),
        ("tokens", 8, 8),
        ("share", 0.5, 5),
        ("share", 0.1, 1),
        ("share", 0.11, 2),
        ("chunks", 0, 0),
        ("chunks", 10, 10),
        ("chunks", 99, 10),
        ("tokens", 99, 10),
        ("share", 1.0, 10),
    ],
)
def test_so_much_is_delivered_before_a_break(unit: str, after: float, pieces: int) -> None:
    line = laid(break_=Break("cut", unit, after))  # type: ignore[arg-type]  # a literal type, from the table
    assert (line.pieces, line.tokens, line.break_at) == (pieces, pieces, pieces)


def test_the_default_break_is_in_the_middle() -> None:
    assert laid(break_=Break("cut")).tokens == 5


def test_shares_do_not_suffer_from_floating_point() -> None:
    said = answer(*("x" * 30))
    assert laid(break_=Break("cut", "share", 0.1), said=said).tokens == 3


def test_chunks_of_several_tokens_are_delivered_whole() -> None:
    said = answer("a", "b", "c", tokens=3)
    line = laid(break_=Break("cut", "tokens", 4), said=said)
    assert (line.pieces, line.tokens) == (2, 6)


def test_a_break_follows_the_last_delivered_piece_at_once() -> None:
    line = laid(Pace(gap=Fixed(40)), Break("cut", "chunks", 3), start_us=10)
    assert (line.break_us, line.end_us) == (90, 90)


def test_a_break_in_time_counts_from_the_first_byte() -> None:
    line = laid(Pace(ttft=Fixed(100), gap=Fixed(40)), Break("reset", "us", 150), start_us=1000)
    assert (line.pieces, line.break_us, line.end_us) == (2, 1150, 1150)


def test_a_break_before_the_first_token_delivers_none() -> None:
    line = laid(Pace(ttft=Fixed(100)), Break("cut", "us", 30), start_us=1000)
    assert (line.pieces, line.tokens, line.break_us) == (0, 0, 1030)


@pytest.mark.parametrize("unit", ["us", "tokens"])
def test_a_break_out_of_reach_happens_just_before_the_finish_chunk(unit: str) -> None:
    line = laid(Pace(gap=Fixed(40)), Break("truncate", unit, 9_000_000))  # type: ignore[arg-type]
    assert (line.pieces, line.break_us, line.end_us) == (10, 360, 360)


@pytest.mark.parametrize("do", ["cut", "reset", "error", "truncate", "bad_chunk", "stall"])
def test_these_breaks_end_the_answer(do: str) -> None:
    line = laid(break_=Break(do, "tokens", 4))
    assert (line.pieces, line.tokens) == (4, 4)


@pytest.mark.parametrize("do", ["bad_json", "duplicate", "comment", "no_done"])
def test_after_these_breaks_the_answer_goes_on(do: str) -> None:
    line = laid(break_=Break(do, "tokens", 4))
    assert (line.pieces, line.tokens) == (10, 10)


def test_no_done_does_not_look_at_after() -> None:
    assert laid(Pace(gap=Fixed(40)), Break("no_done", "tokens", 4)).break_us == 360


def test_a_stall_with_an_end_moves_what_comes_after_it() -> None:
    line = laid(Pace(gap=Fixed(40)), Break("stall", "chunks", 3, for_us=1000))
    assert line.at_us == (0, 40, 80, 1120, 1160, 1200, 1240, 1280, 1320, 1360)
    assert (line.break_us, line.end_us, line.tokens) == (80, 1360, 10)


def test_a_stall_gives_instants_to_an_answer_without_pace() -> None:
    line = laid(break_=Break("stall", "chunks", 8, for_us=1000), start_us=5)
    assert line.at_us == (5,) * 8 + (1005,) * 2


def test_an_answer_without_pieces_can_break() -> None:
    line = laid(Pace(ttft=Fixed(5)), Break("cut", "tokens", 3), said=Answer((Choice(None),), (), 0))
    assert (line.pieces, line.end_us) == (0, 0)


# What was said


def test_sent_text_is_the_content_of_the_first_choice() -> None:
    pieces = (Piece(0, "reasoning", "hm", 1), Piece(0, "content", "yes", 1), Piece(1, "content", "no", 1))
    said = Answer((Choice("yes"), Choice("no")), pieces, 3)
    assert sent_text(said, None, 3) == "yes"
    assert sent_text(said, None, 1) == ""
    assert sent_text(TEN, Shape(pace=Pace(slice=(3, "token"))), 2) == " 0 1 2 3 4 5"


def test_sent_text_is_a_refusal_too_and_nothing_where_no_words_left() -> None:
    pieces = (Piece(0, "refusal", "I", 1), Piece(0, "refusal", " can't", 1))
    refused = Answer((Choice(None, refusal="I can't"),), pieces, 2)
    assert (whole_text(refused), sent_text(refused, None, 2), sent_text(refused, None, 1)) == (
        "I can't",
        "I can't",
        "I",
    )
    empty = Answer((Choice("words"),), (Piece(0, "content", "words", 1),), 1, malformed="empty_choices")
    assert (whole_text(empty), sent_text(empty, None, 1)) == ("", "")
