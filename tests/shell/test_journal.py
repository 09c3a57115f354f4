from __future__ import annotations

import json
from typing import Any

import pytest

from onerouter_mock.core.records import Attempt, Byok, Call, Cost, Decision, Failure, Skipped, Usage, Wants
from onerouter_mock.journal import Entry, Journal, Totals, iso_time, money_and_route

SECOND_US = 1_000_000
BEGAN_US = 1_795_411_800 * SECOND_US  # 2026-11-23T05:30:00Z


def call(number: int = 3, **fields: Any) -> Call:
    given = {"endpoint": "chat", "model": "gpt-5.1-chat", "stream": True, "account": "default", **fields}
    return Call(number, "default", "POST", "/v1/chat/completions", **given)


def attempt(n: int, lane: str, **fields: Any) -> Attempt:
    return Attempt(n, lane, "openai", "gpt-5.1-chat", **fields)


def fallen_back(number: int = 3) -> Decision:
    refused = attempt(
        1,
        "byok",
        result="rate_limit",
        status=429,
        cause="limit own-openai",
        where="ratelimit.yaml:3",
        took_us=30_000,
    )
    served = attempt(2, "shared", at_us=30_000)
    return Decision(
        call(number, byok=Byok("openai", "alice", "keyed-hash", "7f3a", True, True), notices=["a notice"]),
        BEGAN_US + 1_300_000,
        attempts=[refused, served],
        served=served,
        usage=Usage(9, 12),
        cost=Cost(prompt_nano=11_250, completion_nano=120_000, total_nano=131_000),
        notes=["another"],
        request_id="0" * 31 + "a",
        wire_id="20261123053000000000000AbCdEfGh",
        changes={"cell": 1},
    )


def refused(number: int = 1) -> Decision:
    failure = Failure("rate_limit", 429, "Rate limit reached", type="requests", code="rate_limit_exceeded")
    tried = attempt(1, "byok", result="rate_limit", status=429, failure=failure)
    return Decision(
        call(number, stream=False, byok=Byok("openai", None, "keyed-hash", None, False, False)),
        BEGAN_US,
        attempts=[tried],
        skipped=[Skipped("shared", None, None, "fallback is false")],
        failure=failure,
        failed_lane="byok",
        status=429,
        wait_us=18_700_001,
        told_us=1_000,
    )


def entry(decision: Decision, route: str = "byok:openai!rate_limit -> shared:openai", size: int = 0) -> Entry:
    return Entry("default", decision, route, BEGAN_US, size)


def test_an_entry_has_exactly_the_members_of_the_contract() -> None:
    shown = entry(fallen_back())
    shown.ending, shown.ended_us, shown.sent_text = "finish", 95_000, "Hello"
    shown.sent_chunks, shown.sent_tokens, shown.sent_bytes = 12, 12, 1840
    told = json.loads(json.dumps(shown.as_dict()))
    assert told.pop("story") == [
        "own-openai: openai answered 429 rate_limit to key alice …7f3a (ratelimit.yaml:3)"
    ]
    assert told == {
        "id": 3,
        "session": "default",
        "request_id": "0000000000000000000000000000000a",
        "endpoint": "chat",
        "method": "POST",
        "path": "/v1/chat/completions",
        "model": "gpt-5.1-chat",
        "stream": True,
        "account": "default",
        "byok": {"provider": "openai", "key": "alice", "fingerprint": "…7f3a", "fallback": True},
        "attempts": [
            {"n": 1, "lane": "byok", "provider": "openai", "model": "gpt-5.1-chat",
             "result": "rate_limit", "status": 429, "cause": "limit own-openai", "where": "ratelimit.yaml:3",
             "at_ms": 0, "took_ms": 30},
            {"n": 2, "lane": "shared", "provider": "openai", "model": "gpt-5.1-chat", "result": "ok",
             "status": 200, "cause": None, "where": None, "at_ms": 30, "took_ms": 0},
        ],
        "skipped": [],
        "route": "byok:openai!rate_limit -> shared:openai",
        "served_by": {"lane": "shared", "provider": "openai", "model": "gpt-5.1-chat"},
        "status": 200,
        "error": None,
        "usage": {"prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21},
        "cost": 0.000131,
        "byok_cost": 0,
        "ending": "finish",
        "sdk_retry": 0,
        "request": {"headers": {}, "body": None},
        "sent": {"text": "Hello", "chunks": 12, "tokens": 12, "bytes": 1840},
        "notices": ["a notice", "another"],
        "arrived_at": "2026-11-23T05:30:01.300Z",
        "clock": 1.3,
        "ended_ms": 95,
        "wait_ms": None,
        "told_ms": None,
        "fallback_sent": True,
        "findings": [],
    }  # fmt: skip


def test_a_call_in_flight_has_no_end_yet() -> None:
    shown = entry(fallen_back()).as_dict()
    assert (shown["ending"], shown["sent"], shown["ended_ms"]) == (None, None, None)


def test_a_refused_call_tells_why_and_how_long_to_wait() -> None:
    shown = entry(refused(), "byok:openai!rate_limit").as_dict()
    assert shown["served_by"] is None
    assert shown["status"] == 429
    assert shown["error"]["kind"] == "rate_limit"
    assert shown["error"]["message"] == "Rate limit reached"
    assert shown["skipped"] == [
        {"lane": "shared", "provider": None, "model": None, "why": "fallback is false"}
    ]
    assert (shown["wait_ms"], shown["told_ms"]) == (18_700.001, 1)
    assert shown["byok"]["fingerprint"] is None
    assert (shown["usage"], shown["cost"], shown["fallback_sent"]) == (None, 0, False)


def test_a_released_entry_reads_the_same_without_what_made_it() -> None:
    decision = fallen_back()
    decision.call.ask, decision.call.wants = object(), Wants()
    kept = entry(decision)
    before = kept.as_dict()
    kept.release()
    assert kept.as_dict() == before
    assert decision.changes == {}
    assert decision.call.ask is None


def journal(count: int, **bounds: int) -> Journal:
    kept = Journal(**bounds)
    for number in range(1, count + 1):
        kept.add(entry(fallen_back(number), size=100))
    return kept


def ids(entries: list[Entry]) -> list[int]:
    return [kept.id for kept in entries]


def test_the_ring_drops_the_oldest_and_counts_them() -> None:
    kept = journal(5, max_entries=3)
    assert ids(kept.read()) == [3, 4, 5]
    assert kept.dropped == 2


def test_the_ring_is_bounded_in_bytes_too() -> None:
    kept = journal(10, max_bytes=10_000)
    assert ids(kept.read()) == [8, 9, 10]
    kept.add(entry(fallen_back(11), size=9_000))
    assert len(kept) == 0


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, [1, 2, 3, 4, 5]),
        ({"limit": 2}, [4, 5]),
        ({"limit": 0}, []),
        ({"after": 2}, [3, 4, 5]),
        ({"after": 2, "limit": 2}, [3, 4]),
        ({"after": 9}, []),
    ],
)
def test_reading_gives_the_last_or_those_after(asked: dict[str, int], found: list[int]) -> None:
    assert ids(journal(5).read(**asked)) == found


@pytest.mark.parametrize("ident", ["2", "000000000000000000000000000000b2", "wire-2"])
def test_a_call_is_found_by_any_of_its_ids(ident: str) -> None:
    kept = Journal()
    for number in (1, 2, 3):
        decision = fallen_back(number)
        decision.request_id, decision.wire_id = f"{'0' * 30}b{number}", f"wire-{number}"
        kept.add(entry(decision))
    found = kept.find(ident)
    assert found is not None
    assert found.id == 2


@pytest.mark.parametrize("ident", ["7", "", "none", "٣", "9" * 5_000])
def test_an_unknown_id_finds_nothing(ident: str) -> None:
    assert journal(3).find(ident) is None


def test_clearing_forgets_everything() -> None:
    kept = journal(5, max_entries=3)
    kept.clear()
    assert (len(kept), kept.dropped) == (0, 0)


def test_totals_are_a_matrix_cell() -> None:
    totals = Totals()
    totals.count(entry(fallen_back()))
    totals.count(entry(refused(), "byok:openai!rate_limit"))
    assert totals.as_dict() == {
        "calls": 2,
        "routes": {"byok:openai!rate_limit -> shared:openai": 1, "byok:openai!rate_limit": 1},
        "served_by": {"byok": 0, "shared": 1, "nobody": 1},
        "credits_spent": 0.000131,
        "byok_spent": 0,
        "fallbacks": 1,
        "with_byok_conf": 2,
        "findings": [],
    }


def test_what_the_router_answers_by_itself_is_served_by_nobody_and_missed_by_nobody() -> None:
    totals = Totals()
    totals.count(entry(Decision(call(endpoint="models", model=""), BEGAN_US), "router"))
    assert totals.calls == 1
    assert totals.served_by == {"byok": 0, "shared": 0, "nobody": 0}


def test_totals_follow_an_answer_that_ended_otherwise() -> None:
    totals, left = Totals(), entry(fallen_back())
    counted = totals.count(left)
    left.route += "~client_left"
    left.decision.cost = Cost(total_nano=50_000)
    assert money_and_route(left) != counted
    totals.recount(left, counted)
    assert totals.as_dict()["routes"] == {"byok:openai!rate_limit -> shared:openai~client_left": 1}
    assert totals.as_dict()["credits_spent"] == 0.00005


def test_totals_do_not_grow_with_the_routes_that_clients_make_up() -> None:
    totals = Totals()
    for number in range(10_100):
        totals.count(entry(fallen_back(), f"shared:openai(made-up-{number})"))
    assert len(totals.routes) == 10_000
    assert totals.calls == 10_100


def test_times_are_shown_in_utc_with_milliseconds() -> None:
    assert iso_time(BEGAN_US + 1_234) == "2026-11-23T05:30:00.001Z"
