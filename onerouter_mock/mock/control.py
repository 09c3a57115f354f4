"""How a `OneRouterMock` asks its mock: in this process through the loop's thread, or over HTTP. The same
questions.

What may live here: transports, and reading what the control API answers.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from hashlib import blake2b
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, unquote, urlencode, urlsplit

from onerouter_mock.admin import Reply, answer, when_ready
from onerouter_mock.core.errors import MockError, Problem, ScenarioError
from onerouter_mock.core.scenario.units import parse_duration_us
from onerouter_mock.mock.spelling import refuse_value

if TYPE_CHECKING:
    from onerouter_mock.core.scenario.records import Scenario
    from onerouter_mock.host import Host

Source = str | Path | dict[str, Any]
Made = TypeVar("Made")
Choose = Callable[[Source, dict[str, Any], str], Made]  # what `use` is given, and the line that asks
_PATIENCE_S = 10.0
_LONGEST_NAME = 128
_OK, _MISSING, _MISSED = 200, 404, 409


class Near:
    """A mock in this process. `choose` makes a scenario of what `use` is given."""

    def __init__(self, host: Host, choose: Choose[Scenario], session: str = "default") -> None:
        self.host = host
        self.url = host.url
        self._choose = choose
        self._session = session

    def ask(self, method: str, subpath: str, query: dict[str, str], body: bytes) -> Reply:
        emulator, session, path = self.host.emulator, self._session, unquote(subpath)
        if path == "verify" or "wait" in query:
            self.host.wait(when_ready(emulator, session, method, path, query))
        return self.host.ask(lambda: answer(emulator, session, method, path, query, body))

    def put_scenario(self, source: Source, overrides: dict[str, Any], where: str) -> None:
        """Errors: ScenarioError."""
        scenario = self._choose(source, overrides, where)
        self.host.ask(lambda: self.host.emulator.put_scenario(self._session, scenario))

    def restart(self, scenario: Scenario, choose: Choose[Scenario]) -> None:
        """All worlds anew, at the same address."""
        self._choose = choose
        emulator = self.host.emulator

        def begin() -> None:
            emulator.scenario = emulator.options.apply(scenario)
            for session in emulator.sessions():
                emulator.drop_session(session.name)

        self.host.ask(begin)

    def routes(self) -> list[str]:
        """The routes of all calls; without their entries, which a thousand calls make long."""
        emulator, session = self.host.emulator, self._session
        return self.host.ask(lambda: [entry.route for entry in emulator.session(session).journal.read()])

    def begin_anew(self) -> bool:
        """False: a reset returns to the scenario that the session began with."""
        return False

    def close(self) -> None:
        self.host.stop()


class Far:
    """A mock that runs elsewhere: `url` is its root, or a session of it. `choose` spells what `use` is given
    as text.
    """

    def __init__(self, url: str, choose: Choose[str]) -> None:
        self.url = url.rstrip("/")
        self._choose = choose
        self._first: bytes | None = None  # what the session began with, where that is not the server's own

    def ask(self, method: str, subpath: str, query: dict[str, str], body: bytes) -> Reply:
        parts = urlsplit(self.url)
        wait_s = parse_duration_us(query["wait"]) / 1e6 if "wait" in query else 0
        make = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        connection = make(parts.netloc, timeout=_PATIENCE_S + wait_s)
        target = f"{parts.path}/_mock/{subpath}" + (f"?{urlencode(query)}" if query else "")
        try:
            connection.request(
                method, target, body or None, {"Content-Type": "application/json"} if body else {}
            )
            response = connection.getresponse()
            return Reply(response.status, response.read(), response.getheader("Content-Type", ""))
        except (OSError, HTTPException) as error:
            raise MockError(f"url: no mock answers at {self.url} ({error or type(error).__name__})") from None
        finally:
            connection.close()

    def put_scenario(self, source: Source, overrides: dict[str, Any], where: str) -> None:
        """Errors: ScenarioError."""
        self._put(self._choose(source, overrides, where).encode())

    def begin_with(self, source: Source, overrides: dict[str, Any], where: str) -> None:
        """As `put_scenario`, and a reset returns to it. Errors: ScenarioError."""
        first = self._choose(source, overrides, where).encode()
        self._put(first)
        self._first = first

    def routes(self) -> list[str]:
        """The routes of all calls. Errors: MockError."""
        return [entry["route"] for entry in Control(self).read("calls")["calls"]]

    def begin_anew(self) -> bool:
        """A reset to what the server can't know the session began with; False where the server can do it."""
        if self._first is None:
            return False
        self._drop()
        self._put(self._first)
        return True

    def _put(self, text: bytes) -> None:
        reply = self.ask("PUT", "scenario", {}, text)
        if reply.status != _OK:
            raise _error(reply)

    def restart(self, choose: Choose[str]) -> None:
        """The session anew, with the server's own scenario."""
        self._choose, self._first = choose, None
        self._drop()

    def _drop(self) -> None:
        name = unquote(urlsplit(self.url).path.rpartition("/s/")[2]) or "default"
        reply = self.ask("DELETE", f"sessions/{quote(name, safe='')}", {}, b"")
        if reply.status not in (_OK, _MISSING):
            raise _error(reply)

    def close(self) -> None:
        """It keeps running: somebody else has started it."""


class Control:
    """The control API as questions and answers in Python."""

    def __init__(self, transport: Near | Far) -> None:
        self.transport = transport

    def read(self, subpath: str, **query: Any) -> Any:
        """What a GET answers. Errors: MockError."""
        return json.loads(self._get(subpath, query).body)

    def read_text(self, subpath: str, **query: Any) -> str:
        """What a GET answers, as text. Errors: MockError."""
        return self._get(subpath, query).body.decode()

    def _get(self, subpath: str, query: dict[str, Any]) -> Reply:
        reply = self.transport.ask("GET", subpath, {name: str(value) for name, value in query.items()}, b"")
        if reply.status != _OK:
            raise _error(reply)
        return reply

    def reset(self) -> None:
        """The session as it was when it began. Errors: MockError."""
        if not self.transport.begin_anew():
            self.send("POST", "reset")

    def send(self, method: str, subpath: str, body: Any = None, *, missing_ok: bool = False) -> Any:
        """What a write answers. Errors: ScenarioError for a body that is wrong; a 404 is none with
        `missing_ok`.
        """
        data = b"" if body is None else _dump(body)
        reply = self.transport.ask(method, subpath, {}, data)
        if reply.status != _OK and not (missing_ok and reply.status == _MISSING):
            raise _error(reply)
        return json.loads(reply.body)

    def verify(self, expectation: dict[str, Any]) -> str | None:
        """The story of what is not as expected, None when all is. Errors: ScenarioError for an expectation
        that is none.
        """
        reply = self.transport.ask("POST", "verify", {}, _dump(expectation))
        if reply.status == _MISSED:
            return reply.body.decode()
        if reply.status != _OK:
            raise _error(reply)
        return None


def _dump(body: Any) -> bytes:
    return json.dumps(body, ensure_ascii=False, default=refuse_value).encode("utf-8", "surrogatepass")


def _error(reply: Reply) -> MockError:
    try:
        error = json.loads(reply.body)["error"]
        problems = [Problem("", 0, 0, "", str(text)) for text in error.get("problems") or [error["message"]]]
    except (ValueError, KeyError, TypeError):
        return MockError(f"url: the server answered {reply.status}, and not as onerouter-mock does")
    return ScenarioError(problems)


def session_url(url: str, session: str) -> str:
    """The root of one session of the server at `url`."""
    return f"{url.rstrip('/')}/s/{quote(session, safe='@')}"


def session_name(text: str) -> str:
    """A session's name for a test's id or any other text: itself, else what a name may hold of it with a hash."""
    if re.fullmatch(r"[A-Za-z0-9._@-]+", text) and len(text) <= _LONGEST_NAME:
        return text
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip(
        "-"
    )  # what stands behind @ would be read as a scenario
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()
    return f"{name[: _LONGEST_NAME - 9].rstrip('-')}-{digest}"
