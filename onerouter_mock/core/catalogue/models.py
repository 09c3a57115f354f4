"""The models: prices, limits, who has them. Data.

Source: prices, limits and modalities as the vendors list them (late 2025; deepseek-v4-flash, gpt-5.4: 2026),
from memory: confidence B. Prices of other providers: C. USD per million tokens.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from onerouter_mock.core.catalogue.names import DEFAULT_OUTPUT, strip_vendor
from onerouter_mock.core.catalogue.records import Model, Offer

_TEXT = ("text",)
_SEES = ("text", "image")


def _llm(
    id: str, name: str, prompt: float, completion: float, context: int, output: int, *offers: str | Offer,
    sees: bool = False, reasons: bool = False, protocols: tuple[str, ...] = ("openai",),
    inputs: tuple[str, ...] | None = None,
) -> Model:  # fmt: skip
    """A chat model; `offers` are slugs (at the vendor's price) or offers, own vendor first."""
    first = offers[0] if isinstance(offers[0], str) else offers[0].provider
    return Model(
        id=id,
        short_id=strip_vendor(id),
        vendor=first,
        display_name=name,
        offers=tuple(Offer(o, prompt, completion, context) if isinstance(o, str) else o for o in offers),
        prompt=prompt,
        completion=completion,
        context=context,
        max_output=output,
        default_output=DEFAULT_OUTPUT,
        input_modalities=inputs or (_SEES if sees else _TEXT),
        protocols=protocols,
        reasoning=reasons,
    )


def _other(
    id: str, name: str, category: str, endpoint: str, *offers: str,
    prompt: float = 0.0, completion: float = 0.0, request: float | None = None,
    context: int = 8192, inputs: tuple[str, ...] = _TEXT,
    outputs: tuple[str, ...] = _TEXT, dimensions: int | None = None,
) -> Model:  # fmt: skip
    """A model that does not chat: one endpoint."""
    return Model(
        id=id,
        short_id=strip_vendor(id),
        vendor=offers[0],
        display_name=name,
        offers=tuple(Offer(slug, prompt, completion, context) for slug in offers),
        prompt=prompt,
        completion=completion,
        context=context,
        max_output=0,
        default_output=0,
        category=category,
        endpoints=(endpoint,),
        input_modalities=inputs,
        output_modalities=outputs,
        request=request,
        tools=False,
        dimensions=dimensions,
    )


_OPENAI = ("openai", "azure-ai-foundry")
_CLAUDE = ("anthropic", "aws-bedrock", "google-vertex")
_GEMINI = ("google-vertex", "google-ai-studio")
_AS_OPENAI = ("openai", "openai-response")
_AS_CLAUDE = ("openai", "anthropic")
_AS_GEMINI = ("openai", "gemini")
_ALL_SENSES = ("text", "image", "audio", "video")

MODELS: tuple[Model, ...] = (
    _llm("gpt-5.1-chat", "OpenAI: GPT-5.1 Chat", 1.25, 10, 128_000, 16_384, *_OPENAI,
         sees=True, protocols=_AS_OPENAI),
    _llm("gpt-5-chat", "OpenAI: GPT-5 Chat", 1.25, 10, 128_000, 16_384, *_OPENAI,
         sees=True, protocols=_AS_OPENAI),
    _llm("gpt-5-mini", "OpenAI: GPT-5 Mini", 0.25, 2, 400_000, 128_000, *_OPENAI,
         sees=True, reasons=True, protocols=_AS_OPENAI),
    _llm("openai/gpt-5.4", "OpenAI: GPT-5.4", 2.5, 15, 1_050_000, 128_000, *_OPENAI,
         sees=True, reasons=True, protocols=_AS_OPENAI),
    _llm("gpt-4o", "OpenAI: GPT-4o", 2.5, 10, 128_000, 16_384, *_OPENAI, sees=True, protocols=_AS_OPENAI),
    _llm("gpt-4o-mini", "OpenAI: GPT-4o Mini", 0.15, 0.6, 128_000, 16_384, *_OPENAI,
         sees=True, protocols=_AS_OPENAI),
    _llm("o4-mini", "OpenAI: o4 Mini", 1.1, 4.4, 200_000, 100_000, *_OPENAI,
         sees=True, reasons=True, protocols=_AS_OPENAI),
    _llm("openai/gpt-oss-120b", "OpenAI: gpt-oss 120B", 0.15, 0.6, 131_072, 65_536,
         "groq", "fireworks", Offer("deepinfra", 0.05, 0.24, 131_072), "aws-bedrock", reasons=True),
    _llm("claude-3-5-sonnet@20240620", "Anthropic: Claude 3.5 Sonnet (2024-06-20)", 3, 15, 200_000, 8_192,
         *_CLAUDE, sees=True, protocols=_AS_CLAUDE),
    _llm("anthropic/claude-sonnet-4.5", "Anthropic: Claude Sonnet 4.5", 3, 15, 200_000, 64_000, *_CLAUDE,
         sees=True, reasons=True, protocols=_AS_CLAUDE),
    _llm("anthropic/claude-haiku-4.5", "Anthropic: Claude Haiku 4.5", 1, 5, 200_000, 64_000, *_CLAUDE,
         sees=True, reasons=True, protocols=_AS_CLAUDE),
    _llm("anthropic/claude-opus-4.5", "Anthropic: Claude Opus 4.5", 5, 25, 200_000, 64_000, *_CLAUDE,
         sees=True, reasons=True, protocols=_AS_CLAUDE),
    _llm("gemini-2.5-pro", "Google: Gemini 2.5 Pro", 1.25, 10, 1_048_576, 65_536, *_GEMINI,
         inputs=_ALL_SENSES, reasons=True, protocols=_AS_GEMINI),
    _llm("gemini-2.5-flash", "Google: Gemini 2.5 Flash", 0.3, 2.5, 1_048_576, 65_536, *_GEMINI,
         inputs=_ALL_SENSES, reasons=True, protocols=_AS_GEMINI),
    _llm("deepseek/deepseek-v3.2", "DeepSeek: DeepSeek V3.2", 0.28, 0.42, 131_072, 65_536,
         "deepseek", Offer("fireworks", 0.56, 1.68, 163_840), Offer("deepinfra", 0.27, 0.4, 163_840),
         Offer("alibaba", 0.29, 0.43, 131_072), reasons=True),
    _llm("deepseek/deepseek-v4-flash", "DeepSeek: DeepSeek V4 Flash", 0.14, 0.28, 1_048_576, 131_072,
         "deepseek", "fireworks", "deepinfra", "alibaba", "morph", reasons=True),
    _llm("x-ai/grok-4", "xAI: Grok 4", 3, 15, 256_000, 64_000, "x-ai", sees=True, reasons=True),
    _llm("x-ai/grok-4-fast", "xAI: Grok 4 Fast", 0.2, 0.5, 2_000_000, 30_000, "x-ai",
         sees=True, reasons=True),
    _llm("mistralai/mistral-large", "Mistral: Mistral Large", 2, 6, 128_000, 32_768,
         "mistral", "aws-bedrock", "azure-ai-foundry"),
    _llm("mistralai/mistral-small", "Mistral: Mistral Small", 0.1, 0.3, 131_072, 32_768, "mistral",
         sees=True),
    _llm("qwen/qwen3-max", "Qwen: Qwen3 Max", 1.2, 6, 262_144, 32_768, "alibaba"),
    _llm("qwen/qwen3.8-27b:free", "Qwen: Qwen3.8 27B (free)", 0, 0, 262_144, 32_768, "alibaba", reasons=True),
    _llm("meta-llama/llama-3.3-70b-instruct", "Meta: Llama 3.3 70B Instruct", 0.59, 0.79, 131_072, 32_768,
         "groq", Offer("fireworks", 0.9, 0.9, 131_072), Offer("deepinfra", 0.23, 0.4, 131_072),
         "aws-bedrock"),
    _other("text-embedding-3-small", "OpenAI: Text Embedding 3 Small", "Embeddings", "embeddings", *_OPENAI,
           prompt=0.02, context=8_191, outputs=("embeddings",), dimensions=1_536),
    _other("text-embedding-3-large", "OpenAI: Text Embedding 3 Large", "Embeddings", "embeddings", *_OPENAI,
           prompt=0.13, context=8_191, outputs=("embeddings",), dimensions=3_072),
    _other("cohere/rerank-v3.5", "Cohere: Rerank 3.5", "Rerank", "rerank", "aws-bedrock", "azure-ai-foundry",
           request=0.002, context=4_096),
    _other("omni-moderation-latest", "OpenAI: Omni Moderation", "Moderation", "moderations", "openai",
           context=32_768, inputs=_SEES),
    _other("gpt-image-1", "OpenAI: GPT Image 1", "Image", "images", *_OPENAI, request=0.042, context=32_000,
           inputs=_SEES, outputs=("image",)),
    _other("openai/gpt-image-2/text-to-image", "OpenAI: GPT Image 2 (text to image)", "Image", "images",
           "openai", request=0.05, context=32_000, outputs=("image",)),
    _other("gpt-4o-mini-tts", "OpenAI: GPT-4o Mini TTS", "Audio", "audio", "openai",
           prompt=0.6, completion=12, context=2_000, outputs=("audio",)),
    _other("whisper-1", "OpenAI: Whisper", "Audio", "audio", "openai", request=0.006, context=448,
           inputs=("audio",)),
    _other("sora-2", "OpenAI: Sora 2", "Video", "video", "openai", request=0.4, context=4_096, inputs=_SEES,
           outputs=("video",)),
)  # fmt: skip
