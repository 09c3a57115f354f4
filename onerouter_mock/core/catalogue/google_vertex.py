"""Google Vertex AI: how it fails. Data.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from onerouter_mock.core.catalogue.google import ERRORS
from onerouter_mock.core.catalogue.records import CredentialForm, ErrorForm, Provider

_EXHAUSTED = (
    "Resource exhausted. Please try again later. Please refer to "
    "https://cloud.google.com/vertex-ai/generative-ai/docs/error-code-429 for more details."
)
_MODEL = "projects/mock-project/locations/us-central1/publishers/google/models/{model}"

PROVIDER = Provider(
    slug="google-vertex",
    name="Google Vertex AI",
    # The private key is PEM, whose last 4 characters are the same in every file: the id names the key.
    credentials=(
        CredentialForm("object", ("type", "project_id", "private_key", "client_email"), "private_key_id"),
    ),
    headers="none",
    headers_source="seen: none",
    errors={
        **ERRORS,
        "rate_limit": ErrorForm(
            429, _EXHAUSTED, type="RESOURCE_EXHAUSTED", confidence="A", source="seen: without any details"
        ),
        "quota": ErrorForm(
            429,
            "Quota exceeded for "
            "aiplatform.googleapis.com/generate_content_requests_per_project_per_base_model with base "
            "model: {model}. Please submit a quota increase request. "
            "https://cloud.google.com/vertex-ai/docs/generative-ai/quotas-genai.",
            type="RESOURCE_EXHAUSTED",
            confidence="B",
            source="from memory, widely quoted",
        ),
        "invalid_key": ErrorForm(
            401,
            "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie "
            "or other valid authentication credential. See "
            "https://developers.google.com/identity/sign-in/web/devconsole-project.",
            type="UNAUTHENTICATED",
            confidence="B",
            source="from memory, the text of all Google Cloud APIs",
        ),
        "permission": ErrorForm(
            403,
            "Permission 'aiplatform.endpoints.predict' denied on resource "
            f"'//aiplatform.googleapis.com/{_MODEL}' (or it may not exist).",
            type="PERMISSION_DENIED",
            confidence="B",
            source="documented: the permission, on OneRouter's Vertex page; words from memory",
        ),
        "model_not_found": ErrorForm(
            404,
            f"Publisher Model `{_MODEL}` was not found or your project does not have access to it. Please "
            "ensure you are using a valid model version. For more information, see: "
            "https://cloud.google.com/vertex-ai/generative-ai/docs/learn/model-versions",
            type="NOT_FOUND",
            confidence="B",
            source="from memory, widely quoted",
        ),
    },
)
