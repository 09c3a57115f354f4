"""Failures in the providers' own words, with true numbers and no word of a wait where there is none."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onerouter_mock.core.catalogue import built_in
from onerouter_mock.core.catalogue.failures import Spent, fail
from onerouter_mock.core.records import KINDS

CATALOGUE = built_in()
PROVIDERS = CATALOGUE.providers
MODEL = CATALOGUE.models["gpt-5.1-chat"]
MINUTE_US = 60_000_000
THREE_A_MINUTE = Spent("requests", limit=3, used=3, requested=1, window_us=MINUTE_US)
TOKENS = Spent("tokens", limit=30_000, used=29_000, requested=2_500, window_us=MINUTE_US)


def of(slug: str, kind: str, **more):
    return fail(PROVIDERS[slug], kind, model=MODEL, **more)


def test_openai_tells_limit_used_requested_and_the_wait() -> None:
    failure = of("openai", "rate_limit", budget=THREE_A_MINUTE, wait_us=18_700_000)
    assert (failure.status, failure.type, failure.code, failure.param) == (
        429, "requests", "rate_limit_exceeded", None,
    )  # fmt: skip
    assert failure.message == (
        "Rate limit reached for gpt-5.1-chat in organization org-mock on requests per min (RPM): "
        "Limit 3, Used 3, Requested 1. Please try again in 18.7s. "
        "Visit https://platform.openai.com/account/rate-limits to learn more."
    )
    assert failure.wait_us == 18_700_000


def test_openai_names_tokens_in_the_type_and_in_the_message() -> None:
    failure = of("openai", "rate_limit", budget=TOKENS, wait_us=3_000_000)
    assert failure.type == "tokens"
    assert "on tokens per min (TPM): Limit 30000, Used 29000, Requested 2500. Please try" in failure.message


@pytest.mark.parametrize(
    ("window_us", "words"),
    [
        (1_000_000, "requests per sec (RPS)"),
        (MINUTE_US, "requests per min (RPM)"),
        (86_400_000_000, "requests per day (RPD)"),
        (5_000_000, "requests per 5s"),
        (None, "requests at once"),
    ],
)
def test_a_window_is_named_as_people_name_it(window_us: int | None, words: str) -> None:
    budget = Spent("requests", 3, 3, 1, window_us)
    assert f" on {words}: Limit 3" in of("openai", "rate_limit", budget=budget).message


@pytest.mark.parametrize(
    ("wait_us", "speed", "words"),
    [
        (18_700_000, 1.0, "in 18.7s."),
        (120_000, 1.0, "in 120ms."),
        (360_000_000, 1.0, "in 6m0s."),
        (18_700_000, 10.0, "in 1.87s."),
        (1_000, 10.0, "in 1ms."),
        (1_000, 0.5, "in 2ms."),
    ],
)
def test_the_wait_is_told_divided_by_speed_up_to_the_millisecond(
    wait_us: int, speed: float, words: str
) -> None:
    failure = of("openai", "rate_limit", budget=THREE_A_MINUTE, wait_us=wait_us, speed=speed)
    assert f"Please try again {words}" in failure.message
    assert failure.wait_us == wait_us


@pytest.mark.parametrize("slug", PROVIDERS)
@pytest.mark.parametrize("budget", [None, THREE_A_MINUTE, TOKENS], ids=["no budget", "requests", "tokens"])
def test_without_a_wait_no_message_tells_one(slug: str, budget: Spent | None) -> None:
    for kind in KINDS:
        for wait_us in (None, 0):
            message = of(slug, kind, budget=budget, wait_us=wait_us).message
            assert not re.search(r"(try again|retry)( after| in) ", message, re.I), message
            assert "{" not in message


def test_openai_without_a_budget_tells_no_numbers() -> None:
    told = of("openai", "rate_limit", wait_us=20_000_000).message
    assert told.startswith(
        "Rate limit reached for gpt-5.1-chat in organization org-mock. Please try again in 20s."
    )
    assert "Limit" not in told


def test_a_request_larger_than_the_limit_is_told_so() -> None:
    budget = Spent("tokens", 1000, 0, 5000, MINUTE_US, too_large=True)
    failure = of("openai", "rate_limit", budget=budget)
    assert failure.message.startswith(
        "Request too large for gpt-5.1-chat in organization org-mock on tokens per min (TPM): Limit 1000, "
        "Requested 5000."
    )
    assert (failure.status, failure.type, failure.code) == (429, "tokens", "rate_limit_exceeded")
    assert of("groq", "rate_limit", budget=budget).status == 413
    assert of("anthropic", "rate_limit", budget=budget).status == 429


def test_a_budget_in_money_puts_no_numbers_into_words() -> None:
    budget = Spent("usd", 2_000_000_000, 2_000_100_000, 0, None, quota=True)
    for slug in PROVIDERS:
        for kind in ("quota", "rate_limit"):
            assert "2000" not in of(slug, kind, budget=budget).message


@pytest.mark.parametrize(
    ("slug", "kind", "status", "type", "code", "words"),
    [
        (
            "openai",
            "quota",
            429,
            "insufficient_quota",
            "insufficient_quota",
            "You exceeded your current quota",
        ),
        (
            "openai",
            "invalid_key",
            401,
            "invalid_request_error",
            "invalid_api_key",
            "provided: ****7f3a. You can",
        ),
        (
            "openai",
            "permission",
            403,
            "request_forbidden",
            "unsupported_country_region_territory",
            "Country,",
        ),
        (
            "openai",
            "model_not_found",
            404,
            "invalid_request_error",
            "model_not_found",
            "`gpt-5.1-chat` does not",
        ),
        ("openai", "server_error", 500, "server_error", None, "Sorry about that!"),
        (
            "openai",
            "context_length",
            400,
            "invalid_request_error",
            "context_length_exceeded",
            "is 128000 tokens",
        ),
        ("anthropic", "overloaded", 529, "overloaded_error", None, "Overloaded"),
        ("anthropic", "invalid_key", 401, "authentication_error", None, "invalid x-api-key"),
        ("anthropic", "model_not_found", 404, "not_found_error", None, "model: gpt-5.1-chat"),
        ("anthropic", "quota", 400, "invalid_request_error", None, "Your credit balance is too low"),
        ("google-ai-studio", "invalid_key", 400, "INVALID_ARGUMENT", None, "API key not valid."),
        (
            "google-vertex",
            "rate_limit",
            429,
            "RESOURCE_EXHAUSTED",
            None,
            "Resource exhausted. Please try again",
        ),
        (
            "azure-ai-foundry",
            "invalid_key",
            401,
            None,
            "401",
            "Access denied due to invalid subscription key",
        ),
        ("azure-ai-foundry", "model_not_found", 404, None, "DeploymentNotFound", "The API deployment"),
        ("aws-bedrock", "rate_limit", 429, "ThrottlingException", None, "Too many requests, please wait"),
        ("aws-bedrock", "quota", 400, "ServiceQuotaExceededException", None, "Your request exceeds"),
        ("deepseek", "quota", 402, "unknown_error", "invalid_request_error", "Insufficient Balance"),
        ("deepseek", "invalid_key", 401, "authentication_error", "invalid_request_error", "key: ****7f3a is"),
        ("x-ai", "invalid_key", 400, None, "Client specified an invalid argument", "provided: ****7f3a. You"),
        ("x-ai", "quota", 429, None, "Some resource has been exhausted", "used all available credits"),
        ("mistral", "invalid_key", 401, None, None, "Unauthorized"),
        ("mistral", "rate_limit", 429, "rate_limited", "1300", "Rate limit exceeded"),
        ("groq", "invalid_key", 401, "invalid_request_error", "invalid_api_key", "Invalid API Key"),
    ],
)
def test_a_failure_keeps_the_providers_own_words(slug, kind, status, type, code, words) -> None:
    failure = of(slug, kind, last4="7f3a")
    assert (failure.kind, failure.status, failure.type, failure.code) == (kind, status, type, code)
    assert words in failure.message


@pytest.mark.parametrize(
    ("slug", "budget", "words"),
    [
        ("anthropic", TOKENS, "organization's rate limit of 30,000 tokens per minute (org: "),
        ("google-ai-studio", THREE_A_MINUTE,
         "_requests, limit: 3, model: gpt-5.1-chat\nPlease retry in 18.7s."),
        ("google-ai-studio", TOKENS, "_input_token_count, limit: 30000, "),
        ("azure-ai-foundry", TOKENS, "exceeded token rate limit of your current OpenAI S0 pricing tier. "
         "Please retry after 19 seconds. Please go here"),
        ("azure-ai-foundry", THREE_A_MINUTE, "exceeded call rate limit"),
        ("aws-bedrock", TOKENS, "Too many tokens, please wait before trying again."),
        ("groq", TOKENS, "on tokens per minute (TPM): Limit 30000, Used 29000, Requested 2500. "
         "Please try again in 18.7s. "),
        ("fireworks", THREE_A_MINUTE, "Limit 3, Used 3, Requested 1. Please try again in 18.7s."),
    ],
)  # fmt: skip
def test_each_provider_tells_a_used_up_limit_in_its_own_way(slug: str, budget: Spent, words: str) -> None:
    assert words in of(slug, "rate_limit", budget=budget, wait_us=18_700_000).message


def test_azures_two_messages_of_a_used_up_limit_tell_the_wait_each_in_its_own_words() -> None:
    assert of("azure-ai-foundry", "rate_limit", wait_us=36_000_000).message == (
        "Rate limit is exceeded. Try again in 36 seconds."
    )


def test_a_named_status_is_sent_with_the_words_that_the_provider_has_for_it() -> None:
    billing = of("anthropic", "quota", status=402)
    assert (billing.status, billing.type) == (402, "billing_error")
    assert of("groq", "overloaded", status=498).code == "capacity_exceeded"
    late = of("anthropic", "timeout", status=504)
    assert (late.status, late.type) == (504, "timeout_error")
    assert of("azure-ai-foundry", "rate_limit", status=420).code == "420"
    plain = of("openai", "server_error", status=507)
    assert (plain.status, plain.message) == (507, of("openai", "server_error").message)


def test_a_kind_of_the_router_alone_is_worded_as_overloaded() -> None:
    failure = of("openai", "no_provider")
    assert (failure.kind, failure.status) == ("no_provider", 503)


def test_a_model_known_by_name_only_is_quoted_by_it() -> None:
    failure = fail(PROVIDERS["openai"], "model_not_found", model="acme/new-model")
    assert "`acme/new-model`" in failure.message


@given(st.text(min_size=4, max_size=4), st.sampled_from(sorted(PROVIDERS)), st.sampled_from(KINDS))
def test_no_end_of_a_key_breaks_a_message(last4: str, slug: str, kind: str) -> None:
    """Braces and percent signs in a key are text, and no more than the four characters are shown."""
    message = of(slug, kind, last4=last4).message
    assert message.count("****") == of(slug, kind).message.count("****")
    if "****" in message:
        assert f"****{last4}" in message
