"""One request to the control API and its parts: what was asked, what is refused, what is answered.

What may live here: records, and reading a query or body; nothing that asks the emulator.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from onerouter_mock.core.errors import MockError, Problem, ScenarioError
from onerouter_mock.core.scenario.read import read_text
from onerouter_mock.core.scenario.units import parse_duration_us

if TYPE_CHECKING:
    from onerouter_mock.emulator import Emulator

JSON = "application/json"
TEXT = "text/plain; charset=utf-8"


@dataclass(slots=True)
class Reply:
    """An answer of the control API."""

    status: int
    body: bytes
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class Ask:
    """One request to the control API. `rest` is what follows the route's name: a call's id, a rule's name."""

    emulator: Emulator
    session: str
    query: Mapping[str, str]
    body: bytes
    rest: str


class Refused(MockError):
    """What was asked can't be answered: an HTTP status, one message, all problems."""

    def __init__(self, message: str, *, status: int = 400, problems: list[str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.problems = problems if problems is not None else [message]


@dataclass(frozen=True, slots=True)
class Route:
    """`path` as shown; a trailing `/NAME` means that a rest must follow, `[/NAME]` that it may."""

    method: str
    path: str
    does: str
    answer: Callable[[Ask], Reply]
    query: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.path.replace("[", "").split("/")[0]

    def takes(self, rest: str) -> bool:
        """Whether this route is for a path with this rest."""
        if "[/" in self.path:
            return True
        return ("/" in self.path) == bool(rest)


def reply_json(value: Any) -> Reply:
    return Reply(200, orjson.dumps(value))


def reply_text(lines: list[str]) -> Reply:
    return Reply(200, "".join(f"{line}\n" for line in lines).encode(), TEXT)


def read_object(ask: Ask, right: str) -> dict[str, Any]:
    """The JSON object in the body. Errors: Refused, ScenarioError for a key that stands in a map twice."""
    try:
        data = orjson.loads(ask.body)
    except orjson.JSONDecodeError as error:
        raise Refused(f"body: no JSON ({error}); would be right: {right}") from None
    if not isinstance(data, dict):
        raise Refused(f"body: no JSON object; would be right: {right}")
    _refuse_twins(ask.body)
    return data


def _refuse_twins(body: bytes) -> None:
    """Of two equal keys the last would win without a word. Where they stand is for the reader of files to say."""
    twins: list[str] = []

    def note(members: list[tuple[str, Any]]) -> None:
        seen: set[str] = set()
        for name, _ in members:
            if name in seen:
                twins.append(name)
            seen.add(name)

    try:
        json.loads(body, object_pairs_hook=note, parse_int=str)
    except RecursionError:
        raise Refused("body: nested too deep; would be right: a few levels") from None
    if twins:
        root, problems = read_text(body.decode(), "body")
        what = f"'{twins[0][:60]}' stands in a map twice"
        told = problems if root is not None else [Problem("body", 0, 0, "", what, "would be right: once")]
        raise ScenarioError(told)


def read_count(query: Mapping[str, str], name: str) -> int | None:
    """A query parameter that counts. Errors: Refused."""
    text = query.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise Refused(f"query: {name}: {text!r} is no whole number; would be right: {name}=3")
    return int(text)


def read_wait_us(query: Mapping[str, str]) -> int | None:
    """How long a request for calls is ready to wait. Errors: Refused."""
    if "wait" not in query:
        return None
    try:
        return parse_duration_us(query["wait"])
    except ValueError as error:
        raise Refused(f"query: wait: {error}") from None


def read_format(ask: Ask) -> str:
    word = ask.query.get("format", "json")
    if word not in ("json", "text"):
        raise Refused(f"query: format: {word!r} is none; would be right: format=json or format=text")
    return word
