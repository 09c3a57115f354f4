"""Slips of a test's author: each is told as such, with what would be right, and never looks like OneRouter's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from asking import OWN, chat

import onerouter_mock
from onerouter_mock import OneRouterMock, ScenarioError
from onerouter_mock.mock.doubts import doubt

Deed = Callable[[OneRouterMock], Any]


@pytest.fixture
def mock() -> Iterator[OneRouterMock]:
    with onerouter_mock.serve(clock="virtual") as mock:
        yield mock


@pytest.mark.parametrize(
    ("deed", "kind", "words"),
    [
        (lambda m: m.byok.fail("rate_limit", tims=1), TypeError, "'tims' is no word of it; did you mean 'times'?"),
        (lambda m: m.byok.fail("rate_limit", lane="shared"), TypeError, r"mock\.shared\.fail\(\.\.\.\)"),
        (lambda m: m.byok.fail(None), TypeError, r'says nothing; would be right: fail\("rate_limit"\)'),
        (lambda m: m.byok.limit(reqests="3/min"), TypeError, "did you mean 'requests'?"),
        (lambda m: m.byok.slow(dely=1), TypeError, "did you mean 'delay'?"),
        (lambda m: m.byok.cut(aftr="2s"), TypeError, "did you mean 'after'?"),
        (lambda m: m.byok.cut(until_=1, x=2), TypeError, r"'x' is no word of it; .*for_,"),
        (lambda m: m.byok.cut(after=8), ScenarioError, "8 has no unit; would be right: 8 tokens"),
        (lambda m: m.byok.reply(), TypeError, r'would be right: reply\("Forty-two\."\)'),
        (lambda m: m.byok.slow(float("nan")), ValueError, "nan is no duration"),
        (lambda m: m.byok.slow(Decimal("1.5")), TypeError, r"Decimal\('1\.5'\) is no value"),
        (lambda m: m.rule(error=429, when={"prompt": b"x"}), TypeError, "b'x' is no value"),
        (lambda m: m.use(None), ScenarioError, r"test_mock_slips\.py:\d+: scenario: None is none"),
        (lambda m: m.use(b"outage"), ScenarioError, "a name, a path, a dict or YAML text"),
        (lambda m: m.use("outage", sed=7), ScenarioError, r"test_mock_slips\.py:\d+: sed: .* did you mean 'seed'"),
        (lambda m: m.wait_for_calls("1"), TypeError, "'1' is no number of calls"),
        (lambda m: m.wait_for_calls(-1), TypeError, "-1 is no number of calls"),
        (lambda m: m.wait_for_calls(1, timeout="soon"), ValueError, "timeout: 'soon' is no duration"),
        (lambda m: m.assert_routes("byok:openai"), TypeError, r"assert_routes\(\['byok:openai'\]\)"),
        (lambda m: m.assert_served_by(), ScenarioError, "would be right"),
    ],
)  # fmt: skip
def test_a_slip_is_answered_with_the_right_form(
    mock: OneRouterMock, deed: Deed, kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind, match=words):
        deed(mock)


@pytest.mark.parametrize(
    ("deed", "note"),
    [
        (lambda m: m.assert_route("byok:openai!ratelimit"), "'ratelimit' is no error kind; did you mean 'rate_limit'?"),
        (lambda m: m.assert_route("byok:opnai"), "'opnai' is no provider; did you mean 'openai'?"),
        (lambda m: m.assert_route("byk:openai"), "'byk' is no lane; did you mean 'byok'?"),
        (lambda m: m.assert_route("shared:openai~cutt"), "'cutt' is no way to break; did you mean 'cut'?"),
        (lambda m: m.assert_routes(["byok:*", "byok:openai->shared:openai"]),
         "would be right: byok:openai -> shared:openai"),
        (lambda m: m.assert_served_by("pool"), "'pool' is no lane; would be right: byok, shared, router"),
        (lambda m: m.assert_served_by(provider="opnai"), "did you mean 'openai'?"),
        (lambda m: m.assert_key_used("alise"), "no key of this name; did you mean 'alice'?"),
    ],
)  # fmt: skip
def test_what_no_call_could_ever_meet_is_noted_below_the_story(
    mock: OneRouterMock, deed: Deed, note: str
) -> None:
    mock.use({"keys": {"alice": {"match": "sk-alice-*"}}})
    chat(mock.base_url, OWN)
    chat(mock.base_url)
    with pytest.raises(AssertionError) as failed:
        deed(mock)
    last = str(failed.value).splitlines()[-1]
    assert last.startswith("  note: ")
    assert note in last


@pytest.mark.parametrize(
    "expectation",
    [
        {"route": "byok:openai!rate_limit -> shared:azure-ai-foundry(claude-sonnet-4.5)~client_left"},
        {"route": "router!no_provider"},
        {"route": "byok:openai!invalid_key -> router!quota"},
        {"route": "*"},
        {"route": "byok:*!* -> shared:*~cut"},
        {"route": "b*:own"},
        {"routes": ["shared:own", "shared:openai"]},
        {"served_by": {"lane": "shared", "provider": "own", "model": "any"}},
        {"key_used": {"name": "alice"}},
        {"key_used": {"name": "mock-quota"}},
        {"key_used": {"name": "…1234"}},
    ],
)  # fmt: skip
def test_what_a_call_could_meet_is_not_doubted(expectation: dict[str, Any]) -> None:
    assert doubt(expectation, {"providers": {"own": {}}, "keys": {"alice": {"match": "sk-*"}}}) == []


def test_an_expectation_without_a_slip_has_no_note(mock: OneRouterMock) -> None:
    chat(mock.base_url)
    with pytest.raises(AssertionError) as failed:
        mock.assert_route("byok:openai!rate_limit -> shared:openai")
    assert "note:" not in str(failed.value)


def test_waiting_where_no_call_came_tells_the_cures(mock: OneRouterMock) -> None:
    with pytest.raises(AssertionError, match="waited 20ms for 1 call; 0 ended") as failed:
        mock.wait_for_calls(1, timeout=0.02)
    assert "OpenAI(base_url=mock.base_url, api_key=mock.api_key)" in str(failed.value)


def test_an_http_status_of_the_standard_library_is_a_status(mock: OneRouterMock) -> None:
    from http import HTTPStatus

    mock.byok.fail(HTTPStatus.TOO_MANY_REQUESTS)
    chat(mock.base_url, OWN)
    assert mock.last.attempts[0].result == "rate_limit"


def test_a_handle_of_a_former_world_says_what_it_last_saw(mock: OneRouterMock) -> None:
    former = mock.byok.fail("quota")
    chat(mock.base_url, OWN)
    assert former.used == 1
    mock.reset()
    later = mock.byok.fail("quota")
    assert later.name == former.name
    chat(mock.base_url, OWN)
    chat(mock.base_url, OWN)
    assert (former.used, later.used) == (1, 2)
    former.remove()
    chat(mock.base_url, OWN)
    assert later.used == 3


def test_a_limit_of_several_budgets_tells_the_use_of_its_first(mock: OneRouterMock) -> None:
    limit = mock.byok.limit(["3/min", "10/day"], tokens="30k/min")
    chat(mock.base_url, OWN)
    chat(mock.base_url, {**OWN, "credentials": "sk-other-key-5678"})
    assert limit.used == 2


def test_the_clock_of_serve_holds_for_the_scenarios_that_follow() -> None:
    with onerouter_mock.serve("outage", clock="virtual") as mock:
        mock.use("ratelimit")
        assert mock._control.read("clock")["mode"] == "virtual"
        mock.use("clock: real")
        assert mock._control.read("clock")["mode"] == "real"
        mock.use("outage", clock="real")
        assert mock._control.read("clock")["mode"] == "real"


def test_all_calls_of_a_long_test_are_kept(mock: OneRouterMock) -> None:
    large = "x" * 60_000  # 300 of them are more than a server keeps
    for _ in range(300):
        chat(mock.base_url, user=large)
    assert len(mock.wait_for_calls(300)) == len(mock.calls) == 300
    assert mock.calls[0].id == 1


def test_the_call_that_is_meant_is_shown_also_when_many_followed(mock: OneRouterMock) -> None:
    for _ in range(30):
        chat(mock.base_url)
    with pytest.raises(AssertionError) as failed:
        mock.assert_route("shared:anthropic", nth=3)
    story = str(failed.value).splitlines()
    at = next(number for number, line in enumerate(story) if line.startswith("    >"))
    assert "#4 " in story[at]
    assert (story[at - 1].strip(), story[at + 1].strip()) == ("… 3 calls", "… 6 calls")


def test_a_refused_byok_conf_is_not_said_to_be_missing(mock: OneRouterMock) -> None:
    chat(mock.base_url, {"provider": "opnai", "credentials": "sk-own-key-1234"})
    with pytest.raises(AssertionError) as failed:
        mock.assert_route("byok:openai")
    assert "byok_conf.provider" in str(failed.value)
    assert "no call had a byok_conf" not in str(failed.value)
