"""The control API under `/_mock`: what tools, tests and the web page ask of a running mock, and the door they
come through.

    door.py          who may come in
    answer.py        one table of routes; an answer to each, without waiting
    desk.py          the HTTP side: the door, the waits, server-sent events
    expectations.py  what a test expects, and where that is not so
    verdict.py       a failed expectation as a person reads it
    again.py         the command that makes a call again, tried before it is shown

PYTEST_DONT_REWRITE
"""

from onerouter_mock.admin.answer import answer
from onerouter_mock.admin.asked import Reply
from onerouter_mock.admin.desk import handle, when_ready

__all__ = ["Reply", "answer", "handle", "when_ready"]
