"""The messages of a chat: what they ask, and what a type check can't see wrong with them.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from onerouter_mock.core.wire.complaints import complain

_MEMBER_OF_PART = {
    "text": "text", "refusal": "refusal", "image_url": "image_url", "input_audio": "input_audio",
    "file": "file",
}  # fmt: skip


@dataclass(slots=True)
class Told:
    """What the messages say. `prompt`: the last user message's text; `system`: all system texts, a line
    between; `doubts`: what this service takes and a provider refuses.

    Units: `tokens` is `ceil(utf-8 bytes / 4)` of all texts plus 4 a message.
    """

    prompt: str
    system: str
    tokens: int
    after_tool_result: bool
    doubts: list[str]


def read_messages(messages: list[Any]) -> Told:
    """Sums up messages whose types are right.

    Errors: RequestError 400 naming the first wrong message.
    """
    prompt, system, size, after_tool_result, talks_of_tools = "", [], 0, False, False
    for at, message in enumerate(messages):
        role, content = message["role"], message.get("content")
        text = content if isinstance(content, str) else _read_parts(at, content) if content else ""
        if content is None or role == "tool":
            _check(at, role, content, message)
        size += len(text) if text.isascii() else len(text.encode())
        if role == "user":
            prompt, after_tool_result = text, False
        elif role in ("tool", "function"):
            after_tool_result = talks_of_tools = True
        elif role == "assistant":
            talks_of_tools = talks_of_tools or bool(message.get("tool_calls"))
        elif role in ("system", "developer"):
            system.append(text)
    doubts = list(_doubt_tools(messages)) if talks_of_tools else []
    return Told(prompt, "\n".join(system), -(-size // 4) + 4 * len(messages), after_tool_result, doubts)


def _doubt_tools(messages: list[Any]) -> Iterator[str]:
    """Where an agent's loop is wrong. Source: OpenAI's API refuses both with 400; the router's own view is unknown."""
    open_calls: dict[str, int] = {}
    for at, message in enumerate([*messages, {"role": ""}]):
        if message["role"] == "tool":
            if open_calls.pop(message["tool_call_id"], None) is None:
                yield f"messages[{at}].tool_call_id: no open tool call has this id; OpenAI answers 400"
            continue
        if open_calls:
            asked = min(open_calls.values())
            yield f"messages[{asked}].tool_calls: {len(open_calls)} without a tool message; OpenAI answers 400"
        calls = message.get("tool_calls") or ()
        open_calls = {call["id"]: at for call in calls if isinstance(call.get("id"), str)}


def _read_parts(at: int, parts: list[Any]) -> str:
    texts = []
    for number, part in enumerate(parts):
        member = _MEMBER_OF_PART.get(part["type"])
        if member is not None and member not in part:
            where = f"messages[{at}].content[{number}].{member}"
            raise complain(where, "missing", f'a part with a member "{member}"')
        if member in ("text", "refusal"):
            texts.append(part[member])
        elif member == "image_url":
            _check_image(f"messages[{at}].content[{number}].image_url", part["image_url"])
    return "\n".join(texts)


def _check_image(where: str, image: Any) -> None:
    url = image.get("url") if isinstance(image, dict) else image
    if not isinstance(url, str) or not url:
        raise complain(where, "no address", 'an object with a "url": an address or a data URI')


def _check(at: int, role: str, content: Any, message: dict[str, Any]) -> None:
    if role == "tool" and not message.get("tool_call_id"):
        where = f"messages[{at}].tool_call_id"
        raise complain(where, "missing", "the id of the tool call that this message answers")
    speaks = any(message.get(name) for name in ("tool_calls", "function_call", "refusal", "audio"))
    if content is None and not (role == "assistant" and speaks) and role != "function":
        what = "null" if "content" in message else "missing"
        raise complain(f"messages[{at}].content", what, "text, or a list of parts")
