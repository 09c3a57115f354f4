"""All choices of an answer, made once for a question and kept for the next call that asks it.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from itertools import chain, zip_longest
from typing import TYPE_CHECKING, Any

from onerouter_mock.core.answers.choice import make_choice
from onerouter_mock.core.records import Answer

if TYPE_CHECKING:
    from onerouter_mock.core.records import Wants
    from onerouter_mock.core.scenario.records import Reply

_MOST_ANSWERS = 4096
_MOST_TOKENS = 65_536  # an answer weighs about 0.3 kB a token once a stream has been rendered from it

_memo: dict[Any, Answer] = {}
_held = [0]


def make_answer(seed: int, wants: Wants, reply: Reply | None, max_output: int) -> Answer:
    """What is said to a call that wants `wants`: as the scenario's reply has it, else seeded words.

    Without a reply it is a function of the scenario's seed, the prompt and the request's own seed (and of
    what form is wanted), so that the same question gets the same answer, streamed or not. A reply is never
    cut.
    Units: `max_output` in tokens, the most that the model can say.
    """
    if not wants.digest:
        return _make(seed, wants, reply, max_output)
    key = (seed, wants.digest, reply, max_output)
    answer = _memo.get(key)
    if answer is None:
        answer = _make(seed, wants, reply, max_output)
        weight = answer.completion_tokens + 8
        if len(_memo) >= _MOST_ANSWERS or _held[0] + weight > _MOST_TOKENS:
            _memo.clear()
            _held[0] = 0
        _memo[key] = answer
        _held[0] += weight
    return answer


def _make(seed: int, wants: Wants, reply: Reply | None, max_output: int) -> Answer:
    most = max_output if wants.max_tokens is None else min(wants.max_tokens, max_output)
    made = [make_choice(seed, wants, reply, most, index) for index in range(wants.n)]
    lanes = [pieces for _, pieces in made]
    # The choices of a stream take turns, as they do at the real service.
    pieces = (
        lanes[0]
        if len(lanes) == 1
        else [p for p in chain.from_iterable(zip_longest(*lanes)) if p is not None]
    )
    return Answer(
        choices=tuple(choice for choice, _ in made),
        pieces=tuple(pieces),
        completion_tokens=sum(piece.tokens for piece in pieces),
        reasoning_tokens=sum(piece.tokens for piece in pieces if piece.field == "reasoning"),
        malformed=reply.malformed if reply else None,
        usage=reply.usage if reply else (),
    )
