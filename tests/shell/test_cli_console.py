"""The log of calls: what is printed when, and that nobody waits for who reads it."""

from __future__ import annotations

import json
import os
import re
import time
from pathlib import Path
from typing import Any, cast

import pytest

from onerouter_mock.cli.console import Console, Mode, Writer
from onerouter_mock.cli.watch import Watch
from onerouter_mock.dry_run import foresee
from onerouter_mock.emulator import Emulator, EmulatorOptions
from onerouter_mock.library import Library

BODY: dict[str, Any] = {
    "model": "gpt-5.1-chat",
    "messages": [{"role": "user", "content": "hi"}],
    "byok_conf": {"provider": "openai", "credentials": "sk-own-key-7f3a"},
}


class Page:
    """Lines, in the place of a writer."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.is_full = False

    def put(self, *lines: str) -> None:
        self.lines += lines


def emulator(scenario: str = "ratelimit") -> Emulator:
    library = Library()
    return Emulator(library.load(scenario), library, options=EmulatorOptions(clock="virtual"))


def printed(
    emulator: Emulator, mode: Mode, *, calls: int = 4, as_json: bool = False, **more: Any
) -> tuple[Console, list[str]]:
    page = Page()
    console = Console(emulator, cast("Writer", page), mode=mode, as_json=as_json)
    foresee(emulator, BODY | more, calls=calls)
    return console, page.lines


def test_all_prints_a_line_a_call_and_a_second_where_something_went_wrong() -> None:
    _, lines = printed(emulator(), "all")
    assert [line.split()[1] for line in lines[:4]] == ["#1", "#2", "#3", "#4"]
    assert lines[4].strip().startswith("own-openai: 3/min used up")
    assert len(lines) == 5


def test_problems_prints_only_calls_with_a_second_line() -> None:
    _, lines = printed(emulator(), "problems")
    assert [line.split()[0] for line in lines] == ["0.0s", "own-openai:"]


def test_off_prints_nothing() -> None:
    assert printed(emulator(), "off")[1] == []


def test_json_is_an_object_a_call_without_the_request() -> None:
    _, lines = printed(emulator(), "all", as_json=True)
    entries = [json.loads(line) for line in lines]
    assert [entry["route"] for entry in entries][-1] == "byok:openai!rate_limit -> shared:openai"
    assert [entry["request"] for entry in entries] == [None] * 4


def test_a_notice_is_printed_once() -> None:
    _, lines = printed(emulator("healthy"), "all", model="never-heard-of")
    assert [line.strip() for line in lines if "note:" in line] == [
        "note: model 'never-heard-of' is not in the catalogue; served as openai at a default price"
    ]


def test_a_slow_stream_is_printed_as_it_begins_too() -> None:
    library = Library()
    slow = Emulator(library.load("slow-stream"), library)
    _, lines = printed(slow, "all", calls=1, stream=True)
    assert [line.endswith("…") for line in lines] == [True, False]


def test_the_last_line_sums_up() -> None:
    console, _ = printed(emulator(), "problems")
    assert console.sum_line(12_400_000).startswith(
        "4 calls in 12.4s   own key 3   shared pool 1   nobody 0   credits $"
    )


def test_no_line_shows_a_key() -> None:
    _, lines = printed(emulator(), "all", as_json=True)
    assert not [line for line in lines if "sk-own-key" in line]


def test_nobody_waits_for_a_pipe_that_nobody_reads_and_what_was_lost_is_told() -> None:
    read_end, write_end = os.pipe()
    with os.fdopen(write_end, "w") as stream:
        writer = Writer(stream)
        began = time.monotonic()
        for _ in range(30_000):
            writer.put("x" * 100)
        writer.close(timeout_s=0.05)
        assert time.monotonic() - began < 2
        with os.fdopen(read_end) as pipe:
            seen = lost = 0
            while seen + lost < 30_000:
                line = pipe.readline()
                told = re.fullmatch(r"\((\d+) lines were lost: nobody read them\)\n", line)
                lost += int(told[1]) if told else 0
                seen += line == "x" * 100 + "\n"
        writer.close()
    assert lost > 5_000


def test_lines_arrive_in_order_and_whole() -> None:
    read_end, write_end = os.pipe()
    with os.fdopen(write_end, "w", encoding="utf-8") as stream:
        writer = Writer(stream)
        for number in range(200):
            writer.put(f"…{number}")
        writer.close()
    with os.fdopen(read_end, encoding="utf-8") as stream:
        assert stream.read().splitlines() == [f"…{number}" for number in range(200)]


def test_a_reader_that_has_left_disturbs_nobody() -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    with os.fdopen(write_end, "w") as stream:
        writer = Writer(stream)
        writer.put("x")
        writer.close()


@pytest.fixture
def watched(tmp_path: Path) -> tuple[Path, Emulator, Watch, list[str]]:
    path = tmp_path / "mine.yaml"
    path.write_text("rules: [{name: one, when: {lane: byok}, error: quota}]\n")
    library = Library()
    emulator = Emulator(library.load(str(path)), library, options=EmulatorOptions(seed=7))
    page = Page()
    return path, emulator, Watch(emulator, page.put), page.lines


def test_watch_puts_a_changed_file_in_force_and_keeps_the_flags(
    watched: tuple[Path, Emulator, Watch, list[str]],
) -> None:
    path, emulator, watch, lines = watched
    assert foresee(emulator, BODY, calls=1)[0]["route"] == "byok:openai!quota -> shared:openai"
    path.write_text("seed: 3\nrules: [{name: two, when: {lane: byok}, error: rate_limit}]\n")
    watch.look()
    assert foresee(emulator, BODY, calls=1)[0]["route"] == "byok:openai!rate_limit -> shared:openai"
    assert emulator.scenario.seed == 7
    assert lines == [f"{path}: changed, in force; the state starts afresh"]


def test_watch_keeps_the_old_one_when_the_new_is_broken(
    watched: tuple[Path, Emulator, Watch, list[str]],
) -> None:
    path, emulator, watch, lines = watched
    path.write_text("rules: [{eror: quota}]\n")
    watch.look()
    watch.look()
    assert foresee(emulator, BODY, calls=1)[0]["route"] == "byok:openai!quota -> shared:openai"
    assert lines[0].startswith(f"{path}:1:")
    assert lines[-1] == f"{path}: kept the old one"
    assert len([line for line in lines if "kept" in line]) == 1


def test_watch_says_nothing_while_nothing_changes(watched: tuple[Path, Emulator, Watch, list[str]]) -> None:
    path, _, watch, lines = watched
    watch.look()
    path.unlink()
    watch.look()
    assert lines == []
