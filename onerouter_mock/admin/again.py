"""The command that makes a call again, run dry before it is shown; else why no single command can.

What may live here: which calls `explain` would have to make, and comparing what they meet with what was seen.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from onerouter_mock.admin.describe import AGAIN_FILE, Explained, explain_scenario
from onerouter_mock.admin.retold import Request, is_long, retell
from onerouter_mock.admin.stand_ins import sample_key
from onerouter_mock.admin.whose import find_account_key
from onerouter_mock.core.errors import ScenarioError
from onerouter_mock.core.scenario.units import format_duration, parse_duration_us
from onerouter_mock.dry_run import foresee, open_world
from onerouter_mock.library import Library

if TYPE_CHECKING:
    from onerouter_mock.core.scenario.records import Scenario
    from onerouter_mock.journal import Entry
    from onerouter_mock.sessions import Session

_MOST_CALLS = 1_000  # of one dry run: the server waits for it
_MOST_CALLS_IN_ALL = 3_000
_SOON_US = 1_000_000  # apart by less, calls count as made at once
_EVEN = 0.02  # how far gaps may be from each other, as a part of one

Seen = tuple[str, int | None]


@dataclass(frozen=True, slots=True)
class _Series:
    """So many equal calls, so far apart. `seen`: at which of them, from 0, what was seen must be met again;
    `is_tail`: any number of the last ones will do."""

    calls: int
    gap: str
    seen: dict[int, Seen]
    is_tail: bool = False

    def count_alike(self, rows: Sequence[Seen]) -> int:
        """How many calls show what was seen, up to the call in question; 0 when none do."""
        if not self.is_tail:
            return self.calls if all(rows[at] == seen for at, seen in self.seen.items()) else 0
        wanted = list(self.seen.values())
        return next((n for n in range(len(wanted), 0, -1) if list(rows[:n]) == wanted[-n:]), 0)


@dataclass(slots=True)
class _Dry:
    """The world of the command, to be run dry."""

    told: Explained
    scenario: Scenario
    library: Library
    account_key: str | None
    calls_left: int = _MOST_CALLS_IN_ALL

    def run(self, request: Request, series: _Series) -> list[Seen]:
        if series.calls > min(self.calls_left, _MOST_CALLS):
            return []
        self.calls_left -= series.calls
        # As the file holds it: what JSON makes of a body is what explain reads.
        body = json.dumps(request.sent(), ensure_ascii=False).encode()
        emulator = open_world(self.scenario, self.library, self.told.seed)
        gap_us = parse_duration_us(series.gap)
        rows = foresee(emulator, body, calls=series.calls, gap_us=gap_us, account_key=self.account_key)
        return [(row["route"], row["status"]) for row in rows]

    def spell(self, request: Request, calls: int, gap: str) -> str:
        """The command."""
        files = [("request.json", "" if request.body is None else _dump(request.body))]
        files.append((AGAIN_FILE, self.told.added))
        words = ["onerouter-mock explain", AGAIN_FILE if self.told.added else shlex.quote(self.told.called)]
        words += [] if request.body is None else ["request.json"]
        flags = f"{self.told.flags} --calls {calls}"
        flags += f" --gap {gap}" if calls > 1 and gap != "0s" else ""
        flags += request.flags()
        flags += f" --account-key {shlex.quote(self.account_key)}" if self.account_key is not None else ""
        return "; ".join([*(_write(name, text) for name, text in files if text), " ".join(words) + flags])


def tell_again(session: Session, library: Library | None, number: int) -> str:
    """The command that shows the route of a session's call again, or why there is none; "" where nobody would
    ask for one: not a chat, no JSON.
    """
    entry = session.journal.find(str(number))
    if entry is None or entry.call.endpoint != "chat":
        return ""
    sealed = entry.call.sealed
    if sealed.kept is None:
        return _refuse("the request is too large to be kept")
    if (body := sealed.body()) is None:
        return ""
    told = explain_scenario(session.scenario, library)
    if told is None:
        return _refuse("the scenario is too long for a line")
    library = library or Library()
    try:
        scenario = told.load(library)
    except ScenarioError:
        return _refuse("the scenario's file is not there as it was")
    dry = _Dry(told, scenario, library, find_account_key(entry.call, scenario))
    kept = [one for one in session.journal.read() if one.id <= entry.id]
    same = _find_alike(entry, kept)
    requests = list(retell(entry.call, sample_key(session.scenario, entry.call.byok)))
    for series in _plan(entry, kept, same):
        for request in requests:
            calls = series.count_alike(rows) if (rows := dry.run(request, series)) else 0
            command = dry.spell(request, calls, series.gap) if calls else ""
            if command and _may_be_shown(command, session):
                return command
    return _refuse(
        "the request is too long for a line" if is_long(body) else _why_not(session, entry, kept, same)
    )


def _may_be_shown(command: str, session: Session) -> bool:
    """Whether it is one line, and quotes no credential of any call: cut out, it would show something else."""
    return command.isprintable() and all(
        one.call.sealed.cut(command) == command for one in session.journal.read()
    )


def _refuse(why: str) -> str:
    return f"not with one command: {why}"


def _dump(body: dict[str, Any]) -> str:
    text = json.dumps(body, ensure_ascii=False)
    return text if text.isprintable() else json.dumps(body)


def _write(name: str, text: str) -> str:
    # A shell's own echo may read what a backslash means.
    word = "printf '%s\\n'" if "\\" in text else "echo"
    return f"{word} {shlex.quote(text)} > {name}"


def _find_alike(entry: Entry, kept: Sequence[Entry]) -> list[Entry]:
    """The calls that the same command tells: equal but for what their messages say."""
    what = _what(entry)
    return [one for one in kept if one is entry or (one.call.byok == entry.call.byok and _what(one) == what)]


def _what(entry: Entry) -> tuple[Any, ...]:
    call = entry.call
    said = {**(call.sealed.body() or {}), "messages": None}
    return call.endpoint, call.account, call.account_test_kind, said


def _find_equal(entry: Entry, same: Sequence[Entry]) -> list[Entry]:
    return [one for one in same if one.call.sealed.digest == entry.call.sealed.digest]


def _plan(entry: Entry, kept: Sequence[Entry], same: Sequence[Entry]) -> Iterator[_Series]:
    """Calls as they were made from the session's begin on; then the last of them that were made alike."""
    passed_us = entry.arrived_us - (kept[0].arrived_us if kept[0].id == 1 else entry.began_us)
    average_us = passed_us // (entry.id - 1) if entry.id > 1 else 0
    gaps = _spell_gaps(average_us, passed_us < _SOON_US)
    # What messages say may matter, or not.
    for ones in (same, _find_equal(entry, same)):
        yield from (_Series(entry.id, gap, {one.id - 1: _seen(one) for one in ones}) for gap in gaps)
    tail, gap_us = _find_tail(same)
    seen = dict(enumerate(map(_seen, tail)))
    for gap in _spell_gaps(gap_us, gap_us < _SOON_US):
        yield _Series(len(tail), gap, seen, is_tail=True)


def _seen(entry: Entry) -> Seen:
    return entry.route, entry.decision.status


def _spell_gaps(gap_us: int, is_soon: bool) -> list[str]:
    s = gap_us / 1e6
    exact = f"{s:.3g}s" if 0.001 <= s < 999 else format_duration(gap_us) if s >= 999 else "0s"
    return list(dict.fromkeys(("0s", exact) if is_soon else (exact,)))


def _find_tail(same: Sequence[Entry]) -> tuple[list[Entry], int]:
    """The last equal calls that came as far apart from each other as the last two, and how far that is."""
    gaps = [after.arrived_us - before.arrived_us for before, after in pairwise(same)]
    if not gaps:
        return list(same), 0
    last, length = gaps[-1], 1
    for gap in reversed(gaps):
        if not _is_even(gap, last):
            break
        length += 1
    return list(same[-length:][-_MOST_CALLS:]), last


def _is_even(gap: int, other: int) -> bool:
    return (gap < _SOON_US and other < _SOON_US) or abs(gap - other) <= _EVEN * max(gap, other)


def _why_not(session: Session, entry: Entry, kept: Sequence[Entry], same: Sequence[Entry]) -> str:
    """In a sentence, what explain's equal calls in a fresh world can't have."""
    if entry.ending == "client_left":
        return "the client left before the end, and explain reads every answer to its end"
    if gone := _find_gone(session.scenario, entry):
        return f"{gone}, which failed it, is no longer in force"
    scenario = session.scenario
    whens = [rule.when for rule in scenario.rules] + [limit.when for limit in scenario.limits]
    read = [name for when in whens for name, _ in when.header if name in entry.call.headers]
    if read:
        return f"a rule looks at the header {read[0]}, and explain sends none"
    if entry.id > _MOST_CALLS:
        return f"more than {_MOST_CALLS} calls came before it"
    why = []
    if len(same) < len(kept):
        why.append("calls with other keys or requests came before it")
    if len(_find_tail(same)[0]) < len(same):
        why.append("time passed unevenly between the calls")
    elif same[0].arrived_us - same[0].began_us >= _SOON_US:
        why.append("time had passed before the first call")
    if not why and _overlap(session, kept):
        why.append("calls ran at the same time")
    if not why and session.added:
        why.append("rules were added or removed between the calls")
    if not why and session.name != "default":
        why.append(f"the draws of session {session.name} are not those of a session that explain begins")
    return ", and ".join(why) or "calls before it met another scenario or other rules"


def _find_gone(scenario: Scenario, entry: Entry) -> str | None:
    """The rule or limit that failed the call and that the scenario in force does not have."""
    there = {rule.where for rule in scenario.rules} | {limit.where for limit in scenario.limits}
    causes = [(one.cause, one.where) for one in entry.decision.attempts if one.where is not None]
    return next((cause for cause, where in causes if where not in there), None)


def _overlap(session: Session, kept: Sequence[Entry]) -> bool:
    """Whether a call came while another one was being answered; on a virtual clock nothing takes time."""
    return session.clock.mode == "real" and any(
        before.ended_us is None or before.arrived_us + before.ended_us > after.arrived_us
        for before, after in pairwise(kept)
    )
