"""`run`: a server for one command; its code, its environment, its silence."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from onerouter_mock.cli import main
from onerouter_mock.cli.run import Record

ROOT = Path(__file__).parent.parent.parent
Captured = pytest.CaptureFixture[str]

ASK = """
import json, os, sys, urllib.error, urllib.request
body = {"model": "gpt-5.1-chat", "messages": [{"role": "user", "content": "hi"}],
        "byok_conf": {"provider": "openai", "credentials": "sk-own-key-7f3a"}}
for _ in range(4):
    headers = {"authorization": "Bearer " + os.environ["OPENAI_API_KEY"], "content-type": "application/json"}
    url = os.environ["OPENAI_BASE_URL"] + "/chat/completions"
    urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), headers)).read()
sys.exit(int(sys.argv[1]))
"""


@pytest.fixture
def ask(tmp_path: Path) -> list[str]:
    path = tmp_path / "ask.py"
    path.write_text(ASK)
    return [sys.executable, str(path)]


def test_run_is_silent_while_all_is_well(ask: list[str], capfd: Captured) -> None:
    assert main(["run", "--scenario", "ratelimit", "--", *ask, "0"]) == 0
    assert capfd.readouterr() == ("", "")


def test_run_passes_the_code_through_and_tells_what_the_mock_saw(ask: list[str], capfd: Captured) -> None:
    assert main(["run", "--scenario", "ratelimit", "--seed", "3", "--", *ask, "5"]) == 5
    out, err = capfd.readouterr()
    lines = err.splitlines()
    assert out == ""
    assert lines[0].endswith("ended with 5; what the mock saw (scenario ratelimit, seed 3)")
    assert "200  byok:openai!rate_limit -> shared:openai" in lines[4]
    assert lines[5].strip().startswith("own-openai: 3/min used up by key …7f3a")
    assert lines[6].startswith("4 calls   own key 3   shared pool 1   nobody 0   credits $")


def test_run_that_saw_no_call_says_so(capfd: Captured) -> None:
    assert main(["run", "--", "false"]) == 1
    assert "no call: the command went to another address" in capfd.readouterr().err


def test_run_writes_every_call_to_the_journal_for_report(
    ask: list[str], tmp_path: Path, capfd: Captured
) -> None:
    path = tmp_path / "calls.jsonl"
    assert main(["run", "--scenario", "ratelimit", "--journal", str(path), "--", *ask, "0"]) == 0
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    assert [entry["id"] for entry in entries] == [1, 2, 3, 4]
    assert all(entry["ending"] == "finish" for entry in entries)
    assert "sk-own-key" not in path.read_text()
    assert main(["report", str(path)]) == 0
    assert capfd.readouterr().out.splitlines()[-1].startswith("4 calls   own key 3   shared pool 1")


def test_run_gives_the_environment_of_env(capfd: Captured) -> None:
    code = (
        "import os; url = os.environ['ONEROUTER_MOCK_URL'];"
        "assert os.environ['OPENAI_BASE_URL'] == os.environ['ONEROUTER_BASE_URL'] == url + '/v1';"
        "assert os.environ['ANTHROPIC_BASE_URL'] == url; assert '127.0.0.1' in os.environ['NO_PROXY']"
    )
    assert main(["run", "--", sys.executable, "-c", code]) == 0
    assert capfd.readouterr().err == ""


def test_run_logs_when_asked(ask: list[str], capfd: Captured) -> None:
    assert main(["run", "--scenario", "ratelimit", "--log", "problems", "--", *ask, "0"]) == 0
    assert "#4  200  byok:openai!rate_limit -> shared:openai" in capfd.readouterr().err


@pytest.mark.parametrize("options", [["all"], ["all", "--log-format", "json"]])
def test_run_does_not_repeat_what_its_log_has_shown(
    ask: list[str], options: list[str], capfd: Captured
) -> None:
    assert main(["run", "--scenario", "ratelimit", "--log", *options, "--", *ask, "5"]) == 5
    lines = capfd.readouterr().err.splitlines()
    is_head = ["ended with 5; what the mock saw: above (scenario ratelimit" in line for line in lines]
    assert [line.count("shared:openai") > 0 for line in lines].count(True) == 1
    assert is_head.index(True) == len(lines) - 2
    assert lines[-1].startswith("4 calls   own key 3   shared pool 1   nobody 0   credits $")


def test_run_tells_at_the_end_what_its_log_of_problems_has_not_shown(ask: list[str], capfd: Captured) -> None:
    assert main(["run", "--scenario", "ratelimit", "--log", "problems", "--", *ask, "5"]) == 5
    numbers = [
        line.split()[1] if " 200 " in line else line.partition(";")[2][:23]
        for line in capfd.readouterr().err.splitlines()
        if " 200 " in line or "what" in line
    ]
    assert numbers == ["#4", " what else the mock saw", "#1", "#2", "#3"]


def test_a_record_keeps_the_last_calls_that_no_log_has_shown() -> None:
    record = Record(None)
    entries: list[Any] = [object() for _ in range(203)]
    for entry in entries[:201]:
        record.see("begin", entry)
    assert record.dropped == 1
    record.leave_out(entries[0])  # a long one, shown when it ended
    record.leave_out(entries[200])
    record.see("begin", entries[201])
    assert record.dropped == 0
    record.see("begin", entries[202])
    assert record.dropped == 1


def test_run_of_a_command_that_is_not_there_is_127(capfd: Captured) -> None:
    assert main(["run", "--", "no-such-command-here"]) == 127
    assert (
        capfd.readouterr().err
        == 'onerouter-mock run: "no-such-command-here" is no command that can be found\n'
    )


def test_run_of_a_file_that_is_no_program_is_126(tmp_path: Path, capfd: Captured) -> None:
    path = tmp_path / "text.txt"
    path.write_text("no program")
    assert main(["run", "--", str(path)]) == 126
    assert "permission denied" in capfd.readouterr().err


def test_run_of_a_killed_command_is_128_and_the_signal(capfd: Captured) -> None:
    assert main(["run", "--", "sh", "-c", "kill -9 $$"]) == 137


def test_run_of_a_broken_scenario_is_2_and_starts_nothing(tmp_path: Path, capfd: Captured) -> None:
    path, made = tmp_path / "broken.yaml", tmp_path / "made"
    path.write_text("sed: 1\n")
    assert main(["run", "--scenario", str(path), "--", "touch", str(made)]) == 2
    assert capfd.readouterr().err == f"{path}:1:1: sed: unknown field 'sed'; did you mean 'seed'?\n"
    assert not made.exists()


def test_run_of_a_strict_command_without_findings_is_0(ask: list[str]) -> None:
    assert main(["run", "--strict", "--", *ask, "0"]) == 0


def test_run_forwards_the_signal_that_ends_it(tmp_path: Path) -> None:
    told = tmp_path / "told"
    script = f"trap 'echo got > {told}; exit 9' TERM; echo ready; while :; do sleep 0.02; done"
    command = [sys.executable, "-m", "onerouter_mock", "run", "--", "sh", "-c", script]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 9
    assert told.read_text() == "got\n"


def test_run_outlives_ctrl_c_to_report(tmp_path: Path) -> None:
    script = "trap 'exit 7' INT; echo ready; while :; do sleep 0.02; done"
    command = [sys.executable, "-m", "onerouter_mock", "run", "--", "sh", "-c", script]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    import os

    time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: the whole group gets it
    _, err = process.communicate(timeout=5)
    assert process.returncode == 7
    assert "ended with 7" in err


def test_run_reloads_a_changed_scenario(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "down.yaml"
    file.write_text("version: 1\n")
    script = (
        f"echo 'rules: [{{error: overloaded}}]' > {file};"
        'until curl -s -H \'Authorization: Bearer any\' -d \'{"model": "gpt-5.1-chat", "messages": '
        '[{"role": "user", "content": "hi"}]}\' $OPENAI_BASE_URL/chat/completions | grep -q \'"error"\';'
        " do sleep 0.05; done"
    )
    assert main(["run", "--watch", "--scenario", str(file), "--", "sh", "-c", script]) == 0
    assert "down.yaml: changed, in force" in capfd.readouterr().err
