"""Builders of HTTP requests, as the server hands them to `wire/`."""

from __future__ import annotations

import json
from typing import Any

from builders import scenario

from onerouter_mock.core.errors import RequestError
from onerouter_mock.core.records import Call
from onerouter_mock.core.scenario.records import Scenario
from onerouter_mock.core.wire import Asked, read_call

ROUTER_KEY = "sk-router-0123456789abcdef"
OWN_KEY = "sk-own-fedcba9876543210"
CHAT = "/v1/chat/completions"
USER = {"role": "user", "content": "What is the meaning of life?"}
HEALTHY = scenario()


def body(**members: Any) -> dict[str, Any]:
    """A plain chat request with these members beside it; None leaves one out."""
    given: dict[str, Any] = {"model": "gpt-5.1-chat", "messages": [USER], **members}
    return {name: value for name, value in given.items() if value is not ...}


def own(**members: Any) -> dict[str, Any]:
    """A `byok_conf` with an OpenAI key."""
    given: dict[str, Any] = {"provider": "openai", "credentials": OWN_KEY, **members}
    return {name: value for name, value in given.items() if value is not ...}


def asked(
    content: Any = b"",
    path: str = CHAT,
    method: str = "POST",
    headers: dict[str, str] | None = None,
    **fields: Any,
) -> Asked:
    """A request; `content` is bytes, or what becomes JSON. Without `headers`, one with a OneRouter key."""
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    given = {"authorization": f"Bearer {ROUTER_KEY}"} if headers is None else headers
    return Asked(method, path, "", given, data, **fields)


def read(
    content: Any = b"", path: str = CHAT, *, of: Scenario = HEALTHY, **fields: Any
) -> tuple[Call, RequestError | None]:
    """What `wire/` makes of a request."""
    request = asked(content, path, **fields)
    return read_call(of, "default", 1, request, path)


def good(content: Any = b"", path: str = CHAT, *, of: Scenario = HEALTHY, **fields: Any) -> Call:
    """The call of a request that is not refused."""
    call, error = read(content, path, of=of, **fields)
    assert error is None, error
    return call


def refused(content: Any = b"", path: str = CHAT, *, of: Scenario = HEALTHY, **fields: Any) -> RequestError:
    """Why a request is refused."""
    _, error = read(content, path, of=of, **fields)
    assert error is not None
    return error
