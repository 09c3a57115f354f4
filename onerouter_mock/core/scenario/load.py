"""Text or data to a Scenario, or to a ScenarioError that holds every problem: the door of this folder.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from onerouter_mock.core.errors import Problem, ScenarioError
from onerouter_mock.core.scenario import fields
from onerouter_mock.core.scenario.clashes import check_clashes
from onerouter_mock.core.scenario.compile import (
    base_name,
    compile_limits,
    compile_rules,
    compile_scenario,
    find_key_globs,
    tell_apart,
)
from onerouter_mock.core.scenario.merge import Find, extend, merge, without_own
from onerouter_mock.core.scenario.names import Names, check_names, list_names, names_of
from onerouter_mock.core.scenario.problems import find_unknown_nulls, translate
from onerouter_mock.core.scenario.read import read_data, read_text
from onerouter_mock.core.scenario.records import Limit, Rule, Scenario
from onerouter_mock.core.scenario.tree import Node, name_type, to_data
from onerouter_mock.core.scenario.words import quote_value

Model = TypeVar("Model", bound=BaseModel)
UNNAMED = "unnamed"


def load_scenario(text: str, *, file: str, find: Find | None = None, name: str | None = None) -> Scenario:
    """The scenario that a text describes.

    Shape: `file` is shown in problems, its stem is the default name unless `name` is given;
    `find(wanted, beside)` gives (text, file) of a parent, or None.
    Errors: ScenarioError with all problems, in the order of the file.
    """
    root, problems = read_text(text, file)
    return _make_scenario(root, problems, file, find, name or slug_stem(file))


def build_scenario(data: dict[str, Any], *, where: str = "scenario", find: Find | None = None) -> Scenario:
    """The scenario that Python or JSON data describe; `where` stands for the file.

    Errors: ScenarioError with all problems, without lines.
    """
    root, problems = read_data(data, where)
    return _make_scenario(root, problems, where, find, UNNAMED)


def build_rules(
    data: dict[str, Any], scenario: Scenario, *, where: str = "scenario"
) -> tuple[tuple[Rule, ...], tuple[Limit, ...]]:
    """Rules and limits to be added to a scenario, whose names they may use.

    Shape: `data` is `{"rules": [...], "limits": [...]}`; `where` is put on each of them.
    Errors: ScenarioError.
    """
    root, problems = read_data(data, where)
    checked = _check(root, problems, fields.Additions, names_of(scenario))
    assert root is not None
    return compile_rules(checked.rules, root), compile_limits(checked.limits, root)


def add_rules(scenario: Scenario, rules: tuple[Rule, ...], limits: tuple[Limit, ...]) -> Scenario:
    """The scenario with these in front of its own."""
    rules = tell_apart(rules, [rule.ident for rule in scenario.rules])
    limits = tell_apart(limits, [limit.ident for limit in scenario.limits])
    globs = find_key_globs((*rules, *limits), scenario.keys)
    return replace(
        scenario,
        rules=(*rules, *scenario.rules),
        limits=(*limits, *scenario.limits),
        key_globs=tuple(dict.fromkeys((*scenario.key_globs, *globs))),
        memo={},
    )


def override(scenario: Scenario, **settings: Any) -> Scenario:
    """The scenario with some top-level settings changed, checked as in a file; None counts as not given.

    What was not said still follows what was: `waits` follows `clock`. Maps merge as with `extends`, rules and
    limits go in front.
    Errors: ScenarioError, its problems in the file "override".
    """
    given = {name: value for name, value in settings.items() if value is not None}
    added: dict[str, Any] = {name: given.pop(name) for name in ("rules", "limits") if name in given}
    root, problems = read_data(given, "override")
    if root is not None and "extends" in root.value:
        what, right = "extends can't be overridden", "would be right: another scenario"
        problems.append(Problem("override", 0, 0, "extends", what, right))
    if root is not None and isinstance(scenario.source, Node):
        root = merge(root, replace(scenario.source, value=without_own(scenario.source)))
    changed = _make_scenario(root, problems, scenario.file, None, scenario.name, chained=False)
    members = {field for name in given for field in _FOLLOWERS.get(name, (name,))} - {"version"}
    kept: dict[str, Any] = {field: getattr(changed, field) for field in members}
    result = replace(scenario, **kept, source=changed.source, memo={})
    if "keys" in given:
        globs = find_key_globs((*result.rules, *result.limits), result.keys)
        result = replace(result, key_globs=globs)
    if not added:
        return result
    more, _ = read_data(added, "override")
    result = add_rules(result, *build_rules(added, result, where="override"))
    return replace(result, source=merge(more, result.source) if more else result.source)


def says(scenario: Scenario, setting: str) -> bool:
    """Whether a scenario, or what it extends, has this top-level field itself."""
    fields = scenario.source.value if isinstance(scenario.source, Node) else None
    return isinstance(fields, dict) and setting in fields and fields[setting].value is not None


_FOLLOWERS = {"clock": ("clock", "waits"), "providers": ("catalogue",), "models": ("catalogue",)}


def slug_stem(file: str) -> str:
    """A scenario's name from its file's: `my_rules.v2.yaml` is `my-rules-v2`."""
    stem = base_name(file).rpartition(".")[0] or base_name(file)
    return re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-")[:64].strip("-") or UNNAMED


def _make_scenario(
    root: Node | None,
    problems: list[Problem],
    file: str,
    find: Find | None,
    name: str,
    *,
    chained: bool = True,
) -> Scenario:
    if root is not None and chained:
        root, more = extend(root, file, find)
        problems = problems + more
    checked = _check(root, problems, fields.Scenario, None)
    assert root is not None
    try:
        return compile_scenario(checked, root, file, name)
    except ScenarioError as error:
        raise ScenarioError([replace(problem, file=file) for problem in error.problems]) from None


def _check(root: Node | None, problems: list[Problem], model: type[Model], names: Names | None) -> Model:
    """The checked fields of a tree; `names` None: as the tree itself gives them.

    Errors: ScenarioError with these problems and all that are found.
    """
    if root is None:
        raise ScenarioError(_sort(problems))
    if root.value is None and not root.flawed:
        root.value = {}
    if not isinstance(root.value, dict):
        what, right = (
            f"{quote_value(root.value)} is {name_type(root.value)}",
            "would be right: a map, as in rules: [...]",
        )
        raise ScenarioError(problems or [Problem(root.file, root.line, root.column, "scenario", what, right)])
    checked = None
    try:
        checked = model.model_validate(to_data(root))
    except ValidationError as error:
        problems = problems + translate(error, model, root)
    problems = [*problems, *find_unknown_nulls(root, model)]
    problems = [*problems, *check_names(root, names or list_names(root)), *check_clashes(root)]
    if problems or checked is None:
        raise ScenarioError(
            _sort(problems, root.file) or [Problem(root.file, 0, 0, "scenario", "no scenario")]
        )
    return checked


def _sort(problems: list[Problem], first: str = "") -> list[Problem]:
    """In the order of the file, the child's before its parents'; each once."""
    files = [first, *dict.fromkeys(problem.file for problem in problems)]
    return sorted(dict.fromkeys(problems), key=lambda each: (files.index(each.file), each.line, each.column))
