"""What the mock saw, as plain typed records: journal entries with their members as attributes.

What may live here: records that wrap the journal's JSON; no transport, no assertions.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from inspect import get_annotations
from typing import TYPE_CHECKING, Any


class Seen(dict[str, Any]):
    """A piece of a journal entry: a dict whose members are attributes too, not meant to be changed.

    Shape: a member that the entry does not have yet (`ending` of a call in flight) reads as None.
    """

    if not TYPE_CHECKING:  # a type checker shall know the annotated members only

        def __getattr__(self, name: str) -> Any:
            if name in self:
                return self[name]
            if name in get_annotations(type(self)):
                return None
            raise AttributeError(f"a journal entry has no member {name!r}; it has {', '.join(self)}")

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(
            f"{name}: a journal entry is not changed; would be right: copy it with dict(...)"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (dict(self),)


class SeenByok(Seen):
    """The caller's own key: `key` is its name in the scenario, `fingerprint` its last 4 characters (either
    may be None).
    """

    provider: str
    key: str | None
    fingerprint: str | None
    fallback: bool


class SeenAttempt(Seen):
    """One try of one model at one provider through one lane; `result` is "ok" or an error kind."""

    n: int
    lane: str
    provider: str
    model: str
    result: str
    status: int | None
    cause: str | None
    where: str | None
    at_ms: float
    took_ms: float


class SeenSkipped(Seen):
    """A candidate that was not tried, and why."""

    lane: str
    provider: str | None
    model: str | None
    why: str


class SeenServer(Seen):
    """Who answered."""

    lane: str
    provider: str
    model: str


class SeenUsage(Seen):
    """Tokens, as the answer told them."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class SeenRequest(Seen):
    """What was asked, without secrets. `body` is None when it was no JSON or too large to keep."""

    headers: dict[str, str]
    body: dict[str, Any] | None


class SeenSent(Seen):
    """What reached the wire."""

    text: str
    chunks: int
    tokens: int
    bytes: int


class SeenCall(Seen):
    """One HTTP request to the mock: a journal entry (contract, section 5).

    Units: `cost`, `byok_cost` in USD; `ended_ms`, `wait_ms`, `told_ms` milliseconds; `clock` seconds of the
    session.
    """

    id: int
    session: str
    request_id: str
    endpoint: str
    method: str
    path: str
    model: str | None
    stream: bool
    account: str | None
    byok: SeenByok | None
    attempts: list[SeenAttempt]
    skipped: list[SeenSkipped]
    route: str
    served_by: SeenServer | None
    status: int | None
    error: dict[str, Any] | None
    usage: SeenUsage | None
    cost: float
    byok_cost: float
    ending: str | None
    sdk_retry: int
    request: SeenRequest
    sent: SeenSent | None
    notices: list[str]
    story: list[str]
    arrived_at: str
    clock: float
    ended_ms: float | None
    told_ms: float | None
    wait_ms: float | None
    fallback_sent: bool | None
    findings: list[dict[str, Any]]


_MEMBERS: dict[str, type[Seen]] = {
    "byok": SeenByok,
    "served_by": SeenServer,
    "usage": SeenUsage,
    "request": SeenRequest,
    "sent": SeenSent,
}
_LISTS: dict[str, type[Seen]] = {"attempts": SeenAttempt, "skipped": SeenSkipped}


def read_call(entry: dict[str, Any]) -> SeenCall:
    """A journal entry, as the control API gives it, with its members as attributes."""
    call = dict(entry)
    for name, kind in _MEMBERS.items():
        if call.get(name) is not None:
            call[name] = kind(call[name])
    for name, kind in _LISTS.items():
        call[name] = [kind(item) for item in call.get(name) or ()]
    return SeenCall(call)
