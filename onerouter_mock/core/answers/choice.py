"""One choice of an answer, thought of as the pieces that a stream sends: a whole answer is its pieces put
together, so the two can't differ.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import orjson

from onerouter_mock.core.answers.schema import make_json
from onerouter_mock.core.answers.tokens import split_tokens
from onerouter_mock.core.answers.words import borrow_words
from onerouter_mock.core.dice import hex_digits
from onerouter_mock.core.records import Choice, Piece, ToolCall

if TYPE_CHECKING:
    from onerouter_mock.core.records import Wants
    from onerouter_mock.core.scenario.records import Reply

UNKNOWN_TOOL = "no_such_tool"
UNKNOWN_FINISH_REASON = "no_such_reason"
_TOOL_TROUBLE = ("tool_arguments_not_json", "unknown_tool")


def make_choice(
    seed: int, wants: Wants, reply: Reply | None, most: int, index: int
) -> tuple[Choice, list[Piece]]:
    """The choice number `index` and its pieces, at most `most` tokens of them unless the scenario wrote
    them."""
    dice = (seed, wants.prompt, wants.seed, index)
    scripted = reply is not None and _is_scripted(reply)
    pieces = list(_reasoning(wants, reply, most, dice))
    calls: tuple[tuple[str, str], ...] = ()
    if reply is not None and scripted:
        calls = reply.tool_calls
        pieces += _scripted(reply, index)
    elif reply is not None and reply.malformed == "null_content":
        pass  # neither words nor a call: that is the defect
    elif _calls_tools(wants) or (reply is not None and reply.malformed in _TOOL_TROUBLE):
        calls = _make_calls(wants, dice)
    else:
        pieces += _spell("content", _make_text(wants, dice), index)
    calls = _spoil(calls, reply)
    for number, (name, arguments) in enumerate(calls):
        pieces.append(Piece(index, "tool_name", name, len(split_tokens(name)), number))
        pieces += _spell("tool_arguments", arguments, index, number)
    whole = len(pieces)
    if not scripted:
        pieces = _cut(pieces, most)
    if reply is not None and reply.malformed == "null_content":
        pieces = [piece for piece in pieces if piece.field != "content"]
        whole = len(pieces)
    for piece in pieces:
        piece.choice = index
    finish = _finish_reason(reply, bool(calls), len(pieces) < whole)
    return _assemble(pieces, finish, dice, reply), pieces


def _is_scripted(reply: Reply) -> bool:
    said = (reply.text, reply.json, reply.refusal)
    return any(text is not None for text in said) or bool(reply.chunks or reply.tool_calls)


def _spell(field: str, text: str, choice: int, call: int = 0) -> list[Piece]:
    return [Piece(choice, field, token, 1, call) for token in split_tokens(text)]


def _scripted(reply: Reply, index: int) -> list[Piece]:
    pieces: list[Piece] = []
    if reply.chunks:
        # A chunk counts for the tokens of the whole text that end in it: borders don't change the count.
        tokens = split_tokens("".join(reply.chunks))
        ended = chunk_end = token_end = 0
        for chunk in reply.chunks:
            chunk_end += len(chunk)
            before = ended
            while ended < len(tokens) and token_end + len(tokens[ended]) <= chunk_end:
                token_end += len(tokens[ended])
                ended += 1
            pieces.append(Piece(index, "content", chunk, ended - before))
    else:
        pieces += _spell("content", reply.text if reply.text is not None else reply.json or "", index)
    return pieces + _spell("refusal", reply.refusal or "", index)


def _reasoning(wants: Wants, reply: Reply | None, most: int, dice: tuple[Any, ...]) -> Iterable[Piece]:
    if reply is not None and reply.reasoning is not None:
        return _spell("reasoning", reply.reasoning, 0)
    if not wants.want_reasoning or (reply is not None and _is_scripted(reply)):
        return ()
    with borrow_words(*dice, "reasoning") as words:
        thought = words.prose(12, 40)
    return _spell("reasoning", thought, 0)[: most // 2]  # thinking leaves room for the answer


def _calls_tools(wants: Wants) -> bool:
    """A client that gives tools is an agent more often than not: it is made to work through its loop once."""
    if not wants.tools or wants.tool_choice == "none":
        return False
    return wants.tool_choice != "auto" or not wants.after_tool_result


def _make_calls(wants: Wants, dice: tuple[Any, ...]) -> tuple[tuple[str, str], ...]:
    """One call of each of the first two tools, of one when calls may not be parallel or one is named."""
    named = [tool for tool in wants.tools if tool[0] == wants.tool_choice]
    tools = named or list(wants.tools[: 2 if wants.parallel_tool_calls else 1]) or [(UNKNOWN_TOOL, None)]
    calls = []
    for name, schema in tools:
        if isinstance(schema, bytes):
            schema = orjson.loads(schema)
        with borrow_words(*dice, "tool", name) as words:
            calls.append((name, make_json({"type": "object", **(schema or {})}, words, wants.n)))
    return tuple(calls)


def _make_text(wants: Wants, dice: tuple[Any, ...]) -> str:
    schema = orjson.loads(wants.schema) if isinstance(wants.schema, bytes) else wants.schema
    with borrow_words(*dice) as words:
        if schema is None:
            text = words.prose()
        elif schema:
            text = make_json(schema, words, wants.n)
        else:
            text = orjson.dumps(
                {"answer": words.sentence(), "notes": [words.phrase(), words.phrase()]}
            ).decode()
    ends = [at for at in (text.find(stop) for stop in wants.stop if stop) if at >= 0]
    return text[: min(ends)] if ends else text


def _spoil(calls: tuple[tuple[str, str], ...], reply: Reply | None) -> tuple[tuple[str, str], ...]:
    match reply.malformed if reply else None:
        case "tool_arguments_not_json":
            calls = calls or ((UNKNOWN_TOOL, "{}"),)
            return tuple((name, arguments[:-1] or "{") for name, arguments in calls)
        case "unknown_tool":
            return tuple((UNKNOWN_TOOL, arguments) for _, arguments in calls or (("", "{}"),))
        case _:
            return calls


def _cut(pieces: list[Piece], most: int) -> list[Piece]:
    tokens = 0
    for at, piece in enumerate(pieces):
        tokens += piece.tokens
        if tokens > most:
            return pieces[:at]
    return pieces


def _finish_reason(reply: Reply | None, calls: bool, cut: bool) -> str:
    if reply is not None and reply.malformed == "unknown_finish_reason":
        return UNKNOWN_FINISH_REASON
    if reply is not None and reply.finish_reason is not None:
        return reply.finish_reason
    return "length" if cut else "tool_calls" if calls else "stop"


def _assemble(pieces: list[Piece], finish: str, dice: tuple[Any, ...], reply: Reply | None) -> Choice:
    texts: dict[str, list[str]] = {}
    calls: list[list[str]] = []
    for piece in pieces:
        if piece.field == "tool_name":
            calls.append([piece.text, ""])
        elif piece.field == "tool_arguments":
            calls[piece.call][1] += piece.text
        else:
            texts.setdefault(piece.field, []).append(piece.text)
    refusal = "".join(texts["refusal"]) if "refusal" in texts else None
    nulled = bool(calls) or refusal is not None or (reply is not None and reply.malformed == "null_content")
    text = "".join(texts["content"]) if "content" in texts else None if nulled else ""
    return Choice(
        text=text,
        tokens=split_tokens(text or ""),
        reasoning="".join(texts["reasoning"]) if "reasoning" in texts else None,
        reasoning_tokens=tuple(texts.get("reasoning", ())),
        refusal=refusal,
        tool_calls=tuple(
            ToolCall(f"call_{hex_digits(24, *dice, 'call', number)}", name, arguments)
            for number, (name, arguments) in enumerate(calls)
        ),
        finish_reason=finish,
    )
