"""A failed expectation as a person reads it: expected, got and why, what the mock saw, the nearest call, how
to see it again.

What may live here: words and columns for `expectations.Miss`; plain dicts in, text out.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from onerouter_mock.admin.expectations import Entry, Miss, Totals, count
from onerouter_mock.core.story import reasons
from onerouter_mock.core.trace import match_route

SHOWN_CALLS = 20  # a story that scrolls out of the console tells nothing
_ARROW = " -> "
_WHY_COLUMN = 36  # behind the route: what stands before it, and who paid


@dataclass(slots=True)
class Setting:
    """The world a story happened in: the scenario's name and seed.

    `others`: sessions that saw calls, for the story in which this one saw none. `again`: by a call's id, how to
    see it again, "" for nothing to say.
    """

    scenario: str
    seed: int
    others: tuple[str, ...] = ()
    again: Callable[[int], str] = lambda number: ""


def tell(misses: Sequence[Miss], entries: Sequence[Entry], totals: Totals, setting: Setting) -> str:
    """The whole story of expectations that do not hold. `misses` is not empty."""
    if not totals.calls:
        return tell_no_call(misses, _elsewhere(setting))
    lines: list[str] = []
    for miss in misses:
        lines += [miss.headline, *_contrast(miss)]
    focus = misses[0].entry
    marked = {miss.entry["id"] for miss in misses if miss.entry is not None}.union(
        *(miss.marked for miss in misses)
    )
    lines += ["", f"  what the mock saw (scenario {setting.scenario}, seed {setting.seed})"]
    lines += [*_tell_gone(entries, totals), *timeline(entries, marked, _carets(misses))]
    if not entries:
        return "\n".join(lines)
    if misses[0].is_route:
        lines.append(f"  nearest: {_nearest(misses[0], entries)}")
    again = setting.again((focus if focus is not None else entries[-1])["id"])
    return "\n".join([*lines, f"  again:   {again}"] if again else lines)


def _tell_gone(entries: Sequence[Entry], totals: Totals) -> list[str]:
    """The calls that the journal holds no more."""
    lines = []
    if forgotten := totals.forgotten(entries):
        lines.append(f"       … {count(forgotten, 'call')}, forgotten by DELETE /_mock/calls")
    if totals.dropped:
        lines.append(f"       … {totals.tell_dropped()}")
    return lines if entries else [*lines, "       no call since then"]


def tell_no_call(misses: Sequence[Miss], cures: Sequence[str]) -> str:
    """The story when nothing arrived at all: that, what was expected, and what may be the reason."""
    lines = ["the mock saw no call"]
    lines += [f"  expected   {miss.expected}" for miss in misses]
    return "\n".join([*lines, *(f"  {cure}" for cure in cures)])


def _elsewhere(setting: Setting) -> list[str]:
    lines = [
        "Since this session began or was reset, no request came to it: the client went to another address."
    ]
    if setting.others:
        lines.append(
            f"Sessions that saw calls: {', '.join(setting.others)} (named by /s/NAME/v1 or a header)."
        )
    return lines


def _contrast(miss: Miss) -> list[str]:
    lines = [f"  expected   {miss.expected}", f"  got        {miss.got}"]
    if miss.is_route and miss.entry is not None:
        at, why = caret(miss.expected, miss.entry)
        lines.append(f"             {' ' * at}^ {why}")
    return lines


def _carets(misses: Sequence[Miss]) -> dict[int, str]:
    """What is told below a route already, by call: its row need not tell it again."""
    told = [miss for miss in misses if miss.is_route and miss.entry is not None]
    return {miss.entry["id"]: caret(miss.expected, miss.entry)[1] for miss in told if miss.entry is not None}


def caret(expected: str, entry: Entry) -> tuple[int, str]:
    """Where a call's route parts from the expected one (a column in it), and why it went as it did there."""
    wanted, got = expected.split(_ARROW), entry["route"].split(_ARROW)
    at = _first_difference(wanted, got)
    if at >= len(got):
        return len(entry["route"]) + 1, _why_no_more(entry)
    column = len(_ARROW.join(got[:at])) + (len(_ARROW) if at else 0)
    if at >= len(wanted):
        return column, "the call went on here" + _fallback_said(entry)
    return column, _why_attempt(entry, at)


def _first_difference(wanted: Sequence[str], got: Sequence[str]) -> int:
    for at, (one, other) in enumerate(zip(wanted, got, strict=False)):
        if not match_route(one.strip(), other):
            return at
    return min(len(wanted), len(got))


def _why_no_more(entry: Entry) -> str:
    byok = entry.get("byok")
    if byok and not byok["fallback"]:
        if entry.get("fallback_sent"):
            return "the shared pool was not tried: --force-fallback false overrides the request's fallback"
        return "the shared pool was not tried: byok_conf.fallback is false in this request"
    if entry.get("served_by"):
        return "served here; after an answer nothing else is tried"
    skipped = [line for line in reasons(entry) if "not tried" in line]
    if skipped:
        return str(skipped[-1])
    return "nothing else could be tried: this kind of failure does not fall back, or no candidate was left"


def _fallback_said(entry: Entry) -> str:
    byok = entry.get("byok")
    return (
        ": byok_conf.fallback is true (or was left out) in this request" if byok and byok["fallback"] else ""
    )


def _why_attempt(entry: Entry, at: int) -> str:
    attempts, lines = entry["attempts"], list(entry.get("story") or ())
    if at >= len(attempts):  # the router's own refusal stands last
        return str(lines[-1]) if lines else "the router refused the call itself"
    if attempts[at]["result"] == "ok":
        if "~" in entry["route"] and at == len(attempts) - 1:
            return str(lines[-1]) if lines else "the answer broke after it had begun"
        own = "" if entry.get("byok") else "; the request has no byok_conf"
        return f"served: no rule or limit failed this attempt{own}"
    failed_before = sum(attempt["result"] != "ok" for attempt in attempts[:at])
    if failed_before < len(lines):
        return str(lines[failed_before])
    return f"{attempts[at].get('cause') or 'failed'} ({attempts[at].get('where') or 'no rule'})"


def timeline(entries: Sequence[Entry], marked: AbstractSet[int], told: Mapping[int, str]) -> list[str]:
    """A line a call, `>` before the marked ones, its reason behind it; `told` reasons are left out."""
    shown = _pick_shown(entries, marked)
    lines: list[str] = []
    wide = min(60, max((len(entries[at]["route"]) for at in shown), default=0))
    for before, at in zip((-1, *shown), shown, strict=False):
        entry = entries[at]
        if at - before > 1:
            lines.append(f"       … {count(at - before - 1, 'call')}")
        mark = ">" if entry["id"] in marked else " "
        line = (
            f"    {mark}{entry.get('clock') or 0:6.1f}s  #{entry['id']:<3} {entry.get('status') or '---'}"
            f"  {entry['route']:<{wide}}    {payer(entry)}"
        )
        known = told.get(entry["id"], "")
        why = [reason for reason in reasons(entry) if not known.startswith(reason)]
        if why:
            line = f"{line:<{wide + _WHY_COLUMN}}  {why[0]}"
        lines += [line.rstrip(), *(f"{'':<{wide + _WHY_COLUMN}}  {reason}" for reason in why[1:])]
    return lines


def _pick_shown(entries: Sequence[Entry], marked: AbstractSet[int]) -> list[int]:
    """The last calls, and before them those that the story is about."""
    last = max(0, len(entries) - SHOWN_CALLS)
    about = [at for at in range(last) if entries[at]["id"] in marked][: SHOWN_CALLS // 2]
    return [*about, *range(last, len(entries))]


def payer(entry: Entry) -> str:
    """Who answered, in a word: the own key, the pool (paid with credits), nobody."""
    server = entry.get("served_by")
    if server is None:
        return "nobody" if (entry.get("status") or 500) >= 400 or entry.get("error") else "router"
    return "own key" if server["lane"] == "byok" else "credits"


def _nearest(miss: Miss, entries: Sequence[Entry]) -> str:
    same = [index for index, entry in enumerate(entries) if match_route(miss.expected, entry["route"])]
    if same:
        return f"#{entries[same[-1]]['id']} took the expected route (nth={same[-1]})"
    wanted = miss.expected.split(_ARROW)
    legs = {entry["id"]: _first_difference(wanted, entry["route"].split(_ARROW)) for entry in entries}
    best = miss.entry
    for entry in reversed(entries):
        if best is None or legs[entry["id"]] > legs[best["id"]]:
            best = entry
    assert best is not None  # a story with a timeline has calls
    alike = legs[best["id"]]
    how = "differs from its first attempt on" if alike == 0 else f"differs after {count(alike, 'attempt')}"
    if alike and alike >= len(wanted) - 1:
        how = "differs in its end only"
    text = f"#{best['id']} {how}" if best is miss.entry else f"#{best['id']} ({best['route']}) {how}"
    return text + _never(miss.expected, entries)


def _never(expected: str, entries: Sequence[Entry]) -> str:
    if "byok" in expected and not any(_may_have_byok(entry) for entry in entries):
        return "; no call had a byok_conf (in the OpenAI SDK for Python it goes into extra_body)"
    if "shared" in expected and not any(
        a["lane"] == "shared" for entry in entries for a in entry["attempts"]
    ):
        return "; no call reached the pool"
    if "!" in expected and not any("!" in entry["route"] for entry in entries):
        return "; nothing failed: no rule or limit acted on any call"
    return ""


def _may_have_byok(entry: Entry) -> bool:
    """Whether a call said something of an own key, also where that was refused; or nobody can tell."""
    body = (entry.get("request") or {}).get("body")
    if entry.get("endpoint") == "chat" and body is None:
        return True
    return bool(entry.get("byok")) or (isinstance(body, dict) and "byok_conf" in body)
