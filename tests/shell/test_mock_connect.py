"""`OneRouterMock` over HTTP: a server that runs already, or a session of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from asking import OWN, ask, chat

import onerouter_mock
from onerouter_mock import OneRouterMock, ScenarioError
from onerouter_mock.emulator import Emulator, EmulatorOptions
from onerouter_mock.host import Host
from onerouter_mock.library import Library


@pytest.fixture
def mock() -> Iterator[OneRouterMock]:
    with onerouter_mock.serve(clock="virtual") as mock:
        yield mock


def test_connect_has_the_same_members_over_http(mock: OneRouterMock) -> None:
    assert onerouter_mock.connect(mock.base_url, session="far@outage").url == f"{mock.url}/s/far@outage"


@pytest.mark.parametrize("text", ["tests/test_a.py::test_b[x y]", "far away?", "a" * 129, "ü@outage", "?"])
def test_any_text_names_a_session_of_its_own(mock: OneRouterMock, text: str) -> None:
    far, again, other = (onerouter_mock.connect(mock.url, session=name) for name in (text, text, text + "!"))
    assert chat(far.base_url).status == 200
    assert len(far.calls) == len(again.calls) == 1
    assert (other.calls, mock.calls) == ([], [])


def test_connect_scripts_and_asserts_a_session_of_a_running_server(mock: OneRouterMock) -> None:
    with onerouter_mock.connect(mock.url, session="far") as far:
        far.use("ratelimit", clock="virtual")
        fault = far.shared.fail(500, times=1)
        for _ in range(4):
            chat(far.base_url, OWN)
        assert fault.used == 1
        assert far.last.attempts[1].result == "server_error"
        far.assert_route("byok:openai!rate_limit -> shared:openai!server_error -> *")
        assert (far.fallbacks, len(far.calls), far.now) == (1, 4, 0)
        far.advance("1m")
        assert far.now == 60
        with pytest.raises(AssertionError, match="took another route"):
            far.assert_route("byok:openai")
        with pytest.raises(ScenarioError, match="did you mean 'rate_limit'"):
            far.byok.fail("rate_limt")
        with pytest.raises(AssertionError, match="waited 10ms"):
            far.wait_for_calls(9, timeout=0.01)
        fault.remove()
    assert mock.calls == []


def test_connect_where_nobody_answers_says_so() -> None:
    far = onerouter_mock.connect("http://127.0.0.1:9")
    with pytest.raises(onerouter_mock.MockError, match=r"no mock answers at http://127\.0\.0\.1:9"):
        _ = far.calls


def test_a_session_that_begins_with_a_scenario_of_its_own_is_no_moment_old(mock: OneRouterMock) -> None:
    with onerouter_mock.serve() as server:  # on the real clock
        far = onerouter_mock.connect(server.url, session="new")
        far.use("healthy", clock="virtual")
        far.advance("61s")
        assert far.now == 61


def test_a_scenario_file_of_ours_is_sent_as_text_and_its_mistakes_are_told_here(
    mock: OneRouterMock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own.yaml").write_text("rules: [{when: {lane: byok}, error: quota}]\n")
    monkeypatch.chdir(tmp_path)
    far = onerouter_mock.connect(mock.url)
    far.use("own.yaml")
    chat(far.base_url, OWN)
    assert far.last.route == "byok:openai!quota -> shared:openai"
    with pytest.raises(ScenarioError, match=r"'nowhere\.yaml' is not found; looked in"):
        far.use("nowhere.yaml")
    with pytest.raises(ScenarioError, match=r"test_mock_connect\.py:\d+: seed: '7' is text"):
        far.use("own.yaml", seed="7")


def test_calls_that_the_journal_has_dropped_were_seen_all_the_same() -> None:
    library = Library()
    emulator = Emulator(library.load("healthy"), library, options=EmulatorOptions(journal_size=3))
    with Host.start(emulator) as host:
        far = onerouter_mock.connect(host.url)
        for _ in range(5):
            chat(far.base_url)
        assert [call.id for call in far.wait_for_calls(5)] == [3, 4, 5]
        with pytest.raises(AssertionError, match="2 calls were dropped from the journal"):
            far.assert_routes(["shared:openai"] * 5)


def test_the_front_door_still_answers(mock: OneRouterMock) -> None:
    assert ask(f"{mock.url}/healthz").json["status"] == "ok"


@pytest.mark.parametrize(
    ("url", "session", "said"),
    [
        ("nowhere", None, 'url: "nowhere" is no address; would be right: http://127.0.0.1:4117'),
        ("", None, "is no address"),
        ("ftp://127.0.0.1:1", None, "is no address"),
        ("http://127.0.0.1:1/x/y", None, "has a path that leads nowhere; would be right: http://127.0.0.1:1"),
        ("http://127.0.0.1:1/s/a", "b", "names a session, and so does the argument"),
    ],
)
def test_what_is_no_address_is_refused_at_once(url: str, session: str | None, said: str) -> None:
    with pytest.raises(onerouter_mock.MockError, match=re.escape(said)):
        onerouter_mock.connect(url, session=session)


def test_an_address_may_lack_its_scheme(mock: OneRouterMock) -> None:
    far = onerouter_mock.connect(mock.url.removeprefix("http://") + "/v1/", session="bare")
    assert far.url == f"{mock.url}/s/bare"
    assert len(far.calls) == 0
