"""What is to happen on the wire: bytes on a timeline, made by `render`, performed by `play.py`.

Times `_us` are whole microseconds since the call arrived.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(slots=True)
class Frame:
    """Bytes due at `at_us`, and how many chunks and tokens they deliver (a client may leave before the next frame)."""

    at_us: int
    data: bytes
    chunks: int = 0
    tokens: int = 0


@dataclass(slots=True)
class Plan:
    """A decision as bytes on a timeline. `frames` in order of time, the first begins with the head; frames that are due
    at the same instant may be one write unless `separate`. `close` after the last frame: keep the connection, FIN, RST,
    or stay open and silent until the client leaves (`hold`). `ending` is the journal's word; None `status`: none sent.
    `stall_at`: frames that are out when a planned silence begins; who leaves in it leaves because of it.
    """

    status: int | None
    frames: list[Frame]
    close: Literal["keep", "fin", "rst", "hold"] = "keep"
    ending: str = "finish"
    end_us: int = 0
    separate: bool = False
    sent_text: str = ""
    stall_at: int | None = None


@dataclass(slots=True)
class Outcome:
    """How playing a plan went: `ending` as in the journal, frames and bytes out, and when it ended (since arrival)."""

    ending: str
    frames: int
    bytes: int
    ended_us: int
