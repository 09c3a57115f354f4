"""A client's end of one connection to a server in the same loop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from onerouter_mock.core.scenario.load import build_scenario
from onerouter_mock.emulator import Emulator
from onerouter_mock.server import Server

CHAT = b'{"model": "gpt-5.1-chat", "messages": [{"role": "user", "content": "hi"}]}'
STREAM = CHAT[:-1] + b', "stream": true}'


def request(body: bytes = CHAT, path: str = "/v1/chat/completions", *headers: str) -> bytes:
    method = "POST" if body else "GET"
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: a",
        "Authorization: Bearer k",
        f"Content-Length: {len(body)}",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


_SILENT_ROUNDS = 500  # of the loop


class Line:
    """A client's end of one connection."""

    def __init__(self, protocol: Any, transport: asyncio.Transport, sock: socket.socket) -> None:
        self.protocol, self.transport, self.sock = protocol, transport, sock

    async def read(self, end: bytes) -> bytes:
        """All that comes, up to these bytes."""
        answer = b""
        while not answer.endswith(end):
            more = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(self.sock, 1 << 20), 5)
            assert more, f"closed after {answer!r}"
            answer += more
        return answer

    async def read_to_the_end(self) -> bytes:
        """All that comes until the server closes."""
        answer = b""
        while more := await asyncio.wait_for(asyncio.get_running_loop().sock_recv(self.sock, 1 << 20), 5):
            answer += more
        return answer

    async def send(self, data: bytes) -> bytes:
        """What is answered to some bytes that need no waiting: until the loop has had nothing to do for long."""
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(self.sock, data)
        answer, silent = b"", 0
        while silent < _SILENT_ROUNDS:
            await asyncio.sleep(0)
            silent += 1
            try:
                more = self.sock.recv(1 << 20)
            except BlockingIOError:
                continue
            if not more:
                return answer + b"<closed>"
            answer, silent = answer + more, 0
        return answer


@asynccontextmanager
async def line(scenario: dict[str, Any] | None = None) -> AsyncIterator[tuple[Line, Emulator]]:
    emulator = Emulator(build_scenario({"clock": "virtual", **(scenario or {})}))
    loop = asyncio.get_running_loop()
    server = Server(emulator, loop)
    ours, theirs = socket.socketpair()
    with theirs:
        theirs.setblocking(False)
        transport, protocol = await loop.connect_accepted_socket(server, ours)
        await asyncio.sleep(0)
        yield Line(protocol, transport, theirs), emulator
        await server.close()
        await asyncio.sleep(0)
