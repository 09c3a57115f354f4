"""OpenAI: how it fails. Data.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from onerouter_mock.core.catalogue.forms import SILENCE, TEXT_KEY
from onerouter_mock.core.catalogue.records import ErrorForm, Provider

_SEEN = (
    "seen: reports such as continue #11472 #10502 #9563 #9634 #11449, MetaGPT #523, codel #72, micro-agent "
    "#86, codex #88, gpt-pilot #17 #340, NextChat #3664, home-assistant #120072, chatgpt-plugin #125"
)
_ORG = "organization org-mock"
_LIMITS = "Visit https://platform.openai.com/account/rate-limits to learn more."

PROVIDER = Provider(
    slug="openai",
    name="OpenAI",
    credentials=TEXT_KEY,
    headers="openai",
    headers_source="seen: community.openai.com thread 1268905",
    errors={
        **SILENCE,
        "rate_limit": ErrorForm(
            429,
            f"Rate limit reached for {{model}} in {_ORG}.{{again}} {_LIMITS}",
            type="{unit}",
            code="rate_limit_exceeded",
            counted=f"Rate limit reached for {{model}} in {_ORG} on {{budget}}: Limit {{limit}}, Used "
            f"{{used}}, Requested {{requested}}.{{again}} {_LIMITS}",
            again=" Please try again in {wait}.",
            too_large=ErrorForm(
                429,
                f"Request too large for {{model}} in {_ORG} on {{budget}}: Limit {{limit}}, Requested "
                "{requested}. The input or output tokens must be reduced in order to run successfully. "
                f"{_LIMITS}",
                type="{unit}",
                code="rate_limit_exceeded",
                confidence="A",
                source=_SEEN,
            ),
            confidence="A",
            source=f"{_SEEN}; without numbers when none are known",
        ),
        "quota": ErrorForm(
            429,
            "You exceeded your current quota, please check your plan and billing details. For more "
            "information on this error, read the docs: "
            "https://platform.openai.com/docs/guides/error-codes/api-errors.",
            type="insufficient_quota",
            code="insufficient_quota",
            confidence="A",
            source=_SEEN,
        ),
        "invalid_key": ErrorForm(
            401,
            "Incorrect API key provided: {key}. You can find your API key at "
            "https://platform.openai.com/account/api-keys.",
            type="invalid_request_error",
            code="invalid_api_key",
            confidence="A",
            source=f"{_SEEN}; its own mask shows 5 more characters of the key, ours never",
        ),
        "permission": ErrorForm(
            403,
            "Country, region, or territory not supported",
            type="request_forbidden",
            code="unsupported_country_region_territory",
            confidence="A",
            source=_SEEN,
        ),
        "model_not_found": ErrorForm(
            404,
            "The model `{model}` does not exist or you do not have access to it.",
            type="invalid_request_error",
            code="model_not_found",
            confidence="A",
            source=_SEEN,
        ),
        "server_error": ErrorForm(
            500,
            "The server had an error while processing your request. Sorry about that!",
            type="server_error",
            confidence="A",
            source=_SEEN,
        ),
        "overloaded": ErrorForm(
            503,
            "That model is currently overloaded with other requests. You can retry your request, or "
            "contact us through our help center at help.openai.com if the error persists.",
            type="server_error",
            confidence="A",
            source=f"{_SEEN}; streams of Responses say code server_is_overloaded",
        ),
        "bad_gateway": ErrorForm(
            502,
            "Bad gateway.",
            type="cf_bad_gateway",
            code=502,
            confidence="B",
            source="from memory: the JSON form of its Cloudflare front; often an HTML page instead",
        ),
        "context_length": ErrorForm(
            400,
            "This model's maximum context length is {context} tokens. However, your messages resulted in "
            "{over} tokens. Please reduce the length of the messages.",
            type="invalid_request_error",
            code="context_length_exceeded",
            param="messages",
            confidence="B",
            source="from memory, widely quoted",
        ),
        "content_filter": ErrorForm(
            400,
            "Invalid prompt: your prompt was flagged as potentially violating our usage policy. Please try "
            "again with a different prompt: "
            "https://platform.openai.com/docs/guides/reasoning#advice-on-prompting",
            type="invalid_request_error",
            code="invalid_prompt",
            confidence="B",
            source="from memory, widely quoted",
        ),
        "invalid_request": ErrorForm(
            400,
            "Invalid value for 'content': expected a string, got null.",
            type="invalid_request_error",
            param="messages.[0].content",
            confidence="B",
            source="from memory; any of its 400s would do",
        ),
    },
)
