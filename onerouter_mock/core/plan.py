"""What is to happen on the wire: bytes on a timeline, made by `render`, performed by `play.py`.

Times `_us` are whole microseconds since the call arrived.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, overload


@dataclass(slots=True)
class Frame:
    """Bytes due at `at_us`, and how many chunks and tokens they deliver (a client may leave before the next frame)."""

    at_us: int
    data: bytes
    chunks: int = 0
    tokens: int = 0


class Frames(Sequence[Frame]):
    """Frames that are made as they are asked for: most of a paced stream is wanted much later than it begins, and
    hundreds of streams may begin at once. Their length makes them all."""

    __slots__ = ("_made", "_rest")

    def __init__(self, frames: Iterable[Frame]) -> None:
        self._made: list[Frame] = []
        self._rest = iter(frames)

    def find(self, at: int) -> Frame | None:
        """The frame at this place from the start; None after the last."""
        made = self._made
        while len(made) <= at:
            frame = next(self._rest, None)
            if frame is None:
                return None
            made.append(frame)
        return made[at]

    def __len__(self) -> int:
        self._made.extend(self._rest)
        return len(self._made)

    @overload
    def __getitem__(self, at: int) -> Frame: ...
    @overload
    def __getitem__(self, at: slice) -> list[Frame]: ...
    def __getitem__(self, at: int | slice) -> Frame | list[Frame]:
        if isinstance(at, slice) and at.stop is not None and 0 <= at.stop <= len(self._made):
            return self._made[at]  # who asks for what is out makes nothing
        self._made.extend(self._rest)
        return self._made[at]


@dataclass(slots=True)
class Plan:
    """A decision as bytes on a timeline. `frames` in order of time, the first begins with the head; frames that are due
    at the same instant may be one write unless `separate`. `close` after the last frame: keep the connection, FIN, RST,
    or stay open and silent until the client leaves (`hold`). `ending` is the journal's word; None `status`: none sent.
    `stall_at`: frames that are out when a planned silence begins; who leaves in it leaves because of it.
    """

    status: int | None
    frames: Sequence[Frame]
    close: Literal["keep", "fin", "rst", "hold"] = "keep"
    ending: str = "finish"
    end_us: int = 0
    separate: bool = False
    sent_text: str = ""
    stall_at: int | None = None

    def frame(self, at: int) -> Frame | None:
        """The frame at this place; None after the last."""
        frames = self.frames
        if isinstance(frames, Frames):
            return frames.find(at)
        return frames[at] if at < len(frames) else None


@dataclass(slots=True)
class Outcome:
    """How playing a plan went: `ending` as in the journal, frames and bytes out, and when it ended (since arrival)."""

    ending: str
    frames: int
    bytes: int
    ended_us: int
