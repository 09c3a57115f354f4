"""The plugin's options as they were said, checked before the first test.

What may live here: words and shapes of options. A run that only has them in its ini file imports this and no more.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

_WORDS = {"clock": ("real", "virtual"), "waits": ("told", "jump")}


class WrongOption(ValueError):
    """An option that can't be read; the message says what would be right."""


def read_options(said: Mapping[str, Any]) -> dict[str, Any]:
    """The options that win over what scenarios say: seed, clock, waits. Errors: WrongOption."""
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


def read_url(said: Mapping[str, Any]) -> str | None:
    """The server to use, None for one of our own. Errors: WrongOption."""
    url: str = said["url"] or ""
    if not url:
        return None
    from onerouter_mock.cli import Stop
    from onerouter_mock.cli.address import read_address

    try:
        address = read_address(url)
    except Stop as stop:
        raise WrongOption(f"--onerouter-url: {stop}") from None
    if address.prefix:
        raise WrongOption(f"--onerouter-url: {url!r} names a session; each test has one of its own")
    return address.url


def find_folder(said: Mapping[str, Any], root: Path) -> Path | None:
    """The scenario directory, from here or from rootdir; absolute, for tests that change directories.

    Errors: WrongOption.
    """
    directory: str = said["scenario-dir"] or ""
    if not directory:
        return None
    for folder in (Path(directory), root / directory):
        if folder.is_dir():
            return folder.absolute()
    raise WrongOption(
        f"--onerouter-scenario-dir: {directory!r} is no directory; looked in {Path.cwd()} and {root}"
    )
