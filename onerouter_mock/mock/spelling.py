"""Python values as the scenario language spells them: durations, keyword-safe names, the line that asked.

What may live here: conversions from what a test writes to plain data of the language; nothing that talks to a
mock.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable
from datetime import timedelta
from difflib import get_close_matches
from pathlib import PurePath
from typing import Any

from onerouter_mock.core.scenario.units import parse_duration_us

Duration = str | int | float | timedelta

_DURATIONS = frozenset(
    [
        "delay",
        "ttft",
        "gap",
        "after",
        "until",
        "for",
        "retry_after",
        "uniform",
        "mean",
        "stddev",
        "median",
        "max",
        "timeout",
        "keep_alive",
        "within",
        "expires",
    ]
)
_FREE = frozenset({"reply", "json", "header", "headers", "body", "models", "usage"})  # data of the user's own
_PACKAGE = __name__.split(".", maxsplit=1)[0]


def spell_duration(value: Duration) -> str:
    """A duration as the language writes it: text as it is, else with its unit."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float | timedelta):
        raise TypeError(
            f"{value!r} is no duration; would be right: '1.5s', a number of seconds or a timedelta"
        )
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{value} is no duration; would be right: 1.5, a number of seconds")
    us = value // timedelta(microseconds=1) if isinstance(value, timedelta) else round(value * 1_000_000)
    for unit, size in (("s", 1_000_000), ("ms", 1_000)):
        if us % size == 0:
            return f"{us // size}{unit}"
    return f"{us}us"


def read_timeout(value: Duration) -> str:
    """A real-time wait, as text. Errors: TypeError, ValueError, with what would be right."""
    spelled = spell_duration(value)
    try:
        parse_duration_us(spelled)
    except ValueError as error:
        raise ValueError(f"timeout: {error}") from None
    return spelled


def spell(value: Any, name: str = "") -> Any:
    """Plain data of the language from what a test wrote: durations get their unit, `break_` and `for_` lose
    the `_`.

    Shape: numbers become durations only where the language wants one; replies, headers and bodies are left
    alone.
    """
    if isinstance(value, timedelta):
        return spell_duration(value)
    if isinstance(value, dict):
        return {_plain_key(key): _spell_member(key, member, name) for key, member in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [spell(item, name) for item in value]
    if isinstance(value, int | float) and not isinstance(value, bool) and name in _DURATIONS:
        return spell_duration(value)
    return value


def _plain_key(key: Any) -> Any:
    return plain_name(key) if isinstance(key, str) else key


def _spell_member(key: Any, value: Any, parent: str) -> Any:
    name = plain_name(key) if isinstance(key, str) else ""
    if name in _FREE or (parent == "break" and name == "after"):
        return spell_duration(value) if isinstance(value, timedelta) else value
    return spell(value, name)


def spell_members(fields: dict[str, Any], parent: str = "") -> dict[str, Any]:
    """Keyword arguments as members of a rule, limit or scenario: those that are None are left out."""
    return {
        plain_name(key): _spell_member(key, value, parent)
        for key, value in fields.items()
        if value is not None
    }


def plain_name(name: str) -> str:
    """`break_`, `for_`: Python's own words can't be keyword arguments, so they come with an underscore."""
    return name[:-1] if name.endswith("_") and len(name) > 1 else name


def refuse_value(value: Any) -> Any:
    """For `json.dumps`: what is no value of the language. Errors: TypeError, with what would be right."""
    right = "text, a number, true or false, a list or a dict"
    raise TypeError(f"{value!r} is no value of the scenario language; would be right: {right}")


def suggest(word: str, names: Iterable[str]) -> str:
    """The nearest of some names as a question, else all of them."""
    known = list(names)
    near = get_close_matches(word, known, 1)
    return f"did you mean {near[0]!r}?" if near else f"would be right: {', '.join(known)}"


def calling_line(root: PurePath) -> str:
    """`file:line` of the nearest caller outside this package; the file as it is found from `root`, else its
    name.
    """
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").split(".")[0] == _PACKAGE:
        frame = frame.f_back
    path = PurePath(frame.f_code.co_filename)
    name = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
    return f"{name}:{frame.f_lineno}"
