"""The words a field may hold: kinds, lanes, quantities with units. Each complains with what is right.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainValidator, StringConstraints, WithJsonSchema

from onerouter_mock.core.scenario import units
from onerouter_mock.core.scenario.tree import name_type
from onerouter_mock.core.scenario.units import UnitError, cut

Kind = Literal[
    "rate_limit", "quota", "invalid_key", "permission", "model_not_found", "server_error", "overloaded",
    "bad_gateway", "timeout", "connection", "context_length", "content_filter", "invalid_request",
]  # fmt: skip
AnyKind = Literal[Kind, "no_provider"]
Lane = Literal["byok", "shared", "router"]
Text = Annotated[str, StringConstraints(min_length=1)]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,64}$")]

_EVERY_DURATION = r"^([0-9]+(\.[0-9]+)?(us|ms|s|m|h|d))+$"
_HTTP_DATE = re.compile(
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-9]{2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [0-9]{4} "
    r"[0-9]{2}:[0-9]{2}:[0-9]{2} GMT"
)


class Fields(BaseModel):
    """What all maps of the language share: nothing unknown, nothing converted, built on first use."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True, allow_inf_nan=False)


def is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def read_duration_us(value: Any) -> int:
    """A duration from text or, in Python, a timedelta."""
    if isinstance(value, str):
        return units.parse_duration_us(value)
    if isinstance(value, timedelta):
        if not 0 <= value.days < 36_525:
            raise UnitError(f"{value} is no time to wait", "would be right: from 0s to a hundred years")
        return value // timedelta(microseconds=1)
    if is_number(value):
        raise UnitError(f"{quote_value(value)} has no unit", f"would be right: {quote_value(value)}s")
    raise UnitError(
        f"{quote_value(value)} is {name_type(value)}", "would be right: a duration, as 20s or 1m30s"
    )


def read_retry_after(value: Any) -> tuple[int | None, str | None]:
    """A wait, or how to tell it as a date: (microseconds, None), (None, "date") or (None, an HTTP date)."""
    if isinstance(value, str) and (value == "date" or _HTTP_DATE.fullmatch(value)):
        return None, value
    try:
        return read_duration_us(value), None
    except UnitError as error:
        if "has no unit" in error.what:
            raise
        example = "would be right: 20s, date, or a date such as 'Wed, 21 Oct 2026 07:28:00 GMT'"
        raise UnitError(error.what, example) from None


def quote_value(value: object) -> str:
    """A value as our messages show it: text in quotes, numbers and words bare, long ones cut."""
    if isinstance(value, str):
        return f"'{cut(value)}'"
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None or isinstance(value, dict | list | tuple):
        return "this"
    return cut(str(value))


def _text_with_unit(parse: Callable[[str], Any], example: str) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if isinstance(value, str) or is_number(value):
            return parse(value if isinstance(value, str) else f"{Decimal(str(value)):f}")  # never 1e-05
        raise UnitError(f"{quote_value(value)} is {name_type(value)}", f"would be right: {example}")

    return read


def _quantity(read: Callable[..., Any], about: str, *examples: object, **more: Any) -> tuple[Any, Any]:
    schema = {"description": about, "examples": list(examples), **({"type": "string"} | more)}
    return PlainValidator(read), WithJsonSchema(schema)


def as_list(value: Any) -> Any:
    """One value is a list of one."""
    return list(value) if isinstance(value, list | tuple) else [value]


def listed(item: Any) -> BeforeValidator:
    """A field that takes one or a list."""
    return BeforeValidator(as_list, json_schema_input_type=item | list[item])


Duration = Annotated[
    int, *_quantity(read_duration_us, "A duration with its unit: us ms s m h d.", "250ms", "1.5s", "1m30s",
                    pattern=_EVERY_DURATION)
]  # fmt: skip
Window = Annotated[
    tuple[int, int, str],
    *_quantity(
        _text_with_unit(lambda text: (*units.parse_window(text), text.strip()), "10/min"),
        "A budget that refills: an amount (k, M) for each s, sec, min, m, hour, h, day, d or duration.",
        "10/min", "200/day", "30k/min", "5/10s", pattern=r"^[0-9]+(\.[0-9]+)?[kM]? ?/ ?[0-9a-z.]+$",
    ),
]  # fmt: skip
Windows = Annotated[list[Window], listed(Window)]
Quota = Annotated[
    tuple[int, Literal["requests", "tokens", "usd"], str],
    *_quantity(
        _text_with_unit(lambda text: (*units.parse_quota(text), text.strip()), "5 requests"),
        "A total that never refills.", "5 requests", "10k tokens", "2 USD",
        pattern=r"^[0-9]+(\.[0-9]+)?[kM]? +([rR]equests?|[tT]okens?|USD|usd)$",
    ),
]  # fmt: skip
Money = Annotated[
    int, *_quantity(_text_with_unit(units.parse_usd_nano, "2.50"), "An amount in USD.", 0, 2.5, "2.50 USD",
                    type=["number", "string"])
]  # fmt: skip
Share = Annotated[
    float, *_quantity(_text_with_unit(units.parse_share, "10%"), "A share of the whole.", "10%", 0.1,
                      type=["number", "string"])
]  # fmt: skip
Rate = Annotated[
    float, *_quantity(_text_with_unit(units.parse_rate, "40 tok/s"), "Tokens a second.", "40 tok/s")
]
Slice = Annotated[
    tuple[int, Literal["bytes", "token"]],
    *_quantity(
        _text_with_unit(units.parse_slice, "64 bytes"),
        "How much one piece carries.",
        "64 bytes",
        "1 byte",
        "1 token",
    ),
]
Point = Annotated[
    tuple[Literal["chunks", "tokens", "us", "share"], float],
    *_quantity(
        _text_with_unit(units.parse_point, "8 tokens"),
        "Where an answer breaks; so much is delivered first.", "3 chunks", "8 tokens", "2s", "50%", 0.5,
        type=["number", "string"],
    ),
]  # fmt: skip
RetryAfter = Annotated[
    tuple[int | None, str | None],
    *_quantity(
        read_retry_after,
        "The wait that is told: a duration, `date` (the true wait, told as an HTTP date), or an HTTP date.",
        "20s", "date", "Wed, 21 Oct 2026 07:28:00 GMT",
    ),
]  # fmt: skip
