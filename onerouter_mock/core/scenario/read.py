"""YAML and JSON text to events with their lines and columns.

Refused: anchors, aliases, tags, merge keys, a second document, more than 256 kB. Scalars as YAML 1.2's core
schema reads them: `on`, `no` and `12:30` are text.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from typing import Any

import yaml

from onerouter_mock.core.errors import Problem
from onerouter_mock.core.scenario.slips import QUOTED, explain_json, explain_yaml
from onerouter_mock.core.scenario.tree import (
    MAX_BYTES,
    MAX_DEPTH,
    TOO_DEEP,
    Broken,
    Event,
    Node,
    grow,
    walk_data,
)

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_WORDS = {"": None, "~": None, "null": None, "Null": None, "NULL": None, "true": True, "True": True,
          "TRUE": True, "false": False, "False": False, "FALSE": False}  # fmt: skip
_INT = re.compile(r"[-+]?[0-9]+")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
# An unclosed string is a token too: else each quote in it would be tried again, in quadratic time.
_TOKEN = re.compile(r'("(?:[^"\\]++|\\.)*+(?:"|\\?\Z))|([{}\[\],:])|([^\s{}\[\],:"]+)', re.S)
_NO_COPIES = "would be right: the value itself"
_LONGEST_NUMBER = 400


def read_text(text: str, file: str) -> tuple[Node | None, list[Problem]]:
    """The tree of a scenario's text and what is wrong with it; None when it can't be read at all.

    Text that begins with `{` is JSON, other text is YAML.
    """
    text = text.removeprefix("\ufeff")
    problems: list[Problem] = []
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        what, right = "the text is over 256 kB", "would be right: a scenario of a few lines"
        return None, [Problem(file, 1, 1, "scenario", what, right)]
    is_json = text.lstrip().startswith("{")
    events = _read_json(text, file, problems) if is_json else _read_yaml(text, file, problems)
    try:
        return grow(events, file, problems), problems
    except Broken as broken:
        return None, [*problems, _blame(broken, file, "json" if is_json else "yaml")]


def read_data(data: object, file: str) -> tuple[Node | None, list[Problem]]:
    """The tree of Python data, without lines."""
    problems: list[Problem] = []
    try:
        return grow(walk_data(data), file, problems), problems
    except Broken as broken:
        return None, [*problems, _blame(broken, file, "scenario")]


def _blame(broken: Broken, file: str, where: str) -> Problem:
    return Problem(file, broken.line, broken.column, where, broken.what, broken.right)


def _read_yaml(text: str, file: str, problems: list[Problem]) -> Iterator[Event]:
    documents = 0
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    line, column = _place(event)
                    raise Broken(
                        line, column, "a second document begins", "would be right: one scenario a file"
                    )
            elif isinstance(event, yaml.NodeEvent):
                yield _read_node(event, file, problems)
            elif isinstance(event, yaml.CollectionEndEvent):
                yield Event("end")
    except yaml.YAMLError as error:
        raise explain_yaml(error, text) from None
    except (UnicodeError, ValueError) as error:
        raise Broken(
            1, 1, f"the text can't be read ({type(error).__name__})", "would be right: UTF-8 text"
        ) from None


def _place(event: Any) -> tuple[int, int]:
    return event.start_mark.line + 1, event.start_mark.column + 1


def _read_node(event: Any, file: str, problems: list[Problem]) -> Event:
    line, column = _place(event)

    def complain(what: str, right: str = _NO_COPIES) -> None:
        problems.append(Problem(file, line, column, "yaml", what, right))

    if isinstance(event, yaml.AliasEvent):
        complain(
            f"an alias ('*{event.anchor}') is not allowed; a value that begins with * must be quoted", QUOTED
        )
        return Event("scalar", None, "", line, column, sound=False)
    if event.anchor is not None:
        complain(f"an anchor ('&{event.anchor}') is not allowed")
    if event.tag is not None:
        complain(f"a tag ('{event.tag[:60]}') is not allowed")
    if isinstance(event, yaml.MappingStartEvent):
        return Event("map", None, "", line, column)
    if isinstance(event, yaml.SequenceStartEvent):
        return Event("list", None, "", line, column)
    text, plain = event.value, event.implicit[0]
    if plain and len(text) > _LONGEST_NUMBER and (_INT.fullmatch(text) or _BASED.fullmatch(text)):
        complain("the number is too long", "would be right: fewer digits")
        return Event("scalar", None, text, line, column, sound=False)
    value = resolve(text) if plain else text
    return Event("scalar", value, text, line, column, event.tag is None, plain)


def resolve(text: str) -> object:
    """What an unquoted scalar means in YAML 1.2's core schema."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    if _BASED.fullmatch(text):
        return int(text[2:], 8 if text[1] == "o" else 16)
    if _FLOAT.fullmatch(text):
        return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    return text


def _read_json(text: str, file: str, problems: list[Problem]) -> Iterator[Event]:
    starts = [0, *(found.end() for found in re.finditer("\n", text))]

    def place(offset: int) -> tuple[int, int]:
        line = bisect_right(starts, offset)
        return line, offset - starts[line - 1] + 1

    _check_json(text, place)
    for found in _TOKEN.finditer(text):
        line, column = place(found.start(found.lastindex or 0))
        quoted, mark, word = found.groups()
        if mark in ("{", "["):
            yield Event("map" if mark == "{" else "list", None, "", line, column)
        elif mark in ("}", "]"):
            yield Event("end")
        elif quoted or word:
            value, sound = _json_scalar(quoted or word)
            if not sound:
                problems.append(
                    Problem(file, line, column, "json", f"{word[:60]} is no JSON", "would be right: a number")
                )
            yield Event("scalar", value, value if quoted else word, line, column, sound)


def _json_scalar(token: str) -> tuple[Any, bool]:
    if token in ("NaN", "Infinity", "-Infinity"):
        return None, False
    return json.loads(token, strict=False), True


def _check_json(text: str, place: Callable[[int], tuple[int, int]]) -> None:
    """Depth first: `json` recurses, and a thread's stack may be small."""
    depth = 0
    for found in _TOKEN.finditer(text):
        if found[2] in ("{", "["):
            depth += 1
            if depth > MAX_DEPTH:
                raise Broken(*place(found.start(2)), TOO_DEEP)
        elif found[2] in ("}", "]"):
            depth -= 1
    try:
        json.loads(text, strict=False)
    except json.JSONDecodeError as error:
        raise explain_json(text, error) from None
    except ValueError:
        raise Broken(1, 1, "a number is too long", "would be right: fewer digits") from None
