"""What we raise. Two leaves: the author of a scenario broke its rules, or the client of the emulated API did.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass


class MockError(Exception):
    """Anything onerouter-mock raises on purpose."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a scenario: `file:line:column: where: what is wrong; what would be right`.

    Shape: `line` and `column` count from 1; both 0 where there is no file (a dict, a flag).
    """

    file: str
    line: int
    column: int
    where: str
    what: str
    right: str = ""

    def __str__(self) -> str:
        at = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        text = ": ".join(part for part in (at, self.where, self.what) if part)
        return f"{text}; {self.right}" if self.right else text


class ScenarioError(MockError):
    """A scenario that can't be used, with all its problems at once, in the order they stand in the file."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class RequestError(MockError):
    """A call that the router refuses before any attempt.

    Shape: `kind` is an error kind (contract section 1), `status` the HTTP status, `param` the field to blame.
    """

    def __init__(
        self, message: str, *, param: str = "", kind: str = "invalid_request", status: int = 400
    ) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.kind = kind
        self.status = status
