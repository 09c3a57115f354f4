"""Promises about routing: lanes, fallback, statuses, filters, models, cooldowns, credits, limits, rules, retries."""

from __future__ import annotations

from typing import Any

import pytest
from asking import OWN, Answered, ask, chat

from onerouter_mock import OneRouterMock, serve

ONLY = {**OWN, "fallback": False}
ANTHROPIC = {"provider": "anthropic", "credentials": "sk-ant-0123456789"}
SONNET, DEEPSEEK = "anthropic/claude-sonnet-4.5", "deepseek/deepseek-v3.2"
FALL_BACK = ("rate_limit", "quota", "invalid_key", "permission", "model_not_found", "server_error", "overloaded",
             "bad_gateway", "timeout", "connection")  # fmt: skip
OWN_FAULTS = ("context_length", "content_filter", "invalid_request")
OPENAI = {"rate_limit": 429, "quota": 429, "invalid_key": 401, "permission": 403, "model_not_found": 404,
          "server_error": 500, "overloaded": 503, "bad_gateway": 502, "timeout": 408, "connection": 502,
          "context_length": 400, "content_filter": 400, "invalid_request": 400}  # fmt: skip
ROUTER = {"invalid_request": 400, "context_length": 400, "invalid_key": 401, "quota": 402, "permission": 403,
          "content_filter": 403, "model_not_found": 404, "timeout": 408, "rate_limit": 429, "server_error": 500,
          "bad_gateway": 502, "connection": 502, "overloaded": 503, "no_provider": 503}  # fmt: skip


def world(*rules: dict[str, Any], **fields: Any) -> OneRouterMock:
    return serve({"rules": list(rules), "clock": "virtual", **fields})


def asked(mock: OneRouterMock, byok: dict[str, Any] | None = None, **fields: Any) -> tuple[int, str]:
    answered = chat(mock.base_url, byok, **fields)
    assert answered.headers["x-onerouter-mock-route"] == mock.last.route
    return answered.status, mock.last.route


@pytest.mark.parametrize("kind", [*FALL_BACK, *OWN_FAULTS])
def test_the_own_keys_failure(kind: str) -> None:
    with world({"when": {"lane": "byok"}, "error": kind}) as mock:
        status, failed = OPENAI[kind], f"byok:openai!{kind}"
        fallen = (200, f"{failed} -> shared:openai") if kind in FALL_BACK else (status, failed)
        assert asked(mock, OWN) == fallen
        assert asked(mock, ONLY) == (status, failed)
        why = [(skip["lane"], skip["provider"], skip["why"]) for skip in mock.last.skipped]
        assert why == [("shared", None, "fallback is false")]
        assert mock.credits_spent == sum(call.cost for call in mock.calls[:1])


@pytest.mark.parametrize("kind", [*FALL_BACK, *OWN_FAULTS])
def test_the_pools_failure(kind: str) -> None:
    with world({"when": {"lane": "shared"}, "error": kind}) as mock:
        status, route = asked(mock)
        if kind in OWN_FAULTS:
            assert (status, route) == (400, f"shared:openai!{kind}")
        else:
            assert status == {"rate_limit": 429, "timeout": 408}.get(kind, 502)
            assert route == f"shared:openai!{kind} -> shared:azure-ai-foundry!{kind}"


@pytest.mark.parametrize("kind", ROUTER)
def test_the_routers_own_failure(kind: str) -> None:
    with world({"when": {"lane": "router"}, "error": kind}) as mock:
        assert asked(mock, OWN) == (ROUTER[kind], f"router!{kind}")
        assert mock.last.attempts == []


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, "invalid_request"), (413, "invalid_request"), (422, "invalid_request"), (418, "invalid_request"),
     (401, "invalid_key"), (402, "quota"), (403, "permission"), (404, "model_not_found"), (408, "timeout"),
     (504, "timeout"), (429, "rate_limit"), (500, "server_error"), (507, "server_error"), (502, "bad_gateway"),
     (503, "overloaded"), (529, "overloaded")],
)  # fmt: skip
def test_a_bare_status_is_sent_and_stands_for_a_kind(status: int, kind: str) -> None:
    with world({"when": {"lane": ["byok", "router"]}, "every": 2, "error": status}) as mock:
        assert asked(mock, ONLY)[0] == status  # the router's was the first, the attempt's the second
        assert mock.last.route == f"byok:openai!{kind}"


@pytest.mark.parametrize(
    ("provider", "order"),
    [
        ({}, "deepseek fireworks deepinfra alibaba"),
        ({"order": ["deepinfra", "nobody", "alibaba"]}, "deepinfra alibaba deepseek fireworks"),
        ({"only": ["fireworks"]}, "fireworks"),
        ({"ignore": ["deepseek", "nobody"]}, "fireworks deepinfra alibaba"),
        ({"allow_fallbacks": False}, "deepseek"),
        ({"sort": "price"}, "deepinfra deepseek alibaba fireworks"),
        ({"sort": {"by": "price"}, "allow_fallbacks": False}, "deepinfra"),
    ],
)
def test_the_provider_object_shapes_the_pool(provider: dict[str, Any], order: str) -> None:
    with world({"error": "overloaded"}) as mock:
        tries = " -> ".join(f"shared:{slug}!overloaded" for slug in order.split())
        assert asked(mock, model=DEEPSEEK, provider=provider)[1] == tries
        own = {"provider": "fireworks", "credentials": "fw-0123456789"}
        assert asked(mock, own, model=DEEPSEEK, provider=provider)[1].startswith(
            "byok:fireworks!overloaded -> "
        )
        if not provider.keys() & {"order", "sort"} and "fireworks" in order and len(order.split()) > 1:
            assert mock.last.route.split(" -> ")[1] == "shared:fireworks!overloaded"


@pytest.mark.parametrize(
    "provider", [{"only": ["nobody"]}, {"only": []}, {"ignore": ["openai", "azure-ai-foundry"]}]
)
def test_filters_that_leave_nobody_are_503(provider: dict[str, Any]) -> None:
    with world() as mock:
        assert asked(mock, provider=provider) == (503, "router!no_provider")
        assert asked(mock, OWN, provider=provider) == (200, "byok:openai")


DOWN = {"when": {"model": "gpt-5.1-chat"}, "error": "overloaded"}


@pytest.mark.parametrize(
    ("byok", "fields", "route"),
    [
        (None, {"fallback_models": [SONNET]}, "shared:openai!overloaded -> shared:azure-ai-foundry!overloaded -> "
                                              "shared:anthropic(claude-sonnet-4.5)"),
        (ONLY, {"fallback_models": [SONNET]}, "byok:openai!overloaded"),
        (ONLY, {"fallback_models": [SONNET, "openai/gpt-4o"]}, "byok:openai!overloaded -> byok:openai(gpt-4o)"),
        (None, {"fallback_models": [SONNET], "fallback_rules": {"error_code": {"hint_array": [500]}}},
         "shared:openai!overloaded -> shared:azure-ai-foundry!overloaded"),
        (ONLY, {"fallback_models": ["gpt-4o"], "fallback_rules": {"error_code": {"hint_array": [503]}}},
         "byok:openai!overloaded -> byok:openai(gpt-4o)"),
    ],
)  # fmt: skip
def test_fallback_models(byok: dict[str, Any] | None, fields: dict[str, Any], route: str) -> None:
    with world(DOWN) as mock:
        answered = chat(mock.base_url, byok, **fields)
        assert mock.last.route == route
        if answered.status == 200:
            assert answered.json["model"] == fields["fallback_models"][-1]
            assert mock.last.model == fields["fallback_models"][-1]


def test_the_accounts_own_faults_reach_no_other_model() -> None:
    for kind in ("invalid_key", "permission", "quota"):
        with world({"when": {"model": "gpt-5.1-chat"}, "error": kind}) as mock:
            assert asked(mock, ONLY, fallback_models=["gpt-4o"])[1] == f"byok:openai!{kind}"
            assert asked(mock, OWN, fallback_models=["gpt-4o"])[1].endswith(" -> byok:openai(gpt-4o)")


def test_a_provider_that_lacks_the_model_refuses_it() -> None:
    with world(unknown_models="refuse") as mock:
        assert asked(mock, ANTHROPIC) == (200, "byok:anthropic!model_not_found -> shared:openai")
        assert asked(mock, {**ANTHROPIC, "fallback": False}) == (404, "byok:anthropic!model_not_found")
        assert asked(mock, OWN, model="nobody-knows") == (503, "router!no_provider")
    with world() as mock:
        assert asked(mock, ANTHROPIC, model="my-model") == (200, "byok:anthropic")
        assert asked(mock, model="claude-99") == (200, "shared:anthropic")


def test_an_unknown_fallback_model_is_noticed() -> None:
    with world(DOWN) as mock:
        assert asked(mock, fallback_models=["claude-99"])[1].endswith(" -> shared:anthropic(claude-99)")
        assert "model 'claude-99' is not in the catalogue" in mock.last.notices[0]


def test_a_model_that_does_not_chat_is_refused() -> None:
    with world() as mock:
        answered = chat(mock.base_url, OWN, model="text-embedding-3-small")
        assert (answered.status, answered.json["error"]["param"]) == (404, "model")
        assert mock.last.route == "router!model_not_found"


def test_a_vendor_prefix_changes_nothing_but_the_echo() -> None:
    with world({"when": {"model": "gpt-5.1-chat"}, "delay": "1s"}) as mock:
        assert chat(mock.base_url, model="openai/gpt-5.1-chat").json["model"] == "openai/gpt-5.1-chat"
        assert mock.last.model == "openai/gpt-5.1-chat"
        assert (mock.last.served_by or {})["model"] == "gpt-5.1-chat"
        assert mock.last.attempts[0].took_ms == 1000


def test_cooldown_is_per_provider_and_own_key() -> None:
    cooldown = {"failures": 2, "within": "10s", "for": "20s"}
    with world(
        {"when": {"lane": "byok"}, "until": "15s", "error": 503}, router={"cooldown": cooldown}
    ) as mock:
        asked(mock, OWN), asked(mock, OWN)
        assert asked(mock, OWN)[1] == "shared:openai"
        assert mock.last.skipped[0]["why"] == "in cooldown until 20s"
        assert asked(mock, {**OWN, "credentials": "sk-another-9999"})[1].startswith("byok:openai!")
        answered = chat(mock.base_url, ONLY)
        assert (answered.status, mock.last.route, mock.last.wait_ms) == (503, "router!no_provider", 20_000)
        mock.advance("19.999s")
        assert asked(mock, OWN)[1] == "shared:openai"
        mock.advance("1ms")
        assert asked(mock, OWN)[1] == "byok:openai"


def test_the_callers_own_faults_cool_nobody() -> None:
    with world(
        {"error": "invalid_key"}, router={"cooldown": {"failures": 1, "within": "1m", "for": "1m"}}
    ) as mock:
        assert asked(mock, ONLY) == asked(mock, ONLY) == (401, "byok:openai!invalid_key")


@pytest.mark.parametrize(("wire", "status"), [("documented", 402), ("observed", 403)])
def test_the_pool_needs_credits(wire: str, status: int) -> None:
    accounts = {
        "broke": {"match": "sk-broke-*", "credits": 0},
        "low": {"match": "sk-low-*", "credits": 0.0000001},
    }
    broke, low = ({"Authorization": f"Bearer sk-{name}-1"} for name in accounts)
    with world(accounts=accounts, wire=wire) as mock:
        assert asked(mock, headers=broke) == (status, "router!quota")
        assert [skip["why"] for skip in mock.last.skipped] == ["no credits left"] * 2
        assert asked(mock, headers=broke, model="qwen/qwen3.8-27b:free")[0] == status
        assert asked(mock, OWN, headers=broke) == (200, "byok:openai")
        bad = {**OWN, "credentials": "sk-mock-invalid_key"}
        assert asked(mock, bad, headers=broke) == (status, "byok:openai!invalid_key -> router!quota")
        assert asked(mock, headers=low) == (200, "shared:openai")  # one answer may overshoot
        spent = mock.last.cost
        assert asked(mock, headers=low) == (status, "router!quota")
        left = ask(f"{mock.base_url}/balance", headers=low).json
        assert left == {"account_name": "low", "credit_balance": pytest.approx(0.0000001 - spent)}


def refusal(mock: OneRouterMock) -> tuple[Answered, str]:
    answered = chat(mock.base_url, ONLY)
    return answered, answered.json["error"]["message"] if answered.status != 200 else ""


@pytest.mark.parametrize(("algorithm", "wait_s"), [("bucket", 3), ("fixed", 40), ("sliding", 40)])
def test_after_the_told_wait_and_not_before_a_limit_admits_again(algorithm: str, wait_s: int) -> None:
    limit = {"name": "own", "when": {"lane": "byok"}, "requests": "2/min", "algorithm": algorithm}
    with world(limits=[limit], waits="told") as mock:
        asked(mock, ONLY), mock.advance("7s"), asked(mock, ONLY), mock.advance("13s")
        wait_s = 10 if algorithm == "bucket" else wait_s
        answered, says = refusal(mock)
        assert answered.headers["retry-after-ms"] == f"{wait_s}000"
        assert (answered.headers["retry-after"], f"in {wait_s}s" in says) == (f"{wait_s}", True)
        assert answered.headers["x-ratelimit-limit-requests"] == "2"
        assert answered.headers["x-ratelimit-remaining-requests"] == "0"
        assert (mock.last.attempts[0].cause, mock.last.told_ms) == ("limit own", wait_s * 1000)
        mock.advance(f"{wait_s * 1000 - 1}ms")
        assert refusal(mock)[0].headers["retry-after-ms"] == "1"
        mock.advance("1ms")
        assert refusal(mock)[0].status == 200


def test_an_obedient_client_sees_at_once_what_it_would_see_in_life() -> None:
    with world(limits=[{"requests": "1/min"}]) as mock:
        asked(mock, ONLY)
        answered, says = refusal(mock)
        assert (answered.headers["retry-after-ms"], answered.headers["retry-after"]) == ("1", "1")
        assert ("1m0s" in says, mock.last.told_ms, mock.last.wait_ms) == (True, 1, 60_000)
        assert asked(mock, ONLY, headers={"x-stainless-retry-count": "1"}, user="another")[0] == 429
        assert mock.now == 0
        assert asked(mock, ONLY, headers={"x-stainless-retry-count": "1"})[0] == 200
        assert (mock.now, mock.last.sdk_retry) == (60, 1)


@pytest.mark.parametrize(
    ("gates", "statuses"),
    [
        ({"skip": 2}, "200 200 500 500 500 500"),
        ({"times": 2}, "500 500 200 200 200 200"),
        ({"every": 3}, "200 200 500 200 200 500"),
        ({"skip": 1, "every": 2, "times": 1}, "200 200 500 200 200 200"),
        ({"after": "2s", "until": "4s"}, "200 200 500 500 200 200"),
        ({"chance": 0}, "200 200 200 200 200 200"),
        ({"chance": "100%"}, "500 500 500 500 500 500"),
    ],
)
def test_gates(gates: dict[str, Any], statuses: str) -> None:
    with world({"error": 500, **gates}) as mock:
        seen = [(asked(mock, ONLY)[0], mock.advance("1s"))[0] for _ in range(6)]
        assert " ".join(map(str, seen)) == statuses


@pytest.mark.parametrize(("then", "last"), [("pass", [200, 200]), ("last", [429, 429]), ("loop", [500, 200])])
def test_steps(then: str, last: list[int]) -> None:
    with world({"steps": [{"error": 500}, {"ok": True}, {"error": 429}], "then": then}) as mock:
        assert [asked(mock, ONLY)[0] for _ in range(5)] == [500, 200, 429, *last]


def test_a_rule_counts_attempts_that_others_got_first() -> None:
    rules = {"name": "first", "times": 2, "error": 500}, {"name": "second", "skip": 3, "error": 503}
    with world(*rules, limits=[{"requests": "4/min"}]) as mock:
        assert [asked(mock, ONLY)[0] for _ in range(5)] == [500, 500, 200, 503, 429]
        state = ask(f"{mock.url}/_mock/state").json["rules"]
        assert [(rule["name"], rule["matched"], rule["acted"]) for rule in state] == [
            ("first", 5, 2),
            ("second", 5, 1),
        ]
