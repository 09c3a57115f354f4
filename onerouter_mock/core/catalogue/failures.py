"""A kind of failure in a provider's own words. One form of the catalogue, with its places filled.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from onerouter_mock.core.catalogue.headers import format_go_duration, limit_headers, tell_wait_us
from onerouter_mock.core.catalogue.records import ErrorForm, Model, Provider, Reading, Spent
from onerouter_mock.core.records import Failure

__all__ = ["Reading", "Spent", "fail", "limit_headers", "tell_wait_us"]

_CONTEXT = 128_000  # where only a name is known of the model
# window -> (OpenAI's word, the others' word, the letter of RPM)
_PER = {
    1_000_000: ("per sec", "per second", "S"),
    60_000_000: ("per min", "per minute", "M"),
    3_600_000_000: ("per hour", "per hour", "H"),
    86_400_000_000: ("per day", "per day", "D"),
}


def fail(
    provider: Provider,
    kind: str,
    *,
    model: Model | str,
    last4: str | None = None,
    budget: Spent | None = None,
    wait_us: int | None = None,
    speed: float = 1.0,
    status: int | None = None,
) -> Failure:
    """How this provider refuses an attempt for this reason: status, type, code, param and message of its own.

    Shape: `budget` puts the numbers of what is used up into the message, `wait_us` the wait (the true one;
    the words tell it divided by `speed`); without a wait the message names none. `status`: another status
    than the form's, for which some kinds have other words. `last4` None: the key is quoted as `****`.
    Errors: none; a kind that only the router has is worded as `overloaded`.
    """
    form = _choose(provider.errors.get(kind) or provider.errors["overloaded"], budget, status)
    counted = budget if budget is not None and budget.unit in ("requests", "tokens") else None
    sent_status = form.status if status is None else status
    facts = _state_facts(provider, model, last4, sent_status)
    facts.update(_count_facts(counted))
    message, again = form.message, form.again
    if counted is not None and form.counted:
        message, again = form.counted, form.again_counted or again
    facts["again"] = _tell_again(again, tell_wait_us(wait_us, speed)) if wait_us else ""
    return Failure(
        kind=kind,
        status=sent_status,
        message=message.format_map(facts),
        type=form.type and form.type.format_map(facts),
        code=form.code.format_map(facts) if isinstance(form.code, str) else form.code,
        param=form.param,
        wait_us=wait_us,
    )


def _tell_again(again: str, told_us: int) -> str:
    return again.format(wait=format_go_duration(told_us), wait_s=-(-told_us // 1_000_000))


def _choose(form: ErrorForm, budget: Spent | None, status: int | None) -> ErrorForm:
    if status is not None and status != form.status:
        return next((variant for variant in form.variants if variant.status == status), form)
    # Its message quotes the budget's numbers, so a budget in money cannot use it.
    if form.too_large and budget is not None and budget.too_large and budget.unit in ("requests", "tokens"):
        return form.too_large
    return form


def _state_facts(provider: Provider, model: Model | str, last4: str | None, status: int) -> dict[str, str]:
    name, context = (model.short_id, model.context) if isinstance(model, Model) else (model, _CONTEXT)
    return {
        "provider": provider.slug,
        "model": name,
        "key": f"****{last4 or ''}",
        "status": str(status),
        "context": str(context),
        "over": str(context + 1),
    }


def _count_facts(budget: Spent | None) -> dict[str, str]:
    """What a message may say of a budget in requests or tokens; of none only the unit, guessed."""
    unit = budget.unit if budget is not None else "requests"
    facts = {
        "unit": unit,
        "call": "token" if unit == "tokens" else "call",
        "metric": "input_token_count" if unit == "tokens" else "requests",
    }
    if budget is None:
        return facts
    short, long, letter = _describe_window(budget)
    name = f" ({unit[0].upper()}P{letter})" if letter else ""
    facts.update(
        budget=f"{unit} {short}{name}",
        budget_long=f"{unit} {long}{name}",
        rate=f"{unit} {long}",
        limit=str(budget.limit),
        limit_commas=f"{budget.limit:,}",
        used=str(budget.used),
        requested=str(budget.requested),
    )
    return facts


def _describe_window(budget: Spent) -> tuple[str, str, str]:
    if budget.window_us is None:
        words = "in all" if budget.quota else "at once"
        return words, words, ""
    odd = f"per {format_go_duration(budget.window_us)}"
    return _PER.get(budget.window_us, (odd, odd, ""))
