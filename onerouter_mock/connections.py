"""A client's connection: aiohttp's protocol with a deadline, our words for what is no HTTP, an upper bound.

What may live here: what concerns a connection before and between requests; `server.py` answers them.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

from aiohttp import web

DEADLINE_S = 10.0  # for a request's head, and again for its body: a slower client blocks a place for nothing
MOST_CONNECTIONS = 1_000
_IDLE_S = 300.0
_SWEEP_S = 2.0
_LINGER_S = 3.0  # for the rest of a body that was refused unread: closing over it would reset the answer

log = logging.getLogger("onerouter_mock")


class Connection(web.RequestHandler):
    """A connection that knows since when it waits for the rest of a request's head."""

    __slots__ = ("busy", "waiting_since_s")

    def __init__(self, server: web.Server, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(
            server,
            loop=loop,
            access_log=None,  # type: ignore[arg-type]  # half of the speed
            keepalive_timeout=_IDLE_S,
            lingering_time=_LINGER_S,
        )
        self.busy = False
        self.waiting_since_s: float | None = loop.time()

    def data_received(self, data: bytes) -> None:
        """Bytes of a request; the first of a next one start its deadline."""
        if self.waiting_since_s is None and not self.busy:
            self.waiting_since_s = self._loop.time()
        super().data_received(data)

    def begin_request(self) -> None:
        """A whole head is there: from now on the request's own deadline counts."""
        self.busy, self.waiting_since_s = True, None

    def end_request(self) -> None:
        """The answer is out, as far as it goes."""
        self.busy = False

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answers what is no HTTP, or what we failed at. Nothing of the request is logged or echoed."""
        what = "that was no HTTP request that can be read" if status < 500 else "the mock itself failed"
        log.warning("%s (%s, %s)", what, status, type(exc).__name__)
        return own_error(status, what)


def own_error(status: int, message: str) -> web.Response:
    """An error of the mock, not of the emulated API; the connection is closed after it."""
    body = json.dumps({"error": {"type": "onerouter_mock", "message": message, "problems": []}})
    response = web.Response(status=status, body=body.encode(), content_type="application/json")
    response.force_close()
    return response


class Connections:
    """All connections of one listener: makes their protocols, closes those that are too slow."""

    def __init__(self, server: web.Server, loop: asyncio.AbstractEventLoop) -> None:
        self._server = server
        self._loop = loop
        self._sweep: asyncio.TimerHandle | None = None

    def __call__(self) -> asyncio.Protocol:
        """A protocol for one more connection."""
        if len(self._server.connections) >= MOST_CONNECTIONS:
            return _Refused()
        if self._sweep is None:
            self._sweep = self._loop.call_later(_SWEEP_S, self._close_slow)
        return Connection(self._server, self._loop)

    def _close_slow(self) -> None:
        self._sweep = None
        connections: list[Any] = self._server.connections
        limit_s = self._loop.time() - DEADLINE_S
        for connection in connections:
            if connection.waiting_since_s is not None and connection.waiting_since_s < limit_s:
                connection.force_close()
        if connections:
            self._sweep = self._loop.call_later(_SWEEP_S, self._close_slow)

    async def close(self) -> None:
        """Closes all connections at once: whoever still waits for an answer gets none."""
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None
        connections: list[Any] = self._server.connections
        transports = [connection.transport for connection in connections if connection.transport]
        tasks = [connection._task_handler for connection in connections if connection._task_handler]
        for task in tasks:
            task.cancel()  # a call in flight notes how it ended, an idle connection closes
        await asyncio.gather(*tasks, return_exceptions=True)
        for transport in transports:
            transport.abort()  # what a slow reader has not read yet holds nobody up


class _Refused(asyncio.Protocol):
    """One connection too many: told so, and closed."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        body = (
            b'{"error": {"type": "onerouter_mock", "message": "more than %d connections"}}' % MOST_CONNECTIONS
        )
        head = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Type: application/json\r\n"
        log.warning("more than %d connections: one was refused", MOST_CONNECTIONS)
        assert isinstance(transport, asyncio.WriteTransport)
        transport.write(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        transport.close()
