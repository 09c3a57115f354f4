"""Which scenario a test means: a bundled name, a path, a dict or YAML text, with fields laid over it.

What may live here: telling these apart, where paths are looked up, what holds when nobody says otherwise.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from onerouter_mock.core.errors import Problem, ScenarioError
from onerouter_mock.core.scenario.load import build_scenario, load_scenario, override
from onerouter_mock.core.scenario.records import Scenario
from onerouter_mock.core.scenario.tree import to_data
from onerouter_mock.library import Library
from onerouter_mock.mock.spelling import spell, spell_members

Source = str | Path | dict[str, Any]
_NOWHERE = "scenario"  # what problems of a dict or text show as their file
_SUFFIXES = (".yaml", ".yml", ".json")


@dataclass(slots=True)
class Chooser:
    """Chooses for one run. `said` wins over what scenarios say (options); `unsaid` holds where they say
    nothing.
    """

    library: Library
    said: dict[str, Any] = field(default_factory=dict)
    unsaid: dict[str, Any] = field(default_factory=dict)
    _made: dict[tuple[int, str], tuple[Scenario, Scenario]] = field(default_factory=dict)

    def choose(self, source: Source, overrides: dict[str, Any], folders: Sequence[Path]) -> Scenario:
        """The scenario with `overrides` (top-level fields) laid over it. Errors: ScenarioError."""
        base = self._load(source, folders)
        over = {**_left_open(base, self.unsaid), **self.said, **spell_members(overrides)}
        if not over:
            return base
        key = (id(base), json.dumps(over, sort_keys=True, default=repr))
        made = self._made.get(key)
        if made is None or made[0] is not base:
            made = self._made[key] = base, override(base, **over)
        return made[1]

    def spell(self, source: Source, overrides: dict[str, Any], folders: Sequence[Path]) -> str:
        """The same as text for a server that runs elsewhere; names that only it knows stay names.

        Errors: ScenarioError.
        """
        over = {**self.said, **spell_members(overrides)}
        try:
            base = self._load(source, folders)
        except ScenarioError:
            if not isinstance(source, str) or is_text(source) or is_path(source):
                raise
            return json.dumps({"extends": source, **self.unsaid, **over})
        if isinstance(source, str) and not is_text(source) and not is_path(source):
            return json.dumps({"name": base.name, "extends": source, **_left_open(base, self.unsaid), **over})
        whole = override(base, **{**_left_open(base, self.unsaid), **over})
        return json.dumps({"name": base.name, **to_data(whole.source), "extends": None})

    def _load(self, source: Source, folders: Sequence[Path]) -> Scenario:
        def find(wanted: str, beside: str) -> tuple[str, str]:
            # A dict or text stands in no folder: what it extends is looked up where the test's paths are.
            is_first = beside == _NOWHERE and is_path(wanted)
            return self.library.find(str(find_file(Path(wanted), folders)) if is_first else wanted, beside)

        if isinstance(source, dict):
            return build_scenario(spell(source), where=_NOWHERE, find=find)
        if isinstance(source, str) and is_text(source):
            return load_scenario(source, file=_NOWHERE, find=find, name="unnamed")
        if isinstance(source, Path) or is_path(source):
            return self.library.load(str(find_file(Path(source), folders)))
        return self.library.load(source)


def _left_open(base: Scenario, unsaid: dict[str, Any]) -> dict[str, Any]:
    """What a scenario (with all that it extends) does not say itself."""
    fields = base.source.value if isinstance(base.source.value, dict) else {}
    return {name: value for name, value in unsaid.items() if name not in fields or fields[name].value is None}


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
