"""When each piece of an answer leaves, and where a break ends it. Instants only: no bytes, no dialect.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import accumulate, repeat
from math import ceil, cos, exp, log, pi, sqrt
from typing import TYPE_CHECKING

from onerouter_mock.core.dice import draw
from onerouter_mock.core.records import Answer, Piece, Shape, Timeline
from onerouter_mock.core.scenario.records import Break, Delay, Fixed, Normal, Pace, Uniform

if TYPE_CHECKING:
    from onerouter_mock.core.catalogue.records import Recorded

ENDING_BREAKS = frozenset({"cut", "reset", "error", "truncate", "bad_chunk"})
_NO_PACE = Pace()
_MOST_KEPT = 64  # of what is kept on an answer


def draw_delay_us(delay: Delay, *dice: object) -> int:
    """One draw of a delay, for these dice; never negative.

    Units: microseconds of scripted time.
    """
    if isinstance(delay, Fixed):
        return delay.us
    if isinstance(delay, Uniform):
        return delay.low_us + round((delay.high_us - delay.low_us) * draw(*dice))
    # Box and Muller: a standard normal from two uniform draws.
    z = sqrt(-2 * log(1 - draw(*dice))) * cos(2 * pi * draw(*dice, "angle"))
    if isinstance(delay, Normal):
        return max(0, round(delay.mean_us + delay.stddev_us * z))
    us = round(delay.median_us * exp(min(delay.sigma * z, 60.0)))
    return us if delay.max_us is None else min(us, delay.max_us)


def streamed(answer: Answer, shape: Shape | None) -> Answer:
    """The answer with its pieces as they are streamed: as they are, or N tokens each (`slice: N tokens`)."""
    pace = shape.pace if shape is not None else None
    if pace is None or pace.slice is None or pace.slice[1] != "token":
        return answer
    tokens = pace.slice[0]
    known = answer.memo.get(("streamed", tokens))
    if known is None:
        known = replace(answer, pieces=_regroup(answer.pieces, tokens), memo={})
        answer.memo["streamed", tokens] = known
    return known


def _regroup(pieces: tuple[Piece, ...], tokens: int) -> tuple[Piece, ...]:
    """Pieces of the same choice and field joined until they count `tokens`."""
    out: list[Piece] = []
    growing: dict[int, Piece] = {}
    for piece in pieces:
        grown = growing.pop(piece.choice, None)
        if grown is not None and (grown.field, grown.call) == (piece.field, piece.call):
            piece = replace(grown, text=grown.text + piece.text, tokens=grown.tokens + piece.tokens)
        elif grown is not None:
            out.append(grown)
        if piece.tokens >= tokens:
            out.append(piece)
        else:
            growing[piece.choice] = piece
    return (*out, *growing.values())


def sent_text(answer: Answer, shape: Shape | None, pieces: int) -> str:
    """What the first `pieces` streamed pieces say, reasoning and tool calls left out; of the first choice."""
    if answer.malformed == "empty_choices":
        return ""
    if pieces == len(streamed(answer, shape).pieces):
        return whole_text(answer)
    return "".join(
        piece.text
        for piece in streamed(answer, shape).pieces[:pieces]
        if piece.choice == 0 and piece.field in ("content", "refusal")
    )


def whole_text(answer: Answer) -> str:
    """What the first choice says, be it a refusal."""
    said = answer.choices[0]
    return "" if answer.malformed == "empty_choices" else (said.text or "") + (said.refusal or "")


def lay_out(
    answer: Answer,
    *,
    stream: bool,
    start_us: int,
    shape: Shape | None = None,
    latency: Recorded | None = None,
    dice: tuple[object, ...] = (),
) -> Timeline:
    """When the pieces of an answer leave, and where a planned break (of a streamed answer) ends it.

    `start_us` is when the answer begins, since the call arrived. A rule's pace goes before the provider's
    recorded latency, part by part. A plain answer leaves at `end_us`, whole: pace and breaks are for streams.
    """
    if not stream:
        end_us = start_us
        if latency is not None:
            end_us += _ttft_us(_NO_PACE, latency, dice) + round(
                answer.completion_tokens * 1_000_000 / latency.rate
            )
        return Timeline(start_us, None, len(answer.pieces), end_us, answer.completion_tokens)
    in_pieces = streamed(answer, shape)
    pieces = in_pieces.pieces
    pace = shape.pace if shape is not None else None
    paced = latency is not None or (pace is not None and (pace.ttft or pace.rate or pace.gap))
    at_us = _instants(in_pieces, start_us, pace or _NO_PACE, latency, dice) if paced else None
    end_us = (
        at_us[-1] if at_us else start_us
    )  # also for an answer without pieces: then there is nothing to wait for
    whole = Timeline(start_us, at_us, len(pieces), end_us, answer.completion_tokens)
    if shape is None or shape.break_ is None:
        return whole
    return _break_off(whole, pieces, shape.break_)


def _ttft_us(pace: Pace, latency: Recorded | None, dice: tuple[object, ...]) -> int:
    delay = pace.ttft if pace.ttft is not None else latency.ttft if latency is not None else None
    return 0 if delay is None else draw_delay_us(delay, *dice, "ttft")


def _instants(
    answer: Answer, start_us: int, pace: Pace, latency: Recorded | None, dice: tuple[object, ...]
) -> tuple[int, ...]:
    """When each piece leaves; what a steady pace makes of an answer is kept on it."""
    rate, gap = pace.rate, pace.gap
    if rate is None and gap is None and latency is not None:
        rate = latency.rate
    first_us = start_us + _ttft_us(pace, latency, dice)
    if gap is not None and not isinstance(gap, Fixed):
        drawn = (draw_delay_us(gap, *dice, "gap", n) for n in range(1, len(answer.pieces)))
        return _absolute(answer.pieces, first_us, rate, drawn)
    gap_us = 0 if gap is None else gap.us
    key = ("instants", first_us, rate, gap_us)
    known: tuple[int, ...] | None = answer.memo.get(key)
    if known is None:
        known = _absolute(answer.pieces, first_us, rate, repeat(gap_us))
        if len(answer.memo) < _MOST_KEPT:
            answer.memo[key] = known
    return known


def _absolute(
    pieces: tuple[Piece, ...], first_us: int, rate: float | None, gaps_us: Iterable[int]
) -> tuple[int, ...]:
    """Absolute instants, each from the whole that came before it, so that rounding never adds up."""
    out: list[int] = []
    tokens = 0
    for piece, gone_us in zip(pieces, accumulate(gaps_us, initial=first_us), strict=False):
        out.append(gone_us + (round(tokens * 1_000_000 / rate) if rate else 0))
        tokens += piece.tokens
    return tuple(out)


def _break_off(whole: Timeline, pieces: tuple[Piece, ...], break_: Break) -> Timeline:
    if break_.do == "no_done":  # at the end of the answer, wherever `after` points
        return replace(whole, break_us=whole.end_us, break_at=whole.pieces)
    out = list(accumulate((piece.tokens for piece in pieces), initial=0))  # tokens that are out with n pieces
    at, break_us = _position(whole, out, break_)
    endless = break_.do == "stall" and break_.for_us is None
    if endless or break_.do in ENDING_BREAKS:
        return replace(whole, pieces=at, end_us=break_us, tokens=out[at], break_us=break_us, break_at=at)
    if break_.do == "stall" and break_.for_us:
        # Only from here on instants differ from one another, in an answer without pace.
        at_us = whole.at_us or (whole.start_us,) * whole.pieces
        late = tuple(us + break_.for_us for us in at_us[at:])
        return replace(
            whole,
            at_us=at_us[:at] + late,
            end_us=whole.end_us + break_.for_us,
            break_us=break_us,
            break_at=at,
        )
    return replace(whole, break_us=break_us, break_at=at)


def _position(whole: Timeline, out: list[int], break_: Break) -> tuple[int, int]:
    """How many pieces are out before the break, and its instant; what is due by then is out."""
    count, at_us = whole.pieces, whole.at_us
    if break_.unit == "us":
        break_us = whole.start_us + ceil(break_.after)
        if break_us >= whole.end_us:  # not reached: just before the finish chunk
            return count, whole.end_us
        at = sum(us <= break_us for us in at_us) if at_us else 0
        return at, break_us
    if break_.unit == "chunks":
        at = min(ceil(break_.after), count)
    else:
        total = out[-1]
        goal = break_.after * total - 1e-9 if break_.unit == "share" else break_.after
        at = next((n for n, tokens in enumerate(out) if tokens >= goal), count)
    if at_us is None:
        return at, whole.start_us
    return at, at_us[at - 1] if at else whole.start_us
