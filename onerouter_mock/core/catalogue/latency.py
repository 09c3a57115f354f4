"""How fast providers answer, as measured. Data and the one formula that fits it.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Mapping
from math import log
from types import MappingProxyType

from onerouter_mock.core.catalogue.records import Recorded
from onerouter_mock.core.scenario.records import Lognormal

_Z90 = 1.2815515655446004  # the standard normal's 90th percentile


def fit_lognormal(median_ms: float, p90_ms: float) -> Lognormal:
    """The lognormal distribution whose median and 90th percentile are these.

    A lognormal is the exponential of a normal, so its quantiles are median * exp(sigma * z): two of them fix
    it, with sigma = ln(p90 / median) / z90. Nothing is claimed of the tail beyond; it is not cut.
    Units: milliseconds in, microseconds out.
    """
    return Lognormal(median_us=round(median_ms * 1000), sigma=log(p90_ms / median_ms) / _Z90)


def _recorded(median_ms: int, p90_ms: int, tokens_per_s: float) -> Recorded:
    return Recorded(ttft=fit_lognormal(median_ms, p90_ms), rate=tokens_per_s)


# Source: seen. InfronAI/prompt-cache-bench, June 2026: 998 streamed calls of deepseek-v4-flash through the
# real router; time to first token (median, 90th percentile) and tokens a second after it.
RECORDED: Mapping[str, Recorded] = MappingProxyType(
    {
        "alibaba": _recorded(3175, 10398, 96.0),
        "fireworks": _recorded(1398, 2361, 43.0),
        "deepinfra": _recorded(2968, 5012, 53.0),
        "morph": _recorded(1144, 18098, 58.0),
    }
)
