"""Made-up texts with a form: a format, a pattern, a length, or what the property's name calls for.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import re
from re import _constants as codes  # type: ignore[attr-defined]  # typeshed leaves out the parser of `re`
from re import _parser as parser  # type: ignore[attr-defined]  # as above
from typing import Any

from onerouter_mock.core.answers.words import Words

_MOST_STEPS = 2000
_LONGEST = 100_000
_ENDS = (codes.AT_BEGINNING, codes.AT_END, codes.AT_BEGINNING_STRING, codes.AT_END_STRING)
# What a property's name calls for, as Faker calls it. None of these looks at today's date.
_NAMED = {
    "name": "name", "full_name": "name", "first_name": "first_name", "last_name": "last_name",
    "author": "name",
    "email": "safe_email", "city": "city", "location": "city", "destination": "city", "origin": "city",
    "country": "country", "street": "street_address", "address": "street_address", "company": "company",
    "job": "job", "job_title": "job", "phone": "phone_number", "zip": "postcode", "currency": "currency_code",
    "color": "color_name", "username": "user_name", "url": "url", "language": "language_name",
}  # fmt: skip


def make_string(schema: dict[str, Any], name: str, words: Words) -> str:
    """A text for a string schema, named after the property it is for."""
    least = _length(schema, "minLength", 0)
    most = _length(schema, "maxLength", None)
    pattern = schema.get("pattern")
    if isinstance(pattern, str) and (made := _match_pattern(pattern, least or 0, most, words)) is not None:
        return made
    made = _formatted(str(schema.get("format")), words)
    if made is None:
        kind = _NAMED.get(name.lower())
        made = words.named(kind) if kind else words.phrase()
    while least and len(made) < min(least, _LONGEST):
        made += " " + words.phrase()
    return made if most is None else made[:most]


def _length(schema: dict[str, Any], key: str, default: int | None) -> int | None:
    value = schema.get(key)
    return int(value) if isinstance(value, (int, float)) else default


def _formatted(kind: str, words: Words) -> str | None:
    roll = words.random.randint
    match kind:
        case "date":
            return f"20{roll(20, 29)}-{roll(1, 12):02}-{roll(1, 28):02}"
        case "time":
            return f"{roll(0, 23):02}:{roll(0, 59):02}:{roll(0, 59):02}Z"
        case "date-time":
            return f"{_formatted('date', words)}T{_formatted('time', words)}"
        case "duration":
            return f"PT{roll(1, 59)}M"
        case "email" | "idn-email":
            return words.named("safe_email")
        case "uri" | "url" | "uri-reference" | "iri":
            return words.named("url")
        case "hostname" | "idn-hostname":
            return words.named("domain_name")
        case "ipv4" | "ipv6":
            return words.named(kind)
        case "uuid":
            digits = f"{words.random.getrandbits(128):032x}"
            return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"
        case "json-pointer":
            return f"/{words.word()}"
        case _:
            return None


def _match_pattern(pattern: str, least: int, most: int | None, words: Words) -> str | None:
    """A text that the pattern finds itself in and that has the right length, or None: not every pattern can
    be turned round, and JSON Schema's are ECMAScript's.

    It fits by its making: a pattern out of a request is never searched with, which could take for ever.
    """
    try:
        parsed, speller = parser.parse(pattern), _Speller(words)
        for _ in range(20):
            made = speller.spell(parsed)
            made.encode()  # half a surrogate pair is a ValueError
            if least <= len(made) <= (len(made) if most is None else most):
                return made
    except (re.error, ValueError, KeyError, OverflowError, RecursionError):
        pass
    return None


class _Speller:
    """Spells texts that a parsed pattern matches. Errors: ValueError for what can't be turned round, or takes long."""

    def __init__(self, words: Words) -> None:
        self.random = words.random
        self.groups: dict[Any, str] = {}
        self.steps = 0

    def spell(self, parsed: Any) -> str:
        return "".join(self.spell_one(op, value) for op, value in parsed)

    def spell_one(self, op: Any, value: Any) -> str:
        self.steps += 1
        if self.steps > _MOST_STEPS:  # repeats within repeats within repeats
            raise ValueError("too long")
        if op is codes.AT and value in _ENDS:
            return ""
        if op is codes.LITERAL:
            return chr(value)
        if op is codes.ANY:
            return self.random.choice("abcdefghijklmnop")
        if op is codes.NOT_LITERAL:
            return "b" if value == ord("a") else "a"
        if op is codes.IN:
            return self.random.choice(_members(value))
        if op is codes.BRANCH:
            return self.spell(self.random.choice(value[1]))
        if op is codes.SUBPATTERN:
            self.groups[value[0]] = self.spell(value[3])
            return self.groups[value[0]]
        if op is codes.GROUPREF:
            return self.groups[value]
        if op in (codes.MAX_REPEAT, codes.MIN_REPEAT):
            least, most, inner = value
            times = self.random.randint(least, min(most, least + 8))
            return "".join(self.spell(inner) for _ in range(times))
        raise ValueError(f"can't spell {op}")


_CATEGORIES = {
    codes.CATEGORY_DIGIT: "0123456789",
    codes.CATEGORY_WORD: "abcdefghijklmnopqrstuvwxyz0123456789_",
    codes.CATEGORY_SPACE: " ",
    codes.CATEGORY_NOT_DIGIT: "abcdefghijklmnopqrstuvwxyz",
    codes.CATEGORY_NOT_WORD: "-.,;",
    codes.CATEGORY_NOT_SPACE: "abcdefghijklmnopqrstuvwxyz0123456789",
}


def _members(parts: Any) -> str:
    negated = bool(parts) and parts[0][0] is codes.NEGATE
    found = ""
    for op, value in parts:
        if op is codes.LITERAL:
            found += chr(value)
        elif op is codes.RANGE:
            found += "".join(map(chr, range(value[0], min(value[1], value[0] + 200) + 1)))
        elif op is codes.CATEGORY:
            found += _CATEGORIES[value]
    return "".join(chr(c) for c in range(32, 127) if chr(c) not in found) if negated else found
