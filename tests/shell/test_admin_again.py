"""The `again` line of a failed expectation: pasted into a shell, it shows the route of the call; or it says why
no single command can.
"""

from __future__ import annotations

import contextlib
import re
import shlex
import subprocess
import threading
import time
from http.client import IncompleteRead
from pathlib import Path
from typing import Any

import pytest
from asking import ask, chat

import onerouter_mock
from onerouter_mock import OneRouterMock
from onerouter_mock.cli import main
from onerouter_mock.emulator import Emulator, EmulatorOptions
from onerouter_mock.host import Host
from onerouter_mock.library import Library

SECRET, ROUTER_SECRET = "sk-REALSECRET-abcdefgh7f3a", "sk-or-REALROUTER-12345678"
OWN = {"provider": "openai", "credentials": SECRET}
FAILS_OWN = {"rules": [{"when": {"lane": "byok"}, "error": "quota"}]}
BROKE = {"accounts": {"broke": {"match": "sk-or-REAL*", "credits": 0}}}
FALL_BACK = {"fallback_models": ["anthropic/claude-sonnet-4.5"]}
AZURE = {
    "provider": "azure-ai-foundry",
    "credentials": {
        "api_key": SECRET,
        "endpoint_url": "https://REALSECRET.example/chat/completions?api-version=1",
    },
}
LONG = [{"role": "system", "content": "s" * 700}, {"role": "user", "content": "how is the weather? " * 50}]

Shown = pytest.CaptureFixture[str]


class Shell:
    """Where a command is pasted; `onerouter-mock` runs in this process."""

    def __init__(self, folder: Path, shown: Shown) -> None:
        self.folder, self.shown = folder, shown

    def last_row(self, command: str) -> tuple[int | None, str]:
        """Status and route of the last call that the command shows."""
        *writes, explain = command.split("; onerouter-mock ")
        for write in writes:
            subprocess.run(["sh", "-c", write], cwd=self.folder, check=True)
        with contextlib.chdir(self.folder):
            words = explain.removeprefix("onerouter-mock ")
            assert main(shlex.split(words)) == 0, self.shown.readouterr().err
        rows = re.findall(r"^ +[\d.]+s +#\d+ +(\d+|---)  (.*)$", self.shown.readouterr().out, re.M)
        status, rest = rows[-1]
        return int(status) if status.isdigit() else None, re.split(" {2,}", rest)[0]


@pytest.fixture
def shell(tmp_path: Path, capsys: Shown) -> Shell:
    return Shell(tmp_path, capsys)


def again(mock: OneRouterMock, nth: int = -1) -> str | None:
    answered = ask(f"{mock.url}/_mock/verify", "POST", {"route": "nothing", "nth": nth})
    assert answered.status == 409, answered.text
    assert "REALSECRET" not in answered.text
    assert "REALROUTER" not in answered.text.replace("sk-or-REAL*", "")
    found = re.search("^  again:   (.*)$", answered.text, re.M)
    return found[1] if found else None


def send(mock: OneRouterMock, request: Any, key: str | None = ROUTER_SECRET) -> None:
    """A duration lets time pass."""
    if isinstance(request, str):
        mock.advance(request)
        return
    headers = {"Authorization": f"Bearer {key}"} if key is not None else {"Authorization": ""}
    with contextlib.suppress(IncompleteRead):
        chat(mock.base_url, None, headers, **request)


def own(**more: Any) -> dict[str, Any]:
    return {"byok_conf": OWN, **more}


REPLAYED: dict[str, tuple[Any, list[Any]]] = {
    "an ordinary call": ("ratelimit", [own()] * 4),
    "provider.only": (FAILS_OWN, [own(provider={"only": ["azure-ai-foundry"]})]),
    "fallback_models, with an own key": ("model-fallback", [own(**FALL_BACK)]),
    "fallback_models, without": ("model-fallback", [FALL_BACK]),
    "a rule that reads the prompt": (
        {"rules": [{"when": {"prompt": "*weather*", "lane": "byok"}, "error": "quota"}]},
        [own(messages=[{"role": "user", "content": "weather?\n'\\n"}])],
    ),
    "signs that no line may hold": (
        FAILS_OWN,
        [own(messages=[{"role": "user", "content": "a\u2028b\x9b31m"}], user="\u0085")],
    ),
    "a long prompt": (
        {"rules": [{"when": {"prompt": "*weather*", "lane": "byok"}, "error": "quota"}]},
        [own(messages=LONG, tools=[{"type": "function", "function": {"name": "n" * 60, "description": "d" * 900}}])],
    ),
    "max_tokens and a token limit": (
        {"limits": [{"when": {"lane": "byok"}, "tokens": "1k/min"}]},
        [own(max_tokens=5000)],
    ),
    "even gaps": ("ratelimit", [own(), "7s", own(), "7s", own(), "7s", own()]),
    "hours between": (FAILS_OWN, [own(), "2h5m", own()]),
    "a minute, and then as at first": ("ratelimit", [*[own()] * 4, "61s", *[own()] * 4]),
    "an account without credits": (BROKE, [{}]),
    "two keys in turn": (
        "ratelimit",
        [own(byok_conf={**OWN, "credentials": f"{SECRET}-{who}"}) for who in "aaabbb"],
    ),
    "other words before it": (
        {
            "rules": [{"when": {"prompt": "bad", "lane": "byok"}, "error": "quota"}],
            "limits": [{"when": {"lane": "byok"}, "requests": "3/min"}],
        },
        [own(messages=[{"role": "user", "content": text}]) for text in ("1", "bad", "3", "4")],
    ),
    "other calls before it": (FAILS_OWN, [{}, {"model": "gpt-5-chat"}, own()]),
    "an own key of a rule": (
        {"rules": [{"when": {"key": "sk-REAL*"}, "error": "quota"}]},
        [own(), own(stream=True)],
    ),
    "a test key": ("healthy", [own(byok_conf={**OWN, "credentials": "sk-mock-overloaded"})]),
    "a stream": ("midstream-cut", [own(stream=True)]),
    "a model with its vendor": ("ratelimit", [own(model="openai/gpt-5.1-chat")] * 4),
    "an own key as an object": (FAILS_OWN, [own(byok_conf=AZURE)]),
    "an own key as an object, and more": (FAILS_OWN, [own(byok_conf=AZURE, max_tokens=9)]),
    "an own key of the wrong shape": ("healthy", [own(byok_conf={**OWN, "credentials": {"k": SECRET}})]),
    "an own key in the wrong place": ("healthy", [own(byok_conf=SECRET)]),
    "no messages": ("healthy", [own(messages=[])]),
    "a scenario that says nothing": ({}, [own()]),
}  # fmt: skip


@pytest.mark.parametrize("name", REPLAYED)
def test_the_command_shows_the_route_of_the_call(shell: Shell, name: str) -> None:
    scenario, requests = REPLAYED[name]
    with onerouter_mock.serve(scenario, clock="virtual") as mock:
        for request in requests:
            send(mock, request)
        command, last = again(mock), mock.last
    assert command is not None
    assert "onerouter-mock explain " in command
    assert len(command) < 1_000
    assert shell.last_row(command) == (last.status, last.route)


@pytest.mark.parametrize("body", [{}, {"model": 5}, {"model": "a\nb", **own()}, {"byok_conf": None}], ids=str)
def test_the_command_sends_a_strange_body_as_it_came(shell: Shell, body: dict[str, Any]) -> None:
    with onerouter_mock.serve(clock="virtual") as mock:
        ask(f"{mock.base_url}/chat/completions", "POST", body, {"Authorization": "Bearer any"})
        command, last = again(mock), mock.last
    assert last.route == "router!invalid_request"
    assert "request.json" in (command or "")
    assert shell.last_row(command or "") == (last.status, last.route)


@pytest.mark.parametrize("sent", [True, False, None])
@pytest.mark.parametrize("forced", [True, False])
@pytest.mark.parametrize("more", [{}, {"max_tokens": 7}], ids=str)
def test_the_command_falls_back_as_the_server_was_told_to(
    shell: Shell, sent: bool | None, forced: bool, more: dict[str, Any]
) -> None:
    library = Library()
    options = EmulatorOptions(force_fallback=forced, clock="virtual", seed=7, wire="observed")
    with Host.start(Emulator(library.load("ratelimit"), library, options=options)) as host:
        mock = onerouter_mock.connect(host.url)
        for _ in range(4):
            send(mock, own(byok_conf={**OWN, **({} if sent is None else {"fallback": sent})}, **more))
        command, last = again(mock), mock.last
    assert last.route == "byok:openai!rate_limit" + (" -> shared:openai" if forced else "")
    assert shell.last_row(command or "") == (last.status, last.route)


@pytest.mark.parametrize("key", [None, "sk-mock-timeout", "sk-nobody"], ids=str)
def test_the_command_comes_with_a_key_of_the_same_account(shell: Shell, key: str | None) -> None:
    with onerouter_mock.serve({**BROKE, "auth": "listed"}, clock="virtual") as mock:
        send(mock, {}, key)
        command, last = again(mock), mock.last
    assert last.route.startswith("router!")
    assert shell.last_row(command or "") == (last.status, last.route)


def test_the_command_shows_a_call_before_the_last(shell: Shell) -> None:
    with onerouter_mock.serve("ratelimit", clock="virtual") as mock:
        for _ in range(6):
            send(mock, own())
        command = again(mock, 2)
    assert command == "onerouter-mock explain ratelimit --calls 3"


def test_the_command_shows_what_a_rule_did_that_was_added_after_other_calls(shell: Shell) -> None:
    with onerouter_mock.serve("healthy", clock="virtual") as mock:
        send(mock, own())
        mock.byok.fail("overloaded")
        send(mock, own())
        command, last = again(mock), mock.last
    assert shell.last_row(command or "") == (last.status, last.route)


def test_the_model_of_the_command_is_the_one_that_was_asked() -> None:
    with onerouter_mock.serve("model-fallback", clock="virtual") as mock:
        send(mock, own(**FALL_BACK))
        assert "--model" not in (again(mock) or "")
        assert '"model": "gpt-5.1-chat"' in (again(mock) or "")


REST = {"cooldown": {"failures": 1, "for": "60s"}}
HEADER = {"rules": [{"when": {"lane": "byok", "header": {"x-title": "app"}}, "error": "quota"}]}
NOT_REPLAYED: dict[str, tuple[Any, list[Any], str]] = {
    "uneven gaps": (
        "ratelimit",
        [*[own()] * 4, "20s", *[own()] * 2],
        "time passed unevenly between the calls",
    ),
    "a late begin": (
        {"rules": [{"when": {"lane": "byok"}, "after": "30s", "error": "quota"}]},
        ["40s", own()],
        "time had passed before the first call",
    ),
    "calls of others": (
        {"rules": [{"when": {"lane": "shared", "prompt": "bad"}, "error": "overloaded"}], "router": REST},
        [{"messages": [{"role": "user", "content": "bad"}], "max_tokens": 5}, {}],
        "calls with other keys or requests came before it",
    ),
    "a long request": (
        {"limits": [{"when": {"lane": "byok"}, "tokens": "1k/min"}]},
        [own(messages=[{"role": "user", "content": "word " * 4000}])],
        "the request is too long for a line",
    ),
    "a long scenario": (
        {"rules": [{"when": {"prompt": "p" * 500, "model": [f"{n:0500}"]}, "error": "quota"} for n in "12"]},
        [own()],
        "the scenario is too long for a line",
    ),
}


@pytest.mark.parametrize("name", NOT_REPLAYED)
def test_where_no_command_shows_the_route_none_is_told(name: str) -> None:
    scenario, requests, why = NOT_REPLAYED[name]
    with onerouter_mock.serve(scenario, clock="virtual") as mock:
        for request in requests:
            send(mock, request)
        assert again(mock) == f"not with one command: {why}"


def test_a_rule_that_reads_a_header_is_told() -> None:
    with onerouter_mock.serve(HEADER, clock="virtual") as mock:
        chat(mock.base_url, OWN, {"Authorization": "Bearer any", "X-Title": "app"})
        assert (
            again(mock) == "not with one command: a rule looks at the header x-title, and explain sends none"
        )


def test_a_rule_that_is_no_longer_in_force_is_told() -> None:
    with onerouter_mock.serve("healthy", clock="virtual") as mock:
        with mock.byok.fail("quota"):
            send(mock, own())
        assert again(mock) == "not with one command: rule byok-fail, which failed it, is no longer in force"
        mock.use("outage")
        send(mock, own())
        assert again(mock) == "onerouter-mock explain outage --calls 1"
        mock.use("healthy")
        assert again(mock) == "not with one command: rule openai-503, which failed it, is no longer in force"


def test_calls_at_the_same_time_are_told() -> None:
    scenario = {"limits": [{"when": {"lane": "byok"}, "concurrency": 1}], "rules": [{"delay": "300ms"}]}
    with onerouter_mock.serve(scenario, clock="real") as mock:
        threads = [threading.Thread(target=send, args=(mock, own())) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert mock.last.route == "byok:openai!rate_limit -> shared:openai"
        assert again(mock) == "not with one command: calls ran at the same time"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"hello", b'{"seed": 1e999}'], ids=str)
def test_a_body_that_is_no_json_has_no_command_and_no_advice(body: bytes) -> None:
    with onerouter_mock.serve() as mock:
        ask(f"{mock.base_url}/chat/completions", "POST", body, {"Authorization": "Bearer any"})
        assert mock.last.route == "router!invalid_request"
        story = ask(f"{mock.url}/_mock/verify", "POST", {"route": "byok:openai"}).text
    assert "again:" not in story
    assert "byok_conf" not in story


def test_a_call_without_an_own_key_is_still_told_of_it() -> None:
    with onerouter_mock.serve() as mock:
        send(mock, {})
        story = ask(f"{mock.url}/_mock/verify", "POST", {"route": "byok:openai"}).text
    assert "; no call had a byok_conf (in the OpenAI SDK for Python it goes into extra_body)" in story


def test_many_calls_are_not_played_again_for_long() -> None:
    with onerouter_mock.serve("ratelimit", clock="virtual") as mock:
        for _ in range(200):
            send(mock, own())
        began = time.monotonic()
        assert again(mock) == "onerouter-mock explain ratelimit --calls 200"
        assert time.monotonic() - began < 2
