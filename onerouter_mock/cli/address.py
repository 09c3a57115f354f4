"""Where a running server is, and asking it: http.client only, which costs a third of what asyncio does.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import json
import os
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from onerouter_mock.cli import Stop


class Address(NamedTuple):
    """A server and, where the URL names one, a session in it. `prefix` is "" or "/s/NAME"."""

    secure: bool
    host: str
    port: int
    prefix: str

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http{'s' if self.secure else ''}://{host}:{self.port}{self.prefix}"


def read_address(url: str | None) -> Address:
    """The address a URL means: with or without scheme (then with a port), `/v1`, `/s/NAME`.

    None: `ONEROUTER_MOCK_URL`, else the host and port that `serve` would take. Errors: Stop.
    """
    text = url or os.environ.get("ONEROUTER_MOCK_URL") or _served_here()
    has_scheme = "://" in text
    parts = urlsplit(text if has_scheme else f"http://{text}")
    try:
        port = parts.port
    except ValueError:
        port = -1
    is_bare = not has_scheme and port is None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == -1 or is_bare:
        raise Stop(f'"{text}" is no address; would be right: http://127.0.0.1:4117')
    path = parts.path.rstrip("/").removesuffix("/v1").rstrip("/")
    if path and not (path.startswith("/s/") and path.count("/") == 2):
        raise Stop(f'"{text}" has a path that leads nowhere; would be right: {parts.scheme}://{parts.netloc}')
    secure = parts.scheme == "https"
    return Address(secure, parts.hostname, port if port is not None else 443 if secure else 80, path)


def _served_here() -> str:
    host = os.environ.get("ONEROUTER_MOCK_HOST") or "127.0.0.1"
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if host.count(":") > 1 else host)
    return f"http://{host}:{os.environ.get('ONEROUTER_MOCK_PORT') or 4117}"


def get_json(address: Address, path: str, *, timeout_s: float = 2.0) -> Any:
    """The JSON object at a path of a server.

    Errors: Unreachable, with why in words, when nobody answers, or somebody else does.
    """
    made = HTTPSConnection if address.secure else HTTPConnection
    connection = made(address.host, address.port, timeout=timeout_s)
    try:
        connection.request("GET", path, headers={"Accept": "application/json"})
        response = connection.getresponse()
        body = response.read()
    except (OSError, HTTPException, ValueError) as error:
        raise Unreachable(_why(error)) from None
    finally:
        connection.close()
    try:
        data = json.loads(body)
    except ValueError:
        raise Unreachable(f"answered {response.status}, and no JSON") from None
    if response.status != 200:
        told = data.get("error") if isinstance(data, dict) else None
        message = told.get("message") if isinstance(told, dict) else None
        raise Unreachable(f"answered {response.status}" + (f": {message}" if message else ""))
    return data


class Unreachable(Exception):
    """Nobody there, or nobody we know."""


def _why(error: Exception) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, HTTPException):
        return "answered no HTTP"
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).lower()


def is_mock(health: Any) -> bool:
    """Whether an answer of `/healthz` is that of a ready onerouter-mock."""
    return isinstance(health, dict) and health.get("status") == "ok"
