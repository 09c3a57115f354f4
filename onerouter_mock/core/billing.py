"""Tokens to money, the ledger, and what is set right when an answer ends.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from onerouter_mock.core.limits import Draw, set_right
from onerouter_mock.core.records import Cost, Usage
from onerouter_mock.core.state import Pending
from onerouter_mock.core.when import resolve

if TYPE_CHECKING:
    from onerouter_mock.core.catalogue import Model
    from onerouter_mock.core.records import Attempt, Decision
    from onerouter_mock.core.scenario.records import Account, Scenario
    from onerouter_mock.core.state import State

_NANO = 1_000_000_000
_NO_COST = Cost()


def bill(
    scenario: Scenario, pending: Pending, decision: Decision, model: Model, draws: Iterable[Draw]
) -> None:
    """Counts a served answer's tokens, prices it, and takes the money: credits, or the provider's own from
    its budget.

    Shape: `draws` are all that the call drew; what may have to be set right at its end stays in the decision.
    """
    decision.usage = _plan_usage(decision)
    served = decision.served
    assert served is not None
    decision.cost = price(scenario, served, model, decision.usage)
    charged, held = [], []
    for draw in draws:
        if draw.budget.kind == "concurrency":
            held.append(draw)
        elif draw.budget.unit != "requests":
            charged.append(draw)
    decision.charged, decision.held = tuple(charged), tuple(held)
    _take_money(pending, decision, _NO_COST, decision.cost, decision.now_us)


def _plan_usage(decision: Decision) -> Usage:
    """The tokens of the answer as planned: a break leaves those that are delivered, a reply may say its
    own."""
    answer, timeline, prompt = decision.answer, decision.timeline, decision.call.prompt_tokens
    if answer is None:
        return Usage(prompt, 0)
    completion, reasoning = answer.completion_tokens, answer.reasoning_tokens
    shape = decision.shape
    is_broken = timeline is not None and not (shape is not None and shape.breaks_at_router)
    if timeline is not None and is_broken and timeline.tokens < completion:
        return Usage(prompt, timeline.tokens, min(reasoning, timeline.tokens))
    said = dict(answer.usage)
    return Usage(
        said.get("prompt_tokens", prompt),
        said.get("completion_tokens", completion),
        said.get("reasoning_tokens", reasoning),
    )


def price(scenario: Scenario, served: Attempt, model: Model, usage: Usage) -> Cost:
    """What an answer costs where it ran: credits in the shared lane, the provider's own money in the byok
    lane.

    Source: seen: `cost` is the sum of its parts rounded to 6 digits.
    """
    prompt_usd, completion_usd = scenario.catalogue.price(model, served.provider)
    request_usd = model.request or 0
    return _price(
        prompt_usd, completion_usd, request_usd, usage.prompt_tokens, usage.completion_tokens, served.lane
    )


@lru_cache(maxsize=1024)
def _price(
    prompt_usd: float, completion_usd: float, request_usd: float, prompt: int, completion: int, lane: str
) -> Cost:
    # USD per million tokens are thousands of nano-dollars a token
    prompt_nano = round(prompt * prompt_usd * 1000)
    completion_nano = round(completion * completion_usd * 1000 + request_usd * _NANO)
    # as who reads the parts adds them up: in floating point
    total_nano = round(round(prompt_nano / _NANO + completion_nano / _NANO, 6) * 1_000_000) * 1000
    if lane == "byok":
        return Cost(byok_nano=total_nano, is_byok=True)
    return Cost(prompt_nano, completion_nano, total_nano)


def _take_money(pending: Pending, decision: Decision, old: Cost, new: Cost, now_us: int) -> None:
    """Puts the difference between two costs of the call into the ledger and into budgets in money."""
    account = decision.call.account or ""
    for word, delta in (
        ("spent", new.total_nano - old.total_nano),
        ("byok_spent", new.byok_nano - old.byok_nano),
    ):
        if delta:
            pending.set((word, account), pending.get((word, account), 0) + delta)
        for draw in decision.charged:
            if delta and draw.budget.unit == "usd":
                set_right(pending, draw, delta, now_us)


def settle(
    scenario: Scenario, state: State, decision: Decision, outcome_tokens: int | None, now_us: int
) -> dict[Any, Any]:
    """What the end of an answer changes: token budgets by what was really said, places freed, money for
    what came.

    Shape: the changed cells; `outcome_tokens` is what was delivered to a client that left, None: all that
    was planned. Sets the decision's `usage` and `cost` right as well.
    """
    pending = Pending(state)
    for draw in decision.held:
        set_right(pending, draw, -draw.size, now_us)
    usage, served = decision.usage, decision.served
    if usage is None or served is None:
        return pending.changes
    if outcome_tokens is not None and outcome_tokens < usage.completion_tokens:
        _charge_delivered(scenario, pending, decision, outcome_tokens, now_us)
    tokens = decision.usage.prompt_tokens + decision.usage.completion_tokens if decision.usage else 0
    for draw in decision.charged:
        if draw.budget.unit == "tokens":
            set_right(pending, draw, tokens - draw.size, now_us)
    return pending.changes


def _charge_delivered(
    scenario: Scenario, pending: Pending, decision: Decision, tokens: int, now_us: int
) -> None:
    served = decision.served
    model = resolve(scenario, served.model) if served is not None else None
    if served is None or model is None:
        return
    prompt = decision.call.prompt_tokens
    reasoning = decision.usage.reasoning_tokens if decision.usage is not None else 0
    decision.usage = Usage(prompt, tokens, min(reasoning, tokens))
    old = decision.cost or _NO_COST
    decision.cost = price(scenario, served, model, decision.usage)
    _take_money(pending, decision, old, decision.cost, now_us)


def credits_left_nano(pending: Pending, account: Account | None) -> int:
    """What is left of an account's credits; below 0 after an answer that overshot."""
    if account is None:
        return 0
    left: int = account.credits_nano - pending.get(("spent", account.name), 0)
    return left
