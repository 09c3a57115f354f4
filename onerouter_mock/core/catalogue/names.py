"""Names of models: under which a model is known, and what one tells of a model that nobody has listed.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from onerouter_mock.core.catalogue.records import Model, Offer
from onerouter_mock.core.records import ENDPOINTS

# The first part of an id (`google/gemini-2.5-pro`) -> the provider that stands first for it.
VENDORS = {
    "openai": "openai", "anthropic": "anthropic", "google": "google-vertex", "azure": "azure-ai-foundry",
    "deepseek": "deepseek", "deepseek-ai": "deepseek", "x-ai": "x-ai", "xai": "x-ai", "mistralai": "mistral",
    "mistral": "mistral", "qwen": "alibaba", "alibaba": "alibaba", "amazon": "aws-bedrock",
    "cohere": "aws-bedrock", "meta-llama": "groq", "meta": "groq", "moonshotai": "fireworks",
    "z-ai": "fireworks", "morph": "morph",
}  # fmt: skip
# How the names of a vendor's models begin, for ids without a vendor.
_BEGINNINGS = {
    "openai": ("gpt", "chatgpt", "o1", "o2", "o3", "o4", "o5", "text-embedding-", "davinci", "babbage",
               "codex", "dall-e", "whisper", "tts-", "sora", "omni-moderation", "computer-use"),
    "anthropic": ("claude",),
    "google-vertex": ("gemini", "gemma", "imagen", "veo-", "text-bison", "chat-bison", "learnlm"),
    "deepseek": ("deepseek",),
    "x-ai": ("grok",),
    "mistral": ("mistral", "mixtral", "ministral", "magistral", "codestral", "devstral", "pixtral", "voxtral",
                "open-mistral", "open-mixtral"),
    "alibaba": ("qwen", "qwq", "qvq", "wan2", "wanx"),
    "groq": ("llama", "meta-llama"),
    "aws-bedrock": ("nova-", "titan-", "amazon", "command-", "rerank-", "embed-"),
    "fireworks": ("kimi", "glm"),
}  # fmt: skip
_ALL_ENDPOINTS = tuple(word for word in ENDPOINTS if word not in ("models", "balance"))
DEFAULT_OUTPUT = 256  # what an answer may be taken to need before it is known: a few times what ours need


def strip_vendor(id: str) -> str:
    """An id without its vendor: `anthropic/claude-sonnet-4.5` is `claude-sonnet-4.5`."""
    vendor, slash, rest = id.partition("/")
    return rest if slash and rest and vendor in VENDORS else id


def name_model(model: Model) -> Iterator[str]:
    """All names by which a model may be asked for."""
    yield model.id
    yield model.short_id
    for prefix, provider in VENDORS.items():
        if provider in model.providers:
            yield f"{prefix}/{model.short_id}"
    for provider in model.providers:
        yield f"{provider}/{model.short_id}"


def guess_vendor(asked: str, providers: Collection[str]) -> str:
    """The provider that a model's name points to: its first part, else how the name begins, else openai."""
    vendor, slash, rest = asked.lower().partition("/")
    if slash:
        if vendor in providers:
            return vendor
        if VENDORS.get(vendor) in providers:
            return VENDORS[vendor]
    name = rest if slash else vendor
    for provider, beginnings in _BEGINNINGS.items():
        if name.startswith(beginnings) and provider in providers:
            return provider
    return "openai"


def make_unknown_model(asked: str, providers: Collection[str]) -> Model:
    """A model for a name that nobody has listed, at the guessed vendor: 1 and 3 USD a million, does all."""
    provider = guess_vendor(asked, providers)
    vendor, slash, rest = asked.partition("/")
    prefixed = slash and rest and (vendor in VENDORS or vendor in providers)
    return Model(
        id=asked,
        short_id=rest if prefixed else asked,
        vendor=provider,
        display_name=asked,
        offers=(Offer(provider, 1.0, 3.0, 128_000),),
        prompt=1.0,
        completion=3.0,
        context=128_000,
        max_output=16_384,
        default_output=DEFAULT_OUTPUT,
        endpoints=_ALL_ENDPOINTS,
        input_modalities=("text", "image"),
        known=False,
    )
