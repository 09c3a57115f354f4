"""Morph: how it fails. Data, all guessed. It is here because its speed was recorded (`latency`).

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from onerouter_mock.core.catalogue.forms import TEXT_KEY, openai_family
from onerouter_mock.core.catalogue.records import Provider

PROVIDER = Provider(
    slug="morph",
    name="Morph",
    credentials=TEXT_KEY,
    headers="openai",
    errors=openai_family("https://morphllm.com/dashboard"),
)
