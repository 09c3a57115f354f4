"""DeepSeek: how it fails. Data. OpenAI's envelope with types of its own.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from onerouter_mock.core.catalogue.forms import TEXT_KEY, openai_family
from onerouter_mock.core.catalogue.records import ErrorForm, Provider

_DOCS = "documented status: api-docs.deepseek.com, error codes; words from memory"
_SEEN = "seen: reports such as MaxKB #3797, DeepSeek-R1 #82, continue #11820"
_UNPROCESSABLE = ErrorForm(
    422,
    "Failed to deserialize the JSON body into the target type: messages[0]: missing field `content`",
    type="invalid_request_error",
    code="invalid_request_error",
    confidence="B",
    source=_DOCS,
)

PROVIDER = Provider(
    slug="deepseek",
    name="DeepSeek",
    credentials=TEXT_KEY,
    headers="none",
    headers_source="documented: no rate limit is promised, so none is told",
    errors={
        **openai_family("https://platform.deepseek.com"),
        "rate_limit": ErrorForm(
            429,
            "You are sending requests too quickly. Please pace your requests reasonably.",
            type="rate_limit_error",
            code="invalid_request_error",
            confidence="B",
            source=_DOCS,
        ),
        "quota": ErrorForm(
            402,
            "Insufficient Balance",
            type="unknown_error",
            code="invalid_request_error",
            confidence="A",
            source=_SEEN,
        ),
        "invalid_key": ErrorForm(
            401,
            "Authentication Fails, Your api key: {key} is invalid",
            type="authentication_error",
            code="invalid_request_error",
            confidence="A",
            source=_SEEN,
        ),
        "model_not_found": ErrorForm(
            404,
            "Model Not Exist",
            type="invalid_request_error",
            code="invalid_request_error",
            variants=(
                ErrorForm(
                    400,
                    "Model Not Exist",
                    type="invalid_request_error",
                    code="invalid_request_error",
                    confidence="B",
                    source="from memory",
                ),
            ),
            source="words from memory, there with 400; 404 guessed, so that the kind can be told",
        ),
        "server_error": ErrorForm(
            500, "Internal server error", type="server_error", confidence="B", source=_DOCS
        ),
        "overloaded": ErrorForm(
            503,
            "Service is too busy. We advise users to temporarily switch to alternative LLM API service "
            "providers.",
            type="service_unavailable_error",
            confidence="B",
            source=_DOCS,
        ),
        "context_length": ErrorForm(
            400,
            "This model's maximum context length is {context} tokens. However, you requested {over} "
            "tokens. Please reduce the length of the messages or completion.",
            type="invalid_request_error",
            code="invalid_request_error",
            confidence="B",
            source="from memory, widely quoted",
        ),
        "content_filter": ErrorForm(
            400,
            "Content Exists Risk",
            type="invalid_request_error",
            code="invalid_request_error",
            confidence="B",
            source="from memory, widely quoted",
        ),
        "invalid_request": ErrorForm(
            400,
            "Failed to parse the request body as JSON: messages[0]: missing field `content`",
            type="invalid_request_error",
            code="invalid_request_error",
            variants=(_UNPROCESSABLE,),
            confidence="B",
            source=_DOCS,
        ),
    },
)
