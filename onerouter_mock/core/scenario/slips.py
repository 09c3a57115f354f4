"""Why a text is no YAML or no JSON, in plain words: those of the readers are for people who know the grammar.

What may live here: a line for each of the readers' complaints. YAML has two: libyaml, and PyYAML's own where
libyaml is missing, which words a few of them in another way.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from onerouter_mock.core.scenario.tree import TOO_DEEP, Broken

QUOTED = "would be right: the text in quotes, as in model: '*-mini'"
_QUOTES = {"'": "a ' in '...' is written ''", '"': 'a " in "..." is written \\"'}
_SECOND_COLON = "a second ': ' in a text without quotes"
_CLOSERS = {"[": "]", "{": "}"}
# What the reader of JSON says, and what would be right.
_JSON_SLIPS = (
    ("Expecting property name", 'the name in double quotes, as in {"error": 429}'),
    ("Expecting ','", "a ',' between two entries"),
    ("Expecting ':'", "a ':' behind the name"),
    ("Unterminated string", 'a closing " behind the text'),
    ("Extra data", "nothing behind the closing }"),
    ("Invalid", '\\\\ for a backslash, or one of \\" \\n \\t \\u0041'),
)
_LINE_END = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_CONTENT = re.compile(r"[ ]*(?:-[ ]+)*")
_DASH = re.compile(r"[ ]*(?=-(?:[ ]|$))")
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(slots=True)
class _Spot:
    """Where reading stopped, and where that began which was being read; both count from 0."""

    lines: list[str]
    line: int
    column: int
    begun_line: int
    begun_column: int
    told: str

    @property
    def before(self) -> str:
        return self._text(self.line)[: self.column]

    @property
    def letter(self) -> str:
        return self._text(self.line)[self.column : self.column + 1]

    @property
    def opener(self) -> str:
        return self._text(self.begun_line)[self.begun_column : self.begun_column + 1]

    @property
    def is_at_end(self) -> bool:
        rest = [self._text(self.line)[self.column :], *self.lines[self.line + 1 :]]
        return all(not text.strip() or text.lstrip().startswith("#") for text in rest)

    def _text(self, line: int) -> str:
        return self.lines[line] if line < len(self.lines) else ""

    def here(self, what: str, right: str) -> Broken:
        return Broken(self.line + 1, self.column + 1, what, f"would be right: {right}")

    def where_it_began(self, what: str, right: str) -> Broken:
        return Broken(self.begun_line + 1, self.begun_column + 1, what, f"would be right: {right}")


def explain_yaml(error: Any, text: str) -> Broken:
    """What a `yaml.YAMLError` about a text means, and what would be right."""
    context, problem = getattr(error, "context", None) or "", getattr(error, "problem", None) or ""
    lines = _LINE_END.split(text)
    if not problem:
        return _explain_unprintable(text)
    ended = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    begun = getattr(error, "context_mark", None) or ended
    line, column = (ended.line, ended.column) if ended else (0, 0)
    begun_line, begun_column = (begun.line, begun.column) if begun else (0, 0)
    spot = _Spot(lines, line, column, begun_line, begun_column, f"{context}: {problem}".removeprefix(": "))
    if spot.letter == "\t":
        return spot.here("a tab, where YAML takes spaces only", "spaces in place of the tab")
    for words, explain in _SLIPS:
        if any(word in spot.told for word in words):
            return explain(spot)
    return spot.here(f"no YAML: {spot.told}", "the text in quotes, if it is one")


def _explain_unprintable(text: str) -> Broken:
    found = _UNPRINTABLE.search(text)
    lines = _LINE_END.split(text[: found.start() if found else 0])
    what = "a character that YAML does not allow" + (f" (U+{ord(found[0]):04X})" if found else "")
    return Broken(len(lines), len(lines[-1]) + 1, what, "would be right: printable UTF-8 text")


def _explain_alias(spot: _Spot) -> Broken:
    if spot.lines[spot.begun_line][: spot.begun_column].endswith("]"):
        return spot.where_it_began(
            "text goes on after the closing ]", "the text in quotes, as in model: '[abc]*'"
        )
    return Broken(spot.line + 1, spot.column + 1, "a value that begins with * is an undefined alias", QUOTED)


def _explain_anchor(spot: _Spot) -> Broken:
    return spot.here("a value that begins with & is an anchor", "the text in quotes")


def _explain_tag(spot: _Spot) -> Broken:
    return spot.where_it_began("a value that begins with ! is a tag", "the text in quotes")


def _explain_depth(spot: _Spot) -> Broken:
    return Broken(spot.line + 1, spot.column + 1, TOO_DEEP)


def _explain_first_letter(spot: _Spot) -> Broken:
    return spot.here(f"a text without quotes can't begin with '{spot.letter}'", "the text in quotes")


def _explain_colon(spot: _Spot) -> Broken:
    if re.search(r":\s", spot.before):
        return spot.here(_SECOND_COLON, "the text in quotes, as in reply: 'It is: fine'")
    indent = len(spot.before) - len(spot.before.lstrip())
    near = _find_column(spot, indent)
    if near and near[0] == indent:
        return _explain_no_colon(near[1], indent)
    what = "the line goes on with the text of the line above, and has a ':'"
    return Broken(spot.line + 1, indent + 1, what, _name_column(near))


def _explain_dash(spot: _Spot) -> Broken:
    what = "a list can't begin in the line of its key"
    return spot.here(what, "each '- ' on a line of its own below it; or the text in quotes")


def _explain_key(spot: _Spot) -> Broken:
    if spot.opener.isspace():
        what = f"a space of another kind (U+{ord(spot.opener):04X})"
        return spot.where_it_began(what, "plain spaces")
    return _explain_no_colon(spot.begun_line, spot.begun_column)


def _explain_no_colon(line: int, column: int) -> Broken:
    right = "would be right: a key, a ':' and a space, as in seed: 3"
    return Broken(line + 1, column + 1, "the line has no ': ' after its key", right)


def _explain_quotes(spot: _Spot) -> Broken:
    quote = spot.opener
    if "unexpected" in spot.told:
        return spot.where_it_began(f"the quote {quote} is never closed", f"a closing {quote} behind the text")
    return spot.here('a \\ that begins no escape of "..."', "'...' in place of \"...\", or \\\\ for a \\")


def _explain_flow(spot: _Spot) -> Broken:
    opener, closer = spot.opener, _CLOSERS.get(spot.opener, "]")
    if spot.is_at_end:
        return spot.where_it_began(f"the '{opener}' is never closed", f"a '{closer}' where it ends")
    if spot.letter == ":" and re.search(r":\s", re.split(r"[,\[{]", spot.before)[-1]):
        right = "the text in quotes, as in reply: 'It is: fine'; or a ',' between two entries"
        return spot.here(_SECOND_COLON, right)
    if spot.before[-1:] in ("]", "}", "'", '"') and spot.letter not in ("]", "}", "[", "{", ":", " "):
        return _explain_glued(spot)
    opened = f"the '{opener}' of line {spot.begun_line + 1}"
    if spot.letter in ("]", "}"):
        return spot.here(f"a '{spot.letter}' where {opened} needs a '{closer}'", f"'{closer}'")
    return spot.here(
        f"{opened} is still open here", f"a '{closer}' where it ends, or a ',' between two entries"
    )


def _explain_content(spot: _Spot) -> Broken:
    if spot.letter == ",":
        return spot.here("nothing stands before the ','", "one ',' between two entries")
    return _explain_stray(spot)


def _explain_stray(spot: _Spot) -> Broken:
    what = f"a '{spot.letter}' that closes nothing" if spot.letter in ("]", "}") else ""
    return spot.here(what or "this can't stand here", "without it, or the text in quotes")


def _explain_glued(spot: _Spot) -> Broken:
    last = spot.before.rstrip()[-1:]
    how = _QUOTES.get(last)
    right = f"one pair of quotes around the whole text; {how}" if how else "the whole text in quotes"
    return spot.here(f"text goes on after the closing {last}", right)


def _explain_block(spot: _Spot) -> Broken:
    """An entry that fits none of the lines above."""
    if spot.before.strip():
        is_glued = spot.before.rstrip().endswith(("]", "}", "'", '"')) and spot.letter not in ("]", "}")
        return _explain_glued(spot) if is_glued else _explain_stray(spot)
    is_entry = bool(_DASH.match(spot.lines[spot.line]))
    if spot.column != spot.begun_column:
        right = _name_column(_find_column(spot, spot.column, dashes=is_entry))
        return Broken(spot.line + 1, spot.column + 1, "the indentation fits no line above", right)
    if is_entry:
        what = "an entry with '- ' among lines with a key"
        return spot.here(what, "a key of its own above the list, and a space after every '-'")
    if spot.letter == "-":
        return spot.here("no space after the '-'", "'- ' and then the entry")
    what = "a line with a key among entries with '- '"
    return spot.here(what, "'- ' before it, or further in if it belongs to the entry above")


def _find_column(spot: _Spot, wanted: int, *, dashes: bool = False) -> tuple[int, int] | None:
    """Where the lines above begin that stand nearest to a column: (column, line)."""
    found: tuple[int, int] | None = None
    for line in range(spot.line - 1, -1, -1):
        text = spot.lines[line]
        match = (_DASH if dashes else _CONTENT).match(text)
        if match and text[match.end() :] and text[match.end()] != "#":
            column = match.end()
            if found is None or abs(column - wanted) < abs(found[0] - wanted):
                found = column, line
    return found


def _name_column(near: tuple[int, int] | None) -> str:
    if near is None:
        return "would be right: in line with the lines above"
    return f"would be right: column {near[0] + 1}, as in line {near[1] + 1}"


def _explain_block_text(spot: _Spot) -> Broken:
    what = f"a value that begins with {spot.opener} goes on in the next line"
    return spot.where_it_began(what, f"its text on the lines below the {spot.opener}, or the text in quotes")


def _explain_directive(spot: _Spot) -> Broken:
    what = "a line that begins with % is a directive"
    return Broken(spot.begun_line + 1, 1, what, "would be right: no such line, or the text in quotes")


def _explain_document(spot: _Spot) -> Broken:
    return spot.here("a second document begins", "one scenario a file")


# Words of the reader (any of them), and who explains them; the first that fits.
_SLIPS: tuple[tuple[tuple[str, ...], Callable[[_Spot], Broken]], ...] = (
    (("scanning an alias",), _explain_alias),
    (("scanning an anchor",), _explain_anchor),
    (("nesting depth",), _explain_depth),
    ((" a tag", "tag handle"), _explain_tag),
    (("cannot start any token",), _explain_first_letter),
    (("mapping values are not allowed",), _explain_colon),
    (("sequence entries are not allowed",), _explain_dash),
    (("quoted scalar",), _explain_quotes),
    (("expected ',' or",), _explain_flow),
    (("node content",), _explain_content),
    (("simple key",), _explain_key),
    (("block scalar",), _explain_block_text),
    (("parsing a block",), _explain_block),
    (("directive", "incompatible YAML"), _explain_directive),
    (("<document start>",), _explain_document),
)


def explain_json(text: str, error: json.JSONDecodeError) -> Broken:
    """The place, what is wrong there, and what would be right."""
    what = f"no JSON: {error.msg[:1].lower()}{error.msg[1:]}"
    right = f"would be right: {_right_json(text, error)} (text that begins with {{ is read as JSON)"
    return Broken(error.lineno, error.colno, what, right)


def _right_json(text: str, error: json.JSONDecodeError) -> str:
    letter = text[error.pos : error.pos + 1]
    comma = text[: error.pos].rstrip().endswith(",") and letter in ("}", "]")
    if comma or error.msg.startswith("Illegal trailing comma"):  # of Python 3.13
        return "no ',' before the closing } or ]"
    if not letter:
        return "the rest of it, with its closing } or ]"
    for told, right in _JSON_SLIPS:
        if error.msg.startswith(told):
            return right
    return 'a value: a number, true, false, null, "text", [...] or {...}'
