"""GET /v1/models and /v1/models/{id}, in the recorded form of the list.

Source: seen (the envelope, the entry's members and their order), OpenAI's form (`created`, `owned_by`,
`object: list`).

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import orjson

from onerouter_mock.core.errors import RequestError
from onerouter_mock.core.wire.chat_request import MODEL_ID

if TYPE_CHECKING:
    from onerouter_mock.core.catalogue.records import Model
    from onerouter_mock.core.records import Call
    from onerouter_mock.core.scenario.records import Scenario

_MODEL_ID = re.compile(MODEL_ID.removesuffix("$") + r"\Z")
_CREATED_S = 1_735_689_600  # 2025-01-01: the recordings have none, OpenAI's SDK wants one


def check_model(scenario: Scenario, asked: str) -> None:
    """Errors: RequestError 400 for what is no id, 404 for one that the catalogue lacks under
    `unknown_models: refuse`."""
    if not _MODEL_ID.match(asked):
        raise RequestError("model: no such name; would be right: a model id", param="model")
    if scenario.unknown_models == "refuse" and scenario.catalogue.find(asked) is None:
        raise RequestError(
            f"The model `{asked}` does not exist", param="model", kind="model_not_found", status=404
        )


def models_body(call: Call, scenario: Scenario) -> bytes:
    """The list, or the one entry that the call names."""
    if not call.model:
        listed: bytes | None = scenario.memo.get("wire.models")
        if listed is None:
            entries = [_describe(model, model.id) for model in scenario.catalogue.models.values()]
            listed = orjson.dumps({"object": "list", "data": entries, "success": True})
            scenario.memo["wire.models"] = listed
        return listed
    model = scenario.catalogue.find(call.model) or scenario.catalogue.guess(call.model)
    return orjson.dumps(_describe(model, call.model))


def _describe(model: Model, name: str) -> dict[str, Any]:
    speaks = "text" in model.output_modalities
    return {
        "id": name,
        "object": "model",
        "created": _CREATED_S,
        "owned_by": model.vendor,
        "display_name": model.display_name,
        "category_type": model.category,
        "supported_endpoint_types": model.protocols,
        "input_modalities": model.input_modalities,
        "output_modalities": model.output_modalities,
        "supports_streaming": model.streams,
        "supports_function_calling": model.tools,
        "supports_vision": model.vision,
        "supports_json_mode": speaks and model.tools,
        "deprecated": False,
        "is_display_only": False,
        "context_length": model.context or None,
        "max_input_tokens": model.context or None,
        "max_output_tokens": model.max_output or None,
        "min_prompt_price": min((offer.prompt for offer in model.offers), default=model.prompt),
        "min_completion_price": min((offer.completion for offer in model.offers), default=model.completion),
        "min_request_price": model.request,
        "providers": [
            {
                "provider_slug": offer.provider,
                "service_tier": offer.tier,
                "prompt_price": offer.prompt,
                "completion_price": offer.completion,
                "context_length": offer.context or None,
            }
            for offer in model.offers
        ],
    }
