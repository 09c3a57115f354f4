"""A scenario's `providers` and `models` laid over the catalogue.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from onerouter_mock.core.catalogue.forms import TEXT_KEY, openai_family
from onerouter_mock.core.catalogue.latency import RECORDED
from onerouter_mock.core.catalogue.lookup import Catalogue
from onerouter_mock.core.catalogue.names import make_unknown_model
from onerouter_mock.core.catalogue.records import Model, Offer, Provider, Recorded
from onerouter_mock.core.errors import Problem, ScenarioError

PROVIDER_FIELDS = ("name", "latency")
MODEL_FIELDS = (
    "providers", "prompt", "completion", "context", "max_output", "default_output", "display_name", "request",
)  # fmt: skip


def extend(
    base: Catalogue, providers: Mapping[str, Mapping[str, Any]], models: Mapping[str, Mapping[str, Any]]
) -> Catalogue:
    """`base` with these members put over what it has, and what it lacks added (see `Catalogue.extended`)."""
    problems: list[Problem] = []
    known = dict(base.providers)
    for slug, fields in providers.items():
        known[slug] = _lay_over_provider(known.get(slug), slug, fields, problems)
    listed = dict(base.models)
    for name, fields in models.items():
        model = base.find(name) or replace(make_unknown_model(name, known), known=True)
        listed[model.id] = _lay_over_model(model, name, fields, known, problems)
    if problems:
        raise ScenarioError(problems)
    return Catalogue(known.values(), listed.values())


def _lay_over_provider(
    old: Provider | None, slug: str, fields: Mapping[str, Any], problems: list[Problem]
) -> Provider:
    provider = old or Provider(
        slug=slug, name=slug, credentials=TEXT_KEY, errors=openai_family(slug), headers="openai"
    )
    changes: dict[str, Any] = {}
    if fields.get("name") is not None:
        changes["name"] = fields["name"]
    latency = fields.get("latency")
    if latency == "recorded":
        if slug not in RECORDED:
            where, right = f"providers.{slug}.latency", f"recorded are {', '.join(sorted(RECORDED))}"
            problems.append(Problem("", 0, 0, where, f"nothing is recorded of '{slug}'", right))
        changes["latency"] = RECORDED.get(slug)
    elif isinstance(latency, Recorded):
        changes["latency"] = latency
    return replace(provider, **changes)


def _lay_over_model(
    model: Model,
    name: str,
    fields: Mapping[str, Any],
    providers: Mapping[str, Provider],
    problems: list[Problem],
) -> Model:
    given = {field: fields[field] for field in MODEL_FIELDS if fields.get(field) is not None}
    slugs = given.pop("providers", None)
    for slug in slugs or ():
        if slug not in providers:
            problems.append(_refuse_slug(name, slug, providers))
    changed = replace(model, **given)
    if slugs:
        changed = replace(changed, vendor=slugs[0], offers=tuple(_offer(changed, slug) for slug in slugs))
    elif {"prompt", "completion", "context"} & given.keys():
        changed = replace(changed, offers=tuple(_offer(changed, slug) for slug in changed.providers))
    if "context" in given and "max_output" not in given:
        changed = replace(changed, max_output=min(changed.max_output, changed.context))
    return changed


def _offer(model: Model, slug: str) -> Offer:
    return Offer(slug, model.prompt, model.completion, model.context)


def _refuse_slug(name: str, slug: str, providers: Mapping[str, Provider]) -> Problem:
    near = get_close_matches(slug, providers, 1)
    right = f"did you mean '{near[0]}'?" if near else f"one of {', '.join(providers)}"
    return Problem("", 0, 0, f"models.{name}.providers", f"no provider '{slug}'", right)
