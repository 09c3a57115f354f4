"""What the plugin costs: `python tests/bench/bench_pytest.py`.

    a run without it    one empty test, with the plugin and with `-p no:onerouter_mock`, in turns; with bytecode cached,
                        and without (`PYTHONDONTWRITEBYTECODE=1`)
    a test with it      200 tests that take the fixture, against 200 that don't; what the first one pays taken off

Whole processes: the time they take and their CPU time (user and system), medians of interleaved runs. Other
distributions' plugins are off in all.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

ROUNDS = 11
TESTS = 200
OTHERS = ("faker", "anyio", "aiohttp", "asyncio", "xdist", "hypothesispytest", "cacheprovider")
WITHOUT = ("-p", "no:onerouter_mock")


class Cost(NamedTuple):
    """One run, or the difference of two. Units: milliseconds."""

    wall_ms: float
    cpu_ms: float

    def minus(self, other: Cost) -> Cost:
        return Cost(self.wall_ms - other.wall_ms, self.cpu_ms - other.cpu_ms)

    def over(self, number: int) -> Cost:
        return Cost(self.wall_ms / number, self.cpu_ms / number)

    def __str__(self) -> str:
        return f"{self.wall_ms:+8.2f} ms {self.cpu_ms:+8.2f} ms of CPU"


def run(folder: Path, options: tuple[str, ...], environ: dict[str, str]) -> Cost:
    """One pytest run in a process of its own."""
    off = [word for name in OTHERS for word in ("-p", f"no:{name}")]
    before, began_s = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *off, *options],
        cwd=folder,
        env={**os.environ, **environ},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    after, wall_s = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter() - began_s
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(wall_s * 1000, cpu_s * 1000)


def compare(folder: Path, one: tuple[str, ...], other: tuple[str, ...], **environ: str) -> Cost:
    """What `one` costs more than `other`: medians of both, run in turns after a warm-up of each."""
    runs: tuple[list[Cost], list[Cost]] = ([], [])
    for number in range(ROUNDS + 1):
        for kept, options in zip(runs, (one, other), strict=True):
            cost = run(folder, options, environ)
            if number:
                kept.append(cost)
    medians = [Cost(*(statistics.median(part) for part in zip(*kept, strict=True))) for kept in runs]
    return medians[0].minus(medians[1])


def write_tests(folder: Path) -> None:
    """The files that are run."""
    (folder / "test_empty.py").write_text("def test_nothing(): pass\n")
    (folder / "test_first.py").write_text("def test_one(onerouter): pass\n")
    for file, fixture in (("test_plain.py", ""), ("test_mocked.py", "onerouter, ")):
        many = f"@pytest.mark.parametrize('number', range({TESTS}))\ndef test_one({fixture}number): pass\n"
        (folder / file).write_text(f"import pytest\n{many}")


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_tests(folder)
        unused = ("test_empty.py", *WITHOUT)
        print(f"a run that does not use it   {compare(folder, ('test_empty.py',), unused)}")
        plain = compare(folder, ("test_empty.py",), unused, PYTHONDONTWRITEBYTECODE="1")
        print(f"    without bytecode         {plain}")
        first = compare(folder, ("test_first.py",), ("test_empty.py",))
        print(f"the first test that uses it  {first}   (imports, a thread with its loop)")
        all_of_them = compare(folder, ("test_mocked.py",), ("test_plain.py",))
        print(
            f"each further test            {all_of_them.minus(first).over(TESTS - 1)}   (a port and a world of its own)"
        )


if __name__ == "__main__":
    main()
