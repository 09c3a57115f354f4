"""Clients without an SDK: requests, as the documentation's second snippet has it, and curl."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator

import pytest
import requests

import onerouter_mock

BODY = {
    "byok_conf": {"provider": "openai", "fallback": True, "credentials": "your-openai-key"},
    "model": "gpt-5.1-chat",
    "messages": [{"role": "user", "content": "What is the meaning of life?"}],
}


@pytest.fixture
def mock() -> Iterator[onerouter_mock.OneRouterMock]:
    with onerouter_mock.serve(clock="virtual") as served:
        yield served


def test_the_page_s_requests_snippet_works(mock: onerouter_mock.OneRouterMock) -> None:
    response = requests.post(
        url=f"{mock.base_url}/chat/completions",
        headers={"Authorization": "Bearer <API_KEY>", "Content-Type": "application/json"},
        data=json.dumps(BODY),
        timeout=10,
    )
    assert response.json()["choices"][0]["message"]["content"]
    assert response.headers["x-onerouter-mock-route"] == "byok:openai"
    assert mock.last.route == "byok:openai"


def test_one_connection_serves_many_calls(mock: onerouter_mock.OneRouterMock) -> None:
    with requests.Session() as session:
        for _ in range(1000):
            answer = session.post(
                f"{mock.base_url}/chat/completions",
                json=BODY,
                headers={"Authorization": "Bearer x"},
                timeout=10,
            )
            assert answer.status_code == 200
    assert len(mock.routes) == 1000


def test_curl_shows_the_stream_as_it_is(mock: onerouter_mock.OneRouterMock) -> None:
    curl = shutil.which("curl")
    assert curl, "the suite drives curl; would be right: apt-get install curl"
    out = subprocess.run(
        [curl, "-sN", f"{mock.base_url}/chat/completions", "-H", "Authorization: Bearer any", "-d",
         json.dumps({**BODY, "stream": True})],
        capture_output=True, text=True, timeout=10, check=True,
    ).stdout  # fmt: skip
    events = out.split("\n\n")
    assert events[-2:] == ["data: [DONE]", ""]
    assert all(event.startswith("data: {") for event in events[:-2])
