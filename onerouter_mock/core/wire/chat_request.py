"""The body of POST /v1/chat/completions: what is checked, and with which words it is refused.

One strict model, validated from the bytes: numbers and booleans are not read from text, members that are not
named here are ignored, as the service documents of parameters that a model does not support.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

from annotated_types import Ge, Gt, Le, MaxLen, MinLen
from pydantic import AllowInfNan, BaseModel, ConfigDict, StringConstraints, with_config
from typing_extensions import TypedDict  # pydantic wants this one before Python 3.12

MODEL_ID = r"^[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,199}$"

_Number = Annotated[float, AllowInfNan(False)]
_Penalty = Annotated[_Number, Ge(-2), Le(2)]
_ModelId = Annotated[str, StringConstraints(pattern=MODEL_ID)]
_Tokens = Annotated[int, Ge(1)]
_STRICT = ConfigDict(strict=True, extra="ignore")


@with_config(_STRICT)
class Part(TypedDict):
    type: Literal[
        "text", "image_url", "input_audio", "file", "refusal", "video_url", "audio_url", "input_file"
    ]
    text: NotRequired[str]
    refusal: NotRequired[str]
    image_url: NotRequired[Any]
    input_audio: NotRequired[dict[str, Any]]
    file: NotRequired[dict[str, Any]]


@with_config(_STRICT)
class CalledFunction(TypedDict):
    name: str
    arguments: str


@with_config(_STRICT)
class CalledTool(TypedDict):
    id: str
    type: NotRequired[Literal["function", "custom"]]
    function: NotRequired[CalledFunction]


@with_config(_STRICT)
class Message(TypedDict):
    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: NotRequired[str | list[Part] | None]
    name: NotRequired[str | None]
    refusal: NotRequired[str | None]
    tool_call_id: NotRequired[str | None]
    tool_calls: NotRequired[list[CalledTool] | None]
    function_call: NotRequired[Any]
    audio: NotRequired[Any]


@with_config(_STRICT)
class Function(TypedDict):
    name: Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9_.:-]{1,128}$")]
    description: NotRequired[str | None]
    parameters: NotRequired[dict[str, Any] | None]
    strict: NotRequired[bool | None]


@with_config(_STRICT)
class Tool(TypedDict):
    type: str
    function: NotRequired[Function | None]


@with_config(_STRICT)
class NamedFunction(TypedDict):
    name: str


@with_config(_STRICT)
class ToolChoice(TypedDict):
    type: Literal["function", "allowed_tools", "custom"]
    function: NotRequired[NamedFunction]
    allowed_tools: NotRequired[dict[str, Any]]


@with_config(_STRICT)
class SchemaOf(TypedDict):
    name: NotRequired[str]
    schema: NotRequired[dict[str, Any] | None]
    strict: NotRequired[bool | None]


@with_config(_STRICT)
class ResponseFormat(TypedDict):
    type: Literal["text", "json_object", "json_schema"]
    json_schema: NotRequired[SchemaOf]


@with_config(_STRICT)
class StreamOptions(TypedDict):
    include_usage: NotRequired[bool | None]


@with_config(_STRICT)
class UsageOptions(TypedDict):
    include: NotRequired[bool | None]


Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh"]


@with_config(_STRICT)
class Reasoning(TypedDict):
    effort: NotRequired[Effort | None]
    max_tokens: NotRequired[_Tokens | None]
    enabled: NotRequired[bool | None]


class ChatBody(BaseModel):
    """The members that are looked at, in the order in which they are complained of (after `byok_conf`)."""

    model_config = ConfigDict(strict=True, extra="ignore", defer_build=True, hide_input_in_errors=True)

    model: _ModelId
    messages: Annotated[list[Message], MinLen(1)]
    byok_conf: Any = None
    provider: Any = None
    fallback_models: list[_ModelId] | None = None
    fallback_rules: Any = None
    temperature: Annotated[_Number, Ge(0), Le(2)] | None = None
    top_p: Annotated[_Number, Ge(0), Le(1)] | None = None
    n: Annotated[int, Ge(1), Le(128)] | None = None
    presence_penalty: _Penalty | None = None
    frequency_penalty: _Penalty | None = None
    repetition_penalty: Annotated[_Number, Gt(0), Le(2)] | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Ge(0), Le(20)] | None = None
    stop: str | Annotated[list[str], MinLen(1), MaxLen(4)] | None = None
    max_tokens: _Tokens | None = None
    max_completion_tokens: _Tokens | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    usage: UsageOptions | None = None
    tools: list[Tool] | None = None
    tool_choice: Literal["none", "auto", "required"] | ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    response_format: ResponseFormat | None = None
    reasoning: Reasoning | None = None
    reasoning_effort: Effort | None = None
    seed: int | None = None
    user: str | None = None
    logit_bias: dict[str, Any] | None = None
    metadata: dict[str, Any] | None = None
    extra_body: Any = None


_RIGHT = {
    "model": "a model id such as one of GET /v1/models",
    "messages": "a list with at least one message",
    "messages[]": "an object with role and content",
    "messages[].role": "system, developer, user, assistant, tool or function",
    "messages[].content": "text, or a list of parts",
    "messages[].content[]": "an object with a type",
    "messages[].content[].type": "text, image_url, input_audio, file, video_url or refusal",
    "messages[].tool_calls[].type": "function",
    "fallback_models": "a list of model ids",
    "fallback_models[]": "a model id",
    "temperature": "a number from 0 to 2",
    "top_p": "a number from 0 to 1",
    "n": "a whole number from 1 to 128",
    "presence_penalty": "a number from -2 to 2",
    "frequency_penalty": "a number from -2 to 2",
    "repetition_penalty": "a number above 0, up to 2",
    "top_logprobs": "a whole number from 0 to 20",
    "stop": "text, or a list of 1 to 4 texts",
    "max_tokens": "a whole number from 1 on",
    "max_completion_tokens": "a whole number from 1 on",
    "reasoning.max_tokens": "a whole number from 1 on",
    "tools": "a list of tools",
    "tools[]": 'an object such as {"type": "function", "function": {"name": "get_weather"}}',
    "tools[].function.name": "a name of letters, digits, _ and -",
    "tool_choice": "none, auto, required, or an object that names a function",
    "tool_choice.type": "function",
    "response_format": "an object with a type",
    "response_format.type": "text, json_object or json_schema",
    "reasoning.effort": "none, minimal, low, medium, high or xhigh",
    "reasoning_effort": "none, minimal, low, medium, high or xhigh",
    "seed": "a whole number",
}


def right(path: str) -> str | None:
    """What would be right at a path of the body, where there is more to say than its type."""
    return _RIGHT.get(path)
