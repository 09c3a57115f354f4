"""What options and their environment twins may say: text to value, and what would be right.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
from collections.abc import Callable


class WrongValue(ValueError):
    """A value that an option can't take: `"x" is no clock; would be right: real, virtual`."""


def one_of(noun: str, *words: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in words:
            raise WrongValue(f'"{text}" is no {noun}; would be right: {", ".join(words)}')
        return text

    return parse


def parse_flag(text: str) -> bool:
    """`true` or `false`, as an option's value or a twin's (there also `1`, `0`, `yes`, `no`, `on`, `off`)."""
    word = text.lower()
    if word in ("true", "1", "yes", "on"):
        return True
    if word in ("false", "0", "no", "off", ""):
        return False
    raise WrongValue(f'"{text}" is neither; would be right: true, false')


def parse_bool(text: str) -> bool:
    if text not in ("true", "false"):
        raise WrongValue(f'"{text}" is neither; would be right: true, false')
    return text == "true"


def whole(noun: str, low: int, high: int | None = None) -> Callable[[str], int]:
    span = f"a whole number from {low}" + (f" to {high}" if high is not None else "")

    def parse(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            raise WrongValue(f'"{text}" is no {noun}; would be right: {span}') from None
        if number < low or (high is not None and number > high):
            raise WrongValue(f'"{text}" is no {noun}; would be right: {span}')
        return number

    return parse


def parse_seed(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise WrongValue(f'"{text}" is no seed; would be right: a whole number') from None


def parse_speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not (speed > 0 and math.isfinite(speed)):
        raise WrongValue(f'"{text}" is no speed; would be right: a number above 0, as 10 or 0.5')
    return speed


def parse_duration(text: str) -> int:
    """A duration in whole microseconds."""
    from onerouter_mock.core.scenario.units import parse_duration_us

    try:
        return parse_duration_us(text)
    except ValueError as error:
        message = str(error)
    raise WrongValue(
        message if ";" in message else f'"{text}" is no duration; would be right: 10s, 250ms, 1m30s'
    )
