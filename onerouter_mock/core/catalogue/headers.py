"""Rate-limit headers, each provider's own format, from readings of budgets. Durations as Go prints them.

Source: `headers_source` of each provider. OpenAI, Groq, Anthropic, Azure seen; xAI weak; Mistral's tokens
weak, its requests seen; Fireworks, DeepInfra, Alibaba, Morph guessed to be OpenAI's.
Retry-After is not here: it belongs to the refusal, whatever the provider (`render`).

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from math import ceil

from onerouter_mock.core.catalogue.records import Provider, Reading

Header = tuple[str, str]
_LAST_S = 253_402_300_799  # 9999-12-31T23:59:59Z: what a clock that was moved too far is told
_WINDOWS = {1_000_000: "second", 60_000_000: "minute", 3_600_000_000: "hour", 86_400_000_000: "day"}


def limit_headers(
    provider: Provider, readings: Sequence[Reading], now_us: int, speed: float
) -> tuple[Header, ...]:
    """The headers by which this provider tells what is left, for requests and tokens.

    Shape: lower-case names; nothing for a provider without such headers or readings in another unit.
    Units: `now_us` on the session's clock since 1970; resets are true and then divided by `speed`.
    """
    style = _STYLES.get(provider.headers)
    if style is None:
        return ()
    headers: list[Header] = []
    for reading in readings:
        if reading.unit in ("requests", "tokens"):
            reset_us = None if reading.reset_us is None else tell_wait_us(reading.reset_us, speed)
            headers += style(reading, reset_us, now_us)
    return tuple(headers)


def tell_wait_us(wait_us: int, speed: float = 1.0) -> int:
    """A wait as it is told: divided by `speed`, up to the whole millisecond.

    The epsilon: a quotient that binary fractions put a hair above a millisecond must not cost another one.
    """
    return ceil(wait_us / speed / 1000 - 1e-9) * 1000


def format_go_duration(us: int) -> str:
    """A duration as Go's time.Duration prints it: "120ms", "18.7s", "6m0s", "1h0m0.5s", "0s".

    Units: whole microseconds, exact; below a millisecond Go's own "µs".
    """
    sign, us = ("-", -us) if us < 0 else ("", us)
    if us < 1_000_000:
        if us == 0:
            return "0s"
        return f"{sign}{us}µs" if us < 1000 else f"{sign}{_decimal(us, 1000)}ms"
    minutes, rest_us = divmod(us, 60_000_000)
    hours, minutes = divmod(minutes, 60)
    seconds = _decimal(rest_us, 1_000_000) + "s"
    if hours:
        return f"{sign}{hours}h{minutes}m{seconds}"
    return f"{sign}{minutes}m{seconds}" if minutes else sign + seconds


def _decimal(value: int, unit: int) -> str:
    """value / unit in decimal digits, without zeros at the end; `unit` is a power of ten."""
    whole, part = divmod(value, unit)
    return f"{whole}.{str(part).zfill(len(str(unit)) - 1).rstrip('0')}" if part else str(whole)


def format_rfc3339(us: int) -> str:
    """An instant as RFC 3339 in UTC, up to the whole second: "2026-01-01T00:00:20Z".

    Errors: none; beyond the year 9999 it stays at its end.
    """
    seconds = min(max(-(-us // 1_000_000), 0), _LAST_S)
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _openai(reading: Reading, reset_us: int | None, now_us: int) -> list[Header]:
    headers = _limits_only(reading, reset_us, now_us)
    if reset_us is not None:
        headers.append((f"x-ratelimit-reset-{reading.unit}", format_go_duration(reset_us)))
    return headers


def _limits_only(reading: Reading, reset_us: int | None, now_us: int) -> list[Header]:
    return [
        (f"x-ratelimit-limit-{reading.unit}", str(reading.limit)),
        (f"x-ratelimit-remaining-{reading.unit}", str(reading.remaining)),
    ]


def _anthropic(reading: Reading, reset_us: int | None, now_us: int) -> list[Header]:
    stem = f"anthropic-ratelimit-{reading.unit}"
    headers = [(f"{stem}-limit", str(reading.limit)), (f"{stem}-remaining", str(reading.remaining))]
    if reset_us is not None:
        headers.append((f"{stem}-reset", format_rfc3339(now_us + reset_us)))
    return headers


def _mistral(reading: Reading, reset_us: int | None, now_us: int) -> list[Header]:
    """Tokens are its "size"; requests are counted by window, in other names."""
    window = _WINDOWS.get(reading.window_us or 0, "minute")
    limit, remaining = str(reading.limit), str(reading.remaining)
    if reading.unit == "requests":
        return [
            (f"x-ratelimit-limit-req-{window}", limit),
            (f"x-ratelimit-remaining-req-{window}", remaining),
        ]
    headers = [
        (f"x-ratelimitbysize-limit-{window}", limit),
        (f"x-ratelimitbysize-remaining-{window}", remaining),
        ("ratelimitbysize-limit", limit),
        ("ratelimitbysize-remaining", remaining),
    ]
    if reset_us is not None:
        headers.append(("ratelimitbysize-reset", str(-(-reset_us // 1_000_000))))
    return headers


_STYLES: dict[str, Callable[[Reading, int | None, int], list[Header]]] = {
    "openai": _openai,
    "limits_only": _limits_only,
    "anthropic": _anthropic,
    "mistral": _mistral,
}
