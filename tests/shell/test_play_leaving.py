"""Silence on real sockets, clients that leave or are slow, a server that stops."""

from __future__ import annotations

import asyncio
import socket

import pytest
from stage import HEAD, OK, PATIENCE_S, ask, connect, plain, read, send, stage

from onerouter_mock.clock import Clock
from onerouter_mock.core.plan import Frame, Outcome, Plan

# Silence


async def test_hang_sends_nothing_until_the_client_leaves() -> None:
    async with stage(Plan(None, [], "hold", "hang")) as shown:
        sock = await connect(shown.port)
        await send(sock)
        await asyncio.wait_for(shown.noted.wait(), PATIENCE_S)
        with pytest.raises(BlockingIOError):
            sock.recv(1)
        assert not shown.outcomes
        sock.close()
        assert await shown.outcome() == Outcome("hang", 0, 0, 0)
    assert shown.notes == ["hang"]


async def test_an_endless_stall_is_noted_as_it_begins_and_ends_when_the_client_leaves() -> None:
    plan = Plan(200, [Frame(0, b"first", 1, 1), Frame(500, b"second", 1, 1)], "hold", "stall", 500)
    async with stage(plan) as shown:
        sock = await connect(shown.port)
        await send(sock)
        assert await read(sock, 11) == b"firstsecond"
        await asyncio.wait_for(shown.noted.wait(), PATIENCE_S)
        assert (shown.notes, shown.outcomes) == (["stall"], [])
        sock.close()
        assert await shown.outcome() == Outcome("stall", 2, 11, 500)


async def test_leaving_in_a_planned_silence_is_a_stall() -> None:
    frames = [Frame(0, b"first"), Frame(0, b"second"), Frame(3_600_000_000, b"third")]
    plan = Plan(200, frames, "keep", end_us=3_600_000_000, stall_at=2)
    async with stage(plan, clock=Clock("real")) as shown:
        sock = await connect(shown.port)
        await send(sock)
        assert await read(sock, 11) == b"firstsecond"
        await asyncio.wait_for(shown.noted.wait(), PATIENCE_S)
        sock.close()
        outcome = await shown.outcome()
    assert (outcome.ending, outcome.frames, shown.notes) == ("stall", 2, ["stall"])


async def test_after_a_planned_silence_the_answer_finishes() -> None:
    frames = [Frame(0, b"first"), Frame(30_000_000, b"second")]
    async with stage(Plan(200, frames, "fin", end_us=30_000_000, stall_at=1)) as shown:
        assert await ask(shown) == b"firstsecond"
        assert (shown.notes, shown.outcomes[0].ending) == (["stall"], "finish")


# Clients that leave, clients that are slow, a server that stops


@pytest.mark.parametrize("reset", [False, True], ids=["with FIN", "with RST"])
async def test_a_client_that_leaves_is_noticed_with_what_it_got(reset: bool) -> None:
    frames = [Frame(0, b"first", 1, 3), Frame(3_600_000_000, b"second", 1, 3)]
    async with stage(Plan(200, frames, end_us=3_600_000_000), clock=Clock("real")) as shown:
        sock = await connect(shown.port)
        await send(sock)
        await read(sock, 5)
        if reset:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        sock.close()
        outcome = await shown.outcome()
    assert (outcome.ending, outcome.frames, outcome.bytes) == ("client_left", 1, 5)
    assert outcome.ended_us < 3_600_000_000


async def test_a_client_that_leaves_before_the_first_byte_is_noticed() -> None:
    async with stage(plain(at_us=3_600_000_000), clock=Clock("real")) as shown:
        sock = await connect(shown.port)
        await send(sock)
        await asyncio.sleep(0)
        sock.close()
        outcome = await shown.outcome()
    assert (outcome.ending, outcome.frames, outcome.bytes) == ("client_left", 0, 0)


async def test_clients_that_leave_at_any_byte_leave_nothing_behind() -> None:
    frames = [Frame(n * 1000, b"%03d" % n) for n in range(40)]
    async with stage(Plan(200, frames, "fin", end_us=39_000), clock=Clock("real")) as shown:
        before = len(asyncio.all_tasks())

        async def leave_after(count: int) -> None:
            with await connect(shown.port) as sock:
                await send(sock)
                await read(sock, count)

        await asyncio.gather(*(leave_after(count) for count in range(1, 121, 7)))
        while len(shown.outcomes) < 18 or len(asyncio.all_tasks()) > before:
            await asyncio.wait_for(asyncio.sleep(0.001), PATIENCE_S)
    assert {outcome.ending for outcome in shown.outcomes} <= {"client_left", "finish"}


async def test_a_slow_reader_gets_everything_and_holds_up_no_one_else() -> None:
    big = Plan(200, [Frame(n, b"x" * 100_000) for n in range(100)], "fin", end_us=99)
    async with stage(big, plain("fin")) as shown:
        with await connect(shown.port, receive_buffer=4096) as slow:
            await send(slow)
            await read(slow, 10)
            assert await ask(shown) == OK
            assert len(await read(slow)) == 10_000_000 - 10


async def test_a_slow_reader_that_leaves_ends_the_call() -> None:
    """With frames in time, writing waits for the reader, so that memory does not grow."""
    big = Plan(200, [Frame(n * 1000, b"x" * 1_000_000) for n in range(100)], "fin", end_us=99_000)
    async with stage(big, clock=Clock("real")) as shown:
        sock = await connect(shown.port, receive_buffer=4096)
        await send(sock)
        await read(sock, 10)
        sock.close()
        outcome = await shown.outcome()
    assert outcome.ending == "client_left"
    assert outcome.frames < 100


@pytest.mark.parametrize(
    "plan",
    [
        Plan(None, [], "hold", "hang"),
        Plan(200, [Frame(0, HEAD), Frame(3_600_000_000, b"late")], end_us=3_600_000_000),
        Plan(200, [Frame(0, b"x" * 20_000_000), Frame(1_000_000, b"y" * 20_000_000)], end_us=1_000_000),
    ],
    ids=["a hanging call", "a stream that waits", "a reader that does not read"],
)
async def test_the_server_stops_quickly(plan: Plan) -> None:
    loop = asyncio.get_running_loop()
    async with stage(plan, clock=Clock("real")) as shown:
        with await connect(shown.port, receive_buffer=4096) as sock:
            await send(sock)
            if plan.frames:
                await read(sock, 10)
            else:
                await asyncio.wait_for(shown.noted.wait(), PATIENCE_S)
            begun_s = loop.time()
            await shown.close()
            assert loop.time() - begun_s < 1
            outcome = await shown.outcome()
    assert outcome.ending == ("hang" if plan.status is None else "client_left")
