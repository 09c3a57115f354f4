"""Told waits and the newest openai package at its defaults: obeyed, and served; in no time where waits jump."""

from __future__ import annotations

import time
from typing import Any

import openai
import pytest
from openai import OpenAI

import onerouter_mock

QUESTION: dict[str, Any] = {
    "model": "gpt-5.1-chat",
    "messages": [{"role": "user", "content": "hi"}],
    "extra_body": {"byok_conf": {"provider": "openai", "credentials": "sk-own-12345678", "fallback": False}},
}
LIMITS = [{"name": "own", "when": {"lane": "byok"}, "requests": "3/min"}]
SERVED, REFUSED = "byok:openai", "byok:openai!rate_limit"


def test_where_waits_jump_an_obedient_client_is_served_in_no_time() -> None:
    with (
        onerouter_mock.serve({"limits": LIMITS}, clock="virtual") as mock,
        OpenAI(base_url=mock.base_url, api_key=mock.api_key) as client,
    ):
        client.chat.completions.create(**QUESTION)  # what only a first call costs: connecting, importing
        began_s = time.monotonic()
        for _ in range(5):
            client.chat.completions.create(**QUESTION)
        took_s = time.monotonic() - began_s
        assert mock.routes == [SERVED] * 3 + [REFUSED, SERVED] * 3
        assert mock.now == 60  # three waits of 20 s
        assert mock.calls[3].wait_ms == 20_000
        assert (mock.calls[3].told_ms, mock.calls[4].sdk_retry) == (1, 1)
    assert took_s < 2  # about 10 ms


def test_where_waits_are_told_it_takes_its_true_time() -> None:
    with (
        onerouter_mock.serve({"limits": LIMITS}, clock="real", speed=20) as mock,
        OpenAI(base_url=mock.base_url, api_key=mock.api_key) as client,
    ):
        client.chat.completions.create(**QUESTION | {"extra_body": {}})  # what only a first call costs
        began_s = time.monotonic()
        for _ in range(4):
            client.chat.completions.create(**QUESTION)
        took_s = time.monotonic() - began_s
        assert mock.routes[1:5] == [SERVED] * 3 + [REFUSED]
        assert mock.routes[-1] == SERVED
    assert 0.99 <= took_s < 5  # 20 s at speed 20


def test_a_client_that_is_refused_for_good_gives_up_without_moving_the_clock_for_others() -> None:
    rule = {"when": {"lane": "byok"}, "error": {"kind": "rate_limit", "retry_after": "20s"}}
    with (
        onerouter_mock.serve({"rules": [rule]}, clock="virtual") as mock,
        OpenAI(base_url=mock.base_url, api_key=mock.api_key) as client,
    ):
        with pytest.raises(openai.RateLimitError):
            client.chat.completions.create(**QUESTION)
        assert mock.routes == [REFUSED] * 3
        assert mock.now == 40  # two retries, each after its wait
