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


@dataclass(slots=True)
class Totals:
    """What a session spent, from its ledger. Units: nano-dollars."""

    credits_nano: int
    byok_nano: int


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
        found.append(_miss_route(body["route"], nth, entries))
    if "routes" in body:
        found.append(_miss_routes(body["routes"], entries))
    if "served_by" in body:
        found.append(_miss_server(body["served_by"], nth, entries))
    if "fallbacks" in body:
        found.append(_miss_fallbacks(body["fallbacks"], entries))
    if "key_used" in body:
        found.append(_miss_key(body["key_used"], entries, names))
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


def pick(entries: Sequence[Entry], nth: int) -> tuple[Entry | None, str]:
    """The call that `nth` means (as an index: -1 the last, 0 the first), and how to speak of it."""
    try:
        entry = entries[nth]
    except IndexError:
        return None, f"there is no call nth={nth}: the mock saw {count(len(entries), 'call')}"
    return entry, f"the last call (#{entry['id']})" if nth == -1 else f"call nth={nth} (#{entry['id']})"


def count(number: int, noun: str) -> str:
    """`1 call`, `2 calls`."""
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"


def _miss_route(route: str, nth: int, entries: Sequence[Entry]) -> Miss | None:
    entry, name = pick(entries, nth)
    if entry is None:
        return Miss(name, route, "no such call")
    if match_route(route.strip(), entry["route"]):
        return None
    return Miss(f"{name} took another route", route.strip(), entry["route"], entry, is_route=True)


def _miss_routes(routes: Sequence[str], entries: Sequence[Entry]) -> Miss | None:
    for nth, (route, entry) in enumerate(zip(routes, entries, strict=False)):
        if not match_route(route.strip(), entry["route"]):
            headline = f"call {nth + 1} of {len(routes)} (#{entry['id']}) took another route"
            return Miss(headline, route.strip(), entry["route"], entry, is_route=True)
    if len(routes) == len(entries):
        return None
    got, wanted = count(len(entries), "call"), count(len(routes), "route")
    over = [entry["id"] for entry in entries[len(routes) :]]
    first = routes[len(entries)] if len(entries) < len(routes) else entries[len(routes)]["route"]
    what = "the next would be" if len(entries) < len(routes) else "the first too many is"
    return Miss(f"the mock saw {got}, expected were {wanted}", wanted, f"{got}; {what} {first}", marked=over)


def _miss_server(wanted: Mapping[str, Any], nth: int, entries: Sequence[Entry]) -> Miss | None:
    entry, name = pick(entries, wanted.get("nth", nth))
    said = {part: wanted[part] for part in ("lane", "provider", "model") if part in wanted}
    expected = spell_server(said)
    if entry is None:
        return Miss(name, f"served by {expected}", "no such call")
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


def _miss_fallbacks(wanted: int, entries: Sequence[Entry]) -> Miss | None:
    fell = [entry["id"] for entry in entries if is_fallback(entry)]
    if len(fell) == wanted:
        return None
    got = count(len(fell), "fallback")
    which = f" ({', '.join(f'#{number}' for number in fell)})" if fell else ""
    return Miss(f"{got}, expected {wanted}", count(wanted, "fallback"), got + which, marked=fell)


def _miss_key(wanted: Mapping[str, Any], entries: Sequence[Entry], names: Collection[str]) -> Miss | None:
    used = [
        entry for entry in entries if entry.get("byok") is not None and _is_key(wanted["name"], entry["byok"])
    ]
    times = wanted.get("times")
    if (used and times is None) or len(used) == times:
        return None
    others: dict[str, int] = {}
    for entry in entries:
        others[_key_name(entry)] = others.get(_key_name(entry), 0) + 1
    seen = ", ".join(f"{name} {number} x" for name, number in others.items()) or "no call"
    name = wanted["name"] if wanted["name"] in names else _show_key(wanted["name"])
    expected = f"key {name}" + (f" {times} x" if times is not None else "")
    marked = [entry["id"] for entry in used]
    return Miss(f"key {name!r} was used in {count(len(used), 'call')}", expected, seen, marked=marked)


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
