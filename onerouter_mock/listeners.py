"""Ports: opened for a server, closed with all that came in by them.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio

    from onerouter_mock.emulator import Emulator
    from onerouter_mock.server import Server

_BACKLOG = 1_024
_ROUNDS_TO_CONNECT = 5  # of the loop, from the accepted socket to a protocol that knows its transport


def listen(host: str, port: int) -> list[socket.socket]:
    """Listening sockets for a host's addresses, all on one port. Errors: OSError."""
    if (
        not host or host[0].isdigit()
    ):  # an address: no need to ask the resolver, which takes longer than the rest
        found = [(socket.AF_INET, host)]
    else:
        answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        found = list(dict.fromkeys((family, str(address[0])) for family, *_, address in answers))
    sockets: list[socket.socket] = []
    try:
        for family, address in found:
            one = socket.socket(family, socket.SOCK_STREAM)
            sockets.append(one)
            if os.name == "posix":
                one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            one.bind((address, port))
            one.listen(_BACKLOG)
            one.setblocking(False)
            port = one.getsockname()[1]
    except BaseException:
        for one in sockets:
            one.close()
        raise
    return sockets


def url_of(host: str, port: int) -> str:
    """The address to give a client of this machine."""
    name = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)
    return f"http://[{name}]:{port}" if ":" in name and not name.startswith("[") else f"http://{name}:{port}"


async def begin_serving(
    emulator: Emulator, listening: list[socket.socket]
) -> tuple[Server, list[asyncio.Server]]:
    import asyncio

    from onerouter_mock.server import Server

    loop = asyncio.get_running_loop()
    server = Server(emulator, loop)
    return server, [await loop.create_server(server, sock=one, backlog=_BACKLOG) for one in listening]


async def stop_serving(server: Server, listeners: list[asyncio.Server]) -> None:
    """Closes the ports and all connections, those included that are about to be made."""
    import asyncio

    loop = asyncio.get_running_loop()
    for listener in listeners:
        for one in listener.sockets:
            loop.remove_reader(
                one.fileno()
            )  # nobody is taken any more; who just was becomes a connection first
    for _ in range(_ROUNDS_TO_CONNECT):
        await asyncio.sleep(0)
    for listener in listeners:
        listener.close()
    await server.close()
