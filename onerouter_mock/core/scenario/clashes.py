"""What can't stand together in a rule or limit, though each field by itself is right.

On the tree, by what is there: so it is told together with every other slip. An entry with a field that nobody
knows is not told what it lacks: the misspelt field may be just that.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Iterator

from onerouter_mock.core.errors import Problem
from onerouter_mock.core.scenario import fields
from onerouter_mock.core.scenario.aspects import Aspects, Error, Step
from onerouter_mock.core.scenario.names import entries, words
from onerouter_mock.core.scenario.problems import complain
from onerouter_mock.core.scenario.tree import Node
from onerouter_mock.core.scenario.units import UnitError, parse_quota, parse_window, quote
from onerouter_mock.core.scenario.words import Fields

MAX_SLIDING = 10_000
_ASPECTS = [field.alias or name for name, field in Aspects.model_fields.items()]
_BUDGETS = ("requests", "tokens", "quota", "concurrency")
_ANSWERS = ("text", "json", "chunks")
Path = list[str | int]


def check_clashes(root: Node) -> list[Problem]:
    """Every pair of fields that exclude each other, and every rule or limit that does nothing."""
    rules = [
        problem for rule in entries(root, "rules") for problem in _check_rule(rule, ["rules", rule.index])
    ]
    limits = [
        problem for each in entries(root, "limits") for problem in _check_limit(each, ["limits", each.index])
    ]
    return rules + limits


def _given(node: Node, names: tuple[str, ...] | list[str]) -> list[str]:
    """Which of these fields are there, in written order; one that was complained of is."""
    if not isinstance(node.value, dict):
        return []
    return [
        key for key, item in node.value.items() if key in names and (item.value is not None or item.flawed)
    ]


def _knows_all(node: Node, model: type[Fields]) -> bool:
    known = {field.alias or name for name, field in model.model_fields.items()}
    return all(key in known for key in node.value)


def _check_rule(rule: Node, path: Path) -> Iterator[Problem]:
    aspects, has_steps = _given(rule, _ASPECTS), bool(_given(rule, ["steps"]))
    if has_steps and aspects:
        what, right = f"steps and {aspects[0]} exclude each other", "would be right: the aspect inside a step"
        yield complain(rule.value[aspects[0]], [*path, aspects[0]], what, right, at_key=True)
    elif not has_steps and not aspects and _knows_all(rule, fields.Rule):
        right = "would be right: one of delay, stream, reply, break, error, connection or steps"
        yield complain(rule, path, "the rule does nothing", right)
    if _given(rule, ["then"]) and not has_steps:
        what, right = "then without steps", "would be right: steps before it"
        yield complain(rule.value["then"], [*path, "then"], what, right, at_key=True)
    yield from _check_when(rule, path)
    in_router = _is_router(rule)
    yield from _check_aspects(rule, path, in_router)
    steps = rule.value.get("steps")
    for step in steps.value if has_steps and isinstance(steps.value, list) else ():
        if isinstance(step.value, dict):
            yield from _check_step(step, [*path, "steps", step.index], in_router)


def _check_step(step: Node, path: Path, in_router: bool) -> Iterator[Problem]:
    aspects = _given(step, _ASPECTS)
    if _given(step, ["ok"]) and aspects:
        what, right = f"ok and {aspects[0]} exclude each other", "would be right: one of them"
        yield complain(step.value["ok"], [*path, "ok"], what, right, at_key=True)
    elif not aspects and not _given(step, ["ok"]) and _knows_all(step, Step):
        yield complain(step, path, "the step does nothing", "would be right: ok: true")
    yield from _check_aspects(step, path, in_router)


def _check_aspects(node: Node, path: Path, in_router: bool) -> Iterator[Problem]:
    failures = _given(node, ["error", "connection"])
    if len(failures) == 2:
        what = "error and connection exclude each other"
        yield complain(
            node.value[failures[1]], [*path, failures[1]], what, "would be right: one of them", at_key=True
        )
    error = node.value.get("error")
    if error is not None:
        yield from _check_error(error, [*path, "error"], in_router)
    reply = node.value.get("reply")
    answers = _given(reply, _ANSWERS) if reply is not None else []
    if len(answers) > 1:
        what = f"{answers[0]} and {answers[1]} exclude each other"
        place = [*path, "reply", answers[1]]
        yield complain(reply.value[answers[1]], place, what, "would be right: one of them", at_key=True)


def _check_error(error: Node, path: Path, in_router: bool) -> Iterator[Problem]:
    kind = error
    if isinstance(error.value, dict):
        if not _given(error, ["kind", "status"]) and _knows_all(error, Error):
            yield complain(
                error, path, "neither kind nor status", "would be right: kind: rate_limit, or status: 429"
            )
        kind, path = error.value.get("kind", error), [*path, "kind"]
    if kind.value == "no_provider" and not in_router:
        what, right = (
            "'no_provider' is the router's own",
            "would be right: when: {lane: router}, or another kind",
        )
        yield complain(kind, path, what, right)


def _lanes(entry: Node) -> list[str]:
    when = entry.value.get("when")
    lane = when.value.get("lane") if when is not None and isinstance(when.value, dict) else None
    return [word.value for word in words(lane)]


def _is_router(entry: Node) -> bool:
    return _lanes(entry) == ["router"]


def _check_when(entry: Node, path: Path) -> Iterator[Problem]:
    if "router" in _lanes(entry):
        when = entry.value["when"]
        for field in _given(when, ["provider", "attempt"]):
            what = f"{field} means nothing to lane: router, which is the call as a whole"
            right = "would be right: lane: byok or shared, or no " + field
            yield complain(when.value[field], [*path, "when", field], what, right, at_key=True)


def _check_limit(limit: Node, path: Path) -> Iterator[Problem]:
    yield from _check_when(limit, path)
    budgets = _given(limit, _BUDGETS)
    if not budgets and _knows_all(limit, fields.Limit):
        right = "would be right: one of requests, tokens, quota, concurrency"
        yield complain(limit, path, "the limit has no budget", right)
    if budgets and _given(limit, ["used"]):
        yield from _check_used(limit, path, budgets)
    algorithm = limit.value.get("algorithm")
    if algorithm is not None and algorithm.value == "sliding":
        for field in ("requests", "tokens"):
            for word in words(limit.value.get(field)):
                if (_amount(word) or 0) > MAX_SLIDING:
                    what = f"{quote(word.value)} is too much for algorithm: sliding"
                    right = "would be right: at most 10k in a window, or algorithm: bucket"
                    yield complain(word, [*path, field], what, right)
    error = limit.value.get("error")
    if (
        error is not None
        and isinstance(error.value, str)
        and error.value == "no_provider"
        and not _is_router(limit)
    ):
        yield from _check_error(error, [*path, "error"], False)


def _check_used(limit: Node, path: Path, budgets: list[str]) -> Iterator[Problem]:
    used, path = limit.value["used"], [*path, "used"]
    totals = [total for word in words(limit.value.get("quota")) if (total := _total(word)) is not None]
    amounts = [amount for word in words(limit.value.get("requests")) if (amount := _amount(word)) is not None]
    if "tokens" in budgets:
        what = "used counts requests, and the limit has tokens"
        yield complain(used, path, what, "would be right: used in a limit of requests only", at_key=True)
    elif "requests" not in budgets and not totals:
        what = "used counts requests, and the limit has none"
        yield complain(used, path, what, "would be right: requests, or quota: 5 requests", at_key=True)
    elif isinstance(used.value, int) and (amounts or totals) and used.value > min(amounts + totals):
        what = f"{used.value} is more than the limit itself"
        yield complain(used, path, what, f"would be right: at most {min(amounts + totals)}")


def _amount(word: Node) -> int | None:
    try:
        return parse_window(word.value)[0]
    except UnitError:
        return None


def _total(word: Node) -> int | None:
    """A quota's requests; for text that is none, or none in requests, nothing."""
    try:
        amount, unit, *_ = parse_quota(word.value)
    except UnitError:
        return None
    return amount if unit == "requests" else None
