"""Every random number: a function of named parts, the same in every process, never of what was drawn before.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from hashlib import blake2b

_SPAN = float(2**53)


def draw(*parts: object) -> float:
    """A number in [0, 1) for these parts.

    Parts are joined as text, so that `draw(7, "default", "rule", 3)` is the same everywhere and for ever.
    """
    text = "\x1f".join(map(str, parts)).encode("utf-8", "surrogatepass")
    return (int.from_bytes(blake2b(text, digest_size=8).digest(), "big") >> 11) / _SPAN


def hex_digits(length: int, *parts: object) -> str:
    """`length` (at most 64) lower-case hexadecimal digits for these parts: ids that look random and are not."""
    text = "\x1f".join(map(str, parts)).encode("utf-8", "surrogatepass")
    return blake2b(text, digest_size=32).hexdigest()[:length]
