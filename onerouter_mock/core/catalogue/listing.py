"""The error forms as rows for people to read (`onerouter-mock faults`), worded as the calls get them.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from onerouter_mock.core.catalogue.failures import fail
from onerouter_mock.core.catalogue.headers import limit_headers
from onerouter_mock.core.catalogue.lookup import Catalogue
from onerouter_mock.core.catalogue.records import ErrorForm, Model, Provider, Reading, Spent
from onerouter_mock.core.records import KINDS, Failure

_NOW_US = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z, where virtual time begins
_WINDOW_US = 60_000_000
_WAIT_US = 18_700_000


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """One way to fail. `case`: when this one of a kind's forms is used, "" for the usual one.

    `headers` are the provider's rate-limit headers, on the row of the kind that they belong to.
    """

    provider: str
    kind: str
    status: int
    type: str | None
    code: str | int | None
    param: str | None
    message: str
    headers: tuple[tuple[str, str], ...]
    confidence: str
    source: str
    case: str = ""


def error_forms(catalogue: Catalogue | None = None) -> list[ErrorRow]:
    """Every provider's form of every kind, with an example of its message.

    Shape: providers as the catalogue lists them, kinds in the order of KINDS; the example key ends in 7f3a,
    the example budget is 3 requests a minute.
    """
    if catalogue is None:
        from onerouter_mock.core.catalogue import built_in

        catalogue = built_in()
    rows: list[ErrorRow] = []
    for provider in catalogue.providers.values():
        served = [each for each in catalogue.models.values() if provider.slug in each.providers]
        model = next((each for each in served if each.vendor == provider.slug), served[0] if served else None)
        for kind in KINDS:
            rows += _list_kind(provider, kind, model or catalogue.guess(f"{provider.slug}-model"))
    return rows


def _list_kind(provider: Provider, kind: str, model: Model) -> Iterator[ErrorRow]:
    form = provider.errors[kind]
    rated = kind == "rate_limit"
    budget = Spent("requests", 3, 3, 1, _WINDOW_US) if rated else None
    wait_us = _WAIT_US if rated else None
    readings = [Reading("requests", 3, 0, _WINDOW_US - 20_000_000 + _WAIT_US, _WINDOW_US)] if rated else []
    told = fail(provider, kind, model=model, last4="7f3a", budget=budget, wait_us=wait_us)
    headers = limit_headers(provider, readings, _NOW_US, 1.0)
    yield _row(provider, told, form, headers)
    if form.too_large:
        large = Spent("tokens", 30_000, 0, 40_000, _WINDOW_US, too_large=True)
        told = fail(provider, kind, model=model, last4="7f3a", budget=large)
        yield _row(provider, told, form.too_large, (), "larger than the whole limit")
    for variant in form.variants:
        told = fail(provider, kind, model=model, last4="7f3a", status=variant.status)
        yield _row(provider, told, variant, (), f"status {variant.status} is named")


def _row(
    provider: Provider, told: Failure, form: ErrorForm, headers: tuple[tuple[str, str], ...], case: str = ""
) -> ErrorRow:
    return ErrorRow(
        provider=provider.slug,
        kind=told.kind,
        status=told.status,
        type=told.type,
        code=told.code,
        param=told.param,
        message=told.message,
        headers=headers,
        confidence=form.confidence,
        source=form.source,
        case=case,
    )
