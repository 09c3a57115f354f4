"""Plans on real sockets: which bytes, in which order and when, FIN or RST, what stays open."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import web
from stage import GET, HEAD, OK, ask, connect, plain, read, read_until_reset, send, stage

from onerouter_mock.clock import Clock
from onerouter_mock.core.plan import Frame, Outcome, Plan
from onerouter_mock.play import play

# One piece, and the connection after it


async def test_a_plain_answer_is_written_as_it_is_and_the_connection_stays() -> None:
    async with stage(plain()) as shown:
        with await connect(shown.port) as sock:
            for _ in range(3):
                await send(sock)
                assert await read(sock, len(OK)) == OK
        assert shown.outcomes == [Outcome("finish", 1, len(OK), 0)] * 3


async def test_pipelined_requests_are_answered_in_order() -> None:
    answers = [plain(data=OK[:-2] + b"%02d" % n) for n in range(5)]
    async with stage(*answers) as shown:
        with await connect(shown.port) as sock:
            await send(sock, GET * 5)
            data = await read(sock, 5 * len(OK))
    assert data == b"".join(plan.frames[0].data for plan in answers)


async def test_a_request_body_that_was_read_does_not_spoil_the_next_request() -> None:
    post = b"POST / HTTP/1.1\r\nHost: mock\r\nContent-Length: 3\r\n\r\nabc"
    async with stage(plain()) as shown:
        with await connect(shown.port) as sock:
            await send(sock, post + post)
            assert await read(sock, 2 * len(OK)) == OK + OK


@pytest.mark.parametrize(
    "request_head",
    [b"GET / HTTP/1.1\r\nHost: mock\r\nConnection: close\r\n\r\n", b"GET / HTTP/1.0\r\n\r\n"],
    ids=["Connection: close", "HTTP/1.0"],
)
async def test_a_client_that_asks_for_it_gets_a_fin(request_head: bytes) -> None:
    async with stage(plain()) as shown:
        assert await ask(shown, request_head) == OK


async def test_fin_closes_after_the_answer() -> None:
    async with stage(plain("fin")) as shown:
        assert await ask(shown) == OK
        assert shown.outcomes == [Outcome("finish", 1, len(OK), 0)]


async def test_an_empty_plan_closes_without_a_byte() -> None:
    async with stage(Plan(None, [], "fin", "empty")) as shown:
        assert await ask(shown) == b""
        assert shown.outcomes == [Outcome("empty", 0, 0, 0)]


async def test_the_end_is_told_before_the_last_byte() -> None:
    async with stage(plain()) as shown:
        with await connect(shown.port) as sock:
            for n in range(20):
                await send(sock)
                await read(sock, len(OK))
                assert len(shown.outcomes) == n + 1


# RST


async def test_rst_without_a_byte() -> None:
    async with stage(Plan(None, [], "rst", "reset")) as shown:
        with await connect(shown.port) as sock:
            await send(sock)
            assert await read_until_reset(sock) == b""
        assert (await shown.outcome()).ending == "reset"


async def test_rst_comes_after_all_that_was_written() -> None:
    frames = [Frame(0, HEAD), Frame(1, b"x" * 50_000), Frame(2, b"y" * 50_000)]
    async with stage(Plan(200, frames, "rst", "reset", 2)) as shown:
        for _ in range(30):
            with await connect(shown.port) as sock:
                await send(sock)
                assert len(await read_until_reset(sock)) == len(HEAD) + 100_000


async def test_rst_waits_for_a_slow_reader() -> None:
    async with stage(Plan(200, [Frame(0, b"x" * 5_000_000)], "rst", "reset")) as shown:
        with await connect(shown.port, receive_buffer=4096) as sock:
            await send(sock)
            assert (await shown.outcome()).bytes == 5_000_000
            assert len(await read_until_reset(sock)) == 5_000_000


# Frames in time


async def test_on_a_virtual_clock_all_frames_come_at_once() -> None:
    frames = [Frame(n * 10_000_000, b"%d;" % n) for n in range(10)]
    async with stage(Plan(200, frames, "fin", end_us=99_000_000)) as shown:
        assert await ask(shown) == b"0;1;2;3;4;5;6;7;8;9;"
        assert shown.outcomes == [Outcome("finish", 10, 20, 99_000_000)]


async def test_on_a_real_clock_frames_come_when_they_are_due_and_lateness_does_not_add_up() -> None:
    loop = asyncio.get_running_loop()
    frames = [Frame(n * 10_000, b"x") for n in range(20)]
    async with stage(Plan(200, frames, "fin", end_us=190_000), clock=Clock("real")) as shown:
        with await connect(shown.port) as sock:
            begun_s = loop.time()
            await send(sock)
            await read(sock)
            took_s = loop.time() - begun_s
    assert took_s >= 0.19
    assert took_s < 2  # relative sleeps would be late as well, but not by so much: see the bench for figures
    assert shown.outcomes[0].ended_us >= 190_000


async def test_speed_shortens_every_wait() -> None:
    loop = asyncio.get_running_loop()
    frames = [Frame(0, b"x"), Frame(100_000_000, b"y")]
    async with stage(Plan(200, frames, "fin", end_us=200_000_000), clock=Clock("real", speed=2000)) as shown:
        begun_s = loop.time()
        assert await ask(shown) == b"xy"
        assert 0.1 <= loop.time() - begun_s < 2
    assert shown.outcomes[0].ended_us >= 200_000_000


async def test_a_frame_is_sent_before_the_wait_for_the_next() -> None:
    frames = [Frame(0, b"first"), Frame(3_600_000_000, b"second")]
    async with stage(Plan(200, frames, "fin", end_us=3_600_000_000), clock=Clock("real")) as shown:
        with await connect(shown.port) as sock:
            await send(sock)
            assert await read(sock, 5) == b"first"
            assert not shown.outcomes


async def test_the_connection_breaks_at_the_end_of_the_plan_and_not_after_its_last_frame() -> None:
    loop = asyncio.get_running_loop()
    plan = Plan(200, [Frame(0, b"first")], "fin", "cut", end_us=60_000)
    async with stage(plan, clock=Clock("real")) as shown:
        begun_s = loop.time()
        assert await ask(shown) == b"first"
        assert loop.time() - begun_s >= 0.06
        assert shown.outcomes[0].ending == "cut"


async def test_slices_arrive_whole_and_in_order() -> None:
    text = "häßlich 🦔 ".encode() * 200
    frames = [Frame(0, b"1\r\n%c\r\n" % byte) for byte in text] + [Frame(0, b"0\r\n\r\n")]
    async with stage(Plan(200, frames, "fin", separate=True)) as shown:
        data = await ask(shown)
    assert data == b"".join(frame.data for frame in frames)
    assert shown.outcomes == [Outcome("finish", len(frames), len(data), 0)]


async def test_a_plan_that_was_begun_late_does_not_wait_longer() -> None:
    """Deadlines count from the call's arrival, not from when playing began."""
    loop = asyncio.get_running_loop()
    seen: list[Outcome] = []

    async def handle(request: web.BaseRequest) -> Any:
        long_ago_s = loop.time() - 1000
        return await play(
            plain("fin", at_us=900_000_000), request, Clock("real"), seen.append, start_s=long_ago_s
        )

    low_level = web.Server(handle, handler_cancellation=True, access_log=None)
    server = await loop.create_server(low_level, "127.0.0.1", 0)
    with await connect(server.sockets[0].getsockname()[1]) as sock:
        await send(sock)
        assert await read(sock) == OK
    assert seen[0].ended_us >= 1_000_000_000
    server.close()
    await low_level.shutdown(0.1)
