"""`scenarios`, `show`, `init`, `check`, `schema`: scenario files for those who write them.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from dataclasses import replace
from pathlib import Path

from onerouter_mock.cli import Stop
from onerouter_mock.cli.paint import is_plain
from onerouter_mock.cli.world import open_library
from onerouter_mock.core.errors import ScenarioError

STARTER = """\
# One sentence: what goes wrong here, and what still works.
#
# A scenario says only what goes wrong; whatever it does not mention works. Try it:
#   onerouter-mock explain {file}
#   onerouter-mock --scenario {file} --watch
version: 1
name: {name}
seed: 0                       # every draw is a function of it: the same seed, the same accidents

# Budgets: an attempt that matches `when` draws on them, and is refused when they are used up.
limits:
  - name: own-openai          # shows in traces, with this file and line
    when: {{lane: byok, provider: openai}}
    requests: 3/min           # also: tokens: 30k/min, quota: 5 requests, concurrency: 2

# Faults: the first rule that matches and whose gates are open decides.
rules:
  - name: pool-hiccup
    when: {{lane: shared}}      # byok: the caller's own key; shared: the pool; router: the call as a whole
    every: 4                  # other gates: skip: 2, times: 1, chance: 10%, after: 30s, until: 2m
    error: server_error       # a kind, a status as 429, or {{kind: rate_limit, retry_after: 20s}}

  # More of what can be scripted (remove the # of what you need):
  # - {{name: slow-start, delay: {{lognormal: {{median: 800ms, sigma: 0.6, max: 10s}}}}}}
  # - {{name: broken-stream, when: {{lane: byok, stream: true}}, break: {{do: cut, after: 8 tokens}}}}
  # - {{name: no-line, when: {{provider: openai}}, times: 1, connection: hang}}
  # - {{name: fixed-answer, reply: "Hello."}}

# The router itself (these are the defaults but for the cooldown, which is off):
# router:
#   cooldown: {{failures: 3, within: 1m, for: 30s}}
#   timeout: 5s
"""


def scenarios(args: argparse.Namespace) -> int:
    """List the scenarios that can be loaded by a name: first those of `--scenario-dir`, then the bundled."""
    rows, problems = open_library(args).survey()
    for problem in problems:
        print(f"not listed: {problem}", file=sys.stderr)
    width = max(len(name) for name, _ in rows)
    for name, told in rows:
        print(f"{name:<{width}}  {told}")
    if not is_plain(sys.stdout):
        print(
            "\nlook closer: onerouter-mock show NAME, explain NAME; serve one: onerouter-mock --scenario NAME"
        )
    return 0


def show(args: argparse.Namespace) -> int:
    """Print a scenario's text as it stands in its file."""
    print(open_library(args).text(args.name).rstrip("\n"))
    return 0


def init(args: argparse.Namespace) -> int:
    """Write a commented starter file; never over one that is there."""
    path = Path(args.name)
    if path.suffix not in (".yaml", ".yml"):
        path = path.with_name(f"{path.name}.yaml")
    if not re.fullmatch(r"[a-z0-9-]{1,64}", path.stem):
        raise Stop(f'"{path.stem}" is no name for a scenario; would be right: small letters, digits and "-"')
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(STARTER.format(name=path.stem, file=path))
    except FileExistsError:
        raise Stop(f"{path} is there already; would be right: another name") from None
    except OSError as error:
        raise Stop(f"{path}: {(error.strerror or str(error)).lower()}") from None
    print(f"wrote {path}\ntry    onerouter-mock explain {path}")
    return 0


def check(args: argparse.Namespace) -> int:
    """Print every problem of every file, one a line; 1 when there is one. Warnings change no code."""
    from onerouter_mock.core.scenario.advise import advise

    library = open_library(args)
    wrong = False
    for file in args.files:
        try:
            scenario = library.load(file)
        except ScenarioError as error:
            wrong = True
            for problem in error.problems:
                print(problem)
            continue
        warnings = advise(scenario)
        for warning in warnings:
            print(replace(warning, where=f"warning: {warning.where}"))
        count = f" ({len(warnings)} warning{'' if len(warnings) == 1 else 's'})" if warnings else ""
        print(f"{file}: ok{count}")
    return 1 if wrong else 0


def schema(args: argparse.Namespace) -> int:
    """Print the JSON Schema of scenario files."""
    from onerouter_mock.core.scenario.schema import json_schema

    print(json.dumps(json_schema(), indent=2, ensure_ascii=False))
    return 0
