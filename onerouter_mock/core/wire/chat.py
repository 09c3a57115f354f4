"""The answer of a chat as JSON: whole, or as the events of a stream.

What an answer says is turned into bytes once and kept on it; each call splices its own id, time and usage in.

Source: documented (members and their order, `: [DONE]`), seen (usage chunk without choices, costs at the
root), OpenAI's API (`refusal`, `logprobs`, tool calls in chunks).

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from onerouter_mock.core.dice import draw
from onerouter_mock.core.wire.usage import cost_json, usage_json

if TYPE_CHECKING:
    from onerouter_mock.core.records import Answer, Choice, Decision, Piece
    from onerouter_mock.core.scenario.records import Scenario
    from onerouter_mock.core.wire.chat_call import ChatAsk

DONE = b"data: [DONE]\n\n"
NOT_JSON = b'{"id":"chatcmpl-'
_SPOILT = b"data: " + NOT_JSON + b"\n\n"


@dataclass(slots=True)
class Parts:
    """A streamed answer, each part a whole event or several.

    Shape: `opening` the role chunks; `pieces` one for each piece of the answer, made when asked for, once; `closing`
    the finish chunks, one a choice; `usage` the usage chunk, empty when none was asked for; `done` the last line.
    """

    opening: bytes
    pieces: Iterator[bytes]
    closing: list[bytes]
    usage: bytes
    done: bytes = DONE


def chat_body(decision: Decision, scenario: Scenario) -> bytes:
    """The body of an answer that is not streamed."""
    answer, ask = decision.answer, decision.call.ask
    assert answer is not None
    if answer.malformed == "bad_json":
        return chat_json(decision, scenario, answer, ask)[:-2]
    return chat_json(decision, scenario, answer, ask)


def chat_json(decision: Decision, scenario: Scenario, answer: Answer, ask: ChatAsk) -> bytes:
    key = ("chat", scenario.wire, ask.logprobs, ask.top_logprobs)
    choices = answer.memo.get(key)
    if choices is None:
        choices = answer.memo[key] = _choices_json(answer, scenario.wire, ask)
    usage = b"" if answer.malformed == "no_usage" else b',"usage":' + usage_json(decision, answer)
    form = (
        b'{"id":"%b","model":%b,"object":"chat.completion","created":%d,"choices":%b,"request_id":"%b"%b%b,'
        b'"system_fingerprint":null}'
    )
    return form % (
        decision.answer_id.encode(),
        _model_json(decision),
        decision.created_s,
        choices,
        decision.request_id.encode(),
        usage,
        cost_json(decision) if ask.include_cost else b"",
    )


def stream_chat(decision: Decision, scenario: Scenario) -> Parts:
    """The events of a streamed answer, before any break."""
    answer, ask = decision.answer, decision.call.ask
    assert answer is not None
    key = ("stream", scenario.wire, ask.logprobs, ask.top_logprobs)
    tails = answer.memo.get(key)
    if tails is None:
        tails = answer.memo[key] = _tails(answer, scenario.wire, ask)
    opening, pieces, closing = tails
    head = b'data: {"id":"%b","object":"chat.completion.chunk","created":%d,"model":%b,"choices":[' % (
        decision.answer_id.encode(),
        decision.created_s,
        _model_json(decision),
    )
    usage = b""
    if ask.include_usage and answer.malformed != "no_usage":
        costs = cost_json(decision) if ask.include_cost else b""
        usage = head + b'],"usage":' + usage_json(decision, answer) + costs + b"}\n\n"
    if answer.malformed == "bad_json" and pieces:
        at = len(pieces) // 2
        sent = iter([*map(head.__add__, pieces[:at]), _SPOILT, *map(head.__add__, pieces[at + 1 :])])
    else:
        sent = map(head.__add__, pieces)
    return Parts(b"".join([head + tail for tail in opening]), sent, [head + tail for tail in closing], usage)


def _model_json(decision: Decision) -> bytes:
    """The model as it was asked for: after a model fallback, the item of the list."""
    served = decision.served
    return orjson.dumps((served.asked if served else "") or decision.call.model)


def _choices_json(answer: Answer, dialect: str, ask: ChatAsk) -> bytes:
    if answer.malformed == "empty_choices":
        return b"[]"
    return orjson.dumps(
        [
            {
                "index": index,
                "message": _message(choice, dialect),
                "finish_reason": choice.finish_reason,
                "logprobs": _logprobs(choice, ask) if ask.logprobs else None,
            }
            for index, choice in enumerate(answer.choices)
        ]
    )


def _message(choice: Choice, dialect: str) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": choice.text, "refusal": choice.refusal}
    if choice.reasoning is not None:
        message |= dict.fromkeys(_reasoning_members(dialect), choice.reasoning)
    if choice.tool_calls:  # absent, not null, where there are none
        message["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in choice.tool_calls
        ]
    return message


def _reasoning_members(dialect: str) -> tuple[str, ...]:
    """Source: documented: `reasoning`; seen in clients: `reasoning_content`, or both."""
    return ("reasoning",) if dialect == "documented" else ("reasoning", "reasoning_content")


def _logprobs(choice: Choice, ask: ChatAsk) -> dict[str, Any]:
    return {
        "content": [_logprob(token, at, ask.top_logprobs) for at, token in enumerate(choice.tokens)],
        "refusal": None,
    }


def _logprob(token: str, at: int, top: int) -> dict[str, Any]:
    """A made-up probability, the same for the same token at the same place."""

    def entry(text: str, logprob: float) -> dict[str, Any]:
        return {"token": text, "logprob": round(logprob, 6), "bytes": list(text.encode())}

    chosen = -0.9 * draw("logprob", at, token)
    others = [entry(f"{token[:1]}{n}", chosen - 1.5 * n - draw("other", at, token, n)) for n in range(1, top)]
    return entry(token, chosen) | {"top_logprobs": [entry(token, chosen), *others][:top]}


def _tails(answer: Answer, dialect: str, ask: ChatAsk) -> tuple[list[bytes], list[bytes], list[bytes]]:
    """What follows `"choices":[` in the events of the opening, the pieces and the closing."""
    if answer.malformed == "empty_choices":
        return [b"]}\n\n"], [b"]}\n\n"] * len(answer.pieces), [b"]}\n\n"]
    opening, closing = [], []
    for index, choice in enumerate(answer.choices):
        says = choice.text is not None and not choice.tool_calls
        opening.append(_tail(index, {"role": "assistant", "content": "" if says else None, "refusal": None}))
        closing.append(_tail(index, {}, finish_reason=choice.finish_reason))
    spoken = [0] * len(answer.choices)
    pieces = []
    for piece in answer.pieces:
        logprobs = None
        if ask.logprobs and piece.field == "content":
            at = spoken[piece.choice]
            spoken[piece.choice] += piece.tokens
            said = answer.choices[piece.choice].tokens[at : at + piece.tokens]
            listed = [_logprob(token, at + n, ask.top_logprobs) for n, token in enumerate(said)]
            logprobs = {"content": listed, "refusal": None}
        pieces.append(_tail(piece.choice, _delta(piece, answer, dialect), logprobs))
    return opening, pieces, closing


def _tail(index: int, delta: dict[str, Any], logprobs: Any = None, finish_reason: str | None = None) -> bytes:
    choice = {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": finish_reason}
    return orjson.dumps(choice) + b"]}\n\n"


def _delta(piece: Piece, answer: Answer, dialect: str) -> dict[str, Any]:
    match piece.field:
        case "reasoning":
            return dict.fromkeys(_reasoning_members(dialect), piece.text)
        case "tool_name":
            opened = answer.choices[piece.choice].tool_calls[piece.call]
            function = {"name": piece.text, "arguments": ""}
            return {
                "tool_calls": [
                    {"index": piece.call, "id": opened.id, "type": "function", "function": function}
                ]
            }
        case "tool_arguments":
            return {"tool_calls": [{"index": piece.call, "function": {"arguments": piece.text}}]}
        case field:
            return {field: piece.text}
