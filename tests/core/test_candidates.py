"""Who may be tried, in which order, and why not the others (contract, section 2)."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from builders import World, byok, routing, world

from onerouter_mock.core.state import describe
from onerouter_mock.core.trace import route

DEEPSEEK = "deepseek/deepseek-v3.2"  # at deepseek, fireworks, deepinfra, alibaba


def tried(there: World, own: Any = None, **fields: Any) -> list[str]:
    """The providers of the shared pool, in the order in which a pool that is down is tried."""
    decision = there.ask(own, model=DEEPSEEK, **fields)
    return [attempt.provider for attempt in decision.attempts if attempt.lane == "shared"]


def down(**fields: Any) -> World:
    return world(rules=[{"name": "down", "error": "overloaded"}], **fields)


LISTED = ["deepseek", "fireworks", "deepinfra", "alibaba"]


@pytest.mark.parametrize(
    ("asked", "order"),
    [
        pytest.param({}, LISTED, id="as listed"),
        pytest.param(
            {"order": ("alibaba", "deepinfra")}, ["alibaba", "deepinfra", "deepseek", "fireworks"], id="order"
        ),
        pytest.param(
            {"order": ("nobody", "alibaba")}, ["alibaba", "deepseek", "fireworks", "deepinfra"], id="unknown"
        ),
        pytest.param({"only": ("alibaba", "fireworks")}, ["fireworks", "alibaba"], id="only"),
        pytest.param({"ignore": ("deepseek", "nobody")}, LISTED[1:], id="ignore"),
        pytest.param({"allow_fallbacks": False}, ["deepseek"], id="one"),
        pytest.param({"allow_fallbacks": False, "order": ("alibaba",)}, ["alibaba"], id="the chosen one"),
        pytest.param(
            {"sort": "throughput"}, ["alibaba", "deepinfra", "fireworks", "deepseek"], id="throughput"
        ),
        pytest.param({"sort": "latency"}, ["fireworks", "deepinfra", "alibaba", "deepseek"], id="latency"),
    ],
)
def test_the_provider_object_shapes_the_pool(asked: dict[str, Any], order: list[str]) -> None:
    assert tried(down(), routing=routing(**asked)) == order


def test_sorted_by_price_the_cheapest_is_first() -> None:
    there = down()
    model = there.scenario.catalogue.models[DEEPSEEK]
    prices = [
        sum(there.scenario.catalogue.price(model, slug))
        for slug in tried(there, routing=routing(sort="price"))
    ]
    assert prices == sorted(prices)


def test_the_own_keys_provider_is_first_in_the_pool_unless_an_order_decides() -> None:
    own = byok("deepinfra")
    assert tried(down(), own) == ["deepinfra", "deepseek", "fireworks", "alibaba"]
    assert tried(down(), own, routing=routing(order=("alibaba",)))[0] == "alibaba"
    assert tried(down(), own, routing=routing(sort="latency"))[0] == "fireworks"


@pytest.mark.parametrize(
    "asked", [{"only": ("alibaba",)}, {"ignore": ("deepseek",)}, {"order": ("alibaba",)}], ids=str
)
def test_nothing_moves_the_own_key_from_its_first_place(asked: dict[str, Any]) -> None:
    decision = world().ask(byok("deepseek"), model=DEEPSEEK, routing=routing(**asked))
    assert route(decision) == "byok:deepseek"


def test_reasons_are_told_for_each_who_was_left_out() -> None:
    asked = routing(only=("deepseek", "alibaba", "fireworks"), ignore=("alibaba",), allow_fallbacks=False)
    decision = world().ask(model=DEEPSEEK, routing=asked)
    assert [(skip.lane, skip.provider, skip.model, skip.why) for skip in decision.skipped] == [
        ("shared", "deepinfra", DEEPSEEK, "left out by provider.only"),
        ("shared", "alibaba", DEEPSEEK, "left out by provider.ignore"),
        ("shared", "fireworks", DEEPSEEK, "left out by provider.allow_fallbacks"),
    ]


def test_weighted_balance_draws_the_cheap_more_often_and_the_same_each_time() -> None:
    models = {
        "m": {"providers": ["openai", "groq"], "prompt": 1, "completion": 1, "context": 1000},
    }
    there = world(router={"balance": "weighted"}, models=models)
    served = [there.ask(model="m").attempts[0].provider for _ in range(300)]
    again = world(router={"balance": "weighted"}, models=models)
    assert [again.ask(model="m").attempts[0].provider for _ in range(300)] == served
    assert 100 < Counter(served)["openai"] < 200  # equal prices, equal weights


def test_weights_are_one_over_the_price_squared() -> None:
    there = world(router={"balance": "weighted"})
    model = there.scenario.catalogue.models[DEEPSEEK]
    weights = {slug: sum(there.scenario.catalogue.price(model, slug)) ** -2 for slug in LISTED}
    served = Counter(there.ask(model=DEEPSEEK).attempts[0].provider for _ in range(1500))
    for slug in LISTED:
        share = weights[slug] / sum(weights.values())
        assert abs(served[slug] / 1500 - share) < 0.05, (served, weights)


# Cooldowns

COOLING = {"cooldown": {"failures": 2, "within": "10s", "for": "20s"}}


def cooling(**rule: Any) -> World:
    return world(router=COOLING, rules=[{"name": "down", "error": "overloaded", **rule}])


def test_a_provider_in_cooldown_is_skipped_until_it_has_rested() -> None:
    there = cooling(when={"lane": "byok"}, times=2)
    fell_back = "byok:openai!overloaded -> shared:openai"
    assert [there.route(byok()) for _ in range(2)] == [fell_back, fell_back]
    there.advance(1.5)
    decision = there.ask(byok())
    assert route(decision) == "shared:openai"
    assert [(skip.lane, skip.provider, skip.why) for skip in decision.skipped] == [
        ("byok", "openai", "in cooldown until 20s")
    ]
    there.advance(18.499)
    assert there.route(byok()) == "shared:openai"
    there.advance(0.001)
    assert there.route(byok()) == "byok:openai"


def test_rest_runs_from_the_last_failure() -> None:
    there = cooling(when={"lane": "byok"})
    there.route(byok())
    there.advance(9.5)
    there.route(byok())
    assert there.ask(byok()).skipped[0].why == "in cooldown until 29.5s"


def test_failures_too_far_apart_do_not_add_up() -> None:
    there = cooling(when={"lane": "byok"})
    for _ in range(4):
        assert there.route(byok()) == "byok:openai!overloaded -> shared:openai"
        there.advance(10)


def test_one_users_key_cools_only_itself() -> None:
    there = cooling(when={"lane": "byok"}, per=["key"], times=2)
    [there.route(byok()) for _ in range(2)]
    assert there.route(byok()) == "shared:openai"
    assert there.route(byok(secret="sk-another-key-9876")).startswith("byok:openai")


@pytest.mark.parametrize("kind", ["invalid_key", "permission", "quota", "model_not_found"])
def test_the_callers_own_faults_cool_nobody(kind: str) -> None:
    there = world(router=COOLING, rules=[{"name": "r", "when": {"lane": "byok"}, "error": kind}])
    for _ in range(4):
        assert there.route(byok()) == f"byok:openai!{kind} -> shared:openai"


def test_a_kind_that_does_not_fall_back_cools_nobody() -> None:
    there = world(
        router={**COOLING, "fallback_on": ["rate_limit"]},
        rules=[{"name": "r", "when": {"lane": "byok"}, "error": "server_error"}],
    )
    assert {there.route(byok()) for _ in range(4)} == {"byok:openai!server_error"}


def test_a_rest_is_told_in_the_sessions_time_whenever_the_scenario_came() -> None:
    there = cooling(when={"lane": "byok"}, times=2)
    there.state.zero_us -= 60_000_000
    [there.route(byok()) for _ in range(2)]
    assert there.ask(byok()).skipped[0].why == "in cooldown until 80s"
    (rest,) = describe(there.scenario, there.state, there.now_us)["cooldowns"]
    assert rest["until_s"] == 80


def test_when_all_are_cooling_the_client_is_told_the_shortest_rest() -> None:
    there = world(
        router={"cooldown": {"failures": 1, "within": "10s", "for": "20s"}},
        rules=[{"name": "down", "error": "overloaded"}],
    )
    there.ask()
    there.advance(3)
    decision = there.ask()
    assert (route(decision), decision.status) == ("router!no_provider", 503)
    assert (decision.wait_us, decision.told_us) == (17_000_000, 17_000_000)


def test_a_cooling_own_key_without_fallback_is_503() -> None:
    there = cooling(when={"lane": "byok"})
    key = byok(fallback=False)
    [there.route(key) for _ in range(2)]
    assert there.route(key) == "router!no_provider"
