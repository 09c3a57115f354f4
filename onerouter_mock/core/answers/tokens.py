"""What a token is, everywhere in this project.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import re

_TOKEN = re.compile(r"\s?\S{1,16}|\s")


def split_tokens(text: str) -> tuple[str, ...]:
    """The tokens of a text, which spell it when joined."""
    return tuple(_TOKEN.findall(text))
