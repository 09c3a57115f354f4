"""Frames that are made when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator

from onerouter_mock.core.plan import Frame, Frames, Plan


def counted(made: list[int], upto: int = 5) -> Iterator[Frame]:
    for n in range(upto):
        made.append(n)
        yield Frame(n, b"%d" % n)


def test_a_frame_is_made_when_it_is_asked_for_and_once() -> None:
    made: list[int] = []
    plan = Plan(200, Frames(counted(made)))
    assert made == []
    for _ in range(2):
        assert plan.frame(1) is not None
        assert made == [0, 1]
    assert [frame.data for frame in plan.frames[:2]] == [b"0", b"1"]
    assert made == [0, 1]


def test_after_the_last_there_is_none() -> None:
    for frames in (Frames(counted([])), list(counted([]))):
        plan = Plan(200, frames)
        assert plan.frame(5) is None
        assert plan.frame(4) == Frame(4, b"4")


def test_their_length_and_their_end_make_all() -> None:
    for ask in (len, lambda frames: frames[-1], lambda frames: frames[:], list):
        made: list[int] = []
        ask(Frames(counted(made)))  # type: ignore[operator]  # one of these
        assert made == [0, 1, 2, 3, 4]
    frames = Frames(counted([]))
    assert (len(frames), frames[-1].data, [frame.at_us for frame in frames]) == (5, b"4", [0, 1, 2, 3, 4])
