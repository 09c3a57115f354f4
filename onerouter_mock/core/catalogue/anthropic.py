"""Anthropic: how it fails. Data. Its error objects have a type and a message, no code, no param.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from onerouter_mock.core.catalogue.forms import SILENCE, TEXT_KEY
from onerouter_mock.core.catalogue.records import ErrorForm, Provider

_DOCS = "docs.claude.com/en/api/errors"
_DETAILS = (
    "For details, refer to: https://docs.claude.com/en/api/rate-limits. You can see the response headers "
    "for current usage. Please reduce the prompt length or the maximum tokens requested, or try again "
    "later. You may also contact sales at https://claude.com/contact-sales to discuss your options for a "
    "rate limit increase."
)
_LOW_BALANCE = (
    "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade "
    "or purchase credits."
)

PROVIDER = Provider(
    slug="anthropic",
    name="Anthropic",
    credentials=TEXT_KEY,
    headers="anthropic",
    headers_source="seen: headers recorded by tidyllm; documented",
    errors={
        **SILENCE,
        "rate_limit": ErrorForm(
            429,
            "This request would exceed your account's rate limit. Please try again later.",
            type="rate_limit_error",
            counted="This request would exceed your organization's rate limit of {limit_commas} {rate} "
            f"(org: 00000000-0000-4000-8000-000000000000, model: {{model}}). {_DETAILS}",
            confidence="A",
            source="seen: claude-code #55132 (with numbers), claude-code #71669 (without); the wait is in "
            "headers only",
        ),
        "quota": ErrorForm(
            400,
            _LOW_BALANCE,
            type="invalid_request_error",
            variants=(
                ErrorForm(
                    402, _LOW_BALANCE, type="billing_error", confidence="B", source=f"documented: {_DOCS}"
                ),
            ),
            confidence="A",
            source=f"seen: 400 is what a low balance gets; {_DOCS} also has 402 billing_error: say `error: "
            "402`",
        ),
        "invalid_key": ErrorForm(
            401,
            "invalid x-api-key",
            type="authentication_error",
            confidence="A",
            source=f"documented: {_DOCS}; seen",
        ),
        "permission": ErrorForm(
            403,
            "Your API key does not have permission to use the specified resource.",
            type="permission_error",
            confidence="B",
            source=f"documented type: {_DOCS}; words from memory",
        ),
        "model_not_found": ErrorForm(
            404, "model: {model}", type="not_found_error", confidence="A", source=f"documented: {_DOCS}; seen"
        ),
        "server_error": ErrorForm(
            500,
            "Internal server error",
            type="api_error",
            confidence="B",
            source=f"documented type: {_DOCS}; words from memory",
        ),
        "overloaded": ErrorForm(
            529, "Overloaded", type="overloaded_error", confidence="A", source=f"documented: {_DOCS}; seen"
        ),
        "bad_gateway": ErrorForm(502, "Bad gateway", type="api_error", source="guessed: type of its 5xx"),
        "timeout": ErrorForm(
            408,
            "Request timed out",
            type="timeout_error",
            confidence="B",
            source=f"type documented: {_DOCS}, there with 504 (`error: 504`); 408 is the contract's for "
            "time-outs",
        ),
        "context_length": ErrorForm(
            400,
            "prompt is too long: {over} tokens > {context} maximum",
            type="invalid_request_error",
            variants=(
                ErrorForm(
                    413,
                    "Request exceeds the maximum size",
                    type="request_too_large",
                    confidence="B",
                    source=f"documented type: {_DOCS}; words from memory",
                ),
            ),
            confidence="B",
            source="from memory, widely quoted",
        ),
        "content_filter": ErrorForm(
            400,
            "Output blocked by content filtering policy",
            type="invalid_request_error",
            confidence="B",
            source="from memory, widely quoted",
        ),
        "invalid_request": ErrorForm(
            400,
            "messages.0.content: Input should be a valid list",
            type="invalid_request_error",
            variants=(
                ErrorForm(
                    413,
                    "Request exceeds the maximum size",
                    type="request_too_large",
                    confidence="B",
                    source=f"documented type: {_DOCS}; words from memory",
                ),
            ),
            confidence="B",
            source=f"documented type: {_DOCS}; words from memory",
        ),
    },
)
