"""One object for tests: where the mock is, what it shall do, what it saw, and whether that is as expected.

What may live here: the members of `OneRouterMock`, in terms of the control API; the two ways to reach that
are in `control.py`, the words of a failed assertion in `admin/verdict.py` and `no_call.py`.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from onerouter_mock.core.errors import MockError
from onerouter_mock.mock.doubts import doubt
from onerouter_mock.mock.faults import Handle, Lane
from onerouter_mock.mock.no_call import explain_silence, explain_wait
from onerouter_mock.mock.seen import SeenCall, read_call
from onerouter_mock.mock.spelling import Duration, calling_line, read_timeout, spell_duration, spell_members

Answer = TypeVar("Answer")
_SHOWN_CALLS = 40

if TYPE_CHECKING:
    from types import TracebackType

    from onerouter_mock.mock.control import Control


class NotSeenInTime(AssertionError, TimeoutError):
    """`wait_for_calls` waited long enough."""


class OneRouterMock:
    """A running mock (or one session of it). Made by the fixture `onerouter`, by `serve` and by `connect`."""

    def __init__(self, control: Control, *, root: Path, api_key: str, is_fixture: bool = False) -> None:
        self._control = control
        self._root = root  # what files are named from, in traces
        self._is_fixture = is_fixture
        self._names: dict[str, int] = {}
        self._age = 0  # how many worlds have gone before this one
        self._stays_open = False  # it serves later tests too
        self.api_key = api_key
        self.byok = Lane(self, "byok")
        self.shared = Lane(self, "shared")
        self.router = Lane(self, "router")

    # Where it is

    @property
    def url(self) -> str:
        """The root, without `/v1`: what Anthropic's SDK takes as its base URL."""
        return self._control.transport.url

    @property
    def base_url(self) -> str:
        """What OpenAI's SDK and most others take as their base URL."""
        return f"{self.url}/v1"

    # What it shall do

    def use(self, scenario: str | Path | dict[str, Any], **overrides: Any) -> None:
        """Load another scenario: a bundled name, a path, a dict or YAML text. The state starts afresh, the
        journal stays.

        Shape: `overrides` are top-level fields of a scenario. Errors: ScenarioError.
        """
        __tracebackhide__ = True
        where = calling_line(self._root)
        self._do(lambda: self._control.transport.put_scenario(scenario, overrides, where))

    def rule(self, **fields: Any) -> Handle:
        """Put a rule of the language before the others: `rule(when={...}, error="rate_limit")`."""
        __tracebackhide__ = True
        fields["name"] = fields.get("name") or self._name_rule("rule")
        return self._add("rules", spell_members(fields), calling_line(self._root))

    def limit(self, **fields: Any) -> Handle:
        """Put a limit of the language before the others: `limit(when={...}, requests="3/min")`."""
        __tracebackhide__ = True
        fields["name"] = fields.get("name") or self._name_rule("limit")
        return self._add("limits", spell_members(fields), calling_line(self._root))

    def advance(self, duration: Duration) -> None:
        """Move the mock's clock forward. Units: text ("61s"), a number of seconds, or a timedelta."""
        __tracebackhide__ = True
        spelled = spell_duration(duration)
        self._do(lambda: self._control.send("POST", "clock", {"advance": spelled}))

    def reset(self) -> None:
        """The world as it was at its start: scenario, state, journal, dice, clock; no added rules."""
        self._begin_anew()
        self._control.reset()

    @property
    def now(self) -> float:
        """The mock's clock. Units: seconds since its world began."""
        now: float = self._control.read("clock")["now"]
        return now

    # What it saw

    @property
    def calls(self) -> list[SeenCall]:
        """The journal, oldest call first; calls in flight too."""
        return [read_call(entry) for entry in self._control.read("calls")["calls"]]

    @property
    def last(self) -> SeenCall:
        """The last call. Errors: AssertionError when there is none, with what may be the reason."""
        entries = self._control.read("calls", limit=1)["calls"]
        if not entries:
            __tracebackhide__ = True
            raise AssertionError(self._explain_silence([]))
        return read_call(entries[-1])

    @property
    def routes(self) -> list[str]:
        """The route of each call, oldest first."""
        return self._control.transport.routes()

    @property
    def fallbacks(self) -> int:
        """Calls with an own key in which the shared pool was tried."""
        number: int = self._control.read("stats")["fallbacks"]
        return number

    @property
    def credits_spent(self) -> float:
        """What the shared pool took, over all accounts. Units: USD."""
        amount: float = self._control.read("stats")["credits_spent"]
        return amount

    @property
    def byok_spent(self) -> float:
        """What the own providers would have taken. Units: USD."""
        amount: float = self._control.read("stats")["byok_spent"]
        return amount

    @property
    def findings(self) -> list[dict[str, Any]]:
        """What the client did wrong, seen on the wire."""
        found: list[dict[str, Any]] = self._control.read("findings")["findings"]
        return found

    def wait_for_calls(self, n: int, timeout: Duration = "2s") -> list[SeenCall]:
        """Wait until `n` calls have ended, for apps that work in the background; all calls. Units: real time.

        Errors: NotSeenInTime (an AssertionError and a TimeoutError) with what was seen instead. In an async
        test use `await asyncio.to_thread(mock.wait_for_calls, 1)`: waiting here stops the test's own event
        loop.
        """
        __tracebackhide__ = True
        if not isinstance(n, int) or isinstance(n, bool) or n < 0:
            raise TypeError(f"wait_for_calls: {n!r} is no number of calls; would be right: wait_for_calls(3)")
        spelled = read_timeout(timeout)
        seen = self._control.read("calls", wait=spelled, count=n)
        calls = [read_call(entry) for entry in seen["calls"]]
        if seen["dropped"] + sum(call.ended_ms is not None for call in calls) >= n:
            return calls
        story = explain_wait(n, spelled, calls, self._timeline(), self.base_url, _in_loop())
        raise NotSeenInTime(story if calls else f"{story}\n{self._explain_silence([])}")

    # Whether that is as expected

    def assert_route(self, route: str, nth: int = -1) -> None:
        """The call `nth` (an index: -1 is the last) took this route; `*` stands for anything."""
        __tracebackhide__ = True
        self._verify({"route": route, "nth": nth})

    def assert_routes(self, routes: Sequence[str]) -> None:
        """These are the routes of all calls, in order; `*` stands for anything."""
        __tracebackhide__ = True
        if isinstance(routes, str):
            raise TypeError(
                f"assert_routes: {routes!r} is one route; would be right: assert_routes([{routes!r}])"
            )
        self._verify({"routes": list(routes)})

    def assert_served_by(
        self, lane: str | None = None, provider: str | None = None, model: str | None = None, nth: int = -1
    ) -> None:
        """The call `nth` was served in this lane, by this provider, by this model."""
        said = {"lane": lane, "provider": provider, "model": model}
        __tracebackhide__ = True
        self._verify(
            {"served_by": {part: text for part, text in said.items() if text is not None}, "nth": nth}
        )

    def assert_key_used(self, name: str, times: int | None = None) -> None:
        """Calls came with this own key (its name in the scenario): at least one, or exactly `times`."""
        __tracebackhide__ = True
        self._verify({"key_used": {"name": name, **({} if times is None else {"times": times})}})

    # How the members above do it

    def _verify(self, expectation: dict[str, Any]) -> None:
        __tracebackhide__ = True
        story = self._do(lambda: self._control.verify(expectation))
        if story is None:
            return
        if not self._control.read("stats")["calls"]:
            expected = [line[13:] for line in story.splitlines() if line.startswith("  expected   ")]
            story = self._explain_silence(expected)
        notes = doubt(expectation, self._control.read("scenario"))
        raise AssertionError("\n".join([story, *(f"  note: {note}" for note in notes)]))

    def _do(self, question: Callable[[], Answer]) -> Answer:
        """Its answer. Errors: those of the test's author, told from the author's own line."""
        __tracebackhide__ = True
        try:
            return question()
        except (MockError, TypeError) as error:
            raise error.with_traceback(None) from None

    def _explain_silence(self, expected: Sequence[str]) -> str:
        if number := self._control.read("stats")["calls"]:
            return f"the journal is empty: it has forgotten or dropped the calls that the mock saw ({number})"
        return explain_silence(expected, self.base_url, self._is_fixture)

    def _timeline(self) -> list[str]:
        """What it saw, as people read it: the last calls."""
        lines = self._control.read_text("calls", format="text", limit=_SHOWN_CALLS).splitlines()
        hidden = self._control.read("stats")["calls"] - _SHOWN_CALLS
        return [f"          … {hidden} earlier calls", *lines] if hidden > 0 else lines

    def _begin_anew(self) -> None:
        self._names.clear()
        self._age += 1

    def _name_rule(self, stem: str) -> str:
        number = self._names[stem] = self._names.get(stem, 0) + 1
        return stem if number == 1 else f"{stem}-{number}"

    def _add(self, kind: str, said: dict[str, Any], where: str) -> Handle:
        __tracebackhide__ = True
        self._do(lambda: self._control.send("POST", "rules", {kind: [said], "where": where}))
        return Handle(self, said["name"], is_limit=kind == "limits", age=self._age)

    def _remove_rule(self, name: str) -> None:
        self._control.send("DELETE", f"rules/{quote(name, safe='')}", missing_ok=True)

    def _read_used(self, name: str, is_limit: bool, before: float) -> float:
        state = self._control.read("state")
        if not is_limit:
            acted = [rule["acted"] for rule in state["rules"] if rule["name"] == name]
            return acted[0] if acted else before
        drawn = [limit for limit in state["limits"] if limit["name"] == name]
        return (
            sum(limit["used"] for limit in drawn if limit["budget"] == drawn[0]["budget"])
            if drawn
            else before
        )

    # One object, two protocols

    def close(self) -> None:
        """Stop the mock (one that runs elsewhere or for later tests keeps running). Closing twice is no error."""
        if not self._stays_open:
            self._control.transport.close()

    def __enter__(self) -> OneRouterMock:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> OneRouterMock:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<OneRouterMock {self.url}>"


def _in_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
