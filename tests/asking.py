"""A plain client of a running mock: one JSON request over HTTP, and what came back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

OWN = {"provider": "openai", "credentials": "sk-own-key-1234"}


@dataclass
class Answered:
    """A response, with its body read."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as data."""
        return json.loads(self.body)

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()


def ask(url: str, method: str = "GET", body: Any = None, headers: dict[str, str] | None = None) -> Answered:
    """One request on a connection of its own; a body that is no bytes goes as JSON."""
    parts = urlsplit(url)
    data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    connection = HTTPConnection(parts.netloc, timeout=10)
    try:
        connection.request(
            method, parts.path + (f"?{parts.query}" if parts.query else ""), data, headers or {}
        )
        response = connection.getresponse()
        return Answered(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
    finally:
        connection.close()


def chat(
    base_url: str, byok: dict[str, Any] | None = None, headers: dict[str, str] | None = None, **fields: Any
) -> Answered:
    """One chat call; `byok` is its `byok_conf`."""
    body = {"model": "gpt-5.1-chat", "messages": [{"role": "user", "content": "hi"}], **fields}
    if byok is not None:
        body["byok_conf"] = byok
    return ask(
        f"{base_url}/chat/completions", "POST", body, {"Authorization": "Bearer any", **(headers or {})}
    )
