"""What a pytest run says of the mock at its end: totals over tests, in the terminal and for GitHub.

What may live here: sums of plain numbers (they travel from xdist's workers as JSON) and their words.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from onerouter_mock.core.scenario.units import format_usd
from onerouter_mock.core.story import who_served

_MOST_ROUTES = 8


class RunReport:
    """A pytest plugin of its own, registered where a report is asked for: sums what tests report, says it at
    the end.

    Shape: `report.onerouter` is the answer of `/_mock/stats` at a test's end; it comes with the teardown's
    report.
    """

    def __init__(self, in_terminal: bool, for_github: bool, root: Path, environ: Mapping[str, str]) -> None:
        self._in_terminal = in_terminal
        self._for_github = for_github
        self._root = root  # what locations of tests are told from; GitHub tells files from its workspace
        self._workspace = Path(environ.get("GITHUB_WORKSPACE") or root)
        self._summary_file = environ.get("GITHUB_STEP_SUMMARY") if for_github else None
        self._total: dict[str, Any] = {}
        self._failed: dict[str, tuple[str, int, str]] = {}
        self._annotations: list[str] = []

    def pytest_runtest_logreport(self, report: Any) -> None:
        """One phase of one test, from this process or from a worker."""
        if report.failed:
            self._failed.setdefault(report.nodeid, (*self._place(report), _message(report)))
        totals = getattr(report, "onerouter", None)
        failed = self._failed.pop(report.nodeid, None) if report.when == "teardown" else None
        if totals:
            add_totals(self._total, totals)
            if failed is not None:
                file, line, text = failed
                self._annotations.append(annotation(file, line, report.nodeid, text))

    def _place(self, report: Any) -> tuple[str, int]:
        """The line that failed, where that is in the test's own file; else the test's line."""
        name, line, _ = report.location
        file = self._root / name
        crash = getattr(report.longrepr, "reprcrash", None)
        line = crash.lineno if crash is not None and self._root / crash.path == file else (line or 0) + 1
        is_in_workspace = file.is_relative_to(self._workspace)
        return (file.relative_to(self._workspace).as_posix() if is_in_workspace else name), line

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """The totals of the run, when any test used the mock."""
        if not self._total:
            return
        if self._in_terminal:
            terminalreporter.section("onerouter-mock")
            for line in sum_up(self._total):
                terminalreporter.write_line(line)
        if self._for_github:
            for line in self._annotations:
                terminalreporter.write_line(line)
        if self._summary_file:
            with Path(self._summary_file).open("a", encoding="utf-8") as file:
                file.write(as_markdown(self._total))


def _message(report: Any) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    return str(crash.message if crash is not None else report.longreprtext)


def add_totals(total: dict[str, Any], part: Mapping[str, Any]) -> None:
    """Add one test's totals (the answer of `/_mock/stats`) to those of the run."""
    total["tests"] = total.get("tests", 0) + 1
    for name in ("calls", "credits_spent", "byok_spent"):
        total[name] = total.get(name, 0) + part[name]
    for name in ("served_by", "routes"):
        sums = total.setdefault(name, {})
        for key, number in part[name].items():
            sums[key] = sums.get(key, 0) + number


def sum_up(total: Mapping[str, Any]) -> list[str]:
    """The totals of a run in lines: how many calls, who paid, which routes."""
    head = f"{_count(total['calls'], 'call')} in {_count(total['tests'], 'test')}"
    served = who_served(total["calls"], total["served_by"])
    lines = ["   ".join([head, *served, f"credits {_usd(total['credits_spent'])}"])]
    ranked = sorted(total["routes"].items(), key=lambda item: (-item[1], item[0]))
    lines += [f"{number:6} x  {route}" for route, number in ranked[:_MOST_ROUTES]]
    if len(ranked) > _MOST_ROUTES:
        lines.append(f"          and {_count(len(ranked) - _MOST_ROUTES, 'more route')}")
    return lines


def as_markdown(total: Mapping[str, Any]) -> str:
    """The same for a GitHub job summary."""
    first, *_ = sum_up(total)
    rows = sorted(total["routes"].items(), key=lambda item: (-item[1], item[0]))
    table = "".join(f"| `{route}` | {number} |\n" for route, number in rows[: 4 * _MOST_ROUTES])
    return f"### onerouter-mock\n\n{first}\n\n| route | calls |\n|---|---|\n{table}"


def annotation(file: str, line: int, title: str, text: str) -> str:
    """A GitHub annotation: one line that its log viewer shows at a source line."""
    data = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    name = title.replace("%", "%25").replace(":", "%3A").replace(",", "%2C")
    return f"::error file={file},line={line},title={name}::{data}"


def describe(timeline: Sequence[str], scenario: str, seed: int, base_url: str) -> str:
    """The report section of a failing test: which world it was, and what the mock saw."""
    head = f"scenario {scenario}, seed {seed}, at {base_url}"
    none = "no call: none was made, or the client went to another address"
    return "\n".join([head, *(timeline or [none])])


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _usd(amount: float) -> str:
    return format_usd(round(amount * 1e9))
