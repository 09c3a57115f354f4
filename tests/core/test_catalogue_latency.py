"""Recorded speed: the fitted curve goes through the two numbers that were measured."""

from __future__ import annotations

from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onerouter_mock.core.catalogue.latency import RECORDED, fit_lognormal

MEASURED = {
    "alibaba": (3175, 10398, 96),
    "fireworks": (1398, 2361, 43),
    "deepinfra": (2968, 5012, 53),
    "morph": (1144, 18098, 58),
}


def quantile_ms(lognormal, share: float) -> float:
    return lognormal.median_us / 1000 * 2.718281828459045 ** (lognormal.sigma * NormalDist().inv_cdf(share))


@pytest.mark.parametrize("slug", MEASURED)
def test_median_and_90th_percentile_are_those_measured(slug: str) -> None:
    median_ms, p90_ms, rate = MEASURED[slug]
    recorded = RECORDED[slug]
    assert quantile_ms(recorded.ttft, 0.5) == pytest.approx(median_ms)
    assert quantile_ms(recorded.ttft, 0.9) == pytest.approx(p90_ms)
    assert recorded.ttft.max_us is None
    assert recorded.rate == rate


def test_nothing_else_is_recorded() -> None:
    assert RECORDED.keys() == MEASURED.keys()


@given(st.integers(1, 100_000), st.floats(1, 50))
def test_any_two_quantiles_can_be_fitted(median_ms: int, spread: float) -> None:
    fitted = fit_lognormal(median_ms, median_ms * spread)
    assert quantile_ms(fitted, 0.5) == pytest.approx(median_ms)
    assert quantile_ms(fitted, 0.9) == pytest.approx(median_ms * spread)
