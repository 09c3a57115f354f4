"""The environment that points clients at a server.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from onerouter_mock import API_KEY


def client_environment(url: str, environ: Mapping[str, str]) -> dict[str, str]:
    """The variables for clients of the server (or session) at `url`, a root without `/v1`.

    Shape: Anthropic's base URL is the root, because its SDK adds `/v1/messages`. `environ` is the one to
    extend: what its `NO_PROXY` names stays.
    """
    base_url = f"{url}/v1"
    host = urlsplit(url).hostname or "127.0.0.1"
    before = environ.get("NO_PROXY") or environ.get("no_proxy") or ""
    names = [name.strip() for name in before.split(",") if name.strip()]
    no_proxy = ",".join(dict.fromkeys([*names, "127.0.0.1", "localhost", host]))
    return {
        "ONEROUTER_MOCK_URL": url,
        "ONEROUTER_BASE_URL": base_url,
        "ONEROUTER_API_KEY": API_KEY,
        "OPENAI_BASE_URL": base_url,
        "OPENAI_API_BASE": base_url,
        "OPENAI_API_KEY": API_KEY,
        "ANTHROPIC_BASE_URL": url,
        "ANTHROPIC_API_KEY": API_KEY,
        "NO_PROXY": no_proxy,
        "no_proxy": no_proxy,
    }
