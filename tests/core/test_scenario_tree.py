"""YAML and JSON text, hardened: what is read, what is refused, and where."""

from __future__ import annotations

import sys
import threading
from datetime import timedelta

import pytest

from onerouter_mock.core.errors import ScenarioError
from onerouter_mock.core.scenario.load import load_scenario
from onerouter_mock.core.scenario.read import read_data, read_text, resolve
from onerouter_mock.core.scenario.tree import Node, follow, spell_path, to_data


def read(text: str) -> object:
    root, problems = read_text(text, "f.yaml")
    assert not problems
    assert root is not None
    return to_data(root)


def refuse(text: str) -> list[str]:
    _, problems = read_text(text, "f.yaml")
    assert problems
    return [str(problem) for problem in problems]


def test_scalars_are_those_of_yaml_1_2() -> None:
    text = "a: [on, off, yes, no, 12:30, 12:30:45, 010, 0o10, 0x1F, 1e3, 1_000, 3/min, 10%, 2026-01-01]"
    assert read(text) == {
        "a": [
            "on",
            "off",
            "yes",
            "no",
            "12:30",
            "12:30:45",
            10,
            8,
            31,
            1000.0,
            "1_000",
            "3/min",
            "10%",
            "2026-01-01",
        ]
    }
    assert read("a: [true, True, FALSE, ~, null, '1', \"x\", .5, -3, +4]") == {
        "a": [True, True, False, None, None, "1", "x", 0.5, -3, 4]
    }
    assert resolve(".inf") == float("inf")
    assert resolve("-.INF") == float("-inf")


def test_keys_are_text_whatever_they_look_like() -> None:
    assert read("on: 1\n3: 2\nfalse: 3") == {"on": 1, "3": 2, "false": 3}


def test_nulls_are_absent_but_not_inside_a_json_reply() -> None:
    root, _ = read_data({"rules": [{"name": None, "reply": {"json": {"a": None}, "text": None}}]}, "s")
    assert root is not None
    assert to_data(root) == {"rules": [{"reply": {"json": {"a": None}}}]}


@pytest.mark.parametrize(
    ("text", "place", "problem"),
    [
        ("a: &x 3", "1:4", "yaml: an anchor ('&x') is not allowed; would be right: the value itself"),
        ("a: !x [1]", "1:4", "yaml: a tag ('!x') is not allowed; would be right: the value itself"),
        ("a: !!str 3", "1:4", "yaml: a tag ('tag:yaml.org,2002:str') is not allowed"),
        ("b: 1\nb: 2", "2:1", "b: 'b' stands here twice; would be right: once; it first stands in line 1"),
        ("r:\n- {a: 1, b: {c: 1, c: 2}}", "2:20", "r[0].b.c: 'c' stands here twice"),
        ("<<: {a: 1}", "1:1", "<<: merge keys ('<<') are not allowed; would be right: extends"),
        ("? [a]\n: b", "1:3", "scenario: a key is a list or a map; would be right: text"),
        ("a: 1\n---\nb: 2", "2:1", "yaml: a second document begins; would be right: one scenario a file"),
        ('{"a": 1, "a": 2}', "1:10", "a: 'a' stands here twice; would be right: once"),
        ('{"a": NaN}', "1:7", "json: NaN is no JSON; would be right: a number"),
        (
            '{"a":\n 01}',
            "2:3",
            "json: no JSON: expecting ',' delimiter; would be right: a ',' between two entries "
            "(text that begins with { is read as JSON)",
        ),
        (
            "{'a': 1}",
            "1:2",
            "json: no JSON: expecting property name enclosed in double quotes; would be right: the name",
        ),
        ('{"a": [', "1:8", "json: no JSON: expecting value; would be right: the rest of it"),
        ('{"a": tru}', "1:7", "json: no JSON: expecting value; would be right: a value"),
        (
            '{"a": "\\ud800"}',
            "1:7",
            "a: the text holds half a surrogate pair; would be right: whole characters",
        ),
    ],
)
def test_what_is_refused_is_told_with_its_place(text: str, place: str, problem: str) -> None:
    (told,) = refuse(text)
    assert told.startswith(f"f.yaml:{place}: {problem}")


def test_a_comma_too_many_is_told_whatever_the_reader_calls_it() -> None:
    for text in ('{"a": 1,}', '{"a": [1,]}'):
        (told,) = refuse(text)
        assert "would be right: no ',' before the closing } or ]" in told


def test_an_unquoted_star_says_that_it_must_be_quoted() -> None:
    for text in ("model: *-mini", "model: *", "a: [*x]", "a: [abc]*"):
        assert any("*" in line and "quotes" in line for line in refuse(text)), text


def test_all_flaws_of_a_text_are_told_at_once() -> None:
    assert len(refuse("a: &x 1\nb: !y 2\nb: 3\nc: *x\n<<: {}")) == 5


def test_a_flawed_value_is_not_complained_of_twice() -> None:
    with pytest.raises(ScenarioError) as caught:
        load_scenario("seed: *x\nkeys: {a: {match: *y}}", file="f.yaml")
    assert [problem.line for problem in caught.value.problems] == [1, 2]


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "[\n" * 100_000, "- " * 100_000, '{"a":' * 40_000, '{"a": ' + "[" * 200_000]
)
def test_deep_nesting_is_refused_and_crashes_nothing(text: str) -> None:
    assert any("nested deeper than 32" in line for line in refuse(text))


def test_deep_nesting_is_refused_in_a_thread_with_a_small_stack() -> None:
    seen: list[str] = []
    before = threading.stack_size(256 * 1024)
    try:
        thread = threading.Thread(
            target=lambda: seen.extend(refuse("[\n" * 50_000) + refuse('{"a":' * 40_000))
        )
        thread.start()
        thread.join()
    finally:
        threading.stack_size(before)
    assert len(seen) == 2


def test_thirty_two_levels_are_allowed_and_no_more() -> None:
    assert read_text("[" * 32 + "]" * 32, "f")[1] == []
    assert "nested deeper" in refuse("[" * 33 + "]" * 33)[0]
    assert "nested deeper" in refuse('{"a":' * 33 + "1" + "}" * 33)[0]


def test_data_that_holds_itself_is_refused() -> None:
    circle: dict[str, object] = {}
    circle["a"] = circle
    _, problems = read_data(circle, "scenario")
    assert [problem.what for problem in problems] == ["nested deeper than 32"]


def test_over_256_kb_is_refused() -> None:
    assert "over 256 kB" in refuse("# " + "x" * 256_000)[0]
    assert "over 256 kB" in refuse("# " + "ü" * 130_000)[0]


def test_json_keeps_its_places_and_its_surrogate_pairs() -> None:
    root, problems = read_text('{\n  "rules": [\n    {"name": "\\ud83d\\ude00", "x": [1, {}]}]\n}', "f.json")
    assert not problems
    assert root is not None
    node, taken = follow(root, ["rules", 0, "name"])
    assert (node.value, node.line, node.column, node.key_column) == ("😀", 3, 14, 6)
    assert taken == ["rules", 0, "name"]


def test_python_values_that_no_scenario_holds_are_refused() -> None:
    for value, word in (
        ({1: 2}, "a key is a number"),
        ({"a": {1, 2}}, "a Python set"),
        ({"a": b"x"}, "a Python bytes"),
    ):
        _, problems = read_data(value, "scenario")
        assert word in problems[0].what
    root, problems = read_data({"a": timedelta(seconds=1), "b": (1, 2)}, "scenario")
    assert not problems
    assert root is not None
    assert to_data(root) == {"a": timedelta(seconds=1), "b": [1, 2]}


def test_a_byte_order_mark_is_no_character() -> None:
    assert read("\ufeffa: 1") == {"a": 1}


def test_paths_are_spelt_as_people_write_them() -> None:
    assert spell_path(["rules", 0, "error", "kind"]) == "rules[0].error.kind"
    assert "\n" not in spell_path(["a\nb", "x" * 500])
    assert spell_path([]) == "scenario"


def test_a_map_stands_where_its_first_key_stands() -> None:
    root, _ = read_text("rules:\n  - {\n      name: x}\n", "f")
    assert isinstance(root, Node)
    assert follow(root, ["rules", 0])[0].line == 3


def test_the_pure_loader_reads_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    import yaml

    from onerouter_mock.core.scenario import read as module

    fast, _ = read_text("rules:\n  - {a: [1, on], b: 'x'}\n", "f")
    monkeypatch.setattr(module, "_LOADER", yaml.SafeLoader)
    slow, _ = read_text("rules:\n  - {a: [1, on], b: 'x'}\n", "f")
    assert fast == slow
    assert "nested deeper" in str(read_text("[\n" * 2_000, "f")[1][0])
    assert sys.getrecursionlimit() > 100
