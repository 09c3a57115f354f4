"""What `verify` and the assertions say of calls that the journal holds no more: a number is right or refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from asking import OWN, Answered, ask, chat

import onerouter_mock
from onerouter_mock import OneRouterMock
from onerouter_mock.emulator import Emulator, EmulatorOptions
from onerouter_mock.host import Host
from onerouter_mock.library import Library

FELL = "byok:openai!quota -> shared:openai"
GONE = "3 calls were dropped from the journal; raise --journal-size, now 3"
FOUR_QUOTAS = {"rules": [{"when": {"lane": "byok"}, "error": "quota", "times": 4}]}


def serve(**options: Any) -> Host:
    library = Library()
    return Host.start(Emulator(library.load("healthy"), library, options=EmulatorOptions(**options)))


@pytest.fixture(scope="module")
def ring() -> Iterator[OneRouterMock]:
    """Six calls, of which four fell back, and a journal of three."""
    with serve(journal_size=3) as host:
        mock = onerouter_mock.connect(host.url)
        mock.use(FOUR_QUOTAS)
        for _ in range(6):
            chat(mock.base_url, OWN)
        yield mock


def verify(mock: OneRouterMock, body: dict[str, Any]) -> Answered:
    return ask(f"{mock.url}/_mock/verify", "POST", body)


HOLDS: list[dict[str, Any]] = [
    {"fallbacks": 4},
    {"route": "byok:openai", "nth": -1},
    {"route": FELL, "nth": -3},
    {"route": FELL, "nth": 3},
    {"served_by": {"lane": "byok"}, "nth": 5},
    {"routes": ["*", "*", "*", FELL, "byok:openai", "byok:openai"]},
    {"key_used": {"name": "…1234"}},
]
FAILS: list[tuple[dict[str, Any], str]] = [
    ({"fallbacks": 1}, "4 fallbacks (#4, 3 no more in the journal)"),
    ({"route": FELL, "nth": 0}, f"call nth=0 can't be looked at: {GONE}"),
    ({"route": FELL, "nth": -6}, f"call nth=-6 can't be looked at: {GONE}"),
    ({"served_by": {"lane": "shared"}, "nth": 2}, f"call nth=2 can't be looked at: {GONE}"),
    ({"route": FELL, "nth": 6}, "there is no call nth=6: the mock saw 6 calls"),
    ({"route": FELL, "nth": -7}, "there is no call nth=-7: the mock saw 6 calls"),
    ({"routes": [FELL, "byok:openai", "byok:openai"]}, "the mock saw 6 calls, expected were 3 routes"),
    ({"routes": [FELL]}, GONE),
    ({"routes": ["*"] * 4}, "the first too many is byok:openai"),
    ({"routes": ["*"] * 7}, "the mock saw 6 calls, expected were 7 routes"),
    ({"routes": [FELL] * 4 + ["byok:openai"] * 2}, f"the first of the 6 routes can't be looked at: {GONE}"),
    ({"routes": [FELL] * 6}, "call 5 of 6 (#5) took another route"),
    ({"key_used": {"name": "…1234", "times": 3}}, f"used in 3 calls that can be seen; {GONE}"),
    ({"key_used": {"name": "…1234", "times": 6}}, f"used in 3 calls that can be seen; {GONE}"),
    ({"key_used": {"name": "…1234", "times": 2}}, "used in 3 calls or more"),
    ({"key_used": {"name": "…1234", "times": 7}}, "used in 3 calls or more"),
    ({"key_used": {"name": "bob"}}, f"used in no calls that can be seen; {GONE}"),
    ({"key_used": {"name": "bob", "times": 0}}, f"used in no calls that can be seen; {GONE}"),
]  # fmt: skip


@pytest.mark.parametrize("body", HOLDS, ids=str)
def test_what_holds_with_calls_dropped_is_200(ring: OneRouterMock, body: dict[str, Any]) -> None:
    answered = verify(ring, body)
    assert answered.status == 200, answered.text


@pytest.mark.parametrize(("body", "says"), FAILS, ids=str)
def test_what_can_not_be_told_with_calls_dropped_is_409(
    ring: OneRouterMock, body: dict[str, Any], says: str
) -> None:
    answered = verify(ring, body)
    assert answered.status == 409
    assert says in answered.text
    assert f"       … {GONE}\n" in answered.text


def test_a_call_is_made_again_by_its_number_in_the_session(ring: OneRouterMock) -> None:
    assert "--calls 6" in verify(ring, {"route": "x"}).text


def test_where_bytes_are_the_bound_no_larger_size_is_asked_for() -> None:
    with serve(journal_bytes=8_000) as host:
        mock = onerouter_mock.connect(host.url)
        for _ in range(4):
            chat(mock.base_url, OWN)
        text = verify(mock, {"route": "byok:openai", "nth": 0}).text
    assert "dropped from the journal; it holds 0.008 MB at most: verify earlier, or reset in between" in text


def test_with_all_calls_dropped_nobody_is_told_that_there_were_none() -> None:
    with serve(journal_bytes=1) as host:
        mock = onerouter_mock.connect(host.url)
        chat(mock.base_url, OWN)
        with pytest.raises(AssertionError, match="1 call was dropped from the journal"):
            mock.assert_route("byok:openai")


def test_after_the_journal_was_emptied_routes_are_those_since_and_sums_are_those_of_all() -> None:
    with onerouter_mock.serve(FOUR_QUOTAS) as mock:
        for _ in range(2):
            chat(mock.base_url, OWN)
        ask(f"{mock.url}/_mock/calls", "DELETE")
        mock.assert_routes([])
        assert verify(mock, {"fallbacks": 2, "credits_spent": {"min": 0.00001}}).status == 200
        text = verify(mock, {"fallbacks": 0, "route": FELL}).text
        assert "2 fallbacks (2 no more in the journal)" in text
        assert "there is no call nth=-1: the mock saw no calls since its journal was emptied" in text
        assert text.endswith("  … 2 calls, forgotten by DELETE /_mock/calls\n       no call since then")
        with pytest.raises(AssertionError, match="forgotten by DELETE") as failed:
            mock.assert_route(FELL)
        assert "saw no call in this test" not in str(failed.value)
        with pytest.raises(AssertionError, match="the journal is empty"):
            _ = mock.last
        chat(mock.base_url, OWN)
        mock.assert_routes([FELL])
        mock.assert_route(FELL, 0)
        mock.assert_key_used("…1234", times=1)
        assert verify(mock, {"fallbacks": 3}).status == 200
        assert "--calls 3" in verify(mock, {"route": "x"}).text


def test_after_a_reset_there_was_no_call() -> None:
    with onerouter_mock.serve(FOUR_QUOTAS) as mock:
        chat(mock.base_url, OWN)
        mock.reset()
        assert verify(mock, {"fallbacks": 0}).status == 200
        assert verify(mock, {"route": FELL}).text.startswith("the mock saw no call\n")
