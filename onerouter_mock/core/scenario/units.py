"""Durations, budgets, shares, money, paces: text with a unit to numbers, and back. No field has another way.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

_UNITS_US = {
    "us": 1,
    "ms": 1_000,
    "s": 1_000_000,
    "m": 60_000_000,
    "h": 3_600_000_000,
    "d": 86_400_000_000,
}
_WINDOWS_US = {
    "s": 1_000_000,
    "sec": 1_000_000,
    "min": 60_000_000,
    "m": 60_000_000,
    "hour": 3_600_000_000,
    "h": 3_600_000_000,
    "day": 86_400_000_000,
    "d": 86_400_000_000,
}
_LONG_UNITS = {"sec": "s", "secs": "s", "second": "s", "seconds": "s", "min": "m", "mins": "m", "minute": "m",
               "minutes": "m", "hr": "h", "hour": "h", "hours": "h", "day": "d", "days": "d",
               "msec": "ms", "millis": "ms", "milliseconds": "ms", "µs": "us"}  # fmt: skip
_MULTIPLES = {"": 1, "k": 1_000, "M": 1_000_000}
_PART = re.compile(r"([0-9]{1,18}(?:\.[0-9]{1,18})?)(us|ms|s|m|h|d)")
_DURATION = re.compile(rf"(?:{_PART.pattern})+")
_NUMBER = re.compile(r"[0-9]{1,18}(?:\.[0-9]{1,18})?")
_AMOUNT = re.compile(r"([0-9]{1,18}(?:\.[0-9]{1,18})?)(k|M)?")
_LONGEST_US = 36_525 * 86_400_000_000  # a hundred years: what a calendar date still holds
_LARGEST = 10**15


class UnitError(ValueError):
    """Text that is no such quantity: what is wrong, and what would be right."""

    def __init__(self, what: str, right: str) -> None:
        super().__init__(f"{what}; {right}" if right else what)
        self.what = what
        self.right = right


def quote(text: object) -> str:
    """A value as our messages show it: in quotes unless it is a number, cut where it is long."""
    whole = str(text)
    return whole if _NUMBER.fullmatch(whole) else f"'{cut(whole)}'"


def cut(text: str) -> str:
    """Text in a message's measure, on one line."""
    line = text if text.isprintable() else text.encode("unicode_escape").decode()
    return line if len(line) <= 60 else line[:57] + "..."


def parse_duration_us(text: str) -> int:
    """The whole microseconds of a duration: "250ms", "1.5s", "1m30s".

    Errors: UnitError, a ValueError.
    """
    text = text.strip()
    if not _DURATION.fullmatch(text):
        raise UnitError(*_explain_duration(text))
    parts = _PART.findall(text)
    total = sum((Decimal(number) * _UNITS_US[unit] for number, unit in parts), Decimal(0))
    if total > _LONGEST_US:
        raise UnitError(f"{quote(text)} is longer than a hundred years", "")
    return int(total.to_integral_value(ROUND_HALF_UP))


def _explain_duration(text: str) -> tuple[str, str]:
    if _NUMBER.fullmatch(text):
        return f"{text.strip()} has no unit", f"would be right: {text}s"
    if text.startswith("-"):
        return f"{quote(text)} is negative", "would be right: a duration from 0s on"
    tight = re.sub(r"\s+", "", text[:60]).lower()
    tight = re.sub(r"[a-zµ]+", lambda found: _LONG_UNITS.get(found[0], found[0]), tight)
    example = tight if _DURATION.fullmatch(tight) else "250ms, 20s or 1m30s"
    return f"{quote(text)} is no duration", f"would be right: {example}"


def parse_window(text: str) -> tuple[int, int]:
    """The amount and the window of a budget that refills: "10/min", "30k/min", "5/10s".

    Units: (whole requests or tokens, microseconds). Errors: UnitError.
    """
    amount, slash, window = text.strip().partition("/")
    if not slash:
        if _AMOUNT.fullmatch(amount.strip()):
            raise UnitError(f"{text.strip()} has no unit", f"would be right: {amount.strip()}/min")
        raise UnitError(f"{quote(text)} is no budget", "would be right: 10/min, 200/day, 30k/min or 5/10s")
    number = _parse_amount(amount.strip(), text, "10/min, 30k/min or 5/10s")
    if number < 1:
        raise UnitError(
            f"{quote(text)} admits nothing", "would be right: at least 1, or a rule with an error"
        )
    return number, _parse_window_us(amount, window.strip())


def _parse_window_us(amount: str, window: str) -> int:
    window_us = _WINDOWS_US.get(window)
    if window_us is None:
        if not _DURATION.fullmatch(window):
            short = _LONG_UNITS.get(window.lower(), "min")
            unit = {"m": "min", "d": "day", "h": "hour"}.get(short, short)
            raise UnitError(f"{quote(window)} is no window", f"would be right: {amount.strip()}/{unit}")
        window_us = parse_duration_us(window)
    if window_us < 1:
        raise UnitError(f"{quote(window)} is no window", "would be right: one longer than 0s")
    return window_us


def _parse_amount(amount: str, text: str, example: str) -> int:
    found = _AMOUNT.fullmatch(amount)
    if not found:
        raise UnitError(f"{quote(text)} is no budget", f"would be right: {example}")
    number = Decimal(found[1]) * _MULTIPLES[found[2] or ""]
    if number != int(number):
        raise UnitError(f"{quote(text)} is no whole number", f"would be right: {example}")
    if number > _LARGEST:
        raise UnitError(f"{quote(text)} is too large", "would be right: at most 10^15")
    return int(number)


def parse_quota(text: str) -> tuple[int, Literal["requests", "tokens", "usd"]]:
    """The amount and unit of a total that never refills: "5 requests", "10k tokens", "2 USD".

    Units: requests, tokens or nano-dollars. Errors: UnitError.
    """
    example = "5 requests, 10k tokens or 2 USD"
    amount, _, unit = text.strip().partition(" ")
    word = unit.strip().lower()
    if not word and _AMOUNT.fullmatch(amount):
        raise UnitError(f"{text.strip()} has no unit", f"would be right: {amount} requests")
    if word == "usd":
        return parse_usd_nano(amount), "usd"
    if word in ("request", "requests"):
        return _parse_amount(amount, text, example), "requests"
    if word in ("token", "tokens"):
        return _parse_amount(amount, text, example), "tokens"
    raise UnitError(f"{quote(text)} is no quota", f"would be right: {example}")


def parse_usd_nano(text: str) -> int:
    """The nano-dollars of "2", "0.5" or "2 USD". Errors: UnitError."""
    number = text.strip()
    if number[-3:].upper() == "USD":
        number = number[:-3].strip()
    if not _NUMBER.fullmatch(number) or Decimal(number) > 10**9:
        raise UnitError(f"{quote(text)} is no amount of money", "would be right: 2.50, in USD")
    return int((Decimal(number) * 10**9).to_integral_value(ROUND_HALF_UP))


def parse_share(text: str) -> float:
    """The fraction of "10%" or "0.1". Errors: UnitError."""
    number = text.strip()
    percent = number.endswith("%")
    digits = number[:-1].strip() if percent else number
    if not _NUMBER.fullmatch(digits):
        raise UnitError(f"{quote(text)} is no share", "would be right: 10% or 0.1")
    share = Decimal(digits) / (100 if percent else 1)
    if share > 1:
        right = "at most 100%" if percent else f"{digits}% or a number up to 1"
        raise UnitError(f"{quote(text)} is more than the whole", f"would be right: {right}")
    return float(share)


def parse_rate(text: str) -> float:
    """The tokens a second of "40 tok/s". Errors: UnitError."""
    example = "would be right: 40 tok/s"
    found = re.fullmatch(rf"({_NUMBER.pattern})\s?(?:tok|token|tokens)/(\S+)", text.strip())
    if not found:
        if _NUMBER.fullmatch(text.strip()):
            raise UnitError(f"{text.strip()} has no unit", f"would be right: {text.strip()} tok/s")
        raise UnitError(f"{quote(text)} is no pace", example)
    rate = float(Decimal(found[1]) * 1_000_000 / _parse_window_us(f"{found[1]} tok", found[2]))
    if not 1e-6 <= rate <= 1e9:
        raise UnitError(f"{quote(text)} is no pace to keep", example)
    return rate


def parse_slice(text: str) -> tuple[int, Literal["bytes", "token"]]:
    """The number and unit of "64 bytes", "1 byte" or "1 token". Errors: UnitError."""
    found = re.fullmatch(r"([0-9]{1,9})(?: (byte|bytes|token|tokens))?", text.strip())
    if found and not found[2]:
        raise UnitError(
            f"{text.strip()} has no unit", f"would be right: {found[1]} byte{'s' * (found[1] != '1')}"
        )
    if not found or int(found[1]) < 1:
        raise UnitError(f"{quote(text)} is no slice", "would be right: 64 bytes, 1 byte or 1 token")
    return int(found[1]), "bytes" if found[2].startswith("byte") else "token"


def parse_point(text: str) -> tuple[Literal["chunks", "tokens", "us", "share"], float]:
    """Where an answer breaks: "3 chunks", "8 tokens", "2s", "50%" or "0.5". Errors: UnitError."""
    text = text.strip()
    counted = re.fullmatch(r"([0-9]{1,9}) (chunk|chunks|token|tokens)", text)
    if counted:
        return ("chunks" if counted[2].startswith("chunk") else "tokens"), float(counted[1])
    if text.endswith("%") or re.fullmatch(r"[0-9]{1,18}\.[0-9]{1,18}", text):
        return "share", parse_share(text)
    if _DURATION.fullmatch(text):
        return "us", float(parse_duration_us(text))
    if _NUMBER.fullmatch(text):
        raise UnitError(f"{text.strip()} has no unit", f"would be right: {text} tokens")
    raise UnitError(
        f"{quote(text)} is no point in an answer", "would be right: 8 tokens, 3 chunks, 2s or 50%"
    )


def format_duration(us: int) -> str:
    """A duration as people read it: "850us", "250ms", "18.7s", "1m30s", "2h5m", "1d2h".

    Units: whole microseconds; rounded to what matters, a tenth of a second below a minute.
    """
    if us < 0:
        return "-" + format_duration(-us)
    if us == 0:
        return "0s"
    if us < 1_000:
        return f"{us}us"
    if us < 999_500:
        return f"{_trim(us / 1_000, 1 if us < 10_000 else 0)}ms"
    if us < 59_950_000:
        return f"{_trim(us / 1_000_000, 1)}s"
    seconds = (us + 500_000) // 1_000_000
    parts = []
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        count, seconds = divmod(seconds, length)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts)


def _trim(value: float, digits: int) -> str:
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def format_usd(nano: int) -> str:
    """Money as people read it, with as many digits as it needs: "$0", "$2", "$1.25", "$0.0041", "$0.00013".

    Units: nano-dollars; two significant digits below a dollar.
    """
    if nano < 0:
        return "-" + format_usd(-nano)
    if nano == 0:
        return "$0"
    digits = 2
    while digits < 9 and nano < 10 ** (10 - digits):
        digits += 1
    text = f"{Decimal(nano) / 10**9:.{digits}f}"
    whole, _, part = text.partition(".")
    part = part.rstrip("0")
    return f"${whole}.{part.ljust(2, '0')}" if part else f"${whole}"
