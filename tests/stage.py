"""A server that plays hand-made plans, and a client of bare sockets for it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from onerouter_mock.clock import Clock
from onerouter_mock.core.plan import Frame, Outcome, Plan
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
