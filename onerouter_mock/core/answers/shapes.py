"""A JSON Schema made plain: references followed, `allOf` merged, one branch of `anyOf` and `oneOf` chosen.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote

ENDLESS = 10**6
_MOST_HOPS = 64
_NUMERIC = {"integer", "number"}


def point(root: Any, ref: str) -> Any:
    """What a local reference (`#/$defs/Node`) stands for; True (anything) when it leads nowhere."""
    if not ref.startswith("#"):
        return True
    at = root
    for part in ref[1:].split("/")[1:]:
        name = unquote(part).replace("~1", "/").replace("~0", "~")
        if isinstance(at, dict) and name in at:
            at = at[name]
        elif isinstance(at, list) and name.isdigit() and int(name) < len(at):
            at = at[int(name)]
        else:
            return True
    return at


def flatten(schema: Any, root: Any, choose: Callable[[list[Any]], Any]) -> dict[str, Any]:
    """The schema without `$ref`, `allOf`, `anyOf` and `oneOf`; `choose` picks a branch."""
    if not isinstance(schema, dict):
        return {} if schema is not False else {"type": "null"}
    for _ in range(_MOST_HOPS):
        if "$ref" in schema:
            rest = {key: value for key, value in schema.items() if key != "$ref"}
            schema = merge(point(root, str(schema["$ref"])), rest)
        elif _branches(schema, "allOf"):
            rest = {key: value for key, value in schema.items() if key != "allOf"}
            for part in schema["allOf"]:
                rest = merge(rest, part)
            schema = rest
        elif key := next((key for key in ("anyOf", "oneOf") if _branches(schema, key)), None):
            rest = {name: value for name, value in schema.items() if name != key}
            schema = merge(rest, choose(_possible(schema[key], rest)))
        else:
            break
    plain: dict[str, Any] = schema
    return plain


def _branches(schema: dict[str, Any], key: str) -> bool:
    return isinstance(schema.get(key), list) and bool(schema[key])


def _possible(branches: list[Any], rest: dict[str, Any]) -> list[Any]:
    """The branches whose type does not contradict what stands beside them."""
    wanted = types_of(rest)
    return [b for b in branches if not wanted or _shared_types(wanted, types_of(b)) != []] or branches


def types_of(schema: Any) -> list[str]:
    kind = schema.get("type") if isinstance(schema, dict) else None
    return list(kind) if isinstance(kind, list) else [kind] if isinstance(kind, str) else []


def _shared_types(one: list[str], other: list[str]) -> list[str]:
    if not one or not other:
        return one or other
    shared = [kind for kind in one if kind in other]
    # An integer is a number: the two together leave integers.
    if (
        {"integer"} <= set(one) ^ set(other)
        and "number" in {*one, *other}
        and _NUMERIC & set(one)
        and _NUMERIC & set(other)
    ):
        shared.append("integer")
    return shared


def merge(one: Any, other: Any) -> dict[str, Any]:
    """A schema for what both schemas allow, as far as a plain merge can say it."""
    if not isinstance(one, dict) or not isinstance(other, dict):
        plain = one if isinstance(one, dict) else other
        return plain if isinstance(plain, dict) else {}
    merged = dict(one)
    for key, value in other.items():
        merged[key] = _merge_member(key, merged[key], value, merged) if key in merged else value
    return merged


def _merge_member(key: str, one: Any, other: Any, merged: dict[str, Any]) -> Any:
    match key:
        case "properties" | "patternProperties" | "$defs" | "definitions":
            both = {name: {"allOf": [one[name], other[name]]} for name in one if name in other}
            return {**one, **other, **both}
        case "required":
            return [*one, *(name for name in other if name not in one)]
        case "type":
            return _shared_types(types_of({"type": one}), types_of({"type": other})) or other
        case "enum":
            return [value for value in one if value in other] or other
        case "minimum" | "minLength" | "minItems" | "minProperties" | "exclusiveMinimum":
            return max(one, other)
        case "maximum" | "maxLength" | "maxItems" | "maxProperties" | "exclusiveMaximum":
            return min(one, other)
        case "allOf":
            return [*one, *other]
        case "anyOf" | "oneOf":
            merged["allOf"] = [*merged.get("allOf", ()), {key: other}]
            return one
        case "items" | "additionalProperties" if isinstance(one, dict) and isinstance(other, dict):
            return {"allOf": [one, other]}
        case "additionalProperties":
            return False if one is False or other is False else one if isinstance(one, dict) else other
        case _:
            return other


def measure(root: Any) -> dict[str, int]:
    """How many levels the smallest value has for each reference in a schema; `ENDLESS` and more when it can't
    end.

    All at once, from below: asked one by one, references that fan out would be followed along every path.
    """
    refs = list(dict.fromkeys(_find_refs(root)))
    levels = dict.fromkeys(refs, ENDLESS)
    changed = True
    while changed:
        changed = False
        for ref in reversed(refs):
            found = height(point(root, ref), levels)
            if found < levels[ref]:
                levels[ref], changed = found, True
    return levels


def _find_refs(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(ref := value.get("$ref"), str):
            yield ref
        for member in value.values():
            yield from _find_refs(member)
    elif isinstance(value, list):
        for member in value:
            yield from _find_refs(member)


def height(schema: Any, levels: dict[str, int]) -> int:
    """How many levels the smallest value for a schema has, with what `measure` says of its references."""
    if not isinstance(schema, dict) or "const" in schema or "enum" in schema:
        return 0
    found = 0
    if (ref := schema.get("$ref")) is not None:
        found = levels.get(str(ref), 0)
    for key in ("anyOf", "oneOf"):
        if _branches(schema, key):
            found = max(found, min(height(branch, levels) for branch in schema[key]))
    if _branches(schema, "allOf"):
        found = max(found, *(height(part, levels) for part in schema["allOf"]))
    if "null" in types_of(schema):
        return found
    properties = schema.get("properties")
    if isinstance(properties, dict):
        for name in schema.get("required") or ():
            found = max(found, 1 + height(properties.get(name), levels))
    if schema.get("minItems"):
        items = [schema.get("items"), *(schema.get("prefixItems") or ())]
        found = max(found, 1 + max(height(item, levels) for item in items))
    return found
