"""Tokens and money as the answers of a chat tell them.

Source: documented (`usage` and its details, a whole example), seen in 1,726 recordings (the 16 members of
`cost_details`, `cost` is their sum rounded to 6 digits, both at the root), guessed (`byok_cost`).

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from onerouter_mock.core.records import Answer, Cost, Decision


def usage_json(decision: Decision, answer: Answer) -> bytes:
    """The `usage` object. What a scenario's reply gives stands as given."""
    usage = decision.usage
    prompt = usage.prompt_tokens if usage else decision.call.prompt_tokens
    completion = usage.completion_tokens if usage else answer.completion_tokens
    reasoning = usage.reasoning_tokens if usage else answer.reasoning_tokens
    if not answer.usage:
        return (
            b'{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d,"prompt_tokens_details":{"cached_tokens":0,'
            b'"cache_write_tokens":0,"audio_tokens":0,"video_tokens":0},"completion_tokens_details":'
            b'{"reasoning_tokens":%d,"image_tokens":0,"audio_tokens":0}}'
        ) % (prompt, completion, prompt + completion, reasoning)
    given = dict(answer.usage)
    prompt, completion = given.pop("prompt_tokens", prompt), given.pop("completion_tokens", completion)
    reads = ("cached_tokens", "cache_write_tokens", "audio_tokens", "video_tokens")
    writes = ("reasoning_tokens", "image_tokens")
    members: dict[str, Any] = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": given.pop("total_tokens", prompt + completion),
        "prompt_tokens_details": {name: given.pop(name, 0) for name in reads},
        "completion_tokens_details": {
            **{name: given.pop(name, reasoning if name == "reasoning_tokens" else 0) for name in writes},
            "audio_tokens": 0,
        },
    }
    return orjson.dumps(members | given)


def cost_json(decision: Decision) -> bytes:
    """The members `provider`, `cost` and `cost_details` of the root, each with its comma before it.

    Units: USD.
    """
    cost: Cost | None = decision.cost
    slug = decision.served.provider if decision.served else ""
    details = {
        "prompt_cost": cost.prompt_nano / 1e9 if cost else 0,
        "completion_cost": cost.completion_nano / 1e9 if cost else 0,
        **dict.fromkeys(
            ("image_cost", "video_cost", "audio_cost", "native_web_search_cost", "plugin_web_search_cost",
             "tools_cost", "prompt_cache_read_cost", "prompt_cache_write_cost", "prompt_cache_write_5_min",
             "prompt_cache_write_1_h", "reasoning_cost"), 0),
        "discount_rate": 1,
        "is_byok": cost.is_byok if cost else False,
        "byok_cost": cost.byok_nano / 1e9 if cost else 0,
    }  # fmt: skip
    total = round(cost.total_nano / 1e9, 9) if cost else 0
    root = orjson.dumps({"provider": slug, "cost": total, "cost_details": details})
    return b"," + root[1:-1]
