"""The catalogue: providers, models, prices, speed, failures. Providers are known by name only here.

    records.py    the nouns
    models.py     the models
    names.py      under which names a model is known; guesses for the others
    openai.py ... one file of data per provider; google.py and forms.py hold what several share
    failures.py   a kind of failure in a provider's own words
    headers.py    rate-limit headers in a provider's own format
    latency.py    recorded speed
    lookup.py     the catalogue as a whole: find, guess, price
    extend.py     a scenario's additions
    listing.py    all error forms as rows for people

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from functools import cache
from importlib import import_module

from onerouter_mock.core.catalogue.lookup import Catalogue
from onerouter_mock.core.catalogue.records import (
    CredentialForm,
    ErrorForm,
    Model,
    Offer,
    Provider,
    Reading,
    Recorded,
    Spent,
)

__all__ = [
    "Catalogue",
    "CredentialForm",
    "ErrorForm",
    "Model",
    "Offer",
    "Provider",
    "Reading",
    "Recorded",
    "Spent",
    "built_in",
]

_FILES = (
    "openai", "anthropic", "google_ai_studio", "google_vertex", "azure_ai_foundry", "aws_bedrock", "deepseek",
    "x_ai", "mistral", "groq", "fireworks", "deepinfra", "alibaba", "morph",
)  # fmt: skip


@cache
def built_in() -> Catalogue:
    """The catalogue without a scenario's additions, made on first use."""
    from onerouter_mock.core.catalogue.models import MODELS

    providers = (import_module(f"{__name__}.{file}").PROVIDER for file in _FILES)
    return Catalogue(providers, MODELS)
