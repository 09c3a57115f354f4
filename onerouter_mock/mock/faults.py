"""Who fails, said in Python: `mock.byok.fail("rate_limit")` is a rule of the language, put in front of the
scenario's.

What may live here: the three lanes and the handles they return; they ask the mock to add, read and remove.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from onerouter_mock.mock.spelling import Duration, calling_line, plain_name, spell, spell_members, suggest

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

    def __init__(self, mock: OneRouterMock, name: str, is_limit: bool, age: int) -> None:
        self._mock = mock
        self._is_limit = is_limit
        self._age = age  # of the mock's worlds: in a later one, another may have this name
        self._used: float = 0
        self._is_in = True
        self.name = name

    @property
    def used(self) -> float:
        """For a rule: how often it has acted. For a limit: what is drawn from it now (of its first budget),
        all keys together.
        """
        if self._is_there():
            self._used = self._mock._read_used(self.name, self._is_limit, self._used)
        return self._used

    def remove(self) -> None:
        """Take it out of the mock; `used` keeps its last value. Taking it out twice is no error."""
        if self._is_there():
            self._used = self.used
            self._mock._remove_rule(self.name)
        self._is_in = False

    def _is_there(self) -> bool:
        return self._is_in and self._age == self._mock._age

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
        __tracebackhide__ = True
        when, gates, rest = self._split(fields, times=times, provider=provider, model=model, key=key)
        self._expect(rest, _ERROR, "fail")
        if error is None or error == "":
            raise self._say_nothing("fail", 'fail("rate_limit")', "fail(429)")
        said = {("kind" if isinstance(error, str) else "status"): error, **spell_members(rest)}
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
        __tracebackhide__ = True
        when, gates, rest = self._split(fields)
        self._expect(rest, ("gap", "slice"), "slow", "delay", "ttft", "rate")
        if isinstance(rate, int | float):
            rate = f"{rate:g} tok/s"
        pace = spell_members({"ttft": ttft, "rate": rate, **rest})
        aspects = spell_members({"delay": delay, "stream": pace or None})
        if not aspects:
            raise self._say_nothing("slow", 'slow("2s")', 'slow(ttft="1s")', 'slow(rate="40 tok/s")')
        return self._rule("slow", when, gates, aspects)

    def cut(self, after: str | float | timedelta = "8 tokens", do: str = "cut", **fields: Any) -> Handle:
        """Streamed answers break off `after` so much ("8 tokens", "3 chunks", "50%", "2s"); `do` is how."""
        __tracebackhide__ = True
        when, gates, rest = self._split(fields)
        self._expect(rest, ("for", "error"), "cut", "after", "do")
        return self._rule(
            "cut", when, gates, {"break": spell_members({"do": do, "after": after, **rest}, "break")}
        )

    def drop(self, connection: str = "reset", **fields: Any) -> Handle:
        """Connections break before an answer: reset, empty, hang, garbage, short_body, html."""
        __tracebackhide__ = True
        when, gates, rest = self._split(fields)
        self._expect(rest, (), "drop", "connection")
        return self._rule("drop", when, gates, {"connection": connection})

    def reply(self, text: str | dict[str, Any] | None = None, **fields: Any) -> Handle:
        """Answers say this: a text, or the fields of a reply (text, json, tool_calls, finish_reason, ...)."""
        __tracebackhide__ = True
        when, gates, rest = self._split(fields)
        said = text if isinstance(text, str) and not rest else {**_as_fields(text), **rest}
        if said == {}:
            raise self._say_nothing("reply", 'reply("Forty-two.")', 'reply(json={"a": 1})')
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
        __tracebackhide__ = True
        fields = {plain_name(name): value for name, value in fields.items() if value is not None}
        when = {"lane": self._lane, **{name: fields.pop(name) for name in _WHEN if name in fields}}
        self._expect(fields, _LIMIT, "limit", "requests", "tokens", "quota", "used")
        budget = {"requests": requests, "tokens": tokens, "quota": quota, "used": used}
        if not fields.get("name"):
            fields["name"] = self._mock._name_rule(f"{self._lane}-limit")
        return self._mock._add(
            "limits", spell_members({"when": when, **budget, **fields}), calling_line(self._mock._root)
        )

    def _rule(
        self, verb: str, when: dict[str, Any], gates: dict[str, Any], aspects: dict[str, Any]
    ) -> Handle:
        __tracebackhide__ = True
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

    def _expect(self, rest: dict[str, Any], known: tuple[str, ...], verb: str, *named: str) -> None:
        """Errors: TypeError for a word that this verb does not have; `named` are its own parameters."""
        __tracebackhide__ = True
        unknown = next((name for name in rest if name not in known), None)
        if unknown is None:
            return
        gates = () if verb == "limit" else _GATES
        words = dict.fromkeys((*named, *known, *_WHEN, *gates))
        right = suggest(unknown, ("for_" if word == "for" else word for word in words))
        if unknown == "lane":
            right = f"would be right: mock.{rest['lane']}.{verb}(...)"
        raise TypeError(f"{self._lane}.{verb}(): {unknown!r} is no word of it; {right}")

    def _say_nothing(self, verb: str, *right: str) -> TypeError:
        return TypeError(f"{self._lane}.{verb}(): says nothing; would be right: {' or '.join(right)}")


def _as_fields(text: str | dict[str, Any] | None) -> dict[str, Any]:
    if isinstance(text, dict):
        return text
    return {} if text is None else {"text": text}
