"""xAI: how it fails. Data. Its bodies are {"code": words, "error": words}: no type, no param.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from onerouter_mock.core.catalogue.forms import SILENCE, TEXT_KEY
from onerouter_mock.core.catalogue.records import ErrorForm, Provider

_TEAM = "00000000-0000-4000-8000-000000000000"
_SEEN = "seen: reports such as continue #10778 #10373, codex #1352"
_BAD_ARGUMENT = "Client specified an invalid argument"
_NO_ENTITY = "Some requested entity was not found"
_EXHAUSTED = "Some resource has been exhausted"
_FORBIDDEN = "The caller does not have permission to execute the specified operation"

PROVIDER = Provider(
    slug="x-ai",
    name="xAI",
    credentials=TEXT_KEY,
    headers="limits_only",
    headers_source="weak: limits without resets",
    errors={
        **SILENCE,
        "rate_limit": ErrorForm(
            429,
            f"Too many requests for team {_TEAM} and model {{model}}.",
            code=_EXHAUSTED,
            counted=f"Too many requests for team {_TEAM} and model {{model}}. Your team's rate limit is: "
            "{rate} (actual/limit): {used}/{limit}.",
            confidence="B",
            source="documented status: docs.x.ai debugging; words from memory",
        ),
        "quota": ErrorForm(
            429,
            f"Your team {_TEAM} has either used all available credits or reached its monthly spending "
            "limit. To continue making API requests, please purchase more credits or raise your spending "
            "limit.",
            code=_EXHAUSTED,
            variants=(
                ErrorForm(
                    403,
                    "Your newly created team doesn't have any credits or licenses yet. You can purchase "
                    f"those on https://console.x.ai/team/{_TEAM}.",
                    code=_FORBIDDEN,
                    confidence="A",
                    source="seen: continue #12670",
                ),
            ),
            confidence="A",
            source=_SEEN,
        ),
        "invalid_key": ErrorForm(
            400,
            "Incorrect API key provided: {key}. You can obtain an API key from https://console.x.ai.",
            code=_BAD_ARGUMENT,
            variants=(
                ErrorForm(
                    401,
                    "Invalid or missing authorization header. Please ensure that the request has a header "
                    "of the form 'Authorization: Bearer <token>'.",
                    code="Unauthenticated",
                    confidence="B",
                    source="documented status: docs.x.ai debugging; words from memory",
                ),
            ),
            confidence="A",
            source=f"{_SEEN}: 400, not 401",
        ),
        "permission": ErrorForm(
            403,
            "Your API key does not have permission to use model {model}.",
            code=_FORBIDDEN,
            confidence="B",
            source="documented status: docs.x.ai debugging; words from memory",
        ),
        "model_not_found": ErrorForm(
            404,
            f"The model {{model}} does not exist or your team {_TEAM} does not have access to it. Please "
            "ensure you're using the correct API key. If you believe this is a mistake, please contact "
            "support and quote your team ID and the model name.",
            code=_NO_ENTITY,
            confidence="A",
            source="seen: eliza #2578",
        ),
        "server_error": ErrorForm(500, "Internal error. Please try again later.", code="Internal error"),
        "overloaded": ErrorForm(
            503,
            "The model is currently at capacity due to high demand. Please try again later.",
            code="The service is currently unavailable",
            source="from memory",
        ),
        "bad_gateway": ErrorForm(502, "Bad gateway", code="The service is currently unavailable"),
        "context_length": ErrorForm(
            400,
            "This model's maximum prompt length is {context} but the request contains {over} tokens.",
            code=_BAD_ARGUMENT,
            confidence="B",
            source="from memory, widely quoted",
        ),
        "content_filter": ErrorForm(
            403,
            "Content violates usage guidelines.",
            code=_FORBIDDEN,
            source="from memory",
        ),
        "invalid_request": ErrorForm(
            400,
            "Each message must have at least one content element.",
            code=_BAD_ARGUMENT,
            variants=(
                ErrorForm(
                    422,
                    "Failed to deserialize the JSON body into the target type: messages[0]: missing field "
                    "`role`",
                    code="Invalid request content",
                    confidence="B",
                    source="documented status: docs.x.ai debugging; words from memory",
                ),
            ),
            confidence="B",
            source="from memory, widely quoted",
        ),
    },
)
