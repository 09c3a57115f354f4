"""Budgets by example; what no example shows is in test_properties."""

from __future__ import annotations

import pytest
from builders import World, byok, world

from onerouter_mock.core.records import Decision
from onerouter_mock.core.trace import route

OWN = {"lane": "byok"}
NO_FALLBACK = byok(fallback=False)


def limited(**limit: object) -> World:
    return world(limits=[{"name": "own", "when": OWN, **limit}])


def refuse(there: World, **fields: object) -> Decision:
    decision = there.ask(NO_FALLBACK, **fields)
    assert decision.failure is not None, route(decision)
    return decision


def serve(there: World, times: int = 1, **fields: object) -> None:
    for _ in range(times):
        assert there.route(NO_FALLBACK, **fields) == "byok:openai"


@pytest.mark.parametrize("algorithm", ["bucket", "fixed", "sliding"])
def test_three_a_minute_admit_three_and_name_the_wait(algorithm: str) -> None:
    there = limited(requests="3/min", algorithm=algorithm)
    serve(there, 3)
    decision = refuse(there)
    wait_us = {"bucket": 20, "fixed": 60, "sliding": 60}[algorithm] * 1_000_000
    assert (decision.wait_us, decision.told_us) == (wait_us, wait_us)
    assert decision.attempts[0].cause == "limit own"
    assert decision.attempts[0].budget == "3/min"
    there.advance(wait_us / 1e6 - 0.001)
    refuse(there)
    there.advance(0.001)
    serve(there)


def test_the_wait_is_rounded_up_to_the_millisecond() -> None:
    there = limited(requests="7/min")
    serve(there, 7)
    assert refuse(there).wait_us == 8_572_000  # a seventh of a minute is 8.571428...


def test_a_bucket_refills_bit_by_bit() -> None:
    there = limited(requests="3/min")
    serve(there, 3)
    there.advance(40)
    serve(there, 2)
    assert refuse(there).wait_us == 20_000_000


def test_a_fixed_window_begins_at_first_use() -> None:
    there = limited(requests="2/min", algorithm="fixed")
    there.advance(45)
    serve(there, 2)
    there.advance(30)
    assert refuse(there).wait_us == 30_000_000


def test_a_sliding_window_forgets_one_by_one() -> None:
    there = limited(requests="2/min", algorithm="sliding")
    serve(there)
    there.advance(10)
    serve(there)
    assert refuse(there).wait_us == 50_000_000
    there.advance(50)
    serve(there)
    assert refuse(there).wait_us == 10_000_000


def test_of_several_budgets_the_longest_wait_is_told_and_none_is_drawn() -> None:
    there = limited(requests=["1/s", "3/min"], algorithm="sliding")
    serve(there)
    assert refuse(there).wait_us == 1_000_000
    for _ in range(2):
        there.advance(1)
        serve(there)
    decision = refuse(there)
    assert (decision.wait_us, decision.attempts[0].budget) == (58_000_000, "3/min")
    there.advance(58)
    serve(there)


def test_a_quota_never_refills_and_names_no_wait() -> None:
    there = limited(quota="2 requests")
    serve(there, 2)
    there.advance(1e6)
    decision = refuse(there)
    assert (decision.attempts[0].result, decision.wait_us, decision.told_us) == ("quota", None, None)


def test_what_was_used_before_the_session_is_drawn_at_its_beginning() -> None:
    there = limited(requests="3/min", used=3)
    assert refuse(there).wait_us == 20_000_000
    there.advance(20)
    assert there.route(byok(secret="sk-another-key-9876", fallback=False)) == "byok:openai"
    assert limited(quota="5 requests", used=5).route(NO_FALLBACK) == "byok:openai!quota"


def test_budgets_are_apart_by_key() -> None:
    there = limited(requests="1/min")
    serve(there)
    assert there.route(byok(secret="sk-another-key-9876", fallback=False)) == "byok:openai"
    refuse(there)


def test_in_the_shared_lane_a_key_means_the_account() -> None:
    there = world(
        accounts={"broke": {"match": "sk-broke-*"}},
        limits=[{"name": "pool", "when": {"lane": "shared"}, "requests": "1/min"}],
    )
    assert there.route() == "shared:openai"
    assert there.route() == "shared:openai!rate_limit -> shared:azure-ai-foundry!rate_limit"
    assert there.route(account="broke") == "shared:openai"


def test_per_provider_leaves_the_next_provider_its_own_budget() -> None:
    there = world(
        limits=[{"name": "p", "when": {"lane": "shared"}, "per": ["provider"], "requests": "1/min"}]
    )
    assert there.route() == "shared:openai"
    assert there.route() == "shared:openai!rate_limit -> shared:azure-ai-foundry"


def test_tokens_are_drawn_by_estimate_and_set_right_at_the_end() -> None:
    there = limited(tokens="1000/min")
    first = there.ask(NO_FALLBACK, max_tokens=900)
    refuse(there, max_tokens=900)
    there.end(first)
    used = first.usage
    assert used is not None
    left = 1000 - used.prompt_tokens - used.completion_tokens
    serve(there, max_tokens=left - 9)


def test_more_tokens_than_the_whole_limit_are_refused_for_good() -> None:
    decision = refuse(limited(tokens="1000/min"), max_tokens=2000)
    assert decision.wait_us is None
    assert decision.failure is not None
    assert decision.failure.message.startswith("Request too large for gpt-5.1-chat")
    assert "Limit 1000, Requested 2009" in decision.failure.message


def test_a_failed_attempt_keeps_its_request_and_gets_its_tokens_back() -> None:
    there = world(
        limits=[{"name": "own", "when": OWN, "requests": "2/min", "tokens": "1000/min"}],
        rules=[{"name": "once", "when": OWN, "times": 1, "error": "server_error"}],
    )
    assert there.route(NO_FALLBACK, max_tokens=900) == "byok:openai!server_error"
    serve(there, max_tokens=900)
    decision = refuse(there, max_tokens=10)
    assert decision.attempts[0].budget == "2/min"


def test_a_refused_attempt_draws_nothing() -> None:
    there = limited(requests="1/min", tokens="1M/min")
    serve(there)
    before = dict(there.state.cells)
    refuse(there)
    assert there.state.cells == before


def test_places_are_held_until_the_answer_ends() -> None:
    there = limited(concurrency=2)
    first, second = there.ask(NO_FALLBACK), there.ask(NO_FALLBACK)
    decision = refuse(there)
    assert (decision.attempts[0].result, decision.wait_us) == ("rate_limit", None)
    there.end(first)
    third = there.ask(NO_FALLBACK)
    assert third.served is not None
    refuse(there)
    there.end(second, 3)
    there.end(third)
    assert there.ask(NO_FALLBACK).served is not None


def test_failed_attempts_hold_no_place() -> None:
    there = world(
        limits=[{"name": "own", "when": OWN, "concurrency": 1}],
        rules=[{"name": "once", "when": OWN, "times": 1, "error": "server_error"}],
    )
    there.ask(NO_FALLBACK)
    assert there.ask(NO_FALLBACK).served is not None


def test_money_is_refused_once_it_is_spent_so_that_the_last_answer_overshoots() -> None:
    there = world(limits=[{"name": "cap", "when": OWN, "quota": "0.000001 USD"}])
    serve(there)
    assert refuse(there).attempts[0].result == "quota"


def test_headers_tell_the_smallest_share_for_requests_and_tokens_apart() -> None:
    there = world(
        limits=[
            {"name": "a", "when": OWN, "requests": ["10/min", "2/min"], "tokens": "100k/min"},
            {"name": "b", "when": OWN, "requests": "100/min", "headers": "none"},
        ]
    )
    headers = dict(there.ask(NO_FALLBACK, max_tokens=91).limit_headers)
    assert headers["x-ratelimit-limit-requests"] == "2"
    assert headers["x-ratelimit-remaining-requests"] == "1"
    assert headers["x-ratelimit-reset-requests"] == "30s"
    assert headers["x-ratelimit-remaining-tokens"] == "99900"


def test_headers_come_from_the_attempt_that_ended_the_call() -> None:
    there = world(
        limits=[
            {"name": "own", "when": OWN, "requests": "1/min"},
            {"name": "pool", "when": {"lane": "shared"}, "requests": "50/min"},
        ]
    )
    serve(there)
    assert dict(there.ask(byok()).limit_headers)["x-ratelimit-limit-requests"] == "50"
    assert dict(refuse(there).limit_headers)["x-ratelimit-remaining-requests"] == "0"


def test_a_limit_may_say_how_it_refuses() -> None:
    there = limited(
        quota="1 requests",
        error={"kind": "overloaded", "status": 599, "retry_after": "5s", "should_retry": False},
    )
    serve(there)
    decision = refuse(there)
    assert (decision.status, decision.wait_us) == (599, 5_000_000)
    assert decision.failure is not None
    assert decision.failure.should_retry is False


def test_a_limit_of_the_router_counts_calls_and_refuses_in_its_own_words() -> None:
    there = world(limits=[{"name": "door", "when": {"lane": "router"}, "requests": "1/min"}])
    assert there.route(byok()) == "byok:openai"
    decision = there.ask(byok())
    assert route(decision) == "router!rate_limit"
    assert (decision.status, decision.wait_us) == (429, 60_000_000)
    assert decision.router_cause is not None
    assert decision.router_cause[0] == "limit door"
    assert not decision.attempts


def test_a_limit_of_the_router_gets_its_tokens_back_when_nobody_served() -> None:
    there = world(
        limits=[{"name": "door", "when": {"lane": "router"}, "tokens": "1000/min"}],
        rules=[{"name": "once", "times": 1, "when": OWN, "error": "server_error"}],
    )
    there.ask(NO_FALLBACK, max_tokens=900)
    assert there.ask(NO_FALLBACK, max_tokens=900).served is not None
