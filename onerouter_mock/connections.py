"""A client's connection: aiohttp's protocol with a deadline, our words for what is no HTTP, an upper bound.

What may live here: what concerns a connection before and between requests; `server.py` answers them.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from typing import TYPE_CHECKING, Any, Protocol

from aiohttp import web
from aiohttp.http import HttpRequestParser

if TYPE_CHECKING:
    from aiohttp import StreamReader
    from aiohttp.http import RawRequestMessage

    from onerouter_mock.direct import Direct

DEADLINE_S = 10.0  # for a request's head, and again for its body: a slower client blocks a place for nothing
MOST_CONNECTIONS = 2_000  # a thousand streams, and room for the control API
_IDLE_S = 300.0
_SWEEP_S = 2.0
_LINGER_S = 3.0  # for the rest of a body that was refused unread: closing over it would reset the answer

log = logging.getLogger("onerouter_mock")


class Answerer(Protocol):
    """Who answers requests."""

    def round_s(self) -> float:
        """When what is read now could first be read, on the loop's clock."""

    def take(
        self, connection: Connection, message: RawRequestMessage, payload: StreamReader
    ) -> Direct | None:
        """A whole request as a call to be answered without a task; None for what is to go aiohttp's way."""


class Connection(web.RequestHandler):
    """A connection that knows since when it waits for the rest of a request's head.

    A request that arrives whole while nothing else is going on is answered where its bytes arrive: the two tasks
    that aiohttp makes for each request cost more than most answers. All others take aiohttp's way. `direct` is the
    call that is answered so now, `handed_over` the one that aiohttp goes on with.
    """

    __slots__ = (
        "_answerer",
        "_parsed",
        "busy",
        "direct",
        "handed_over",
        "line",
        "received_s",
        "waiting_since_s",
    )

    def __init__(self, server: web.Server, loop: asyncio.AbstractEventLoop, answerer: Answerer) -> None:
        super().__init__(
            server,
            loop=loop,
            access_log=None,  # type: ignore[arg-type]  # half of the speed
            keepalive_timeout=_IDLE_S,
            lingering_time=_LINGER_S,
        )
        self._answerer = answerer
        self._parsed: _Parsed | None = None
        self.direct: Direct | None = None
        self.handed_over: Direct | None = None
        self.busy = False
        self.line: asyncio.BaseTransport | None = None  # aiohttp forgets its own when it closes it
        self.received_s = loop.time()
        self.waiting_since_s: float | None = self.received_s

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is there."""
        self.line = transport
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Bytes of a request; the first of a next one start its deadline."""
        self.received_s = self._answerer.round_s()
        if self.direct is not None:
            self.hand_over()  # who sends more before it has its answer: aiohttp keeps that until then
        if not data or not self._is_idle():
            self._receive(data)
            return
        self._parsed = parsed = _Parsed(self._parser, data)
        if parsed.request is not None:
            self.direct = self._answerer.take(self, *parsed.request)
        if self.direct is not None:
            self.waiting_since_s = None
            self.direct.start()
        else:
            self._receive_parsed()

    def answered(self) -> None:
        """The direct call's answer is all out."""
        self.direct = self._parsed = None
        parser: Any = self._parser
        parser.message_consumed()
        self._next_keepalive_close_time = self._loop.time() + _IDLE_S

    def hand_over(self) -> None:
        """Lets aiohttp go on with the direct call."""
        self.handed_over, self.direct = self.direct, None
        self._receive_parsed()
        self.waiting_since_s = None  # the head is whole

    def _receive_parsed(self) -> None:
        parser, parsed = self._parser, self._parsed
        self._parser, self._parsed = parsed, None  # type: ignore[assignment]  # it has what is asked of a parser
        try:
            self._receive(b"")
        finally:
            self._parser = parser

    def _receive(self, data: bytes) -> None:
        if self.waiting_since_s is None and not self.busy:
            self.waiting_since_s = self.received_s
        super().data_received(data)

    def _is_idle(self) -> bool:
        waiter = self._waiter
        return (
            _CAN_ANSWER_AT_ONCE
            and waiter is not None
            and not waiter.done()
            and not self._messages
            and not self._upgraded
            and not self._close
            and not self._force_close
        )

    def resume_reading(self, *args: Any, **kwargs: Any) -> None:
        """Goes on reading where that was paused; aiohttp asks for it after every body."""
        if self._reading_paused:
            super().resume_reading(*args, **kwargs)

    def connection_lost(self, exc: BaseException | None) -> None:
        """The client has left, or we have closed."""
        transport: Any = self.transport
        super().connection_lost(exc)
        self.line = None
        if hasattr(transport, "_read_ready_cb"):  # asyncio's transport holds itself by it
            transport._read_ready_cb = None
        self.leave()

    def leave(self) -> None:
        """Ends the call that no task will end."""
        direct = self.direct or self.handed_over
        self.direct = self.handed_over = self._parsed = None
        if direct is not None:
            direct.leave()

    def _process_keepalive(self) -> None:
        if self.direct is not None:  # aiohttp takes this for an idle connection
            self._next_keepalive_close_time = self._loop.time() + _IDLE_S
        super()._process_keepalive()

    def begin_request(self) -> None:
        """A whole head is there: from now on the request's own deadline counts."""
        self.busy, self.waiting_since_s = True, None

    def end_request(self) -> None:
        """The answer is out, as far as it goes."""
        self.busy = False
        self.received_s = self._loop.time()  # a request that has come meanwhile counts from now

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

    def log_exception(self, *args: Any, **kwargs: Any) -> None:
        """What aiohttp would say with a traceback: the rest of a body is not as its Content-Encoding says."""
        log.warning("the rest of a request could not be read (%s)", type(sys.exception()).__name__)


class _Parsed:
    """What the parser made of some bytes, kept to be said once more: to aiohttp's own `data_received`.

    Shape: `request` when it was one whole head, and nothing else."""

    __slots__ = ("_answer", "_error", "request")

    def __init__(self, parser: Any, data: bytes) -> None:
        self.request: tuple[RawRequestMessage, StreamReader] | None = None
        self._error: Exception | None = None
        try:
            self._answer = messages, upgraded, tail = parser.feed_data(data)
        except Exception as error:  # whatever aiohttp says of what is no HTTP
            self._error = error
            return
        if len(messages) == 1 and not upgraded and not tail:
            self.request = messages[0]

    def feed_data(self, _: bytes) -> Any:
        """The answer, as if the parser were asked now."""
        if self._error is not None:
            raise self._error
        return self._answer


# What of aiohttp's inside is used for that; where a version lacks some of it, all requests take its own way.
_CAN_ANSWER_AT_ONCE = {"_messages", "_waiter", "_close", "_force_close", "_next_keepalive_close_time"} <= set(
    web.RequestHandler.__slots__
) and hasattr(HttpRequestParser, "message_consumed")


def own_error(status: int, message: str) -> web.Response:
    """An error of the mock, not of the emulated API; the connection is closed after it."""
    body = json.dumps({"error": {"type": "onerouter_mock", "message": message, "problems": []}})
    response = web.Response(status=status, body=body.encode(), content_type="application/json")
    response.force_close()
    return response


class Connections:
    """All connections of one listener: makes their protocols, closes those that are too slow."""

    def __init__(self, server: web.Server, loop: asyncio.AbstractEventLoop, answerer: Answerer) -> None:
        self._server = server
        self._loop = loop
        self._answerer = answerer
        self._sweep: asyncio.TimerHandle | None = None

    def __call__(self) -> asyncio.Protocol:
        """A protocol for one more connection."""
        if len(self._server.connections) >= MOST_CONNECTIONS:
            return _Refused()
        if self._sweep is None:
            self._sweep = self._loop.call_later(_SWEEP_S, self._close_slow)
        return Connection(self._server, self._loop, self._answerer)

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
        for connection in connections:
            connection.leave()
        lines = [connection.line for connection in connections if connection.line]
        tasks = [connection._task_handler for connection in connections if connection._task_handler]
        for task in tasks:
            task.cancel()  # a call in flight notes how it ended, an idle connection closes
        await asyncio.gather(*tasks, return_exceptions=True)
        for line in lines:
            line.abort()  # what a slow reader has not read yet holds nobody up


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
