"""With `onerouter_scope = session`: what happens around every test, whether it names the fixture or not. A client
that was made at import does not tell which tests use it.

What may live here: the hooks of that scope, and what they remember of the test that runs.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from onerouter_mock.mock.onerouter import OneRouterMock
from onerouter_mock.mock.options import WrongOption
from onerouter_mock.mock.worlds import Worlds, WrongMarker, ask_for


class EveryTest:
    """A pytest plugin of its own, registered where there is one address for the run: each test begins in a fresh
    world, and is told of.
    """

    def __init__(self, worlds: Worlds, foreign: pytest.StashKey[str]) -> None:
        self._worlds = worlds
        self._foreign = foreign  # set where another fixture of that name hides ours, and its marker
        self._mock: OneRouterMock | None = None  # None: no test runs, or its world could not be begun
        self._problem = ""
        self._is_named = False

    def name_mock(self) -> OneRouterMock:
        """The mock, for the fixture of a test that names it. Fails the test whose marker can't be read."""
        if self._mock is None:
            pytest.fail(self._problem, pytrace=False)
        self._is_named = True
        return self._mock

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, object, object]:
        """Before all fixtures, those of a higher scope too: what they ask belongs to this test. (The innermost
        wrapper, for it may fail: others would miss at teardown what they put by.)
        """
        self._mock, self._problem, self._is_named = None, "", False
        try:
            self._mock = self._worlds.begin(ask_for(item, with_marker=self._foreign not in item.stash))
        except (WrongMarker, WrongOption) as error:
            self._problem = str(error)
        if self._problem and "onerouter" not in getattr(item, "fixturenames", ()):
            pytest.fail(self._problem, pytrace=False)  # else the fixture tells it, if the test is not skipped
        return (yield)

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_teardown(self) -> Generator[None, object, object]:
        """After all fixtures: strict mode has the last word."""
        result = yield
        strays = self._worlds.find_strays(self._mock) if self._mock is not None and self._was_used() else None
        if strays:
            pytest.fail(strays, pytrace=False)
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, call: pytest.CallInfo[Any]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """The story of a test that failed, the totals of every one that named the mock or called it."""
        report = yield
        mock, is_over = self._mock, call.when == "teardown"
        if mock is None or not (report.failed or is_over) or not self._was_used():
            return report
        totals = self._worlds.total(mock)
        if self._is_named or (totals is not None and totals["calls"]):
            if report.failed:
                report.sections.append(self._worlds.describe(mock))
            if is_over:
                report.onerouter = totals  # type: ignore[attr-defined]  # xdist sends it too
        return report

    def _was_used(self) -> bool:
        return self._is_named or not self._worlds.is_untouched()
