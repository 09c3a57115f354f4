"""Starts and stops servers: one in front until a signal comes, or many in one background thread.

What may live here: event loops, threads, signals; no requests. All that is heavy is imported on first use.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from onerouter_mock.listeners import begin_serving, listen, stop_serving, url_of

if TYPE_CHECKING:
    import asyncio
    import socket
    from collections.abc import Awaitable, Coroutine

    from onerouter_mock.emulator import Emulator
    from onerouter_mock.server import Server

Answer = TypeVar("Answer")


class Host:
    """A server in the background, on a port of its own; all of a process share one thread and event loop."""

    def __init__(
        self, emulator: Emulator, host: str, port: int, server: Server, listeners: list[asyncio.Server]
    ) -> None:
        self.emulator = emulator
        self.host = host
        self.port = port
        self._server: Server | None = server
        self._listeners = listeners

    @classmethod
    def start(cls, emulator: Emulator, host: str = "127.0.0.1", port: int = 0) -> Host:
        """A running server, on a free port when `port` is 0. Errors: OSError, when the port can't be had."""
        import onerouter_mock.server  # noqa: F401 (here: on the loop it would hold up other hosts)

        listening = listen(host, port)
        thread = _background()
        try:
            server, listeners = thread.wait(begin_serving(emulator, listening))
        except BaseException:
            for one in listening:
                one.close()
            raise
        started = cls(emulator, host, listening[0].getsockname()[1], server, listeners)
        thread.hosts.add(started)
        return started

    @property
    def url(self) -> str:
        """The root of the server, without a slash at its end."""
        return url_of(self.host, self.port)

    def ask(self, question: Callable[[], Answer]) -> Answer:
        """What `question()` answers on the loop's thread, where alone the emulator may be read or changed."""
        return _background().ask(question)

    def wait(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        """What a coroutine answers that runs on the loop's thread."""
        return _background().wait(work)

    def stop(self) -> None:
        """Closes the port and all connections; calls that hang end as if the client had left. Stops once."""
        server, self._server = self._server, None
        if server is not None and _thread is not None and _thread.is_mine():
            _thread.hosts.discard(self)
            _thread.wait(stop_serving(server, self._listeners))

    def __enter__(self) -> Host:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class _LoopThread:
    """The background thread and its event loop."""

    def __init__(self) -> None:
        from onerouter_mock.clock import make_loop

        self.loop = make_loop()
        self.hosts: set[Host] = set()
        self._pid = os.getpid()
        self._thread = threading.Thread(target=self._run, name="onerouter-mock", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        self.loop.run_forever()

    def is_mine(self) -> bool:
        """False in a process that was forked off: there the thread does not run."""
        return self._pid == os.getpid() and self._thread.is_alive()

    def ask(self, question: Callable[[], Answer]) -> Answer:
        """Runs a function there and waits for its answer."""
        from concurrent.futures import Future

        if threading.current_thread() is self._thread:
            return question()
        answer: Future[Answer] = Future()

        def answer_it() -> None:
            try:
                answer.set_result(question())
            except BaseException as error:
                answer.set_exception(error)

        self.loop.call_soon_threadsafe(answer_it)
        return answer.result()

    def wait(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        """Runs a coroutine there and waits for its answer."""
        import asyncio

        return asyncio.run_coroutine_threadsafe(work, self.loop).result()

    def close(self) -> None:
        """Stops the thread and closes its loop: nothing stays open for `-W error` to complain about."""
        if not self.is_mine():
            return
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


_thread: _LoopThread | None = None
_starting = threading.Lock()


def _background() -> _LoopThread:
    global _thread
    with _starting:
        if _thread is None or not _thread.is_mine():
            if _thread is None:
                atexit.register(shutdown_loop)
            _thread = _LoopThread()
        return _thread


def shutdown_loop() -> None:
    """Stops all hosts, their thread and its loop, if there are any; a later start makes new ones."""
    global _thread
    if _thread is not None and _thread.is_mine():
        for host in list(_thread.hosts):
            host.stop()
    with _starting:
        thread, _thread = _thread, None
    if thread is not None:
        thread.close()


def serve_forever(
    emulator: Emulator,
    *,
    host: str = "127.0.0.1",
    port: int = 4117,
    on_ready: Callable[[str], Any] | None = None,
    beside: Sequence[Callable[[], Awaitable[Any]]] = (),
) -> int:
    """Serves until SIGINT or SIGTERM, answers the signal's number; `on_ready(url)` is called once it listens.

    Shape: `beside` are coroutines to run meanwhile, for the main thread only. Errors: OSError, for the port.
    """
    listening = listen(host, port)
    loop = _fastest_loop()
    try:
        return loop.run_until_complete(_serve_until_signal(emulator, host, listening, on_ready, beside))
    finally:
        for one in listening:
            one.close()
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


async def _serve_until_signal(
    emulator: Emulator,
    host: str,
    listening: list[socket.socket],
    on_ready: Callable[[str], Any] | None,
    beside: Sequence[Callable[[], Awaitable[Any]]],
) -> int:
    import asyncio

    stopped: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    restore = _catch_signals(stopped)
    server, listeners = await begin_serving(emulator, listening)
    tasks = [asyncio.ensure_future(work()) for work in beside]
    _calm_garbage_collection()
    try:
        if on_ready is not None:
            on_ready(url_of(host, listening[0].getsockname()[1]))
        return await stopped
    finally:
        restore()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await stop_serving(server, listeners)


def _catch_signals(stopped: asyncio.Future[int]) -> Callable[[], None]:
    """Makes SIGINT and SIGTERM end the future instead of the process; answers what undoes that."""
    import signal

    loop = stopped.get_loop()

    def note(number: int) -> None:
        if not stopped.done():
            stopped.set_result(number)

    def stop(number: int, _: object = None) -> None:
        loop.call_soon_threadsafe(note, number)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for number, was in before.items():
            signal.signal(number, was)

    return restore


def _fastest_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop  # type: ignore[import-not-found, import-untyped, unused-ignore]  # the extra `speed`
    except ImportError:
        from onerouter_mock.clock import make_loop

        return make_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


def _calm_garbage_collection() -> None:
    # Full rounds stop everyone for 14 to 45 ms; calls and connections leave no circles behind, so they may be rare.
    import gc

    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000, 400, 50)
