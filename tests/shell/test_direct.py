"""Paced answers without a task: what is in their way, and that nobody can tell."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest
from lines import CHAT, STREAM, Line, line, request

from onerouter_mock import connections
from onerouter_mock.core import framing
from onerouter_mock.emulator import Emulator
from onerouter_mock.journal import Entry


def paced(gap: str) -> dict[str, Any]:
    return {
        "clock": "real",
        "rules": [{"when": {"stream": True}, "reply": "a b c d", "stream": {"gap": gap}}],
    }


PACED, SLOW, ENDLESS = paced("3ms"), paced("100ms"), paced("1h")
END = b"0\r\n\r\n"


def entries(emulator: Emulator) -> list[Entry]:
    return emulator.session("default").journal.read()


async def until(is_so: Callable[[], bool]) -> None:
    while not is_so():  # noqa: ASYNC110 (nobody tells)
        await asyncio.sleep(0.001)


async def test_a_paced_stream_needs_no_task() -> None:
    async with line(PACED) as (client, emulator):
        before = asyncio.all_tasks()
        client.protocol.data_received(request(STREAM))
        assert asyncio.all_tasks() == before
        assert (await client.read(END)).count(b'"delta"') == 6
        assert client.protocol.direct is None
        assert asyncio.all_tasks() == before
        (entry,) = entries(emulator)
        assert (entry.ending, entry.sent_chunks, entry.call.stream) == ("finish", 4, True)


async def test_a_late_plain_answer_needs_no_task() -> None:
    async with line({"clock": "real", "rules": [{"delay": "5ms"}]}) as (client, emulator):
        for _ in range(2):
            client.protocol.data_received(request())
            assert not client.protocol.busy
            assert b"HTTP/1.1 200" in await client.read(b"}")
        assert [entry.ending for entry in entries(emulator)] == ["finish"] * 2


async def test_both_ways_stream_the_same_and_are_told_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    for at_once in (True, False):
        monkeypatch.setattr(connections, "_CAN_ANSWER_AT_ONCE", at_once)
        async with line({**PACED, "seed": 7, "speed": 50}) as (client, emulator):
            client.protocol.data_received(request(STREAM))
            _, _, body = (await client.read(END)).partition(b"\r\n\r\n")
            (entry,) = entries(emulator)
            told = (entry.route, entry.ending, entry.sent_bytes, entry.sent_chunks, entry.sent_tokens)
            seen.append((told, [part for part in body.split(b",") if b"created" not in part]))
    assert seen[0] == seen[1]


async def test_who_sends_more_before_its_answer_is_out_gets_answers_in_order() -> None:
    async with line(SLOW) as (client, emulator):
        client.protocol.data_received(request(STREAM))
        client.protocol.data_received(request()[:20])
        client.protocol.data_received(request()[20:] + request(STREAM))
        data = await client.read(END)
        if data.count(END) == 1:
            data += await client.read(END)
        assert [data.find(b"chunked"), data.find(b"Content-Length"), data.rfind(b"chunked")] == sorted(
            [data.find(b"chunked"), data.find(b"Content-Length"), data.rfind(b"chunked")]
        )
        assert [entry.ending for entry in entries(emulator)] == ["finish"] * 3
        assert await client.send(request())


async def test_a_reader_that_is_slow_gets_everything() -> None:
    text = "word " * 300_000
    scenario: dict[str, Any] = {
        "clock": "real",
        "rules": [{"reply": {"chunks": [text, text]}, "stream": {"gap": "1s"}}],
    }
    async with line(scenario) as (client, emulator):
        client.protocol.data_received(request(STREAM))
        await asyncio.wait_for(until(lambda: client.protocol.busy), 5)  # a task waits for the reader
        assert len(await client.read(END)) > 2 * len(text)
        (entry,) = entries(emulator)
        assert (entry.ending, entry.sent_chunks) == ("finish", 2)


async def test_a_reader_that_reads_nothing_is_written_nothing_more() -> None:
    rule = {"reply": {"chunks": ["word " * 300_000] * 3}, "stream": {"gap": "1s"}}
    async with line({"clock": "real", "rules": [rule]}) as (client, emulator):
        client.protocol.data_received(request(STREAM))
        await asyncio.sleep(1.2)  # the second chunk would have been due
        client.sock.close()
        await asyncio.wait_for(until(lambda: not emulator.session("default").in_flight), 5)
        (entry,) = entries(emulator)
        assert (entry.ending, entry.sent_chunks) == ("client_left", 1)


async def test_a_stream_that_a_task_takes_over_late_is_no_slow_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with line(ENDLESS) as (client, _):
        client.protocol.data_received(request(STREAM))
        client.protocol.received_s -= 3600
        client.protocol.hand_over()
        assert client.protocol.waiting_since_s is None


async def test_who_leaves_while_a_task_takes_over_is_told_to_have_left() -> None:
    async with line(ENDLESS) as (client, emulator):
        client.protocol.data_received(request(STREAM))
        client.protocol.data_received(request())
        client.transport.abort()
        await asyncio.wait_for(until(lambda: not emulator.session("default").in_flight), 5)
        assert [entry.ending for entry in entries(emulator)] == ["client_left"]
        assert emulator.session("default").in_flight == 0


async def test_who_leaves_mid_stream_leaves_nothing_behind() -> None:
    async with line(ENDLESS) as (client, emulator):
        client.protocol.data_received(request(STREAM))
        direct = client.protocol.direct
        client.transport.abort()
        await asyncio.wait_for(until(lambda: not emulator.session("default").in_flight), 5)
        (entry,) = entries(emulator)
        assert (entry.ending, entry.sent_chunks, client.protocol.direct) == ("client_left", 1, None)
        assert direct._turns.paced == 0


async def test_a_server_that_stops_ends_the_call() -> None:
    async with line(ENDLESS) as (client, emulator):
        client.protocol.data_received(request(STREAM))
    (entry,) = entries(emulator)
    assert (entry.ending, emulator.session("default").in_flight) == ("client_left", 0)


def let_wait(client: Line, calls: int) -> None:
    """Puts so many calls into the queue, beside a stream that keeps time."""
    turns = client.protocol._answerer._turns
    turns.paced = 1
    for _ in range(calls):
        turns.take(lambda: None)


@pytest.mark.parametrize("hands_over", [False, True], ids=["without a task", "with a task"])
async def test_who_leaves_before_its_turn_has_called_all_the_same(hands_over: bool) -> None:
    async with line(PACED) as (client, emulator):
        let_wait(client, 100)
        client.protocol.data_received(request())
        if hands_over:
            client.protocol.data_received(request()[:20])
            await asyncio.sleep(0)
        client.transport.abort()
        for _ in range(20):
            await asyncio.sleep(0)
        assert not client.protocol._answerer._turns._waiting
        (entry,) = entries(emulator)
        assert (entry.ending, entry.sent_bytes) == ("client_left", 0)


async def test_who_sends_more_before_its_turn_is_answered_in_turn() -> None:
    async with line(PACED) as (client, emulator):
        let_wait(client, 100)
        client.protocol.data_received(request())
        client.protocol.data_received(request())
        assert not entries(emulator)
        assert (await client.send(b"")).count(b"HTTP/1.1 200") == 2
        assert [entry.ending for entry in entries(emulator)] == ["finish"] * 2


async def test_a_timer_for_idle_connections_does_not_end_a_stream() -> None:
    async with line(PACED) as (client, _):
        client.protocol.data_received(request(STREAM))
        client.protocol._keepalive, client.protocol._next_keepalive_close_time = True, 0.0
        client.protocol._process_keepalive()
        assert await client.read(END)


@pytest.mark.parametrize("body", [STREAM, CHAT], ids=["stream", "plain"])
async def test_what_breaks_in_the_mock_ends_the_call_and_says_so(
    body: bytes, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(data: bytes) -> bytes:
        raise RuntimeError("sk-own-canary")

    monkeypatch.setattr(framing, "chunk" if body is STREAM else "head_bytes", fail)
    caplog.set_level(logging.ERROR)
    async with line(PACED) as (client, emulator):
        client.protocol.data_received(request(body))
        answer = await client.read_to_the_end()
        assert b"canary" not in answer + caplog.text.encode()
        assert "the mock itself failed" in caplog.text
        assert all(session.in_flight == 0 for session in emulator.sessions())


async def test_what_breaks_mid_stream_closes_and_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with line(SLOW) as (client, emulator):
        client.protocol.data_received(request(STREAM))

        def fail(data: bytes) -> bytes:
            raise RuntimeError("sk-own-canary")

        monkeypatch.setattr(framing, "chunk", fail)
        answer = await client.read_to_the_end()
        assert END not in answer
        assert "the mock itself failed: RuntimeError" in caplog.text
        assert "canary" not in caplog.text
        (entry,) = entries(emulator)
        assert (entry.ending, emulator.session("default").in_flight) == ("cut", 0)
