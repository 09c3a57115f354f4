"""Every entry of the catalogue is whole: a form for each kind, with its source and how sure it is."""

from __future__ import annotations

import subprocess
import sys
from string import Formatter

import pytest

from onerouter_mock.core.catalogue import ErrorForm, built_in
from onerouter_mock.core.catalogue.listing import error_forms
from onerouter_mock.core.records import KINDS

PROVIDERS = list(built_in().providers.values())
CONTRACT = {
    "openai", "anthropic", "google-ai-studio", "google-vertex", "azure-ai-foundry", "aws-bedrock", "deepseek",
    "x-ai", "mistral", "groq", "fireworks", "deepinfra", "alibaba",
}  # fmt: skip
ALWAYS = {"provider", "model", "key", "status", "context", "over", "unit", "call", "metric", "again"}
OF_BUDGETS = {"budget", "budget_long", "rate", "limit", "limit_commas", "used", "requested"}


def forms(form: ErrorForm) -> list[ErrorForm]:
    return [form, *form.variants, *([form.too_large] if form.too_large else [])]


def places(text: str | None) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text or "") if name is not None}


def test_has_the_providers_of_the_contract() -> None:
    assert set(built_in().providers) >= CONTRACT
    assert all(slug == provider.slug for slug, provider in built_in().providers.items())


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda p: p.slug)
def test_each_provider_fails_in_all_kinds(provider) -> None:
    assert set(provider.errors) == set(KINDS)


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda p: p.slug)
def test_each_form_has_a_source_and_a_confidence(provider) -> None:
    for kind, usual in provider.errors.items():
        for form in forms(usual):
            assert form.confidence in ("A", "B", "C"), kind
            assert form.source, kind
            assert 400 <= form.status <= 599, kind
            assert form.message == form.message.strip(), kind
            # What is sure was seen or is documented; what has no source is not sure.
            assert form.confidence != "A" or form.source.startswith(("seen", "documented")), kind
            assert form.source != "guessed" or form.confidence == "C", kind


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda p: p.slug)
def test_each_text_has_only_places_that_can_be_filled(provider) -> None:
    for kind, usual in provider.errors.items():
        for form in forms(usual):
            counted = OF_BUDGETS if form is usual.too_large else set()
            assert places(form.message) <= ALWAYS | counted, kind
            assert places(form.counted) <= ALWAYS | OF_BUDGETS, kind
            assert places(form.again) <= {"wait", "wait_s"}, kind
            assert places(form.type) <= {"unit"}, kind
            assert not isinstance(form.code, str) or places(form.code) <= {"status"}, kind
            told = places(form.message) | places(form.counted)
            assert bool(form.again) == ("again" in told), kind


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda p: p.slug)
def test_kinds_that_only_the_router_can_see_have_its_statuses_everywhere(provider) -> None:
    assert provider.errors["timeout"].status == 408
    assert provider.errors["connection"].status == 502
    assert provider.errors["model_not_found"].status == 404


@pytest.mark.parametrize(
    ("slug", "kind", "status"),
    [
        ("openai", "invalid_key", 401), ("openai", "quota", 429), ("openai", "overloaded", 503),
        ("anthropic", "overloaded", 529), ("anthropic", "quota", 400), ("x-ai", "invalid_key", 400),
        ("google-ai-studio", "invalid_key", 400), ("google-vertex", "invalid_key", 401),
        ("deepseek", "quota", 402),
        ("mistral", "quota", 401), ("aws-bedrock", "invalid_key", 403), ("aws-bedrock", "quota", 400),
        ("azure-ai-foundry", "rate_limit", 429), ("fireworks", "quota", 412), ("groq", "server_error", 500),
    ],
)  # fmt: skip
def test_a_provider_has_its_own_status(slug: str, kind: str, status: int) -> None:
    assert built_in().providers[slug].errors[kind].status == status


@pytest.mark.parametrize(
    ("slug", "shapes"),
    [
        ("openai", [("text", (), None)]),
        ("azure-ai-foundry", [("object", ("endpoint_url", "api_key", "model_id"), "api_key")]),
        (
            "aws-bedrock",
            [("text", (), None), ("object", ("accessKeyId", "secretAccessKey", "region"), "accessKeyId")],
        ),
        (
            "google-vertex",
            [("object", ("type", "project_id", "private_key", "client_email"), "private_key_id")],
        ),
    ],
)
def test_a_provider_takes_credentials_in_its_own_shape(slug: str, shapes: list[tuple[object, ...]]) -> None:
    credentials = built_in().providers[slug].credentials
    assert [(form.kind, form.required, form.secret) for form in credentials] == shapes


def test_listing_has_a_row_for_each_form_with_the_example_filled_in() -> None:
    rows = error_forms()
    assert {(row.provider, row.kind) for row in rows} == {(p.slug, kind) for p in PROVIDERS for kind in KINDS}
    assert len(rows) == sum(len(forms(form)) for p in PROVIDERS for form in p.errors.values())
    assert not [row for row in rows if "{" in row.message or "{" in f"{row.type}{row.code}"]
    usual = next(row for row in rows if (row.provider, row.kind) == ("openai", "rate_limit"))
    assert "Limit 3, Used 3, Requested 1. Please try again in 18.7s." in usual.message
    assert dict(usual.headers)["x-ratelimit-reset-requests"] == "58.7s"
    assert all(
        row.case for row in rows if (row.provider, row.kind, row.status) == ("anthropic", "quota", 402)
    )


def test_importing_the_catalogue_makes_no_data() -> None:
    code = (
        "import sys, onerouter_mock.core.catalogue as c; "
        "assert not {f'{c.__name__}.{name}' for name in ('openai', 'models', 'forms')} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
