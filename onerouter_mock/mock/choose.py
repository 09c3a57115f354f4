"""Which scenario a test means: a bundled name, a path, a dict or YAML text, with fields laid over it.

What may live here: telling these apart, where paths are looked up, what holds when nobody says otherwise.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from onerouter_mock.core.errors import Problem, ScenarioError
from onerouter_mock.core.scenario.load import build_scenario, load_scenario, override, says
from onerouter_mock.core.scenario.records import Scenario
from onerouter_mock.core.scenario.tree import to_data
from onerouter_mock.library import Library
from onerouter_mock.mock.spelling import spell, spell_members

Source = str | Path | dict[str, Any]
_SUFFIXES = (".yaml", ".yml", ".json")


@dataclass(slots=True)
class Wanted:
    """What a test asks for: a scenario, fields laid over it, folders for its paths, the line that asks."""

    source: Source
    overrides: dict[str, Any]
    folders: tuple[Path, ...]
    where: str


@dataclass(slots=True)
class Chooser:
    """Chooses for one run. `said` wins over what scenarios say (options); `unsaid` holds where they say
    nothing.
    """

    library: Library
    said: dict[str, Any] = field(default_factory=dict)
    unsaid: dict[str, Any] = field(default_factory=dict)
    _made: dict[tuple[int, str, str], tuple[Scenario, Scenario]] = field(default_factory=dict)

    def choose(self, wanted: Wanted) -> Scenario:
        """The scenario with the overrides (top-level fields) laid over it. Errors: ScenarioError."""
        base = self._load(wanted)
        over = {**_left_open(base, self.unsaid), **self.said, **spell_members(wanted.overrides)}
        if not over:
            return base
        key = (id(base), json.dumps(over, sort_keys=True, default=repr), wanted.where)
        made = self._made.get(key)
        if made is None or made[0] is not base:
            made = self._made[key] = base, _lay_over(base, over, wanted.where)
        return made[1]

    def spell(self, wanted: Wanted) -> str:
        """The same as text for a server that runs elsewhere; names stay names, but for those of our own folder.

        Errors: ScenarioError.
        """
        source, over = wanted.source, {**self.said, **spell_members(wanted.overrides)}
        is_name = isinstance(source, str) and not is_text(source) and not is_path(source)
        try:
            base = self._load(wanted)
        except ScenarioError:
            if not is_name:
                raise
            return json.dumps({"extends": source, **self.unsaid, **over})
        over = {**_left_open(base, self.unsaid), **over}
        if is_name and not self._is_ours(base):
            return json.dumps({"name": base.name, "extends": source, **over})
        whole = _lay_over(base, over, wanted.where) if over else base
        return json.dumps({"name": base.name, **to_data(whole.source), "extends": None})

    def _is_ours(self, scenario: Scenario) -> bool:
        folder = self.library.directory
        return folder is not None and Path(scenario.file).resolve().is_relative_to(folder.resolve())

    def _load(self, wanted: Wanted) -> Scenario:
        source, where = wanted.source, wanted.where
        if not isinstance(source, str | Path | dict):
            right = "a name, a path, a dict or YAML text"
            raise ScenarioError(
                [Problem(where, 0, 0, "scenario", f"{source!r} is none", f"would be right: {right}")]
            )

        def find(name: str, beside: str) -> tuple[str, str]:
            # A dict or text stands in no folder: what it extends is looked up where the test's paths are.
            is_first = beside == where and is_path(name)
            return self.library.find(str(find_file(Path(name), wanted.folders)) if is_first else name, beside)

        if isinstance(source, dict):
            return build_scenario(spell(source), where=where, find=find)
        if isinstance(source, str) and is_text(source):
            return load_scenario(source, file=where, find=find, name="unnamed")
        if isinstance(source, Path) or is_path(source):
            return self.library.load(str(find_file(Path(source), wanted.folders)))
        return self.library.load(source)


def _lay_over(base: Scenario, over: dict[str, Any], where: str) -> Scenario:
    """The scenario with fields laid over it: problems, rules and limits of these get the line that said them."""
    try:
        scenario = override(base, **over)
    except ScenarioError as error:
        raise ScenarioError(
            [replace(one, file=where) if one.file == "override" else one for one in error.problems]
        ) from None
    rules = tuple(replace(rule, where=where) if rule.where == "override" else rule for rule in scenario.rules)
    limits = tuple(replace(one, where=where) if one.where == "override" else one for one in scenario.limits)
    return replace(scenario, rules=rules, limits=limits, memo={})


def _left_open(base: Scenario, unsaid: dict[str, Any]) -> dict[str, Any]:
    """What a scenario (with all that it extends) does not say itself."""
    return {name: value for name, value in unsaid.items() if not says(base, name)}


def is_text(source: str) -> bool:
    """True for YAML or JSON text, which a name or path never looks like."""
    return not source.strip() or "\n" in source or ": " in source or source.lstrip().startswith("{")


def is_path(source: str) -> bool:
    """True for a path: with a slash, or a suffix of scenario files."""
    return "/" in source or "\\" in source or source.endswith(_SUFFIXES)


def find_file(path: Path, folders: Sequence[Path]) -> Path:
    """The file in the first of the folders that has it. Errors: ScenarioError, which names the folders."""
    for folder in folders:
        if (folder / path).is_file():
            return folder / path
    raise _not_found(str(path), f"looked in {', '.join(dict.fromkeys(map(str, folders)))}")


def _not_found(name: str, right: str) -> ScenarioError:
    return ScenarioError([Problem("", 0, 0, "scenario", f"'{name[:200]}' is not found", right)])
