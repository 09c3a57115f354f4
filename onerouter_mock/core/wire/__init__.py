"""The emulated JSON: from a request's bytes to a `Call`, and from a `Decision` to an answer's bytes. Secrets
stop here.

    request.py       the request as it comes in, and sealed for the journal
    secrets.py       which texts are secret, how they are cut out
    calls.py         which endpoint, whose key: read_call
    accounts.py      OneRouter keys       byok.py     the caller's own provider keys
    chat_request.py  the chat's body      messages.py, routing.py, complaints.py, chat_call.py: what it says
    chat.py          the chat's answers   usage.py    tokens and money
    models.py        the list of models   balance.py  credits
    refusals.py      error objects

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from onerouter_mock.core.wire.balance import balance_body
from onerouter_mock.core.wire.calls import read_call
from onerouter_mock.core.wire.chat import Parts, chat_body, stream_chat
from onerouter_mock.core.wire.models import models_body
from onerouter_mock.core.wire.request import Asked, Sealed

if TYPE_CHECKING:
    from onerouter_mock.core.records import Decision
    from onerouter_mock.core.scenario.records import Scenario

__all__ = ["Asked", "Parts", "Sealed", "answer_body", "read_call", "stream_parts"]


def answer_body(decision: Decision, scenario: Scenario) -> bytes:
    """The whole JSON body of an answer, by endpoint."""
    match decision.call.endpoint:
        case "models":
            return models_body(decision.call, scenario)
        case "balance":
            return balance_body(decision)
        case _:
            return chat_body(decision, scenario)


def stream_parts(decision: Decision, scenario: Scenario) -> Parts:
    """The events of a streamed answer, before any break."""
    return stream_chat(decision, scenario)
