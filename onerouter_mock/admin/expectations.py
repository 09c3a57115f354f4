"""What a test expects of the calls the mock saw, and where that is not so. Any language: the same JSON for
all.

What may live here: reading `POST /_mock/verify`, comparing it with journal entries (plain dicts); no words
for people beyond one line each (those are in `verdict.py`).

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from onerouter_mock.admin.wanted import is_number
from onerouter_mock.core.scenario.units import format_usd
from onerouter_mock.core.trace import match_route
from onerouter_mock.core.wire.secrets import is_slug, last4

Entry = Mapping[str, Any]
_NONE_TO_SEE = "no such call"


@dataclass(slots=True)
class Totals:
    """What a session saw since it began or was reset, also of calls that its journal holds no more.

    `dropped`: calls that went since the journal was last emptied, as it had no room; `cure` says what to do
    about that. Units: nano-dollars.
    """

    calls: int
    fallbacks: int
    credits_nano: int
    byok_nano: int
    dropped: int = 0
    cure: str = "raise --journal-size"

    def forgotten(self, entries: Sequence[Entry]) -> int:
        """How many calls were in the journal when it was emptied."""
        return max(0, self.calls - self.dropped - len(entries))

    def tell_dropped(self) -> str:
        """`3 calls were dropped from the journal; raise --journal-size`."""
        were = "was" if self.dropped == 1 else "were"
        return f"{count(self.dropped, 'call')} {were} dropped from the journal; {self.cure}"


@dataclass(slots=True)
class Miss:
    """One expectation that does not hold. `entry` is the call it is about, None where it is about all of
    them.

    `expected` and `got` stand below each other in the story; `routes` when both are routes (so that the place
    where they part can be shown).
    """

    headline: str
    expected: str
    got: str
    entry: Entry | None = None
    is_route: bool = False
    marked: list[int] = field(default_factory=list)


def find_misses(
    body: Mapping[str, Any], entries: Sequence[Entry], totals: Totals, names: Collection[str] = ()
) -> list[Miss]:
    """Every expectation that does not hold; none when all do. `body` has passed `check_expectation`.

    Shape: `names` are those of the scenario's keys.
    """
    nth = body.get("nth", -1)
    found: list[Miss | None] = []
    if "route" in body:
        found.append(_miss_route(body["route"], nth, entries, totals))
    if "routes" in body:
        found.append(_miss_routes(body["routes"], entries, totals))
    if "served_by" in body:
        found.append(_miss_server(body["served_by"], nth, entries, totals))
    if "fallbacks" in body:
        found.append(_miss_fallbacks(body["fallbacks"], entries, totals))
    if "key_used" in body:
        found.append(_miss_key(body["key_used"], entries, totals, names))
    for name, nano in (("credits_spent", totals.credits_nano), ("byok_spent", totals.byok_nano)):
        if name in body:
            found.append(_miss_money(name, body[name], nano, entries))
    if "findings" in body:
        found.append(_miss_findings(entries))
    return [miss for miss in found if miss is not None]


def is_fallback(entry: Entry) -> bool:
    """True for a call with an own key in which the shared pool was tried."""
    return entry.get("byok") is not None and any(attempt["lane"] == "shared" for attempt in entry["attempts"])


# Checks: each a Miss, or None where all is as expected.


def pick(entries: Sequence[Entry], nth: int, totals: Totals) -> tuple[Entry | None, str]:
    """The call that `nth` means (as an index: -1 the last, 0 the first since the journal was emptied), and how
    to speak of it.
    """
    seen = totals.dropped + len(entries)
    at = nth if nth >= 0 else seen + nth
    if not 0 <= at < seen:
        return None, f"there is no call nth={nth}: the mock saw {_spell_seen(entries, totals)}"
    if at < totals.dropped:
        return None, f"call nth={nth} can't be looked at: {totals.tell_dropped()}"
    entry = entries[at - totals.dropped]
    return entry, f"the last call (#{entry['id']})" if nth == -1 else f"call nth={nth} (#{entry['id']})"


def _spell_seen(entries: Sequence[Entry], totals: Totals) -> str:
    since = " since its journal was emptied" if totals.forgotten(entries) else ""
    return count(totals.dropped + len(entries), "call") + since


def count(number: int, noun: str) -> str:
    """`1 call`, `2 calls`."""
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"


def _miss_route(route: str, nth: int, entries: Sequence[Entry], totals: Totals) -> Miss | None:
    entry, name = pick(entries, nth, totals)
    if entry is None:
        return Miss(name, route, _NONE_TO_SEE)
    if match_route(route.strip(), entry["route"]):
        return None
    return Miss(f"{name} took another route", route.strip(), entry["route"], entry, is_route=True)


def _miss_routes(routes: Sequence[str], entries: Sequence[Entry], totals: Totals) -> Miss | None:
    dropped = totals.dropped
    for nth, (route, entry) in enumerate(zip(routes[dropped:], entries, strict=False), dropped + 1):
        if not match_route(route.strip(), entry["route"]):
            headline = f"call {nth} of {len(routes)} (#{entry['id']}) took another route"
            return Miss(headline, route.strip(), entry["route"], entry, is_route=True)
    if len(routes) != dropped + len(entries):
        return _miss_number(routes, entries, totals)
    if all(route.strip() == "*" for route in routes[:dropped]):
        return None
    headline = f"the first of the {count(len(routes), 'route')} can't be looked at: {totals.tell_dropped()}"
    return Miss(headline, count(len(routes), "route"), f"{count(len(entries), 'call')} that can be seen")


def _miss_number(routes: Sequence[str], entries: Sequence[Entry], totals: Totals) -> Miss:
    got, wanted = _spell_seen(entries, totals), count(len(routes), "route")
    seen = totals.dropped + len(entries)
    over = entries[max(0, len(routes) - totals.dropped) :]
    if seen < len(routes):
        what = f"the next would be {routes[seen]}"
    elif len(routes) < totals.dropped:
        what = totals.tell_dropped()
    else:
        what = f"the first too many is {over[0]['route']}"
    marked = [entry["id"] for entry in over]
    return Miss(f"the mock saw {got}, expected were {wanted}", wanted, f"{got}; {what}", marked=marked)


def _miss_server(
    wanted: Mapping[str, Any], nth: int, entries: Sequence[Entry], totals: Totals
) -> Miss | None:
    entry, name = pick(entries, wanted.get("nth", nth), totals)
    said = {part: wanted[part] for part in ("lane", "provider", "model") if part in wanted}
    expected = spell_server(said)
    if entry is None:
        return Miss(name, f"served by {expected}", _NONE_TO_SEE)
    server = entry.get("served_by")
    if server is not None and all(_is_same(part, text, server) for part, text in said.items()):
        return None
    got = f"served by {spell_server({part: server[part] for part in said})}" if server else "served by nobody"
    return Miss(f"{name} was {got}", f"served by {expected}", f"{got}: {entry['route']}", entry)


def _is_same(part: str, text: str, server: Mapping[str, Any]) -> bool:
    value = server.get(part) or ""
    if part != "model":
        return match_route(text, value)
    return match_route(text, value) or match_route(text.split("/", 1)[-1], value.split("/", 1)[-1])


def spell_server(server: Mapping[str, Any]) -> str:
    """A lane, provider and model, as far as they are given, in the words of a route:
    `shared:openai(gpt-5.1-chat)`.
    """
    text = ":".join(server[part] for part in ("lane", "provider") if part in server)
    return f"{text}({server['model']})" if "model" in server else text


def _miss_fallbacks(wanted: int, entries: Sequence[Entry], totals: Totals) -> Miss | None:
    if totals.fallbacks == wanted:
        return None
    fell = [entry["id"] for entry in entries if is_fallback(entry)]
    got, which = count(totals.fallbacks, "fallback"), [f"#{number}" for number in fell]
    if gone := totals.fallbacks - len(fell):
        which.append(f"{gone} no more in the journal")
    headline = f"{got}, expected {wanted}"
    got += f" ({', '.join(which)})" if which else ""
    return Miss(headline, count(wanted, "fallback"), got, marked=fell)


def _miss_key(
    wanted: Mapping[str, Any], entries: Sequence[Entry], totals: Totals, names: Collection[str]
) -> Miss | None:
    used = [
        entry for entry in entries if entry.get("byok") is not None and _is_key(wanted["name"], entry["byok"])
    ]
    times, dropped = wanted.get("times"), totals.dropped
    if (used and times is None) or (len(used) == times and not dropped):
        return None
    others: dict[str, int] = {}
    for entry in entries:
        others[_key_name(entry)] = others.get(_key_name(entry), 0) + 1
    seen = [f"{name} {number} x" for name, number in others.items()]
    seen += [f"and {count(dropped, 'call')} no more in the journal"] if dropped else []
    name = wanted["name"] if wanted["name"] in names else _show_key(wanted["name"])
    expected = f"key {name}" + (f" {times} x" if times is not None else "")
    headline = f"key {name!r} was used in {count(len(used), 'call')}"
    if dropped:
        can_be = times is None or len(used) <= times <= len(used) + dropped
        headline = (
            f"{headline} that can be seen; {totals.tell_dropped()}" if can_be else f"{headline} or more"
        )
    marked = [entry["id"] for entry in used]
    return Miss(headline, expected, ", ".join(seen) or "no call", marked=marked)


def _show_key(name: str) -> str:
    """A key's name; of one that may be the key itself, taken for a name, its end."""
    end = None if is_slug(name) else last4(name)
    return f"…{end}" if end else name


def _is_key(name: str, byok: Mapping[str, Any]) -> bool:
    return match_route(name, byok.get("key") or "") or (
        byok.get("fingerprint") is not None and byok["fingerprint"] == name
    )


def _key_name(entry: Entry) -> str:
    byok = entry.get("byok")
    if byok is None:
        return "no own key"
    return f"key {byok.get('key') or byok.get('fingerprint') or '(no name in the scenario)'}"


def _miss_money(name: str, wanted: Any, nano: int, entries: Sequence[Entry]) -> Miss | None:
    low, high = (wanted, wanted) if is_number(wanted) else (wanted.get("min"), wanted.get("max"))
    too_low = low is not None and nano < round(low * 1e9)
    too_high = high is not None and nano > round(high * 1e9)
    if not too_low and not too_high:
        return None
    word = "credits" if name == "credits_spent" else "money at the own provider"
    bound = "" if is_number(wanted) else "at least " if too_low else "at most "
    expected = f"{name} {bound}{format_usd(round((low if too_low else high) * 1e9))}"
    part = "cost" if name == "credits_spent" else "byok_cost"
    paid = [entry["id"] for entry in entries if entry.get(part)]
    headline = f"{'more' if too_high else 'less'} {word} spent than expected"
    return Miss(headline, expected, f"{name} {format_usd(nano)}", marked=paid)


def _miss_findings(entries: Sequence[Entry]) -> Miss | None:
    found = [entry["id"] for entry in entries if entry.get("findings")]
    if not found:
        return None
    return Miss(
        "the client did something wrong",
        "no findings",
        f"findings in {count(len(found), 'call')}",
        marked=found,
    )
