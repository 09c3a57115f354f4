"""What the command line says to words it knows, and to words it does not."""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

from onerouter_mock import __version__
from onerouter_mock.cli import COMMANDS, main
from onerouter_mock.cli.options import SERVE, parse

ROOT = Path(__file__).parent.parent.parent
Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _no_twins(monkeypatch: pytest.MonkeyPatch) -> None:
    for option, *_ in SERVE:
        monkeypatch.delenv(f"ONEROUTER_MOCK_{option.strip('-').replace('-', '_').upper()}", raising=False)
    monkeypatch.delenv("ONEROUTER_MOCK_URL", raising=False)


def test_version_is_one_line(capsys: Captured) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"onerouter-mock {__version__}\n"


def test_help_names_every_command(capsys: Captured) -> None:
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    assert not [command for command in COMMANDS if f" {command} " not in out]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, capsys: Captured) -> None:
    assert main([command, "--help"]) == 0
    assert capsys.readouterr().out.startswith(
        f"usage: onerouter-mock {'[serve]' if command == 'serve' else command}"
    )


def test_help_of_serve_names_every_option(capsys: Captured) -> None:
    main(["--port", "0", "--help"])
    out = capsys.readouterr().out
    assert not [option for option, *_ in SERVE if option not in out]


WRONG = {
    "serv": '"serv" is no command; did you mean "serve"?',
    "--prt 1": 'unknown option "--prt"; did you mean "--port"?',
    "serve extra": 'unknown argument "extra"',
    "--port": "--port is without its value",
    "--port x": '--port: "x" is no port; would be right: a whole number from 0 to 65535',
    "--port 65536": '--port: "65536" is no port; would be right: a whole number from 0 to 65535',
    "--seed 1.5": '--seed: "1.5" is no seed; would be right: a whole number',
    "--speed 0": '--speed: "0" is no speed; would be right: a number above 0, as 10 or 0.5',
    "--speed inf": '--speed: "inf" is no speed; would be right: a number above 0, as 10 or 0.5',
    "--clock slow": '--clock: "slow" is no clock; would be right: real, virtual',
    "--waits no": '--waits: "no" is no kind of waits; would be right: told, jump',
    "--wire x": '--wire: "x" is no wire; would be right: documented, observed',
    "--log loud": '--log: "loud" is no log; would be right: all, problems, off',
    "--force-fallback yes": '--force-fallback: "yes" is neither; would be right: true, false',
    "--session-limit 0": '--session-limit: "0" is no limit; would be right: a whole number from 1',
    "show": "NAME is missing",
    "check": "FILE is missing",
    "run": "CMD is missing; would be right: onerouter-mock run -- pytest -q",
    "run --": "CMD is missing; would be right: onerouter-mock run -- pytest -q",
    "run pytest": "CMD is missing; would be right: onerouter-mock run -- pytest -q",
    "wait --timeout 10": "10 has no unit; would be right: 10s",
    "explain x --calls 0": '--calls: "0" is no number; would be right: a whole number from 1 to 10000',
    "health ftp://x": '"ftp://x" is no address; would be right: http://127.0.0.1:4117',
    "env http://x/v2": '"http://x/v2" has a path that leads nowhere; would be right: http://x',
}


@pytest.mark.parametrize("words", WRONG)
def test_a_wrong_word_gets_one_line_and_what_would_be_right(words: str, capsys: Captured) -> None:
    assert main(words.split()) == 2
    out, err = capsys.readouterr()
    first, *hint = err.splitlines()
    assert WRONG[words] in first
    assert len(hint) <= 1
    assert out == ""


def test_words_after_two_dashes_belong_to_the_command() -> None:
    args = parse(["run", "--strict"], ["pytest", "--seed", "3", "--", "-x"])
    assert args is not None
    assert (args.strict, args.seed, args.tail) == (True, None, ["pytest", "--seed", "3", "--", "-x"])


TWINS = {
    "SCENARIO": ("ratelimit", "scenario", "ratelimit"),
    "SCENARIO_DIR": ("somewhere", "scenario_dir", "somewhere"),
    "HOST": ("::1", "host", "::1"),
    "PORT": ("0", "port", 0),
    "SEED": ("7", "seed", 7),
    "SPEED": ("2.5", "speed", 2.5),
    "CLOCK": ("virtual", "clock", "virtual"),
    "WAITS": ("jump", "waits", "jump"),
    "WIRE": ("observed", "wire", "observed"),
    "FORCE_FALLBACK": ("false", "force_fallback", False),
    "ALLOW_HOST": ("a.example,b.example", "allow_host", ["a.example", "b.example"]),
    "SESSION_LIMIT": ("5", "session_limit", 5),
    "JOURNAL_SIZE": ("6", "journal_size", 6),
    "READY_FILE": ("r.json", "ready_file", "r.json"),
    "LOG": ("off", "log", "off"),
    "LOG_FORMAT": ("json", "log_format", "json"),
    "NO_TRACE_HEADER": ("1", "no_trace_header", True),
    "WATCH": ("true", "watch", True),
}


def test_every_flag_of_serve_has_a_twin() -> None:
    assert {option.strip("-").replace("-", "_").upper() for option, *_ in SERVE} == set(TWINS)


@pytest.mark.parametrize("name", TWINS)
def test_a_twin_says_what_its_flag_would(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text, dest, value = TWINS[name]
    monkeypatch.setenv(f"ONEROUTER_MOCK_{name}", text)
    assert getattr(parse(["serve"], None), dest) == value


def test_a_flag_wins_over_its_twin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONEROUTER_MOCK_SEED", "7")
    args = parse(["serve", "--seed", "0"], None)
    assert args is not None
    assert args.seed == 0


def test_an_empty_twin_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONEROUTER_MOCK_PORT", "")
    args = parse(["serve"], None)
    assert args is not None
    assert args.port is None


def test_a_wrong_twin_is_named(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    monkeypatch.setenv("ONEROUTER_MOCK_PORT", "many")
    assert main([]) == 2
    assert capsys.readouterr().err.startswith('ONEROUTER_MOCK_PORT: "many" is no port')


def test_env_prints_what_clients_read(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "intern.example")
    monkeypatch.delenv("no_proxy", raising=False)
    assert main(["env", "http://localhost:4118/v1/"]) == 0
    lines = dict(line.removeprefix("export ").split("=", 1) for line in capsys.readouterr().out.splitlines())
    base = "http://localhost:4118/v1"
    key = lines["OPENAI_API_KEY"]
    assert lines == {
        "ONEROUTER_MOCK_URL": "http://localhost:4118",
        "ONEROUTER_BASE_URL": base,
        "ONEROUTER_API_KEY": key,
        "OPENAI_BASE_URL": base,
        "OPENAI_API_BASE": base,
        "OPENAI_API_KEY": key,
        "ANTHROPIC_BASE_URL": "http://localhost:4118",
        "ANTHROPIC_API_KEY": key,
        "NO_PROXY": "intern.example,127.0.0.1,localhost",
        "no_proxy": "intern.example,127.0.0.1,localhost",
    }


def test_env_of_a_session_keeps_its_path(capsys: Captured) -> None:
    main(["env", "127.0.0.1:4117/s/par@outage"])
    assert "export OPENAI_BASE_URL=http://127.0.0.1:4117/s/par@outage/v1\n" in capsys.readouterr().out


def test_health_of_nobody_is_1_and_says_why(capsys: Captured) -> None:
    assert main(["health", "http://127.0.0.1:1"]) == 1
    assert capsys.readouterr().err == "not ready: http://127.0.0.1:1: connection refused\n"


def test_waiting_in_vain_is_4(capsys: Captured) -> None:
    assert main(["wait", "http://127.0.0.1:1", "--timeout", "60ms"]) == 4
    assert capsys.readouterr().err == "not ready in 60ms: http://127.0.0.1:1: connection refused\n"


def test_faults_lists_every_provider_and_kind(capsys: Captured) -> None:
    assert main(["faults"]) == 0
    rows = [line.split()[:3] for line in capsys.readouterr().out.splitlines()]
    assert ["openai", "quota", "429"] in rows
    assert ["anthropic", "overloaded", "529"] in rows


def test_faults_of_an_unknown_provider_names_those_there_are(capsys: Captured) -> None:
    assert main(["faults", "opnai"]) == 2
    assert capsys.readouterr().err.startswith('"opnai" is no provider; would be right: openai, anthropic')


@pytest.mark.parametrize("words", ["--version", "--help", "health http://127.0.0.1:1"])
def test_cheap_commands_cost_little(words: str) -> None:
    """60 ms of CPU more than `python -c pass`, says the contract; here with room for a busy machine."""

    def cpu_s(*command: str) -> float:
        def once() -> float:
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run([sys.executable, *command], capture_output=True, check=False, cwd=ROOT)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

        return statistics.median(once() for _ in range(3))

    assert cpu_s("-m", "onerouter_mock", *words.split()) - cpu_s("-c", "pass") < 0.06


@pytest.mark.parametrize("words", ["--version", "--help", "health http://127.0.0.1:1", "env"])
def test_cheap_commands_import_nothing_heavy(words: str) -> None:
    code = (
        "import sys; from onerouter_mock.cli import main; main(sys.argv[1:]);"
        "heavy = {'asyncio', 'aiohttp', 'pydantic', 'yaml', 'faker', 'orjson'} & set(sys.modules);"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words.split()], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr


def test_options_of_explain_may_stand_before_the_request() -> None:
    args = parse(["explain", "ratelimit", "--seed", "3", "request.json"], None)
    assert args is not None
    assert (args.scenario, args.seed, args.request) == ("ratelimit", 3, "request.json")
