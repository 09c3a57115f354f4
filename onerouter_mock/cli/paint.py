"""Colours, for terminals that want them.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import os
from typing import TextIO

from onerouter_mock.core.story import Paint, plain

_CODES = {"green": "32", "yellow": "33", "red": "31", "dim": "2"}


def is_plain(stream: TextIO) -> bool:
    """Whether a stream gets no colour: it is no terminal, or `NO_COLOR` or `TERM=dumb` says so."""
    return not stream.isatty() or bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"


def paint_for(stream: TextIO) -> Paint:
    """How to paint text that goes to a stream."""
    return plain if is_plain(stream) else _paint


def _paint(text: str, colour: str) -> str:
    code = _CODES.get(colour)
    return f"\x1b[{code}m{text}\x1b[0m" if code else text
