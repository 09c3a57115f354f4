"""Text that is no YAML: the place, what is wrong in plain words, and what would be right; by both readers."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from onerouter_mock.core.scenario import read as module
from onerouter_mock.core.scenario.read import read_text

READERS = [pytest.param(yaml.SafeLoader, id="PyYAML")]
if hasattr(yaml, "CSafeLoader"):
    READERS.append(pytest.param(yaml.CSafeLoader, id="libyaml"))

TAB = "a tab, where YAML takes spaces only; would be right: spaces in place of the tab"
COLON = (
    "a second ': ' in a text without quotes; would be right: the text in quotes, as in reply: 'It is: fine'"
)
NO_COLON = "the line has no ': ' after its key; would be right: a key, a ':' and a space, as in seed: 3"
INDENT = "the indentation fits no line above; would be right: column"
TABLE = [
    ("rules:\n\t- name: a", f"2:1: {TAB}"),
    ("rules:\n  - name: a\n\terror: 429", f"3:1: {TAB}"),
    ("rules:\n\u00a0\u00a0- a\n", "2:1: a space of another kind (U+00A0); would be right: plain spaces"),
    ("rules:\n  - reply: It is: fine", f"2:17: {COLON}"),
    ("rules:\n  - {reply: It is: fine, times: 1}", f"2:18: {COLON}; or a ',' between two entries"),
    ("rules: - error: 429", "1:8: a list can't begin in the line of its key; "
     "would be right: each '- ' on a line of its own below it; or the text in quotes"),
    # brackets
    ('"rules": [{"error": 429}\n', "1:10: the '[' is never closed; would be right: a ']' where it ends"),
    ("rules:\n  - {name: a, error: 429\n", "2:5: the '{' is never closed; would be right: a '}' where it ends"),
    ("rules:\n  - {name: a, error: 429\n  - {name: b, error: 500}", "3:5: the '{' of line 2 is still open here; "
     "would be right: a '}' where it ends, or a ',' between two entries"),
    ("rules: [{error: 429} {error: 500}]", "1:22: the '[' of line 1 is still open here; "
     "would be right: a ']' where it ends, or a ',' between two entries"),
    ("rules: [{error: 429]}", "1:20: a ']' where the '{' of line 1 needs a '}'; would be right: '}'"),
    ("rules: [{error: 429}]]", "1:22: a ']' that closes nothing; would be right: without it, or the text in quotes"),
    ("rules: [{error: 429},, {error: 500}]", "1:22: nothing stands before the ','; "
     "would be right: one ',' between two entries"),
    # quotes
    ("rules:\n  - {name: \"a, error: 429}\n", "2:12: the quote \" is never closed; "
     "would be right: a closing \" behind the text"),
    ("name: 'abc\nseed: 3\n", "1:7: the quote ' is never closed; would be right: a closing ' behind the text"),
    ("description: 'it's fine'", "1:18: text goes on after the closing '; "
     "would be right: one pair of quotes around the whole text; a ' in '...' is written ''"),
    ('rules: [{reply: "a"b}]', "1:20: text goes on after the closing \"; "
     "would be right: one pair of quotes around the whole text; a \" in \"...\" is written \\\""),
    ("rules:\n  - {when: {model: [abc]-mini}, error: 429}", "2:25: text goes on after the closing ]; "
     "would be right: the whole text in quotes"),
    ("model: [abc]*", "1:13: text goes on after the closing ]; "
     "would be right: the text in quotes, as in model: '[abc]*'"),
    ("a: @x", "1:4: a text without quotes can't begin with '@'; would be right: the text in quotes"),
    ("a: `x`", "1:4: a text without quotes can't begin with '`'; would be right: the text in quotes"),
    ("a: %x", "1:4: a text without quotes can't begin with '%'; would be right: the text in quotes"),
    ("a: &", "1:5: a value that begins with & is an anchor; would be right: the text in quotes"),
    ("a: !x!y z", "1:4: a value that begins with ! is a tag; would be right: the text in quotes"),
    ("a: |x", "1:4: a value that begins with | goes on in the next line; "
     "would be right: its text on the lines below the |, or the text in quotes"),
    # lines
    ("rules:\n  - name: a\n   error: 429", f"3:4: {INDENT} 5, as in line 2"),
    ("rules:\n  - name: a\n      error: 429", "3:7: the line goes on with the text of the line above, and has a ':'; "
     "would be right: column 5, as in line 2"),
    ("rules:\n    - name: a\n  - name: b", f"3:3: {INDENT} 5, as in line 2"),
    ("rules:\n  - error: 429\n limits: []", f"3:2: {INDENT} 1, as in line 1"),
    ("seed: 3\nrules\n  - error: 429", f"2:1: {NO_COLON}"),
    ("seed:3\nrules: []", f"1:1: {NO_COLON}"),
    ("rules:\n  - error: 429\n  -error: 500", "3:3: no space after the '-'; would be right: '- ' and then the entry"),
    ("seed: 3\n- error: 429", "2:1: an entry with '- ' among lines with a key; "
     "would be right: a key of its own above the list, and a space after every '-'"),
    ("- error: 429\nseed: 3", "2:1: a line with a key among entries with '- '; "
     "would be right: '- ' before it, or further in if it belongs to the entry above"),
    ("seed: 3\nname: a\x07b", "2:8: a character that YAML does not allow (U+0007); "
     "would be right: printable UTF-8 text"),
    ("a: 1\n...\nb: 2", "3:1: a second document begins; would be right: one scenario a file"),
]  # fmt: skip


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(("text", "problem"), TABLE, ids=[ascii(text) for text, _ in TABLE])
def test_a_slip_is_told_with_its_place_and_what_would_be_right(
    text: str, problem: str, reader: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LOADER", reader)
    root, problems = read_text(text, "f.yaml")
    assert root is None
    place, _, words = problem.partition(": ")
    assert [str(each) for each in problems] == [f"f.yaml:{place}: yaml: {words}"]


ODD = [
    'a: "\\q"', "%x\na: 1", "%YAML 3.0\n---\na: 1", "a: [\n---\n", "a: !<x", "a: &a &b c", 'a: 1\n"b\n c": 2', "a: {,}",
    "a: '\n---", "? [", "]", "\t", "- - -a\n - b",
]  # fmt: skip


@pytest.mark.parametrize("text", ODD, ids=ascii)
@pytest.mark.parametrize("reader", READERS)
def test_no_slip_is_without_advice(text: str, reader: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LOADER", reader)
    for problem in read_text(text, "f.yaml")[1]:
        assert problem.line > 0
        assert problem.right.startswith("would be right: ")


def test_a_complaint_that_nobody_knows_is_handed_on() -> None:
    from onerouter_mock.core.scenario.slips import explain_yaml

    broken = explain_yaml(yaml.MarkedYAMLError(problem="found a dragon"), "a: 1")
    assert (broken.line, broken.what) == (1, "no YAML: found a dragon")
    assert broken.right
