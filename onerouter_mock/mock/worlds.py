"""What the pytest fixture begins and ends with: a fresh world for each test, by its options and its marker.

What may live here: options and markers read, worlds begun and ended; hooks and the environment are in
`pytest_plugin.py`.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onerouter_mock import API_KEY, host
from onerouter_mock.cli.environment import client_environment
from onerouter_mock.core.errors import MockError, ScenarioError
from onerouter_mock.library import Library
from onerouter_mock.mock.choose import Chooser, Source, Wanted
from onerouter_mock.mock.control import Control, Far, Near, session_name
from onerouter_mock.mock.onerouter import OneRouterMock
from onerouter_mock.mock.options import WrongOption, find_folder, read_options, read_url
from onerouter_mock.mock.report import describe
from onerouter_mock.mock.start import attach, chooses, spells, start

_MARKER_FORM = '@pytest.mark.onerouter("ratelimit", seed=7)'
_MARKER_HELP = (
    f"the marker's form: {_MARKER_FORM}; its overrides are top-level fields of a scenario "
    "(seed, speed, clock, waits, wire, router, rules, ...)"
)
_SECTION = "onerouter-mock: what it saw"


class WrongMarker(ValueError):
    """A marker that can't be read; the message shows the right form."""


@dataclass(slots=True)
class Asked:
    """What a test asks for: its id, its line, the folder of its file, the arguments of its nearest marker."""

    test: str
    where: str
    folder: Path
    args: tuple[Any, ...]
    overrides: Mapping[str, Any]


def ask_for(item: Any, *, with_marker: bool = True) -> Asked:
    """What a test (an item of pytest) asks for."""
    marker = item.get_closest_marker("onerouter") if with_marker else None
    args, overrides = (marker.args, marker.kwargs) if marker is not None else ((), {})
    file, line, _ = item.location
    return Asked(item.nodeid, f"{file}:{(line or 0) + 1}", item.path.parent, args, overrides)


class Worlds:
    """The mocks of one pytest run. `said` are its options by name, None where nothing was said."""

    def __init__(self, said: Mapping[str, Any], root: Path) -> None:
        self._root = root
        self._url = read_url(said)
        self._strict = bool(said["strict"])
        self._directory = find_folder(said, root)
        self._scenario: str | None = said["scenario"] or None
        self._chooser = Chooser(Library(self._directory), read_options(said), {"clock": "virtual"})
        self._worker = f"-{said['worker']}" if said.get("worker") else ""  # of xdist
        self._shared: OneRouterMock | None = None
        self._plain_folder: Path | None = None  # whose plain world the shared mock is in, used or not

    def begin_shared(self, environ: Mapping[str, str]) -> dict[str, str]:
        """One address for the whole run, there before collection; the environment for it.

        Errors: WrongOption.
        """
        name = f"run{self._worker}"
        try:
            self._shared = self._start(Asked(name, name, self._root, (), {}))
        except MockError as error:
            raise WrongOption(self._name_option(str(error))) from None
        self._shared._stays_open = True
        return self.environment(self._shared, environ)

    def begin(self, asked: Asked) -> OneRouterMock:
        """The mock for one test, in a world of its own. Errors: WrongMarker; WrongOption."""
        try:
            if self._shared is None:
                return self._start(asked)
            return self._restart_shared(self._shared, asked)
        except ScenarioError as error:
            if not asked.args and not asked.overrides:
                raise WrongOption(self._name_option(str(error))) from None
            said = str(error).replace(f"{asked.where}: ", f"{asked.where}: marker onerouter: ")
            raise WrongMarker(f"{said}\n{_MARKER_HELP}") from None
        except MockError as error:
            raise WrongOption(self._name_option(str(error))) from None

    def _name_option(self, problem: str) -> str:
        """A problem that no marker has made, with the option that has."""
        return re.sub("^(url|scenario): ", r"--onerouter-\1: ", problem)

    def _start(self, asked: Asked) -> OneRouterMock:
        wanted = self._want(asked)
        if self._url is None:
            return self._make(start(self._chooser, wanted or self._plain(asked)))
        mock = self._make(attach(self._chooser, self._url, session_name(asked.test), self._folders(asked)))
        return self._restart(mock, asked)

    def _make(self, transport: Near | Far) -> OneRouterMock:
        return OneRouterMock(Control(transport), root=self._root, api_key=API_KEY, is_fixture=True)

    def _restart(self, mock: OneRouterMock, asked: Asked) -> OneRouterMock:
        chooser, transport, wanted = self._chooser, mock._control.transport, self._want(asked)
        mock._begin_anew()
        if isinstance(transport, Near):
            wanted = wanted or self._plain(asked)
            transport.restart(chooser.choose(wanted), chooses(chooser, wanted))
            return mock
        transport.restart(spells(chooser, self._folders(asked)))
        if wanted is not None:  # else what the server began with is in force
            transport.begin_with(wanted.source, wanted.overrides, wanted.where)
        return mock

    def _restart_shared(self, mock: OneRouterMock, asked: Asked) -> OneRouterMock:
        """Not when that would change nothing: most tests of a run have no business with the mock."""
        is_plain = not asked.args and not asked.overrides
        if is_plain and asked.folder == self._plain_folder and self.is_untouched():
            return mock
        self._plain_folder = None
        self._restart(mock, asked)
        self._plain_folder = asked.folder if is_plain else None
        return mock

    def _want(self, asked: Asked) -> Wanted | None:
        """What marker and options ask for; None when they ask for nothing. Errors: WrongMarker."""
        source = _source(asked, self._scenario)
        overrides = {name: value for name, value in asked.overrides.items() if name != "scenario"}
        if source is None and not overrides and not self._chooser.said:
            return None
        return Wanted("healthy" if source is None else source, overrides, self._folders(asked), asked.where)

    def _plain(self, asked: Asked) -> Wanted:
        return Wanted("healthy", {}, self._folders(asked), asked.where)

    def _folders(self, asked: Asked) -> tuple[Path, ...]:
        return tuple(folder for folder in (asked.folder, self._directory, self._root) if folder is not None)

    def environment(self, mock: OneRouterMock, environ: Mapping[str, str]) -> dict[str, str]:
        """The variables that point clients at a mock."""
        return client_environment(mock.url, environ)

    def end(self, mock: OneRouterMock) -> tuple[dict[str, Any] | None, str | None]:
        """The totals of a test's world, and what strict mode has against it; the world is closed."""
        totals, strays = self.total(mock), self.find_strays(mock)
        if totals is not None:
            mock.close()
        return totals, strays

    def total(self, mock: OneRouterMock) -> dict[str, Any] | None:
        """The totals of a test's world; None when a server elsewhere has gone: its test has failed already."""
        try:
            totals: dict[str, Any] = mock._control.read("stats")
        except MockError:
            return None
        return totals

    def find_strays(self, mock: OneRouterMock) -> str | None:
        """What strict mode has against a test."""
        if not self._strict:
            return None
        try:
            strays = [call for call in mock.calls if call.endpoint == "unknown"]
        except MockError:
            return None
        if not strays:
            return None
        lines = [f"  #{call.id} {call.method} {call.path}" for call in strays]
        emulated = f"  would be right: a path that is emulated, such as POST {mock.base_url}/chat/completions"
        return "\n".join(["strict: requests to paths that the mock does not emulate", *lines, emulated])

    def describe(self, mock: OneRouterMock) -> tuple[str, str]:
        """The report section of a failing test: its title, its text."""
        try:
            timeline = mock._timeline()
            scenario = mock._control.read("scenario")
        except MockError as error:
            return _SECTION, str(error)
        return _SECTION, describe(timeline, scenario["name"], scenario.get("seed", 0), mock.base_url)

    def is_untouched(self) -> bool:
        """Whether nobody has been at the one address since its world began; False where that is not known."""
        transport = self._shared._control.transport if self._shared is not None else None
        return isinstance(transport, Near) and not transport.host.emulator.sessions()

    def header(self) -> str | None:
        """A line for the head of the run, with one address for all tests."""
        if self._shared is None:
            return None
        return f"onerouter-mock: {self._shared.base_url} for the whole run, reset before each test"

    def close(self) -> None:
        """Ends what is left, and the background thread: an open loop fails suites under `-W error`."""
        if self._shared is not None:
            self._shared._control.transport.close()
            self._shared = None
        host.shutdown_loop()


def _source(asked: Asked, scenario: str | None) -> Source | None:
    if len(asked.args) > 1:
        raise WrongMarker(
            f"marker onerouter: {len(asked.args)} positional arguments; would be right: {_MARKER_FORM}"
        )
    if not asked.args and "scenario" not in asked.overrides:
        return scenario
    source = asked.args[0] if asked.args else asked.overrides["scenario"]
    if not isinstance(source, str | Path | dict):
        right = f"a name, a path, a dict or YAML text, as in {_MARKER_FORM}"
        raise WrongMarker(f"marker onerouter: {source!r} is no scenario; would be right: {right}")
    return source
