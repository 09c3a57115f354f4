"""The list of models and the balance."""

from __future__ import annotations

import json
from typing import Any

import pytest
from asked import good, read
from builders import BEGAN_US, scenario, state
from openai.types import Model

from onerouter_mock.core import wire
from onerouter_mock.core.decide import decide
from onerouter_mock.core.scenario.records import Scenario


def get(path: str, of: Scenario | None = None, **fields: Any) -> Any:
    of = of or scenario()
    call = good(b"", path, of=of, method="GET", **fields)
    return json.loads(wire.answer_body(decide(of, state(of), call, BEGAN_US), of))


def test_the_list_has_the_recorded_form_and_openais() -> None:
    listed = get("/v1/models", headers={})
    assert (listed["object"], listed["success"]) == ("list", True)
    ids = [entry["id"] for entry in listed["data"]]
    assert len(ids) == len(set(ids))
    assert {"gpt-5.1-chat", "anthropic/claude-sonnet-4.5", "text-embedding-3-small"} <= set(ids)
    for entry in listed["data"]:
        Model.model_validate_json(json.dumps(entry), strict=True)
        assert entry["min_prompt_price"] == min(offer["prompt_price"] for offer in entry["providers"])
        assert {"display_name", "category_type", "supported_endpoint_types", "context_length"} <= set(entry)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/v1/models/gpt-5.1-chat", "gpt-5.1-chat"),
        ("/v1/models/deepseek/deepseek-v3.2", "deepseek/deepseek-v3.2"),
        ("/v1/models/deepseek%2Fdeepseek-v3.2", "deepseek/deepseek-v3.2"),
        ("/v1/models/made-up", "made-up"),
    ],
)
def test_one_model_is_found_with_slashes_of_both_kinds(path: str, name: str) -> None:
    assert get(path)["id"] == name


def test_an_unknown_model_is_404_where_the_scenario_refuses_them() -> None:
    call, error = read(b"", "/v1/models/made-up", of=scenario(unknown_models="refuse"), method="GET")
    assert error is not None
    assert (error.status, error.kind, error.param, call.endpoint) == (
        404,
        "model_not_found",
        "model",
        "models",
    )
    _, error = read(b"", "/v1/models/a b", method="GET")
    assert error is not None
    assert error.status == 400


def test_models_of_a_scenario_are_listed() -> None:
    own = scenario(models={"my-model": {"providers": ["openai"], "prompt": 1, "completion": 2, "context": 9}})
    assert "my-model" in [entry["id"] for entry in get("/v1/models", own)["data"]]


def test_the_balance_is_what_is_left() -> None:
    of = scenario(accounts={"poor": {"match": "sk-poor", "credits": 1.5}})
    assert get("/v1/balance", of, headers={"x-api-key": "sk-poor"}) == {
        "account_name": "poor",
        "credit_balance": 1.5,
    }
    _, error = read(b"", "/v1/balance", method="GET", headers={})
    assert error is not None
    assert error.status == 401
