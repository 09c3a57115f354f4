"""Time on real sockets: told waits, delays and pace under speed, recorded latencies on a virtual clock."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from statistics import quantiles
from typing import Any

import pytest
from heard import OWN, Heard, Line, asked, contents, hear, world

from onerouter_mock.core.scenario.load import build_scenario
from onerouter_mock.emulator import Emulator
from onerouter_mock.host import shutdown_loop
from onerouter_mock.server import Server

NO_FALLBACK = OWN | {"fallback": False}
THREE_A_MINUTE = [{"name": "own", "when": {"lane": "byok"}, "requests": "3/min"}]


@pytest.fixture(scope="module", autouse=True)
def _close_the_loop() -> Iterator[None]:
    yield
    shutdown_loop()


# Told waits


@pytest.mark.parametrize("algorithm", ["bucket", "fixed", "sliding"])
def test_the_told_wait_is_exact_on_a_virtual_clock(algorithm: str) -> None:
    limits = [{**THREE_A_MINUTE[0], "algorithm": algorithm}]
    with world(limits=limits, waits="told") as mock:
        assert [hear(mock, NO_FALLBACK).status for _ in range(3)] == [200] * 3
        told_ms = int(hear(mock, NO_FALLBACK).headers["retry-after-ms"])
        assert told_ms == (20_000 if algorithm == "bucket" else 60_000)
        mock.advance(f"{told_ms - 1}ms")
        assert hear(mock, NO_FALLBACK).headers["retry-after-ms"] == "1"
        mock.advance("1ms")
        assert hear(mock, NO_FALLBACK).status == 200


def test_who_waits_as_told_under_speed_is_admitted() -> None:
    """The 20 s of 3/min are 100 ms at speed 200; who asks at once instead is refused."""
    with world(limits=THREE_A_MINUTE, clock="real", speed=200) as mock, Line(mock) as line:
        for _ in range(3):
            assert line.ask(NO_FALLBACK).status == 200
        refused = line.ask(NO_FALLBACK)
        told_ms = int(refused.headers["retry-after-ms"])
        assert 0 < told_ms <= 100
        assert line.ask(NO_FALLBACK).status == 429
        time.sleep(told_ms / 1000)
        assert line.ask(NO_FALLBACK).status == 200


def test_reset_headers_run_at_speed_too() -> None:
    with world(limits=THREE_A_MINUTE, clock="real", speed=100) as mock:
        headers = hear(mock, NO_FALLBACK).headers
    assert headers["x-ratelimit-limit-requests"] == "3"
    assert headers["x-ratelimit-remaining-requests"] == "2"
    assert headers["x-ratelimit-reset-requests"] in ("200ms", "199ms", "198ms")  # 20 s at speed 100


# Delays and pace


def took_s(rule: dict[str, Any], **fields: Any) -> tuple[float, Heard]:
    """How long a call with this rule really takes at speed 20."""
    with world(rule, clock="real", speed=20) as mock, Line(mock) as line:
        began_s = time.monotonic()
        heard = line.ask(**fields)
        took = time.monotonic() - began_s
        assert mock.last.ended_ms is not None
        assert mock.last.ended_ms >= 4_000
    return took, heard


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize(
    "delay",
    ["4s", {"uniform": ["4s", "4.1s"]}, {"normal": {"mean": "4s", "stddev": "0s"}},
     {"lognormal": {"median": "4s", "sigma": 0, "max": "10s"}}],
    ids=["fixed", "uniform", "normal", "lognormal"],
)  # fmt: skip
def test_a_delay_is_waited_out(delay: Any, stream: bool) -> None:
    took, heard = took_s({"delay": delay}, stream=stream)
    assert heard.status == 200
    assert 0.2 <= took < 2


@pytest.mark.parametrize(
    "pace", [{"ttft": "4s"}, {"rate": "1 tok/s"}, {"gap": "1s"}], ids=["first token", "rate", "gaps"]
)
def test_a_streams_pace_is_kept(pace: dict[str, str]) -> None:
    took, heard = took_s({"reply": "one two three four five", "stream": pace}, stream=True)
    assert len(contents(heard.events)) == 5
    assert 0.2 <= took < 2


def test_chunks_come_one_by_one_when_they_are_due() -> None:
    rule = {"reply": "one two three", "stream": {"gap": "2s"}}
    with world(rule, clock="real", speed=20) as mock, Line(mock) as line:
        began_s = time.monotonic()
        line.send(asked(stream=True))
        for n, word in enumerate([b'"one"', b'" two"', b'" three"']):
            heard = line.read(until=lambda data, word=word: word in data)  # type: ignore[misc]  # a loop variable
            assert time.monotonic() - began_s >= n * 0.1
            assert len(contents(heard.events)) >= n + 1


def test_a_virtual_clock_waits_for_nothing_and_tells_what_it_would_have_taken() -> None:
    began_s = time.monotonic()
    with world({"delay": "1h", "reply": "one two three", "stream": {"ttft": "1m", "gap": "10s"}}) as mock:
        heard = hear(mock, stream=True)
        assert len(contents(heard.events)) == 3
        last = mock.last
        assert (mock.now, last.clock) == (0, 0)
        assert last.ended_ms == 3_600_000 + 60_000 + 20_000
        assert last.attempts[0].took_ms == 3_600_000 + 60_000
    assert time.monotonic() - began_s < 5


def test_dates_come_from_the_sessions_clock() -> None:
    with world({"delay": "90s"}) as mock:
        mock.advance("1h")
        heard = hear(mock)
        assert heard.headers["date"] == "Thu, 01 Jan 2026 01:01:30 GMT"
        assert heard.json["created"] == 1_767_225_600 + 3_600
        assert mock.last.arrived_at == "2026-01-01T01:00:00.000Z"


# When a call's time begins


async def test_what_is_read_in_one_round_of_the_loop_was_there_at_one_instant() -> None:
    """Of hundreds that come at once the last is read late; its time must not begin later for that."""
    server = Server(Emulator(build_scenario({})), asyncio.get_running_loop())
    first_s = server.round_s()
    time.sleep(0.002)  # noqa: ASYNC251 (as many calls do that begin before it)
    assert server.round_s() == first_s
    await asyncio.sleep(0)
    assert server.round_s() > first_s


def test_a_pipelined_calls_time_begins_when_its_turn_comes() -> None:
    with world({"delay": "4s"}, clock="real", speed=10) as mock, Line(mock) as line:
        line.send(asked() + asked(headers=("Connection: close",)))
        assert line.read(until=lambda data: False).status == 200
        while line.sock.recv(65536):
            pass
        first, second = mock.wait_for_calls(2)
    assert first.ended_ms is not None
    assert second.ended_ms is not None
    assert first.ended_ms >= 4_000
    assert 4_000 <= second.ended_ms < 7_500  # not 8,000: it counts from the end of the first


# What `after`, `until`, expiries and cooldowns make of time


def test_advance_moves_gates_expiries_and_cooldowns() -> None:
    rules = [
        {"name": "down", "when": {"lane": "byok"}, "after": "10s", "until": "40s", "error": "overloaded"},
    ]
    keys = {"mine": {"match": OWN["credentials"], "provider": "openai", "expires": "2m"}}
    router = {"cooldown": {"failures": 1, "within": "10s", "for": "20s"}}
    with world(*rules, keys=keys, router=router) as mock:
        for wait in ("0s", "10s", "19s", "1s", "10s", "80s"):
            mock.advance(wait)
            hear(mock, OWN)
        # at 0, 10, 29, 30, 40 and 120 s
        assert mock.routes == [
            "byok:openai",
            "byok:openai!overloaded -> shared:openai",
            "shared:openai",
            "byok:openai!overloaded -> shared:openai",
            "shared:openai",
            "byok:openai!invalid_key -> shared:openai",
        ]


# Recorded latencies


def percentiles_ms(mock: Any, calls: int, **fields: Any) -> tuple[float, float]:
    """Median and 90th percentile of what the first words of so many answers took."""
    with Line(mock) as line:
        for _ in range(calls):
            assert line.ask(model="deepseek/deepseek-v3.2", stream=True, **fields).status == 200
    tenths = quantiles([call.attempts[0].took_ms for call in mock.calls], n=10)
    return tenths[4], tenths[8]


@pytest.mark.parametrize(
    ("provider", "median_ms", "p90_ms", "rate"),
    [("alibaba", 3175, 10398, 96), ("fireworks", 1398, 2361, 43), ("deepinfra", 2968, 5012, 53)],
)
def test_a_providers_recorded_speed_is_that_of_the_recordings(
    provider: str, median_ms: float, p90_ms: float, rate: float
) -> None:
    with world(providers={provider: {"latency": "recorded"}}, seed=1) as mock:
        median, p90 = percentiles_ms(mock, 400, provider={"only": [provider]})
        last = mock.last
        assert mock.now == 0
    assert median == pytest.approx(median_ms, rel=0.15)
    assert p90 == pytest.approx(p90_ms, rel=0.2)
    spent_ms = last.ended_ms - last.attempts[0].took_ms
    assert spent_ms == pytest.approx((last.sent.tokens - 1) / rate * 1000, abs=1)


def test_recorded_speed_is_the_same_for_the_same_seed_and_anothers_is_none() -> None:
    seen = []
    for seed in (1, 1, 2):
        with world(providers={"fireworks": {"latency": "recorded"}}, seed=seed) as mock:
            percentiles_ms(mock, 20, provider={"only": ["fireworks"]})
            seen.append([call.attempts[0].took_ms for call in mock.calls])
    assert seen[0] == seen[1] != seen[2]
    assert len(set(seen[0])) == 20
    with world(providers={"fireworks": {"latency": "recorded"}}) as mock:
        hear(mock, model="deepseek/deepseek-v3.2", stream=True)
        assert mock.last.route == "shared:deepseek"
        assert mock.last.ended_ms == 0


def test_a_rules_pace_goes_before_the_recorded_one() -> None:
    slow = {"stream": {"ttft": "1m", "rate": "1 tok/s"}, "reply": "one two three"}
    with world(slow, providers={"fireworks": {"latency": "recorded"}}) as mock:
        hear(mock, model="deepseek/deepseek-v3.2", stream=True, provider={"only": ["fireworks"]})
        assert mock.last.ended_ms == 62_000
