"""Made-up words, the same for the same seed. The only file that knows Faker, which is imported at the first
word.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from onerouter_mock.core.answers.tokens import split_tokens

if TYPE_CHECKING:
    from random import Random

FEWEST_TOKENS, MOST_TOKENS = 40, 80
_LONGEST_SENTENCE = 14  # Faker varies ten words by 40 %

# A Faker takes half a millisecond to make and is not for two threads at once (several servers may live in one
# process): each borrower takes one out and puts it back. `list.pop` and `append` are atomic, so no lock.
_idle: list[Any] = []


class Words:
    """A seeded source of words and numbers. Never of anything that Faker computes from today's date."""

    __slots__ = ("_faker", "random")

    def __init__(self, faker: Any) -> None:
        self._faker = faker
        self.random: Random = faker.random

    def word(self) -> str:
        return str(self._faker.word())

    def sentence(self) -> str:
        return str(self._faker.sentence(nb_words=10))

    def phrase(self) -> str:
        return " ".join(self._faker.words(3))

    def named(self, kind: str) -> str:
        """A person's name, a city, a street, ...: `kind` is a word of Faker's own."""
        return str(getattr(self._faker, kind)())

    def prose(self, fewest: int = FEWEST_TOKENS, most: int = MOST_TOKENS) -> str:
        """Whole sentences of `fewest` to `most` tokens (`most` at least 14 above `fewest`)."""
        wanted = self.random.randint(fewest, most - _LONGEST_SENTENCE)
        sentences: list[str] = []
        tokens = 0
        while tokens < wanted:
            sentences.append(self.sentence())
            tokens += len(split_tokens(sentences[-1]))
        return "".join(split_tokens(" ".join(sentences))[:most])


@contextmanager
def borrow_words(*parts: object) -> Iterator[Words]:
    """Words that are a function of these parts."""
    try:
        faker = _idle.pop()
    except IndexError:
        from faker import Faker

        faker = Faker(use_weighting=False)
    faker.seed_instance("\x1f".join(map(str, parts)))
    try:
        yield Words(faker)
    finally:
        _idle.append(faker)
