"""The HTTP side of the control API: the door, what is waited for, server-sent events.

What may live here: aiohttp requests and responses, waiting for the journal. What is answered is in
`routes.py`.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import orjson
from aiohttp import web

from onerouter_mock.admin.answer import answer, find_route, refusal
from onerouter_mock.admin.asked import Refused, Reply, read_count, read_wait_us
from onerouter_mock.admin.door import refuse_visitor
from onerouter_mock.admin.routes import read_calls
from onerouter_mock.sessions import SessionError

if TYPE_CHECKING:
    from onerouter_mock.emulator import Emulator
    from onerouter_mock.journal import Entry

VERIFY_PATIENCE_S = 1.0  # for calls that are still in flight
_HEARTBEAT_S = 15.0
_BODY_S = 10.0  # then the server says that it came too late
_MOST_UNREAD = 10_000  # events; who reads slower than that has left


async def handle(
    emulator: Emulator, request: web.BaseRequest, session: str, subpath: str
) -> web.StreamResponse:
    """Answers one request under `/_mock`, journals nothing.

    Shape: `session` from the address; `subpath` is decoded and stands behind `/_mock`.
    """
    reason = refuse_visitor(request.method, request.headers, emulator.options.allow_hosts)
    if reason is not None:
        return _respond(refusal(403, reason), request)
    if request.method in ("GET", "HEAD") and subpath.strip("/") == "events":
        return await _send_events(emulator, request, session)
    try:
        async with asyncio.timeout(_BODY_S):
            body = await request.read()
    except web.HTTPRequestEntityTooLarge as error:
        return _respond(refusal(413, f"body: {error.text}"), request)
    query = {name: request.query[name] for name in request.query}
    await when_ready(emulator, session, request.method, subpath, query)
    return _respond(answer(emulator, session, request.method, subpath, query, body), request)


def _respond(reply: Reply, request: web.BaseRequest) -> web.Response:
    headers = {"Content-Type": reply.content_type, "Cache-Control": "no-store", **dict(reply.headers)}
    return web.Response(status=reply.status, body=reply.body, headers=headers)


async def when_ready(
    emulator: Emulator, session: str, method: str, subpath: str, query: Mapping[str, str]
) -> None:
    """Returns when what is asked can be answered: at once, but for `calls?wait=` and a verdict on calls in
    flight.

    Errors: none; what is wrong with the question is for `answer` to say.
    """
    try:
        route, _ = find_route(method, subpath)
        if route.path == "verify":
            await _wait_until(emulator, lambda: _all_are_told(emulator, session), VERIFY_PATIENCE_S)
        elif route.path == "calls" and (wait_us := read_wait_us(query)):
            count = read_count(query, "count")
            wanted = 1 if count is None else count
            await _wait_until(
                emulator, lambda: _count_ended(emulator, session, query) >= wanted, wait_us / 1e6
            )
    except (Refused, SessionError):
        return


def _all_are_told(emulator: Emulator, session: str) -> bool:
    """Whether it is known how each call ends: of an endless silence it is, and nobody could wait for it."""
    here = emulator.session(session)
    return not here.in_flight or all(entry.ending is not None for entry in here.journal.read())


def _count_ended(emulator: Emulator, session: str, query: Mapping[str, str]) -> int:
    after = {"after": query["after"]} if "after" in query else {}
    dropped = 0 if after else emulator.session(session).journal.dropped  # seen too, and no more kept
    return dropped + sum(entry.ended_us is not None for entry in read_calls(emulator, session, after))


async def _wait_until(emulator: Emulator, is_so: Callable[[], bool], patience_s: float) -> None:
    """Looks again whenever a call begins or ends, until it is so or patience is at its end."""
    moved = asyncio.Event()
    unsubscribe = emulator.subscribe(lambda word, entry: moved.set())
    try:
        async with asyncio.timeout(patience_s):
            while not is_so():
                await moved.wait()
                moved.clear()
                await asyncio.sleep(0)  # `end` tells before it has counted the call out
    except TimeoutError:
        return
    finally:
        unsubscribe()


async def _send_events(emulator: Emulator, request: web.BaseRequest, session: str) -> web.StreamResponse:
    try:
        emulator.session(session)
    except SessionError as error:
        return _respond(refusal(error.status, str(error)), request)
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
    queue: asyncio.Queue[bytes] = asyncio.Queue(_MOST_UNREAD)

    def note(word: str, entry: Entry) -> None:
        if entry.session == session and not queue.full():
            # Now, not when it is sent: the entry goes on changing.
            queue.put_nowait(b"data: " + orjson.dumps(entry.as_dict()) + b"\n\n")

    unsubscribe = emulator.subscribe(note)
    try:
        await response.prepare(request)
        await response.write(b": each call as it begins, and again as it ends\n\n")
        while request.method != "HEAD" and not queue.full():
            await response.write(await _next(queue))
    except ConnectionError:
        pass  # the reader has left
    finally:
        unsubscribe()
    return response


async def _next(queue: asyncio.Queue[bytes]) -> bytes:
    try:
        async with asyncio.timeout(_HEARTBEAT_S):
            return await queue.get()
    except TimeoutError:
        return b": still here\n\n"
