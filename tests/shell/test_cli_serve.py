"""`serve` as its own process: ready line and file, signals, a taken port, pipes that nobody reads."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from onerouter_mock.cli import main

ROOT = Path(__file__).parent.parent.parent
Captured = pytest.CaptureFixture[str]
Server = subprocess.Popen[str]
READY = re.compile(
    r"onerouter-mock ready on (http://127\.0\.0\.1:(\d+))/v1 \(scenario: (\S+), seed: (-?\d+)\)\n"
)
BODY = {
    "model": "gpt-5.1-chat",
    "messages": [{"role": "user", "content": "hi"}],
    "byok_conf": {"provider": "openai", "credentials": "sk-own-key-7f3a"},
}


@contextmanager
def serving(*words: str, stderr: Any = subprocess.PIPE) -> Iterator[tuple[Server, str, int]]:
    """A server in a process of its own: the process, its root address, its port."""
    command = [sys.executable, "-m", "onerouter_mock", *words, "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=stderr, text=True) as process:
        try:
            assert process.stdout is not None
            found = READY.fullmatch(process.stdout.readline())
            assert found is not None
            yield process, found[1], int(found[2])
        finally:
            process.kill()


def ask(port: int, calls: int, **more: Any) -> list[int]:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    statuses = []
    headers = {"authorization": "Bearer any", "content-type": "application/json"}
    for _ in range(calls):
        connection.request("POST", "/v1/chat/completions", json.dumps(BODY | more), headers)
        response = connection.getresponse()
        response.read()
        statuses.append(response.status)
    connection.close()
    return statuses


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, str, int, Path]]:
    ready = tmp_path_factory.mktemp("serve") / "ready.json"
    words = ("--scenario", "ratelimit", "--seed", "7", "--ready-file", str(ready), "--no-trace-header")
    with serving(*words) as (process, url, port):
        yield process, url, port, ready


def test_ready_file_tells_where_and_who(served: tuple[Server, str, int, Path]) -> None:
    process, url, _, ready = served
    assert json.loads(ready.read_text()) == {"url": url, "base_url": f"{url}/v1", "pid": process.pid}


def test_health_and_wait_find_it(served: tuple[Server, str, int, Path], capsys: Captured) -> None:
    _, url, _, _ = served
    assert main(["health", f"{url}/v1"]) == 0
    assert main(["wait", url, "--timeout", "1s"]) == 0
    assert capsys.readouterr().out == f"ready: {url}\nready: {url}\n"


def test_a_taken_port_is_3_and_tells_who_sits_there(
    served: tuple[Server, str, int, Path], capsys: Captured
) -> None:
    process, _, port, _ = served
    assert main(["serve", "--port", str(port)]) == 3
    sits = f"by another onerouter-mock (scenario ratelimit, pid {process.pid})"
    taken = f"can't listen on 127.0.0.1:{port}: the port is taken {sits}"
    assert capsys.readouterr().err == f"{taken}; would be right: --port 0 for a free one\n"


def test_report_shows_a_running_server(served: tuple[Server, str, int, Path], capsys: Captured) -> None:
    _, url, port, _ = served
    assert main(["report", f"{url}/s/report/v1"]) == 0
    assert capsys.readouterr().out == "no calls yet\n"
    assert ask(port, 4) == [200] * 4
    assert main(["report", url]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "byok:openai!rate_limit -> shared:openai" in lines[3]
    assert lines[-1].startswith("4 calls   own key 3   shared pool 1   nobody 0   credits $")


def test_report_of_nobody_is_4(capsys: Captured) -> None:
    assert main(["report", "http://127.0.0.1:1"]) == 4
    assert capsys.readouterr().err == "http://127.0.0.1:1: connection refused\n"


def test_flags_reach_the_server(served: tuple[Server, str, int, Path]) -> None:
    _, _, port, _ = served
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", "/v1/models")
    response = connection.getresponse()
    response.read()
    connection.close()
    assert response.getheader("x-onerouter-mock-route") is None


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_with_a_sum_and_cleans_up(number: int, code: int, tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    with serving("--log", "all", "--ready-file", str(ready)) as (process, url, port):
        assert ask(port, 1, byok_conf=None) == [200]
        process.send_signal(number)
        out, err = process.communicate(timeout=5)
    assert process.returncode == code
    assert out == ""
    assert not ready.exists()
    story, watch, blank, call, last = err.splitlines()
    assert story == "  Nothing goes wrong: your own keys work, the shared pool works, the credits last."
    assert watch == f"  watch: {url}/    stop: Ctrl-C"
    assert blank == ""
    assert "#1  200  shared:openai" in call
    assert re.match(r"1 call in \S+   own key 0   shared pool 1   nobody 0   credits \$0\.000", last)


def test_nobody_waits_for_a_console_that_nobody_reads() -> None:
    with serving("--scenario", "ratelimit", "--log", "all") as (process, _, port):
        assert set(ask(port, 600)) == {200}
        process.send_signal(signal.SIGINT)
        assert process.wait(5) == 130


def test_a_host_for_all_is_warned_of(capfd: Captured) -> None:
    with serving("--host", "0.0.0.0", "--log", "off") as (process, _, _):
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=5)
    assert err.startswith("warning: --host 0.0.0.0: ")
    assert len(err.splitlines()) == 1


def test_a_host_that_is_not_ours_is_3(capsys: Captured) -> None:
    assert main(["serve", "--host", "192.0.2.1", "--port", "0"]) == 3
    assert capsys.readouterr().err.startswith("can't listen on 192.0.2.1:0: ")


def test_a_ready_file_that_cannot_be_written_is_told(tmp_path: Path, capfd: Captured) -> None:
    assert main(["serve", "--port", "0", "--ready-file", str(tmp_path / "no" / "ready.json")]) == 2
    assert "--ready-file" in capfd.readouterr().err


def test_an_unknown_scenario_is_2_and_names_the_nearest(capsys: Captured) -> None:
    assert main(["--scenario", "ratelimits"]) == 2
    assert capsys.readouterr().err == "scenario: no scenario 'ratelimits'; did you mean 'ratelimit'?\n"
