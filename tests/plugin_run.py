"""Runs pytest with our plugin on a test file of its own; the fixture `run` (in `shell/conftest.py`) is made here."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import pytest

import onerouter_mock.mock.worlds  # noqa: F401 (before any inner run, which forgets what it imports)

ASKING = str(Path(__file__).parent)
INI = """
[pytest]
addopts = -p no:faker -p no:aiohttp
filterwarnings = error
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
"""
HEAD = f"""
import os, sys
sys.path.insert(0, {ASKING!r})
import pytest
from asking import OWN, chat
def ask(**more):
    return chat(os.environ["OPENAI_BASE_URL"], **more)
"""


class Run(Protocol):
    """Runs pytest on a test file of this text; `apart` in a process of its own."""

    def __call__(
        self, text: str, *args: str, ini: str = "", conftest: str = "", apart: bool = False
    ) -> pytest.RunResult: ...


def make_run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The runner for one test, without what the environment says to this run."""
    for name in ("PYTEST_ADDOPTS", "OPENAI_BASE_URL", "GITHUB_STEP_SUMMARY", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)

    def run(
        text: str, *args: str, ini: str = "", conftest: str = "", apart: bool = False
    ) -> pytest.RunResult:
        pytester.makeini(INI + ini)
        if conftest:
            pytester.makeconftest(HEAD + conftest)
        pytester.makepyfile(test_it=HEAD + text)
        return (
            pytester.runpytest_subprocess("-q", *args) if apart else pytester.runpytest_inprocess("-q", *args)
        )

    return run
