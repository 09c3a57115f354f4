"""Mistral: how it fails. Data. Three shapes of body: {"detail"}, {"object": "error", ...}, {"message"}.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from onerouter_mock.core.catalogue.forms import SILENCE, TEXT_KEY
from onerouter_mock.core.catalogue.records import ErrorForm, Provider

_SEEN = "seen: reports such as raycast #31107, cline #9085, continue #6185, OmniRoute #7638, litellm #25078"
_UNPROCESSABLE = ErrorForm(
    422,
    "Input should be a valid string",
    type="invalid_request_message_error",
    confidence="B",
    source="documented status; {'detail': [...]} flattened",
)
_BUSY = ErrorForm(
    429,
    "Service tier capacity exceeded for this model.",
    type="service_tier_capacity_exceeded",
    code="3505",
    confidence="A",
    source=f"{_SEEN}; also with type invalid_request_error",
)

PROVIDER = Provider(
    slug="mistral",
    name="Mistral",
    credentials=TEXT_KEY,
    headers="mistral",
    headers_source="tokens weak (by size); requests seen: client-ts #169",
    errors={
        **SILENCE,
        "rate_limit": ErrorForm(
            429,
            "Rate limit exceeded",
            type="rate_limited",
            code="1300",
            confidence="A",
            source=f"{_SEEN}; an older form is only a message: Requests rate limit exceeded",
        ),
        "quota": ErrorForm(
            401,
            "Unauthorized",
            confidence="A",
            source=f"{_SEEN}: a used-up plan is not told from a wrong key",
        ),
        "invalid_key": ErrorForm(401, "Unauthorized", confidence="A", source=_SEEN),
        "permission": ErrorForm(403, "Forbidden", source="guessed, like its 401"),
        "model_not_found": ErrorForm(
            404,
            "The model `{model}` does not exist or you do not have access to it.",
            type="invalid_model",
            code="1500",
            variants=(
                ErrorForm(
                    400,
                    "Invalid model: {model}",
                    type="invalid_model",
                    code="1500",
                    confidence="B",
                    source="from memory, widely quoted",
                ),
            ),
            source="type and code from memory, there with 400; 404 guessed, so that the kind can be told",
        ),
        "server_error": ErrorForm(
            500,
            "Internal Server Error",
            type="internal_server_error",
            code="1000",
            source="from memory",
        ),
        "overloaded": ErrorForm(
            503,
            _BUSY.message,
            type=_BUSY.type,
            code=_BUSY.code,
            variants=(_BUSY,),
            confidence="A",
            source=_BUSY.source,
        ),
        "bad_gateway": ErrorForm(502, "Bad gateway", type="internal_server_error"),
        "context_length": ErrorForm(
            400,
            "Prompt contains {over} tokens and 0 draft tokens, too large for model with {context} "
            "maximum context length",
            type="invalid_request_error",
            code="3051",
            confidence="B",
            source="from memory, widely quoted",
        ),
        "content_filter": ErrorForm(403, "The request was blocked by the moderation guardrail."),
        "invalid_request": ErrorForm(
            400,
            "Expected last role User or Tool (or Assistant with prefix True) for serving but got assistant",
            type="invalid_request_message_order",
            code="3230",
            variants=(_UNPROCESSABLE,),
            confidence="B",
            source="from memory, widely quoted",
        ),
    },
)
