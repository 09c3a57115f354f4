"""Credentials that a scenario spells out (`match: sk-...`), made up anew for whoever is shown the scenario.

What may live here: texts in the place of other texts, in a scenario's data and for keys; no emulator.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from onerouter_mock.core.wire.secrets import make_sample, matches

if TYPE_CHECKING:
    from onerouter_mock.core.records import Byok
    from onerouter_mock.core.scenario.records import KeyName, Scenario

_LONGEST_PART = 16  # what a glob may spell of a key: `sk-ant-api03-*` tells none from others
_MADE_UP = "sk-made-up-"
_WILD = re.compile(r"\[[^\]]*\]|[*?]")


def make_stand_ins(scenario: Scenario) -> dict[str, str]:
    """For each glob of the scenario that is a credential, or nearly one, a glob that is nobody's.

    Shape: the same text has the same stand-in wherever it stands, so that what matched it still does.
    """
    stand_ins: dict[str, str] = {}
    for glob in _credential_globs(scenario):
        spelled = _WILD.sub("", glob)
        if glob not in stand_ins and (spelled == glob or len(spelled) >= _LONGEST_PART):
            stand_ins[glob] = f"{_MADE_UP}{len(stand_ins) + 1}" + ("" if spelled == glob else "*")
    return stand_ins


def _credential_globs(scenario: Scenario) -> Iterator[str]:
    for key in scenario.keys:
        yield from key.match
    for account in scenario.accounts:
        yield from account.match
    yield from scenario.key_globs


def hide_credentials(said: Mapping[str, Any], stand_ins: Mapping[str, str]) -> dict[str, Any]:
    """A scenario as data (`describe_scenario`) with the stand-ins where credentials are matched."""
    hidden = dict(said)
    for name in ("keys", "accounts"):
        if isinstance(said.get(name), dict):
            hidden[name] = {one: _hide_in(fields, "match", stand_ins) for one, fields in said[name].items()}
    # A word of `when.key` without a wildcard is a name, whatever else has the same text.
    globs = {glob: made_up for glob, made_up in stand_ins.items() if made_up.endswith("*")}
    for name in ("rules", "limits"):
        hidden[name] = [
            {**entry, "when": _hide_in(entry["when"], "key", globs)} if "when" in entry else entry
            for entry in said.get(name) or ()
        ]
    return hidden


def _hide_in(fields: Any, member: str, stand_ins: Mapping[str, str]) -> Any:
    if not isinstance(fields, dict) or member not in fields:
        return fields
    value = fields[member]
    if isinstance(value, list):
        return {**fields, member: [stand_ins.get(glob, glob) for glob in value]}
    return {**fields, member: stand_ins.get(value, value)}


def sample_keys(scenario: Scenario) -> dict[str, str]:
    """For each named key of a scenario a credential that goes by this name where the scenario has its
    stand-ins: made up, nobody's secret. Without those for which there is none.
    """
    stand_ins = make_stand_ins(scenario)
    globs = {key.name: [stand_ins.get(glob, glob) for glob in key.match] for key in scenario.keys}
    samples: dict[str, str] = {}
    for at, key in enumerate(scenario.keys):
        before = [globs[other.name] for other in scenario.keys[:at] if _goes_before(other, key)]
        for glob in globs[key.name]:
            sample = make_nobodys(glob)
            if sample and not any(matches(sample, others) for others in before):
                samples[key.name] = sample
                break
    return samples


def _goes_before(other: KeyName, key: KeyName) -> bool:
    return other.provider in (None, key.provider)


def make_nobodys(glob: str) -> str:
    """A key that a glob or its stand-in matches and that is nobody's, "" where none is easily told."""
    return make_sample(glob, "" if _MADE_UP in glob else "made-up")


def sample_key(scenario: Scenario, byok: Byok | None) -> str | None:
    """A made-up credential that a scenario takes as it took a call's; None when any will do."""
    if byok is None:
        return None
    if byok.test_kind:
        return f"mock-{byok.test_kind}-again"
    if sample := sample_keys(scenario).get(byok.key or ""):
        return sample
    stand_ins = make_stand_ins(scenario)
    return next((text for glob in byok.globs if (text := make_nobodys(stand_ins.get(glob, glob)))), None)
