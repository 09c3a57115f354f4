"""Fixtures of the shell's tests."""

from __future__ import annotations

import pytest
from plugin_run import Run, make_run


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs pytest on a test file of this text; the test's file has `pytest_plugins = ["pytester"]`."""
    return make_run(pytester, monkeypatch)
