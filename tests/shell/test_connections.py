"""Requests answered where their bytes arrive, and those that take the way of aiohttp: nobody can tell them apart."""

from __future__ import annotations

import asyncio
import json

import pytest
from lines import CHAT, STREAM, line, request

from onerouter_mock import connections


@pytest.mark.parametrize(
    "pieces",
    [
        [request()] * 3,
        [request(STREAM), request(b"", "/v1/models/gpt-5.1-chat"), request()],
        [request() * 3],
        [request() + request(b"", "/v1/balance"), request()],
        [request()[:9], request()[9:60], request()[60:-4], request()[-4:], request()],
        [request(b"{"), request(b"", "/v1/nothing"), request()],
        [request(CHAT, "/v1/chat/completions", "Connection: close")],
        [request(CHAT, "/s/a/v1/chat/completions"), request(CHAT, "/s/a@no-such/v1/chat/completions")],
        [request(), b"GET /v1/models HTTP/1.1\r\nHost : a\r\n\r\n"],
        [
            request(),
            request(CHAT, "/v1/chat/completions", "Upgrade: websocket", "Connection: upgrade"),
            request(),
        ],
        [request()[:-5], request()[-5:] + request()[:20], request()[20:]],
    ],
    ids=[
        "whole",
        "kinds",
        "pipelined",
        "mixed",
        "split",
        "refused",
        "last",
        "sessions",
        "garbage",
        "upgrade",
        "overlap",
    ],
)
async def test_both_ways_answer_the_same(pieces: list[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    answers = []
    for at_once in (True, False):
        monkeypatch.setattr(connections, "_CAN_ANSWER_AT_ONCE", at_once)
        async with line() as (client, emulator):
            answers.append([await client.send(piece) for piece in pieces])
            assert all(session.in_flight == 0 for session in emulator.sessions())
    assert answers[0] == answers[1]
    assert b"HTTP/1.1 " in b"".join(answers[0])


async def test_aiohttp_has_what_answering_at_once_needs() -> None:
    assert connections._CAN_ANSWER_AT_ONCE
    async with line() as (client, emulator):
        client.protocol.data_received(request())
        (entry,) = emulator.session("default").journal.read()
        assert entry.ending == "finish"  # and no other task has run yet


async def test_a_client_that_leaves_before_its_answer_was_begun_has_left() -> None:
    async with line({"clock": "real", "rules": [{"delay": "30s"}]}) as (client, emulator):
        client.protocol.data_received(request())
        client.transport.abort()
        for _ in range(5):
            await asyncio.sleep(0)
        (entry,) = emulator.session("default").journal.read()
        assert (entry.ending, emulator.session("default").in_flight) == ("client_left", 0)


async def test_a_reader_that_does_not_read_is_not_written_to_without_end() -> None:
    async with line({"rules": [{"reply": "word " * 20_000}]}) as (client, emulator):
        loop = asyncio.get_running_loop()
        for _ in range(100):  # 10 MB of answers
            await loop.sock_sendall(client.sock, request())
            await asyncio.sleep(0)
        await asyncio.sleep(0.05)
        assert emulator.session("default").calls < 60
        assert client.transport.get_write_buffer_size() < 1_000_000


async def test_an_answer_at_once_is_json_that_can_be_read() -> None:
    async with line() as (client, _):
        head, _, body = (await client.send(request())).partition(b"\r\n\r\n")
        assert json.loads(body)["choices"][0]["message"]["content"]
        assert f"Content-Length: {len(body)}".encode() in head
