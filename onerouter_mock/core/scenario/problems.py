"""What is wrong, in our words: pydantic's complaints with their place in the file and a suggestion.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from onerouter_mock.core.errors import Problem
from onerouter_mock.core.scenario.tree import Node, follow, name_type, spell_path
from onerouter_mock.core.scenario.units import UnitError, quote
from onerouter_mock.core.scenario.words import quote_value

Path = Sequence[str | int]
_EXAMPLES = {
    "match": "'sk-alice-*'", "do": "cut", "mean": "1s", "stddev": "200ms", "median": "800ms", "sigma": "0.6",
    "name": "get_weather",
}  # fmt: skip
_WANTED = {
    "string": "text", "int": "a whole number", "float": "a number", "bool": "true or false", "list": "a list",
    "dict": "a map", "model": "a map", "model_attributes": "a map",
}  # fmt: skip
_COMPARED = 100  # names: comparing is slow, and a file may be written to be slow
_TRUE_WORDS = {"true": "true", "false": "false", "yes": "true", "no": "false", "on": "true", "off": "false"}


def suggest(word: str, names: Iterable[str]) -> str:
    """The nearest name as a question, else all names."""
    known = list(names)
    alike = [name for name in known if abs(len(name) - len(word)) <= 4][:_COMPARED]
    near = get_close_matches(word, alike, 1, 0.6) if len(word) <= 64 else []
    if not near and len(word) <= 64:
        near = [name for name in known if name.lower().replace("-", "_") == word.lower().replace("-", "_")]
    if near:
        return f"did you mean '{near[0]}'?"
    return f"would be right: {', '.join(known[:30])}" if known else ""


def complain(
    node: Node, path: Iterable[str | int], what: str, right: str, *, at_key: bool = False
) -> Problem:
    """A problem at a node: at its value, or at its key."""
    line, column = (node.key_line, node.key_column) if at_key else (node.line, node.column)
    return Problem(node.file, line, column, spell_path(path), what, right)


def translate(error: ValidationError, model: type[BaseModel], root: Node) -> list[Problem]:
    """pydantic's complaints about the data of a tree, in our words; one for each place."""
    problems: dict[tuple[str, int, int, str], Problem] = {}
    for item in error.errors(include_url=False, include_input=False):
        path = [part for part in item["loc"] if part != "[key]"]
        at_key = "[key]" in item["loc"] or item["type"] == "extra_forbidden"
        node, taken = follow(root, path)
        if node.flawed or _is_known_flaw(node, path, item["type"]):
            continue
        value = taken[-1] if at_key and taken else node.value
        what, right = _explain(item["type"], item.get("ctx") or {}, path, value, model)
        if item["type"] == "missing":
            taken = [*taken, path[-1]]
        problem = complain(node, taken, what, right, at_key=at_key)
        problems.setdefault((problem.file, problem.line, problem.column, problem.where), problem)
    return list(problems.values())


def find_unknown_nulls(
    node: Node, model: type[BaseModel], path: tuple[str | int, ...] = ()
) -> Iterator[Problem]:
    """Every unknown key whose value is null: pydantic never sees these, as a null counts as absent."""
    if isinstance(node.value, list):
        for item in node.value:
            yield from find_unknown_nulls(item, model, (*path, item.index))
    elif isinstance(node.value, dict):
        has_nulls = any(item.value is None for item in node.value.values())
        names = _field_names(model, path) if has_nulls else []
        for key, item in node.value.items():
            if names and item.value is None and not item.flawed and key not in names:
                what, right = f"unknown field {quote(key)}", suggest(key, names)
                yield complain(item, (*path, key), what, right, at_key=True)
            yield from find_unknown_nulls(item, model, (*path, key))


def _is_known_flaw(node: Node, path: Path, kind: str) -> bool:
    """Whether a field is missing only because what stands there was complained of already."""
    there = node.value.get(path[-1]) if kind == "missing" and isinstance(node.value, dict) else None
    return there is not None and there.flawed


def _explain(
    kind: str, context: dict[str, Any], path: Path, value: Any, model: type[BaseModel]
) -> tuple[str, str]:
    cause = context.get("error")
    if isinstance(cause, UnitError):
        return cause.what, cause.right
    if kind == "extra_forbidden":
        return f"unknown field {quote(path[-1])}", suggest(str(path[-1]), _field_names(model, path[:-1]))
    if kind == "missing":
        example = _EXAMPLES.get(str(path[-1]), "...")
        return f"'{path[-1]}' is missing", f"would be right: {path[-1]}: {example}"
    if kind == "literal_error":
        return _explain_choice(str(context.get("expected", "")), value)
    if kind.endswith("_type") or kind == "int_from_float":
        names = _field_names(model, path) if kind.startswith("model") else []
        return _explain_type(kind.removesuffix("_type").replace("int_from_float", "int"), value, names)
    return _explain_bounds(kind, context, value)


def _explain_choice(expected: str, value: Any) -> tuple[str, str]:
    words = re.findall(r"'([^']*)'", expected)
    if not words:
        return f"{quote_value(value)} is not allowed", f"would be right: {expected.lower()}"
    if not isinstance(value, str):
        return f"{quote_value(value)} is {name_type(value)}", f"would be right: {', '.join(words)}"
    return f"{quote(value)} is unknown", suggest(value, words)


def _explain_type(wanted: str, value: Any, names: list[str]) -> tuple[str, str]:
    right = _WANTED.get(wanted, wanted)
    if names:
        right = f"a map of {', '.join(names)}"
    elif (
        isinstance(value, str) and wanted in ("int", "float") and re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", value)
    ):
        right = value if wanted == "float" or "." not in value else right
    elif isinstance(value, str) and wanted == "bool":
        right = _TRUE_WORDS.get(value.lower(), right)
    elif isinstance(value, bool | int | float) and wanted == "string":
        right = f"'{quote_value(value)}'"
    elif isinstance(value, float) and wanted == "int":
        return f"{quote_value(value)} is no whole number", "would be right: a whole number"
    elif isinstance(value, dict) and wanted == "list":
        right = "a list, each entry after '- '"
    return f"{quote_value(value)} is {name_type(value)}", f"would be right: {right}"


_ALLOWED = {
    r"^[a-z0-9-]{1,64}$": "up to 64 of a-z, 0-9 and -",
    r"^[a-z0-9][a-z0-9-]{0,63}$": "a provider's slug: a-z, 0-9 and -",
    r"^[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,199}$": "a model id: letters, digits and . _ : / @ + -",
    r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$": "a header's name",
    r"^[^\x00-\x1f\x7f*?\[\]]{1,64}$": "up to 64 characters without * ? [ ]",
    r"^[^\x00-\x1f\x7f]{1,100}$": "one line of up to 100 characters",
}


def _explain_bounds(kind: str, context: dict[str, Any], value: Any) -> tuple[str, str]:
    shown = quote_value(value)
    what, right = f"{shown} is not allowed ({kind.replace('_', ' ')})", "another value"
    match kind:
        case "greater_than":
            what, right = f"{shown} is too small", f"more than {_spell_bound(context['gt'])}"
        case "greater_than_equal":
            what, right = f"{shown} is too small", f"at least {_spell_bound(context['ge'])}"
        case "less_than_equal":
            what, right = f"{shown} is too large", f"at most {_spell_bound(context['le'])}"
        case "string_pattern_mismatch":
            what, right = f"{shown} is no such name", _ALLOWED.get(context["pattern"], "another name")
        case "string_too_short":
            what, right = "the text is empty", "at least a character"
        case "too_short":
            what, right = (
                f"{context['actual_length']} entries are too few",
                f"at least {context['min_length']}",
            )
        case "too_long":
            what, right = (
                f"{context['actual_length']} entries are too many",
                f"at most {context['max_length']}",
            )
        case "string_too_long":
            what, right = "the text is too long", f"at most {context['max_length']} characters"
        case "finite_number":
            what, right = f"{shown} is no finite number", "a number"
    return what, f"would be right: {right}"


def _spell_bound(bound: Any) -> str:
    return str(bound) if isinstance(bound, int) else f"{bound:.6f}".rstrip("0").rstrip(".")


def _field_names(model: type[BaseModel], path: Path) -> list[str]:
    """The fields that may stand at a path."""
    kind: Any = model
    for part in path:
        kind = _step(_unwrap(kind), part)
    kind = _unwrap(kind)
    if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
        return []
    return [field.alias or name for name, field in kind.model_fields.items()]


def _unwrap(kind: Any) -> Any:
    """The type inside Annotated and `| None`."""
    while True:
        origin = get_origin(kind)
        if origin is Annotated:
            kind = get_args(kind)[0]
        elif origin in (Union, UnionType):
            kind = next(part for part in get_args(kind) if part is not type(None))
        else:
            return kind


def _step(kind: Any, part: str | int) -> Any:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        for name, field in kind.model_fields.items():
            if part == (field.alias or name):
                return field.annotation
        return None
    arguments = get_args(kind)
    return arguments[-1] if arguments else None
