"""The router: one call, its candidates, tried until one answers. Never raises, never writes: what changes
is returned.

    router.py      the router itself, before any attempt      candidates.py   who may be tried
    attempts.py    one attempt                                endings.py      what the client sees of it all

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from onerouter_mock.core.answers import make_answer
from onerouter_mock.core.attempts import Tried, Walk, give_back, try_candidate
from onerouter_mock.core.billing import bill, credits_left_nano
from onerouter_mock.core.candidates import Candidate, cooling_until_us, find_candidates
from onerouter_mock.core.endings import OWN_FAULTS, begin_decision, end_failed, read_limits, tell_wait
from onerouter_mock.core.records import Call, Decision, Shape, Skipped
from onerouter_mock.core.router import Passed, ask_router, refuse_call
from onerouter_mock.core.rules import Table, Verdict
from onerouter_mock.core.scenario.records import ErrorSpec
from onerouter_mock.core.state import Pending
from onerouter_mock.core.timeline import lay_out
from onerouter_mock.core.when import RUNNING_NOTHING, resolve
from onerouter_mock.core.wire.refusals import router_failure

if TYPE_CHECKING:
    from onerouter_mock.core.catalogue import Model
    from onerouter_mock.core.errors import RequestError
    from onerouter_mock.core.scenario.records import Account, Scenario
    from onerouter_mock.core.state import State

# What the own key is to blame for: another model at the same provider would meet it again.
_KEY_FAULTS = frozenset({"invalid_key", "permission", "quota"})


@dataclass(slots=True)
class _Tries:
    """How far the walk has come: the last attempt of it, of the model at hand, and what stood in its way."""

    last: Tried | None = None
    lacks_credits: bool = False
    cools_until_us: int | None = None


def decide(scenario: Scenario, state: State, call: Call, now_us: int) -> Decision:
    """What becomes of a call: its attempts, its answer or refusal, and what that changes in the state.

    Shape: the same inputs give the same decision; `changes` is for the caller to apply.
    Units: `now_us` on the session's clock since 1970.
    """
    decision = begin_decision(scenario, state, call, now_us)
    pending = Pending(state, decision.changes)
    table = Table(scenario.seed, state.session, state.began_us, now_us)
    walk = Walk(scenario, state, call, now_us, decision, pending, table)
    model = resolve(scenario, call.model) if call.model else None
    walk.asked_id = model.id if model is not None else call.model
    byok = call.byok
    if byok is not None and byok.fallback is not byok.fallback_sent:
        said, forced = str(byok.fallback_sent).lower(), str(byok.fallback).lower()
        decision.notes.append(f"byok_conf.fallback: {said} was sent, {forced} is in force (--force-fallback)")
    passed = ask_router(walk, model)
    if decision.failure is not None:
        _plan_accident(walk, passed, model)
    elif call.endpoint in RUNNING_NOTHING:
        decision.balance_nano = credits_left_nano(pending, _account(scenario, call))
        decision.held = tuple(draw for draw in passed.draws if draw.budget.kind == "concurrency")
    else:
        _try_models(walk, passed)
    tell_wait(scenario, decision)
    return decision


def refuse(scenario: Scenario, state: State, call: Call, error: RequestError, now_us: int) -> Decision:
    """A call that is refused before anything is asked: it draws on nothing, and no rule sees it."""
    decision = begin_decision(scenario, state, call, now_us)
    decision.failure = router_failure(
        error.kind,
        wire_dialect=scenario.wire,
        call=call,
        message=error.message,
        param=error.param or None,
        status=error.status,
    )
    decision.failed_lane, decision.status = "router", decision.failure.status
    return decision


def _account(scenario: Scenario, call: Call) -> Account | None:
    by_name: dict[str | None, Account] | None = scenario.memo.get("accounts")
    if by_name is None:
        by_name = {account.name: account for account in scenario.accounts}
        scenario.memo["accounts"] = by_name
    return by_name.get(call.account)


# The walk


def _try_models(walk: Walk, passed: Passed) -> None:
    """Tries the asked model, then those of `fallback_models`, until one answers or nothing more may be
    tried."""
    tries = _Tries()
    for asked in (walk.call.model, *walk.call.fallback_models):
        if _try_model(walk, asked, tries):
            assert tries.last is not None
            _finish(walk, tries.last, passed)
            return
        if tries.lacks_credits or not _may_try_next(walk.call, tries.last):
            break
    give_back(walk.pending, passed.draws, walk.now_us)
    if tries.lacks_credits:
        refuse_call(walk, ErrorSpec("quota"))
    elif tries.last is not None:
        end_failed(walk, tries.last)
        read_limits(walk, tries.last)
    else:
        rest_us = None if tries.cools_until_us is None else tries.cools_until_us - walk.now_us
        refuse_call(walk, ErrorSpec("no_provider"), wait_us=rest_us)


def _may_try_next(call: Call, last: Tried | None) -> bool:
    """Whether the next model's turn has come, after the last failed attempt so far; None: nobody could be asked."""
    statuses = call.fallback_statuses
    failure = last.attempt.failure if last is not None else None
    if last is None or failure is None:
        return statuses is None or 503 in statuses
    if statuses is not None:
        return failure.status in statuses
    return last.attempt.lane == "shared" or failure.kind not in _KEY_FAULTS


def _try_model(walk: Walk, asked: str, tries: _Tries) -> bool:
    """Tries one model's candidates in order; whether one answered."""
    scenario, decision = walk.scenario, walk.decision
    found, skipped = find_candidates(scenario, walk.state, walk.pending, walk.call, asked, walk.now_us)
    if skipped:
        decision.skipped += skipped
        _note_cooling(walk, skipped, tries)
    if found and asked != walk.call.model and not found[0].model.known:
        vendor = found[0].model.vendor  # of the asked model the call's own notices tell
        decision.notes.append(
            f"model '{asked}' is not in the catalogue; served as {vendor} at a default price"
        )
    for place, candidate in enumerate(found):
        if candidate.lane == "shared" and credits_left_nano(walk.pending, _account(scenario, walk.call)) <= 0:
            decision.skipped += [_skip(left, "no credits left") for left in found[place:]]
            tries.lacks_credits = True
            return False
        tried = tries.last = try_candidate(walk, candidate)
        failure = tried.attempt.failure
        if failure is None:
            return True
        if _ends_walk(scenario, candidate, failure.kind):
            _note_end(decision, found[place + 1 :], candidate, failure.kind)
            return False
    return False


def _ends_walk(scenario: Scenario, candidate: Candidate, kind: str) -> bool:
    if candidate.lane == "byok":
        return kind not in scenario.router.fallback_on
    return kind in OWN_FAULTS


def _note_end(decision: Decision, left: list[Candidate], failed: Candidate, kind: str) -> None:
    """Why those that come after a failure are not tried."""
    if not left:
        return
    if failed.lane == "byok":
        why = f"{kind} is not in router.fallback_on"
        decision.skipped.append(Skipped("shared", None, failed.model.id, why))
    else:
        decision.skipped += [_skip(candidate, f"{kind} would fail anywhere") for candidate in left]


def _skip(candidate: Candidate, why: str) -> Skipped:
    return Skipped(candidate.lane, candidate.provider, candidate.model.id, why)


def _note_cooling(walk: Walk, skipped: list[Skipped], tries: _Tries) -> None:
    """The shortest rest of those who cool down: when nobody else is left, the client is told so long."""
    for skip in skipped:
        if skip.why.startswith("in cooldown") and skip.provider is not None:
            until_us = cooling_until_us(walk.pending, skip.lane, skip.provider, walk.call.byok)
            tries.cools_until_us = (
                until_us if tries.cools_until_us is None else min(tries.cools_until_us, until_us)
            )


# The answer


def _finish(walk: Walk, tried: Tried, passed: Passed) -> None:
    """An attempt has answered: what is said, when, what it costs."""
    decision, candidate = walk.decision, tried.candidate
    decision.served = tried.attempt
    if walk.call.prompt_tokens > candidate.model.context:
        decision.notes.append(
            f"a prompt of about {walk.call.prompt_tokens} tokens, where {candidate.model.id} takes "
            f"{candidate.model.context}; a provider answers 400 context_length"
        )
    decision.shape = _shape(tried.verdict, passed.verdict)
    _plan_answer(walk, candidate.model, candidate.provider)
    router_pace = passed.verdict.pace if tried.verdict.pace is None else None
    if router_pace is None or router_pace.ttft is None:  # else it is the router that keeps the client waiting
        tried.attempt.took_us += _first_wait_us(decision)
    bill(walk.scenario, walk.pending, decision, candidate.model, [*passed.draws, *tried.draws])
    read_limits(walk, tried)


def _first_wait_us(decision: Decision) -> int:
    """How long the provider takes for the first word of an answer, or for all of one that is not streamed."""
    timeline = decision.timeline
    if timeline is None:
        return 0
    if not decision.call.stream:
        return timeline.end_us - timeline.start_us
    return timeline.at_us[0] - timeline.start_us if timeline.at_us else 0


def _shape(own: Verdict, router: Verdict) -> Shape | None:
    """What rules make of the answer; the attempt's own before the router's."""
    pacer = own if own.pace is not None else router
    breaker = own if own.break_ is not None else router
    reply = own.reply if own.reply is not None else router.reply
    if pacer.pace is None and breaker.break_ is None and reply is None:
        return None
    rule = breaker.break_rule
    named = (rule.name, rule.where) if rule is not None else None
    return Shape(
        pacer.pace, pacer.pace_dice, breaker.break_, named, reply, breaks_at_router=breaker is router
    )


def _plan_answer(walk: Walk, model: Model, provider: str | None) -> None:
    """Words and timeline; `provider` None: nobody's own speed."""
    scenario, call, decision, shape = walk.scenario, walk.call, walk.decision, walk.decision.shape
    if call.wants is None:
        return
    reply = shape.reply if shape is not None else None
    latency = scenario.catalogue.providers[provider].latency if provider is not None else None
    dice = shape.pace_dice if shape is not None else ()
    if latency is not None:
        dice = dice or (provider, _count_answers(walk, provider))
    decision.answer = make_answer(scenario.seed, call.wants, reply, model.max_output)
    decision.timeline = lay_out(
        decision.answer,
        stream=call.stream,
        start_us=walk.elapsed_us + decision.delay_us,
        shape=shape,
        latency=latency,
        dice=(scenario.seed, walk.state.session, "pace", *dice),
    )


def _count_answers(walk: Walk, provider: str | None) -> int:
    """The ordinal of an answer among those of its provider, for the dice of a recorded latency."""
    cell = ("latency", provider)
    count: int = walk.pending.get(cell, 0) + 1
    walk.pending.set(cell, count)
    return count


def _plan_accident(walk: Walk, passed: Passed, model: Model | None) -> None:
    """A body that is too short is still the body of an ordinary answer."""
    failure = walk.decision.failure
    if failure is None or failure.connection != "short_body" or walk.call.endpoint in RUNNING_NOTHING:
        return
    model = model or walk.scenario.catalogue.guess(walk.call.model)
    walk.decision.shape = _shape(Verdict(), passed.verdict)
    _plan_answer(walk, model, None)
