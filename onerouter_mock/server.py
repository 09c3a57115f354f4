"""The emulated API over HTTP: aiohttp's low-level server, one function for all requests.

What may live here: reading a request, who answers it (the emulator, the control API, the front page), and
what is said when something breaks here. The emulated API's bodies are written by `play.py`.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import asyncio
import logging
import re
import traceback
from functools import lru_cache, partial
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from aiohttp import web

from onerouter_mock import __version__, admin
from onerouter_mock.connections import DEADLINE_S, Connection, Connections, own_error
from onerouter_mock.core.plan import Outcome
from onerouter_mock.core.wire.request import Asked
from onerouter_mock.direct import Direct, begin_in_turn
from onerouter_mock.play import CLOSED, KEPT, play
from onerouter_mock.play.performance import Performance
from onerouter_mock.play.turns import Turns
from onerouter_mock.sessions import SessionError, split_address

if TYPE_CHECKING:
    from aiohttp import StreamReader
    from aiohttp.http import RawRequestMessage
    from multidict import CIMultiDictProxy

    from onerouter_mock.emulator import Begun, Emulator

MAX_BODY = 32 * 2**20
_SLASHED_NAME = re.compile(r"/(?:s|%73)/([^/]*%2f[^/]*)", re.IGNORECASE)
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

log = logging.getLogger("onerouter_mock")


class Server:
    """One emulator behind one listener. Used as the protocol factory of `loop.create_server`."""

    def __init__(self, emulator: Emulator, loop: asyncio.AbstractEventLoop) -> None:
        self._emulator = emulator
        self._loop = loop
        self._web = web.Server(self._answer, loop=loop, handler_cancellation=True)
        self._connections = Connections(self._web, loop, self)
        self._turns = Turns()
        self.round_s = self._turns.round_s  # when the loop's present round began

    def __call__(self) -> asyncio.Protocol:
        """The protocol for a new connection."""
        return self._connections()

    async def close(self) -> None:
        """Ends all connections; the listener is closed by who opened it."""
        await self._connections.close()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        connection = request.protocol
        assert isinstance(connection, Connection)
        connection.begin_request()
        try:
            return await self._route(request, connection)
        except SessionError as error:
            return own_error(error.status, str(error))
        except ConnectionError:
            return CLOSED  # type: ignore[return-value]  # the client has left
        except TimeoutError:
            return own_error(408, f"the request's body did not come within {DEADLINE_S:g} s")
        except Exception as error:
            log.error("the mock itself failed: %s", _place(error))
            return own_error(500, f"the mock itself failed: {_place(error)}")
        finally:
            connection.end_request()

    def take(
        self, connection: Connection, message: RawRequestMessage, payload: StreamReader
    ) -> Direct | None:
        """A call to the emulated API whose request is all there; None for any other request."""
        transport = connection.transport
        path, query = _split_target(message.path)
        if (
            "/v1/" not in path
            or message.should_close
            or message.version < (1, 1)
            or not (payload.is_eof() and payload.exception() is None)
            or transport is None
            or transport.get_write_buffer_size()
        ):
            return None
        headers = _read_headers(message.headers)
        try:
            _, inner = split_address(path, headers)
        except SessionError:
            return None
        if not inner.startswith("/v1/"):
            return None
        asked = Asked(message.method, path, query, headers, payload.read_nowait())
        return Direct(self._emulator, self._turns, connection, asked, path)

    async def _route(self, request: web.BaseRequest, connection: Connection) -> web.StreamResponse:
        if (direct := connection.handed_over) is not None:
            connection.handed_over = None
            return await self._play(request, *await direct.take_over())
        path, query = _split_target(request.raw_path)
        headers = _read_headers(request.headers)
        session, inner = split_address(path, headers)
        # On the decoded path: `/%5Fmock/calls` is the control API too, and must pass its door.
        if inner == "/_mock" or inner.startswith("/_mock/"):
            await _let_continue(request, headers)
            return await admin.handle(self._emulator, request, session, inner[len("/_mock") :])
        if inner in ("/", "/healthz") and request.method in ("GET", "HEAD"):
            return _front_page(request, path.rstrip("/")) if inner == "/" else _health()
        body, too_large = await _read_body(request, headers)
        arrived_s = connection.received_s
        asked = Asked(
            request.method, path, query, headers, body, http10=request.version < (1, 1), too_large=too_large
        )
        begun = await begin_in_turn(self._emulator, self._turns, asked, path)
        return await self._play(request, begun, arrived_s=arrived_s)

    async def _play(
        self,
        request: web.BaseRequest,
        begun: Begun,
        performance: Performance | None = None,
        arrived_s: float | None = None,
    ) -> web.StreamResponse:
        emulator = self._emulator
        end, note = partial(emulator.end, begun), partial(emulator.note, begun)
        try:
            if performance is not None:
                played = KEPT if await performance.run(request) else CLOSED
            else:
                played = await play(begun.plan, request, begun.clock, end, note, arrived_s, self._turns)
        except Exception as error:
            # Part of the answer may be out: closing is all that can still be said.
            log.error("the mock itself failed: %s", _place(error))
            played = CLOSED
        finally:
            emulator.end(begun, Outcome("cut", 0, 0, 0))  # no effect on a call that has ended
        return played  # type: ignore[return-value]  # aiohttp only asks it for what Played has


async def _read_body(request: web.BaseRequest, headers: dict[str, str]) -> tuple[bytes, bool]:
    """The body, and whether it is too large; one not read whole makes its request the connection's last."""
    content, length = request.content, request.content_length
    is_too_large = length is not None and length > MAX_BODY
    chunks: list[bytes] = []
    try:
        if not is_too_large:
            await _let_continue(request, headers)
            is_too_large = await _collect(content, chunks)
    except web.RequestPayloadError:
        chunks.clear()
        headers["connection"] = "close"
    if is_too_large:
        headers["connection"] = "close"
        return b"", True
    return b"".join(chunks), False


async def _let_continue(request: web.BaseRequest, headers: dict[str, str]) -> None:
    """Tells a client to send its body that asks first. Errors: ConnectionError, when it has left."""
    if headers.get("expect", "").lower() == "100-continue":
        await request.writer.write(_CONTINUE)


async def _collect(content: StreamReader, chunks: list[bytes]) -> bool:
    size = 0
    async with asyncio.timeout(DEADLINE_S):
        while not content.at_eof():
            chunk = await content.readany()
            size += len(chunk)
            if size > MAX_BODY:
                return True
            chunks.append(chunk)
    return False


def _read_headers(given: CIMultiDictProxy[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in given.items():  # of one that comes twice the first counts
        headers.setdefault(name.lower(), value)
    if not "".join(headers.values()).isascii():
        headers = {name: _clean(value) for name, value in headers.items()}
    return headers


@lru_cache(maxsize=1_024)
def _split_target(target: str) -> tuple[str, str]:
    """A request's path, percent-decoded, and its query; a proxy's absolute form is understood too.

    A slash that is encoded in a session's name stays so: it can't end the name, and is refused.
    """
    if not target.startswith("/") and "://" in target:
        parts = urlsplit(target)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    path, _, query = target.partition("#")[0].partition("?")
    if "%" in path:
        slashed = _SLASHED_NAME.match(path)
        path = f"/s/{slashed[1]}{unquote(path[slashed.end() :])}" if slashed else unquote(path)
    return _clean(path), _clean(query)


def _clean(text: str) -> str:
    """Text without the lone surrogates that stand for bytes which were no UTF-8."""
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _place(error: BaseException) -> str:
    """What broke and where, without the error's own text, which may hold a secret."""
    frames = traceback.extract_tb(error.__traceback__)
    at = (
        f" at {frames[-1].name} ({frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno})"
        if frames
        else ""
    )
    return type(error).__name__ + at


def _health() -> web.Response:
    return web.json_response({"status": "ok", "version": __version__})


def _front_page(request: web.BaseRequest, prefix: str) -> web.Response:
    address = f"http://{request.host}{prefix}"
    text = (
        "onerouter-mock: a local OneRouter that forwards nothing.\n\n"
        f"  export OPENAI_BASE_URL={address}/v1 OPENAI_API_KEY=any\n\n"
        f"  {address}/_mock/calls?format=text   what was asked and which way it took\n"
        f"  {address}/_mock                     all control routes\n"
    )
    return web.Response(text=text)
