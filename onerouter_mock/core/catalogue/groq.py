"""Groq: how it fails. Data. OpenAI's envelope without `param`.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from onerouter_mock.core.catalogue.forms import TEXT_KEY, openai_family
from onerouter_mock.core.catalogue.records import ErrorForm, Provider

_DOCS = "documented status: console.groq.com/docs/errors; words from memory"
_WHERE = "for model `{model}` in organization `org_mock` service tier `on_demand` on {budget_long}"
_UPGRADE = "Need more tokens? Upgrade to Dev Tier today at https://console.groq.com/settings/billing"

PROVIDER = Provider(
    slug="groq",
    name="Groq",
    credentials=TEXT_KEY,
    headers="openai",
    headers_source="documented: console.groq.com/docs/rate-limits; requests are a day's there, tokens a "
    "minute's",
    errors={
        **openai_family("https://console.groq.com"),
        "rate_limit": ErrorForm(
            429,
            "Rate limit reached for model `{model}` in organization `org_mock` service tier "
            f"`on_demand`.{{again}} {_UPGRADE}",
            type="{unit}",
            code="rate_limit_exceeded",
            counted=f"Rate limit reached {_WHERE}: Limit {{limit}}, Used {{used}}, Requested "
            f"{{requested}}.{{again}} {_UPGRADE}",
            again=" Please try again in {wait}.",
            too_large=ErrorForm(
                413,
                f"Request too large {_WHERE}: Limit {{limit}}, Requested {{requested}}, please reduce your "
                f"message size and try again. {_UPGRADE}",
                type="{unit}",
                code="rate_limit_exceeded",
                confidence="B",
                source=_DOCS,
            ),
            confidence="A",
            source="seen: aider #3265",
        ),
        "quota": ErrorForm(
            429,
            "You have reached your organization's spend limit. Please raise it at "
            "https://console.groq.com/settings/billing.",
            type="insufficient_quota",
            code="blocked_api_access",
            source="guessed",
        ),
        "invalid_key": ErrorForm(
            401,
            "Invalid API Key",
            type="invalid_request_error",
            code="invalid_api_key",
            confidence="B",
            source=_DOCS,
        ),
        "permission": ErrorForm(
            403,
            "Access to model `{model}` is blocked for your organization.",
            type="permissions_error",
            code="model_permission_blocked_org",
            source="from memory",
        ),
        "model_not_found": ErrorForm(
            404,
            "The model `{model}` does not exist or you do not have access to it.",
            type="invalid_request_error",
            code="model_not_found",
            confidence="A",
            source="seen: continue #10166",
        ),
        "server_error": ErrorForm(
            500, "Internal Server Error", type="internal_server_error", confidence="B", source=_DOCS
        ),
        "overloaded": ErrorForm(
            503,
            "{model} is currently over capacity. Please try again and back off exponentially.",
            type="internal_server_error",
            variants=(
                ErrorForm(
                    498,
                    "Flex tier capacity exceeded for model `{model}`.",
                    type="capacity_exceeded",
                    code="capacity_exceeded",
                    confidence="B",
                    source="documented status and code: console.groq.com/docs/flex-processing; words guessed",
                ),
            ),
            confidence="B",
            source=_DOCS,
        ),
        "bad_gateway": ErrorForm(
            502, "Bad Gateway", type="internal_server_error", confidence="B", source=_DOCS
        ),
        "context_length": ErrorForm(
            400,
            "Please reduce the length of the messages or completion.",
            type="invalid_request_error",
            code="context_length_exceeded",
            param="messages",
            confidence="B",
            source="from memory, widely quoted",
        ),
    },
)
