"""Azure AI Foundry: how it fails. Data. Its error objects have a code, the status as text, and no type.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from onerouter_mock.core.catalogue.forms import SILENCE
from onerouter_mock.core.catalogue.records import CredentialForm, ErrorForm, Provider

_SEEN = "seen: reports such as TinyLLM #17, copilot-camp #551, climb #1, semantic-kernel #10337, chatbot #588"
_OPERATION = "Requests to the ChatCompletions_Create Operation under Azure OpenAI API version 2024-10-21"
_INCREASE = (
    "Please go here: https://aka.ms/oai/quotaincrease if you would like to further increase the default "
    "rate limit."
)

PROVIDER = Provider(
    slug="azure-ai-foundry",
    name="Azure AI Foundry",
    credentials=(CredentialForm("object", ("endpoint_url", "api_key", "model_id"), "api_key"),),
    headers="limits_only",
    headers_source="seen: limit and remaining, never a reset",
    errors={
        **SILENCE,
        "rate_limit": ErrorForm(
            429,
            "Rate limit is exceeded.{again}",
            code="{status}",
            counted=f"{_OPERATION} have exceeded {{call}} rate limit of your current OpenAI S0 pricing "
            f"tier.{{again}} {_INCREASE}",
            again=" Try again in {wait_s} seconds.",
            again_counted=" Please retry after {wait_s} seconds.",
            confidence="A",
            source=f"{_SEEN}, dbchatprov2 #2",
        ),
        "quota": ErrorForm(
            429,
            "You exceeded your current quota, please check your plan and billing details.",
            type="insufficient_quota",
            code="insufficient_quota",
            source="guessed: Azure bills afterwards; a spent free tier was seen as a rate limit of 86400 "
            "seconds",
        ),
        "invalid_key": ErrorForm(
            401,
            "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a "
            "valid key for an active subscription and use a correct regional API endpoint for your "
            "resource.",
            code="{status}",
            confidence="A",
            source=f"{_SEEN}; also with code Unauthorized",
        ),
        "permission": ErrorForm(
            403,
            "Access denied due to Virtual Network/Firewall rules.",
            code="{status}",
            confidence="B",
            source="status seen, words from memory",
        ),
        "model_not_found": ErrorForm(
            404,
            "The API deployment for this resource does not exist. If you created the deployment within the "
            "last 5 minutes, please wait a moment and try again.",
            code="DeploymentNotFound",
            confidence="B",
            source="documented code, words widely quoted",
        ),
        "server_error": ErrorForm(
            500,
            "Internal server error",
            code="InternalServerError",
            confidence="B",
            source="documented status, words from memory",
        ),
        "overloaded": ErrorForm(
            503,
            "The service is temporarily unable to process your request. Please try again later.",
            code="ServiceUnavailable",
            confidence="B",
            source="documented status, words from memory",
        ),
        "bad_gateway": ErrorForm(502, "Bad gateway", code="{status}"),
        "timeout": ErrorForm(
            408, "The operation was timeout.", code="Timeout", source="guessed: code seen with 408"
        ),
        "context_length": ErrorForm(
            400,
            "This model's maximum context length is {context} tokens. However, your messages resulted in "
            "{over} tokens. Please reduce the length of the messages.",
            type="invalid_request_error",
            code="context_length_exceeded",
            param="messages",
            confidence="B",
            source="from memory: the model's own words, passed on",
        ),
        "content_filter": ErrorForm(
            400,
            "The response was filtered due to the prompt triggering Azure OpenAI's content management "
            "policy. Please modify your prompt and retry. To learn more about our content filtering "
            "policies please read our documentation: https://go.microsoft.com/fwlink/?linkid=2198766",
            code="content_filter",
            param="prompt",
            confidence="B",
            source="from memory, widely quoted",
        ),
        "invalid_request": ErrorForm(
            400,
            "Invalid value for 'content': expected a string, got null.",
            type="invalid_request_error",
            param="messages.[0].content",
            confidence="B",
            source="from memory: the model's own words, passed on",
        ),
    },
)
