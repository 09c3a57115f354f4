"""Slices, malformed answers, keep-alive comments, delays: what a client of bare sockets gets of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from heard import OWN, Heard, Line, asked, contents, hear, world

from onerouter_mock.host import shutdown_loop

TEXT = "Grüße aus Köln, schön 🦔 \u2028 und “Zitate”"
QUERY = {"type": "object", "properties": {"q": {"type": "string"}}, "required": ["q"]}
TOOL = {"type": "function", "function": {"name": "look_up", "parameters": QUERY}}


@pytest.fixture(scope="module", autouse=True)
def _close_the_loop() -> Iterator[None]:
    yield
    shutdown_loop()


def sliced(size: str | None, **fields: Any) -> Heard:
    shape = {"stream": {"slice": size}} if size else {}
    with world({"reply": TEXT, **shape}) as mock:
        heard = hear(mock, stream=True, stream_options={"include_usage": True}, **fields)
        assert mock.last.sent["text"] == TEXT
        assert mock.last.sent["bytes"] == len(heard.data)
    assert heard.end == "open"
    assert heard.unchunked()[1] == b"0\r\n\r\n"
    return heard


# Slices


@pytest.mark.parametrize("size", [1, 3, 7, 64, 1000])
def test_each_slice_of_so_many_bytes_is_a_chunk_of_its_own(size: int) -> None:
    whole = b"".join(sliced(None).unchunked()[0])
    chunks = sliced(f"{size} byte{'s' * (size > 1)}").unchunked()[0]
    assert b"".join(chunks) == whole
    assert {len(chunk) for chunk in chunks[:-1]} <= {size}
    assert 0 < len(chunks[-1]) <= size


def test_one_byte_slices_go_through_characters_and_names_of_fields() -> None:
    chunks = sliced("1 byte").unchunked()[0]
    assert "🦔".encode()[:1] in chunks
    heard = sliced("1 byte")
    assert "".join(contents(heard.events)) == TEXT
    assert heard.events[-1] == b"data: [DONE]"


@pytest.mark.parametrize("tokens", [1, 2, 3, 100])
def test_slices_of_tokens_are_chunks_of_so_many(tokens: int) -> None:
    words = " ".join(f"w{n}" for n in range(8)).split(" ")
    with world({"reply": " ".join(words), "stream": {"slice": f"{tokens} tokens"}}) as mock:
        pieces = contents(hear(mock, stream=True).events)
        assert mock.last.sent["chunks"] == len(pieces)
    assert [len(piece.split()) for piece in pieces[:-1]] == [tokens] * (len(pieces) - 1)
    assert "".join(pieces) == " ".join(words)


def test_slices_and_a_break_go_together() -> None:
    rule = {
        "reply": "one two three four",
        "stream": {"slice": "1 byte"},
        "break": {"do": "cut", "after": "2 tokens"},
    }
    with world(rule) as mock:
        heard = hear(mock, stream=True)
        assert mock.last.sent["tokens"] == 2
    assert heard.end == "fin"
    assert contents(heard.events) == ["one", " two"]
    assert heard.unchunked()[1] == b""


def test_chunks_have_the_borders_that_the_scenario_gives_them() -> None:
    with world({"reply": {"chunks": ["Hel", "lo W", "orld"]}}) as mock:
        assert contents(hear(mock, stream=True).events) == ["Hel", "lo W", "orld"]


# Malformed answers


def said(malformed: str | None, stream: bool, reply: dict[str, Any] | None = None, **fields: Any) -> Heard:
    shape = {**(reply or {}), **({"malformed": malformed} if malformed else {})}
    with world({"reply": shape}) as mock:
        heard = hear(mock, OWN, stream=stream, **fields)
        last = mock.last
    assert (heard.status, heard.end, last.ending, last.route) == (200, "open", "finish", "byok:openai")
    return heard


def data(heard: Heard) -> list[Any]:
    """The JSON of a stream's events; None for what is none."""
    out: list[Any] = []
    for event in heard.events:
        try:
            out.append(json.loads(event.removeprefix(b"data: ")))
        except ValueError:
            out.append(None)
    return out


def test_empty_choices() -> None:
    assert said("empty_choices", False).json["choices"] == []
    heard = said("empty_choices", True)
    assert heard.events[-1] == b"data: [DONE]"
    assert [chunk["choices"] for chunk in data(heard)[:-1]] == [[]] * (len(heard.events) - 1)


def test_null_content() -> None:
    (choice,) = said("null_content", False).json["choices"]
    assert choice["message"]["content"] is None
    assert choice["finish_reason"] == "stop"
    chunks = data(said("null_content", True))[:-1]
    assert [chunk["choices"][0]["delta"].get("content") for chunk in chunks] == [None] * len(chunks)
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"


def test_bad_json() -> None:
    heard = said("bad_json", False)
    assert len(heard.body) == int(heard.headers["content-length"])  # whole for HTTP
    with pytest.raises(json.JSONDecodeError):
        json.loads(heard.body)
    chunks = data(said("bad_json", True))
    assert chunks.count(None) == 2  # the bad one and [DONE]
    assert None in chunks[1:-2]


def test_unknown_finish_reason() -> None:
    known = {"stop", "length", "tool_calls", "content_filter", "function_call", None}
    (choice,) = said("unknown_finish_reason", False).json["choices"]
    assert choice["finish_reason"] not in known
    chunks = data(said("unknown_finish_reason", True))[:-1]
    assert chunks[-1]["choices"][0]["finish_reason"] == choice["finish_reason"]


def test_no_usage() -> None:
    assert "usage" not in said("no_usage", False).json
    assert "usage" in said(None, False, {"text": "hi"}).json
    asked_for = {"stream_options": {"include_usage": True}}
    assert b'"usage"' not in said("no_usage", True, **asked_for).body
    assert b'"usage"' in said(None, True, {"text": "hi"}, **asked_for).body


def spoken_calls(heard: Heard) -> dict[int, list[str]]:
    """Name and arguments of each tool call of a stream."""
    calls: dict[int, list[str]] = {}
    for chunk in data(heard)[:-1]:
        for part in chunk["choices"][0]["delta"].get("tool_calls") or ():
            call = calls.setdefault(part["index"], ["", ""])
            call[0] += part["function"].get("name") or ""
            call[1] += part["function"].get("arguments") or ""
    return calls


@pytest.mark.parametrize("tools", [[TOOL], None], ids=["tools given", "no tools given"])
def test_tool_arguments_not_json(tools: list[Any] | None) -> None:
    fields = {"tools": tools} if tools else {}
    (choice,) = said("tool_arguments_not_json", False, **fields).json["choices"]
    assert choice["finish_reason"] == "tool_calls"
    ((name, arguments),) = spoken_calls(said("tool_arguments_not_json", True, **fields)).values()
    for text in (choice["message"]["tool_calls"][0]["function"]["arguments"], arguments):
        with pytest.raises(json.JSONDecodeError):
            json.loads(text)
    assert name == choice["message"]["tool_calls"][0]["function"]["name"]
    assert not tools or name == "look_up"


def test_unknown_tool() -> None:
    (choice,) = said("unknown_tool", False, tools=[TOOL]).json["choices"]
    (call,) = choice["message"]["tool_calls"]
    assert call["function"]["name"] != "look_up"
    json.loads(call["function"]["arguments"])
    ((name, arguments),) = spoken_calls(said("unknown_tool", True, tools=[TOOL])).values()
    assert (name, arguments) == (call["function"]["name"], call["function"]["arguments"])


def test_a_reply_of_the_scenarios_own_can_be_malformed_too() -> None:
    (choice,) = said("unknown_finish_reason", False, {"text": "Hello"}).json["choices"]
    assert choice["message"]["content"] == "Hello"
    call = {"tool_calls": [{"name": "look_up", "arguments": "{broken"}]}
    (choice,) = said(None, False, call).json["choices"]
    assert choice["message"]["tool_calls"][0]["function"]["arguments"] == "{broken"


# Replies


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
def test_a_reply_says_what_the_scenario_says(stream: bool) -> None:
    reply = {"text": TEXT, "reasoning": "Hmm.", "finish_reason": "length", "usage": {"completion_tokens": 77}}
    heard = (
        said(None, stream, reply, stream_options={"include_usage": True})
        if stream
        else said(None, False, reply)
    )
    if stream:
        assert "".join(contents(heard.events)) == TEXT
        chunks = data(heard)[:-1]
        assert "".join(c["choices"][0]["delta"].get("reasoning") or "" for c in chunks[:-1]) == "Hmm."
        assert chunks[-2]["choices"][0]["finish_reason"] == "length"
        assert chunks[-1]["usage"]["completion_tokens"] == 77
    else:
        (choice,) = heard.json["choices"]
        assert (choice["message"]["content"], choice["message"]["reasoning"]) == (TEXT, "Hmm.")
        assert (choice["finish_reason"], heard.json["usage"]["completion_tokens"]) == ("length", 77)


# Keep-alive comments


def comments(heard: Heard) -> int:
    return sum(event == b": ONEROUTER PROCESSING" for event in heard.events)


@pytest.mark.parametrize(
    ("shape", "count"),
    [({"delay": "50s"}, 3), ({"stream": {"ttft": "46s"}}, 3), ({"delay": "45s"}, 2), ({"delay": "15s"}, 0)],
    ids=["a delay", "a first token that is late", "up to the answer", "no longer than the interval"],
)
def test_who_waits_for_a_streams_first_word_gets_comments(shape: dict[str, Any], count: int) -> None:
    with world(shape) as mock:
        heard = hear(mock, stream=True)
    assert comments(heard) == count
    assert all(event.startswith(b":") for event in heard.events[:count])
    assert heard.events[-1] == b"data: [DONE]"


def test_the_interval_of_comments_is_the_routers() -> None:
    with world({"delay": "50s"}, router={"keep_alive": "10s"}) as mock:
        assert comments(hear(mock, stream=True)) == 4
    with world({"when": {"lane": "byok"}, "delay": "50s", "error": "overloaded"}) as mock:
        assert comments(hear(mock, OWN, stream=True)) == 3  # while a failing attempt takes its time


def test_a_later_error_keeps_its_status_after_any_delay() -> None:
    with world({"when": {"lane": "router"}, "delay": "50s", "error": "overloaded"}) as mock:
        assert hear(mock, stream=True).status == 503


def test_a_plain_answer_has_no_comments() -> None:
    with world({"delay": "50s"}) as mock:
        assert hear(mock).body.startswith(b"{")


def test_comments_come_while_the_client_waits() -> None:
    with (
        world({"delay": "1h"}, router={"keep_alive": "1s"}, clock="real", speed=20) as mock,
        Line(mock) as line,
    ):
        line.send(asked(stream=True))
        heard = line.read(until=lambda got: got.count(b"PROCESSING") >= 3)
        assert heard.status == 200
        assert comments(heard) == 3
        assert mock.last.ended_ms is None


# Older clients


@pytest.mark.parametrize("more", [b"", b"Connection: keep-alive\r\n"])
def test_a_client_of_http_1_0_gets_a_stream_without_chunks_that_ends_with_the_connection(more: bytes) -> None:
    with world({"reply": TEXT}) as mock, Line(mock) as line:
        line.send(asked(stream=True).replace(b"HTTP/1.1\r\n", b"HTTP/1.0\r\n" + more, 1))
        heard = line.read()
    assert heard.end == "fin"
    assert "transfer-encoding" not in heard.headers
    events = heard.body.split(b"\n\n")
    assert "".join(contents(events)) == TEXT
    assert events[-2] == b"data: [DONE]"
