"""A made-up value that fits a JSON Schema: all of OpenAI's strict subset, and what else plain generation can
reach.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from typing import Any

from onerouter_mock.core.answers.shapes import ENDLESS, flatten, height, measure, types_of
from onerouter_mock.core.answers.strings import make_string
from onerouter_mock.core.answers.words import Words

_DEEP = 5  # from here on the smallest value that fits: trees end
_BOTTOM = 40  # a schema that no finite value fits still ends
_MOST_ITEMS = 1000
_MOST_VALUES = 20_000  # references that fan out double the value at each level
_FEWEST_VALUES = 500  # and yet so many for each of 128 choices
_CHARACTERS_A_VALUE = 100  # a long text counts for many
_VALUES_A_PATTERN = 20  # and so does one that has to fit


def make_json(schema: Any, words: Words, choices: int = 1) -> str:
    """Compact JSON text of a value that fits the schema; for the same words, the same value.

    `choices` so many such texts may be asked for together: what no single one may take is shared among them.
    Never raises: what is not understood is left out of account.
    """
    most = max(_FEWEST_VALUES, _MOST_VALUES // choices)
    try:
        value = _Maker(schema, words, measure(schema), most).make(schema, 0, "")
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError):
        return "{}"  # no schema at all: `{"minimum": "three"}`


@dataclass(slots=True)
class _Maker:
    root: Any
    words: Words
    levels: dict[str, int]
    most: int
    made: int = 0

    def make(self, schema: Any, depth: int, name: str) -> Any:
        self.made += 1
        if self.made > self.most:
            raise ValueError("a schema that asks for more than anybody reads")
        if depth > _BOTTOM or schema is False:
            return None
        plain = flatten(schema, self.root, lambda branches: self.choose(branches, depth))
        if "const" in plain:
            return plain["const"]
        values = plain.get("enum")
        if isinstance(values, list) and values:
            return self.words.random.choice(_fitting(values, types_of(plain)))
        match self.kind_of(plain, depth):
            case "object":
                return self.make_object(plain, depth)
            case "array":
                return self.make_array(plain, depth, name)
            case "integer" | "number" as kind:
                return make_number(plain, kind == "integer", self.words)
            case "boolean":
                return self.words.random.random() < 0.5
            case "null":
                return None
            case _:
                text = make_string(plain, name, self.words)
                self.made += len(text) // _CHARACTERS_A_VALUE + ("pattern" in plain) * _VALUES_A_PATTERN
                return text

    def choose(self, branches: list[Any], depth: int) -> Any:
        """A branch that says something, and one that ends when it is late."""
        ending = [branch for branch in branches if not self.is_endless(branch)] or branches
        if depth >= _DEEP:
            return min(ending, key=lambda branch: height(branch, self.levels))
        telling = [
            branch for branch in ending if types_of(branch) != ["null"] and branch is not False
        ] or ending
        return self.words.random.choice(telling)

    def kind_of(self, plain: dict[str, Any], depth: int) -> str:
        kinds = types_of(plain)
        if depth >= _DEEP and "null" in kinds:
            return "null"
        kind = next((kind for kind in kinds if kind != "null"), None)
        if kind or kinds:
            return kind or "null"
        hints = {
            "object": (
                "properties",
                "required",
                "additionalProperties",
                "minProperties",
                "patternProperties",
            ),
            "array": ("items", "prefixItems", "minItems", "contains"),
            "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
        }
        return next((kind for kind, keys in hints.items() if any(key in plain for key in keys)), "string")

    def make_object(self, plain: dict[str, Any], depth: int) -> dict[str, Any]:
        properties = plain.get("properties")
        properties = properties if isinstance(properties, dict) else {}
        required = [name for name in plain.get("required") or () if isinstance(name, str)]
        most = plain.get("maxProperties", math.inf)
        optional = [name for name in properties if name not in required]
        if depth >= _DEEP:
            optional = []
        wanted = {*required, *optional[: int(min(max(most - len(required), 0), len(optional)))]}
        extra = plain.get("additionalProperties", True)
        made: dict[str, Any] = {}
        for name in [*properties, *required]:
            known = name in properties
            schema = properties[name] if known else extra
            if name in wanted and name not in made and (name in required or self.may_stand(schema)):
                made[name] = self.make(schema, depth + 1, name)
        others = (f"{self.words.word()}_{n}" for n in range(int(plain.get("minProperties") or 0)))
        for name in chain(optional, others):
            if len(made) >= (plain.get("minProperties") or 0):
                break
            if name not in made:
                made[name] = self.make(properties.get(name, extra), depth + 1, name)
        return made

    def is_endless(self, schema: Any) -> bool:
        """Whether no finite value can fit: a node that requires a node."""
        return height(schema, self.levels) >= ENDLESS

    def may_stand(self, schema: Any) -> bool:
        return schema is not False and not self.is_endless(schema)

    def make_array(self, plain: dict[str, Any], depth: int, name: str) -> list[Any]:
        least = int(plain.get("minItems") or 0)
        first = plain.get("prefixItems")
        items = plain.get("items", True)
        if isinstance(items, list):  # before draft 2020-12 this was the prefix
            first, items = items, plain.get("additionalItems", True)
        first = first if isinstance(first, list) else []
        usual = max(1 if depth >= 2 else 2, len(first))
        if depth >= _DEEP or self.is_endless(items):
            usual = 0
        most = len(first) if items is False else int(plain.get("maxItems", _MOST_ITEMS))
        count = min(max(least, usual, 1 if "contains" in plain else 0), most, _MOST_ITEMS)
        made: list[Any] = []
        for at in range(count):
            schema = first[at] if at < len(first) else items
            if "contains" in plain and at < int(plain.get("minContains", 1)):
                schema = (
                    {"allOf": [schema, plain["contains"]]} if isinstance(schema, dict) else plain["contains"]
                )
            value = self.make(schema, depth + 1, name.removesuffix("s"))
            if plain.get("uniqueItems"):
                value = self.make_other(made, value, schema, depth, name)
                if value in made and at >= least:
                    break
            made.append(value)
        return made

    def make_other(self, made: list[Any], value: Any, schema: Any, depth: int, name: str) -> Any:
        for _ in range(40):
            if value not in made:
                break
            value = self.make(schema, depth + 1, name)
        return value


def _fitting(values: list[Any], kinds: list[str]) -> list[Any]:
    names: dict[type, tuple[str, ...]] = {
        str: ("string",), bool: ("boolean",), int: ("integer", "number"), float: ("number",),
        list: ("array",), dict: ("object",), type(None): ("null",),
    }  # fmt: skip
    fitting = [value for value in values if not kinds or set(names[type(value)]) & set(kinds)]
    return [value for value in fitting if value is not None] or fitting or values


def make_number(plain: dict[str, Any], whole: bool, words: Words) -> int | float:
    """A number within its bounds, 0 to 100 where there are none."""
    low, low_open = _bound(plain, "minimum", "exclusiveMinimum", max)
    high, high_open = _bound(plain, "maximum", "exclusiveMaximum", min)
    step = Fraction(str(plain["multipleOf"])) if plain.get("multipleOf") else None
    if whole and step is not None:
        step = Fraction(
            math.lcm(step.numerator, step.denominator) if step.denominator > 1 else step.numerator
        )
    if step is None:
        step = Fraction(1) if whole else None
    if low is None:
        low = Fraction(0) if high is None else high - 100
    if high is None:
        high = low + 100 * (step or 1)
    if step is None:
        step = (high - low) / 64 if high > low else Fraction(1)
        first, last = 0, 64 if high > low else 0
        base = low
    else:
        first, last, base = math.ceil(low / step), math.floor(high / step), Fraction(0)
    first += int(low_open and base + first * step == low)
    last -= int(high_open and base + last * step == high)
    value = base + step * (words.random.randint(first, last) if last >= first else first)
    return (
        int(value)
        if whole
        else round(float(value), 2)
        if _is_round_safe(value, low, high, plain)
        else float(value)
    )


def _is_round_safe(value: Fraction, low: Fraction, high: Fraction, plain: dict[str, Any]) -> bool:
    return "multipleOf" not in plain and low < Fraction(round(float(value), 2)) < high


def _bound(plain: dict[str, Any], plainly: str, openly: str, tighter: Any) -> tuple[Fraction | None, bool]:
    bound, exclusive = plain.get(plainly), plain.get(openly)
    if exclusive is True:  # draft 4 has booleans here
        return (Fraction(str(bound)), True) if bound is not None else (None, False)
    is_number = isinstance(exclusive, (int, float)) and not isinstance(exclusive, bool)
    if is_number and (bound is None or tighter(bound, exclusive) == exclusive):
        return Fraction(str(exclusive)), True
    return (Fraction(str(bound)), False) if isinstance(bound, (int, float)) else (None, False)
