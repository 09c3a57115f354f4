"""Promises about requests: who may ask, what is refused first and with which `param`, what is never repeated."""

from __future__ import annotations

import gzip
import json
import logging
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from asking import OWN, Answered, ask, chat

from onerouter_mock import OneRouterMock, serve

MESSAGES = [{"role": "user", "content": "hi"}]
GOOD = {"model": "gpt-5.1-chat", "messages": MESSAGES}
AZURE = {
    "endpoint_url": "https://x.services.ai.azure.com",
    "api_key": "azure-key-0123456789",
    "model_id": "gpt",
}
BEDROCK = {"accessKeyId": "AKIA0123456789", "secretAccessKey": "s", "region": "us-east-1"}
VERTEX = {
    "type": "service_account",
    "project_id": "p",
    "private_key": "-----BEGIN-----\n",
    "client_email": "a@b",
}
CANARY = "sk-canary-0123456789abcdef"
ACCOUNTS = {"off": {"match": "sk-off-*", "disabled": True}, "team": {"match": "sk-team-*"}}


@pytest.fixture(scope="module")
def mock() -> Iterator[OneRouterMock]:
    with serve({"accounts": ACCOUNTS}, clock="virtual") as mock:
        yield mock


def post(mock: OneRouterMock, body: Any, headers: dict[str, str] | None = None) -> Answered:
    given = {"Authorization": "Bearer any"} if headers is None else headers
    return ask(f"{mock.base_url}/chat/completions", "POST", body, given)


def error_of(answered: Answered) -> dict[str, Any]:
    error: dict[str, Any] = answered.json["error"]
    assert set(error) == {"code", "message", "type", "param"}
    return error


@pytest.mark.parametrize(
    ("headers", "status", "account"),
    [
        ({}, 401, None),
        ({"Authorization": ""}, 401, None),
        ({"Authorization": "Bearer"}, 401, None),
        ({"Authorization": "Basic abc"}, 401, None),
        ({"Authorization": "Token abc def"}, 401, None),
        ({"Authorization": "Bearer sk-off-1"}, 401, None),
        ({"Authorization": "Bearer anything"}, 200, "default"),
        ({"Authorization": "bEaReR my api key"}, 200, "default"),
        ({"Authorization": "sk-team-1"}, 200, "team"),
        ({"x-api-key": "sk-team-2"}, 200, "team"),
        ({"Authorization": "Bearer mock-key"}, 200, "default"),
        ({"Authorization": "Bearer sk-mock-quota"}, 402, "default"),
        ({"Authorization": "Bearer mock-rate_limit-7"}, 429, "default"),
        ({"Authorization": "Bearer sk-mock-overloaded"}, 503, "default"),
    ],
)
def test_who_may_ask(mock: OneRouterMock, headers: dict[str, str], status: int, account: str | None) -> None:
    answered = post(mock, GOOD, headers)
    entry = mock.last
    assert (answered.status, entry.account, entry.status) == (status, account, status)
    if status == 401:
        assert (entry.route, error_of(answered)["code"]) == ("router!invalid_key", 401)


def test_only_the_list_of_models_needs_no_key(mock: OneRouterMock) -> None:
    assert ask(f"{mock.base_url}/models").status == 200
    assert ask(f"{mock.base_url}/models/gpt-5.1-chat").status == 200
    assert ask(f"{mock.base_url}/balance").status == 401


@pytest.mark.parametrize(
    ("method", "path", "says"),
    [
        ("GET", "/v1/x", "Invalid URL (GET /v1/x)"),
        ("GET", "/v1/chat/completions", "Invalid URL (GET /v1/chat/completions)"),
        ("DELETE", "/v1/models", "Invalid URL (DELETE /v1/models)"),
        ("POST", "/chat/completions", "/v1/chat/completions"),
        ("POST", "/v1/v1/chat/completions", "/v1/chat/completions"),
    ],
)
def test_an_unknown_url_is_404_before_anything_else(
    mock: OneRouterMock, method: str, path: str, says: str
) -> None:
    answered = ask(f"{mock.url}{path}", method, b"{" if method == "POST" else None)
    assert answered.status == 404
    assert says in error_of(answered)["message"]
    assert (mock.last.endpoint, mock.last.route, mock.last.account) == (
        "unknown",
        "router!invalid_request",
        None,
    )


def test_a_bad_key_is_told_before_a_bad_body(mock: OneRouterMock) -> None:
    assert post(mock, b"{", {}).status == 401


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"model": None, "messages": [], "byok_conf": [], "temperature": "x"}, "model"),
        ({"messages": [], "byok_conf": {"provider": "nope"}, "temperature": "x"}, "messages"),
        ({"byok_conf": [], "temperature": 3}, "byok_conf"),
        ({"byok_conf": "text"}, "byok_conf"),
        ({"byok_conf": {"provider": "nope", "credentials": "", "fallback": 1}, "n": 0}, "byok_conf.provider"),
        ({"byok_conf": {"credentials": "x"}}, "byok_conf.provider"),
        ({"byok_conf": {"provider": "openai", "credentials": "", "fallback": 1}}, "byok_conf.credentials"),
        ({"byok_conf": {"provider": "openai", "credentials": None}}, "byok_conf.credentials"),
        ({"byok_conf": {"provider": "openai", "credentials": AZURE}}, "byok_conf.credentials"),
        ({"byok_conf": {"provider": "azure-ai-foundry", "credentials": "x"}}, "byok_conf.credentials"),
        ({"byok_conf": {**OWN, "fallback": "true"}, "temperature": "x"}, "byok_conf.fallback"),
        ({"byok_conf": {**OWN, "fallback": 0}}, "byok_conf.fallback"),
        ({"temperature": 2.1}, "temperature"),
        ({"temperature": "1"}, "temperature"),
        ({"top_p": 1.01}, "top_p"),
        ({"n": 129}, "n"),
        ({"n": True}, "n"),
        ({"presence_penalty": -2.5}, "presence_penalty"),
        ({"frequency_penalty": 3}, "frequency_penalty"),
        ({"logprobs": True, "top_logprobs": 21}, "top_logprobs"),
        ({"stream": "true"}, "stream"),
        ({"messages": [{"role": "king", "content": "x"}]}, "messages[0].role"),
        ({"messages": [*MESSAGES, {"role": "tool", "content": "x"}]}, "messages[1].tool_call_id"),
        ({"tool_choice": "always"}, "tool_choice"),
        ({"response_format": {"type": "xml"}}, "response_format.type"),
        ({"provider": {"order": "openai"}}, "provider.order"),
        ({"provider": {"service_tier": "gold"}}, "provider.service_tier"),
        ({"fallback_models": "gpt-4o"}, "fallback_models"),
        ({"fallback_rules": {"error_code": {"hint_array": ["500"]}}}, "fallback_rules.error_code.hint_array"),
        ({"model": "a -> b"}, "model"),
        ({"model": "a\r\nX: y"}, "model"),
        ({"model": "a" * 201}, "model"),
    ],
)
def test_the_first_wrong_member_is_named(mock: OneRouterMock, changes: dict[str, Any], param: str) -> None:
    error = error_of(answered := post(mock, {**GOOD, **changes}))
    assert (answered.status, error["code"], error["param"]) == (400, 400, param)
    assert error["message"].startswith(f"{param}: ")
    assert "; would be right: " in error["message"]
    assert mock.last.route == "router!invalid_request"


@pytest.mark.parametrize(
    "byok",
    [
        OWN,
        {**OWN, "fallback": None},
        {"provider": "azure-ai-foundry", "credentials": AZURE | {"more": 1}},
        {"provider": "aws-bedrock", "credentials": "one-text"},
        {"provider": "aws-bedrock", "credentials": BEDROCK},
        {"provider": "google-vertex", "credentials": VERTEX},
    ],
    ids=lambda byok: f"{byok['provider']}-{type(byok['credentials']).__name__}",
)
def test_credentials_of_the_right_shape_are_good(mock: OneRouterMock, byok: dict[str, Any]) -> None:
    assert post(mock, {**GOOD, "byok_conf": byok}).status == 200
    assert mock.last.byok is not None
    assert mock.last.byok["fallback"] is True


@pytest.mark.parametrize("missing", ["endpoint_url", "api_key", "model_id"])
def test_credentials_lack_nothing(mock: OneRouterMock, missing: str) -> None:
    given = {name: value for name, value in AZURE.items() if name != missing}
    answered = post(mock, {**GOOD, "byok_conf": {"provider": "azure-ai-foundry", "credentials": given}})
    assert (answered.status, error_of(answered)["param"]) == (400, "byok_conf.credentials")
    assert missing in error_of(answered)["message"]


HI = b'{"model": "gpt-5.1-chat", "messages": [{"role": "user", "content": "hi"}], '


@pytest.mark.parametrize(
    "body",
    [
        b"", b"  ", b"{", b"[]", b'"x"', b"null", b"{'model': 1}", HI + b'"temperature": NaN}', HI + b'"x": Infinity}',
        HI + b'"x": "\\ud800"}', HI + b'"x": "\xff"}', HI + b'"x": 1} x', HI + b'"x": 1}'.decode().encode("utf-16"),
        HI + b'"x": ' + b"[" * 100 + b"]" * 100 + b"}", HI + b'"x": ' + b"[" * 100_000, b"[" * 100_000,
        HI + b'"seed": ' + b"9" * 5_000 + b"}",
    ],
    ids=range(17),
)  # fmt: skip
def test_what_is_no_json_object_or_too_deep_is_400(mock: OneRouterMock, body: bytes) -> None:
    answered = post(mock, body)
    assert (answered.status, error_of(answered)["param"]) == (400, "body")
    assert mock.last.request["body"] is None or len(body) < 1_000


def test_a_hundred_levels_are_not_too_deep(mock: OneRouterMock) -> None:
    assert post(mock, HI + b'"x": ' + b"[" * 99 + b"]" * 99 + b"}").status == 200
    assert post(mock, HI + b'"x": "' + b"[" * 500 + b'"}').status == 200


def test_numbers_beyond_64_bits_do_no_harm(mock: OneRouterMock) -> None:
    schema = {
        "type": "object",
        "properties": {"x": {"type": "integer", "maximum": 10**30}},
        "required": ["x"],
    }
    tools = [{"type": "function", "function": {"name": "f", "parameters": schema}}]
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}
    assert (
        chat(mock.base_url, seed=10**30, max_tokens=10**30, tools=tools, tool_choice="required").status == 200
    )
    answered = chat(mock.base_url, response_format=form)
    assert json.loads(answered.json["choices"][0]["message"]["content"])["x"] <= 10**30
    assert ask(f"{mock.url}/_mock/calls").status == 200


def test_members_without_effect_are_noticed(mock: OneRouterMock) -> None:
    extra = {
        "extra_body": {},
        "provider": {"zdr": True},
        "fallback_rules": {"Latency": {"hint_threshold": 1}},
    }
    assert chat(mock.base_url, {**OWN, "color": "red"}, **extra, model="my-own-model").status == 200
    notices = "\n".join(mock.last.notices)
    for word in ("byok_conf.color", "extra_body", "provider.zdr", "fallback_rules.Latency", "my-own-model"):
        assert word in notices


def test_a_header_that_comes_twice_counts_once(mock: OneRouterMock) -> None:
    body = json.dumps(GOOD).encode()
    twice = "Authorization: Bearer sk-team-1\r\nauthorization: Bearer sk-mock-quota\r\n"
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n{twice}Content-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", urlsplit(mock.url).port), timeout=5) as connection:
        connection.sendall(head.encode() + body)
        assert connection.recv(65_536).startswith(b"HTTP/1.1 200 ")
    assert mock.last.account == "team"


def test_a_body_that_is_not_compressed_as_it_says_is_400(
    mock: OneRouterMock, capfd: pytest.CaptureFixture[str]
) -> None:
    headers = {"Authorization": "Bearer any", "Content-Encoding": "gzip"}
    assert post(mock, gzip.compress(json.dumps(GOOD).encode()), headers).status == 200
    assert post(mock, json.dumps(GOOD).encode(), headers).status == 400
    assert "Traceback" not in capfd.readouterr().err


SECRET_PLACES: dict[str, dict[str, Any]] = {
    "own key": {"byok": {"provider": "openai", "credentials": CANARY}},
    "prompt": {"byok": {"provider": "openai", "credentials": CANARY},
               "messages": [{"role": "user", "content": CANARY}]},
    "user agent": {"byok": {"provider": "openai", "credentials": CANARY}, "headers": {"User-Agent": CANARY}},
    "large body": {"byok": {"provider": "openai", "credentials": CANARY}, "pad": "x" * 70_000,
                   "headers": {"User-Agent": CANARY}},
    "model": {"byok": {"provider": "openai", "credentials": CANARY}, "model": f"openai/{CANARY}"},
    "model, router key": {"model": CANARY, "headers": {"Authorization": f"Bearer {CANARY}"}},
    "provider": {"byok": {"provider": CANARY, "credentials": "x"}},
    "byok_conf": {"byok": CANARY},
    "misspelt member": {"byok": {"provider": "openai", "credential": CANARY}},
    "fallback": {"byok": {"provider": "openai", "credentials": "x", "fallback": CANARY}},
    "wrong shape": {"byok": {"provider": "openai", "credentials": [{"deep": CANARY}]}},
    "azure": {"byok": {"provider": "azure-ai-foundry", "credentials": AZURE | {"api_key": CANARY}}},
    "role": {"byok": {"provider": "openai", "credentials": CANARY}, "messages": [{"role": CANARY, "content": "x"}]},
    "test key": {"byok": {"provider": "openai", "credentials": f"sk-mock-invalid_key-{CANARY}", "fallback": False}},
    "extra_body": {"extra_body": {"byok_conf": {"credentials": CANARY}}},
    "router key": {"headers": {"Authorization": f"Bearer {CANARY}"}},
    "other scheme": {"headers": {"Authorization": f"Basic {CANARY}"}},
    "x-api-key": {"headers": {"x-api-key": CANARY}},
    "cookie": {"headers": {"Cookie": CANARY}},
    "answer": {"byok": {"provider": "openai", "credentials": CANARY}, "response_format": {
        "type": "json_schema", "json_schema": {"name": "n", "schema": {"const": CANARY}}}},
}  # fmt: skip


@pytest.mark.parametrize("wire", ["documented", "observed"])
@pytest.mark.parametrize("place", SECRET_PLACES)
def test_no_secret_reaches_journal_log_or_control_api(
    place: str, wire: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with serve(
        clock="virtual", wire=wire, rules=[{"when": {"lane": "byok"}, "error": "invalid_key"}]
    ) as mock:
        given = dict(SECRET_PLACES[place])
        chat(mock.base_url, given.pop("byok", None), given.pop("headers", None), **given)
        told = [
            ask(f"{mock.url}/_mock/{path}").text for path in ("calls", "calls?format=text", "state", "stats")
        ]
        told.append(ask(f"{mock.url}/_mock/verify", "POST", {"route": "none"}).text)
        assert mock.calls
    assert CANARY not in "".join(told) + caplog.text
    assert CANARY[-12:] not in "".join(told)
