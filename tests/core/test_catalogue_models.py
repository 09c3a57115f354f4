"""Which model a name means, who serves it, what it costs, and what a scenario may change of it."""

from __future__ import annotations

import pytest

from onerouter_mock.core.catalogue import Recorded, built_in
from onerouter_mock.core.catalogue.latency import RECORDED
from onerouter_mock.core.errors import ScenarioError
from onerouter_mock.core.records import ENDPOINTS
from onerouter_mock.core.scenario.records import Lognormal

CATALOGUE = built_in()
MODELS = list(CATALOGUE.models.values())


@pytest.mark.parametrize(
    ("asked", "id"),
    [
        ("gpt-5.1-chat", "gpt-5.1-chat"),
        ("openai/gpt-5.1-chat", "gpt-5.1-chat"),
        ("claude-3-5-sonnet@20240620", "claude-3-5-sonnet@20240620"),
        ("anthropic/claude-3-5-sonnet@20240620", "claude-3-5-sonnet@20240620"),
        ("claude-sonnet-4.5", "anthropic/claude-sonnet-4.5"),
        ("x-ai/grok-4", "x-ai/grok-4"),
        ("grok-4", "x-ai/grok-4"),
        ("google/gemini-2.5-flash", "gemini-2.5-flash"),
        ("google-ai-studio/gemini-2.5-flash", "gemini-2.5-flash"),
        ("deepseek-v3.2", "deepseek/deepseek-v3.2"),
        ("mistral-large", "mistralai/mistral-large"),
        ("qwen3.8-27b:free", "qwen/qwen3.8-27b:free"),
        ("gpt-image-2/text-to-image", "openai/gpt-image-2/text-to-image"),
    ],
)
def test_a_name_with_or_without_vendor_means_the_same_model(asked: str, id: str) -> None:
    model = CATALOGUE.find(asked)
    assert model is CATALOGUE.models[id]


@pytest.mark.parametrize(
    "asked", ["gpt-4.1", "acme/gpt-5.1-chat", "anthropic/gpt-5.1-chat", "", "GPT-5.1-chat"]
)
def test_another_name_means_nothing(asked: str) -> None:
    assert CATALOGUE.find(asked) is None


@pytest.mark.parametrize(
    ("id", "providers"),
    [
        ("gpt-5.1-chat", ("openai", "azure-ai-foundry")),
        ("gpt-5-chat", ("openai", "azure-ai-foundry")),
        ("gpt-4o-mini", ("openai", "azure-ai-foundry")),
        ("claude-3-5-sonnet@20240620", ("anthropic", "aws-bedrock", "google-vertex")),
        ("anthropic/claude-sonnet-4.5", ("anthropic", "aws-bedrock", "google-vertex")),
        ("gemini-2.5-pro", ("google-vertex", "google-ai-studio")),
        ("gemini-2.5-flash", ("google-vertex", "google-ai-studio")),
        ("deepseek/deepseek-v3.2", ("deepseek", "fireworks", "deepinfra", "alibaba")),
    ],
)
def test_providers_of_a_model_stand_as_the_contract_lists_them(id: str, providers: tuple[str, ...]) -> None:
    assert CATALOGUE.models[id].providers == providers


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.id)
def test_each_model_is_whole(model) -> None:
    assert model.known
    assert model.vendor == model.providers[0]
    assert set(model.providers) <= set(CATALOGUE.providers)
    assert set(model.endpoints) <= set(ENDPOINTS)
    assert model.display_name
    assert 0 <= model.max_output <= model.context
    assert model.prompt >= 0
    assert model.completion >= 0
    if model.category == "LLM":
        assert model.completion >= model.prompt
        assert 0 < model.default_output <= model.max_output


def test_there_is_a_model_of_each_sort() -> None:
    sorts = {model.category for model in MODELS}
    assert sorts >= {"LLM", "Embeddings", "Rerank", "Image", "Audio", "Video"}
    assert [m.id for m in MODELS if m.id.endswith(":free") and (m.prompt, m.completion) == (0, 0)]
    assert CATALOGUE.models["text-embedding-3-small"].dimensions == 1536


def test_price_is_the_vendors_or_that_of_the_provider() -> None:
    model = CATALOGUE.models["deepseek/deepseek-v3.2"]
    assert CATALOGUE.price(CATALOGUE.models["gpt-5.1-chat"]) == (1.25, 10)
    assert CATALOGUE.price(model) == (0.28, 0.42)
    assert CATALOGUE.price(model, "fireworks") == (0.56, 1.68)
    assert CATALOGUE.price(model, "openai") == (0.28, 0.42)


@pytest.mark.parametrize(
    ("asked", "vendor", "short_id"),
    [
        ("gpt-4.1", "openai", "gpt-4.1"), ("openai/gpt-9", "openai", "gpt-9"), ("o1-pro", "openai", "o1-pro"),
        ("claude-9", "anthropic", "claude-9"), ("gemini-9-ultra", "google-vertex", "gemini-9-ultra"),
        ("google/gemini-9", "google-vertex", "gemini-9"), ("grok-9", "x-ai", "grok-9"),
        ("qwen9-max", "alibaba", "qwen9-max"), ("mixtral-8x7b", "mistral", "mixtral-8x7b"),
        ("mistralai/codestral", "mistral", "codestral"), ("deepseek-r9", "deepseek", "deepseek-r9"),
        ("azure-ai-foundry/phi-9", "azure-ai-foundry", "phi-9"), ("acme/claude-clone", "anthropic",
        "acme/claude-clone"), ("my-own-model", "openai", "my-own-model"), ("orca", "openai", "orca"),
    ],
)  # fmt: skip
def test_the_vendor_of_an_unknown_model_is_guessed(asked: str, vendor: str, short_id: str) -> None:
    model = CATALOGUE.guess(asked)
    assert (model.id, model.vendor, model.providers, model.short_id) == (asked, vendor, (vendor,), short_id)
    assert not model.known


def test_everybody_runs_an_unknown_model_for_who_brings_a_key() -> None:
    unknown, known = CATALOGUE.guess("my-own-model"), CATALOGUE.models["gpt-5.1-chat"]
    assert all(CATALOGUE.serves(unknown, provider) for provider in CATALOGUE.providers)
    assert CATALOGUE.serves(known, "azure-ai-foundry")
    assert not CATALOGUE.serves(known, "anthropic")


def test_a_scenario_adds_a_model() -> None:
    fields = {"providers": ["openai"], "prompt": 1.25, "completion": 10, "context": 128000}
    more = CATALOGUE.extended({}, {"my-model": fields})
    model = more.find("my-model")
    assert model is not None
    assert model.known
    assert (model.providers, model.context, more.price(model)) == (("openai",), 128000, (1.25, 10))
    assert more.find("openai/my-model") is model
    assert not more.serves(model, "anthropic")
    assert CATALOGUE.find("my-model") is None


def test_a_scenario_changes_a_model_by_any_of_its_names_and_leaves_the_rest() -> None:
    more = CATALOGUE.extended({}, {"openai/gpt-5.1-chat": {"prompt": 2, "context": 1000}})
    model = more.models["gpt-5.1-chat"]
    assert (model.prompt, model.completion, model.context, model.max_output) == (2, 10, 1000, 1000)
    assert more.price(model, "azure-ai-foundry") == (2, 10)
    assert model.providers == ("openai", "azure-ai-foundry")
    assert list(more.models) == list(CATALOGUE.models)
    moved = CATALOGUE.extended({}, {"grok-4": {"providers": ["groq", "x-ai"]}}).models["x-ai/grok-4"]
    assert (moved.vendor, moved.providers, moved.prompt) == ("groq", ("groq", "x-ai"), 3)


def test_a_scenario_turns_recorded_speed_on() -> None:
    assert all(provider.latency is None for provider in CATALOGUE.providers.values())
    more = CATALOGUE.extended({"fireworks": {"latency": "recorded"}, "alibaba": {"name": "Ali"}}, {})
    assert more.providers["fireworks"].latency == RECORDED["fireworks"]
    assert (more.providers["alibaba"].name, more.providers["alibaba"].latency) == ("Ali", None)
    own = Recorded(Lognormal(1000, 0.1), 10.0)
    assert CATALOGUE.extended({"openai": {"latency": own}}, {}).providers["openai"].latency is own


def test_a_scenario_adds_a_provider_that_fails_as_the_openai_family_does() -> None:
    more = CATALOGUE.extended({"my-host": {}}, {"my-model": {"providers": ["my-host"]}})
    provider = more.providers["my-host"]
    assert provider.errors["rate_limit"].status == 429
    assert provider.credentials[0].kind == "text"
    assert more.models["my-model"].providers == ("my-host",)


def test_all_wrong_names_of_a_scenario_are_told_at_once() -> None:
    with pytest.raises(ScenarioError) as caught:
        CATALOGUE.extended({"openai": {"latency": "recorded"}}, {"my-model": {"providers": ["openay"]}})
    assert [str(problem) for problem in caught.value.problems] == [
        "providers.openai.latency: nothing is recorded of 'openai'; "
        "recorded are alibaba, deepinfra, fireworks, morph",
        "models.my-model.providers: no provider 'openay'; did you mean 'openai'?",
    ]
