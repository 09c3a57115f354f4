"""Whatever a user may write has a line of reference in docs/: what is added without one fails here."""

from __future__ import annotations

import argparse
import inspect
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from asking import chat

import onerouter_mock
from onerouter_mock import pytest_plugin
from onerouter_mock.admin.routes import ROUTES
from onerouter_mock.admin.wanted import MEMBERS
from onerouter_mock.cli import COMMANDS, options
from onerouter_mock.core import records
from onerouter_mock.core.catalogue import built_in
from onerouter_mock.core.scenario import aspects, words
from onerouter_mock.core.scenario.schema import json_schema
from onerouter_mock.core.trace import TILDES
from onerouter_mock.core.wire.refusals import STATUSES
from onerouter_mock.mock.faults import Lane
from onerouter_mock.mock.seen import SeenCall

DOCS = Path(__file__).parent.parent / "docs"


def sections(page: str) -> dict[str, str]:
    """The text under each heading of a page, up to the next one."""
    parts = re.split(r"^#+ +(.+)$", (DOCS / page).read_text(encoding="utf-8"), flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def rows(text: str) -> dict[str, str]:
    """The rows of a section's tables by their first cell's code (or, where it is empty, their second's)."""
    found = {}
    for line in text.splitlines():
        match = re.match(r"\|(?: \|)? `(.+?)` \|", line)
        if match:
            found[match[1].replace(r"\|", "|")] = line
    return found


def words_of(literal: Any) -> Iterator[str]:
    for part in get_args(literal):
        yield from [part] if isinstance(part, str) else words_of(part)


def assert_rows(wanted: object, page: str, heading: str) -> None:
    missing = [name for name in wanted if name not in rows(sections(page)[heading])]  # type: ignore[attr-defined]
    assert not missing, f"docs/{page}, {heading}: no row for {', '.join(missing)}"


def assert_words(wanted: Iterable[str], page: str, heading: str) -> None:
    text = sections(page)[heading]
    missing = [word for word in wanted if f"`{word}`" not in text]
    assert not missing, f"docs/{page}, {heading}: nothing about {', '.join(missing)}"


# The scenario language: the definition of its schema -> the heading of its fields.
HEADINGS = {
    "Scenario": "Top level", "Key": "keys", "Account": "accounts", "Router": "router", "Cooldown": "router",
    "Provider": "providers", "Model": "models", "When": "when", "Limit": "Limits", "Rule": "Rules", "Step": "Rules",
    "Error": "error", "Distribution": "delay", "Normal": "delay", "Lognormal": "delay", "Stream": "stream",
    "Break": "break", "Reply": "reply", "ToolCall": "reply",
}  # fmt: skip


def test_every_field_of_a_scenario_has_a_row() -> None:
    schema = json_schema()
    definitions = {"Scenario": schema, **schema["$defs"]}
    assert {name for name, part in definitions.items() if "properties" in part} == set(HEADINGS)
    for name, heading in HEADINGS.items():
        assert_rows(definitions[name]["properties"], "scenarios.md", heading)


def closed_words(part: Any) -> Iterator[str]:
    """All words of a schema's enumerations."""
    if isinstance(part, dict):
        yield from (word for word in [*part.get("enum", ()), part.get("const")] if isinstance(word, str))
        part = list(part.values())
    for item in part if isinstance(part, list) else ():
        yield from closed_words(item)


def test_every_word_that_a_field_may_hold_is_explained() -> None:
    schema = json_schema()
    definitions = {"Scenario": schema["properties"], **schema["$defs"]}
    for name, heading in HEADINGS.items():
        wanted = set(closed_words(definitions[name]))
        for own_table in (words.AnyKind, aspects.Connection):  # and there they are looked for, below
            if wanted >= {*words_of(own_table)} - {"no_provider"}:
                wanted -= {*words_of(own_table)}
        assert_words(wanted, "scenarios.md", heading)


@pytest.mark.parametrize(
    ("vocabulary", "page", "heading"),
    [
        (words_of(words.AnyKind), "scenarios.md", "Words"),
        (records.LANES, "scenarios.md", "Words"),
        (set(TILDES.values()), "scenarios.md", "Words"),
        (words_of(aspects.Do), "scenarios.md", "break"),
        (words_of(aspects.Connection), "scenarios.md", "connection"),
        (words_of(aspects.Malformed), "scenarios.md", "reply"),
        (
            ["finish", "cut", "reset", "stall", "hang", "empty", "garbage", "client_left"],
            "control-api.md",
            "A journal entry",
        ),
        (STATUSES, "wire.md", "Statuses"),
        (built_in().providers, "wire.md", "Providers"),
    ],
    ids=[
        "kinds",
        "lanes",
        "tildes",
        "break do",
        "connection",
        "malformed",
        "endings",
        "statuses",
        "providers",
    ],
)
def test_every_word_of_a_closed_vocabulary_has_a_row(vocabulary: object, page: str, heading: str) -> None:
    assert_rows(vocabulary, page, heading)


def test_every_endpoint_unit_and_model_is_named() -> None:
    assert_words(records.ENDPOINTS, "scenarios.md", "when")
    assert_words(built_in().models, "wire.md", "Models")
    units = ("us", "ms", "s", "m", "h", "d", "sec", "min", "hour", "day", "k", "M")
    assert_words(units, "scenarios.md", "Units")


# The command line


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_of_a_command_has_a_row(command: str) -> None:
    actions = [
        action for action in options._parser(command)._actions if not isinstance(action, argparse._HelpAction)
    ]
    served = {option for option, *_ in options.SERVE} if command == "run" else set()  # "all options of serve"
    text = sections("cli.md")[command]
    for action in actions:
        for option in action.option_strings:
            if option not in served:
                shown = f"{option} {action.metavar}" if action.metavar else option
                assert shown in rows(text), f"docs/cli.md, {command}: no row for {shown}"
        if not action.option_strings:
            assert str(action.metavar) in text, f"docs/cli.md, {command}: nothing about {action.metavar}"


def test_every_option_of_the_server_shows_its_twin() -> None:
    shown = rows(sections("cli.md")["serve"])
    for option, value, *_ in options.SERVE:
        twin = options.TWIN_PREFIX + option.strip("-").replace("-", "_").upper()
        assert f"`{twin}`" in shown[f"{option} {value}" if value else option]


def test_every_exit_code_has_a_row() -> None:
    source = inspect.getdoc(__import__("onerouter_mock.cli", fromlist=["cli"])) or ""
    codes = re.findall(r"\b\d+\b", source.partition("Exit codes:")[2])
    text = sections("cli.md")["The command line"]
    assert codes
    assert [code for code in codes if not re.search(rf"^\| (?:\d+, )*{code}\b", text, re.M)] == []


# The control API


def test_every_control_route_has_a_row() -> None:
    shown = rows(sections("control-api.md")["The control API"])
    for route in ROUTES:
        path = f"/_mock/{route.path}" if route.path else "/_mock"
        row = shown.get(f"{route.method} {path}")
        assert row, f"docs/control-api.md: no row for {route.method} {path}"
        assert [name for name in route.query if f"{name}=" not in row] == []


def test_every_member_of_an_expectation_and_of_an_entry_has_a_row() -> None:
    assert_rows(MEMBERS, "control-api.md", "verify")
    assert_rows(inspect.get_annotations(SeenCall), "control-api.md", "A journal entry")
    with onerouter_mock.serve() as mock:
        chat(mock.base_url)
        assert_rows(mock.last, "control-api.md", "A journal entry")


# pytest


def public(kind: type) -> list[str]:
    return [name for name in vars(kind) if not name.startswith("_")]


def test_every_member_of_the_mock_has_a_row() -> None:
    shown = [re.split(r"[(\s]", name)[0] for name in rows(sections("pytest.md")["Members"])]
    with onerouter_mock.serve() as mock:
        wanted = {
            *public(onerouter_mock.OneRouterMock),
            *(name for name in vars(mock) if not name.startswith("_")),
        }
    assert sorted(wanted - set(shown)) == []
    lanes = [re.split(r"[(\s]", name)[0] for name in rows(sections("pytest.md")["byok, shared, router"])]
    assert sorted({*public(Lane), *public(onerouter_mock.Handle), "name"} - set(lanes)) == []


def test_every_option_of_the_plugin_has_a_row_with_its_ini_twin() -> None:
    shown = rows(sections("pytest.md")["Options"])
    for name, metavar, _ in pytest_plugin._OPTIONS:
        row = shown.get(f"--onerouter-{name} {metavar}" if metavar else f"--onerouter-{name}")
        assert row, f"docs/pytest.md: no row for --onerouter-{name}"
        assert f"`onerouter_{name.replace('-', '_')}`" in row
    asked = re.findall(r'addini\(\s*"(\w+)"', inspect.getsource(pytest_plugin))
    assert asked
    assert [name for name in asked if name not in shown] == []


def test_every_public_name_is_spoken_of() -> None:
    pages = "".join(
        path.read_text(encoding="utf-8") for path in [*DOCS.glob("*.md"), DOCS.parent / "README.md"]
    )
    assert [name for name in ("serve", "connect", "OneRouterMock") if f"onerouter_mock.{name}" not in pages
            and f"import {name}" not in pages] == []  # fmt: skip
