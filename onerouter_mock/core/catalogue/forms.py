"""Error forms that several providers share: those of the OpenAI family, and what only the router can say.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from onerouter_mock.core.catalogue.records import CredentialForm, ErrorForm

TEXT_KEY = (CredentialForm("text"),)

# There are no words of a provider that says nothing: the statuses are the contract's, the words guessed.
SILENCE: dict[str, ErrorForm] = {
    "timeout": ErrorForm(
        408,
        "The provider {provider} did not answer in time.",
        type="upstream_error",
        source="contract: time-outs are 408; type as in the one-api family, words guessed",
    ),
    "connection": ErrorForm(
        502,
        "The provider {provider} closed the connection before it answered.",
        type="upstream_error",
        source="contract: transport failures are 502; type as in the one-api family, words guessed",
    ),
}

_BAD = "invalid_request_error"
_RATE = ErrorForm(
    429,
    "Rate limit reached for model `{model}`.{again}",
    type="rate_limit_error",
    code="rate_limit_exceeded",
    counted="Rate limit reached for model `{model}` on {budget}: Limit {limit}, Used {used}, "
    "Requested {requested}.{again}",
    again=" Please try again in {wait}.",
    too_large=ErrorForm(
        429,
        "Request too large for model `{model}` on {budget}: Limit {limit}, Requested {requested}.",
        type="rate_limit_error",
        code="rate_limit_exceeded",
    ),
)
_TOO_LONG = (
    "This model's maximum context length is {context} tokens. However, you requested {over} tokens. "
    "Please reduce the length of the messages."
)


def openai_family(console: str) -> dict[str, ErrorForm]:
    """What a provider with an OpenAI-compatible API would say where nothing is known of its own words.

    Shape: all 13 kinds, each confidence C; `console`: the page where its users manage keys and limits.
    """
    no_credit = f"Your account balance is insufficient. Please add credit at {console}."
    bad_key = f"Incorrect API key provided: {{key}}. You can find your API key at {console}."
    no_model = "The model `{model}` does not exist or you do not have access to it."
    bad_value = "Invalid value for 'content': expected a string, got null."
    return {
        **SILENCE,
        "rate_limit": _RATE,
        "quota": ErrorForm(402, no_credit, type="insufficient_quota", code="insufficient_quota"),
        "invalid_key": ErrorForm(401, bad_key, type=_BAD, code="invalid_api_key"),
        "permission": ErrorForm(
            403, "Your API key is not allowed to use model `{model}`.", type=_BAD, code="permission_denied"
        ),
        "model_not_found": ErrorForm(404, no_model, type=_BAD, code="model_not_found"),
        "server_error": ErrorForm(500, "Internal server error", type="server_error"),
        "overloaded": ErrorForm(
            503, "The model is overloaded. Please retry your request later.", type="server_error"
        ),
        "bad_gateway": ErrorForm(502, "Bad gateway", type="server_error"),
        "context_length": ErrorForm(
            400, _TOO_LONG, type=_BAD, code="context_length_exceeded", param="messages"
        ),
        "content_filter": ErrorForm(
            400, "The request was rejected by the content filter.", type=_BAD, code="content_filter"
        ),
        "invalid_request": ErrorForm(400, bad_value, type=_BAD, param="messages.[0].content"),
    }
