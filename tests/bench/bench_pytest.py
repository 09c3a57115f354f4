"""What the plugin costs: `python tests/bench/bench_pytest.py`.

    a run without it    one empty test, with the plugin's entry point and with `-p no:onerouter_mock`, in turns
    a test with it      200 tests that take the fixture, against 200 that don't, in the same file otherwise

CPU seconds of whole processes (user and system), medians of interleaved runs; Faker's own plugin is off in all.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROUNDS = 11
TESTS = 200


def cpu_ms(folder: Path, file: str, *options: str) -> float:
    """One pytest run in a process of its own."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:faker",
            "-p",
            "no:asyncio",
            "-p",
            "no:cacheprovider",
            *options,
            file,
        ],
        cwd=folder,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000


def compare(folder: Path, one: tuple[str, ...], other: tuple[str, ...]) -> tuple[float, float]:
    """Medians of both, run in turns after a warm-up of each."""
    runs: tuple[list[float], list[float]] = ([], [])
    for number in range(ROUNDS + 1):
        for kept, command in zip(runs, (one, other), strict=True):
            took_ms = cpu_ms(folder, *command)
            if number:
                kept.append(took_ms)
    return statistics.median(runs[0]), statistics.median(runs[1])


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "test_empty.py").write_text("def test_nothing(): pass\n")
        for file, fixture in (("test_plain.py", ""), ("test_mocked.py", "onerouter, ")):
            (folder / file).write_text(
                "import pytest\n"
                f"@pytest.mark.parametrize('number', range({TESTS}))\n"
                f"def test_one({fixture}number): pass\n"
            )
        (folder / "test_one_mocked.py").write_text("def test_one(onerouter): pass\n")
        on, off = compare(folder, ("test_empty.py",), ("test_empty.py", "-p", "no:onerouter_mock"))
        print(
            f"a run that does not use it   {on:6.1f} ms with the plugin, {off:6.1f} without: {on - off:+.1f} ms"
        )
        first, empty = compare(folder, ("test_one_mocked.py",), ("test_empty.py",))
        print(f"the first test that uses it  {first - empty:6.1f} ms (imports, one loop thread)")
        mocked, plain = compare(folder, ("test_mocked.py",), ("test_plain.py",))
        each = (mocked - plain - (first - empty)) / (TESTS - 1)
        print(f"each further test            {each:6.2f} ms (own port, own world)")


if __name__ == "__main__":
    main()
