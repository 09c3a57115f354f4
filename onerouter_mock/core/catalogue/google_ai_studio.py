"""Google AI Studio (the Gemini API): how it fails. Data. Its `status` word is what we keep as type.

Its ErrorInfo, QuotaFailure and RetryInfo details cannot reach the wire through the router.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from onerouter_mock.core.catalogue.forms import TEXT_KEY
from onerouter_mock.core.catalogue.google import ERRORS
from onerouter_mock.core.catalogue.records import ErrorForm, Provider

_QUOTA = (
    "You exceeded your current quota, please check your plan and billing details. For more information on "
    "this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits. To monitor your current "
    "usage, head to: https://ai.dev/usage?tab=rate-limit. "
)
_METRIC = "\n* Quota exceeded for metric: generativelanguage.googleapis.com/"

_SEEN = "seen: reports such as continue #10748, OmniRoute #9504, Roo-Code #3883, python-genai #2044"

PROVIDER = Provider(
    slug="google-ai-studio",
    name="Google AI Studio",
    credentials=TEXT_KEY,
    headers="none",
    headers_source="seen: none, the wait is in the body",
    errors={
        **ERRORS,
        "rate_limit": ErrorForm(
            429,
            f"{_QUOTA}{{again}}",
            type="RESOURCE_EXHAUSTED",
            counted=f"{_QUOTA}{_METRIC}generate_content_paid_tier_{{metric}}, limit: {{limit}}, model: "
            "{model}{again}",
            again="\nPlease retry in {wait}.",
            confidence="A",
            source=_SEEN,
        ),
        "quota": ErrorForm(
            429,
            f"{_QUOTA}{_METRIC}generate_requests_per_model_per_day, limit: 0",
            type="RESOURCE_EXHAUSTED",
            counted=f"{_QUOTA}{_METRIC}generate_requests_per_model_per_day, limit: {{limit}}",
            confidence="A",
            source=f"{_SEEN}; a quotaId with PerDay tells it from a rate, but stays in the details",
        ),
        "invalid_key": ErrorForm(
            400,
            "API key not valid. Please pass a valid API key.",
            type="INVALID_ARGUMENT",
            confidence="A",
            source=f"{_SEEN}; the reason API_KEY_INVALID stays in the details",
        ),
    },
)
