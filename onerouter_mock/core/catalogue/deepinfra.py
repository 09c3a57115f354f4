"""DeepInfra: how it fails. Data. Mostly guessed to be OpenAI's way.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from onerouter_mock.core.catalogue.forms import TEXT_KEY, openai_family
from onerouter_mock.core.catalogue.records import ErrorForm, Provider

_BUSY = ErrorForm(
    429,
    "Model busy, retry later",
    type="server_error",
    confidence="A",
    source="seen: truefoundry/models #862",
)

PROVIDER = Provider(
    slug="deepinfra",
    name="DeepInfra",
    credentials=TEXT_KEY,
    headers="openai",
    errors={
        **openai_family("https://deepinfra.com/dash"),
        "quota": ErrorForm(
            402,
            "inference prohibited, please enter a Payment Method",
            type="invalid_request_error",
            source="from memory",
        ),
        "invalid_key": ErrorForm(
            401,
            "Not authenticated",
            type="invalid_request_error",
            confidence="A",
            source="seen: gpt4free #3446",
        ),
        "overloaded": ErrorForm(
            503,
            _BUSY.message,
            type=_BUSY.type,
            variants=(_BUSY,),
            source="words seen with 429: truefoundry/models #862; 503 guessed",
        ),
    },
)
