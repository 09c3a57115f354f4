"""The command line: which command is meant, and the exit code of what went wrong. Each is loaded when asked.

Exit codes: 0 ok, 1 a finding or a check failed, 2 usage error or invalid scenario, 3 could not bind,
4 not ready in time, 130 and 143 on signals; `run` passes its command's code through.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from onerouter_mock import __version__

# Command -> the module of this folder that holds it, as a function of the same name.
COMMANDS = {
    "serve": "serve", "run": "run", "explain": "explain", "scenarios": "scenarios", "show": "scenarios",
    "init": "scenarios", "check": "scenarios", "schema": "scenarios", "faults": "faults", "report": "report",
    "health": "probe", "wait": "probe", "env": "probe",
}  # fmt: skip


class Stop(Exception):
    """A user's error: the line to print, and the exit code."""

    def __init__(self, message: str, code: int = 2) -> None:
        super().__init__(message)
        self.code = code


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command of `onerouter-mock` and answer its exit code.

    Shape: `argv` are the words after the program's name, None: those of this process.
    """
    try:
        return _dispatch(list(sys.argv[1:] if argv is None else argv))
    except KeyboardInterrupt:
        return 130
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 2
    except BrokenPipeError:
        _forget_stdout()
        return 0
    except Exception as error:
        code = _user_error_code(error)
        if code is None:
            raise
        print(error, file=sys.stderr)
        return code


def _dispatch(words: list[str]) -> int:
    if words[:1] in (["--version"], ["-V"]):
        print(f"onerouter-mock {__version__}")
        return 0
    words, tail = _split_tail(words)
    if not words or (words[0].startswith("-") and words[0] not in ("-h", "--help")):
        words.insert(0, "serve")
    from importlib import import_module

    from onerouter_mock.cli import options

    args = options.parse(words, tail)
    if args is None:
        return 0
    command = getattr(import_module(f"onerouter_mock.cli.{COMMANDS[args.command]}"), args.command)
    code = int(command(args))
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _forget_stdout()
    return code


def _split_tail(words: list[str]) -> tuple[list[str], list[str] | None]:
    """Split at the first `--`: argparse would hand words after it to options and positionals of ours."""
    if "--" not in words:
        return words, None
    at = words.index("--")
    return words[:at], words[at + 1 :]


def _forget_stdout() -> None:
    """Who read our output has left (`| head`): there is nothing more to say, and nothing to flush at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _user_error_code(error: Exception) -> int | None:
    """The exit code of an error that the user made; None for one that we made."""
    if isinstance(error, Stop):
        return error.code
    from onerouter_mock.core.errors import MockError

    return 2 if isinstance(error, MockError) else None
