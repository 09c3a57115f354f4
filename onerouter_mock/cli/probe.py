"""`health`, `wait`, `env`: what scripts and containers ask about a server. No server is imported here.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import time

from onerouter_mock.cli.address import Address, Unreachable, get_json, is_mock, read_address


def health(args: argparse.Namespace) -> int:
    """Exit 0 when the server is ready, else 1."""
    address = read_address(args.url)
    problem = _problem(address, 2.0)
    if problem:
        print(f"not ready: {address.url}: {problem}", file=sys.stderr)
        return 1
    print(f"ready: {address.url}")
    return 0


def wait(args: argparse.Namespace) -> int:
    """Return 0 as soon as the server is ready, 4 when it is not in time."""
    from onerouter_mock.core.scenario.units import format_duration

    address = read_address(args.url)
    end = time.monotonic() + args.timeout / 1e6
    while True:
        left = end - time.monotonic()
        problem = _problem(address, max(0.05, min(2.0, left)))
        if problem is None:
            print(f"ready: {address.url}")
            return 0
        if time.monotonic() + 0.05 >= end:
            patience = format_duration(args.timeout)
            print(f"not ready in {patience}: {address.url}: {problem}", file=sys.stderr)
            return 4
        time.sleep(0.05)


def _problem(address: Address, timeout_s: float) -> str | None:
    try:
        answer = get_json(address, "/healthz", timeout_s=timeout_s)
    except Unreachable as error:
        return str(error)
    return None if is_mock(answer) else "somebody else answers there"


def env(args: argparse.Namespace) -> int:
    """Print `export NAME=value` lines for a shell."""
    from onerouter_mock.cli.environment import client_environment

    for name, value in client_environment(read_address(args.url).url, os.environ).items():
        print(f"export {name}={shlex.quote(value)}")
    return 0
