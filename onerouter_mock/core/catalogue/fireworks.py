"""Fireworks: how it fails. Data. Mostly guessed to be OpenAI's way.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from onerouter_mock.core.catalogue.forms import TEXT_KEY, openai_family
from onerouter_mock.core.catalogue.records import ErrorForm, Provider

_SUSPENDED = (
    "Account mock is suspended, possibly due to reaching the monthly spending limit or failure to pay past "
    "invoices. Please go to https://fireworks.ai/account/billing for more information."
)

PROVIDER = Provider(
    slug="fireworks",
    name="Fireworks",
    credentials=TEXT_KEY,
    headers="openai",
    errors={
        **openai_family("https://app.fireworks.ai"),
        "quota": ErrorForm(
            412,
            _SUSPENDED,
            code="PRECONDITION_FAILED",
            variants=(
                ErrorForm(
                    402, _SUSPENDED, code="PAYMENT_REQUIRED", source="guessed: the words seen with 412"
                ),
            ),
            confidence="A",
            source="seen: gaia #3766",
        ),
        "model_not_found": ErrorForm(
            404,
            "Model not found, inaccessible, and/or not deployed",
            code="NOT_FOUND",
            confidence="B",
            source="from memory, widely quoted",
        ),
    },
)
