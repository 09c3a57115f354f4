"""RST: how a connection ends that is not closed but broken.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress

# l_onoff 1, l_linger 0: closing sends RST instead of FIN.
_RESET = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
_POLL_S = 0.002


async def reset(transport: asyncio.Transport | None, drain: Callable[[], Awaitable[None]]) -> None:
    """Breaks a connection, once all that was written has left: `abort` throws away what has not."""
    if transport is None or transport.is_closing():
        return
    transport.set_write_buffer_limits(high=0)
    await drain()
    sock = transport.get_extra_info("socket")
    if sock is not None:
        with suppress(OSError):  # the client closed first: there is nothing left to reset
            while _unsent_bytes(sock):  # noqa: ASYNC110 (the system tells nobody when it is done)
                await asyncio.sleep(_POLL_S)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    transport.abort()


def _unsent_bytes(sock: socket.socket) -> int:
    """What the system still holds for a slow reader: RST would throw it away. 0 where it does not tell."""
    try:
        import fcntl
        import termios

        (count,) = struct.unpack("i", fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, b"\0\0\0\0"))
    except (ImportError, OSError):
        return 0
    return int(count)
