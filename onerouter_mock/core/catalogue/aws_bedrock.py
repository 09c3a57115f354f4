"""AWS Bedrock: how it fails. Data. Its body is a message; the exception's name (a header there) is our type.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from onerouter_mock.core.catalogue.forms import SILENCE
from onerouter_mock.core.catalogue.records import Confidence, CredentialForm, ErrorForm, Provider

_DOCS = "docs.aws.amazon.com/bedrock, troubleshooting-api-error-codes"


def _exception(
    status: int,
    name: str,
    message: str,
    confidence: Confidence = "B",
    source: str = f"documented type: {_DOCS}; words from memory",
) -> ErrorForm:
    return ErrorForm(status, message, type=name, confidence=confidence, source=source)


PROVIDER = Provider(
    slug="aws-bedrock",
    name="AWS Bedrock",
    credentials=(
        CredentialForm("text"),
        CredentialForm("object", ("accessKeyId", "secretAccessKey", "region"), "accessKeyId"),
    ),
    headers="none",
    headers_source="documented: none",
    errors={
        **SILENCE,
        "rate_limit": ErrorForm(
            429,
            "Too many requests, please wait before trying again.",
            type="ThrottlingException",
            counted="Too many {unit}, please wait before trying again.",
            variants=(
                _exception(
                    503,
                    "ServiceUnavailableException",
                    "Too many connections, please wait before trying again.",
                ),
            ),
            confidence="A",
            source=f"documented: {_DOCS}; seen",
        ),
        "quota": _exception(
            400,
            "ServiceQuotaExceededException",
            "Your request exceeds the service quota for your account. You can view your quotas at the "
            "Service Quotas console.",
        ),
        "invalid_key": _exception(
            403, "UnrecognizedClientException", "The security token included in the request is invalid."
        ),
        "permission": _exception(
            403, "AccessDeniedException", "You don't have access to the model with the specified model ID."
        ),
        "model_not_found": _exception(
            404,
            "ResourceNotFoundException",
            "Could not resolve the foundation model from the model identifier: {model}",
        ),
        "server_error": _exception(
            500,
            "InternalServerException",
            "The system encountered an unexpected error during processing. Try your request again.",
        ),
        "overloaded": ErrorForm(
            503,
            "Bedrock is unable to process your request.",
            type="ServiceUnavailableException",
            variants=(
                _exception(
                    429, "ModelNotReadyException", "Model is not ready for inference. Please try again later."
                ),
            ),
            confidence="B",
            source=f"documented type: {_DOCS}; words from memory",
        ),
        "bad_gateway": ErrorForm(
            502,
            "Received an unexpected status code from the model.",
            type="ModelErrorException",
            variants=(
                _exception(
                    424,
                    "ModelErrorException",
                    "The request failed due to an error while processing the model.",
                ),
            ),
            source="guessed: Bedrock says 424 ModelErrorException",
        ),
        "timeout": _exception(
            408,
            "ModelTimeoutException",
            "The request took too long to process. Processing time exceeded the model timeout length.",
        ),
        "context_length": _exception(
            400,
            "ValidationException",
            "Input is too long for requested model.",
            "B",
            f"documented type: {_DOCS}; words widely quoted",
        ),
        "content_filter": _exception(
            400,
            "ValidationException",
            "The request was blocked by the content filter.",
            "C",
            "guessed: guardrails answer 200 with stopReason guardrail_intervened",
        ),
        "invalid_request": _exception(
            400,
            "ValidationException",
            "The model returned the following errors: messages: at least one message is required",
            "B",
            f"documented type: {_DOCS}; words from memory",
        ),
    },
)
