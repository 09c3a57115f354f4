"""`serve` starts a mock in this process, `connect` takes one that runs already.

What may live here: making a `OneRouterMock`; what the pytest fixture adds is in `worlds.py`.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from onerouter_mock.cli.environment import API_KEY
from onerouter_mock.emulator import Emulator
from onerouter_mock.host import Host
from onerouter_mock.library import Library
from onerouter_mock.mock.choose import Chooser, Source
from onerouter_mock.mock.control import Control, Far, Near, session_url
from onerouter_mock.mock.onerouter import OneRouterMock


def serve(
    scenario: Source = "healthy", *, host: str = "127.0.0.1", port: int = 0, **overrides: Any
) -> OneRouterMock:
    """A mock on a port of its own, until its `with` (or `async with`) ends or `close` is called.

    Shape: `scenario` is a bundled name, a path, a dict or YAML text; `overrides` are top-level fields of a
    scenario (seed, clock, speed, ...). Errors: ScenarioError; OSError, when the port can't be had.
    """
    here = Path.cwd()
    chooser = Chooser(Library())
    return start(chooser, scenario, overrides, (here,), host=host, port=port, root=here)


def start(
    chooser: Chooser,
    scenario: Source,
    overrides: dict[str, Any],
    folders: tuple[Path, ...],
    *,
    root: Path,
    host: str = "127.0.0.1",
    port: int = 0,
    is_fixture: bool = False,
) -> OneRouterMock:
    """A running mock whose paths are looked up in `folders` and whose files are named from `root`."""
    emulator = Emulator(chooser.choose(scenario, overrides, folders), chooser.library)
    near = Near(Host.start(emulator, host, port), lambda source, over: chooser.choose(source, over, folders))
    return OneRouterMock(Control(near), root=root, api_key=API_KEY, is_fixture=is_fixture)


def connect(url: str, session: str | None = None, *, api_key: str = API_KEY) -> OneRouterMock:
    """The mock that runs at `url` (its root, with or without `/v1`), or one session of it.

    Errors: MockError at the first question, when nobody answers there.
    """
    here = Path.cwd()
    chooser = Chooser(Library())
    return attach(chooser, url, session, (here,), root=here, api_key=api_key)


def attach(
    chooser: Chooser,
    url: str,
    session: str | None,
    folders: tuple[Path, ...],
    *,
    root: Path,
    api_key: str = API_KEY,
    is_fixture: bool = False,
) -> OneRouterMock:
    """A mock that runs elsewhere; see `start` for `folders` and `root`."""
    address = url.rstrip("/").removesuffix("/v1")
    if session is not None:
        address = session_url(address, session)
    far = Far(address, lambda source, over: chooser.spell(source, over, folders))
    return OneRouterMock(Control(far), root=root, api_key=api_key, is_fixture=is_fixture)
