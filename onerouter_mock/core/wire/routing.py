"""The request's `provider` object, `fallback_models` and `fallback_rules`: how a call wants to be routed.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from onerouter_mock.core.records import Routing
from onerouter_mock.core.wire.complaints import complain, describe

_SORTS = ("price", "throughput", "latency", "ttft")


_RULES = ("error_code", "Latency", "TTFT", "TPM", "RPM")


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_threshold(value: Any) -> bool:
    return _is_number(value) or (isinstance(value, dict) and all(map(_is_number, value.values())))


def _is_boolean(value: Any) -> bool:
    return isinstance(value, bool)


def _is_sort(value: Any) -> bool:
    return (value.get("by") if isinstance(value, dict) else value) in _SORTS


def _one_of(*words: str) -> Callable[[Any], bool]:
    return lambda value: value in words


_TEXTS = "a list of provider names"
_BOOLEAN = "true or false"
_THRESHOLD = "a number, or an object of numbers"

# Each member: its check, what would be right, and whether it has an effect here.
_MEMBERS: dict[str, tuple[Callable[[Any], bool], str, bool]] = {
    "order": (_is_texts, _TEXTS, True),
    "only": (_is_texts, _TEXTS, True),
    "ignore": (_is_texts, _TEXTS, True),
    "allow_fallbacks": (_is_boolean, _BOOLEAN, True),
    "sort": (_is_sort, "price, throughput, latency or ttft", True),
    "service_tier": (_one_of("standard", "flex", "priority"), "standard, flex or priority", False),
    "preferred_min_throughput": (_is_threshold, _THRESHOLD, False),
    "preferred_max_latency": (_is_threshold, _THRESHOLD, False),
    "require_parameters": (_is_boolean, _BOOLEAN, False),
    "data_collection": (_one_of("allow", "deny"), "allow or deny", False),
    "zdr": (_is_boolean, _BOOLEAN, False),
    "enforce_distillable_text": (_is_boolean, _BOOLEAN, False),
    "quantizations": (_is_texts, "a list of texts", False),
}


def read_routing(provider: dict[str, Any], notices: list[str]) -> Routing:
    """What the `provider` object asks for; a notice for each member without effect.

    Errors: RequestError 400 naming the first member of a wrong type.
    Source: documented (allow_fallbacks, sort, order, service_tier), seen in clients (only), guessed (the
    rest).
    """
    if not isinstance(provider, dict):
        raise complain("provider", describe(provider, quote=False), "an object, or null")
    asked: dict[str, Any] = {}
    for name, value in provider.items():
        if name not in _MEMBERS:
            notices.append(f"provider.{name[:60]} is not known, it was ignored")
            continue
        fits, right, has_effect = _MEMBERS[name]
        if value is None:
            continue
        if not fits(value):
            raise complain(f"provider.{name}", describe(value), right)
        if has_effect:
            asked[name] = value
        else:
            notices.append(f"provider.{name} has no effect here")
    sort = asked.get("sort")
    return Routing(
        order=tuple(asked.get("order", ())),
        only=tuple(asked["only"]) if "only" in asked else None,
        ignore=tuple(asked.get("ignore", ())),
        allow_fallbacks=asked.get("allow_fallbacks", True),
        sort=sort["by"] if isinstance(sort, dict) else sort,
    )


def read_fallback_rules(rules: Any, notices: list[str]) -> frozenset[int] | None:
    """The statuses that let the next model follow; None for "auto", which rules without `error_code` leave
    in force.

    Errors: RequestError 400 naming `fallback_rules` or the member of it that is wrong.
    Source: documented (the shapes), guessed (what is refused).
    """
    if rules in (None, "", "auto"):
        return None
    if not isinstance(rules, dict):
        raise complain(
            "fallback_rules", describe(rules), '"auto", or an object such as {"error_code": {...}}'
        )
    statuses: frozenset[int] | None = None
    for name, rule in rules.items():
        if name not in _RULES:
            notices.append(f"fallback_rules.{name[:60]} is not known, it was ignored")
            continue
        where = f"fallback_rules.{name}"
        if rule is not None and not isinstance(rule, dict):
            raise complain(where, describe(rule), "an object")
        if name == "error_code" and rule:
            statuses = _read_statuses(f"{where}.hint_array", rule)
        elif rule is not None:
            notices.append(f"{where} has no effect here")
    return statuses


def _read_statuses(where: str, rule: dict[str, Any]) -> frozenset[int]:
    hints = rule.get("hint_array")
    if not isinstance(hints, list) or not all(type(hint) is int for hint in hints):
        what = "missing" if hints is None else describe(hints)
        raise complain(where, what, "a list of statuses such as [429, 500, 503]")
    return frozenset(hints)
