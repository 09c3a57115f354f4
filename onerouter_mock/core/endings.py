"""How a call ends: the status that the client sees, what it is told to wait, the ids, the rate-limit headers; and
what is left of it.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from onerouter_mock.core.catalogue.failures import limit_headers, tell_wait_us
from onerouter_mock.core.dice import hex_digits
from onerouter_mock.core.limits import read
from onerouter_mock.core.records import Answer, Call, Decision

if TYPE_CHECKING:
    from onerouter_mock.core.attempts import Tried, Walk
    from onerouter_mock.core.scenario.records import Scenario
    from onerouter_mock.core.state import State

# The request's own faults: they would fail anywhere, so they end the walk in both lanes and keep their
# status.
OWN_FAULTS = frozenset({"context_length", "content_filter", "invalid_request"})
_SHARED_STATUS = {"rate_limit": 429, "timeout": 408}
_BYOK_STATUS = {"timeout": 408, "connection": 502}
_RETRIED_BY_SDKS = frozenset({408, 409, 429})
_JUMP_US = 1000
_LAST_S = 253_402_300_799  # 9999-12-31T23:59:59Z: a clock may have been moved beyond what a date can say
_NOTHING: dict[Any, Any] = {}
_ALPHANUMERICS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_PAIRS = tuple(low + high for high in _ALPHANUMERICS for low in _ALPHANUMERICS)


def begin_decision(scenario: Scenario, state: State, call: Call, now_us: int) -> Decision:
    """A decision in which nothing is decided yet but its ids.

    Source: seen: `request_id` in the body, the header's `YYYYMMDDhhmmss`, 9 digits below the second, 8
    alphanumerics.
    """
    digits = hex_digits(64, scenario.seed, state.session, "ids", call.number)
    created_s, below_us = divmod(now_us, 1_000_000)
    tail, number = "", int(digits[40:64], 16)
    for _ in range(4):
        number, place = divmod(number, 62 * 62)
        tail += _PAIRS[place]
    decision = Decision(call, now_us)
    decision.request_id = digits[:32]
    decision.answer_id = f"chatcmpl-{digits[32:56]}"
    decision.wire_id = f"{_stamp(created_s)}{below_us:06d}{number % 1000:03d}{tail}"
    decision.created_s = created_s
    return decision


@lru_cache(maxsize=256)
def _stamp(epoch_s: int) -> str:
    at = datetime.fromtimestamp(min(max(epoch_s, 0), _LAST_S), UTC)
    return f"{at.year:04d}{at.month:02d}{at.day:02d}{at.hour:02d}{at.minute:02d}{at.second:02d}"


def end_failed(walk: Walk, last: Tried) -> None:
    """The last attempt's failure becomes the call's, with the status that its lane has for it."""
    decision, failure = walk.decision, last.attempt.failure
    assert failure is not None
    lane, kind = last.attempt.lane, failure.kind
    status = failure.status
    if lane == "shared":
        if kind not in OWN_FAULTS:
            status = _SHARED_STATUS.get(kind, 502)
    elif not last.status_given:
        status = _BYOK_STATUS.get(kind, status)
    # The provider's connection broke, not the client's.
    decision.failure = replace(failure, status=status, connection=None)
    decision.failed_lane = "shared" if lane == "shared" else "byok"
    decision.status = 200 if walk.scenario.router.deliver_errors == "body" else status


def tell_wait(scenario: Scenario, decision: Decision) -> None:
    """What the refused client is told to wait, and what it should wait in truth."""
    failure = decision.failure
    if failure is None:
        return
    decision.wait_us = failure.wait_us
    if failure.connection not in (None, "html"):
        return  # nobody reads headers off a broken wire
    if any(name.lower() in ("retry-after", "retry-after-ms") for name, _ in failure.headers):
        return  # the rule's own words stand
    if scenario.waits == "jump":
        if failure.should_retry or failure.status in _RETRIED_BY_SDKS or failure.status >= 500:
            decision.told_us = _JUMP_US
    elif failure.wait_us is not None:
        decision.told_us = tell_wait_us(failure.wait_us, scenario.client_speed)


def read_limits(walk: Walk, ended_by: Tried) -> None:
    """The rate-limit headers of the attempt that ended the call, in its provider's format."""
    if not ended_by.limits:
        return
    readings = read(walk.pending, ended_by.limits, ended_by.facts, walk.state.began_us, walk.now_us)
    if readings:
        provider = walk.scenario.catalogue.providers[ended_by.attempt.provider]
        walk.decision.limit_headers = limit_headers(
            provider, readings, walk.now_us, walk.scenario.client_speed
        )


def let_go(decision: Decision) -> None:
    """Drops what only an answer in the making needs: its pieces and bytes, the parsed body, the changes of the state.

    What is left of a call with an answer of 60 tokens is 3 kB instead of 20.
    """
    decision.changes, decision.charged, decision.held = _NOTHING, (), ()
    decision.call.ask = decision.call.wants = None
    if decision.answer is not None:
        decision.answer = _length_of(decision.answer.completion_tokens)
    if decision.timeline is not None:
        decision.timeline.at_us = None


@lru_cache(maxsize=1_024)
def _length_of(tokens: int) -> Answer:
    """An answer of which nothing is left but how long it was."""
    return Answer((), (), tokens)
