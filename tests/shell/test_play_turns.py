"""Calls begin a few at a time while streams keep time."""

from __future__ import annotations

import asyncio

from onerouter_mock.play.turns import Turns


async def begin(turns: Turns, begun: list[int], n: int) -> None:
    await turns.wait()
    begun.append(n)


async def test_with_no_stream_that_keeps_time_all_begin_at_once() -> None:
    turns, begun = Turns(), list[int]()
    tasks = [asyncio.create_task(begin(turns, begun, n)) for n in range(50)]
    await asyncio.sleep(0)
    assert len(begun) == 50
    await asyncio.gather(*tasks)


async def test_beside_streams_that_keep_time_they_begin_in_order_over_many_rounds_of_the_loop() -> None:
    turns, begun = Turns(), list[int]()
    turns.paced = 1
    tasks = [asyncio.create_task(begin(turns, begun, n)) for n in range(50)]
    counts = []
    while len(begun) < 50:
        await asyncio.sleep(0)
        counts.append(len(begun))
    rounds = [later - sooner for sooner, later in zip([0, *counts], counts, strict=False)]
    assert max(rounds) <= 16  # two rounds of eight at most between two looks
    assert begun == list(range(50))
    await asyncio.gather(*tasks)


async def test_who_leaves_the_queue_takes_no_turn() -> None:
    turns, begun = Turns(), list[int]()
    turns.paced = 1
    tasks = [asyncio.create_task(begin(turns, begun, n)) for n in range(30)]
    await asyncio.sleep(0)
    for task in tasks[10:20]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert begun == [*range(10), *range(20, 30)]


async def test_a_call_that_comes_later_finds_the_queue_empty() -> None:
    turns, begun = Turns(), list[int]()
    turns.paced = 1
    await asyncio.gather(*(begin(turns, begun, n) for n in range(20)))
    turns.paced = 0
    await asyncio.wait_for(turns.wait(), 1)
    assert len(begun) == 20
