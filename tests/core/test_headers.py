"""Rate-limit headers in each provider's format, and durations as Go prints them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onerouter_mock.core.catalogue import built_in
from onerouter_mock.core.catalogue.headers import (
    format_go_duration,
    format_rfc3339,
    limit_headers,
    tell_wait_us,
)
from onerouter_mock.core.catalogue.records import Reading

PROVIDERS = built_in().providers
NEW_YEAR_US = 1_767_225_600_000_000
MINUTE_US = 60_000_000
REQUESTS = Reading("requests", limit=3, remaining=2, reset_us=20_000_000, window_us=MINUTE_US)
TOKENS = Reading("tokens", limit=30_000, remaining=29_912, reset_us=176_000, window_us=MINUTE_US)
UNITS_US = {"h": 3_600_000_000, "m": 60_000_000, "s": 1_000_000, "ms": 1000, "µs": 1}


def parse_go_duration(text: str) -> int:
    sign, body = (-1, text[1:]) if text.startswith("-") else (1, text)
    parts = re.findall(r"(\d+(?:\.\d+)?)(h|ms|µs|m|s)", body)
    assert "".join(number + unit for number, unit in parts) == body
    total = 0
    for number, unit in parts:
        whole, _, part = number.partition(".")
        total += int(whole) * UNITS_US[unit]
        total += int(part or 0) * UNITS_US[unit] // 10 ** len(part)
    return sign * total


@pytest.mark.parametrize(
    ("us", "text"),
    [
        (0, "0s"), (1, "1µs"), (999, "999µs"), (1000, "1ms"), (1500, "1.5ms"), (120_000, "120ms"),
        (999_999, "999.999ms"), (1_000_000, "1s"), (18_700_000, "18.7s"), (59_999_999, "59.999999s"),
        (60_000_000, "1m0s"), (90_500_000, "1m30.5s"), (179_560_000, "2m59.56s"), (360_000_000, "6m0s"),
        (3_600_000_000, "1h0m0s"), (3_600_500_000, "1h0m0.5s"), (86_400_000_000, "24h0m0s"),
        (-1_500_000, "-1.5s"),
    ],
)  # fmt: skip
def test_a_duration_is_written_as_go_writes_it(us: int, text: str) -> None:
    assert format_go_duration(us) == text


@given(st.integers(-(10**15), 10**15))
def test_a_go_duration_says_the_exact_time(us: int) -> None:
    assert parse_go_duration(format_go_duration(us)) == us


@given(st.integers(0, 10**14), st.floats(1e-3, 1e6))
def test_a_told_wait_is_whole_milliseconds_and_long_enough(wait_us: int, speed: float) -> None:
    told_us = tell_wait_us(wait_us, speed)
    assert told_us % 1000 == 0
    exact_us = wait_us / speed
    assert exact_us - 0.001 - exact_us * 1e-12 <= told_us < exact_us + 1001


@pytest.mark.parametrize("speed", [1.0, 3.0, 7.0, 10.0, 100.0, 0.1, 0.3, 0.7])
def test_a_wait_that_divides_evenly_costs_no_millisecond_more(speed: float) -> None:
    for told_ms in (1, 30, 187, 460, 18_700, 3_600_000):  # 21 ms / 0.7 is 30.000000000000004 in floats
        assert tell_wait_us(round(told_ms * 1000 * speed), speed) == told_ms * 1000


@pytest.mark.parametrize("slug", ["openai", "groq", "fireworks", "deepinfra", "alibaba", "morph"])
def test_openai_and_its_family_tell_resets_as_durations(slug: str) -> None:
    assert limit_headers(PROVIDERS[slug], [REQUESTS, TOKENS], NEW_YEAR_US, 1.0) == (
        ("x-ratelimit-limit-requests", "3"),
        ("x-ratelimit-remaining-requests", "2"),
        ("x-ratelimit-reset-requests", "20s"),
        ("x-ratelimit-limit-tokens", "30000"),
        ("x-ratelimit-remaining-tokens", "29912"),
        ("x-ratelimit-reset-tokens", "176ms"),
    )


@pytest.mark.parametrize("slug", ["azure-ai-foundry", "x-ai"])
def test_azure_and_xai_tell_no_reset(slug: str) -> None:
    assert limit_headers(PROVIDERS[slug], [REQUESTS], NEW_YEAR_US, 1.0) == (
        ("x-ratelimit-limit-requests", "3"),
        ("x-ratelimit-remaining-requests", "2"),
    )


def test_anthropic_tells_the_instant_up_to_the_second() -> None:
    assert limit_headers(PROVIDERS["anthropic"], [REQUESTS, TOKENS], NEW_YEAR_US, 1.0) == (
        ("anthropic-ratelimit-requests-limit", "3"),
        ("anthropic-ratelimit-requests-remaining", "2"),
        ("anthropic-ratelimit-requests-reset", "2026-01-01T00:00:20Z"),
        ("anthropic-ratelimit-tokens-limit", "30000"),
        ("anthropic-ratelimit-tokens-remaining", "29912"),
        ("anthropic-ratelimit-tokens-reset", "2026-01-01T00:00:01Z"),
    )


def test_mistral_counts_tokens_by_size_and_requests_by_window() -> None:
    assert limit_headers(PROVIDERS["mistral"], [REQUESTS, TOKENS], NEW_YEAR_US, 1.0) == (
        ("x-ratelimit-limit-req-minute", "3"),
        ("x-ratelimit-remaining-req-minute", "2"),
        ("x-ratelimitbysize-limit-minute", "30000"),
        ("x-ratelimitbysize-remaining-minute", "29912"),
        ("ratelimitbysize-limit", "30000"),
        ("ratelimitbysize-remaining", "29912"),
        ("ratelimitbysize-reset", "1"),
    )
    second = Reading("requests", 5, 4, 200_000, 1_000_000)
    assert limit_headers(PROVIDERS["mistral"], [second], 0, 1.0)[0] == ("x-ratelimit-limit-req-second", "5")


@pytest.mark.parametrize("slug", ["google-ai-studio", "google-vertex", "aws-bedrock", "deepseek"])
def test_some_tell_nothing(slug: str) -> None:
    assert limit_headers(PROVIDERS[slug], [REQUESTS, TOKENS], NEW_YEAR_US, 1.0) == ()


def test_resets_are_divided_by_speed() -> None:
    openai = dict(limit_headers(PROVIDERS["openai"], [REQUESTS], NEW_YEAR_US, 10.0))
    anthropic = dict(limit_headers(PROVIDERS["anthropic"], [REQUESTS], NEW_YEAR_US, 10.0))
    assert openai["x-ratelimit-reset-requests"] == "2s"
    assert anthropic["anthropic-ratelimit-requests-reset"] == "2026-01-01T00:00:02Z"


def test_a_quota_has_no_reset_and_money_no_header() -> None:
    quota, money = Reading("requests", 5, 4), Reading("usd", 2_000_000_000, 1)
    assert limit_headers(PROVIDERS["openai"], [quota, money], NEW_YEAR_US, 1.0) == (
        ("x-ratelimit-limit-requests", "5"),
        ("x-ratelimit-remaining-requests", "4"),
    )
    assert limit_headers(PROVIDERS["openai"], [], NEW_YEAR_US, 1.0) == ()


def test_a_clock_moved_beyond_all_years_breaks_nothing() -> None:
    assert format_rfc3339(10**20) == "9999-12-31T23:59:59Z"
    assert format_rfc3339(NEW_YEAR_US + 1) == "2026-01-01T00:00:01Z"


@given(st.sampled_from(sorted(PROVIDERS)), st.integers(0, 10**13), st.floats(1e-3, 1e6))
def test_header_values_are_plain_ascii(slug: str, reset_us: int, speed: float) -> None:
    reading = Reading("tokens", 10, 5, reset_us, MINUTE_US)
    for name, value in limit_headers(PROVIDERS[slug], [reading], NEW_YEAR_US, speed):
        assert re.fullmatch(r"[a-z-]+", name)
        assert re.fullmatch(r"[0-9a-zA-Z:.-]+", value)
