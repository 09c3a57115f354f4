"""The router itself, before any attempt: OneRouter's test keys, the limits and rules of `lane: router`, its
refusals.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from onerouter_mock.core.attempts import Walk, default_kind, give_back, override, size_in_tokens, wait_of
from onerouter_mock.core.limits import Draw, Refused, admit
from onerouter_mock.core.rules import Verdict, judge
from onerouter_mock.core.scenario.records import ErrorSpec
from onerouter_mock.core.when import concern, limits_of, rules_of
from onerouter_mock.core.wire.refusals import router_failure

if TYPE_CHECKING:
    from onerouter_mock.core.catalogue import Model
    from onerouter_mock.core.records import Failure

# The HTTP status that an accident on the client's wire still has; the others send none.
_STATUS_OF_ACCIDENT = {"short_body": 200, "html": 502}


@dataclass(slots=True)
class Passed:
    """What the router's own limits and rules made of a call; it was refused when the decision has a
    failure."""

    verdict: Verdict = field(default_factory=Verdict)
    draws: Sequence[Draw] = ()


_NOTHING_SAID = Passed()


def ask_router(walk: Walk, model: Model | None) -> Passed:
    """Asks OneRouter's test keys, then the router's limits, then its rules; the first refusal ends the call.

    Shape: `model` is the asked one, None where the call names none that is known.
    """
    call = walk.call
    found = concern(walk.scenario, call, "router", "", call.model, model)
    limits, rules = limits_of(found, call, 0), rules_of(found, call, 0)
    if not limits and not rules and call.account_test_kind is None:
        return _NOTHING_SAID
    passed = Passed()
    account = call.account or ""
    name = model.id if model is not None else call.model
    facts = {"key": account, "account": account, "provider": "", "model": name, "lane": "router"}
    if call.account_test_kind is not None and call.endpoint != "models":
        refuse_call(walk, ErrorSpec(call.account_test_kind), cause=("test key", None))
    elif limits:
        tokens = size_in_tokens(call, model)
        drawn = admit(walk.pending, limits, facts, tokens, walk.state.began_us, walk.now_us)
        if isinstance(drawn, Refused):
            _refuse_by_limit(walk, drawn)
        else:
            passed.draws = drawn
    if rules:
        reached = walk.decision.failure is None
        verdict = judge(walk.table, walk.pending, rules, facts, stream=call.stream, reached=reached)
        passed.verdict = verdict
        walk.decision.delay_us = verdict.delay_us or 0
        if verdict.rule is not None:
            _refuse_by_rule(walk, passed)
    return passed


def _refuse_by_limit(walk: Walk, drawn: Refused) -> None:
    limit = drawn.limit
    spec = limit.error or ErrorSpec(default_kind(drawn))
    refuse_call(walk, spec, cause=(f"limit {limit.name}", limit.where), wait_us=drawn.wait_us)


def _refuse_by_rule(walk: Walk, passed: Passed) -> None:
    verdict = passed.verdict
    rule, connection = verdict.rule, verdict.connection
    assert rule is not None
    cause = (f"rule {rule.name}", rule.where)
    if connection is None:
        refuse_call(walk, verdict.error or ErrorSpec("server_error"), cause=cause)
    else:
        kind = "timeout" if connection == "hang" else "connection"
        refuse_call(walk, ErrorSpec(kind), cause=cause).connection = connection
        walk.decision.status = _STATUS_OF_ACCIDENT.get(connection)
    give_back(walk.pending, passed.draws, walk.now_us)
    passed.draws = ()


def refuse_call(
    walk: Walk, spec: ErrorSpec, *, cause: tuple[str, str | None] | None = None, wait_us: int | None = None
) -> Failure:
    """The router's own refusal, in its own words but for what the scenario says; the call ends with it."""
    scenario, decision = walk.scenario, walk.decision
    failure = router_failure(
        spec.kind,
        wire_dialect=scenario.wire,
        call=walk.call,
        wait_us=wait_of(spec, walk.now_us, wait_us),
        speed=scenario.client_speed,
    )
    override(failure, spec)
    decision.failure, decision.failed_lane = failure, "router"
    decision.status, decision.router_cause = failure.status, cause
    return failure
