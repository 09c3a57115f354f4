"""Made-up values fit the schema that a request gives, for any seed, and every schema ends."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onerouter_mock.core.answers.schema import make_json
from onerouter_mock.core.answers.words import borrow_words


def make(schema: Any, seed: int = 0) -> Any:
    with borrow_words("schema", seed) as words:
        return json.loads(make_json(schema, words))


def assert_fits(schema: Any, seed: int = 0) -> None:
    value = make(schema, seed)
    validator = jsonschema_rs.validator_for(schema, validate_formats=True)
    problems = [str(error) for error in validator.iter_errors(value)]
    assert not problems, f"{value!r} does not fit {schema!r}"


NODE = {
    "type": "object",
    "properties": {
        "value": {"type": "string"},
        "children": {"type": "array", "items": {"$ref": "#/$defs/node"}},
        "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]},
    },
    "required": ["value", "children", "next"],
    "additionalProperties": False,
}
WITH_A = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
WITH_B = {"properties": {"b": {"type": ["string", "null"]}}, "required": ["b"]}
CAT = {
    "type": "object",
    "properties": {"kind": {"const": "cat"}, "lives": {"type": "integer"}},
    "required": ["kind"],
}
DOG = {
    "type": "object",
    "properties": {"kind": {"const": "dog"}},
    "required": ["kind"],
    "additionalProperties": False,
}

SCHEMAS: dict[str, Any] = {
    "a tree": {"$ref": "#/$defs/node", "$defs": {"node": NODE}},
    "a root that refers to itself": {
        "type": "object",
        "properties": {"name": {"type": "string"}, "parts": {"type": "array", "items": {"$ref": "#"}}},
        "required": ["name", "parts"],
    },
    "an optional child": {"type": "object", "properties": {"child": {"$ref": "#"}}},
    "definitions of old": {"$ref": "#/definitions/a~1b", "definitions": {"a/b": {"type": "boolean"}}},
    "allOf": {"allOf": [WITH_A, WITH_B]},
    "allOf of one property": {
        "allOf": [
            {"properties": {"n": {"minimum": 3}}}, {"properties": {"n": {"maximum": 4, "type": "integer"}}},
        ],
        "type": "object", "required": ["n"],
    },
    "anyOf beside members": {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"],
                             "anyOf": [WITH_A, {"required": ["b"], "properties": {"b": {"const": 1}}}]},
    "oneOf": {"oneOf": [CAT, DOG]},
    "enum": {"enum": ["celsius", "fahrenheit", None]},
    "enum with a type": {"type": "integer", "enum": ["x", 3]},
    "const": {"const": {"a": [1, None]}},
    "nullable": {"type": ["null", "number"]},
    "an integer in bounds": {"type": "integer", "minimum": 3, "exclusiveMaximum": 4},
    "a number in open bounds": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 0.01},
    "a large number": {"type": "integer", "minimum": 10**12},
    "below nought": {"type": "number", "maximum": -5},
    "a multiple": {"type": "integer", "multipleOf": 7, "minimum": 15},
    "a multiple of a tenth": {"type": "number", "multipleOf": 0.1, "minimum": 1, "maximum": 2},
    "bounds without type": {"minimum": 5, "maximum": 6},
    "a string of a length": {"type": "string", "minLength": 30, "maxLength": 31},
    "no string": {"type": "string", "maxLength": 0},
    "a pattern": {"type": "string", "pattern": r"^[A-Z]{3}-\d{4}(-(a|b))?$"},
    "a pattern with a length": {"type": "string", "pattern": "^[a-z]+$", "minLength": 4, "maxLength": 6},
    "distinct items": {"type": "array", "items": {"enum": [1, 2, 3]}, "uniqueItems": True,
                       "minItems": 3},
    "few items": {"type": "array", "items": {"type": "string"}, "maxItems": 0},
    "many items": {"type": "array", "items": {"type": "integer"}, "minItems": 12},
    "a tuple": {"type": "array", "prefixItems": [{"type": "string"}, {"type": "boolean"}],
                "items": False, "minItems": 2},
    "an item among others": {"type": "array", "contains": {"const": 7}},
    "a map": {"type": "object", "additionalProperties": {"type": "integer"}, "minProperties": 2},
    "few properties": {"type": "object", "properties": {"a": {}, "b": {}, "c": {}}, "required": ["c"],
                       "maxProperties": 2},
    "required but not described": {"type": "object", "required": ["x"],
                                   "additionalProperties": {"type": "integer"}},
    "anything": {},
    "all by name": {"type": "object", "properties": {n: {"type": "string"} for n in ("email", "city")}},
    **{f"format {form}": {"type": "string", "format": form}
       for form in ("date", "time", "date-time", "email", "uri", "uuid", "ipv4", "ipv6", "hostname",
                    "duration")},
}  # fmt: skip


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS.keys())
def test_a_value_fits_its_schema(schema: Any) -> None:
    for seed in range(8):
        assert_fits(schema, seed)


def test_the_same_words_make_the_same_value_and_others_another() -> None:
    schema = SCHEMAS["a tree"]
    assert make(schema, 1) == make(schema, 1)
    assert make(schema, 1) != make(schema, 2)


ENDLESS = {"type": "object", "properties": {"next": {"$ref": "#"}}, "required": ["next"]}
WIDE = {f"d{n}": {"anyOf": [{"type": "object", "properties": {"x": {"$ref": f"#/$defs/d{m}"}},
    "required": ["x"]}
                            for m in range(12)]} for n in range(12)}  # fmt: skip
DOUBLING: dict[str, Any] = {}
for level in range(30):
    below = {"$ref": f"#/$defs/d{level + 1}"}
    DOUBLING[f"d{level}"] = {"type": "object", "properties": {"a": below, "b": below}, "required": ["a", "b"]}
ODD: list[Any] = [
    {"$ref": "#/$defs/d0", "$defs": WIDE}, {"$ref": "#/$defs/d0", "$defs": DOUBLING},
    ENDLESS, {"allOf": [{"$ref": "#"}]}, {"$ref": "#/nowhere"}, {"$ref": "https://example.com/schema"},
    {"type": "integer", "minimum": "three"}, {"type": "object", "required": 5},
    {"type": "array", "minItems": -1},
    {"type": "unheard-of"}, {"anyOf": []}, {"enum": []}, {"type": "string", "pattern": "(?<"}, True, False,
    {"type": "string", "pattern": r"(?=a)b"}, {"type": "array", "minItems": 10**9, "items": {"type": "null"}},
    {"type": "string", "pattern": "((((((((((a*)*)*)*)*)*)*)*)*)*)*b"},
    {"type": "string", "pattern": r"^(a+)+(?=x)$"}, {"type": "string", "pattern": r"\ud800"},
    {"properties": []}, {"type": "integer", "minimum": 5, "maximum": 4}, {"type": "number", "multipleOf": 0},
]  # fmt: skip


@pytest.mark.parametrize("schema", ODD, ids=lambda schema: str(schema)[:60])
def test_every_schema_ends_in_some_json(schema: Any) -> None:
    json.dumps(make(schema), ensure_ascii=False).encode()


def _leaves() -> st.SearchStrategy[Any]:
    integers = st.tuples(st.integers(-50, 50), st.integers(0, 9))
    return st.one_of(
        integers.map(lambda b: {"type": "integer", "minimum": b[0], "maximum": b[0] + b[1]}),
        integers.map(lambda b: {"type": "number", "exclusiveMinimum": b[0], "maximum": b[0] + 1 + b[1]}),
        st.tuples(st.integers(0, 9), st.integers(0, 9)).map(
            lambda b: {"type": "string", "minLength": b[0], "maxLength": b[0] + b[1]}
        ),
        st.lists(st.sampled_from(["a", 1, None, True]), min_size=1, unique=True).map(lambda v: {"enum": v}),
        st.sampled_from([{"type": "boolean"}, {"type": ["null", "string"]}, {"const": "x"}, {}]),
    )


def _grow(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    properties = st.dictionaries(st.sampled_from("abcd"), inner, max_size=3)
    objects = st.tuples(properties, st.booleans(), st.booleans()).map(
        lambda o: {
            "type": "object", "properties": o[0], "required": list(o[0]) if o[1] else [],
            "additionalProperties": o[2],
        }
    )  # fmt: skip
    arrays = st.tuples(inner, st.integers(0, 3), st.integers(0, 2)).map(
        lambda a: {"type": "array", "items": a[0], "minItems": a[1], "maxItems": a[1] + a[2]}
    )
    choices = st.lists(inner, min_size=1, max_size=3).map(lambda branches: {"anyOf": branches})
    return objects | arrays | choices


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.recursive(_leaves(), _grow, max_leaves=8), st.integers(0, 100))
def test_values_fit_schemas_of_any_make(schema: Any, seed: int) -> None:
    assert_fits(schema, seed)


@pytest.mark.parametrize(
    "schema",
    [
        {"minLength": 1e308},
        {"type": "string", "minLength": 10**9},
        {"type": "object", "minProperties": 10**12},
        {"type": "array", "minItems": 1000, "items": {"type": "string", "minLength": 100_000}},
        {"type": "array", "minItems": 1e308},
    ],
)
def test_sizes_beyond_reading_end_soon(schema: Any) -> None:
    with borrow_words("schema", 0) as words:
        assert len(make_json(schema, words)) < 3_000_000


@pytest.mark.parametrize(("items", "is_made"), [(300, True), (600, False)])
def test_many_choices_share_what_one_may_take(items: int, is_made: bool) -> None:
    schema = {"type": "array", "minItems": items, "maxItems": items, "items": {"type": "boolean"}}
    with borrow_words("schema", 0) as words:
        made = json.loads(make_json(schema, words, 128))
        assert made == {} or len(made) == items
        assert bool(made) == is_made
        assert len(json.loads(make_json(schema, words))) == items
