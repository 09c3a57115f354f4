"""The project's pages: their code blocks, and whether what a program prints is what a page shows.

A comment on the line before a block says what else is to be known of it: `<!-- skip: why -->` is not run,
`<!-- file: NAME -->` is put into the page's folder, `<!-- world: SCENARIO -->` is what an example in Python or
JavaScript meets, `<!-- printed -->` is what the block before has printed, `<!-- server -->` what the server of the
page has printed since, `<!-- yaml -->` is YAML that is no scenario.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGES = [
    ROOT / "README.md",
    *(path for path in sorted((ROOT / "docs").glob("*.md")) if path.name != "client-faults.md"),
]

_FENCE = re.compile(
    r"^(?:<!-- (?P<note>[^\n]*?) -->\n+)?```(?P<language>\w*)\n(?P<text>.*?)^```$", re.M | re.S
)
_NOTES = ("skip", "file", "world", "printed", "server", "yaml")

# What differs from run to run, or with the release of Faker (its words, hence tokens and money).
_MASKS = [
    (re.compile(pattern), mask)
    for pattern, mask in (
        (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
        (r"\d{4}-\d\d-\d\dT[\d:.]+Z", "INSTANT"),
        (r"\b\d{14,23}[A-Za-z0-9]{8}\b", "REQUEST-ID"),
        (r"\b[0-9a-f]{24,32}\b", "ID"),
        (r"pid \d+", "pid N"),
        (r'"(now|full_in_s)":[\d.]+', r'"\1":N'),
        (r"(?:\b\d+(?:\.\d+)? ?(?:h|m|s|ms|us)\b|\b(?:\d+(?:\.\d+)?(?:h|m|s|ms|us)){2,}\b)", "TIME"),
        (r"\$\d+(?:\.\d+)?", "$N"),
        (r"(-{2,}|={2,}|_{2,})", "--"),
        (r"\s+", " "),
    )
]


@dataclass(frozen=True)
class Block:
    """A fenced block of a page; `notes` is what the comment before it says."""

    page: Path
    line: int
    language: str
    text: str
    notes: dict[str, str]

    @property
    def where(self) -> str:
        return f"{self.page.name}:{self.line}"


def read_blocks(page: Path) -> list[Block]:
    """All blocks of a page, in order."""
    source = page.read_text(encoding="utf-8")
    found = []
    for match in _FENCE.finditer(source):
        line = source.count("\n", 0, match.start("language")) + 1
        name, _, rest = (match["note"] or "").partition(":")
        known = name.strip() in _NOTES
        notes = {name.strip(): rest.strip()} if known else {}
        found.append(Block(page, line, match["language"], match["text"], notes))
    return found


def read_commands(block: Block) -> list[tuple[str, str]]:
    """The commands of a console block, each with what it prints."""
    commands: list[tuple[str, str]] = []
    lines = iter(block.text.splitlines())
    for line in lines:
        if line.startswith("$ "):
            command = line[2:]
            while command.endswith("\\"):
                command = command[:-1] + next(lines).strip()
            commands.append((command, ""))
        else:
            assert commands, f"{block.where}: output before a command"
            command, printed = commands[-1]
            commands[-1] = command, f"{printed}{line}\n"
    return commands


def mask(text: str) -> list[str]:
    """Lines without what differs from run to run, and without empty ones."""
    lines = []
    for line in text.splitlines():
        for pattern, shown in _MASKS:
            line = pattern.sub(shown, line)
        lines.append(line.strip())
    return [line for line in lines if line]


def is_shown(shown: str, *streams: str) -> bool:
    """Whether a page shows what was printed. A line `...` stands for any lines; of two streams any interleaving."""
    wanted, printed = mask(shown), [mask(stream) for stream in streams if mask(stream)]
    if len(printed) < 2:
        return _fits(wanted, printed[0] if printed else [])
    return _interleaves(tuple(wanted), tuple(printed[0]), tuple(printed[1]))


def _fits(wanted: list[str], lines: list[str]) -> bool:
    if "..." not in wanted:
        return wanted == lines
    at = wanted.index("...")
    if wanted[:at] != lines[:at]:
        return False
    rest = wanted[at + 1 :]
    return any(_fits(rest, lines[skipped:]) for skipped in range(at, len(lines) + 1))


def _interleaves(wanted: tuple[str, ...], one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    if len(wanted) != len(one) + len(other):
        return False

    @cache
    def fits(i: int, j: int) -> bool:
        if i + j == len(wanted):
            return True
        word = wanted[i + j]
        return (i < len(one) and one[i] == word and fits(i + 1, j)) or (
            j < len(other) and other[j] == word and fits(i, j + 1)
        )

    return fits(0, 0)
