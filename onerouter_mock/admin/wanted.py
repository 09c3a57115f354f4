"""The body of `POST /_mock/verify`, checked: which members there are and what each may hold.

What may live here: shapes, and a line for each problem; the comparison with calls is in `expectations.py`.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import Any

MEMBERS = (
    "route",
    "nth",
    "routes",
    "served_by",
    "fallbacks",
    "credits_spent",
    "byok_spent",
    "key_used",
    "findings",
)
_LONGEST = 120


def check_expectation(body: Any) -> list[str]:
    """What is wrong with the body of `POST /_mock/verify`: one line a problem, none when it can be judged."""
    if not isinstance(body, dict):
        return ['body: no JSON object; would be right: {"route": "byok:openai!rate_limit -> shared:openai"}']
    problems = [_unknown(name, MEMBERS) for name in body if name not in MEMBERS]
    if not any(name in body for name in MEMBERS if name != "nth"):
        problems.append(f"body: nothing to verify; would be right: one of {', '.join(MEMBERS)}")
    for name, value in body.items():
        wrong = _SHAPES[name](value) if name in _SHAPES else None
        if wrong:
            problems.append(f"{name}: {_spell(value)} {wrong}")
    return problems


def _spell(value: Any) -> str:
    """A value as it was sent, as JSON, so far as it fits into a line."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _unknown(name: str, known: Sequence[str]) -> str:
    near = get_close_matches(name, known, 1)
    return f"{name}: no such member; " + (
        f"did you mean {near[0]!r}?" if near else f"would be right: {', '.join(known)}"
    )


def is_number(value: Any) -> bool:
    """True for a number, and not for true or false."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text(value: Any) -> str | None:
    return None if isinstance(value, str) and value else 'is no route; would be right: "byok:openai"'


def _texts(value: Any) -> str | None:
    good = isinstance(value, list) and all(isinstance(item, str) for item in value)
    return None if good else 'is no list of routes; would be right: ["byok:openai"]'


def _whole(value: Any) -> str | None:
    return (
        None
        if isinstance(value, int) and not isinstance(value, bool)
        else "is no whole number; would be right: -1"
    )


def _count(value: Any) -> str | None:
    good = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return None if good else "is no count; would be right: 1"


def _server(value: Any) -> str | None:
    names = ("lane", "provider", "model", "nth")
    good = isinstance(value, dict) and value and all(name in names for name in value)
    if not good or not all(isinstance(value.get(name, ""), str) for name in names[:3]):
        return 'says nobody; would be right: {"lane": "shared", "provider": "openai"}'
    return _whole(value.get("nth", -1))


def _money(value: Any) -> str | None:
    if is_number(value):
        return None
    good = isinstance(value, dict) and value and all(name in ("min", "max") for name in value)
    return (
        None
        if good and all(map(is_number, value.values()))
        else 'is no amount; would be right: {"max": 0.01}'
    )


def _key(value: Any) -> str | None:
    good = isinstance(value, dict) and isinstance(value.get("name"), str) and set(value) <= {"name", "times"}
    if not good:
        return 'names no key; would be right: {"name": "alice", "times": 2}'
    return _count(value["times"]) if "times" in value else None


def _none(value: Any) -> str | None:
    return None if value == "none" else 'is not known; would be right: "none"'


_SHAPES: dict[str, Callable[[Any], str | None]] = {
    "route": _text, "nth": _whole, "routes": _texts, "served_by": _server, "fallbacks": _count,
    "credits_spent": _money, "byok_spent": _money, "key_used": _key, "findings": _none,
}  # fmt: skip
