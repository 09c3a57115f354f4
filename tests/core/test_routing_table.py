"""The routing table of the contract (section 2), row by row: own key, shared pool, fallback."""

from __future__ import annotations

from typing import Any

import pytest
from builders import World, byok, routing, world

from onerouter_mock.core.records import KINDS
from onerouter_mock.core.trace import route

OWN_FAULTS = ("context_length", "content_filter", "invalid_request")
FALLING_BACK = [kind for kind in KINDS if kind not in OWN_FAULTS]


def fail(lane: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"name": f"{lane}-{kind}", "when": {"lane": lane, **more}, "error": kind}


def ask(there: World, own: Any, **fields: Any) -> tuple[str, int | None]:
    decision = there.ask(own, **fields)
    return route(decision), decision.status


STREAMED = pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])


@STREAMED
class TestWhoServes:
    def test_without_byok_conf_only_the_shared_pool_is_asked(self, stream: bool) -> None:
        assert ask(world(), None, stream=stream) == ("shared:openai", 200)

    @pytest.mark.parametrize("fallback", [True, False], ids=["fallback", "no fallback"])
    def test_the_own_key_serves_while_it_works(self, stream: bool, fallback: bool) -> None:
        assert ask(world(), byok(fallback=fallback), stream=stream) == ("byok:openai", 200)

    @pytest.mark.parametrize("kind", FALLING_BACK)
    def test_own_key_failed_with_fallback_is_served_by_the_pool(self, stream: bool, kind: str) -> None:
        there = world(rules=[fail("byok", kind)])
        assert ask(there, byok(), stream=stream) == (f"byok:openai!{kind} -> shared:openai", 200)

    @pytest.mark.parametrize("kind", KINDS)
    def test_own_key_failed_without_fallback_is_refused(self, stream: bool, kind: str) -> None:
        there = world(rules=[fail("byok", kind)])
        decision = there.ask(byok(fallback=False), stream=stream)
        assert route(decision) == f"byok:openai!{kind}"
        assert decision.failed_lane == "byok"
        assert [(skip.lane, skip.provider, skip.why) for skip in decision.skipped] == [
            ("shared", None, "fallback is false")
        ]

    @pytest.mark.parametrize("kind", OWN_FAULTS)
    def test_the_requests_own_fault_does_not_fall_back(self, stream: bool, kind: str) -> None:
        there = world(rules=[fail("byok", kind)])
        assert ask(there, byok(), stream=stream) == (f"byok:openai!{kind}", 400)


# What the client sees of the own key's failure: the provider's own status, but 502 and 408 for transport.
@pytest.mark.parametrize(
    ("provider", "model", "kind", "status"),
    [
        pytest.param("openai", "gpt-5.1-chat", "rate_limit", 429, id="OpenAI's rate limit"),
        pytest.param("openai", "gpt-5.1-chat", "quota", 429, id="OpenAI's quota"),
        pytest.param("openai", "gpt-5.1-chat", "invalid_key", 401, id="OpenAI's bad key"),
        pytest.param("openai", "gpt-5.1-chat", "permission", 403, id="OpenAI's permission"),
        pytest.param("openai", "gpt-5.1-chat", "model_not_found", 404, id="OpenAI's unknown model"),
        pytest.param("openai", "gpt-5.1-chat", "server_error", 500, id="OpenAI's error"),
        pytest.param("openai", "gpt-5.1-chat", "overloaded", 503, id="OpenAI overloaded"),
        pytest.param("anthropic", "claude-sonnet-4.5", "overloaded", 529, id="Anthropic overloaded"),
        pytest.param("anthropic", "claude-sonnet-4.5", "timeout", 408, id="Anthropic too slow"),
        pytest.param("deepseek", "deepseek-v3.2", "quota", 402, id="DeepSeek's balance"),
        pytest.param("google-ai-studio", "gemini-2.5-pro", "invalid_key", 400, id="Google's bad key"),
        pytest.param("openai", "gpt-5.1-chat", "timeout", 408, id="a time-out"),
        pytest.param("openai", "gpt-5.1-chat", "connection", 502, id="a broken connection"),
    ],
)
def test_own_keys_failure_keeps_the_providers_status(
    provider: str, model: str, kind: str, status: int
) -> None:
    there = world(rules=[fail("byok", kind)])
    assert ask(there, byok(provider, fallback=False), model=model) == (f"byok:{provider}!{kind}", status)


SHARED = {"rate_limit": 429, "timeout": 408, **dict.fromkeys(OWN_FAULTS, 400)}


@pytest.mark.parametrize("kind", KINDS)
def test_the_pools_last_failure_is_the_answer(kind: str) -> None:
    there = world(rules=[fail("shared", kind)])
    failed = f"shared:openai!{kind}"
    if kind not in OWN_FAULTS:
        failed += f" -> shared:azure-ai-foundry!{kind}"
    decision = there.ask()
    assert (route(decision), decision.status) == (failed, SHARED.get(kind, 502))
    assert decision.failed_lane == "shared"


def test_the_last_failure_counts_not_the_first() -> None:
    there = world(
        rules=[fail("shared", "server_error", provider="openai"), fail("shared", "rate_limit")],
    )
    assert ask(there, None) == ("shared:openai!server_error -> shared:azure-ai-foundry!rate_limit", 429)


def test_own_key_and_pool_both_fail() -> None:
    there = world(rules=[fail("byok", "rate_limit"), fail("shared", "overloaded")])
    both = "byok:openai!rate_limit -> shared:openai!overloaded -> shared:azure-ai-foundry!overloaded"
    assert ask(there, byok()) == (both, 502)


# Credits


@pytest.mark.parametrize(
    ("wire", "status"), [("documented", 402), ("observed", 403)], ids=["documented", "observed"]
)
def test_without_credits_the_pool_is_refused_without_an_attempt(wire: str, status: int) -> None:
    there = world(wire=wire, accounts={"default": {"credits": 0}})
    decision = there.ask()
    assert (route(decision), decision.status) == ("router!quota", status)
    assert {skip.why for skip in decision.skipped} == {"no credits left"}


def test_own_key_needs_no_credits() -> None:
    there = world(accounts={"default": {"credits": 0}})
    assert ask(there, byok()) == ("byok:openai", 200)


def test_lack_of_credits_stands_after_the_own_keys_failure() -> None:
    there = world(accounts={"default": {"credits": 0}}, rules=[fail("byok", "invalid_key")])
    assert ask(there, byok()) == ("byok:openai!invalid_key -> router!quota", 402)


def test_lack_of_credits_is_no_matter_without_fallback() -> None:
    there = world(accounts={"default": {"credits": 0}}, rules=[fail("byok", "invalid_key")])
    assert ask(there, byok(fallback=False)) == ("byok:openai!invalid_key", 401)


# Nobody serves


def test_an_unknown_model_is_refused_when_the_scenario_says_so() -> None:
    there = world(unknown_models="refuse")
    assert ask(there, None, model="no-such-model") == ("router!no_provider", 503)
    assert ask(there, byok(), model="no-such-model") == ("router!no_provider", 503)


def test_an_unknown_model_is_served_by_its_vendor() -> None:
    assert ask(world(), None, model="claude-99") == ("shared:anthropic", 200)
    assert ask(world(), byok("groq"), model="my-own-finetune") == ("byok:groq", 200)


def test_filters_that_leave_nobody_are_503() -> None:
    decision = world().ask(routing=routing(only=("groq",)))
    assert (route(decision), decision.status) == ("router!no_provider", 503)
    assert [(skip.provider, skip.why) for skip in decision.skipped] == [
        ("openai", "left out by provider.only"),
        ("azure-ai-foundry", "left out by provider.only"),
    ]


def test_filters_that_leave_nobody_leave_the_own_keys_failure() -> None:
    there = world(rules=[fail("byok", "rate_limit")])
    assert ask(there, byok(), routing=routing(only=("groq",))) == ("byok:openai!rate_limit", 429)


# A provider that does not have the model


def test_own_provider_without_the_model_refuses_and_falls_back() -> None:
    there = world()
    served = ("byok:groq!model_not_found -> shared:openai", 200)
    assert ask(there, byok("groq")) == served
    assert ask(there, byok("groq", fallback=False)) == ("byok:groq!model_not_found", 404)


# Which kinds fall back is the scenario's to say


def test_fallback_on_names_the_kinds_that_fall_back() -> None:
    there = world(
        router={"fallback_on": ["rate_limit", "context_length"]},
        rules=[
            {
                "name": "a",
                "when": {"lane": "byok"},
                "steps": [{"error": "overloaded"}, {"error": "context_length"}],
            }
        ],
    )
    decision = there.ask(byok())
    assert (route(decision), decision.status) == ("byok:openai!overloaded", 503)
    assert decision.skipped[-1].why == "overloaded is not in router.fallback_on"
    assert ask(there, byok()) == ("byok:openai!context_length -> shared:openai", 200)


# Errors in a 200


@STREAMED
def test_upstream_failures_may_be_delivered_in_the_body(stream: bool) -> None:
    there = world(
        router={"deliver_errors": "body"}, rules=[fail("byok", "rate_limit"), fail("shared", "timeout")]
    )
    own = there.ask(byok(fallback=False), stream=stream)
    assert own.failure is not None
    assert (own.status, own.failure.status) == (200, 429)
    pool = there.ask(stream=stream)
    assert pool.failure is not None
    assert (pool.status, pool.failure.status) == (200, 408)


def test_the_routers_own_refusals_keep_their_status_in_body_mode() -> None:
    there = world(router={"deliver_errors": "body"}, accounts={"default": {"credits": 0}})
    assert ask(there, None) == ("router!quota", 402)


# Model fallbacks


class TestFallbackModels:
    more = ("claude-sonnet-4.5", "gemini-2.5-pro")

    def test_the_next_models_candidates_follow(self) -> None:
        there = world(rules=[fail("shared", "overloaded", model="gpt-*")])
        failed = "shared:openai!overloaded -> shared:azure-ai-foundry!overloaded"
        path = f"{failed} -> shared:anthropic(claude-sonnet-4.5)"
        assert ask(there, None, fallback_models=self.more) == (path, 200)

    def test_without_fallback_they_stay_with_the_own_key(self) -> None:
        there = world(rules=[fail("byok", "overloaded", model="gpt-5.1-chat")])
        decision = there.ask(byok(fallback=False), fallback_models=("claude-sonnet-4.5", "gpt-4o-mini"))
        assert route(decision) == "byok:openai!overloaded -> byok:openai(gpt-4o-mini)"
        assert [(skip.lane, skip.provider, skip.why) for skip in decision.skipped] == [
            ("shared", None, "fallback is false"),
            ("byok", "openai", "does not serve anthropic/claude-sonnet-4.5"),
        ]

    @pytest.mark.parametrize("kind", ["invalid_key", "permission", "quota"])
    def test_a_bad_own_key_tries_no_other_model(self, kind: str) -> None:
        there = world(rules=[fail("byok", kind)])
        assert ask(there, byok(fallback=False), fallback_models=("gpt-4o-mini",))[0] == f"byok:openai!{kind}"

    def test_given_statuses_decide_alone(self) -> None:
        there = world(rules=[fail("shared", "overloaded", model="gpt-*")])
        only_500 = there.ask(fallback_models=self.more, fallback_statuses=frozenset({500}))
        assert route(only_500) == "shared:openai!overloaded -> shared:azure-ai-foundry!overloaded"
        with_503 = there.ask(fallback_models=self.more, fallback_statuses=frozenset({503}))
        assert route(with_503).endswith("shared:anthropic(claude-sonnet-4.5)")

    def test_a_model_that_nobody_serves_does_not_end_the_list(self) -> None:
        there = world(rules=[fail("byok", "rate_limit", model="gpt-5.1-chat")])
        for statuses in (frozenset({429}), None):
            decision = there.ask(
                byok(fallback=False),
                fallback_models=("x-ai/grok-4", "gpt-4o-mini"),
                fallback_statuses=statuses,
            )
            assert route(decision) == "byok:openai!rate_limit -> byok:openai(gpt-4o-mini)"

    def test_a_prompt_too_long_for_one_model_may_fit_the_next(self) -> None:
        there = world(rules=[fail("shared", "context_length", model="gpt-*")])
        path = "shared:openai!context_length -> shared:anthropic(claude-sonnet-4.5)"
        assert ask(there, None, fallback_models=self.more) == (path, 200)

    def test_lack_of_credits_tries_no_other_model(self) -> None:
        there = world(
            accounts={"default": {"credits": 0}},
            rules=[fail("byok", "overloaded", model="gpt-5.1-chat")],
        )
        assert ask(there, byok(), fallback_models=("gpt-4o-mini",)) == (
            "byok:openai!overloaded -> router!quota",
            402,
        )

    def test_when_all_fail_the_last_failure_is_the_answer(self) -> None:
        there = world(rules=[fail("shared", "rate_limit", provider="google-*"), fail("shared", "overloaded")])
        decision = there.ask(fallback_models=("gemini-2.5-pro",))
        assert decision.attempts[-1].other_model == "gemini-2.5-pro"
        assert decision.status == 429

    def test_an_unknown_first_model_gives_way_to_a_known_one(self) -> None:
        there = world(unknown_models="refuse")
        path = ask(there, None, model="nope", fallback_models=("gpt-4o-mini",))
        assert path == ("shared:openai(gpt-4o-mini)", 200)
