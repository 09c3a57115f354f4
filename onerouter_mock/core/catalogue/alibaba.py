"""Alibaba Model Studio (DashScope): how it fails. Data. Its compatible mode follows OpenAI's envelope.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from onerouter_mock.core.catalogue.forms import TEXT_KEY, openai_family
from onerouter_mock.core.catalogue.records import ErrorForm, Provider

_HELP = "https://help.aliyun.com/zh/model-studio/error-code"
_DOCS = "documented: help.aliyun.com/zh/model-studio/error-code"

PROVIDER = Provider(
    slug="alibaba",
    name="Alibaba Cloud Model Studio",
    credentials=TEXT_KEY,
    headers="openai",
    errors={
        **openai_family("https://bailian.console.aliyun.com"),
        "rate_limit": ErrorForm(
            429,
            "You exceeded your current requests list.",
            type="limit_requests",
            code="limit_requests",
            counted="You exceeded your current {unit} limit of {limit}. For details, see: "
            f"{_HELP}#rate-limit",
            confidence="B",
            source=f"{_DOCS}; numbers guessed",
        ),
        "quota": ErrorForm(
            429,
            "You exceeded your current quota, please check your plan and billing details. For details, "
            f"see: {_HELP}#token-limit",
            type="insufficient_quota",
            code="insufficient_quota",
            variants=(
                ErrorForm(
                    400,
                    "Access denied, please make sure your account is in good standing.",
                    type="Arrearage",
                    code="Arrearage",
                    confidence="B",
                    source=_DOCS,
                ),
            ),
            confidence="A",
            source="seen: mini-ai-1c #23, opencode #23722",
        ),
        "invalid_key": ErrorForm(
            401,
            f"Incorrect API key provided. For details, see: {_HELP}#apikey-error",
            type="invalid_request_error",
            code="invalid_api_key",
            confidence="B",
            source=_DOCS,
        ),
        "permission": ErrorForm(
            403,
            "Model access denied.",
            type="access_denied",
            code="access_denied",
            confidence="B",
            source=_DOCS,
        ),
        "model_not_found": ErrorForm(
            404,
            "The model `{model}` does not exist or you do not have access to it.",
            type="invalid_request_error",
            code="model_not_found",
            confidence="B",
            source=_DOCS,
        ),
        "content_filter": ErrorForm(
            400,
            "Input data may contain inappropriate content.",
            type="data_inspection_failed",
            code="data_inspection_failed",
            confidence="B",
            source=_DOCS,
        ),
        "invalid_request": ErrorForm(
            400,
            "<400> InternalError.Algo.InvalidParameter: messages[0].content must be a string",
            type="invalid_request_error",
            code="invalid_parameter_error",
            confidence="B",
            source="type and code seen: qwen-code-oai-proxy #14; words from memory",
        ),
    },
)
