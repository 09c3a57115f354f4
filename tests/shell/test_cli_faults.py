"""`onerouter-mock faults` against what is known of each provider (the sources stand in its rows)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from onerouter_mock.cli import main
from onerouter_mock.core.records import KINDS

# provider, kind, status, type, code, the beginning of the message (or "" where free): all seen verbatim, or documented.
KNOWN = [
    (
        "openai",
        "invalid_key",
        401,
        "invalid_request_error",
        "invalid_api_key",
        "Incorrect API key provided: ****",
    ),
    (
        "openai",
        "permission",
        403,
        "request_forbidden",
        "unsupported_country_region_territory",
        "Country, region",
    ),
    ("openai", "model_not_found", 404, "invalid_request_error", "model_not_found", "The model `"),
    ("openai", "rate_limit", 429, "requests", "rate_limit_exceeded", "Rate limit reached for "),
    ("openai", "rate_limit", 429, "tokens", "rate_limit_exceeded", "Request too large for "),
    ("openai", "quota", 429, "insufficient_quota", "insufficient_quota", "You exceeded your current quota"),
    ("openai", "server_error", 500, "server_error", None, "The server had an error while processing"),
    ("openai", "overloaded", 503, "server_error", None, "That model is currently overloaded"),
    ("anthropic", "invalid_key", 401, "authentication_error", None, "invalid x-api-key"),
    ("anthropic", "permission", 403, "permission_error", None, ""),
    ("anthropic", "model_not_found", 404, "not_found_error", None, "model: "),
    ("anthropic", "invalid_request", 413, "request_too_large", None, ""),
    (
        "anthropic",
        "rate_limit",
        429,
        "rate_limit_error",
        None,
        "This request would exceed your organization's rate",
    ),
    ("anthropic", "quota", 402, "billing_error", None, ""),
    ("anthropic", "quota", 400, "invalid_request_error", None, "Your credit balance is too low"),
    ("anthropic", "server_error", 500, "api_error", None, ""),
    ("anthropic", "overloaded", 529, "overloaded_error", None, "Overloaded"),
    ("google-ai-studio", "invalid_key", 400, "INVALID_ARGUMENT", None, "API key not valid"),
    ("google-ai-studio", "permission", 403, "PERMISSION_DENIED", None, ""),
    ("google-ai-studio", "model_not_found", 404, "NOT_FOUND", None, ""),
    ("google-ai-studio", "rate_limit", 429, "RESOURCE_EXHAUSTED", None, "You exceeded your current quota"),
    ("google-ai-studio", "server_error", 500, "INTERNAL", None, ""),
    ("google-ai-studio", "overloaded", 503, "UNAVAILABLE", None, "The model is overloaded"),
    (
        "google-vertex",
        "rate_limit",
        429,
        "RESOURCE_EXHAUSTED",
        None,
        "Resource exhausted. Please try again later",
    ),
    ("azure-ai-foundry", "invalid_key", 401, None, "401", "Access denied due to invalid subscription key"),
    ("azure-ai-foundry", "model_not_found", 404, None, "DeploymentNotFound", ""),
    ("azure-ai-foundry", "rate_limit", 429, None, "429", "Requests to the ChatCompletions_Create Operation"),
    ("aws-bedrock", "permission", 403, "AccessDeniedException", None, ""),
    ("aws-bedrock", "model_not_found", 404, "ResourceNotFoundException", None, ""),
    ("aws-bedrock", "rate_limit", 429, "ThrottlingException", None, "Too many requests"),
    ("aws-bedrock", "overloaded", 429, "ModelNotReadyException", None, ""),
    ("aws-bedrock", "quota", 400, "ServiceQuotaExceededException", None, ""),
    ("aws-bedrock", "timeout", 408, "ModelTimeoutException", None, ""),
    ("aws-bedrock", "bad_gateway", 424, "ModelErrorException", None, ""),
    ("aws-bedrock", "server_error", 500, "InternalServerException", None, ""),
    ("aws-bedrock", "overloaded", 503, "ServiceUnavailableException", None, ""),
    (
        "deepseek",
        "invalid_key",
        401,
        "authentication_error",
        "invalid_request_error",
        "Authentication Fails, Your",
    ),
    ("deepseek", "quota", 402, "unknown_error", "invalid_request_error", "Insufficient Balance"),
    (
        "x-ai",
        "invalid_key",
        400,
        None,
        "Client specified an invalid argument",
        "Incorrect API key provided: ",
    ),
    ("x-ai", "quota", 429, None, "Some resource has been exhausted", "Your team "),
    ("mistral", "invalid_key", 401, None, None, "Unauthorized"),
    ("mistral", "quota", 401, None, None, "Unauthorized"),
    ("mistral", "rate_limit", 429, "rate_limited", "1300", "Rate limit exceeded"),
    (
        "mistral",
        "overloaded",
        503,
        "service_tier_capacity_exceeded",
        "3505",
        "Service tier capacity exceeded",
    ),
    ("groq", "rate_limit", 429, "requests", "rate_limit_exceeded", "Rate limit reached for model `"),
    ("groq", "invalid_key", 401, "invalid_request_error", "invalid_api_key", "Invalid API Key"),
    ("groq", "overloaded", 498, "capacity_exceeded", "capacity_exceeded", ""),
    ("groq", "rate_limit", 413, "tokens", "rate_limit_exceeded", ""),
]


def rows(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    assert main(["faults", *words, "--format", "json"]) == 0
    listed: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return listed


def test_what_is_known_of_each_provider_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    listed = rows(capsys)
    for provider, kind, status, type_, code, beginning in KNOWN:
        found = [
            row for row in listed if (row["provider"], row["kind"], row["status"]) == (provider, kind, status)
        ]
        assert any(
            row["type"] == type_ and row["code"] == code and row["message"].startswith(beginning)
            for row in found
        ), (provider, kind, status, found)


def test_every_provider_has_every_kind_with_its_confidence_and_source(
    capsys: pytest.CaptureFixture[str],
) -> None:
    listed = rows(capsys)
    providers = {row["provider"] for row in listed}
    assert len(providers) >= 13
    assert {(row["provider"], row["kind"]) for row in listed} == {
        (slug, kind) for slug in providers for kind in KINDS
    }
    assert {row["confidence"] for row in listed} == {"A", "B", "C"}
    assert all(row["source"] and row["message"] for row in listed)


def test_messages_carry_the_numbers_that_clients_parse(capsys: pytest.CaptureFixture[str]) -> None:
    (rate, _) = [row for row in rows(capsys, "openai") if row["kind"] == "rate_limit"]
    assert "Limit 3, Used 3, Requested 1. Please try again in 18.7s." in rate["message"]
    assert rate["headers"]["x-ratelimit-limit-requests"] == "3"
    gemini = next(row for row in rows(capsys, "google-ai-studio") if row["kind"] == "rate_limit")
    assert "Please retry in 18.7s" in gemini["message"]
    assert gemini["headers"] == {}


def test_the_table_has_one_line_a_fault_and_one_for_its_headers(capsys: pytest.CaptureFixture[str]) -> None:
    listed = rows(capsys)
    assert main(["faults"]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split() == ["provider", "kind", "status", "type", "code", "conf", "message"]
    faults = [line for line in lines if line and not line.startswith(("  ", "conf: "))]
    assert [line.split()[:3] for line in faults] == [
        [row["provider"], row["kind"], str(row["status"])] for row in listed
    ]
    assert len([line for line in lines if line.startswith("  ")]) == sum(
        bool(row["headers"]) for row in listed
    )
