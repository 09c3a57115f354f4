"""`--watch`: a changed scenario file takes force in every session that runs it; a broken one is only told.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from onerouter_mock.core.errors import ScenarioError
from onerouter_mock.emulator import Emulator
from onerouter_mock.library import Library

POLL_S = 0.25


class Watch:
    """The scenario files of a server's sessions, and when each was changed last."""

    def __init__(self, emulator: Emulator, put: Callable[..., None]) -> None:
        self._emulator, self._put = emulator, put
        self._library = emulator.library or Library()
        self._seen: dict[str, tuple[int, int] | None] = {}
        self.look()

    def look(self) -> None:
        """Reload what has changed since the last look. Called on the server's loop thread."""
        for file in self._files():
            stamp = _stamp(file)
            if file not in self._seen:
                self._seen[file] = stamp
            elif stamp is not None and stamp != self._seen[file]:
                self._seen[file] = stamp
                self._reload(file)

    def _files(self) -> set[str]:
        files = {session.base.file for session in self._emulator.sessions()}
        return {file for file in (*files, self._emulator.scenario.file) if file}

    def _reload(self, file: str) -> None:
        try:
            names = self._emulator.reload(file, self._library.load(file))
        except ScenarioError as error:
            self._put(*(str(problem) for problem in error.problems), f"{file}: kept the old one")
            return
        sessions = f" in {', '.join(names)}" if names and names != ["default"] else ""
        self._put(f"{file}: changed, in force{sessions}; the state starts afresh")


def _stamp(file: str) -> tuple[int, int] | None:
    try:
        found = Path(file).stat()
    except OSError:
        return None  # an editor that saves by moving: there again at the next look
    return found.st_mtime_ns, found.st_size
