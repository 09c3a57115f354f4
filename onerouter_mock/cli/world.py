"""The emulator that the options of `serve` and `run` describe.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import argparse
from pathlib import Path

from onerouter_mock.cli import Stop
from onerouter_mock.emulator import Emulator, EmulatorOptions
from onerouter_mock.library import Library

DEFAULT_SCENARIO = "healthy"


def make_emulator(args: argparse.Namespace) -> Emulator:
    """Load the scenario, and put what flags say over it. Errors: ScenarioError."""
    library = open_library(args)
    limits = {"session_limit": args.session_limit, "journal_size": args.journal_size}
    options = EmulatorOptions(
        seed=args.seed,
        speed=args.speed,
        clock=args.clock,
        wire=args.wire,
        waits=args.waits,
        force_fallback=args.force_fallback,
        trace_header=not args.no_trace_header,
        allow_hosts=tuple(args.allow_host or ()),
        **{name: value for name, value in limits.items() if value is not None},
    )
    return Emulator(library.load(args.scenario or DEFAULT_SCENARIO), library, options=options)


def open_library(args: argparse.Namespace) -> Library:
    """The bundled scenarios, after those of `--scenario-dir`. Errors: Stop."""
    directory = Path(args.scenario_dir) if args.scenario_dir else None
    if directory is not None and not directory.is_dir():
        raise Stop(f'--scenario-dir: "{directory}" is no directory')
    return Library(directory)


def story_of(emulator: Emulator) -> str:
    """What goes wrong in the server's scenario: its description, else its file's first comment."""
    scenario = emulator.scenario
    if scenario.description or emulator.library is None:
        return scenario.description
    return emulator.library.story(scenario.file)
