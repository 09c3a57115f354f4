"""Who fails, said in Python: `mock.byok.fail("rate_limit")` is a rule of the language, put in front of the
scenario's.

What may live here: the three lanes and the handles they return; they ask the mock to add, read and remove.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from onerouter_mock.mock.spelling import Duration, calling_line, plain_name, spell, spell_members

if TYPE_CHECKING:
    from types import TracebackType

    from onerouter_mock.mock.onerouter import OneRouterMock

_WHEN = ("provider", "model", "key", "account", "endpoint", "stream", "prompt", "system", "header", "attempt")
_GATES = ("name", "skip", "times", "every", "chance", "after", "until", "per")
_LIMIT = ("name", "per", "concurrency", "algorithm", "error", "headers")
_ERROR = (
    "kind",
    "status",
    "message",
    "type",
    "code",
    "param",
    "retry_after",
    "should_retry",
    "headers",
    "body",
)


class Handle:
    """A rule or limit that was added at run time. In a `with` it is removed at the end."""

    def __init__(self, mock: OneRouterMock, name: str, is_limit: bool) -> None:
        self._mock = mock
        self._is_limit = is_limit
        self._used: float = 0
        self.name = name

    @property
    def used(self) -> float:
        """For a rule: how often it has acted. For a limit: what is drawn from it now, all keys together."""
        self._used = self._mock._read_used(self.name, self._is_limit, self._used)
        return self._used

    def remove(self) -> None:
        """Take it out of the mock; `used` keeps its last value. Taking it out twice is no error."""
        self._used = self.used
        self._mock._remove_rule(self.name)

    def __enter__(self) -> Handle:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()

    def __repr__(self) -> str:
        return f"<{'limit' if self._is_limit else 'rule'} {self.name}>"


class Lane:
    """Where attempts run: `byok`, `shared`, or `router` (the call as a whole).

    Every method also takes what `when` may say (provider, model, key, account, endpoint, stream, prompt,
    system, header, attempt) and a rule's gates (times, skip, every, chance, after, until, per), and a `name`.
    """

    def __init__(self, mock: OneRouterMock, lane: str) -> None:
        self._mock = mock
        self._lane = lane

    def fail(
        self,
        error: str | int,
        *,
        times: int | None = None,
        provider: str | list[str] | None = None,
        model: str | list[str] | None = None,
        key: str | list[str] | None = None,
        **fields: Any,
    ) -> Handle:
        """Attempts in this lane fail with this kind ("rate_limit") or status (429).

        Shape: `fields` also take what an error may say: message, type, code, param, retry_after,
        should_retry, ...
        """
        when, gates, rest = self._split(fields, times=times, provider=provider, model=model, key=key)
        said = {("kind" if isinstance(error, str) else "status"): error, **spell_members(rest)}
        self._expect(rest, _ERROR, "fail")
        return self._rule("fail", when, gates, {"error": said if rest else error})

    def slow(
        self,
        delay: Duration | dict[str, Any] | None = None,
        *,
        ttft: Duration | dict[str, Any] | None = None,
        rate: str | float | None = None,
        **fields: Any,
    ) -> Handle:
        """Answers are late: `delay` before the answer, `ttft` before the first token, `rate` ("40 tok/s" or
        40).
        """
        when, gates, rest = self._split(fields)
        self._expect(rest, ("gap", "slice"), "slow")
        if isinstance(rate, int | float):
            rate = f"{rate:g} tok/s"
        pace = spell_members({"ttft": ttft, "rate": rate, **rest})
        aspects = spell_members({"delay": delay, "stream": pace or None})
        if not aspects:
            raise TypeError(
                "slow(): says nothing; would be right: slow('2s'), slow(ttft='1s') or slow(rate='40 tok/s')"
            )
        return self._rule("slow", when, gates, aspects)

    def cut(self, after: Duration = "8 tokens", do: str = "cut", **fields: Any) -> Handle:
        """Streamed answers break off `after` so much ("8 tokens", "3 chunks", "50%", "2s"); `do` is how."""
        when, gates, rest = self._split(fields)
        self._expect(rest, ("for", "error"), "cut")
        return self._rule(
            "cut", when, gates, {"break": spell_members({"do": do, "after": after, **rest}, "break")}
        )

    def drop(self, connection: str = "reset", **fields: Any) -> Handle:
        """Connections break before an answer: reset, empty, hang, garbage, short_body, html."""
        when, gates, rest = self._split(fields)
        self._expect(rest, (), "drop")
        return self._rule("drop", when, gates, {"connection": connection})

    def reply(self, text: str | dict[str, Any] | None = None, **fields: Any) -> Handle:
        """Answers say this: a text, or the fields of a reply (text, json, tool_calls, finish_reason, ...)."""
        when, gates, rest = self._split(fields)
        said = text if isinstance(text, str) and not rest else {**_as_fields(text), **rest}
        return self._rule("reply", when, gates, {"reply": said})

    def limit(
        self,
        requests: str | list[str] | None = None,
        *,
        tokens: str | list[str] | None = None,
        quota: str | None = None,
        used: int | None = None,
        **fields: Any,
    ) -> Handle:
        """Attempts here draw on a budget: "3/min", "30k/min", a `quota` of "5 requests" or "2 USD"."""
        fields = {plain_name(name): value for name, value in fields.items()}
        when = {"lane": self._lane, **{name: fields.pop(name) for name in _WHEN if name in fields}}
        self._expect(fields, _LIMIT, "limit")
        budget = {"requests": requests, "tokens": tokens, "quota": quota, "used": used}
        said = {"name": self._mock._name_rule(f"{self._lane}-limit"), "when": when, **budget, **fields}
        return self._mock._add("limits", spell_members(said), calling_line(self._mock._root))

    def _rule(
        self, verb: str, when: dict[str, Any], gates: dict[str, Any], aspects: dict[str, Any]
    ) -> Handle:
        name = gates.pop("name", None) or self._mock._name_rule(f"{self._lane}-{verb}")
        rule = {"name": name, "when": when, **gates, **aspects}
        return self._mock._add("rules", spell(rule), calling_line(self._mock._root))

    def _split(
        self, fields: dict[str, Any], **more: Any
    ) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        given = {plain_name(name): value for name, value in {**more, **fields}.items() if value is not None}
        when = {"lane": self._lane, **{name: given.pop(name) for name in _WHEN if name in given}}
        gates = {name: given.pop(name) for name in _GATES if name in given}
        return when, gates, given

    def _expect(self, rest: dict[str, Any], known: tuple[str, ...], verb: str) -> None:
        unknown = [name for name in rest if name not in known]
        if unknown:
            right = ", ".join((*known, *_WHEN, *(_GATES if verb != "limit" else ())))
            raise TypeError(
                f"{self._lane}.{verb}(): {unknown[0]!r} is no word of it; would be right: {right}"
            )


def _as_fields(text: str | dict[str, Any] | None) -> dict[str, Any]:
    if isinstance(text, dict):
        return text
    return {} if text is None else {"text": text}
