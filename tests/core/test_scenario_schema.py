"""The JSON Schema holds the whole language, and says what each field means."""

from __future__ import annotations

import re
from typing import Any

import jsonschema_rs
import pytest
import yaml

from onerouter_mock.core.errors import ScenarioError
from onerouter_mock.core.records import ENDPOINTS, KINDS, LANES
from onerouter_mock.core.scenario import words
from onerouter_mock.core.scenario.load import load_scenario
from onerouter_mock.core.scenario.schema import json_schema
from onerouter_mock.library import Library

# Every field that the language documents, by the map it stands in.
DOCUMENTED = {
    "": "version name description extends seed clock speed waits wire keys accounts auth router providers "
    "models unknown_models limits rules",
    "Key": "match provider expires",
    "Account": "match credits disabled",
    "Router": "fallback_on cooldown balance timeout deliver_errors keep_alive",
    "Cooldown": "failures within for",
    "Provider": "latency",
    "Model": "providers prompt completion context",
    "When": "lane provider model key account endpoint stream prompt system header attempt",
    "Limit": "name when per requests tokens quota concurrency used algorithm error headers",
    "Rule": "name when skip times every chance after until per steps then delay stream reply break error "
    "connection",
    "Step": "delay stream reply break error connection ok",
    "Error": "kind status message type code param retry_after should_retry headers body",
    "Distribution": "uniform normal lognormal",
    "Normal": "mean stddev",
    "Lognormal": "median sigma max",
    "Stream": "ttft rate gap slice",
    "Break": "do after for error",
    "Reply": "text reasoning refusal tool_calls json finish_reason usage malformed chunks",
    "ToolCall": "name arguments",
}


def part(name: str) -> dict[str, Any]:
    schema = json_schema()
    found: dict[str, Any] = schema["$defs"][name] if name else schema
    return found


@pytest.mark.parametrize("name", DOCUMENTED)
def test_every_documented_field_is_in_the_schema_with_a_description(name: str) -> None:
    properties = part(name)["properties"]
    assert set(DOCUMENTED[name].split()) <= set(properties)
    for field, schema in properties.items():
        assert schema.get("description"), f"{name}.{field}"
    assert part(name)["additionalProperties"] is False


def test_the_schema_knows_no_map_that_is_not_documented() -> None:
    assert set(json_schema()["$defs"]) == set(DOCUMENTED) - {""}


def test_every_kind_and_lane_is_in_the_schema() -> None:
    text = str(json_schema())
    for word in (*KINDS, *LANES, "no_provider", "short_body", "duplicate", "tool_arguments_not_json"):
        assert f"'{word}'" in text
    assert all(word in part("When")["properties"]["endpoint"]["description"] for word in ENDPOINTS)
    assert set(words.Kind.__args__) == set(KINDS)


def test_bundled_scenarios_are_valid_by_the_schema() -> None:
    validator = jsonschema_rs.validator_for(json_schema())
    for name, _ in Library().bundled():
        errors = list(validator.iter_errors(yaml.safe_load(Library().text(name))))
        assert not errors, f"{name}: {errors}"


GOOD = [
    "rules: [{error: 429}, {error: rate_limit}, {error: {kind: quota, retry_after: date}}]",
    "rules: [{delay: 250ms}, {delay: {uniform: [1s, 3s]}}]",
    "rules: [{chance: 0.1, error: 500}, {chance: 10%, error: 500}]",
    "rules: [{break: {do: cut, after: 50%}}, {break: {do: cut, after: 0.5}}]",
    "rules: [{reply: hi}, {reply: {json: {a: 1}}}]",
    "limits: [{requests: 3/min}, {requests: [3/min, 5/10s], tokens: 30k/min}]",
    "limits: [{quota: 2 USD}, {concurrency: 1}]",
    "accounts: {a: {match: x, credits: 2.5}, b: {match: [x, y], credits: 2 USD}}",
    "rules: [{when: {lane: [byok, shared], attempt: 1, header: {x: y}}, error: 500}]",
    "seed: ~",
]
BAD = [
    "rules: [{error: nope}]",
    "rules: [{eror: 500}]",
    "limits: [{requests: 3}]",
    "limits: [{quota: 5}]",
    "rules: [{delay: 3}]",
    "clock: sundial",
    "keys: {a: {}}",
]


@pytest.mark.parametrize("text", GOOD)
def test_what_check_accepts_the_schema_accepts(text: str) -> None:
    load_scenario(text, file="f")
    jsonschema_rs.validator_for(json_schema()).validate(yaml.safe_load(text))


@pytest.mark.parametrize("text", BAD)
def test_what_the_schema_refuses_check_refuses(text: str) -> None:
    with pytest.raises(ScenarioError):
        load_scenario(text, file="f")
    assert not jsonschema_rs.validator_for(json_schema()).is_valid(yaml.safe_load(text))


def test_patterns_are_plain_enough_for_editors() -> None:
    for pattern in re.findall(r"'pattern': '([^']*)'", str(json_schema())):
        assert "(?" not in pattern
