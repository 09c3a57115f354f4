"""Doing what a page says: each kind of block in its way, in a folder and on a server of the page's own."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml
from pages import Block, is_shown, mask, read_blocks, read_commands

import onerouter_mock
from onerouter_mock import ScenarioError
from onerouter_mock.core.scenario.load import load_scenario
from onerouter_mock.library import Library

HERE = Path(__file__).parent
BIN = Path(sys.executable).parent
INI = """[pytest]
addopts = -p no:faker -p no:aiohttp -p no:hypothesispytest -p no:cacheprovider
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
"""
# What pages speak of as the reader's own.
YOUR_APP = """from openai import OpenAI, RateLimitError

client = OpenAI(max_retries=0)
for fallback in (True, True, True, True, False):
    own = {"provider": "openai", "credentials": "sk-my-own-key-7f3a", "fallback": fallback}
    try:
        client.chat.completions.create(
            model="gpt-5.1-chat", messages=[{"role": "user", "content": "hi"}], extra_body={"byok_conf": own})
    except RateLimitError:
        assert not fallback
"""
# Runs scripts one after another, each as a program of its own would: prints [[what it printed, what went wrong], ...].
PLAYER = """import contextlib, io, json, os, sys, traceback
told = []
for script in json.load(sys.stdin):
    os.environ["OPENAI_BASE_URL"] = script["url"]
    printed, wrong = io.StringIO(), None
    with contextlib.redirect_stdout(printed):
        try:
            exec(compile(script["text"], "EXAMPLE.py", "exec"), {"__name__": "__main__"})
        except BaseException:
            wrong = traceback.format_exc()
    told.append([printed.getvalue(), wrong])
json.dump(told, sys.stdout)
"""
SERVES = re.compile(r"(?:make serve|onerouter-mock(?: serve)?)(?= *$| +--(?!version|help))(?P<options>.*)")


class Reader:
    """Does what a page says, in a folder and on a server of its own, and notes what is not so."""

    def __init__(self, page: Path, folder: Path, mock: onerouter_mock.OneRouterMock) -> None:
        self.page, self.folder, self.mock = page, folder, mock
        self.blocks = read_blocks(page)
        self.problems: list[str] = []
        self.served: Served | None = None
        self.last_code = 0
        (folder / "pytest.ini").write_text(INI)
        (folder / "your_app.py").write_text(YOUR_APP)

    def read(self) -> None:
        tests, scripts = [], []
        for number, block in enumerate(self.blocks):
            if "skip" in block.notes:
                assert block.notes["skip"], f"{block.where}: skipped without a reason"
                continue
            if name := block.notes.get("file"):
                (self.folder / name).write_text(block.text)
            elif block.language == "python" and re.search(r"^(async )?def test_", block.text, re.M):
                tests.append(block)
                continue
            elif block.language == "python":
                scripts.append((block, self.printed_after(number)))
                continue
            self.do(block, number)
        if scripts:
            self.play(scripts)
        if tests:
            self.test(tests)

    def do(self, block: Block, number: int) -> None:
        match block.language:
            case "python":
                pass  # a file, which some command uses
            case "console":
                for command, shown in read_commands(block):
                    self.run_command(block, command, shown)
            case "bash":
                self.run_command(block, "set -e; " + block.text, "")
            case "ts" | "js":
                self.expect(block, self.printed_after(number), *self.run_node(block, number))
            case "yaml" if "yaml" in block.notes:
                assert yaml.safe_load(block.text), block.where
            case "yaml":
                self.load(block)
            case "json":
                json.loads(block.text)
            case "text" if "server" in block.notes:
                assert self.served, f"{block.where}: no server was started on this page"
                self.expect(block, block.text, self.served.read_log(block.text))
            case "text" | "ini" | "toml":
                pass
            case other:
                self.problems.append(f"{block.where}: nobody runs blocks of language '{other}'")

    def load(self, block: Block) -> None:
        try:
            load_scenario(block.text, file=block.where, find=Library().find, name="example")
        except ScenarioError as error:
            self.problems.append(str(error))

    def printed_after(self, number: int) -> str | None:
        """What the page says that a block prints."""
        after = self.blocks[number + 1] if number + 1 < len(self.blocks) else None
        return after.text if after and "printed" in after.notes else None

    def expect(self, block: Block, shown: str | None, *printed: str) -> None:
        if shown is not None and not is_shown(shown, *printed):
            told = "\n".join(f"  {line}" for line in "".join(printed).splitlines())
            wanted = "\n".join(f"  {line}" for line in mask(shown))
            self.problems.append(f"{block.where}: the page shows\n{wanted}\nand this was printed\n{told}")

    @cached_property
    def environment(self) -> dict[str, str]:
        said = ("OPENAI_", "ONEROUTER_", "PYTEST_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(said)}
        path = f"{BIN}{os.pathsep}{kept['PATH']}"
        return kept | {"PATH": path, "NO_COLOR": "1", "COLUMNS": "80", "NO_PROXY": "127.0.0.1"}

    def program(self, command: list[Any], **options: Any) -> subprocess.CompletedProcess[str]:
        options = {"cwd": self.folder, "env": self.environment, **options}
        return subprocess.run(command, capture_output=True, text=True, timeout=120, **options)

    def session(self, block: Block) -> str:
        world = block.notes.get("world")
        return f"{self.mock.url}/s/{block.page.stem}-{block.line}{'@' + world if world else ''}/v1"

    def run_command(self, block: Block, command: str, shown: str) -> None:
        if serves := SERVES.fullmatch(command):
            options = serves["options"].split() or ["--scenario", "ratelimit"]
            self.stop()
            self.served = Served([BIN / "onerouter-mock", *options], self.folder, self.environment)
            self.expect(block, shown, self.served.read_log(shown))
            return
        if command == "echo $?":
            self.expect(block, shown, f"{self.last_code}\n")
            return
        if self.served:
            command = command.replace("http://127.0.0.1:4117", self.served.url)
        elif "4117" in command:
            command = command.replace("4117", str(free_port()))
        done = self.program(["bash", "-c", command])
        self.last_code = done.returncode
        if shown:
            self.expect(block, shown, done.stdout, done.stderr)
        elif done.returncode:
            self.problems.append(f"{block.where}: {command}: {done.returncode}\n{done.stdout}{done.stderr}")

    def run_node(self, block: Block, number: int) -> tuple[str]:
        clients = load_clients()
        file = clients.node_folder() / f"example-{block.page.stem}-{number}.{block.language}"
        file.write_text(block.text)
        environment = self.environment | {"OPENAI_BASE_URL": self.session(block), "OPENAI_API_KEY": "any"}
        command = [clients.node_program("node"), "--no-warnings", file]
        done = self.program(command, cwd=file.parent, env=environment)
        if done.returncode:
            self.problems.append(f"{block.where}: {done.stderr}")
        return (done.stdout,)

    def play(self, scripts: list[tuple[Block, str | None]]) -> None:
        """All plain programs of the page, in one process: importing openai costs most of a second."""
        said = json.dumps([{"text": block.text, "url": self.session(block)} for block, _ in scripts])
        environment = self.environment | {"OPENAI_API_KEY": "any"}
        done = self.program([sys.executable, "-c", PLAYER], input=said, env=environment)
        assert done.returncode == 0, done.stderr
        for (block, shown), (printed, wrong) in zip(scripts, json.loads(done.stdout), strict=True):
            if wrong:
                self.problems.append(f"{block.where}: {wrong}")
            self.expect(block, shown, printed)

    def test(self, tests: list[Block]) -> None:
        """All tests of the page, in one run of pytest."""
        files = [self.folder / f"test_line_{block.line}.py" for block in tests]
        for file, block in zip(files, tests, strict=True):
            file.write_text(block.text)
        done = self.program([sys.executable, "-m", "pytest", "-q", "--tb=short", *files])
        if done.returncode:
            self.problems.append(f"{self.page.name}: {done.stdout}{done.stderr}")

    def stop(self) -> None:
        if self.served:
            self.served.stop()


class Served:
    """A server that a page starts: its address, and what it prints."""

    def __init__(self, command: list[Any], folder: Path, environment: dict[str, str]) -> None:
        ready, log = folder / "ready.json", folder / "server.log"
        ready.unlink(missing_ok=True)
        with log.open("w") as file:
            more = ["--port", "0", "--log", "all", "--ready-file", ready]
            self._process = subprocess.Popen(
                [*command, *more], cwd=folder, env=environment, stdout=file, stderr=subprocess.STDOUT
            )
        self._log, self._read = log, 0
        wait_until(ready.exists)
        self.url = json.loads(ready.read_text())["url"]

    def read_log(self, shown: str) -> str:
        """What it has printed since it was last read, as soon as there is as much as a page shows."""
        wait_until(lambda: len(mask(self._log.read_text()[self._read :])) >= len(mask(shown)))
        told = self._log.read_text()[self._read :]
        self._read += len(told)
        return told

    def stop(self) -> None:
        self._process.send_signal(signal.SIGINT)
        self._process.wait(10)


def wait_until(is_so: Callable[[], bool], patience_s: float = 10.0) -> None:
    end = time.monotonic() + patience_s
    while not is_so() and time.monotonic() < end:
        time.sleep(0.02)


def free_port() -> int:
    with onerouter_mock.serve() as mock:
        return urlsplit(mock.url).port or 0


def load_clients() -> Any:
    """tests/clients/environments.py, which knows where Node and its packages are."""
    spec = importlib.util.spec_from_file_location("client_environments", HERE / "clients" / "environments.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def reading(page: Path, folder: Path) -> Iterator[Reader]:
    with onerouter_mock.serve() as mock:
        reader = Reader(page, folder, mock)
        try:
            yield reader
        finally:
            reader.stop()
