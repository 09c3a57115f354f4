from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from freezegun import freeze_time

from onerouter_mock.clock import VIRTUAL_START_US, Clock, make_loop, true_monotonic_ns


def test_a_virtual_clock_begins_in_2026_and_stands_still() -> None:
    clock = Clock("virtual")
    assert clock.now_us() == VIRTUAL_START_US == 1_767_225_600_000_000
    assert clock.now_us() == VIRTUAL_START_US


def test_a_virtual_clock_moves_by_what_it_is_advanced() -> None:
    clock = Clock("virtual")
    clock.advance(61_000_000)
    clock.advance(1)
    assert clock.now_us() == VIRTUAL_START_US + 61_000_001


def test_a_virtual_wait_takes_no_real_time() -> None:
    assert Clock("virtual").real_delay_s(3_600_000_000) == 0


def test_a_real_clock_begins_now_and_goes_on() -> None:
    clock = Clock("real")
    first = clock.now_us()
    assert abs(first / 1e6 - time.time()) < 1
    while true_monotonic_ns() // 1000 == clock._begun_ns // 1000:
        pass
    assert clock.now_us() > first


def test_a_real_clock_can_be_advanced_too() -> None:
    clock = Clock("real", start_us=0)
    clock.advance(61_000_000)
    assert 61_000_000 <= clock.now_us() < 62_000_000


def test_speed_makes_time_run_faster_and_waits_shorter() -> None:
    clock = Clock("real", 1000.0, start_us=0)
    before_ns = true_monotonic_ns()
    while true_monotonic_ns() - before_ns < 2_000_000:
        pass
    assert clock.now_us() >= 2_000_000
    assert clock.real_delay_s(1_000_000) == 0.001


def test_time_does_not_go_back() -> None:
    with pytest.raises(ValueError, match=r"advance: -1s is in the past"):
        Clock("virtual").advance(-1_000_000)


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = make_loop()
    yield loop
    loop.close()


def test_a_frozen_process_stops_neither_clock_nor_loop(loop: asyncio.AbstractEventLoop) -> None:
    with freeze_time("2012-01-14"):
        clock = Clock("real")
        assert clock.now_us() > 1_700_000_000_000_000
        loop.run_until_complete(asyncio.wait_for(asyncio.sleep(0.002), 5))
        first = clock.now_us()
        loop.run_until_complete(asyncio.sleep(0.002))
        assert clock.now_us() >= first + 2_000


def test_a_clock_first_imported_in_a_frozen_process_goes_on() -> None:
    code = (
        "from freezegun import freeze_time\n"
        "with freeze_time('2012-01-14'):\n"
        "    import asyncio\n"
        "    from onerouter_mock.clock import Clock, make_loop\n"
        "    clock, loop = Clock('real'), make_loop()\n"
        "    first = clock.now_us()\n"
        "    loop.run_until_complete(asyncio.sleep(0.001))\n"
        "    assert clock.now_us() >= first + 1000\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=20)
