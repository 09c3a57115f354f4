"""The only thing that changes: sessions, each a scenario with its state, journal and clock.

What may live here: the path of one call (begin, end) and what tools do to sessions. Everything happens on
the server's loop thread, so there are no locks; other threads ask the host. What is decided comes from
`core/`, what is sent goes to `play.py`.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from onerouter_mock.core import trace
from onerouter_mock.core.billing import settle
from onerouter_mock.core.decide import decide, refuse
from onerouter_mock.core.errors import ScenarioError
from onerouter_mock.core.render import render
from onerouter_mock.core.scenario import load
from onerouter_mock.core.state import describe, sweep
from onerouter_mock.core.timeline import sent_text
from onerouter_mock.core.wire import read_call
from onerouter_mock.journal import Counted, Entry, Journal, Totals, iso_time
from onerouter_mock.sessions import DEFAULT, Session, SessionError, begin_session, scenario_in, split_address

if TYPE_CHECKING:
    from onerouter_mock.clock import Clock
    from onerouter_mock.core.plan import Outcome, Plan
    from onerouter_mock.core.records import Decision
    from onerouter_mock.core.scenario.records import Scenario
    from onerouter_mock.core.state import State
    from onerouter_mock.core.wire.request import Asked
    from onerouter_mock.library import Library

Watcher = Callable[[str, Entry], Any]


@dataclass(frozen=True, slots=True)
class EmulatorOptions:
    """What the server was started with; `seed` to `waits` win over every scenario, None leaves it its own.

    `force_fallback` overrides what requests say; `allow_hosts` are further names for the control API's door;
    `unsaid_clock` is the clock of scenarios that do not say one.
    """

    seed: int | None = None
    speed: float | None = None
    clock: str | None = None
    wire: str | None = None
    waits: str | None = None
    force_fallback: bool | None = None
    trace_header: bool = True
    session_limit: int = 1_000
    journal_size: int = 2_000
    journal_bytes: int = 16_000_000
    allow_hosts: tuple[str, ...] = ()
    unsaid_clock: str | None = None

    def apply(self, scenario: Scenario) -> Scenario:
        """The scenario as this server runs it. Errors: ScenarioError, for a flag that no scenario may say."""
        names = ("seed", "speed", "clock", "wire", "waits")
        given = {name: value for name in names if (value := getattr(self, name)) is not None}
        if self.unsaid_clock is not None and not load.says(scenario, "clock"):
            given.setdefault("clock", self.unsaid_clock)
        return load.override(scenario, **given) if given else scenario


@dataclass(slots=True)
class Begun:
    """A call that was decided, and the world that it ends in, whatever becomes of its session meanwhile."""

    session: Session
    scenario: Scenario
    state: State
    clock: Clock
    totals: Totals
    counted: Counted
    entry: Entry
    plan: Plan
    ended: bool = False


class Emulator:
    """All sessions of one server. `scenario` is what a new session begins with."""

    def __init__(
        self, scenario: Scenario, library: Library | None = None, *, options: EmulatorOptions | None = None
    ) -> None:
        self.options = options or EmulatorOptions()
        self.scenario = self.options.apply(scenario)
        self.library = library
        self._sessions: dict[str, Session] = {}
        self._watchers: tuple[Watcher, ...] = ()

    # One call

    def begin(self, asked: Asked, path: str) -> Begun:
        """Decides a call, applies what that changes, writes its journal entry; the plan is left to be played.

        Shape: `path` as asked for, percent-decoded, with `/s/NAME`. Errors: SessionError.
        """
        name, inner = split_address(path, asked.headers)
        session = self.session(name)
        session.calls += 1
        scenario, state, clock = session.scenario, session.state, session.clock
        call, error = read_call(scenario, name, session.calls, asked, inner)
        if error is None:
            if call.byok is not None and self.options.force_fallback is not None:
                call.byok = replace(call.byok, fallback=self.options.force_fallback)
            if scenario.waits == "jump" and call.sdk_retry:
                session.jump(call.sealed.retry_key())
            now_us = clock.now_us()
            decision = decide(scenario, state, call, now_us)
            if scenario.waits == "jump" and decision.served is None and decision.failure is not None:
                session.note_refused(call.sealed.retry_key(), now_us + (decision.wait_us or 0))
        else:
            decision = refuse(scenario, state, call, error, clock.now_us())
        plan = render(scenario, decision, trace_header=self.options.trace_header)
        state.cells.update(decision.changes)
        entry = Entry(name, decision, trace.route(decision), session.began_us, call.sealed.size)
        session.journal.add(entry)
        session.in_flight += 1
        counted = session.totals.count(entry)
        for watch in self._watchers:
            watch("begin", entry)
        return Begun(session, scenario, state, clock, session.totals, counted, entry, plan)

    def note(self, begun: Begun, silence: str) -> None:
        """Notes that a planned silence (`stall`, `hang`) begins: it may last until the client leaves."""
        begun.entry.ending = silence
        begun.entry.route = trace.route(
            begun.entry.decision, trace.break_word(begun.entry.decision, "finish")
        )

    def end(self, begun: Begun, outcome: Outcome) -> None:
        """Completes the entry; sets budgets, money and totals right where the call did not end as planned."""
        if begun.ended:
            return
        begun.ended = True
        entry, state = begun.entry, begun.state
        decision, plan = entry.decision, begun.plan
        entry.ending, entry.ended_us, entry.sent_bytes = outcome.ending, outcome.ended_us, outcome.bytes
        is_whole = plan.frame(outcome.frames) is None
        for frame in plan.frames[: outcome.frames]:
            entry.sent_chunks += frame.chunks
            entry.sent_tokens += frame.tokens
        entry.sent_text = plan.sent_text if is_whole else _text_of(decision, entry.sent_chunks)
        if decision.charged or decision.held or not is_whole:
            delivered = None if is_whole else entry.sent_tokens
            now_us = begun.clock.now_us()
            state.cells.update(settle(begun.scenario, state, decision, delivered, now_us))
        if len(state.cells) > state.sweep_above:
            sweep(state, begun.clock.now_us())
        word = trace.break_word(decision, outcome.ending)
        if word is not None or not is_whole:
            entry.route = trace.route(decision, word)
            begun.totals.recount(entry, begun.counted)
        begun.session.in_flight -= 1
        for watch in self._watchers:
            watch("end", entry)
        entry.release()

    # Sessions

    def session(self, name: str) -> Session:
        """The session of this name, begun if there is none. Errors: SessionError, for an unknown scenario."""
        sessions = self._sessions
        session = sessions.pop(name, None)
        if session is None:
            session = self._begin_session(name)
        sessions[name] = session  # the last is the one used last
        return session

    def _begin_session(self, name: str) -> Session:
        wanted = scenario_in(name)
        scenario = self.scenario if wanted is None else self._bundled(name, wanted)
        self._evict()
        return begin_session(name, scenario, Journal(self.options.journal_size, self.options.journal_bytes))

    def _bundled(self, name: str, wanted: str) -> Scenario:
        try:
            if self.library is None:
                raise ScenarioError([])
            return self.options.apply(self.library.load_named(wanted))
        except ScenarioError as error:
            raise SessionError(f'session: "{name}": {error or "no such scenario"}', status=404) from None

    def _evict(self) -> None:
        """Makes room for one more: the least recently used goes, but neither `default` nor one at work."""
        excess = len(self._sessions) + 1 - self.options.session_limit
        idle = (s.name for s in self._sessions.values() if s.name != DEFAULT and not s.in_flight)
        for name in list(islice(idle, max(0, excess))):
            del self._sessions[name]

    def sessions(self) -> list[Session]:
        """All sessions, the one used last at the end."""
        return list(self._sessions.values())

    def drop_session(self, name: str) -> bool:
        """Forgets a session; its next call begins it again. Calls in flight end in the old one."""
        return self._sessions.pop(name, None) is not None

    # What tools do to a session

    def put_scenario(self, name: str, scenario: Scenario) -> None:
        """Replaces a session's scenario: state and added rules start afresh, journal and time go on."""
        is_new = name not in self._sessions
        session = self.session(name)
        session.begin_world(self.options.apply(scenario))
        if is_new:  # begun by this very deed: its age is nought, whichever clock it has now
            session.began_us = session.state.zero_us = session.state.began_us

    def reload(self, file: str, scenario: Scenario) -> list[str]:
        """Puts a changed scenario file in force where a session began with it; answers their names."""
        scenario = self.options.apply(scenario)
        touched = [session for session in self._sessions.values() if session.base.file == file]
        for session in touched:
            if session.scenario.file == file:
                session.begin_world(scenario)
            session.base = scenario
        if self.scenario.file == file:
            self.scenario = scenario
        return [session.name for session in touched]

    def reset(self, name: str) -> None:
        """Makes a session as it was at its start: scenario, state, dice, clock; journal and totals empty."""
        self.session(name).reset()

    def forget(self, name: str) -> None:
        """Empties a session's journal; its state stays."""
        self.session(name).journal.clear()

    def advance(self, name: str, us: int) -> None:
        """Moves a session's clock forward. Errors: ValueError, when `us` is below 0."""
        self.session(name).clock.advance(us)

    def add_rules(self, name: str, data: dict[str, Any], *, where: str) -> list[str]:
        """Puts rules and limits in front of a session's own, until reset; answers their names.

        Shape: `data` is `{"rules": [...], "limits": [...]}`, `where` shown in traces. Errors: ScenarioError.
        """
        return self.session(name).add_rules(data, where)

    def remove_rules(self, name: str, rule_name: str | None = None) -> list[str]:
        """Takes away what was added under this name, or all that was added; answers the names."""
        return self.session(name).remove_rules(rule_name)

    # What tools ask

    def describe_clock(self, name: str) -> dict[str, Any]:
        """Units: `now` is seconds since the session began, `at` the same instant as a date."""
        session = self.session(name)
        return {"now": session.now_s, "mode": session.clock.mode, "at": iso_time(session.clock.now_us())}

    def describe_state(self, name: str) -> dict[str, Any]:
        """Clock, budgets, counters, cooldowns and accounts of a session."""
        session = self.session(name)
        told = describe(session.scenario, session.state, session.clock.now_us())
        return {"now": session.now_s, "mode": session.clock.mode, **told}

    def stats(self, name: str) -> dict[str, Any]:
        """Totals of a session since its start or reset, in the form of a matrix cell."""
        session = self.session(name)
        forced = self.options.force_fallback
        return {
            "scenario": session.scenario.name,
            "fallback": "as-sent" if forced is None else forced,
            "exit_code": None,
            **session.totals.as_dict(),
        }

    def subscribe(self, watch: Watcher) -> Callable[[], None]:
        """Calls `watch("begin", entry)` and `watch("end", entry)`, until the answered function is called."""
        self._watchers += (watch,)

        def unsubscribe() -> None:
            self._watchers = tuple(other for other in self._watchers if other is not watch)

        return unsubscribe


def _text_of(decision: Decision, chunks: int) -> str:
    """The text of an answer's first chunks, for a stream that was left."""
    return sent_text(decision.answer, decision.shape, chunks) if decision.answer is not None else ""
