"""One fixture for all clients: a test that takes `ask` runs once with each."""

from __future__ import annotations

import pytest
from environments import CLIENTS, Ask


@pytest.fixture(scope="session", params=CLIENTS)
def client_name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def ask(client_name: str) -> Ask:
    """Ask questions with one of the clients; see ask.py for their form."""
    return CLIENTS[client_name]()
