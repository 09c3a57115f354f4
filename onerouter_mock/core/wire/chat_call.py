"""POST /v1/chat/completions: from the body's bytes to the words in which a call is routed and answered.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
from pydantic import ValidationError

from onerouter_mock.core.errors import RequestError
from onerouter_mock.core.records import Wants
from onerouter_mock.core.wire.byok import read_byok
from onerouter_mock.core.wire.chat_request import MODEL_ID, ChatBody, right
from onerouter_mock.core.wire.complaints import complain, first_complaints
from onerouter_mock.core.wire.messages import Told, read_messages
from onerouter_mock.core.wire.routing import read_fallback_rules, read_routing
from onerouter_mock.core.wire.secrets import SHORTEST_SHOWN, bare, credential_texts

if TYPE_CHECKING:
    from onerouter_mock.core.records import Call
    from onerouter_mock.core.scenario.records import Scenario

DEEPEST = 100
# An open string runs to the end, and nothing is tried twice: hostile bodies cost no more than others.
_STRUCTURE = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)
_MODEL_ID = re.compile(MODEL_ID.removesuffix("$") + r"\Z")
_EXTRA_BODY = (
    "extra_body is a member of this body, its content has no effect; would be right: its members at the "
    "top level (the Node SDK takes byok_conf itself)"
)


class ChatAsk(NamedTuple):
    """How the answer is to be written down; all else about it is in the call's `wants`."""

    include_usage: bool = False
    include_cost: bool = False
    logprobs: bool = False
    top_logprobs: int = 0


_ask = lru_cache(maxsize=256)(ChatAsk)  # the journal keeps one of these for each call


def read_chat(scenario: Scenario, call: Call, body: bytes) -> None:
    """Fills the call in from its body.

    Errors: RequestError 400 naming the first wrong member in the order model, messages, byok_conf, its
    provider, credentials, fallback, the rest; what could be read stands in the call all the same.
    """
    _check_json(body)
    try:
        asked = ChatBody.model_validate_json(body)
    except ValidationError as error:
        raise _blame(scenario, call, body, error) from None
    call.model = asked.model
    call.stream = bool(asked.stream)
    told = read_messages(asked.messages)
    call.prompt, call.system, call.prompt_tokens = told.prompt, told.system, told.tokens
    call.notices += told.doubts
    if (conf := asked.byok_conf) is not None:
        call.byok = read_byok(scenario, conf, call.notices)
    if asked.provider is not None:
        call.routing = read_routing(asked.provider, call.notices)
    if asked.fallback_models:
        call.fallback_models = tuple(asked.fallback_models)
    refuse_secret_names(call, conf)
    if asked.fallback_rules is not None:
        call.fallback_statuses = read_fallback_rules(asked.fallback_rules, call.notices)
    call.wants = _read_wants(asked, told, call.sealed.digest)
    call.ask = _read_ask(asked)
    for name in (call.model, *call.fallback_models):
        _check_chats(scenario, name)
    _note(scenario, call, asked)


def _check_json(body: bytes) -> None:
    """What pydantic's parser lets pass and JSON or this service does not: NaN, Infinity, and depth."""
    if b"NaN" in body or b"Infinity" in body:
        try:
            orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise complain("body", f"no JSON ({error.msg})", "a JSON object") from None
    if body.count(b"[") + body.count(b"{") > DEEPEST:
        depth = 0
        for found in _STRUCTURE.finditer(body):
            depth += {0x5B: 1, 0x7B: 1, 0x5D: -1, 0x7D: -1}.get(body[found.start()], 0)
            if depth > DEEPEST:
                raise complain("body", f"deeper than {DEEPEST} levels", "a flatter object")


def _blame(scenario: Scenario, call: Call, body: bytes, error: ValidationError) -> RequestError:
    details = error.errors(include_url=False, include_input=False)
    if details[0]["type"] == "json_invalid":
        reason = details[0].get("ctx", {}).get("error", "")
        return complain("body", f"no JSON ({reason})" if body.strip() else "empty", "a JSON object")
    if details[0]["type"] == "model_type":
        return complain("body", "no object", "a JSON object")
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as wrong:
        return complain("body", f"no JSON ({wrong.msg})", "a JSON object")
    first = first_complaints(details, document, right)
    byok_error = _salvage(scenario, call, document)
    if "model" in first or "messages" in first:
        return first.get("model") or first["messages"]
    try:
        read_messages(document["messages"])
    except RequestError as wrong_message:
        return wrong_message
    return byok_error or next(first[name] for name in ChatBody.model_fields if name in first)


def _salvage(scenario: Scenario, call: Call, document: dict[str, Any]) -> RequestError | None:
    """What a bad request still tells the journal, and what is wrong with its `byok_conf`."""
    model = document.get("model")
    if isinstance(model, str) and _MODEL_ID.match(model):
        call.model = model
    call.stream = document.get("stream") is True
    try:
        call.byok = read_byok(scenario, document.get("byok_conf"), call.notices)
    except RequestError as error:
        return error
    return None


def refuse_secret_names(call: Call, conf: Any = None) -> None:
    """Model names go into routes, headers and logs: one that holds a key of the caller must not get that far.

    Errors: RequestError 400 naming `model`.
    """
    secrets = call.sealed.secrets
    if conf is not None:
        given = conf["credentials"]
        own = (bare(given),) if isinstance(given, str) else credential_texts({"credentials": given})
        secrets = (*secrets, *own)
    models = (call.model, *call.fallback_models)
    for secret in secrets:
        if len(secret) >= SHORTEST_SHOWN and any(secret in model for model in models):
            call.model, call.fallback_models = "", ()
            raise complain("model", "holds a key", right("model") or "")


def _check_chats(scenario: Scenario, name: str) -> None:
    """Source: expected (404 for a chat with a model that has another endpoint); the words are guessed."""
    model = scenario.catalogue.find(name)
    if model is not None and "chat" not in model.endpoints:
        what = f"The model `{name}` is no chat model: it is for {', '.join(model.endpoints)}"
        raise RequestError(what, param="model", kind="model_not_found", status=404)


def _read_wants(asked: ChatBody, told: Told, digest: bytes) -> Wants:
    limit = asked.max_completion_tokens
    wants = Wants(
        prompt=told.prompt,
        seed=asked.seed,
        max_tokens=limit if limit is not None else asked.max_tokens,
        n=asked.n or 1,
        after_tool_result=told.after_tool_result,
        digest=digest,
    )
    if asked.stop:
        wants.stop = (asked.stop,) if isinstance(asked.stop, str) else tuple(asked.stop)
    if asked.tools or asked.tool_choice:
        _read_tools(wants, asked)
    if asked.response_format is not None:
        wants.schema = _read_schema(asked.response_format)
    reasoning = asked.reasoning
    if reasoning is not None or asked.reasoning_effort is not None:
        effort = asked.reasoning_effort or (reasoning or {}).get("effort")
        wants.want_reasoning = effort != "none" and (reasoning or {}).get("enabled") is not False
    return wants


def _read_tools(wants: Wants, asked: ChatBody) -> None:
    tools = []
    for at, tool in enumerate(asked.tools or ()):
        if tool["type"] != "function":
            continue
        function = tool.get("function")
        if function is None:
            raise complain(f"tools[{at}].function", "missing", "an object with a name")
        parameters = function.get("parameters")
        # As text: a parsed schema is ten times as large, and the journal keeps it.
        tools.append((function["name"], _pack(parameters) if parameters else None))
    wants.tools = tuple(tools)
    wants.parallel_tool_calls = asked.parallel_tool_calls is not False
    choice: Any = asked.tool_choice or "auto"
    if isinstance(choice, dict):
        choice = _read_tool_choice(choice, wants)
    if choice == "required" and not tools:
        raise complain("tool_choice", "there are no tools", "tool_choice together with tools")
    wants.tool_choice = choice


def _read_tool_choice(choice: dict[str, Any], wants: Wants) -> str:
    if choice["type"] != "function":
        mode = choice.get("allowed_tools", {}).get("mode")
        return "required" if mode == "required" else "auto"
    name = choice.get("function", {}).get("name")
    if name is None:
        raise complain("tool_choice.function", "missing", "an object with a name")
    named = tuple(tool for tool in wants.tools if tool[0] == name)
    if not named:
        known = ", ".join(tool[0] for tool in wants.tools[:8]) or "tool_choice together with tools"
        raise complain("tool_choice", f'"{name[:60]}" is not among the tools', known)
    wants.tools = named  # so that a tool named "auto" is no puzzle
    return "required"


def _read_schema(form: Any) -> Any:
    if form["type"] == "text":
        return None
    if form["type"] == "json_object":
        return {}
    described = form.get("json_schema")
    if described is None:
        raise complain("response_format.json_schema", "missing", "an object with name and schema")
    schema = described.get("schema")
    return _pack(schema) if schema else {}


def _pack(schema: Any) -> bytes:
    try:
        return orjson.dumps(schema)
    except TypeError:  # a whole number of more than 64 bits
        return orjson.dumps(_as_floats(schema))


def _as_floats(value: Any) -> Any:
    """A JSON value with its very large numbers as orjson takes them; those beyond all floats become null."""
    if isinstance(value, dict):
        return {name: _as_floats(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_as_floats(member) for member in value]
    if isinstance(value, int) and value.bit_length() > 63:
        return float(value) if value.bit_length() < 1024 else None
    return value


def _read_ask(asked: ChatBody) -> ChatAsk:
    if asked.top_logprobs and not asked.logprobs:
        raise complain("top_logprobs", "logprobs is not true", "logprobs: true beside it")
    cost = asked.usage is not None and asked.usage.get("include") is True
    usage = cost or (asked.stream_options is not None and asked.stream_options.get("include_usage") is True)
    return _ask(usage, cost, bool(asked.logprobs), asked.top_logprobs or 0)


def _note(scenario: Scenario, call: Call, asked: ChatBody) -> None:
    if asked.extra_body is not None:
        call.notices.append(_EXTRA_BODY)
    if asked.stream_options is not None and not asked.stream:
        call.notices.append("stream_options without stream: true; OpenAI answers 400")
    catalogue = scenario.catalogue
    if scenario.unknown_models == "accept" and catalogue.find(call.model) is None:
        vendor = catalogue.guess(call.model).vendor
        call.notices.append(
            f"model '{call.model}' is not in the catalogue; served as {vendor} at a default price"
        )
