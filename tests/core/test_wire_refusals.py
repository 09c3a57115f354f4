"""Error objects, in the words that are documented and in those that were recorded."""

from __future__ import annotations

import json
from typing import Any

import pytest
from asked import body, own, read
from builders import BEGAN_US, scenario, state

from onerouter_mock.core.decide import decide, refuse
from onerouter_mock.core.records import KINDS, Call, Decision
from onerouter_mock.core.scenario.records import Break, ErrorSpec
from onerouter_mock.core.wire.refusals import STATUSES, break_event, error_body, error_event, router_failure


def decided(wire: str = "documented", content: Any = None, **fields: Any) -> Decision:
    of = scenario(wire=wire, **fields)
    call, error = read(content or body(), of=of)
    if error is not None:
        return refuse(of, state(of), call, error, BEGAN_US)
    return decide(of, state(of), call, BEGAN_US)


def error_of(wire: str = "documented", content: Any = None, **fields: Any) -> dict[str, Any]:
    shown = json.loads(error_body(decided(wire, content, **fields), wire))
    assert list(shown) == ["error"]
    error: dict[str, Any] = shown["error"]
    return error


def failing(lane: str, error: Any) -> dict[str, Any]:
    return {"rules": [{"when": {"lane": lane}, "error": error}]}


OWN = body(byok_conf=own(fallback=False))


@pytest.mark.parametrize("kind", [*KINDS, "no_provider"])
def test_the_routers_own_errors_have_all_four_members(kind: str) -> None:
    call = Call(1, "default", "POST", "/", model="m")
    failure = router_failure(kind, wire_dialect="documented", call=call)
    assert failure.status == STATUSES[kind]
    decision = Decision(call, BEGAN_US, failure=failure, failed_lane="router", status=failure.status)
    error = json.loads(error_body(decision, "documented"))["error"]
    assert list(error) == ["code", "message", "type", "param"]
    assert (error["code"], error["type"], error["param"]) == (STATUSES[kind], "onerouter_error", "")
    assert "request id" not in error["message"]


def test_a_bad_request_names_its_field_in_documented() -> None:
    error = error_of(content=body(byok_conf=own(fallback="true")))
    assert error == {
        "code": 400,
        "message": 'byok_conf.fallback: "true" is text; would be right: true',
        "type": "onerouter_error",
        "param": "byok_conf.fallback",
    }


def test_a_bad_request_in_observed_is_the_recorded_one_and_a_notice_says_why() -> None:
    decision = decided("observed", body(n=0))
    error = json.loads(error_body(decision, "observed"))["error"]
    assert error == {
        "message": f"Invalid text request (request id: {decision.wire_id})",
        "type": "infron_ai_error",
        "param": "",
        "code": "invalid_text_request",
    }
    assert decision.call.notices == ["n: 0 is out of range; would be right: a whole number from 1 to 128"]


@pytest.mark.parametrize(
    ("fields", "status", "begin"),
    [
        ({"accounts": {"default": {"credits": 0}}}, 403,
        "Your current credits have been used up and we are unable to "
         "process further rquests"),
        ({"unknown_models": "refuse"}, 503, "No available providers for model unheard-of"),
        ({"auth": "listed"}, 401, "The token status is not available"),
    ],
)  # fmt: skip
def test_the_recorded_refusals(fields: dict[str, Any], status: int, begin: str) -> None:
    decision = decided("observed", body(model="unheard-of"), **fields)
    error = json.loads(error_body(decision, "observed"))["error"]
    assert decision.status == status
    assert error == {"message": f"{begin} (request id: {decision.wire_id})", "type": "infron_ai_error"}


def test_without_credits_documented_is_402() -> None:
    assert error_of(accounts={"default": {"credits": 0}})["code"] == 402


def test_an_unknown_path_in_observed_is_the_engines() -> None:
    of = scenario(wire="observed")
    call, error = read(b"", "/v1/v1/models", of=of, method="GET")
    assert error is not None
    decision = refuse(of, state(of), call, error, BEGAN_US)
    assert json.loads(error_body(decision, "observed")) == {
        "error": {
            "message": "Invalid URL (GET /v1/v1/models)",
            "type": "invalid_request_error",
            "param": "",
            "code": "",
        }
    }


def test_an_own_keys_failure_keeps_the_providers_words() -> None:
    error = error_of(content=OWN, **failing("byok", "quota"))
    assert (error["type"], error["code"], error["param"]) == (
        "insufficient_quota",
        "insufficient_quota",
        None,
    )
    seen = error_of("observed", OWN, **failing("byok", "quota"))
    assert (seen["message"], seen["type"], seen["code"]) == (error["message"], error["type"], error["code"])
    assert "param" not in seen


def test_a_provider_without_a_code_gives_the_status() -> None:
    content = body(model="claude-sonnet-4.5", byok_conf=own(provider="anthropic", fallback=False))
    error = error_of(content=content, **failing("byok", "overloaded"))
    assert (error["code"], error["type"]) == (529, "overloaded_error")


@pytest.mark.parametrize(("kind", "status"), [("rate_limit", 429), ("timeout", 408), ("server_error", 502)])
@pytest.mark.parametrize("deliver", ["status", "body"])
def test_a_shared_failures_code_is_the_status(kind: str, status: int, deliver: str) -> None:
    error = error_of(**failing("shared", kind), router={"deliver_errors": deliver})
    assert error["code"] == status
    assert isinstance(error["type"], str)


def test_what_a_scenario_words_is_what_is_said() -> None:
    given = {"kind": "invalid_request", "message": "no!", "type": "t", "code": "c", "param": "p"}
    for wire in ("documented", "observed"):
        error = error_of(wire, **failing("router", given))
        assert error["message"].startswith("no!")
        assert (error["type"], error["code"], error["param"]) == ("t", "c", "p")
    written = decided(**failing("router", {"status": 500, "body": "<oops>"}))
    assert error_body(written, "documented") == b"<oops>"


def test_a_wait_is_told_only_when_there_is_one() -> None:
    call = Call(1, "default", "POST", "/")
    untold = router_failure("rate_limit", wire_dialect="documented", call=call)
    assert "try again in" not in untold.message
    told = router_failure("rate_limit", wire_dialect="documented", call=call, wait_us=18_734_001, speed=2.0)
    assert told.message.endswith("try again in 9.368s")
    assert told.wait_us == 18_734_001


def test_an_error_in_a_stream_is_one_event() -> None:
    decision = decided(**failing("shared", "server_error"), router={"deliver_errors": "body"})
    event = error_event(decision, "documented")
    assert event.startswith(b'data: {"error":{')
    assert event.endswith(b"}}\n\n")
    assert event.count(b"\n") == 2


@pytest.mark.parametrize(
    ("spec", "code", "kind_of_type"),
    [(None, 500, "server_error"), (ErrorSpec("overloaded"), 503, "server_error"),
     (ErrorSpec("rate_limit", message="mine", status=429, type="t"), 429, "t")],
)  # fmt: skip
def test_a_broken_answer_ends_in_its_providers_words(
    spec: ErrorSpec | None, code: int, kind_of_type: str
) -> None:
    of = scenario(rules=[{"break": {"do": "error"}}])
    call, _ = read(body(stream=True), of=of)
    decision = decide(of, state(of), call, BEGAN_US)
    assert decision.shape is not None
    decision.shape.break_ = Break("error", error=spec)
    error = json.loads(break_event(decision, of).removeprefix(b"data: "))["error"]
    assert (error["code"], error["type"]) == (code, kind_of_type)
    assert spec is None or spec.message is None or error["message"] == spec.message


def test_a_decision_without_failure_still_has_a_body() -> None:
    decision = Decision(Call(1, "default", "POST", "/"), BEGAN_US)
    assert json.loads(error_body(decision, "documented"))["error"]["code"] == 500
