"""Who may be tried for a model, in which order, and why not the others. Routing rules live here, one
function each.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING

from onerouter_mock.core.catalogue.latency import RECORDED
from onerouter_mock.core.dice import draw
from onerouter_mock.core.records import Byok, Call, Skipped
from onerouter_mock.core.state import label_key, seconds
from onerouter_mock.core.when import resolve

if TYPE_CHECKING:
    from collections.abc import Iterable

    from onerouter_mock.core.catalogue import Model
    from onerouter_mock.core.scenario.records import Scenario
    from onerouter_mock.core.state import Pending, State

# Faults of the provider, not of the caller: one user's revoked key must not cool everybody's provider.
COOLING = frozenset({"server_error", "overloaded", "bad_gateway", "timeout", "connection", "rate_limit"})
_FREE_WEIGHT = 1e18
_NEVER_FAILED: tuple[tuple[int, ...], int, int] = ((), 0, 0)


@dataclass(slots=True)
class Candidate:
    """`asked` names the model as the caller did; `serves` False: the provider will refuse it."""

    lane: str
    provider: str
    model: Model
    asked: str
    serves: bool = True


def find_candidates(
    scenario: Scenario, state: State, pending: Pending, call: Call, asked: str, now_us: int
) -> tuple[list[Candidate], list[Skipped]]:
    """The candidates for one model of the call, in order, and who was left out, why.

    Shape: the own key first, wherever `provider` would put it; then, unless `fallback` is false, the shared
    pool.
    """
    model = resolve(scenario, asked)
    if model is None:
        return [], _serving_nowhere(call, asked)
    found: list[Candidate] = []
    skipped: list[Skipped] = []
    byok = call.byok
    if byok is not None:
        serves = scenario.catalogue.serves(model, byok.provider)
        # The asked model is asked for, and refused by the provider; nobody would try another one there.
        if serves or asked == call.model:
            found.append(Candidate("byok", byok.provider, model, asked, serves))
        else:
            skipped.append(Skipped("byok", byok.provider, model.id, f"does not serve {model.id}"))
    if byok is not None and not byok.fallback:
        if asked == call.model:
            skipped.append(Skipped("shared", None, model.id, "fallback is false"))
    else:
        found += _share(scenario, state, call, asked, model, skipped)
    if scenario.router.cooldown is not None:
        found = _leave_out_cooling(state, pending, found, byok, skipped, now_us)
    return found, skipped


def _serving_nowhere(call: Call, asked: str) -> list[Skipped]:
    why = f"does not serve {asked}"
    skipped = [] if call.byok is None else [Skipped("byok", call.byok.provider, asked, why)]
    if call.byok is None or call.byok.fallback:
        skipped.append(Skipped("shared", None, asked, why))
    return skipped


def _share(
    scenario: Scenario, state: State, call: Call, asked: str, model: Model, skipped: list[Skipped]
) -> list[Candidate]:
    """The shared pool's candidates: filtered, put in order, cut to one where no others are allowed."""
    routing = call.routing
    providers = list(model.providers)
    if routing.only is not None or routing.ignore:
        providers = _filter(call, model, providers, skipped)
    providers = _order(scenario, state, call, model, providers)
    if not routing.allow_fallbacks:
        for slug in providers[1:]:
            skipped.append(Skipped("shared", slug, model.id, "left out by provider.allow_fallbacks"))
        providers = providers[:1]
    return [Candidate("shared", slug, model, asked) for slug in providers]


def _filter(call: Call, model: Model, providers: list[str], skipped: list[Skipped]) -> list[str]:
    left = []
    for slug in providers:
        if call.routing.only is not None and slug not in call.routing.only:
            skipped.append(Skipped("shared", slug, model.id, "left out by provider.only"))
        elif slug in call.routing.ignore:
            skipped.append(Skipped("shared", slug, model.id, "left out by provider.ignore"))
        else:
            left.append(slug)
    return left


def _order(scenario: Scenario, state: State, call: Call, model: Model, providers: list[str]) -> list[str]:
    """`order` and `sort` decide alone; else the own key's provider first, then as listed or as the dice
    fall."""
    routing = call.routing
    if routing.sort is not None:
        providers = _sort(scenario, model, providers, routing.sort)
    if routing.order:
        first = [slug for slug in dict.fromkeys(routing.order) if slug in providers]
        return first + [slug for slug in providers if slug not in first]
    if routing.sort is not None or len(providers) < 2:
        return providers
    if scenario.router.balance == "weighted":
        providers = _draw_order(scenario, state, call, model, providers)
    own = call.byok.provider if call.byok is not None else None
    if own in providers:
        return [own, *(slug for slug in providers if slug != own)]
    return providers


def _sort(scenario: Scenario, model: Model, providers: list[str], by: str) -> list[str]:
    """Cheapest, or fastest as recorded, first; who was never measured keeps its place behind those who were.

    Source: documented (the words); `ttft` seen; what is measured is Infron's own benchmark.
    """
    if by == "price":
        return sorted(providers, key=lambda slug: sum(scenario.catalogue.price(model, slug)))

    def slowness(slug: str) -> float:
        recorded = scenario.catalogue.providers[slug].latency or RECORDED.get(slug)
        if recorded is None:
            return float("inf")
        return -recorded.rate if by == "throughput" else recorded.ttft.median_us

    return sorted(providers, key=slowness)


def _draw_order(
    scenario: Scenario, state: State, call: Call, model: Model, providers: Iterable[str]
) -> list[str]:
    """An order in which each is the next with weight 1/price^2 (Efraimidis and Spirakis: sort by
    -ln(u)/weight).

    Source: documented (the weight).
    """

    def lot(slug: str) -> float:
        price = sum(scenario.catalogue.price(model, slug))
        weight = 1 / price**2 if price > 0 else _FREE_WEIGHT
        u = draw(scenario.seed, state.session, "balance", call.number, model.id, slug)
        return -log(1 - u) / weight

    return sorted(providers, key=lot)


# Cooldowns


def _leave_out_cooling(
    state: State,
    pending: Pending,
    found: list[Candidate],
    byok: Byok | None,
    skipped: list[Skipped],
    now_us: int,
) -> list[Candidate]:
    left = []
    for candidate in found:
        until_us = cooling_until_us(pending, candidate.lane, candidate.provider, byok)
        if until_us > now_us:
            why = f"in cooldown until {seconds(until_us - state.zero_us)}s"
            skipped.append(Skipped(candidate.lane, candidate.provider, candidate.model.id, why))
        else:
            left.append(candidate)
    return left


def cooldown_cell(lane: str, provider: str, byok: Byok | None) -> tuple[str, str, str, str]:
    """Where the failures of a provider are kept: in the byok lane apart for each key."""
    return "cooldown", lane, provider, byok.ident if lane == "byok" and byok is not None else ""


def cooling_until_us(pending: Pending, lane: str, provider: str, byok: Byok | None) -> int:
    """Until when a provider is left alone in this lane; an instant of the past when it is not."""
    until_us: int = pending.get(cooldown_cell(lane, provider, byok), _NEVER_FAILED)[1]
    return until_us


def note_failure(
    scenario: Scenario, pending: Pending, candidate: Candidate, byok: Byok | None, kind: str, now_us: int
) -> None:
    """Counts a failure towards the cooldown, which runs from the last one. A success clears nothing."""
    cooldown = scenario.router.cooldown
    if cooldown is None or kind not in COOLING or kind not in scenario.router.fallback_on:
        return
    cell = cooldown_cell(candidate.lane, candidate.provider, byok)
    instants, until_us, _ = pending.get(cell, _NEVER_FAILED)
    instants = (*(us for us in instants if us > now_us - cooldown.within_us), now_us)[-cooldown.failures :]
    if len(instants) >= cooldown.failures:
        until_us = now_us + cooldown.for_us
    pending.set(cell, (instants, until_us, max(until_us, now_us + cooldown.within_us)))
    if candidate.lane == "byok" and byok is not None:
        label_key(pending, byok)
