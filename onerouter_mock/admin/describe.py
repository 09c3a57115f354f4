"""A scenario in force as data again, and the command that explains it without a server.

What may live here: reading a Scenario's own words back; no emulator.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from onerouter_mock.admin.stand_ins import hide_credentials, make_stand_ins
from onerouter_mock.core.errors import ScenarioError
from onerouter_mock.core.scenario.tree import Node, to_data

if TYPE_CHECKING:
    from onerouter_mock.core.scenario.records import Limit, Rule, Scenario
    from onerouter_mock.library import Library

_OWN = ("version", "extends", "rules", "limits")
_NOT_EXPLAINED = ("name", "description", "clock", "waits", "speed")  # a dry run has its own name and time
_LONGEST_COMMAND = 1_000


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


def explain_command(scenario: Scenario, library: Library | None) -> tuple[str, str] | None:
    """The command that shows what this scenario does, and its flags; None when it is too long to show.

    Shape: a request's file and more flags go between and behind them; a scenario found by name stands by its
    name; what was added to it, in a file that the command writes first. Stand-ins take the place of credentials,
    also of those in a scenario's file, for which `--key` has no other way.
    """
    stand_ins = make_stand_ins(scenario)
    said, flags = describe_scenario(scenario), ""
    own = hide_credentials(said, stand_ins)
    called, base = _find_base(scenario, library)
    if base is None:
        extra = {name: value for name, value in own.items() if name not in _NOT_EXPLAINED and value}
    else:
        flags = f" --seed {scenario.seed}" if scenario.seed != base.seed else ""
        if library is not None and library.directory is not None and called == scenario.name:
            flags += f" --scenario-dir {shlex.quote(str(library.directory))}"
        extra = _difference({**own, "seed": base.seed}, hide_credentials(describe_scenario(base), stand_ins))
        if own.get("keys") != said.get("keys"):
            extra["keys"] = own["keys"]
        if not extra:
            return f"onerouter-mock explain {shlex.quote(called)}", flags
        extra = {"extends": called, **extra}
    text = json.dumps(extra, ensure_ascii=False, default=str)
    if len(text) > _LONGEST_COMMAND:
        return None
    return f"echo {shlex.quote(text)} > again.yaml; onerouter-mock explain again.yaml", flags


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
