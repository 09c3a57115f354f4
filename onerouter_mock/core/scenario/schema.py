"""The JSON Schema of scenario files, for editors.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import Any

from onerouter_mock.core.scenario.fields import Scenario


def json_schema() -> dict[str, Any]:
    """The schema of the language, version 1, with a description for every field.

    Shape: JSON Schema 2020-12. What fields mean to each other (names that must exist, aspects that exclude
    each other) is not in it: only `check` knows.
    """
    made = _tidy(Scenario.model_json_schema(by_alias=True, mode="validation"))
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "onerouter-mock scenario, version 1",
    }
    return {**head, **made}


def _tidy(part: Any) -> Any:
    """Without the titles and defaults that say nothing; with null wherever a field may be absent."""
    if isinstance(part, list):
        return [_tidy(item) for item in part]
    if not isinstance(part, dict):
        return part
    tidy = {
        key: _tidy(value)
        for key, value in part.items()
        if not (key == "title" and isinstance(value, str)) and not (key == "default" and value is None)
    }
    if isinstance(tidy.get("properties"), dict):
        required = tidy.get("required", ())
        tidy["properties"] = {
            name: schema if name in required else _allow_null(schema)
            for name, schema in tidy["properties"].items()
        }
    return tidy


def _allow_null(schema: dict[str, Any]) -> dict[str, Any]:
    if {"type": "null"} in schema.get("anyOf", ()) or not {
        "type",
        "anyOf",
        "$ref",
        "enum",
        "const",
    } & schema.keys():
        return schema
    told: dict[str, Any] = {key: schema[key] for key in ("description", "default") if key in schema}
    return {"anyOf": [{key: schema[key] for key in schema if key not in told}, {"type": "null"}], **told}
