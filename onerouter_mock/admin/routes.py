"""The routes of the control API, and what each answers.

What may live here: a function a route, and the table. No HTTP objects, no waiting.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from onerouter_mock.admin.again import tell_again
from onerouter_mock.admin.asked import (
    TEXT,
    Ask,
    Refused,
    Reply,
    Route,
    read_count,
    read_format,
    read_object,
    read_wait_us,
    reply_json,
    reply_text,
)
from onerouter_mock.admin.describe import describe_scenario, spell_entries
from onerouter_mock.admin.expectations import Totals, find_misses
from onerouter_mock.admin.verdict import Setting, tell
from onerouter_mock.admin.wanted import check_expectation
from onerouter_mock.core.scenario.load import load_scenario
from onerouter_mock.core.scenario.units import parse_duration_us
from onerouter_mock.core.story import timeline

if TYPE_CHECKING:
    from onerouter_mock.core.scenario.records import Limit, Rule
    from onerouter_mock.emulator import Emulator
    from onerouter_mock.journal import Entry
    from onerouter_mock.sessions import Session


def _list_routes(ask: Ask) -> Reply:
    shown = []
    for route in ROUTES:
        path = f"/_mock/{route.path}" if route.path else "/_mock"
        query = "?" + "&".join(f"{name}=" for name in route.query) if route.query else ""
        shown.append({"method": route.method, "path": path + query, "does": route.does})
    # Who finds the port taken asks who sits there.
    return reply_json({"scenario": ask.emulator.scenario.name, "pid": os.getpid(), "routes": shown})


def read_calls(emulator: Emulator, session: str, query: Mapping[str, str]) -> list[Entry]:
    """The journal entries that a request for calls asks for. Errors: Refused."""
    after, limit = read_count(query, "after"), read_count(query, "limit")
    return emulator.session(session).journal.read(after=after, limit=limit)


def _calls(ask: Ask) -> Reply:
    word = read_format(ask)
    read_wait_us(ask.query), read_count(ask.query, "count")
    entries = [entry.as_dict() for entry in read_calls(ask.emulator, ask.session, ask.query)]
    if word == "text":
        return reply_text(timeline(entries))
    return reply_json({"calls": entries, "dropped": ask.emulator.session(ask.session).journal.dropped})


def _call(ask: Ask) -> Reply:
    entry = ask.emulator.session(ask.session).journal.find(ask.rest)
    if entry is None:
        raise Refused(f"call: {ask.rest!r} is not in the journal; GET /_mock/calls lists it", status=404)
    return reply_json(entry.as_dict())


def _forget(ask: Ask) -> Reply:
    number = len(ask.emulator.session(ask.session).journal)
    ask.emulator.forget(ask.session)
    return reply_json({"forgotten": number})


def _read_totals(ask: Ask, session: Session) -> Totals:
    sums, journal, options = session.totals, session.journal, ask.emulator.options
    cure = f"raise --journal-size, now {options.journal_size}"
    if len(journal) < options.journal_size:
        cure = f"it holds {options.journal_bytes / 1e6:g} MB at most: verify earlier, or reset in between"
    return Totals(sums.calls, sums.fallbacks, sums.credits_nano, sums.byok_nano, journal.dropped, cure)


def _verify(ask: Ask) -> Reply:
    body = read_object(ask, '{"route": "byok:openai!rate_limit -> shared:openai"}')
    problems = check_expectation(body)
    if problems:
        raise Refused(problems[0] if len(problems) == 1 else f"{len(problems)} problems", problems=problems)
    session = ask.emulator.session(ask.session)
    kept = session.journal.read()
    entries = [entry.as_dict() for entry in kept]
    totals = _read_totals(ask, session)
    scenario = session.scenario
    misses = find_misses(body, entries, totals, [key.name for key in scenario.keys])
    if not misses:
        return reply_json({"ok": True})
    others = tuple(other.name for other in ask.emulator.sessions() if len(other.journal))
    again = partial(tell_again, session, ask.emulator.library)
    setting = Setting(scenario.name, scenario.seed, others, again)
    story = tell(misses, entries, totals, setting)
    for entry in kept:  # what was expected, and the scenario, are anybody's words: they may quote a key
        story = entry.call.sealed.cut(story)
    return Reply(409, story.encode(), TEXT)


def _scenario(ask: Ask) -> Reply:
    return reply_json(describe_scenario(ask.emulator.session(ask.session).scenario))


def _put_scenario(ask: Ask) -> Reply:
    try:
        text = ask.body.decode()
    except UnicodeDecodeError:
        raise Refused("body: no UTF-8 text; would be right: a scenario as YAML or JSON") from None
    library = ask.emulator.library
    scenario = load_scenario(
        text, file="scenario", find=library.find_named if library else None, name="unnamed"
    )
    ask.emulator.put_scenario(ask.session, scenario)
    return _scenario(ask)


def _rules(ask: Ask) -> Reply:
    session = ask.emulator.session(ask.session)
    own = session.scenario
    return reply_json(
        {"rules": _list_entries(own.rules, session), "limits": _list_entries(own.limits, session)}
    )


def _list_entries(entries: Sequence[Rule | Limit], session: Session) -> list[dict[str, Any]]:
    said = spell_entries(entries)
    return [
        {"name": entry.name, "where": entry.where, "added": entry.ident in session.added, "said": words}
        for entry, words in zip(entries, said, strict=True)
    ]


def _add_rules(ask: Ask) -> Reply:
    data = read_object(ask, '{"rules": [{"when": {"lane": "byok"}, "error": "rate_limit"}]}')
    where = data.pop("where", "rules added by test")
    if not isinstance(where, str) or not where.isprintable() or len(where) > 300:
        raise Refused(
            "where: no line of text; would be right: the place that added the rules, test_app.py:12"
        )
    if not data:
        raise Refused('body: no rules; would be right: {"rules": [...], "limits": [...]}')
    names = ask.emulator.add_rules(ask.session, data, where=where)
    count = len(data.get("rules") or ())
    return reply_json({"names": names, "rules": names[:count], "limits": names[count:]})


def _remove_rules(ask: Ask) -> Reply:
    gone = ask.emulator.remove_rules(ask.session, ask.rest or None)
    if ask.rest and not gone:
        own = ask.emulator.session(ask.session).scenario
        is_own = ask.rest in [rule.name for rule in own.rules] + [limit.name for limit in own.limits]
        right = (
            "it is the scenario's own, and only added ones go" if is_own else "GET /_mock/rules lists them"
        )
        raise Refused(f"rules: no added rule or limit is named {ask.rest!r}; {right}", status=404)
    return reply_json({"removed": gone})


def _reset(ask: Ask) -> Reply:
    ask.emulator.reset(ask.session)
    return reply_json({"ok": True})


def _state(ask: Ask) -> Reply:
    return reply_json(ask.emulator.describe_state(ask.session))


def _clock(ask: Ask) -> Reply:
    return reply_json(ask.emulator.describe_clock(ask.session))


def _advance(ask: Ask) -> Reply:
    right = '{"advance": "61s"}'
    data = read_object(ask, right)
    text = data.get("advance")
    if set(data) != {"advance"} or not isinstance(text, str):
        raise Refused(f"body: no `advance` with a duration in it; would be right: {right}")
    try:
        ask.emulator.advance(ask.session, parse_duration_us(text))
    except ValueError as error:
        raise Refused(f"advance: {error}") from None
    return _clock(ask)


def _findings(ask: Ask) -> Reply:
    return (
        reply_text(["no findings"])
        if read_format(ask) == "text"
        else reply_json({"ok": True, "findings": []})
    )


def _stats(ask: Ask) -> Reply:
    return reply_json(ask.emulator.stats(ask.session))


def _sessions(ask: Ask) -> Reply:
    shown = [
        {
            "name": one.name,
            "scenario": one.scenario.name,
            "calls": one.totals.calls,
            "in_flight": one.in_flight,
        }
        for one in ask.emulator.sessions()
    ]
    return reply_json({"sessions": shown})


def _drop_session(ask: Ask) -> Reply:
    if not ask.emulator.drop_session(ask.rest):
        raise Refused(
            f"session: there is none named {ask.rest!r}; GET /_mock/sessions lists them", status=404
        )
    return reply_json({"dropped": ask.rest})


def _events(ask: Ask) -> Reply:
    raise Refused("events: they come over HTTP only; GET /_mock/calls?wait=2s&count=3 waits for calls")


ROUTES = (
    Route("GET", "", "lists the routes", _list_routes),
    Route("GET", "calls", "the journal, oldest call first; `wait` until `count` calls have ended", _calls,
          ("limit", "after", "format", "wait", "count")),
    Route("DELETE", "calls", "forgets the journal, keeps the state", _forget),
    Route("GET", "calls/ID", "one call, by its id or request id", _call),
    Route("POST", "verify", "200 when all in the body holds, else 409 with the story as text", _verify),
    Route("GET", "scenario", "the scenario in force", _scenario),
    Route("PUT", "scenario", "replaces it, by YAML or JSON text; the state starts afresh", _put_scenario),
    Route("GET", "rules", "the rules and limits in force, in the order in which they are asked", _rules),
    Route("POST", "rules", "puts rules and limits before the scenario's own, until reset", _add_rules),
    Route("DELETE", "rules[/NAME]", "removes what was added: all, or what has this name", _remove_rules),
    Route("POST", "reset", "the session as it was at its start", _reset),
    Route("GET", "state", "budgets, counters, cooldowns, accounts, clock", _state),
    Route("GET", "clock", "the session's time", _clock),
    Route("POST", "clock", 'moves it forward: {"advance": "61s"}', _advance),
    Route("GET", "findings", "what the client did wrong", _findings, ("format",)),
    Route("GET", "stats", "totals that no ring forgets", _stats),
    Route("GET", "events", "server-sent events: each call as it begins, and again as it ends", _events),
    Route("GET", "sessions", "all sessions", _sessions),
    Route("DELETE", "sessions/NAME", "forgets a session", _drop_session),
)  # fmt: skip
