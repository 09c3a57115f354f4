"""Scenario files: where they are, and their text. The only file that reads them.

A name is looked for in the scenario directory, then among the bundled; what holds a `/` or ends in .yaml,
.yml or .json is a path. From HTTP only names come in (`find_named`, `load_named`).

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from onerouter_mock.core.errors import Problem, ScenarioError
from onerouter_mock.core.scenario.load import load_scenario
from onerouter_mock.core.scenario.merge import Find
from onerouter_mock.core.scenario.records import Scenario
from onerouter_mock.core.scenario.tree import MAX_BYTES

SUFFIXES = (".yaml", ".yml", ".json")
_NAME = re.compile(r"[a-z0-9-]{1,64}")
_LOOSE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,99}")
_GOOD_NAME = "a file name of letters, digits, - and _ that no other has"
Stamp = tuple[int, int, int]


@cache
def bundled_directory() -> Path:
    """Where the bundled scenarios are: in a checkout beside the package, in an installed wheel inside it.

    The checkout goes first: an editable install leaves a stale copy in site-packages, our `__file__` is here.
    """
    package = Path(__file__).resolve().parent
    beside = package.parent / "scenarios"
    if (package.parent / "pyproject.toml").is_file() and beside.is_dir():
        return beside
    return package / "scenarios"


class Library:
    """Finds and reads scenarios; keeps those that it has read until their files change."""

    def __init__(self, directory: Path | None = None) -> None:
        self.directory = directory
        self._loaded: dict[Path, tuple[dict[Path, Stamp | None], Scenario]] = {}

    def load(self, name_or_path: str, beside: Path | None = None) -> Scenario:
        """The scenario of a name or path; a relative path is looked for beside a file, then from here.

        Errors: ScenarioError, also for what is not found or can't be read.
        """
        return self._load(self._locate(name_or_path, beside))

    def load_named(self, name: str) -> Scenario:
        """The scenario of a name that comes from outside: never a path. Errors: ScenarioError."""
        return self._load(self._locate_name(name, outside=True))

    def text(self, name_or_path: str) -> str:
        """A scenario's text as it stands in its file. Errors: ScenarioError."""
        return read_file(self._locate(name_or_path, None))

    def bundled(self) -> list[tuple[str, str]]:
        """Name and story of every bundled scenario."""
        return [(path.stem, self.story(str(path))) for path in sorted(bundled_directory().glob("*.yaml"))]

    def survey(self) -> tuple[list[tuple[str, str]], list[Problem]]:
        """Name and story of all that can be loaded by a name, and why the directory's other files can't be."""
        named = self._named(_LOOSE_NAME)
        what, right = "no name leads to this file", f"would be right: its path, or {_GOOD_NAME}"
        strays = [path for path in self._own_files() if path not in set(named.values())]
        rows, problems = [], [Problem(str(path), 0, 0, "scenario", what, right) for path in strays]
        for name, path in named.items():
            try:
                if path.parent == self.directory:
                    self._load(path)
                rows.append((name, self.story(str(path))))
            except ScenarioError as error:
                problems.append(error.problems[0])
        return rows, problems

    def story(self, file: str) -> str:
        """A scenario's first comment line, "" where there is none."""
        try:
            first = read_file(Path(file)).removeprefix("\ufeff").lstrip().partition("\n")[0]
        except ScenarioError:
            return ""
        return first.lstrip("#").strip() if first.startswith("#") else ""

    def find(self, name_or_path: str, beside: str) -> tuple[str, str]:
        """The text and file of what a scenario in the file `beside` extends. Errors: ScenarioError."""
        path = self._locate(name_or_path, Path(beside) if beside else None)
        return read_file(path), str(path)

    def find_named(self, name: str, beside: str) -> tuple[str, str]:
        """As `find`, for a scenario from outside: names only, but a file of ours may extend by path."""
        ours = (bundled_directory(), self.directory.absolute() if self.directory else None)
        if Path(beside).is_absolute() and Path(beside).parent in ours:
            return self.find(name, beside)
        path = self._locate_name(name, outside=True).absolute()
        return read_file(path), str(path)

    def _load(self, path: Path) -> Scenario:
        key = path.absolute()
        known = self._loaded.get(key)
        if known and all(_stamp(file) == stamp for file, stamp in known[0].items()):
            return known[1]
        stamps: dict[Path, Stamp | None] = {path: _stamp(path)}
        scenario = load_scenario(read_file(path), file=str(path), find=self._noting_stamps(stamps))
        self._loaded[key] = stamps, scenario
        return scenario

    def _noting_stamps(self, stamps: dict[Path, Stamp | None]) -> Find:
        def find(name_or_path: str, beside: str) -> tuple[str, str]:
            text, file = self.find(name_or_path, beside)
            stamps[Path(file)] = _stamp(Path(file))
            return text, file

        return find

    def _locate(self, name_or_path: str, beside: Path | None) -> Path:
        if not _is_path(name_or_path):
            return self._locate_name(name_or_path)
        path = Path(name_or_path)
        if beside is not None and not path.is_absolute() and _is_file(beside.parent / path):
            return beside.parent / path
        if self.directory is not None and not _is_file(path) and _is_file(self.directory / path):
            return self.directory / path
        return path

    def _locate_name(self, name: str, *, outside: bool = False) -> Path:
        allowed = _NAME if outside else _LOOSE_NAME
        path = self._look_up(name, allowed)
        if path is not None:
            return path
        names = list(self._named(allowed))
        near = get_close_matches(name, names, 1) if len(name) <= 64 else []
        known = ", ".join(names) + ("" if outside else ", or a file")
        right = f"did you mean '{near[0]}'?" if near else f"would be right: {known}"
        raise _refuse("scenario", f"no scenario '{name[:60]}'", right)

    def _look_up(self, name: str, allowed: re.Pattern[str]) -> Path | None:
        if not allowed.fullmatch(name):
            return None
        own = [self.directory / f"{name}{suffix}" for suffix in SUFFIXES] if self.directory else []
        return next((path for path in [*own, bundled_directory() / f"{name}.yaml"] if path.is_file()), None)

    def _named(self, allowed: re.Pattern[str]) -> dict[str, Path]:
        """The file that each name leads to."""
        files = [*self._own_files(), *sorted(bundled_directory().glob("*.yaml"))]
        found = {path.stem: self._look_up(path.stem, allowed) for path in files}
        return {name: path for name, path in found.items() if path is not None}

    def _own_files(self) -> list[Path]:
        try:
            found = sorted(self.directory.iterdir()) if self.directory else []
        except OSError:
            return []
        return [path for path in found if path.suffix in SUFFIXES and path.is_file()]


def _is_path(name: str) -> bool:
    return "/" in name or "\\" in name or name.lower().endswith(SUFFIXES)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name too long, for one
        return False


def _stamp(path: Path) -> Stamp | None:
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def read_file(path: Path) -> str:
    """A scenario's text, cut where it is over the limit. Errors: ScenarioError for an unreadable file."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 4)
        return data[: MAX_BYTES + 1].decode("utf-8", "ignore" if len(data) > MAX_BYTES else "strict")
    except UnicodeDecodeError:
        raise _refuse("scenario", "no UTF-8 text", "would be right: a scenario as text", str(path)) from None
    except (OSError, ValueError) as error:
        what = (getattr(error, "strerror", None) or str(error) or "unreadable").lower()
        raise _refuse("scenario", what, "would be right: a file that can be read", str(path)[:300]) from None


def _refuse(where: str, what: str, right: str, file: str = "") -> ScenarioError:
    return ScenarioError([Problem(file, 0, 0, where, what, right)])
