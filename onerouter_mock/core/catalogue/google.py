"""What the two Google doors have in common. Data.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from onerouter_mock.core.catalogue.forms import SILENCE
from onerouter_mock.core.catalogue.records import ErrorForm

_DOCS = "ai.google.dev/gemini-api/docs/troubleshooting"

# The kinds that both doors word alike; rate, quota and key are their own.
ERRORS: dict[str, ErrorForm] = {
    **SILENCE,
    "permission": ErrorForm(
        403,
        "The caller does not have permission",
        type="PERMISSION_DENIED",
        confidence="B",
        source=f"documented status: {_DOCS}; words from memory",
    ),
    "model_not_found": ErrorForm(
        404,
        "models/{model} is not found for API version v1beta, or is not supported for "
        "generateContent. Call ListModels to see the list of available models and their supported "
        "methods.",
        type="NOT_FOUND",
        confidence="B",
        source=f"documented status: {_DOCS}; words from memory",
    ),
    "server_error": ErrorForm(
        500,
        "An internal error has occurred. Please retry or report in "
        "https://developers.generativeai.google/guide/troubleshooting",
        type="INTERNAL",
        confidence="B",
        source=f"documented status: {_DOCS}; words from memory",
    ),
    "overloaded": ErrorForm(
        503,
        "The model is overloaded. Please try again later.",
        type="UNAVAILABLE",
        confidence="B",
        source=f"documented status: {_DOCS}; words from memory",
    ),
    "bad_gateway": ErrorForm(
        502, "Bad Gateway", type="UNAVAILABLE", source="guessed: its front end answers HTML"
    ),
    "timeout": ErrorForm(
        408,
        "Deadline expired before operation could complete.",
        type="DEADLINE_EXCEEDED",
        confidence="B",
        source=f"words documented: {_DOCS}, there with 504 (`error: 504`); 408 is the contract's for "
        "time-outs",
    ),
    "context_length": ErrorForm(
        400,
        "The input token count ({over}) exceeds the maximum number of tokens allowed ({context}).",
        type="INVALID_ARGUMENT",
        confidence="B",
        source="from memory, widely quoted",
    ),
    "content_filter": ErrorForm(
        400,
        "The prompt was blocked: PROHIBITED_CONTENT",
        type="INVALID_ARGUMENT",
        source="guessed: Google answers 200 with promptFeedback.blockReason, which is no error",
    ),
    "invalid_request": ErrorForm(
        400,
        "Invalid JSON payload received. Unknown name \"text\" at 'contents[0]': Cannot find field.",
        type="INVALID_ARGUMENT",
        confidence="B",
        source=f"documented status: {_DOCS}; words from memory",
    ),
}
