"""Text with a unit to numbers, and back."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onerouter_mock.core.scenario import units
from onerouter_mock.core.scenario.units import UnitError


@pytest.mark.parametrize(
    ("text", "us"),
    [
        ("250ms", 250_000),
        ("1.5s", 1_500_000),
        ("1m30s", 90_000_000),
        ("2h", 7_200_000_000),
        ("1d", 86_400_000_000),
        ("7us", 7),
        ("0s", 0),
        (" 20s ", 20_000_000),
        ("0.1us", 0),
        ("1.0005ms", 1001),
        ("18.7s", 18_700_000),
    ],
)
def test_durations_are_whole_microseconds(text: str, us: int) -> None:
    assert units.parse_duration_us(text) == us


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("3", "3 has no unit; would be right: 3s"),
        ("5 min", "'5 min' is no duration; would be right: 5m"),
        ("1m 30s", "'1m 30s' is no duration; would be right: 1m30s"),
        ("2 hours", "'2 hours' is no duration; would be right: 2h"),
        ("-3s", "'-3s' is negative; would be right: a duration from 0s on"),
        ("soon", "'soon' is no duration; would be right: 250ms, 20s or 1m30s"),
        ("", "'' is no duration; would be right: 250ms, 20s or 1m30s"),
        ("40000d", "'40000d' is longer than a hundred years"),
        ("1e3s", "'1e3s' is no duration; would be right: 250ms, 20s or 1m30s"),
        ("٣s", "'٣s' is no duration; would be right: 250ms, 20s or 1m30s"),
    ],
)
def test_what_is_no_duration_is_told_what_is(text: str, complaint: str) -> None:
    with pytest.raises(UnitError) as caught:
        units.parse_duration_us(text)
    assert str(caught.value) == complaint


@pytest.mark.parametrize(
    ("text", "amount", "window_us"),
    [
        ("10/min", 10, 60_000_000),
        ("200/day", 200, 86_400_000_000),
        ("30k/min", 30_000, 60_000_000),
        ("1.5k/h", 1_500, 3_600_000_000),
        ("2M/d", 2_000_000, 86_400_000_000),
        ("5/10s", 5, 10_000_000),
        ("5/1m30s", 5, 90_000_000),
        ("1/sec", 1, 1_000_000),
        ("1/s", 1, 1_000_000),
        ("1/m", 1, 60_000_000),
        ("1/hour", 1, 3_600_000_000),
        ("3 / min", 3, 60_000_000),
    ],
)
def test_budgets_have_an_amount_and_a_window(text: str, amount: int, window_us: int) -> None:
    assert units.parse_window(text) == (amount, window_us)


@pytest.mark.parametrize(
    "text", ["3", "x/min", "0/min", "1.5/min", "3/", "3/0s", "3/minutes", "/min", "-1/min", "3k", ""]
)
def test_what_is_no_budget_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UnitError) as caught:
        units.parse_window(text)
    assert caught.value.right.startswith("would be right: ")


def test_a_long_word_for_a_window_is_shortened() -> None:
    with pytest.raises(UnitError, match="would be right: 3/min"):
        units.parse_window("3/minutes")
    with pytest.raises(UnitError, match="would be right: 3/day"):
        units.parse_window("3/days")


def test_quotas_are_requests_tokens_or_nano_dollars() -> None:
    assert units.parse_quota("5 requests") == (5, "requests")
    assert units.parse_quota("1 request") == (1, "requests")
    assert units.parse_quota("10k tokens") == (10_000, "tokens")
    assert units.parse_quota("2 USD") == (2_000_000_000, "usd")
    assert units.parse_quota("0.50 USD") == (500_000_000, "usd")


@pytest.mark.parametrize("text", ["5", "5requests", "5 apples", "k tokens", "-1 USD", "1.5 requests", ""])
def test_what_is_no_quota_is_refused(text: str) -> None:
    with pytest.raises(UnitError):
        units.parse_quota(text)


def test_shares_are_fractions() -> None:
    assert units.parse_share("10%") == 0.1
    assert units.parse_share("0.1") == 0.1
    assert units.parse_share("100%") == 1.0
    assert units.parse_share("12.5%") == 0.125
    for text in ("10", "101%", "-1%", "ten", ""):
        with pytest.raises(UnitError):
            units.parse_share(text)


def test_paces_and_slices() -> None:
    assert units.parse_rate("40 tok/s") == 40.0
    assert units.parse_rate("40tok/s") == 40.0
    assert units.parse_rate("120 tokens/min") == 2.0
    assert units.parse_slice("64 bytes") == (64, "bytes")
    assert units.parse_slice("1 byte") == (1, "bytes")
    assert units.parse_slice("1 token") == (1, "token")
    for text in ("40", "40 tok", "0 tok/s", "fast"):
        with pytest.raises(UnitError):
            units.parse_rate(text)
    for text in ("64", "0 bytes", "1 kB", "bytes"):
        with pytest.raises(UnitError):
            units.parse_slice(text)


def test_points_in_an_answer() -> None:
    assert units.parse_point("3 chunks") == ("chunks", 3.0)
    assert units.parse_point("1 chunk") == ("chunks", 1.0)
    assert units.parse_point("8 tokens") == ("tokens", 8.0)
    assert units.parse_point("2s") == ("us", 2_000_000.0)
    assert units.parse_point("50%") == ("share", 0.5)
    assert units.parse_point("0.25") == ("share", 0.25)
    for text in ("8", "8 bytes", "half", "150%", ""):
        with pytest.raises(UnitError):
            units.parse_point(text)


@pytest.mark.parametrize(
    ("us", "text"),
    [
        (0, "0s"), (850, "850us"), (1_500, "1.5ms"), (250_000, "250ms"), (999_600, "1s"),
        (18_700_000, "18.7s"), (18_658_123, "18.7s"), (20_000_000, "20s"), (59_960_000, "1m"),
        (90_000_000, "1m30s"), (3_725_000_000, "1h2m5s"), (86_400_000_000, "1d"), (-250_000, "-250ms"),
    ],
)  # fmt: skip
def test_durations_are_printed_as_people_read_them(us: int, text: str) -> None:
    assert units.format_duration(us) == text


@pytest.mark.parametrize(
    ("nano", "text"),
    [
        (0, "$0"), (131_000, "$0.00013"), (4_100_000, "$0.0041"), (10_000_000, "$0.01"),
        (500_000_000, "$0.50"), (1_250_000_000, "$1.25"), (2_000_000_000, "$2"),
        (1_000_000_000_000, "$1000"), (-5_500_000, "-$0.0055"),
        (1, "$0.000000001"), (999_900_000, "$1"),
    ],
)  # fmt: skip
def test_money_has_as_many_digits_as_it_needs(nano: int, text: str) -> None:
    assert units.format_usd(nano) == text


@given(st.integers(0, 10**14))
def test_a_printed_duration_reads_back_within_its_last_digit(us: int) -> None:
    back = units.parse_duration_us(units.format_duration(us))
    assert abs(back - us) <= max(1, us // 20)


PARSERS = [
    units.parse_duration_us,
    units.parse_window,
    units.parse_quota,
    units.parse_share,
    units.parse_rate,
    units.parse_slice,
    units.parse_point,
    units.parse_usd_nano,
]
NEAR_MISSES = st.from_regex(r"[0-9.kM]{0,25} ?[a-zA-Z/%]{0,8}[0-9]{0,3}[smh]?", fullmatch=True)


@settings(deadline=None)
@given(st.one_of(st.text(max_size=30), NEAR_MISSES))
def test_any_text_is_a_quantity_or_a_unit_error(text: str) -> None:
    for parse in PARSERS:
        with suppress(UnitError):
            assert parse(text) is not None
