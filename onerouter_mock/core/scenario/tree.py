"""Text or Python data to a tree of values that know where they stand: hardened, and with every flaw named.

The tree is grown from a stream of events (map, list, end, scalar), by a loop of our own: PyYAML's composer
overflows the stack on nested brackets, and can't be stopped from resolving aliases.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Any, Literal, NamedTuple

from onerouter_mock.core.errors import Problem

MAX_BYTES = 256_000
MAX_DEPTH = 32
TOO_DEEP = f"nested deeper than {MAX_DEPTH}"


@dataclass(slots=True)
class Node:
    """A value (dict of nodes, list of nodes, or a scalar) and its place.

    Shape: a map's place is that of its first key. `key_line`, `key_column`: of its own key, in a map.
    `index`: in the list it was written in, before any merging. `flawed`: complained of already.
    """

    value: Any
    file: str
    line: int = 0
    column: int = 0
    key_line: int = 0
    key_column: int = 0
    index: int = 0
    flawed: bool = False


class Event(NamedTuple):
    """A step in the growth of a tree. A scalar has its value and, in the place of a key, its text.

    `sound` unless it was complained of already; `plain`: it stood unquoted.
    """

    kind: Literal["map", "list", "end", "scalar"]
    value: Any = None
    text: str = ""
    line: int = 0
    column: int = 0
    sound: bool = True
    plain: bool = False


class Broken(Exception):
    """Reading can't go on: the text is no YAML, no JSON, or too deep. Never leaves this folder."""

    def __init__(self, line: int, column: int, what: str, right: str = "") -> None:
        super().__init__(what)
        self.line, self.column, self.what, self.right = line, column, what, right


@dataclass(slots=True)
class _Open:
    """A container whose end has not come.

    `key`: the key whose value is due (None: a key is due; False: the value is to be skipped).
    """

    node: Node
    key: Event | Literal[False] | None = None
    is_key: bool = False


def grow(events: Iterable[Event], file: str, problems: list[Problem]) -> Node:
    """The tree of these events; what is wrong with it goes to `problems`.

    Errors: Broken from depth 33 on.
    """
    root = Node({}, file, 1, 1)
    stack: list[_Open] = []
    for event in events:
        if event.kind == "end":
            closed = stack.pop()
            if closed.is_key and stack:
                stack[-1].key = False
            continue
        node, is_key = _make_node(event, file), False
        if not event.sound:
            node.flawed = True
        if stack:
            is_key = _place(node, event, stack, problems)
        else:
            root = node
        if event.kind != "scalar":
            if len(stack) == MAX_DEPTH:
                raise Broken(event.line, event.column, TOO_DEEP)
            stack.append(_Open(node, None, is_key))
        elif isinstance(event.value, str):
            _check_text(node, stack, problems)
    return root


def _make_node(event: Event, file: str) -> Node:
    value: Any = {} if event.kind == "map" else [] if event.kind == "list" else event.value
    return Node(value, file, event.line, event.column)


def _place(node: Node, event: Event, stack: list[_Open], problems: list[Problem]) -> bool:
    """Hang a node into the open container; tell whether it was a key."""
    top = stack[-1]
    if isinstance(top.node.value, list):
        node.index = len(top.node.value)
        top.node.value.append(node)
        return False
    if top.key is None:
        top.key = _take_key(event, stack, problems)
        return True
    if top.key:
        node.key_line, node.key_column = top.key.line, top.key.column
        top.node.value[top.key.text] = node
    top.key = None
    return False


def _take_key(event: Event, stack: list[_Open], problems: list[Problem]) -> Event | Literal[False]:
    parent = stack[-1].node
    if not parent.value:
        parent.line, parent.column = event.line, event.column
    path = [*_path(stack), event.text] if event.kind == "scalar" else _path(stack)
    if event.kind != "scalar":
        what, right = "a key is a list or a map", "would be right: text"
    elif not event.sound:
        return False
    elif event.plain and event.text == "<<":
        what, right = "merge keys ('<<') are not allowed", "would be right: extends, or the fields themselves"
    elif event.text in parent.value:
        first = parent.value[event.text].key_line
        what = f"'{event.text[:60]}' stands here twice"
        right = f"would be right: once; it first stands in line {first}" if first else "would be right: once"
    elif not _is_sound_text(event.text):
        what, right = "a key holds half a surrogate pair", "would be right: whole characters"
    else:
        return event
    problems.append(Problem(parent.file, event.line, event.column, spell_path(path), what, right))
    return False


def _check_text(node: Node, stack: list[_Open], problems: list[Problem]) -> None:
    if not _is_sound_text(node.value):
        node.value, node.flawed = None, True
        what, right = "the text holds half a surrogate pair", "would be right: whole characters"
        problems.append(
            Problem(node.file, node.line, node.column, spell_path(_path(stack, node)), what, right)
        )


def _is_sound_text(text: str) -> bool:
    if text.isascii():
        return True
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def _path(stack: list[_Open], leaf: Node | None = None) -> list[str | int]:
    """The keys and numbers that lead to the container that now stands open, or to a leaf in it."""
    path: list[str | int] = []
    nodes = [opened.node for opened in stack] + ([leaf] if leaf else [])
    for upper, lower in pairwise(nodes):
        if isinstance(upper.value, list):
            path.append(lower.index)
        elif upper.value:
            last = next(reversed(upper.value))
            path += [last] if upper.value[last] is lower else []
    return path


def spell_path(path: Iterable[str | int]) -> str:
    """A path as people write it: `rules[0].error.kind`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            word = part if len(part) <= 60 and part.isprintable() else repr(part[:57])
            text += f".{word}" if text else word
    return text or "scenario"


def walk_data(value: object, depth: int = 0) -> Iterator[Event]:
    """Python data as events. Errors: Broken for depth and for values that no scenario holds."""
    if depth > MAX_DEPTH:
        raise Broken(0, 0, TOO_DEEP)
    if isinstance(value, dict):
        yield Event("map")
        for key, item in value.items():
            if not isinstance(key, str):
                raise Broken(0, 0, f"a key is {name_type(key)}", "would be right: text")
            yield Event("scalar", key, key)
            yield from walk_data(item, depth + 1)
        yield Event("end")
    elif isinstance(value, list | tuple):
        yield Event("list")
        for item in value:
            yield from walk_data(item, depth + 1)
        yield Event("end")
    elif value is None or isinstance(value, str | bool | int | float | timedelta):
        yield Event("scalar", value)
    else:
        raise Broken(
            0, 0, f"{name_type(value)} is no value of a scenario", "would be right: text, numbers, lists"
        )


def name_type(value: object) -> str:
    """What a value is, in a user's words: "text", "a number", "a list"."""
    match value:
        case None:
            return "empty"
        case bool():
            return "a boolean"
        case str():
            return "text"
        case int() | float():
            return "a number"
        case dict():
            return "a map"
        case list() | tuple():
            return "a list"
        case timedelta():
            return "a duration"
    return f"a Python {type(value).__name__}"


# A null here is part of the value, not an absent field.
_FREE = {("reply", "json"), ("tool_calls", "arguments")}


def to_data(node: Node, keys: tuple[str, ...] = (), keep: bool = False) -> Any:
    """Plain Python data, without the fields whose value is null.

    Shape: `keys` are the keys that lead to the node; `keep`: nulls are values here.
    """
    value = node.value
    if isinstance(value, dict):
        keep = keep or keys[-2:] in _FREE
        return {
            key: to_data(item, (*keys, key), keep)
            for key, item in value.items()
            if keep or item.value is not None
        }
    if isinstance(value, list):
        return [to_data(item, keys, keep or keys[-2:] in _FREE) for item in value]
    return value


def follow(root: Node, path: Iterable[str | int]) -> tuple[Node, list[str | int]]:
    """The deepest node on a path that exists, and the path that leads there (list numbers as written)."""
    node, taken = root, []
    for part in path:
        value = node.value
        if isinstance(value, dict) and part in value:
            node = value[part]
            taken.append(part)
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            node = value[part]
            taken.append(node.index)
        else:
            break
    return node, taken
