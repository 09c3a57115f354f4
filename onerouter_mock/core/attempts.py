"""One attempt: test key, expired key, a model that the provider lacks, limits, rules; and how it fails.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from onerouter_mock.core.candidates import Candidate, note_failure
from onerouter_mock.core.catalogue.failures import fail
from onerouter_mock.core.limits import Draw, Refused, admit, set_right
from onerouter_mock.core.records import Attempt, Byok, Call, Decision, Failure
from onerouter_mock.core.rules import Table, Verdict, judge
from onerouter_mock.core.scenario.records import ErrorSpec
from onerouter_mock.core.state import Pending, State, label_key
from onerouter_mock.core.when import concern, limits_of, rules_of

if TYPE_CHECKING:
    from onerouter_mock.core.catalogue import Model, Spent
    from onerouter_mock.core.scenario.records import Limit, Scenario

# What an attempt at a provider meets instead of an answer, and the status that it came with, if any.
_STATUS_OF_CONNECTION = {"html": 502, "short_body": 200}


@dataclass(slots=True)
class Walk:
    """A call on its way through its candidates. `asked_id`: the asked model as the catalogue names it.

    Units: `elapsed_us` since the call arrived.
    """

    scenario: Scenario
    state: State
    call: Call
    now_us: int
    decision: Decision
    pending: Pending
    table: Table
    asked_id: str = ""
    elapsed_us: int = 0


_NO_VERDICT = Verdict()
_NO_FACTS: Mapping[str, str] = {}


@dataclass(slots=True)
class Tried:
    """An attempt with what it drew and what rules made of it. `status_given`: the scenario itself said the
    status."""

    attempt: Attempt
    candidate: Candidate
    facts: Mapping[str, str]
    limits: Sequence[Limit] = ()
    draws: Sequence[Draw] = ()
    verdict: Verdict = field(default_factory=lambda: _NO_VERDICT)
    status_given: bool = False


def try_candidate(walk: Walk, candidate: Candidate) -> Tried:
    """Makes the call's next attempt; it is in the decision then, and what it drew in the pending changes."""
    call, model = walk.call, candidate.model
    byok = call.byok if candidate.lane == "byok" else None
    n = len(walk.decision.attempts) + 1
    other = None if model.id == walk.asked_id else model.short_id
    attempt = Attempt(
        n,
        candidate.lane,
        candidate.provider,
        model.id,
        at_us=walk.elapsed_us,
        other_model=other,
        asked=candidate.asked,
    )
    found = concern(walk.scenario, call, candidate.lane, candidate.provider, candidate.asked, model)
    limits, rules = limits_of(found, call, n), rules_of(found, call, n)
    account = call.account or ""
    facts = _NO_FACTS
    if limits or rules:
        facts = {
            "key": account if byok is None else byok.ident,
            "account": account,
            "provider": candidate.provider,
            "model": model.id,
            "lane": candidate.lane,
        }
    tried = Tried(attempt, candidate, facts, limits)
    if not _is_refused_outright(walk, tried, byok) and limits:
        _draw_limits(walk, tried, byok)
    if rules:
        reached = attempt.failure is None
        tried.verdict = judge(walk.table, walk.pending, rules, facts, stream=call.stream, reached=reached)
        if tried.verdict.rule is not None:
            _fail_by_rule(walk, tried)
    _note(walk, tried, byok)
    return tried


def _note(walk: Walk, tried: Tried, byok: Byok | None) -> None:
    """Writes the attempt down: its time, and what follows from its failure."""
    attempt, failure = tried.attempt, tried.attempt.failure
    attempt.took_us = tried.verdict.delay_us or 0
    if failure is not None:
        attempt.result = failure.kind
        if failure.kind == "timeout":
            attempt.took_us += walk.scenario.router.timeout_us
        give_back(walk.pending, tried.draws, walk.now_us)
        note_failure(walk.scenario, walk.pending, tried.candidate, byok, failure.kind, walk.now_us)
    walk.elapsed_us += attempt.took_us
    walk.decision.attempts.append(attempt)


def give_back(pending: Pending, draws: Sequence[Draw], now_us: int) -> None:
    """What a failed attempt keeps is its request: tokens and places go back."""
    for draw in draws:
        if draw.budget.unit == "tokens" or draw.budget.kind == "concurrency":
            set_right(pending, draw, -draw.size, now_us)


# What refuses before rules are asked


def _is_refused_outright(walk: Walk, tried: Tried, byok: Byok | None) -> bool:
    attempt = tried.attempt
    if byok is not None and byok.test_kind is not None:
        attempt.cause = "test key"
        _fail(walk, tried, ErrorSpec(byok.test_kind))
    elif byok is not None and byok.key is not None and _is_expired(walk, byok):
        attempt.cause = "expired key"
        _fail(walk, tried, ErrorSpec("invalid_key"))
    elif not tried.candidate.serves:
        _fail(walk, tried, ErrorSpec("model_not_found"))
    else:
        return False
    return True


def _is_expired(walk: Walk, byok: Byok) -> bool:
    expires: dict[str, int] | None = walk.scenario.memo.get("expires")
    if expires is None:
        expires = {key.name: key.expires_us for key in walk.scenario.keys if key.expires_us is not None}
        walk.scenario.memo["expires"] = expires
    expires_us = expires.get(byok.key or "")
    return expires_us is not None and walk.now_us - walk.state.began_us >= expires_us


def _draw_limits(walk: Walk, tried: Tried, byok: Byok | None) -> None:
    model = tried.candidate.model
    tokens = size_in_tokens(walk.call, model)
    drawn = admit(walk.pending, tried.limits, tried.facts, tokens, walk.state.began_us, walk.now_us)
    if not isinstance(drawn, Refused):
        tried.draws = drawn
        if byok is not None:
            label_key(walk.pending, byok)
        return
    attempt, limit = tried.attempt, drawn.limit
    attempt.cause, attempt.where, attempt.budget = f"limit {limit.name}", limit.where, drawn.budget.text
    _fail(
        walk, tried, limit.error or ErrorSpec(default_kind(drawn)), spent=drawn.spent, wait_us=drawn.wait_us
    )


def default_kind(refused: Refused) -> str:
    """How a used-up budget fails when its limit does not say."""
    return "quota" if refused.budget.kind == "quota" else "rate_limit"


def size_in_tokens(call: Call, model: Model | None) -> int:
    """What an attempt draws from token budgets at admission: the prompt's estimate and the longest answer."""
    most = call.wants.max_tokens if call.wants is not None else None
    if most is None:
        most = model.default_output if model is not None else 0
    return call.prompt_tokens + most


# How an attempt fails


def _fail_by_rule(walk: Walk, tried: Tried) -> None:
    verdict, attempt = tried.verdict, tried.attempt
    rule = verdict.rule
    assert rule is not None
    attempt.cause, attempt.where = f"rule {rule.name}", rule.where
    if verdict.error is not None:
        _fail(walk, tried, verdict.error)
        return
    kind = "timeout" if verdict.connection == "hang" else "connection"
    failure = _fail(walk, tried, ErrorSpec(kind))
    failure.connection = verdict.connection
    attempt.status = _STATUS_OF_CONNECTION.get(verdict.connection or "")


def _fail(
    walk: Walk, tried: Tried, spec: ErrorSpec, *, spent: Spent | None = None, wait_us: int | None = None
) -> Failure:
    """The attempt's failure, in its provider's words but for what the scenario says."""
    scenario, attempt = walk.scenario, tried.attempt
    wait_us = wait_of(spec, walk.now_us, wait_us)
    byok = walk.call.byok if attempt.lane == "byok" else None
    failure = fail(
        scenario.catalogue.providers[attempt.provider],
        spec.kind,
        model=tried.candidate.model,
        last4=byok.last4 if byok is not None else None,
        budget=spent,
        wait_us=wait_us,
        speed=scenario.client_speed,
        status=spec.status,
    )
    override(failure, spec)
    attempt.failure, attempt.status = failure, failure.status
    tried.status_given = spec.status is not None
    return failure


def wait_of(spec: ErrorSpec, now_us: int, wait_us: int | None) -> int | None:
    """The true wait: what the scenario says, else what is known. A date that is past is no wait."""
    if spec.retry_after_us is not None:
        return spec.retry_after_us
    if spec.retry_after_date is not None and spec.retry_after_date != "date":
        try:
            until = datetime.strptime(spec.retry_after_date, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
        except ValueError:
            return wait_us
        return max(0, int(until.timestamp()) * 1_000_000 - now_us)
    return wait_us


def override(failure: Failure, spec: ErrorSpec) -> None:
    """Puts what the scenario says in the place of what the catalogue has."""
    given: dict[str, Any] = {
        "message": spec.message,
        "type": spec.type,
        "code": spec.code,
        "param": spec.param,
        "status": spec.status,
        "date": spec.retry_after_date,
        "should_retry": spec.should_retry,
        "body": spec.body,
    }
    for name, value in given.items():
        if value is not None:
            setattr(failure, name, value)
    failure.headers = spec.headers
