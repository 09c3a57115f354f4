"""What is wrong with a request's body, in words: `where: what is wrong; would be right: ...`.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from onerouter_mock.core.errors import RequestError
from onerouter_mock.core.wire.secrets import cut_text

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_LONGEST_QUOTE = 40
_QUOTED = re.compile(r'"([^"]*)"')

_KINDS = {
    "string_type": "text", "int_type": "a whole number", "int_from_float": "a whole number",
    "float_type": "a number", "bool_type": "true or false", "dict_type": "an object",
    "typed_dict_type": "an object", "list_type": "a list",
    "finite_number": "a finite number",
}  # fmt: skip


def complain(where: str, what: str, right: str) -> RequestError:
    """The 400 for one member of the body."""
    return RequestError(f"{where}: {what}; would be right: {right}", param=where)


def describe(value: Any, *, quote: bool = True) -> str:
    """A JSON value as a complaint names it: `"true" is text`, `3 is a number`, `a list`."""
    match value:
        case None:
            return "null"
        case bool():
            return f"{str(value).lower()} is a boolean"
        case str() if quote and _is_quotable(value):
            return f'"{value}" is text'
        case str():
            return "text"
        case int() | float():
            return f"{value} is a number"
        case list():
            return "a list"
        case _:
            return "an object"


def _is_quotable(text: str) -> bool:
    return len(text) <= _LONGEST_QUOTE and '"' not in text


def cut_quotes(message: str, secrets: Sequence[str]) -> str:
    """The message without secrets in what it quotes: all else in it is our own words."""
    return _QUOTED.sub(lambda quoted: f'"{cut_text(quoted[1], secrets)}"', message)


def first_complaints(
    errors: Sequence[ErrorDetails], document: Any, right: Callable[[str], str | None]
) -> dict[str | int, RequestError]:
    """For each wrong member of the body the 400 that says what is wrong with it first.

    Shape: `right(path)` says what would be right at a path such as `messages[].role`.
    """
    found: dict[str | int, list[tuple[Any, RequestError]]] = {}
    for error in errors:
        path, value = _locate(error, document)
        where = _spell(path)
        wanted = right(_spell(tuple("" if isinstance(part, int) else part for part in path)))
        complaint = complain(where, *_explain(error, value, wanted))
        # Of two branches of a union, the one that went deeper, or fits but for its value, was meant.
        rank = (len(path) == 1, path[1:2], -len(path), error["type"].endswith("_type"))
        found.setdefault(path[0], []).append((rank, complaint))
    return {name: min(some, key=lambda one: one[0])[1] for name, some in found.items()}


def _locate(error: ErrorDetails, document: Any) -> tuple[tuple[str | int, ...], Any]:
    """The path without the names of union branches that pydantic puts into it, and what stands there."""
    path: list[str | int] = []
    at = document
    missing = error["type"] == "missing"
    for part in error["loc"][:-1] if missing else error["loc"]:
        in_list = isinstance(part, int) and isinstance(at, list) and part < len(at)
        if in_list or (isinstance(part, str) and isinstance(at, dict) and part in at):
            at = at[part]
            path.append(part)
    if missing:
        path.append(error["loc"][-1])
    return tuple(path), at


def _spell(path: tuple[str | int, ...]) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else "[]" if part == "" else f".{part}" if text else part
    return text


def _explain(error: ErrorDetails, value: Any, wanted: str | None) -> tuple[str, str]:
    kind, context = error["type"], error.get("ctx", {})
    shown = value if isinstance(value, (int, float)) else f'"{value}"'
    brief = isinstance(value, (int, float)) or (isinstance(value, str) and _is_quotable(value))
    match kind:
        case "missing":
            return "missing", wanted or "a value"
        case "literal_error":
            return f"{shown} is not known" if brief else describe(value), wanted or str(
                context.get("expected")
            )
        case "greater_than_equal" | "greater_than" | "less_than_equal" | "less_than":
            return f"{shown} is out of range", wanted or error["msg"].lower()
        case "too_short" | "string_too_short":
            return "empty" if not value else "too short", wanted or error["msg"].lower()
        case "too_long" | "string_too_long":
            return "too long", wanted or error["msg"].lower()
        case "string_pattern_mismatch":
            return f"{shown} is no such name" if brief else "no such name", wanted or "a name"
        case _:
            return describe(value), wanted or _KINDS.get(kind, error["msg"].lower())
