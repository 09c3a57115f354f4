"""`report`: the timeline of a server, or of a journal that `run --journal` wrote.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from onerouter_mock.cli import Stop
from onerouter_mock.cli.address import Unreachable, get_json, read_address
from onerouter_mock.cli.paint import paint_for
from onerouter_mock.core.story import report as tell


def report(args: argparse.Namespace) -> int:
    """Print the timeline, the totals and the findings; 1 when a finding fails."""
    source = args.source
    is_file = source is not None and "://" not in source and Path(source).exists()
    entries, dropped, is_ok = _read_file(Path(source)) if is_file else _ask(source)
    for line in tell(entries, dropped=dropped, paint=paint_for(sys.stdout)):
        print(line)
    return 0 if is_ok else 1


def _ask(url: str | None) -> tuple[list[Any], int, bool]:
    if url is not None and url.endswith((".jsonl", ".json")):
        raise Stop(f"{url}: no such file")
    address = read_address(url)
    try:
        journal = get_json(address, f"{address.prefix}/_mock/calls", timeout_s=10.0)
        findings = get_json(address, f"{address.prefix}/_mock/findings", timeout_s=10.0)
    except Unreachable as error:
        raise Stop(f"{address.url}: {error}", 4) from None
    return journal["calls"], journal["dropped"], bool(findings["ok"])


def _read_file(path: Path) -> tuple[list[Any], int, bool]:
    entries = []
    try:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if line.strip():
                entries.append(_read_entry(line, f"{path}:{number}"))
    except (OSError, UnicodeDecodeError) as error:
        raise Stop(f"{path}: {getattr(error, 'strerror', None) or 'is no text'}") from None
    failing = any(is_failing(finding) for entry in entries for finding in entry.get("findings") or ())
    return entries, 0, not failing


def is_failing(finding: Any) -> bool:
    """Whether a finding fails a strict run: every one that is no mere note."""
    return not isinstance(finding, dict) or finding.get("severity", finding.get("level")) not in (
        "note",
        "info",
    )


def _read_entry(line: str, where: str) -> Any:
    try:
        entry = json.loads(line)
    except ValueError:
        entry = None
    if not isinstance(entry, dict) or "id" not in entry:
        raise Stop(f"{where}: no call of a journal; would be right: a line that run --journal wrote")
    return entry
