"""What was asked, what was decided, how it ended: a ring of entries for each session, and totals that stay.

What may live here: the record of one call, the ring, the totals; nothing that decides or waits. An entry
keeps references and becomes JSON when somebody asks: as a dict it would cost every call.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from onerouter_mock.core.endings import let_go
from onerouter_mock.core.trace import story

if TYPE_CHECKING:
    from onerouter_mock.core.records import Attempt, Call, Decision, Skipped

_ENTRY_BYTES = 3_000  # what an entry with an empty body keeps alive, measured
_MOST_ROUTES = 10_000  # clients choose model names, and routes hold them

Counted = tuple[str, int, int]


@dataclass(slots=True)
class Entry:
    """One call. `arrived_us` is on the session's clock, `began_us` when the session began on it.

    Shape: `ending` and `ended_us` (since arrival) are None while the call is in flight.
    """

    session: str
    decision: Decision
    route: str
    began_us: int
    size: int
    ending: str | None = None
    ended_us: int | None = None
    sent_text: str = ""
    sent_chunks: int = 0
    sent_tokens: int = 0
    sent_bytes: int = 0

    @property
    def id(self) -> int:
        """The call's number in its session, from 1."""
        return self.decision.call.number

    @property
    def call(self) -> Call:
        """The request, as the router understood it."""
        return self.decision.call

    @property
    def arrived_us(self) -> int:
        """When it came. Units: microseconds since the Unix epoch, on the session's clock."""
        return self.decision.now_us

    def as_dict(self) -> dict[str, Any]:
        """The entry as the control API gives it (contract, 5). Units: `_ms`, USD, `clock` in seconds."""
        decision = self.decision
        call, cost, byok, served = decision.call, decision.cost, decision.call.byok, decision.served
        return {
            "id": call.number,
            "session": self.session,
            "request_id": decision.request_id,
            "endpoint": call.endpoint,
            "method": call.method,
            "path": call.path,
            "model": (served.asked if served else "") or call.model or None,
            "stream": call.stream,
            "account": call.account,
            "byok": _byok(call),
            "attempts": [_attempt(attempt) for attempt in decision.attempts],
            "skipped": [_skipped(skip) for skip in decision.skipped],
            "route": self.route,
            "served_by": served and {"lane": served.lane, "provider": served.provider, "model": served.model},
            "status": decision.status,
            "error": _error(decision),
            "usage": _usage(decision),
            "cost": usd(cost.total_nano) if cost else 0,
            "byok_cost": usd(cost.byok_nano) if cost else 0,
            "ending": self.ending,
            "sdk_retry": call.sdk_retry,
            "request": _request(call),
            "sent": self._sent(),
            "notices": [*call.notices, *decision.notes],
            "story": story(decision),
            "arrived_at": iso_time(self.arrived_us),
            "clock": seconds(self.arrived_us - self.began_us),
            "ended_ms": milliseconds(self.ended_us),
            "wait_ms": milliseconds(decision.wait_us),
            "told_ms": milliseconds(decision.told_us),
            "fallback_sent": byok.fallback_sent if byok else None,
            "findings": [],
        }

    def _sent(self) -> dict[str, Any] | None:
        if self.ended_us is None:
            return None
        sealed = self.call.sealed
        text = sealed.cut(self.sent_text) if sealed and self.sent_text else self.sent_text
        sent = {"text": text, "chunks": self.sent_chunks, "tokens": self.sent_tokens}
        return {**sent, "bytes": self.sent_bytes}

    def release(self) -> None:
        """Lets go of what only an answer in the making needs."""
        let_go(self.decision)


class Journal:
    """The last entries of a session: at most so many, of at most so many bytes; the oldest go first."""

    __slots__ = ("_bytes", "_entries", "_max_bytes", "_max_entries", "dropped")

    def __init__(self, max_entries: int = 2_000, max_bytes: int = 16_000_000) -> None:
        self._entries: deque[Entry] = deque()
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._bytes = 0
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, entry: Entry) -> None:
        """Keeps an entry, and drops the oldest where there is no room for all."""
        entries = self._entries
        entries.append(entry)
        self._bytes += entry.size + _ENTRY_BYTES
        while entries and (len(entries) > self._max_entries or self._bytes > self._max_bytes):
            self._bytes -= entries.popleft().size + _ENTRY_BYTES
            self.dropped += 1

    def clear(self) -> None:
        """Forgets all entries, and that any were dropped."""
        self._entries.clear()
        self._bytes = self.dropped = 0

    def find(self, ident: str) -> Entry | None:
        """The entry with this id, request id (of the body) or id in the request-id header, newest first."""
        number = int(ident) if ident.isascii() and ident.isdigit() and len(ident) < 16 else None
        for entry in reversed(self._entries):
            decision = entry.decision
            if decision.call.number == number or ident in (decision.request_id, decision.wire_id):
                return entry
        return None

    def read(self, *, after: int | None = None, limit: int | None = None) -> list[Entry]:
        """Entries, oldest first: with `after` the next `limit` whose id is higher, else the last `limit`."""
        if after is not None:
            return [entry for entry in self._entries if entry.id > after][:limit]
        entries = list(self._entries)
        return entries if limit is None else entries[max(0, len(entries) - limit) :]


@dataclass(slots=True)
class Totals:
    """What no ring forgets: the numbers of a matrix cell. `with_byok`: calls with a valid `byok_conf`."""

    calls: int = 0
    routes: dict[str, int] = field(default_factory=dict)
    served_by: dict[str, int] = field(default_factory=lambda: {"byok": 0, "shared": 0, "nobody": 0})
    credits_nano: int = 0
    byok_nano: int = 0
    fallbacks: int = 0
    with_byok: int = 0

    def count(self, entry: Entry) -> Counted:
        """Counts a call that begins."""
        decision = entry.decision
        self.calls += 1
        if decision.served is not None:
            self.served_by[decision.served.lane] += 1
        elif decision.failure is not None:  # else the router itself answered, with its models, a balance
            self.served_by["nobody"] += 1
        if decision.call.byok is not None:
            self.with_byok += 1
            self.fallbacks += any(attempt.lane == "shared" for attempt in decision.attempts)
        return self._enter(entry)

    def recount(self, entry: Entry, counted: Counted) -> None:
        """Sets right what an answer's end has changed: the route, the money."""
        route, credits_nano, byok_nano = counted
        left = self.routes.get(route, 0) - 1
        if left > 0:
            self.routes[route] = left
        else:
            self.routes.pop(route, None)
        self.credits_nano -= credits_nano
        self.byok_nano -= byok_nano
        self._enter(entry)

    def _enter(self, entry: Entry) -> Counted:
        counted = route, credits_nano, byok_nano = money_and_route(entry)
        if route in self.routes or len(self.routes) < _MOST_ROUTES:
            self.routes[route] = self.routes.get(route, 0) + 1
        self.credits_nano += credits_nano
        self.byok_nano += byok_nano
        return counted

    def as_dict(self) -> dict[str, Any]:
        """Money in USD."""
        return {
            "calls": self.calls,
            "routes": dict(self.routes),
            "served_by": dict(self.served_by),
            "credits_spent": usd(self.credits_nano),
            "byok_spent": usd(self.byok_nano),
            "fallbacks": self.fallbacks,
            "with_byok_conf": self.with_byok,
            "findings": [],
        }


def money_and_route(entry: Entry) -> Counted:
    """What the end of a call may still change in the totals."""
    cost = entry.decision.cost
    return (entry.route, cost.total_nano, cost.byok_nano) if cost else (entry.route, 0, 0)


def _byok(call: Call) -> dict[str, Any] | None:
    byok = call.byok
    if byok is None:
        return None
    fingerprint = f"…{byok.last4}" if byok.last4 else None
    return {"provider": byok.provider, "key": byok.key, "fingerprint": fingerprint, "fallback": byok.fallback}


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "n": attempt.n,
        "lane": attempt.lane,
        "provider": attempt.provider,
        "model": attempt.model,
        "result": attempt.result,
        "status": attempt.status,
        "cause": attempt.cause,
        "where": attempt.where,
        "at_ms": milliseconds(attempt.at_us),
        "took_ms": milliseconds(attempt.took_us),
    }


def _skipped(skip: Skipped) -> dict[str, Any]:
    return {"lane": skip.lane, "provider": skip.provider, "model": skip.model, "why": skip.why}


def _error(decision: Decision) -> dict[str, Any] | None:
    failure = decision.failure
    if failure is None or decision.served is not None:
        return None
    return {name: getattr(failure, name) for name in ("kind", "message", "type", "code", "param")}


def _usage(decision: Decision) -> dict[str, int] | None:
    usage = decision.usage
    if usage is None:
        return None
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    }


def _request(call: Call) -> dict[str, Any]:
    sealed = call.sealed
    return {"headers": sealed.headers() if sealed else {}, "body": sealed.body() if sealed else None}


def usd(nano: int) -> float:
    """Whole nano-dollars in USD, as JSON shows it (0, not 0.0)."""
    return nano / 1e9 if nano else 0


def milliseconds(us: int | None) -> float | None:
    """Microseconds in milliseconds, a whole number where it is one."""
    if us is None:
        return None
    whole, rest = divmod(us, 1000)
    return us / 1000 if rest else whole


def seconds(us: int) -> float:
    """Microseconds in seconds, a whole number where it is one."""
    whole, rest = divmod(us, 1_000_000)
    return us / 1e6 if rest else whole


def iso_time(us: int) -> str:
    """`2026-11-23T05:30:00.000Z` for microseconds since the Unix epoch."""
    s, rest_us = divmod(us, 1_000_000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(s))}.{rest_us // 1000:03d}Z"
