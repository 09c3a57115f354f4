"""A session: an isolated world with its own scenario, state, journal, dice, clock and credits; its name.

What may live here: one session, what tools do to it, its name; the path of a call is in `emulator.py`.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote

from onerouter_mock.clock import Clock
from onerouter_mock.core.errors import MockError
from onerouter_mock.core.scenario import load
from onerouter_mock.core.scenario.records import Limit, Rule
from onerouter_mock.core.state import new_state
from onerouter_mock.journal import Journal, Totals, seconds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from onerouter_mock.core.scenario.records import Scenario
    from onerouter_mock.core.state import State

DEFAULT = "default"
_NAME = re.compile(r"[A-Za-z0-9._@-]{1,128}")
_SCENARIO = re.compile(r"[a-z0-9-]{1,64}")  # a name, never a path: it comes from HTTP
_UNNAMED = re.compile(r"(rules|limits)\[\d+\]")
_Thing = TypeVar("_Thing", Rule, Limit)
_MOST_REFUSED = 4_096


class SessionError(MockError):
    """A session that can't be: its name, or the scenario that the name asks for; `status` is for HTTP."""

    def __init__(self, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


def split_address(path: str, headers: Mapping[str, str]) -> tuple[str, str]:
    """The session that an address names, and the path inside it.

    Shape: `path` percent-decoded, without its query; `headers` with lower-case names. Errors: SessionError.
    """
    if path.startswith("/s/"):
        name, slash, rest = path[3:].partition("/")
        return _check(name), slash + rest or "/"
    named = headers.get("x-onerouter-session")
    return (_check(unquote(named.strip())) if named and named.strip() else DEFAULT), path


def _check(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise SessionError(
            f'session: "{name[:200]}" is no name; would be right: 1 to 128 characters of A-Z a-z 0-9 . _ @ -'
        )
    return name


def scenario_in(name: str) -> str | None:
    """The scenario that a session's name asks for (`NAME@SCENARIO`), or None. Errors: SessionError."""
    _, at, scenario = name.rpartition("@")
    if not at:
        return None
    if not _SCENARIO.fullmatch(scenario):
        raise SessionError(
            f'session: "{name}": "{scenario}" is no scenario; would be right: NAME@SCENARIO', status=404
        )
    return scenario


@dataclass(slots=True)
class Session:
    """One world. `base` is the scenario it began with, to which a reset returns.

    `added`: rules and limits put at run time, by ident their names. `idents`: how often each was put, so that
    one put again counts from the start. `refused`: of refused calls that were not retried, by request, the
    instants until which they should wait.
    """

    name: str
    base: Scenario
    scenario: Scenario
    clock: Clock
    began_us: int
    state: State
    journal: Journal
    totals: Totals = field(default_factory=Totals)
    calls: int = 0
    in_flight: int = 0
    added: dict[str, str] = field(default_factory=dict)
    idents: dict[str, int] = field(default_factory=dict)
    refused: dict[bytes, list[int]] = field(default_factory=dict)

    @property
    def now_s(self) -> float:
        """Seconds since the session began, on its clock."""
        return seconds(self.clock.now_us() - self.began_us)

    def begin_world(self, scenario: Scenario) -> None:
        """Puts a scenario in force: state and added rules start afresh, journal and time go on."""
        clock, now_us = self.clock, self.clock.now_us()
        if clock.mode != scenario.clock:
            self.clock = Clock(scenario.clock, scenario.speed)
            self.began_us += self.clock.now_us() - now_us  # the session is as old as it was
        elif clock.speed != scenario.speed:
            self.clock = Clock(scenario.clock, scenario.speed, now_us)
        self.scenario = scenario
        self.state = new_state(scenario, self.name, self.clock.now_us(), self.began_us)
        self.added, self.idents, self.refused = {}, {}, {}

    def reset(self) -> None:
        """Makes all as it was at the start: scenario, state, dice, clock; journal and totals empty."""
        self.clock = Clock(self.base.clock, self.base.speed)
        self.began_us = self.clock.now_us()
        self.begin_world(self.base)
        self.journal.clear()
        self.totals = Totals()
        self.calls = 0

    def add_rules(self, data: dict[str, Any], where: str) -> list[str]:
        """Puts rules and limits before the scenario's own; answers their names. Errors: ScenarioError."""
        rules, limits = load.build_rules(data, self.scenario, where=where)
        rules, limits = self._adopt(rules), self._adopt(limits)
        self.scenario = load.add_rules(self.scenario, rules, limits)
        return [rule.name for rule in rules] + [limit.name for limit in limits]

    def _adopt(self, things: tuple[_Thing, ...]) -> tuple[_Thing, ...]:
        """The same, each with a name that `remove_rules` can tell, and with counters and dice of its own."""
        owns: tuple[Rule | Limit, ...] = (*self.scenario.rules, *self.scenario.limits)
        taken = {own.ident for own in owns}
        adopted = []
        for thing in things:
            number = self.idents.get(thing.ident, 0) + 1
            while (ident := thing.ident if number == 1 else f"{thing.ident}#{number}") in taken:
                number += 1
            self.idents[thing.ident] = number
            name = f"added-{sum(self.idents.values())}" if _UNNAMED.fullmatch(thing.name) else thing.name
            self.added[ident] = name
            adopted.append(replace(thing, name=name, ident=ident))
        return tuple(adopted)

    def remove_rules(self, name: str | None) -> list[str]:
        """Takes away what was added under this name, or all that was added; answers the names."""
        gone = {ident: added for ident, added in self.added.items() if name in (None, added)}
        self.scenario = replace(
            self.scenario,
            rules=tuple(rule for rule in self.scenario.rules if rule.ident not in gone),
            limits=tuple(limit for limit in self.scenario.limits if limit.ident not in gone),
            memo={},
        )
        for ident in gone:
            del self.added[ident]
        return list(gone.values())

    def note_refused(self, request: bytes, until_us: int) -> None:
        """Remembers that a call was refused, for the clock to jump when it is retried."""
        self.refused.setdefault(request, []).append(until_us)
        if len(self.refused) > _MOST_REFUSED:
            del self.refused[next(iter(self.refused))]

    def jump(self, request: bytes) -> None:
        """Moves the clock to the instant until which the call that is now retried should have waited."""
        instants = self.refused.get(request)
        if not instants:
            return
        until_us = instants.pop(0)
        if not instants:
            del self.refused[request]
        self.clock.advance(max(0, until_us - self.clock.now_us()))


def begin_session(name: str, scenario: Scenario, journal: Journal) -> Session:
    """A session that begins now."""
    clock = Clock(scenario.clock, scenario.speed)
    began_us = clock.now_us()
    return Session(name, scenario, scenario, clock, began_us, new_state(scenario, name, began_us), journal)
