"""What the pytest fixture begins and ends with: a fresh world for each test, by its options and its marker.

What may live here: options and markers read, worlds begun and ended; hooks and the environment are in
`pytest_plugin.py`.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from onerouter_mock import host
from onerouter_mock.cli.environment import client_environment
from onerouter_mock.core.errors import MockError, ScenarioError
from onerouter_mock.library import Library
from onerouter_mock.mock.choose import Chooser, Source
from onerouter_mock.mock.control import Near
from onerouter_mock.mock.onerouter import OneRouterMock
from onerouter_mock.mock.report import describe
from onerouter_mock.mock.start import attach, start

_MARKER_FORM = '@pytest.mark.onerouter("ratelimit", seed=7)'
_MARKER_HELP = (
    f"the marker's form: {_MARKER_FORM}; its overrides are top-level fields of a scenario "
    "(seed, speed, clock, waits, wire, router, rules, ...)"
)
_LONGEST_NAME = 128
_WORDS = {"clock": ("real", "virtual"), "waits": ("told", "jump")}


class WrongMarker(ValueError):
    """A marker that can't be read; the message shows the right form."""


class WrongOption(ValueError):
    """An option that can't be read; the message says what would be right."""


@dataclass(slots=True)
class Asked:
    """What a test asks for: its id, the folder of its file, the arguments of its nearest marker."""

    test: str
    folder: Path
    args: tuple[Any, ...]
    overrides: Mapping[str, Any]


class Worlds:
    """The mocks of one pytest run. `said` are its options by name, None where nothing was said."""

    def __init__(self, said: Mapping[str, Any], root: Path) -> None:
        self._root = root
        self._url: str | None = said["url"] or None
        self._strict = bool(said["strict"])
        directory = said["scenario-dir"]
        self._directory = _folder(directory, root) if directory else None
        self._scenario: str | None = said["scenario"] or None
        self._chooser = Chooser(Library(self._directory), _read_options(said), {"clock": "virtual"})
        self._shared: OneRouterMock | None = None

    def begin_shared(self, environ: Mapping[str, str]) -> dict[str, str]:
        """One address for the whole run, there before collection; the environment for it.

        Errors: WrongOption.
        """
        try:
            self._shared = self._start("a whole run", (), None, {})
        except MockError as error:
            raise WrongOption(str(error)) from None
        return self.environment(self._shared, environ)

    def begin(self, asked: Asked) -> OneRouterMock:
        """The mock for one test, in a world of its own. Errors: MockError; WrongMarker."""
        source = _source(asked, self._scenario)
        overrides = {name: value for name, value in asked.overrides.items() if name != "scenario"}
        folders = tuple(
            folder for folder in (asked.folder, self._directory, self._root) if folder is not None
        )
        try:
            if self._shared is None:
                return self._start(asked.test, folders, source, overrides)
            return self._restart(self._shared, folders, source, overrides)
        except ScenarioError as error:
            if not asked.args and not asked.overrides:
                raise
            said = str(error).replace("override: ", "marker onerouter: ")
            raise WrongMarker(f"{said}\n{_MARKER_HELP}") from None

    def _start(
        self, test: str, folders: tuple[Path, ...], source: Source | None, overrides: dict[str, Any]
    ) -> OneRouterMock:
        source = self._scenario if source is None else source
        folders = folders or tuple(folder for folder in (self._directory, self._root) if folder is not None)
        if self._url is None:
            chosen = "healthy" if source is None else source
            return start(self._chooser, chosen, overrides, folders, root=self._root, is_fixture=True)
        mock = attach(self._chooser, self._url, session_name(test), folders, root=self._root, is_fixture=True)
        return self._restart(mock, folders, source, overrides)

    def _restart(
        self, mock: OneRouterMock, folders: tuple[Path, ...], source: Source | None, overrides: dict[str, Any]
    ) -> OneRouterMock:
        chooser, transport = self._chooser, mock._control.transport
        chosen = "healthy" if source is None else source
        mock._names.clear()
        if isinstance(transport, Near):
            scenario = chooser.choose(chosen, overrides, folders)
            transport.restart(scenario, lambda source, over: chooser.choose(source, over, folders))
            return mock
        transport.restart(lambda source, over: chooser.spell(source, over, folders))
        if source is not None or overrides or chooser.said:  # else what the server began with is in force
            mock.use(chosen, **overrides)
        return mock

    def environment(self, mock: OneRouterMock, environ: Mapping[str, str]) -> dict[str, str]:
        """The variables that point clients at a mock."""
        return client_environment(mock.url, environ)

    def end(self, mock: OneRouterMock) -> tuple[dict[str, Any] | None, str | None]:
        """The totals of a test's world, and what strict mode has against it; the world is closed."""
        try:
            totals = mock._control.read("stats")
            strays = self._find_strays(mock) if self._strict else None
        except MockError:
            return None, None  # a server elsewhere that has gone: its test has failed already
        if mock is not self._shared:
            mock.close()
        return totals, strays

    def _find_strays(self, mock: OneRouterMock) -> str | None:
        strays = [call for call in mock.calls if call.endpoint == "unknown"]
        if not strays:
            return None
        lines = [f"  #{call.id} {call.method} {call.path}" for call in strays]
        return "\n".join(["strict: requests to paths that the mock does not emulate", *lines])

    def describe(self, mock: OneRouterMock) -> str:
        """The report section of a failing test."""
        try:
            timeline = mock._control.read_text("calls", format="text").splitlines()
            scenario = mock._control.read("scenario")
        except MockError as error:
            return str(error)
        return describe(timeline, scenario["name"], scenario.get("seed", 0), mock.base_url)

    def header(self) -> str | None:
        """A line for the head of the run, with one address for all tests."""
        if self._shared is None:
            return None
        return f"onerouter-mock: {self._shared.base_url} for the whole run, reset before each test"

    def close(self) -> None:
        """Ends what is left, and the background thread: an open loop fails suites under `-W error`."""
        if self._shared is not None:
            self._shared.close()
            self._shared = None
        host.shutdown_loop()


def session_name(test: str) -> str:
    """A session's name for a test's id: the id with what a name may hold, cut with a hash where it is too
    long.
    """
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", test).strip("-")
    if len(name) <= _LONGEST_NAME and name == test:
        return name
    digest = blake2b(test.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()
    return f"{name[: _LONGEST_NAME - 9].rstrip('-')}-{digest}"


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


def _folder(directory: str, root: Path) -> Path:
    folder = Path(directory)
    return folder if folder.is_absolute() or folder.is_dir() else root / folder


def _read_options(said: Mapping[str, Any]) -> dict[str, Any]:
    """The options that win over what scenarios say. Errors: WrongOption."""
    over: dict[str, Any] = {}
    if said["seed"] not in (None, ""):
        try:
            over["seed"] = int(said["seed"])
        except ValueError:
            raise WrongOption(f"--onerouter-seed: {said['seed']!r} is no seed; would be right: 7") from None
    for name, words in _WORDS.items():
        word = said[name]
        if word in (None, ""):
            continue
        if word not in words:
            raise WrongOption(f"--onerouter-{name}: {word!r} is none; would be right: {' or '.join(words)}")
        over[name] = word
    return over
