"""What an answer says: seeded text, tool calls, JSON for a schema, and how it falls into tokens. No bytes,
no dialect.

    words.py    the only file that knows Faker
    schema.py   a value that fits a JSON Schema
    shapes.py   schemas with their references and branches resolved
    strings.py  texts with a form: formats, patterns, lengths
    choice.py   one choice, as the pieces that a stream would send
    answer.py   all choices of a call, kept for the next call with the same question

PYTEST_DONT_REWRITE
"""

from onerouter_mock.core.answers.answer import make_answer
from onerouter_mock.core.answers.tokens import split_tokens

__all__ = ["make_answer", "split_tokens"]
