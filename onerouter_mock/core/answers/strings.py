"""Made-up texts with a form: a format, a pattern, a length, or what the property's name calls for.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import re
from re import _constants as codes  # type: ignore[attr-defined]  # typeshed leaves out the parser of `re`
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from onerouter_mock.core.answers.words import Words

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
    while least and len(made) < least:
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
    be turned round, and JSON Schema's are ECMAScript's."""
    for _ in range(20):
        try:
            made = _spell(parser.parse(pattern), words, {})
            if least <= len(made) <= (most if most is not None else len(made)) and re.search(pattern, made):
                return made
        except (re.error, ValueError, KeyError, OverflowError, RecursionError):
            return None
    return None


def _spell(parsed: Any, words: Words, groups: dict[Any, str]) -> str:
    return "".join(_spell_one(op, value, words, groups) for op, value in parsed)


def _spell_one(op: Any, value: Any, words: Words, groups: dict[Any, str]) -> str:
    random = words.random
    if op in (codes.AT, codes.ASSERT, codes.ASSERT_NOT):
        return ""
    if op is codes.LITERAL:
        return chr(value)
    if op is codes.ANY:
        return random.choice("abcdefghijklmnop")
    if op is codes.NOT_LITERAL:
        return "b" if value == ord("a") else "a"
    if op is codes.IN:
        return random.choice(_members(value))
    if op is codes.BRANCH:
        return _spell(random.choice(value[1]), words, groups)
    if op is codes.SUBPATTERN:
        groups[value[0]] = _spell(value[3], words, groups)
        return groups[value[0]]
    if op is codes.GROUPREF:
        return groups[value]
    if op in (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT):
        least, most, inner = value
        times = random.randint(least, min(most, least + 8))
        return "".join(_spell(inner, words, groups) for _ in range(times))
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
