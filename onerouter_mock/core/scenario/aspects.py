"""The fields of what happens to an attempt: delay, stream, reply, break, error, connection.

Shorthands are written out before they are checked, so that one slip gives one problem.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WrapValidator

from onerouter_mock.core.scenario import records
from onerouter_mock.core.scenario.tree import name_type
from onerouter_mock.core.scenario.units import UnitError
from onerouter_mock.core.scenario.words import (
    AnyKind,
    Duration,
    Fields,
    Point,
    Rate,
    RetryAfter,
    Slice,
    Text,
    is_number,
    quote_value,
    read_duration_us,
)

Connection = Literal["reset", "empty", "hang", "garbage", "short_body", "html"]
Do = Literal[
    "cut", "reset", "stall", "error", "truncate", "no_done", "bad_json", "bad_chunk", "duplicate", "comment"
]
Malformed = Literal["empty_choices", "null_content", "bad_json", "unknown_finish_reason", "no_usage",
                    "tool_arguments_not_json", "unknown_tool"]  # fmt: skip


def _refuse(value: object, right: str) -> UnitError:
    return UnitError(f"{quote_value(value)} is {name_type(value)}", f"would be right: {right}")


def read_name_or_number(value: Any) -> str | int:
    """Text or a whole number."""
    if isinstance(value, str) or (is_number(value) and value == int(value)):
        return value if isinstance(value, str) else int(value)
    raise _refuse(value, "text or a whole number")


def read_header_value(value: Any) -> str:
    """Text for a header; a number is taken as it is written."""
    text = str(value) if isinstance(value, str) or is_number(value) else None
    if text is None:
        raise _refuse(value, "text")
    if any(letter in text for letter in "\r\n\0"):
        raise UnitError("the value breaks the header", "would be right: one line of text")
    if not text.isascii():
        raise UnitError(f"{quote_value(text)} is not ASCII", "would be right: ASCII text, as headers are")
    return text


NameOrNumber = Annotated[str | int, BeforeValidator(read_name_or_number, json_schema_input_type=str | int)]
HeaderValue = Annotated[str, BeforeValidator(read_header_value, json_schema_input_type=str | int | float)]
HeaderName = Annotated[str, Field(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")]


class Normal(Fields):
    """A bell curve, cut at 0."""

    mean: Duration = Field(description="Its middle.")
    stddev: Duration = Field(description="Its spread.")


class Lognormal(Fields):
    """A long tail, as latency has it."""

    median: Duration = Field(description="Half of all waits are shorter.")
    sigma: float = Field(ge=0, le=10, description="How long the tail is; 0.6 is usual.")
    max: Duration | None = Field(None, description="No wait is longer.")


Span = Annotated[list[Duration], Field(min_length=2, max_length=2)]


class Distribution(Fields):
    """A wait drawn for each attempt: one of these."""

    uniform: Span | None = Field(None, description="Anything between two durations, shortest first.")
    normal: Normal | None = Field(None, description="Around a mean.")
    lognormal: Lognormal | None = Field(None, description="Mostly short, sometimes long.")


def read_delay(value: Any, check: Callable[[Any], Distribution]) -> records.Delay:
    """A duration, or a distribution of them."""
    if not isinstance(value, dict):
        if isinstance(value, list | tuple | bool):
            raise _refuse(value, "250ms, or {uniform: [1s, 3s]}")
        return records.Fixed(read_duration_us(value))
    drawn = check(value)
    given = [part for part in (drawn.uniform, drawn.normal, drawn.lognormal) if part is not None]
    if len(given) != 1:
        raise UnitError("this is no delay", "would be right: one of uniform, normal, lognormal; or 250ms")
    if drawn.normal:
        return records.Normal(drawn.normal.mean, drawn.normal.stddev)
    if drawn.lognormal:
        return records.Lognormal(drawn.lognormal.median, drawn.lognormal.sigma, drawn.lognormal.max)
    low_us, high_us = drawn.uniform or (0, 0)
    if low_us > high_us:
        raise UnitError("uniform goes backwards", "would be right: the shorter duration first")
    return records.Uniform(low_us, high_us)


if TYPE_CHECKING:
    Delay = records.Delay
else:
    Delay = Annotated[Distribution, WrapValidator(read_delay, json_schema_input_type=Duration | Distribution)]


class Error(Fields):
    """A failure. What is not given comes from the provider's entry in the catalogue."""

    kind: AnyKind | None = Field(None, description="What goes wrong, in neutral words.")
    status: int | None = Field(
        None, ge=400, le=599, description="The HTTP status; without `kind`, stands for one."
    )
    message: str | None = Field(None, description="The error's message.")
    type: str | None = Field(None, description="The error's `type`.")
    code: NameOrNumber | None = Field(None, description="The error's `code`.")
    param: str | None = Field(None, description="The error's `param`.")
    retry_after: RetryAfter | None = Field(
        None, description="The wait that is told: 20s, date, or an HTTP date."
    )
    should_retry: bool | None = Field(None, description="Sent as `x-should-retry`.")
    headers: dict[HeaderName, HeaderValue] | None = Field(None, description="Headers added or replaced.")
    body: str | None = Field(None, description="The whole body instead, as text.")


def write_out_error(value: Any) -> Any:
    """`rate_limit` is `{kind: rate_limit}`, `429` is `{status: 429}`."""
    if isinstance(value, str):
        if value.isascii() and value.isdecimal():
            raise _refuse(value, value[:3])
        return {"kind": value}
    if is_number(value):
        return {"status": value}
    if not isinstance(value, dict):
        raise _refuse(value, "a kind (rate_limit), a status (429) or {kind: rate_limit, ...}")
    return value


ErrorField = Annotated[
    Error,
    BeforeValidator(
        write_out_error, json_schema_input_type=AnyKind | Annotated[int, Field(ge=400, le=599)] | Error
    ),
]


class Stream(Fields):
    """The pace of a streamed answer."""

    ttft: Delay | None = Field(None, description="Time to the first token.")
    rate: Rate | None = Field(None, description="Tokens a second after it: 40 tok/s.")
    gap: Delay | None = Field(None, description="The pause between two chunks.")
    slice: Slice | None = Field(None, description="How much one write carries: 64 bytes, 1 byte, 1 token.")


class Break(Fields):
    """What happens to a streamed answer that has begun."""

    do: Do = Field(
        description="cut (FIN), reset (RST), stall (silence), error (an error object in the stream), "
        "truncate (ends without finish_reason and [DONE]), no_done (all but [DONE]), bad_json (a data line "
        "that is not JSON), bad_chunk (broken chunked framing), duplicate (a frame twice), comment (comment "
        "lines)."
    )
    after: Point | None = Field(
        None, description="So much is delivered first: 3 chunks, 8 tokens, 2s, 50% (default)."
    )
    for_: Duration | None = Field(
        None, alias="for", description="How long a stall lasts; without it, for ever."
    )
    error: ErrorField | None = Field(None, description="Which error `do: error` sends.")


class ToolCall(Fields):
    """A call of one of the request's tools."""

    name: Text = Field(description="The tool's name.")
    arguments: Any = Field(None, description="Its arguments: a map, or the text that is sent as it is.")


class Reply(Fields):
    """What an answer says, in place of the generated text."""

    text: str | None = Field(None, description="The answer's text.")
    reasoning: str | None = Field(None, description="The reasoning before it.")
    refusal: str | None = Field(None, description="A refusal instead of content.")
    tool_calls: Annotated[list[ToolCall], Field(min_length=1)] | None = Field(
        None, description="Calls of tools."
    )
    json_: Any = Field(None, alias="json", description="A value sent as JSON text.")
    chunks: Annotated[list[Text], Field(min_length=1)] | None = Field(
        None, description="The answer's text, cut where the streamed chunks are to be cut."
    )
    finish_reason: Text | None = Field(None, description="The finish reason.")
    usage: dict[Text, Annotated[int, Field(ge=0)]] | None = Field(None, description="Token counts to report.")
    malformed: Malformed | None = Field(None, description="A defect of the answer's shape.")


def write_out_reply(value: Any) -> Any:
    """`hello` is `{text: hello}`."""
    if isinstance(value, str):
        return {"text": value}
    if not isinstance(value, dict):
        raise _refuse(value, "text, or {text: ..., tool_calls: [...], json: {...}}")
    return value


ReplyField = Annotated[Reply, BeforeValidator(write_out_reply, json_schema_input_type=str | Reply)]


class Aspects(Fields):
    """What happens to an attempt."""

    delay: Delay | None = Field(None, description="A wait before the answer begins.")
    stream: Stream | None = Field(None, description="The pace of a streamed answer.")
    reply: ReplyField | None = Field(None, description="What the answer says: text, or a map.")
    break_: Break | None = Field(None, alias="break", description="What happens to an answer that has begun.")
    error: ErrorField | None = Field(None, description="A failure: a kind, a status, or a map.")
    connection: Connection | None = Field(
        None,
        description="What breaks instead of an answer: reset (RST), empty (closed, no bytes), hang (open, no "
        "bytes), garbage (not HTTP), short_body (fewer bytes than promised), html (a proxy's 502 page).",
    )


class Step(Aspects):
    """One of a rule's steps."""

    ok: Literal[True] | None = Field(None, description="Lets the attempt pass.")
