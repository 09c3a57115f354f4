"""One decision: test keys, expiry, failures' words, waits, times, ids, shapes."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest
from builders import BEGAN_US, byok, call, scenario, state, world

from onerouter_mock.core.decide import decide, refuse
from onerouter_mock.core.errors import RequestError
from onerouter_mock.core.records import KINDS, Decision, Failure, Routing
from onerouter_mock.core.trace import route

OWN = {"lane": "byok"}
KEY = byok(fallback=False)


def failure_of(decision: Decision) -> Failure:
    assert decision.failure is not None
    return decision.failure


def own_failure(**rule: Any) -> Decision:
    return world(rules=[{"name": "r", "when": OWN, **rule}]).ask(KEY)


# Keys


@pytest.mark.parametrize("kind", KINDS)
def test_a_providers_test_key_fails_with_its_kind_in_every_scenario(kind: str) -> None:
    there = world(limits=[{"name": "l", "when": OWN, "requests": "1/min"}])
    decision = there.ask(byok(key=f"mock-{kind}", test_kind=kind, fallback=False))
    assert route(decision) == f"byok:openai!{kind}"
    assert decision.attempts[0].cause == "test key"
    assert not [cell for cell in decision.changes if cell[0] == "bucket"]


def test_a_onerouter_test_key_fails_the_call_before_anything_else() -> None:
    there = world(
        rules=[{"name": "r", "when": {"lane": "router"}, "times": 1, "skip": 1, "error": "overloaded"}]
    )
    decision = there.ask(byok(), account_test_kind="quota")
    assert (route(decision), decision.status, decision.router_cause) == (
        "router!quota",
        402,
        ("test key", None),
    )
    assert there.route(byok()) == "router!overloaded"  # the first call was counted


def test_the_list_of_models_needs_no_key_and_fails_for_none() -> None:
    assert world().ask(endpoint="models", account_test_kind="quota", wants=None).failure is None


def test_a_key_expires_so_long_after_the_session_began() -> None:
    there = world(keys={"alice": {"match": "sk-alice-*", "expires": "60s"}})
    alice = byok(key="alice")
    there.advance(59.999)
    assert there.route(alice) == "byok:openai"
    there.advance(0.001)
    decision = there.ask(alice)
    assert route(decision) == "byok:openai!invalid_key -> shared:openai"
    assert decision.attempts[0].cause == "expired key"
    assert there.route(byok()) == "byok:openai"


def test_a_forced_fallback_is_told() -> None:
    there = world(rules=[{"when": OWN, "error": "overloaded"}])
    decision = there.ask(byok(fallback=False, fallback_sent=True))
    assert route(decision) == "byok:openai!overloaded"
    assert decision.notes == ["byok_conf.fallback: true was sent, false is in force (--force-fallback)"]


# Words of a failure


def test_what_a_rule_does_not_say_comes_from_the_provider() -> None:
    failure = failure_of(own_failure(error="quota"))
    assert (failure.status, failure.type, failure.code) == (429, "insufficient_quota", "insufficient_quota")
    failure = failure_of(
        own_failure(error={"kind": "quota", "status": 418, "message": "no", "code": 7, "param": "p"})
    )
    assert (failure.status, failure.message, failure.type) == (418, "no", "insufficient_quota")
    assert (failure.code, failure.param) == (7, "p")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid_request"), (401, "invalid_key"), (402, "quota"), (403, "permission"),
        (404, "model_not_found"), (408, "timeout"), (422, "invalid_request"), (429, "rate_limit"),
        (500, "server_error"), (502, "bad_gateway"), (503, "overloaded"), (504, "timeout"),
        (507, "server_error"), (529, "overloaded"),
    ],
)  # fmt: skip
def test_a_bare_status_is_the_status_sent(status: int, kind: str) -> None:
    decision = own_failure(error=status)
    assert (route(decision), decision.status) == (f"byok:openai!{kind}", status)


def test_a_shared_failure_hides_its_own_status_from_the_client() -> None:
    there = world(rules=[{"name": "r", "when": {"lane": "shared"}, "error": 503}])
    decision = there.ask()
    assert (decision.attempts[-1].status, decision.status, failure_of(decision).status) == (503, 502, 502)


@pytest.mark.parametrize("connection", ["reset", "empty", "garbage", "short_body", "html", "hang"])
def test_a_broken_connection_to_the_provider_is_the_routers_502_or_408(connection: str) -> None:
    decision = own_failure(connection=connection)
    kind, status = ("timeout", 408) if connection == "hang" else ("connection", 502)
    assert (route(decision), decision.status) == (f"byok:openai!{kind}", status)
    assert failure_of(decision).connection is None  # the client's wire is whole
    provider_sent = {"html": 502, "short_body": 200}.get(connection)
    assert decision.attempts[0].status == provider_sent


def test_the_message_quotes_no_more_than_the_last_four_of_a_key() -> None:
    failure = failure_of(own_failure(error="invalid_key"))
    assert "****1234" in failure.message


# Waits


def test_a_rule_without_a_wait_tells_none() -> None:
    decision = own_failure(error="rate_limit")
    assert (decision.wait_us, decision.told_us) == (None, None)
    assert "try again in" not in failure_of(decision).message


def test_a_rules_wait_is_in_the_message_too() -> None:
    decision = own_failure(error={"kind": "rate_limit", "retry_after": "18.7s"})
    assert (decision.wait_us, decision.told_us) == (18_700_000, 18_700_000)
    assert "18.7s" in failure_of(decision).message


def test_waits_are_told_divided_by_speed() -> None:
    there = world(speed=10, limits=[{"name": "l", "when": OWN, "requests": "3/min"}])
    [there.ask(KEY) for _ in range(3)]
    decision = there.ask(KEY)
    assert (decision.wait_us, decision.told_us) == (20_000_000, 2_000_000)
    assert "2s" in failure_of(decision).message


def test_on_a_virtual_clock_nobody_waits_by_the_clients_seconds() -> None:
    there = world(
        speed=10, clock="virtual", waits="told", limits=[{"name": "l", "when": OWN, "requests": "3/min"}]
    )
    [there.ask(KEY) for _ in range(3)]
    decision = there.ask(KEY)
    assert (decision.wait_us, decision.told_us) == (20_000_000, 20_000_000)
    assert "20s" in failure_of(decision).message
    assert dict(decision.limit_headers)["x-ratelimit-reset-requests"] == "1m0s"


@pytest.mark.parametrize(
    ("error", "told_us"),
    [
        ({"kind": "invalid_key", "should_retry": True, "retry_after": "31s"}, 1000),
        ("rate_limit", 1000), ("overloaded", 1000), ("timeout", 1000), (409, 1000), ("invalid_key", None),
        (402, None), ({"kind": "rate_limit", "headers": {"Retry-After": "7"}}, None),
    ],
    ids=str,
)  # fmt: skip
def test_under_jump_every_refusal_that_sdks_retry_says_a_millisecond(error: Any, told_us: int | None) -> None:
    there = world(clock="virtual", rules=[{"name": "r", "when": OWN, "error": error}])
    assert there.ask(KEY).told_us == told_us


def test_under_jump_the_message_and_the_true_wait_stay() -> None:
    there = world(clock="virtual", limits=[{"name": "l", "when": OWN, "requests": "3/min"}])
    [there.ask(KEY) for _ in range(3)]
    decision = there.ask(KEY)
    assert (decision.wait_us, decision.told_us) == (20_000_000, 1000)
    assert "20s" in failure_of(decision).message
    assert dict(decision.limit_headers)["x-ratelimit-reset-requests"] == "1m0s"


def test_a_date_is_told_as_a_date() -> None:
    date = "Thu, 01 Jan 2026 00:00:30 GMT"
    decision = own_failure(error={"kind": "rate_limit", "retry_after": date})
    assert (failure_of(decision).date, decision.wait_us) == (date, 30_000_000)


def test_a_prompt_longer_than_the_models_context_is_noted() -> None:
    there = world(models={"gpt-5.1-chat": {"context": 100}})
    assert there.ask(prompt_tokens=100).notes == []
    (note,) = there.ask(prompt_tokens=101).notes
    assert "a prompt of about 101 tokens, where gpt-5.1-chat takes 100" in note


# Times


def test_delays_add_up_along_the_walk() -> None:
    there = world(
        rules=[
            {"name": "slow", "when": OWN, "delay": "250ms", "error": "overloaded"},
            {"name": "pool", "when": {"lane": "shared"}, "delay": "1s"},
        ],
    )
    decision = there.ask(byok())
    assert [(a.at_us, a.took_us) for a in decision.attempts] == [(0, 250_000), (250_000, 1_000_000)]
    assert decision.timeline is not None
    assert decision.timeline.start_us == 1_250_000


@pytest.mark.parametrize("fault", [{"error": "timeout"}, {"connection": "hang"}], ids=str)
def test_a_silent_provider_costs_the_routers_patience(fault: dict[str, Any]) -> None:
    there = world(router={"timeout": "3s"}, rules=[{"name": "r", "when": OWN, "delay": "1s", **fault}])
    decision = there.ask(byok())
    assert decision.attempts[0].took_us == 4_000_000
    assert decision.attempts[1].at_us == 4_000_000


def test_a_long_delay_is_waited_out() -> None:
    there = world(rules=[{"name": "r", "delay": "60s"}])
    assert there.route(byok()) == "byok:openai"


# Ids, purity, refusals


def test_ids_have_their_recorded_forms() -> None:
    decision = world().ask()
    assert re.fullmatch(r"[0-9a-f]{32}", decision.request_id)
    assert re.fullmatch(r"20260101000000[0-9]{9}[0-9A-Za-z]{8}", decision.wire_id)
    assert re.fullmatch(r"chatcmpl-[0-9a-f]{24}", decision.answer_id)
    assert decision.created_s == BEGAN_US // 1_000_000


def test_ids_are_the_same_for_the_same_call_and_no_other() -> None:
    first, again = (world().ask() for _ in range(2))
    assert first.request_id == again.request_id
    there = world()
    assert len({there.ask().wire_id for _ in range(50)}) == 50
    assert world(seed=1).ask().request_id != first.request_id


def test_a_clock_moved_beyond_all_dates_breaks_nothing() -> None:
    there = world(limits=[{"name": "l", "requests": "1/min", "when": OWN}])
    there.advance(1e13)
    assert there.route(KEY) == "byok:openai"


def test_deciding_writes_nothing() -> None:
    made = scenario(
        limits=[{"name": "l", "when": OWN, "requests": "2/min", "tokens": "10k/min", "concurrency": 3}],
        rules=[{"name": "r", "when": OWN, "every": 2, "error": "overloaded"}],
    )
    there, asked = state(made), call(own=byok())
    there.cells.update(decide(made, there, asked, BEGAN_US).changes)
    before = copy.deepcopy(there.cells)
    decision = decide(made, there, asked, BEGAN_US)
    assert there.cells == before
    assert decision.changes


def test_a_bad_request_draws_on_nothing_and_no_rule_sees_it() -> None:
    made = scenario(
        limits=[{"name": "l", "when": {"lane": "router"}, "requests": "1/min"}],
        rules=[{"name": "r", "when": {"lane": "router"}, "error": "overloaded"}],
    )
    error = RequestError(
        'byok_conf.fallback: "yes" is text; would be right: true', param="byok_conf.fallback"
    )
    decision = refuse(made, state(made), call(), error, BEGAN_US)
    assert (route(decision), decision.status, decision.changes) == ("router!invalid_request", 400, {})
    assert failure_of(decision).param == "byok_conf.fallback"
    assert failure_of(decision).message == error.message


@pytest.mark.parametrize(
    ("kind", "status"), [("invalid_key", 401), ("invalid_request", 404), ("invalid_request", 413)]
)
def test_a_refusal_keeps_its_status(kind: str, status: int) -> None:
    made = scenario()
    decision = refuse(made, state(made), call(), RequestError("no", kind=kind, status=status), BEGAN_US)
    assert (decision.status, route(decision)) == (status, f"router!{kind}")


def test_the_balance_is_what_is_left() -> None:
    there = world(accounts={"default": {"credits": 1}})
    spent = there.ask()
    assert spent.cost is not None
    left = there.ask(endpoint="balance", model="", wants=None)
    assert (left.status, left.balance_nano) == (200, 10**9 - spent.cost.total_nano)


def test_what_is_drawn_first_is_seen_by_a_later_attempt() -> None:
    there = world(
        limits=[{"name": "both", "per": ["account"], "requests": "1/min"}],
        rules=[{"name": "r", "when": OWN, "error": "overloaded"}],
    )
    walked = "byok:openai!overloaded -> shared:openai!rate_limit -> shared:azure-ai-foundry!rate_limit"
    assert there.route(byok()) == walked


# Dice


DELAY = {"uniform": ["1s", "9s"]}
PACES: dict[str, dict[str, Any]] = {
    "a rule's pace": {
        "rules": [{"name": "r", "when": {"stream": True}, "stream": {"gap": DELAY, "ttft": DELAY}}]
    },
    "a recorded latency": {"providers": {"alibaba": {"latency": "recorded"}}},
}


@pytest.mark.parametrize("fields", PACES.values(), ids=list(PACES))
def test_what_others_ask_moves_no_pace(fields: dict[str, Any]) -> None:
    def instants(*before: dict[str, Any]) -> list[Any]:
        there = world(**fields)
        for asked in before:
            there.ask(**asked)
        routing = Routing(only=("alibaba",))
        timelines = [
            there.ask(stream=True, model="deepseek/deepseek-v4-flash", routing=routing).timeline
            for _ in range(3)
        ]
        return [timeline and timeline.at_us for timeline in timelines]

    alone = instants()
    assert len(set(alone)) == 3
    assert instants({"endpoint": "models", "wants": None}, {"account_test_kind": "quota"}) == alone
