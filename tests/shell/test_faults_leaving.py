"""Clients that leave at any byte leave nothing behind: no task, no socket, no place, no open entry, no memory."""

from __future__ import annotations

import asyncio
import gc
import time
from asyncio.selector_events import _SelectorTransport
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pytest
from heard import OWN, Line, asked, wait_for, world
from leavers import Leaving, many_leave, plan_leaving

from onerouter_mock import OneRouterMock
from onerouter_mock.core.plan import Plan
from onerouter_mock.host import shutdown_loop

PLACES = [{"name": "places", "when": {"lane": "byok"}, "concurrency": 2}]
SLOW = {"stream": {"gap": "1h"}}


@pytest.fixture(scope="module", autouse=True)
def _close_the_loop() -> Iterator[None]:
    yield
    shutdown_loop()


def wait_until(holds: Callable[[], bool]) -> None:
    until_s = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < until_s, "it never came true"
        time.sleep(0.005)


def held(mock: OneRouterMock, name: str) -> float:
    """How much of a limit is drawn now, over all its keys."""
    limits: list[dict[str, Any]] = mock._control.read("state")["limits"]
    return sum(limit["used"] for limit in limits if limit["name"] == name)


def count_kept() -> int:
    """Plans and connections that are in memory, also those that wait for the garbage collection."""
    return sum(isinstance(thing, Plan | _SelectorTransport) for thing in gc.get_objects())


def ask_loop(mock: OneRouterMock, question: Callable[[], Any]) -> Any:
    return mock._control.transport.host.ask(question)  # type: ignore[union-attr]  # it is in this process


def test_three_hundred_clients_that_leave_at_random_bytes_leave_nothing_behind() -> None:
    rules = [
        {"name": "silent", "every": 20, "break": {"do": "stall", "after": "10 tokens"}},
        {"name": "fails", "when": {"lane": "byok"}, "every": 7, "error": "overloaded"},
        {"name": "paced", "stream": {"ttft": {"uniform": ["0s", "300ms"]}, "gap": "40ms"}},
    ]
    limits = [
        {**PLACES[0], "concurrency": 1000},
        {"name": "tokens", "when": {"lane": "byok"}, "tokens": "100M/min"},
    ]
    dice = Random(7)
    with world(*rules, limits=limits, clock="real", speed=20) as mock:
        ask = asked(OWN, stream=True)
        leavings = [plan_leaving(dice, ask, 16_000) for _ in range(300)]
        asyncio.run(many_leave(int(mock.url.rpartition(":")[2]), leavings, at_once=100))
        whole = sum(leaving.sent == len(ask) for leaving in leavings)
        wait_until(lambda: len(mock.calls) >= whole and all(call.ended_ms is not None for call in mock.calls))
        wait_until(lambda: ask_loop(mock, lambda: len(asyncio.all_tasks())) <= 0)
        calls = mock.calls
        assert len(calls) == whole
        assert {call.ending for call in calls} <= {"finish", "client_left", "stall"}
        assert {"finish", "client_left", "stall"} <= {call.ending for call in calls}
        for call in calls:
            assert call.route.endswith("~client_left") == (
                call.ending == "client_left" and call.served_by is not None
            )
            assert call.sent.bytes <= 20_000
        assert held(mock, "places") == 0
        assert mock._control.read("stats")["calls"] == whole


def test_a_place_is_free_again_as_soon_as_its_client_has_left() -> None:
    with world(SLOW, limits=PLACES, clock="real") as mock:
        lines = [Line(mock) for _ in range(2)]
        for line in lines:
            line.send(asked(OWN, stream=True))
            line.read(until=lambda data: data.endswith(b"\n\n\r\n"))
        assert held(mock, "places") == 2
        with Line(mock) as third:
            assert third.ask(OWN | {"fallback": False}).status == 429
        for line in lines:
            line.sock.close()
        wait_until(lambda: held(mock, "places") == 0)
        with Line(mock) as third:
            third.send(asked(OWN | {"fallback": False}, stream=True))
            assert third.read(until=lambda data: data.endswith(b"\n\n\r\n")).status == 200


def test_a_client_that_leaves_pays_for_what_it_got() -> None:
    limits = [{"name": "tokens", "when": {"lane": "shared"}, "tokens": "100000/day"}]
    rule = {"reply": "one two three four five", "stream": {"gap": "1h"}}
    with world(rule, limits=limits, clock="real") as mock:
        with Line(mock) as line:
            line.send(asked(stream=True))
            line.read(until=lambda data: b'"one"' in data)
        last = wait_for(mock, "client_left")
        assert last.usage["completion_tokens"] == 1
        assert (last.sent.tokens, last.sent.text) == (1, "one")
        assert 0 < last.cost < 0.001
        assert held(mock, "tokens") <= last.usage["total_tokens"]


@pytest.mark.parametrize(
    ("rule", "until", "text"),
    [
        ({"reply": {"chunks": ["Hel", "lo. and", " more"]}, "stream": {"gap": "1h"}}, b'"Hel"', "Hel"),
        ({"reply": "a b c d e f", "stream": {"gap": "1h", "slice": "3 tokens"}}, b'"a b c"', "a b c"),
        ({"reply": {"refusal": "I will not"}, "stream": {"gap": "1h"}}, b'"I"', "I"),
    ],
    ids=["chunks inside of tokens", "slices of tokens", "a refusal"],
)
def test_what_a_client_that_leaves_has_read_is_what_the_journal_says(
    rule: dict[str, Any], until: bytes, text: str
) -> None:
    with world(rule, clock="real") as mock:
        with Line(mock) as line:
            line.send(asked(stream=True))
            line.read(until=lambda data: until in data)
        sent = wait_for(mock, "client_left").sent
        assert (sent.text, sent.chunks) == (text, 1)


@pytest.mark.parametrize("reset", [False, True], ids=["with FIN", "with RST"])
def test_nothing_of_an_abandoned_stream_stays_in_memory(reset: bool) -> None:
    """Not even until the next garbage collection: an error's traceback kept every plan, and all its bytes."""
    with world({"stream": {"gap": "1ms"}}, clock="real", speed=20) as mock:
        before = count_kept()
        gc.disable()
        try:
            ask = asked(stream=True)
            leavings = [Leaving(ask, len(ask), 500 + 50 * n, reset) for n in range(40)]
            asyncio.run(many_leave(int(mock.url.rpartition(":")[2]), leavings, at_once=40))
            wait_until(
                lambda: len(mock.calls) == 40 and all(call.ended_ms is not None for call in mock.calls)
            )
            wait_until(lambda: ask_loop(mock, lambda: len(asyncio.all_tasks())) <= 0)
            assert count_kept() == before
        finally:
            gc.enable()
