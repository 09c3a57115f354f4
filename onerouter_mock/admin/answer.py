"""The table of routes, asked: an answer to each request of the control API, at once, in the server's loop
thread.

What may live here: finding the route, and errors as JSON. No HTTP objects, no waiting.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, NoReturn

import orjson

from onerouter_mock.admin.asked import JSON, Ask, Refused, Reply, Route
from onerouter_mock.admin.routes import ROUTES
from onerouter_mock.core.errors import ScenarioError
from onerouter_mock.sessions import SessionError

if TYPE_CHECKING:
    from onerouter_mock.emulator import Emulator


def answer(
    emulator: Emulator, session: str, method: str, subpath: str, query: Mapping[str, str], body: bytes
) -> Reply:
    """The answer to one request of the control API, at once: `when_ready` has waited where that was asked.

    Shape: `subpath` is decoded and stands behind `/_mock/`; `query` has the first value of each name. Never
    raises what a user can cause.
    """
    try:
        route, rest = find_route(method, subpath)
        for name in query:
            if name not in route.query:
                _refuse_query(name, route)
        return route.answer(Ask(emulator, session, query, body, rest))
    except ScenarioError as error:
        problems = [str(problem) for problem in error.problems]
        return refusal(400, problems[0] if len(problems) == 1 else f"{len(problems)} problems", problems)
    except SessionError as error:
        return refusal(error.status, str(error))
    except Refused as error:
        headers = (("Allow", error.problems[0]),) if error.status == 405 else ()
        return refusal(error.status, str(error), None if headers else error.problems, headers)


def find_route(method: str, subpath: str) -> tuple[Route, str]:
    """The route for a method and path, and the path's rest. Errors: Refused, 404 or 405."""
    name, _, rest = subpath.strip("/").partition("/")
    there = [route for route in ROUTES if route.name == name and route.takes(rest)]
    method = "GET" if method == "HEAD" else method
    for route in there:
        if route.method == method:
            return route, rest
    path = "/_mock" + (f"/{subpath.strip('/')}" if subpath.strip("/") else "")
    if there:
        allowed = ", ".join(route.method for route in there)
        error = Refused(f"{method} {path}: no such method; would be right: {allowed}", status=405)
        error.problems = [allowed]
        raise error
    near = get_close_matches(name, [route.name for route in ROUTES if route.name], 1)
    hint = f"did you mean /_mock/{near[0]}?" if near else "GET /_mock lists the routes"
    raise Refused(f"{method} {path}: no such route; {hint}", status=404)


def refusal(
    status: int, message: str, problems: list[str] | None = None, headers: tuple[tuple[str, str], ...] = ()
) -> Reply:
    """An error of the control API."""
    error = {"type": "onerouter_mock", "message": message, "problems": problems or [message]}
    return Reply(status, orjson.dumps({"error": error}), JSON, headers)


def _refuse_query(name: str, route: Route) -> NoReturn:
    near = get_close_matches(name, route.query, 1)
    right = (
        f"did you mean {near[0]!r}?"
        if near
        else f"would be right: {', '.join(route.query) or 'no parameter'}"
    )
    raise Refused(f"query: {name!r} is no parameter of {route.method} /_mock/{route.path}; {right}")
