"""Plans on real sockets: which bytes, FIN or RST, what stays open, what a client that leaves behind finds."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from onerouter_mock.clock import Clock
from onerouter_mock.core.records import Frame, Outcome, Plan
from onerouter_mock.play import play

GET = b"GET / HTTP/1.1\r\nHost: mock\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
PATIENCE_S = 5  # a test that waits so long has failed


@dataclass
class Stage:
    """A server that plays what the test has put on, and what it was told of each performance."""

    port: int
    plans: list[Plan]
    outcomes: list[Outcome] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    noted: asyncio.Event = field(default_factory=asyncio.Event)
    close: Callable[[], Any] = lambda: None

    async def outcome(self) -> Outcome:
        await asyncio.wait_for(self.ended.wait(), PATIENCE_S)
        return self.outcomes[-1]


@asynccontextmanager
async def stage(*plans: Plan, clock: Clock | None = None) -> AsyncIterator[Stage]:
    loop = asyncio.get_running_loop()
    clock = clock or Clock("virtual")
    shown = Stage(0, list(plans))

    def end(outcome: Outcome) -> None:
        shown.outcomes.append(outcome)
        shown.ended.set()

    def note(ending: str) -> None:
        shown.notes.append(ending)
        shown.noted.set()

    async def handle(request: web.BaseRequest) -> Any:
        await request.read()
        plan = shown.plans.pop(0) if len(shown.plans) > 1 else shown.plans[0]
        return await play(plan, request, clock, end, note)

    low_level = web.Server(handle, handler_cancellation=True, access_log=None)
    server = await loop.create_server(low_level, "127.0.0.1", 0)
    shown.port = server.sockets[0].getsockname()[1]

    async def close() -> None:
        server.close()
        await low_level.shutdown(0.1)

    shown.close = close
    try:
        yield shown
    finally:
        await close()


async def connect(port: int, receive_buffer: int | None = None) -> socket.socket:
    sock = socket.socket()
    if receive_buffer is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
    return sock


async def send(sock: socket.socket, data: bytes = GET) -> None:
    await asyncio.get_running_loop().sock_sendall(sock, data)


async def read(sock: socket.socket, upto: int | None = None) -> bytes:
    """All until the server closes, or so many bytes. Errors: ConnectionResetError, of the socket itself."""
    loop = asyncio.get_running_loop()
    data = b""
    while upto is None or len(data) < upto:
        more = await asyncio.wait_for(
            loop.sock_recv(sock, 65536 if upto is None else upto - len(data)), PATIENCE_S
        )
        if not more:
            break
        data += more
    return data


async def read_until_reset(sock: socket.socket) -> bytes:
    loop = asyncio.get_running_loop()
    data = b""
    while True:
        try:
            more = await asyncio.wait_for(loop.sock_recv(sock, 65536), PATIENCE_S)
        except ConnectionResetError:
            return data
        assert more, "closed with FIN"
        data += more


async def ask(shown: Stage, request: bytes = GET) -> bytes:
    """All that one connection gets until the server closes it."""
    with await connect(shown.port) as sock:
        await send(sock, request)
        return await read(sock)


def plain(close: Any = "keep", data: bytes = OK, at_us: int = 0) -> Plan:
    return Plan(200, [Frame(at_us, data)], close, end_us=at_us)


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
