"""Journal entries as people read them: a line a call, why it went so below it, the sum at the end.

Entries are plain dicts (contract section 5), so that the words are the same here, over HTTP and from a file.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from onerouter_mock.core.scenario.units import format_duration, format_usd
from onerouter_mock.core.trace import route

Entry = Mapping[str, Any]
# Paints a piece of text: (text, "green" | "yellow" | "red" | "dim") -> text.
Paint = Callable[[str, str], str]

ROUTE_WIDTH = 42
INDENT = " " * 14


def plain(text: str, colour: str) -> str:
    """No paint: for files, pipes and `NO_COLOR`."""
    return text


def call_lines(entry: Entry, *, retry_of: Entry | None = None, paint: Paint = plain) -> list[str]:
    """The lines of one call: what was sent and who paid, then, indented, why.

    Shape: `retry_of` is the call that this one repeats, where known (`find_retried`).
    """
    return [call_line(entry, retry_of=retry_of, paint=paint), *(INDENT + line for line in reasons(entry))]


def call_line(entry: Entry, *, retry_of: Entry | None = None, paint: Paint = plain) -> str:
    """One call in one line: clock, number, status, route, who paid, how much, how long.

    Units: first the session's clock in seconds, last the milliseconds from arrival to the last byte.
    """
    status = entry.get("status")
    who, money, colour = _payer(entry)
    number = f"#{entry['id']}"
    ended_ms = entry.get("ended_ms")
    took = (
        "…" if ended_ms is None else f"{ended_ms:.0f} ms" if ended_ms < 9_999 else f"{ended_ms / 1000:.1f} s"
    )
    painted = paint(f"{status or '---':>3}", _status_colour(status))
    line = (
        f"{entry.get('clock') or 0:6.1f}s{number:>5}  {painted}  {route(entry):<{ROUTE_WIDTH}}"
        f"  {paint(f'{who:<7}', colour)}  {money if ended_ms is not None else '':>8}  {took:>7}"
    )
    return line + _tail(entry, retry_of)


def _tail(entry: Entry, retry_of: Entry | None) -> str:
    notes = []
    if entry.get("sdk_retry"):
        notes.append(f"SDK retry {entry['sdk_retry']}" + (f" of #{retry_of['id']}" if retry_of else ""))
    if entry.get("session", "default") != "default":
        notes.append(f"session {entry['session']}")
    return "".join(f"   {note}" for note in notes)


def _payer(entry: Entry) -> tuple[str, str, str]:
    served = entry.get("served_by")
    if served is None:
        ran = entry.get("attempts") or entry.get("error") or (entry.get("status") or 500) >= 400
        return ("nobody", "", "dim") if ran else ("router", "", "dim")
    if served["lane"] == "byok":
        return "own key", _usd(entry.get("byok_cost")), "plain"
    cost = entry.get("cost") or 0
    return ("CREDITS", _usd(cost), "yellow") if cost else ("pool", "$0", "plain")


def _usd(amount: float | None) -> str:
    return format_usd(round((amount or 0) * 1e9))


def _status_colour(status: int | None) -> str:
    if status is None or status >= 500:
        return "red"
    return "green" if status < 400 else "yellow" if status < 429 else "red"


def reasons(entry: Entry) -> list[str]:
    """Why a call went as it went: rules and limits with their numbers and file:line, findings, notes."""
    lines = [str(line) for line in entry.get("story") or ()]
    if entry.get("ending") == "client_left":
        sent = entry.get("sent") or {}
        lines.append(
            f"the client left after {sent.get('chunks') or 0} chunks ({entry.get('ended_ms') or 0:.0f} ms)"
        )
    lines += [_finding_line(finding) for finding in entry.get("findings") or ()]
    return lines + [f"note: {notice}" for notice in entry.get("notices") or () if notice not in lines]


def _finding_line(finding: Any) -> str:
    if not isinstance(finding, Mapping):
        return f"! {finding}"
    name = finding.get("name") or finding.get("kind") or finding.get("rule") or "finding"
    return f"! {name}: {finding.get('message') or finding.get('what') or ''}".rstrip(": ")


def is_trouble(entry: Entry) -> bool:
    """Whether a call has a second line, or no status below 400: what `--log problems` prints."""
    return (entry.get("status") or 500) >= 400 or bool(reasons(entry))


def find_retried(entry: Entry, earlier: Iterable[Entry]) -> Entry | None:
    """The first try of the call that an SDK says it repeats with `entry`; `earlier` newest first."""
    if not entry.get("sdk_retry"):
        return None
    for other in earlier:
        if _asks_the_same(entry, other) and not other.get("sdk_retry"):
            return other
    return None


def _asks_the_same(one: Entry, other: Entry) -> bool:
    keys = ("session", "path", "model", "stream", "account")
    body = (one.get("request") or {}).get("body")
    return all(one.get(key) == other.get(key) for key in keys) and body == (other.get("request") or {}).get(
        "body"
    )


def timeline(entries: Sequence[Entry], *, paint: Paint = plain) -> list[str]:
    """Every call of a journal in lines, oldest first."""
    lines = []
    for index, entry in enumerate(entries):
        retried = find_retried(entry, reversed(entries[:index]))
        lines += call_lines(entry, retry_of=retried, paint=paint)
    return lines


def sum_up(entries: Iterable[Entry]) -> dict[str, Any]:
    """Totals of calls: `calls`, `byok`, `shared`, `nobody`, `credits_nano`, `byok_nano`, `findings`."""
    total = {
        "calls": 0,
        "byok": 0,
        "shared": 0,
        "nobody": 0,
        "credits_nano": 0,
        "byok_nano": 0,
        "findings": 0,
    }
    for entry in entries:
        add_up(total, entry)
    return total


def add_up(total: dict[str, int], entry: Entry) -> None:
    """Count one ended call into the totals of `sum_up`."""
    total["calls"] += 1
    who = _payer(entry)[0]
    served = entry.get("served_by")
    if served is not None:
        total[served["lane"]] += 1
    elif who == "nobody":
        total["nobody"] += 1
    total["credits_nano"] += round((entry.get("cost") or 0) * 1e9)
    total["byok_nano"] += round((entry.get("byok_cost") or 0) * 1e9)
    total["findings"] += len(entry.get("findings") or ())


def sum_line(total: Mapping[str, int], *, lasted_us: int | None = None) -> str:
    """The totals: `8 calls in 12.4s   own key 3   shared pool 2   nobody 3   credits $0.00019`."""
    calls = f"{total['calls']} call{'' if total['calls'] == 1 else 's'}"
    if lasted_us is not None:
        calls += f" in {format_duration(round(lasted_us, -5))}"
    parts = [calls, *who_served(total["calls"], total), f"credits {format_usd(total['credits_nano'])}"]
    if total["findings"]:
        parts.append(f"findings {total['findings']}")
    return "   ".join(parts)


def who_served(calls: int, served: Mapping[str, int]) -> list[str]:
    """Who served so many calls, in parts of a line that add up.

    Shape: `served` has `byok`, `shared` and `nobody`; the rest (models, balances) the router answered itself.
    """
    parts = [f"own key {served['byok']}", f"shared pool {served['shared']}", f"nobody {served['nobody']}"]
    rest = calls - served["byok"] - served["shared"] - served["nobody"]
    return [*parts, f"router {rest}"] if rest > 0 else parts


def report(entries: Sequence[Entry], *, dropped: int = 0, paint: Paint = plain) -> list[str]:
    """A journal as `onerouter-mock report` prints it: the timeline, then the totals."""
    if not entries:
        return ["no calls yet"]
    lines = [f"({dropped} earlier calls are not shown)"] if dropped else []
    return [*lines, *timeline(entries, paint=paint), sum_line(sum_up(entries))]
