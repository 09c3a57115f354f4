"""A scenario in force as data again, and how a command names it that explains it without a server.

What may live here: reading a Scenario's own words back; no emulator.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from onerouter_mock.admin.stand_ins import hide_credentials, make_stand_ins
from onerouter_mock.core.errors import ScenarioError
from onerouter_mock.core.scenario.load import load_scenario
from onerouter_mock.core.scenario.tree import Node, to_data

if TYPE_CHECKING:
    from onerouter_mock.core.scenario.records import Limit, Rule, Scenario
    from onerouter_mock.library import Library

_OWN = ("version", "extends", "rules", "limits")
_NOT_EXPLAINED = ("name", "description", "clock", "waits", "speed")  # a dry run has its own name and time
_DEFAULTS = {"wire": "documented"}
_LONGEST_TEXT = 1_000
AGAIN_FILE = "again.yaml"


def describe_scenario(scenario: Scenario) -> dict[str, Any]:
    """The scenario in force, with its parents and all rules added to it, as data that make the same scenario
    again.
    """
    said = to_data(scenario.source) if isinstance(scenario.source, Node) else {}
    fields = {name: value for name, value in (said or {}).items() if name not in _OWN}
    settings = {
        "name": scenario.name,
        "description": scenario.description,
        "seed": scenario.seed,
        "clock": scenario.clock,
        "speed": scenario.speed,
        "waits": scenario.waits,
        "wire": scenario.wire,
    }
    entries = {"limits": spell_entries(scenario.limits), "rules": spell_entries(scenario.rules)}
    return {**settings, **{name: value for name, value in fields.items() if name not in settings}, **entries}


def spell_entries(entries: Sequence[Rule | Limit]) -> list[dict[str, Any]]:
    """Rules or limits as they were written."""
    return [to_data(entry.said) if entry.said is not None else {"name": entry.name} for entry in entries]


@dataclass(frozen=True, slots=True)
class Explained:
    """What a command has to say for `explain` to run a scenario: a name or path, or else (`added`) the text of a
    file that it writes first; flags; the seed that they make."""

    called: str
    added: str
    flags: str
    seed: int

    def load(self, library: Library) -> Scenario:
        """The scenario as the command will have it. Errors: ScenarioError."""
        if not self.added:
            return library.load(self.called)
        return load_scenario(self.added, file=AGAIN_FILE, find=library.find)


def explain_scenario(scenario: Scenario, library: Library | None) -> Explained | None:
    """How a command names a scenario as it is in force; None when that is too long for a line.

    Shape: a scenario found by name stands by its name; what was added to it, in a file. Stand-ins take the place
    of credentials, also of those in a scenario's file, for which keys on the command line have no other way.
    """
    stand_ins = make_stand_ins(scenario)
    said, flags = describe_scenario(scenario), ""
    own = hide_credentials(said, stand_ins)
    called, base = _find_base(scenario, library)
    if base is None:
        own = {name: value for name, value in own.items() if _DEFAULTS.get(name) != value}
        extra = {name: value for name, value in own.items() if name not in _NOT_EXPLAINED and value}
    else:
        flags = f" --seed {scenario.seed}" if scenario.seed != base.seed else ""
        if library is not None and library.directory is not None and called == scenario.name:
            flags += f" --scenario-dir {shlex.quote(str(library.directory))}"
        extra = _difference({**own, "seed": base.seed}, hide_credentials(describe_scenario(base), stand_ins))
        if own.get("keys") != said.get("keys"):
            extra["keys"] = own["keys"]
        if not extra:
            return Explained(called, "", flags, scenario.seed)
        extra = {"extends": called, **extra}
    text = json.dumps(extra, ensure_ascii=False, default=str)
    return Explained(called, text, flags, scenario.seed) if len(text) <= _LONGEST_TEXT else None


def _find_base(scenario: Scenario, library: Library | None) -> tuple[str, Scenario | None]:
    """The scenario file in force, by its name or else its path; None for one made of a dict or text."""
    for called in (scenario.name, scenario.file):
        try:
            base = library.load(called) if library is not None else None
        except ScenarioError:
            continue
        if base is not None and base.file == scenario.file:
            return called, base
    return "", None


def _difference(own: dict[str, Any], base: dict[str, Any]) -> dict[str, Any]:
    """What `own` says and `base` does not; of lists the entries that were added."""
    extra: dict[str, Any] = {}
    for name, value in own.items():
        if name in _NOT_EXPLAINED or value == base.get(name):
            continue
        extra[name] = (
            [item for item in value if item not in base.get(name, [])] if isinstance(value, list) else value
        )
    return {name: value for name, value in extra.items() if value != []}
