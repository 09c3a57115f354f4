"""What in an expectation no call could ever meet: a slip of the test's author shall not look like OneRouter's.

What may live here: words of routes, lanes, providers and keys that there are none of, each with what would be
right.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from onerouter_mock.core.catalogue import built_in
from onerouter_mock.core.records import KINDS
from onerouter_mock.mock.spelling import suggest

_LANES = ("byok", "shared", "router")
_KINDS = (*KINDS, "no_provider")
_BREAKS = ("cut", "reset", "stall", "error", "truncate", "client_left")
_STEP = re.compile(r"(?P<lane>[^:!~(]*)(:(?P<provider>[^!~(]*))?(\([^)]*\))?(?P<end>[!~].*)?")
_ARROW = re.compile(r"\s*->\s*")


def doubt(expectation: Mapping[str, Any], scenario: Mapping[str, Any]) -> list[str]:
    """Notes on an expectation that does not hold. `scenario` is the one in force, as data."""
    providers = {*built_in().providers, *(scenario.get("providers") or {})}
    routes = [expectation["route"]] if "route" in expectation else expectation.get("routes", [])
    notes = [note for route in routes for note in _doubt_route(route, providers)]
    server = expectation.get("served_by") or {}
    notes += _doubt_word("lane", server.get("lane"), _LANES)
    notes += _doubt_word("provider", server.get("provider"), sorted(providers))
    if "key_used" in expectation:
        notes += _doubt_key(expectation["key_used"]["name"], scenario.get("keys") or {})
    return list(dict.fromkeys(notes))


def _doubt_route(route: str, providers: set[str]) -> list[str]:
    steps = _ARROW.split(route.strip())
    if " -> ".join(steps) != route.strip():
        return [f"the steps of a route stand between ' -> '; would be right: {' -> '.join(steps)}"]
    return [note for step in steps for note in _doubt_step(step, providers)]


def _doubt_step(step: str, providers: set[str]) -> list[str]:
    found = _STEP.fullmatch(step)
    if found is None or "*" in step.partition(":")[0]:
        return []
    end = found["end"] or ""
    return [
        *_doubt_word("lane", found["lane"], _LANES),
        *_doubt_word("provider", found["provider"], sorted(providers)),
        *_doubt_word("error kind", end[1:] if end.startswith("!") else None, _KINDS),
        *_doubt_word("way to break", end[1:] if end.startswith("~") else None, _BREAKS),
    ]


def _doubt_word(what: str, word: str | None, known: Sequence[str]) -> list[str]:
    if word is None or "*" in word or word in known:
        return []
    return [f"{word!r} is no {what}; {suggest(word, known)}"]


def _doubt_key(name: str, keys: Mapping[str, Any]) -> list[str]:
    if name in keys or "*" in name or name.startswith(("…", "mock-")):
        return []
    right = (
        suggest(name, keys) if keys else 'would be right: use({"keys": {"alice": {"match": "sk-alice-*"}}})'
    )
    return [f"the scenario has no key of this name; {right}, or '…' and the key's last 4 characters"]
