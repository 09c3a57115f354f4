"""`serve` starts a mock in this process, `connect` takes one that runs already.

What may live here: making a `OneRouterMock`; what the pytest fixture adds is in `worlds.py`.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from onerouter_mock import API_KEY
from onerouter_mock.cli import Stop
from onerouter_mock.cli.address import read_address
from onerouter_mock.core.errors import MockError
from onerouter_mock.emulator import Emulator, EmulatorOptions
from onerouter_mock.host import Host
from onerouter_mock.library import Library
from onerouter_mock.mock.choose import Chooser, Source, Wanted
from onerouter_mock.mock.control import Choose, Control, Far, Near, session_name, session_url
from onerouter_mock.mock.onerouter import OneRouterMock
from onerouter_mock.mock.spelling import calling_line

# More than a server keeps: a test that makes many calls, or large ones, looks at all of them.
_KEPT_CALLS, _KEPT_BYTES = 20_000, 128_000_000


def serve(
    scenario: Source = "healthy", *, host: str = "127.0.0.1", port: int = 0, **overrides: Any
) -> OneRouterMock:
    """A mock on a port of its own, until its `with` (or `async with`) ends or `close` is called.

    Shape: `scenario` is a bundled name, a path, a dict or YAML text; `overrides` are top-level fields of a
    scenario (seed, clock, speed, ...); `clock` holds for the scenarios that follow, where they say none.
    Errors: ScenarioError; OSError, when the port can't be had.
    """
    here = Path.cwd()
    chooser = Chooser(Library(), unsaid={"clock": overrides["clock"]} if overrides.get("clock") else {})
    wanted = Wanted(scenario, overrides, (here,), calling_line(here))
    near = start(chooser, wanted, host=host, port=port)
    return OneRouterMock(Control(near), root=here, api_key=API_KEY)


def connect(url: str, session: str | None = None, *, api_key: str = API_KEY) -> OneRouterMock:
    """The mock that runs at `url` (its root, with or without scheme and `/v1`), or one session of it.

    Shape: `session` may be any text, such as a test's id; what no session's name can hold is replaced.
    Errors: MockError, for what is no address; at the first question, when nobody answers there.
    """
    here = Path.cwd()
    far = attach(Chooser(Library()), url, session, (here,))
    return OneRouterMock(Control(far), root=here, api_key=api_key)


def start(chooser: Chooser, wanted: Wanted, *, host: str = "127.0.0.1", port: int = 0) -> Near:
    """A running server with this scenario. Errors: ScenarioError; OSError."""
    options = EmulatorOptions(
        unsaid_clock=chooser.unsaid.get("clock"), journal_size=_KEPT_CALLS, journal_bytes=_KEPT_BYTES
    )
    emulator = Emulator(chooser.choose(wanted), chooser.library, options=options)
    return Near(Host.start(emulator, host, port), chooses(chooser, wanted))


def chooses(chooser: Chooser, wanted: Wanted) -> Choose[Any]:
    """What `use` is given, looked up in the folders in which the first scenario was."""
    return lambda source, overrides, where: chooser.choose(
        replace(wanted, source=source, overrides=overrides, where=where)
    )


def attach(chooser: Chooser, url: str, session: str | None, folders: tuple[Path, ...]) -> Far:
    """A server that runs already; paths are looked up in `folders` here, and sent as text. Errors: MockError."""
    try:
        address = read_address(url or " ")
    except Stop as stop:
        raise MockError(f"url: {stop}") from None
    if session is None:
        return Far(address.url, spells(chooser, folders))
    if address.prefix:
        raise MockError(
            f'url: "{url}" names a session, and so does the argument; would be right: one of them'
        )
    return Far(session_url(address.url, session_name(session)), spells(chooser, folders))


def spells(chooser: Chooser, folders: tuple[Path, ...]) -> Choose[str]:
    """What `use` is given, as text for a server elsewhere."""
    return lambda source, overrides, where: chooser.spell(Wanted(source, overrides, folders, where))
