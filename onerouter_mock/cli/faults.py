"""`faults`: how each provider words each kind of failure, and how sure that is.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from onerouter_mock.cli import Stop
from onerouter_mock.core.catalogue.listing import ErrorRow, error_forms

_HEAD = ("provider", "kind", "status", "type", "code", "conf", "message")


def faults(args: argparse.Namespace) -> int:
    """Print the error forms of all providers, or of one."""
    rows = error_forms()
    if args.provider:
        slugs = dict.fromkeys(row.provider for row in rows)
        rows = [row for row in rows if row.provider == args.provider]
        if not rows:
            raise Stop(f'"{args.provider}" is no provider; would be right: {", ".join(slugs)}')
    if args.format == "json":
        print(
            json.dumps(
                [{**asdict(row), "headers": dict(row.headers)} for row in rows], indent=2, ensure_ascii=False
            )
        )
        return 0
    for line in _table(rows):
        print(line)
    print(
        "\nconf: A seen verbatim or official text, B official status and words from memory, C weak or guessed"
    )
    return 0


def _table(rows: list[ErrorRow]) -> list[str]:
    cells = [_HEAD, *(_cells(row) for row in rows)]
    widths = [min(36, max(len(row[i]) for row in cells)) for i in range(len(_HEAD) - 1)]
    lines = [_line(_HEAD, widths)]
    indent = " " * (sum(widths) + 2 * len(widths))
    for row, shown in zip(rows, cells[1:], strict=True):
        lines.append(_line(shown, widths))
        if row.headers:
            lines.append(indent + ", ".join(f"{name}: {value}" for name, value in row.headers))
    return lines


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    padded = [f"{cell:<{width}}" for cell, width in zip(cells[:-1], widths, strict=True)]
    return "  ".join([*padded, cells[-1]])


def _cells(row: ErrorRow) -> tuple[str, ...]:
    message = " ".join(row.message.split())  # some have lines, and a row is one
    if row.case:
        message += f" ({row.case})"
    middle = (str(row.status), row.type or "-", "-" if row.code is None else str(row.code), row.confidence)
    return (row.provider, row.kind, *middle, message)
