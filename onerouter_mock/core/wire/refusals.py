"""Error objects: OneRouter's own words for its refusals, and the frame it puts around an upstream's.

Two dialects. `documented`: `code` `message` `type` `param`, always all four, `code` a number unless an own
key's provider has a code of its own. `observed`: as recorded; OneRouter's errors have `message` (with the
request id) and `type`, upstream errors keep what the provider gave, and members are missing.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson

from onerouter_mock.core.catalogue.failures import fail, tell_wait_us
from onerouter_mock.core.catalogue.headers import format_go_duration
from onerouter_mock.core.records import Failure
from onerouter_mock.core.scenario.records import ErrorSpec
from onerouter_mock.core.wire.accounts import BAD_KEY

if TYPE_CHECKING:
    from onerouter_mock.core.records import Call, Decision
    from onerouter_mock.core.scenario.records import Scenario

DOCUMENTED_TYPE = "onerouter_error"  # Source: guessed; the name before the company's renaming is not recorded
OBSERVED_TYPE = "infron_ai_error"  # Source: seen
UPSTREAM_TYPE = "upstream_error"  # Source: guessed; for providers whose errors have no type
INVALID_TEXT = "Invalid text request"
INVALID_TEXT_CODE = "invalid_text_request"

STATUSES = {
    "invalid_request": 400, "context_length": 400, "invalid_key": 401, "quota": 402, "permission": 403,
    "content_filter": 403, "model_not_found": 404, "timeout": 408, "rate_limit": 429, "server_error": 500,
    "bad_gateway": 502, "connection": 502, "overloaded": 503, "no_provider": 503,
}  # fmt: skip

# Source: seen: invalid_key, quota (with its slip), no_provider; guessed: the rest. {model} is the asked one.
_WORDS = {
    "invalid_request": "The request is invalid",
    "context_length": "The request is longer than the context of model {model}",
    "invalid_key": BAD_KEY,
    "quota": "Your current credits have been used up and we are unable to process further requests",
    "permission": "This key has no permission to use model {model}",
    "content_filter": "The input was flagged by moderation",
    "model_not_found": "The model `{model}` does not exist",
    "timeout": "The request timed out",
    "rate_limit": "Rate limit reached for this key",
    "server_error": "An internal error occurred, please try again later",
    "bad_gateway": "The model is down or sent an invalid response",
    "connection": "The model is down or sent an invalid response",
    "overloaded": "The service is overloaded, please try again later",
    "no_provider": "No available providers for model {model}",
}
_UNKNOWN_PATH_TYPE = "invalid_request_error"  # Source: guessed after the engine
_HINT = re.compile(r"\): .*\Z")
_RECORDED_QUOTA = "Your current credits have been used up and we are unable to process further rquests"


def router_failure(
    kind: str,
    *,
    wire_dialect: str,
    call: Call,
    message: str | None = None,
    param: str | None = None,
    status: int | None = None,
    wait_us: int | None = None,
    speed: float = 1.0,
) -> Failure:
    """How OneRouter itself refuses a call for this reason; `message`, `param` and `status` where more is
    known.

    Units: `wait_us` is the true wait, the words tell it divided by `speed`.
    Source: documented (statuses), seen (403 without credits in `observed`; the words marked so above),
    guessed.
    """
    failure = Failure(
        kind=kind,
        status=status or STATUSES.get(kind, 500),
        message=message or _word(kind, call, None if wait_us is None else tell_wait_us(wait_us, speed)),
        type=DOCUMENTED_TYPE,
        param=param,
        wait_us=wait_us,
    )
    if wire_dialect == "observed":
        _reword(failure, given=message is not None, status=status)
    return failure


def _word(kind: str, call: Call, told_us: int | None) -> str:
    words = _WORDS.get(kind, _WORDS["server_error"]).format(model=call.model)
    if told_us is None or kind == "quota":
        return words
    return f"{words}, please try again in {format_go_duration(told_us)}"


def _reword(failure: Failure, *, given: bool, status: int | None) -> None:
    """Makes a refusal the recorded one. `given`: its message is ours, about the request at hand."""
    failure.type = OBSERVED_TYPE
    if failure.kind == "quota":
        failure.message = failure.message if given else _RECORDED_QUOTA
        failure.status = status or 403
    elif failure.kind == "invalid_request" and given and failure.status == 400:
        # The recordings say no more than this; the call's notices do.
        failure.message, failure.param, failure.code = INVALID_TEXT, "", INVALID_TEXT_CODE
    elif failure.kind == "invalid_request" and given and failure.status == 404:
        failure.type = _UNKNOWN_PATH_TYPE
        failure.message = _HINT.sub(")", failure.message)


def error_body(decision: Decision, wire_dialect: str) -> bytes:
    """The body of a refusal: what the scenario wrote, else an error object."""
    failure = decision.failure or Failure("server_error", 500, _WORDS["server_error"])
    if failure.body is not None:
        return failure.body.encode("utf-8", "replace")
    return _wrap(decision, failure, decision.failed_lane or "router", wire_dialect)


def error_event(decision: Decision, wire_dialect: str) -> bytes:
    """A refusal as the one event of a stream."""
    return b"data: " + error_body(decision, wire_dialect) + b"\n\n"


def break_event(decision: Decision, scenario: Scenario) -> bytes:
    """The event with which an answer that has begun breaks off, in the words of the provider that served it.

    Source: documented (an error object in the stream), seen in clients (a top-level `error` in an event).
    """
    break_ = decision.shape.break_ if decision.shape else None
    spec = (break_.error if break_ else None) or ErrorSpec("server_error")
    served = decision.served
    provider = scenario.catalogue.providers.get(served.provider) if served else None
    if served is None or provider is None:
        failure = router_failure(spec.kind, wire_dialect=scenario.wire, call=decision.call)
        lane = "router"
    else:
        model = scenario.catalogue.models.get(served.model) or served.model
        last4 = decision.call.byok.last4 if decision.call.byok and served.lane == "byok" else None
        failure = fail(provider, spec.kind, model=model, last4=last4, status=spec.status)
        lane = served.lane
    given = {
        name: value
        for name in ("status", "message", "type", "code", "param", "body")
        if (value := getattr(spec, name)) is not None
    }
    failure = replace(failure, **given)
    if failure.body is not None:
        return b"data: " + failure.body.encode("utf-8", "replace").replace(b"\n", b"\ndata: ") + b"\n\n"
    return b"data: " + _wrap(decision, failure, lane, scenario.wire, in_stream=True) + b"\n\n"


def _wrap(
    decision: Decision, failure: Failure, lane: str, wire_dialect: str, *, in_stream: bool = False
) -> bytes:
    status = failure.status if in_stream or decision.status in (None, 200) else decision.status
    if wire_dialect == "observed":
        error = _observed(failure, lane, decision)
    else:
        own_code = failure.code if lane == "byok" or (lane == "router" and _is_given(failure)) else None
        error = {
            "code": status if own_code is None else own_code,
            "message": failure.message,
            "type": failure.type or (DOCUMENTED_TYPE if lane == "router" else UPSTREAM_TYPE),
            "param": (failure.param or "") if lane == "router" else failure.param,
        }
    return orjson.dumps({"error": error})


def _is_given(failure: Failure) -> bool:
    """Whether the scenario gave the code: OneRouter's own errors have none but the status."""
    return failure.code is not None and failure.code != INVALID_TEXT_CODE


def _observed(failure: Failure, lane: str, decision: Decision) -> dict[str, Any]:
    if lane != "router":
        members = {
            "message": failure.message,
            "type": failure.type,
            "param": failure.param,
            "code": failure.code,
        }
        return {name: value for name, value in members.items() if value is not None}
    if decision.call.endpoint == "unknown":  # the engine's own: no request id, and empty members
        return {"message": failure.message, "type": failure.type, "param": "", "code": ""}
    error: dict[str, Any] = {
        "message": f"{failure.message} (request id: {decision.wire_id})",
        "type": failure.type,
    }
    if failure.param is not None or failure.code is not None:
        error |= {"param": failure.param or "", "code": failure.code or ""}
    return error
