"""Clients that leave a streamed answer at some byte, by FIN or by RST, and never come back."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass
from random import Random

SILENCE_S = 0.3  # a client waits no longer for the next byte
RESET = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 s: closing sends RST


@dataclass(frozen=True)
class Leaving:
    """When one client leaves: after `sent` bytes of its request, or all of it and `read` bytes of the answer."""

    request: bytes
    sent: int
    read: int
    reset: bool


def plan_leaving(dice: Random, request: bytes, answer_bytes: int) -> Leaving:
    """One client in ten leaves before its request is whole; the others at any byte of the answer, or at its end."""
    sent = dice.randrange(len(request)) if dice.random() < 0.1 else len(request)
    return Leaving(request, sent, dice.randrange(answer_bytes + 1), dice.random() < 0.5)


async def ask_and_leave(port: int, leaving: Leaving) -> None:
    """One connection, from its beginning to its end."""
    loop = asyncio.get_running_loop()
    with socket.socket() as sock:
        sock.setblocking(False)
        await loop.sock_connect(sock, ("127.0.0.1", port))
        await loop.sock_sendall(sock, leaving.request[: leaving.sent])
        if leaving.sent == len(leaving.request):
            await _read(sock, leaving.read)
        if leaving.reset:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)


async def _read(sock: socket.socket, left: int) -> None:
    loop = asyncio.get_running_loop()
    with suppress(TimeoutError, ConnectionError):
        while left and (data := await asyncio.wait_for(loop.sock_recv(sock, left), SILENCE_S)):
            left -= len(data)


async def many_leave(port: int, leavings: list[Leaving], at_once: int) -> None:
    """All of these clients, so many at a time."""
    waiting = iter(leavings)

    async def work() -> None:
        for leaving in waiting:
            await ask_and_leave(port, leaving)

    await asyncio.gather(*(work() for _ in range(at_once)))
