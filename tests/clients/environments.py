"""Real clients in environments of their own, kept in `.clients/`: made once, by whoever needs one first."""

from __future__ import annotations

import fcntl
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
KEPT = HERE.parent.parent / ".clients"

Ask = Callable[[list[dict[str, Any]]], dict[str, Any]]


@contextmanager
def made_once(name: str) -> Iterator[Path]:
    """The folder `name`, under a lock that xdist's workers share; a half-made one is made anew."""
    folder = KEPT / name
    KEPT.mkdir(exist_ok=True)
    with (KEPT / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder
        (folder / "made").touch()


def run(command: list[str | Path], **options: Any) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, **options)
    assert done.returncode == 0, f"{command}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def python_with(requirement: str) -> Path:
    """An interpreter that has `requirement` (like `openai==2.54.0`) and nothing of ours."""
    with made_once(requirement.replace("==", "-")) as folder:
        python = folder / "bin" / "python"
        if not (folder / "made").exists():
            shutil.rmtree(folder, ignore_errors=True)
            run([sys.executable, "-m", "venv", folder])
            run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", requirement])
    return python


def node_program(name: str) -> str:
    """node or npm: the one beside our interpreter (from the `test` extra), which is new enough."""
    beside = Path(sys.executable).parent / name
    return str(beside) if beside.exists() else name


def node_folder() -> Path:
    """A folder with the packages of package.json, and ask.mjs beside them (Node looks for packages beside a file)."""
    wanted = (HERE / "package.json").read_text()
    with made_once("node") as folder:
        if not (folder / "made").exists() or (folder / "package.json").read_text() != wanted:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            (folder / "package.json").write_text(wanted)
            run([node_program("npm"), "install", "--no-audit", "--no-fund", "--silent"], cwd=folder)
        shutil.copy(HERE / "ask.mjs", folder)
    return folder


def ask_python(python: Path | str) -> Ask:
    return lambda questions: json.loads(run([python, HERE / "ask.py"], input=json.dumps(questions)))


def ask_node() -> Ask:
    folder = node_folder()
    return lambda questions: json.loads(
        run([node_program("node"), folder / "ask.mjs"], input=json.dumps(questions), cwd=folder)
    )


CLIENTS: dict[str, Callable[[], Ask]] = {
    "openai (Python), newest": lambda: ask_python(sys.executable),
    "openai (Python) 2.54.0": lambda: ask_python(python_with("openai==2.54.0")),
    "openai (Python) 1.109.1": lambda: ask_python(python_with("openai==1.109.1")),
    "openai (Node) 7.57.0": ask_node,
}
