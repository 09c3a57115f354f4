"""Every fault is what the SDKs' own documentation calls it, and docs/client-faults.md tells the truth of this run."""

from __future__ import annotations

import pytest
from environments import CLIENTS, Ask
from fault_table import FAULTS, PAGE, observe

# From openai/_exceptions.py and the measurements of the package's behaviour: the newest Python release.
PROMISED = {
    "error: invalid_request": "`BadRequestError` 400; 1x",
    "error: invalid_key": "`AuthenticationError` 401; 1x",
    "error: quota": "`APIStatusError` 402; 1x",
    "error: permission": "`PermissionDeniedError` 403; 1x",
    "error: model_not_found": "`NotFoundError` 404; 1x",
    "error: timeout": "`APIStatusError` 408; 3x",
    "error: rate_limit": "`RateLimitError` 429; 3x",
    "error: server_error": "`InternalServerError` 500; 3x",
    "error: overloaded": "`InternalServerError` 503; 3x",
    "connection: reset": "`APIConnectionError`; 3x",
    "connection: empty": "`APIConnectionError`; 3x",
    "connection: garbage": "`APIConnectionError`; 3x",
    "connection: hang": "`APITimeoutError`; 3x",
    "connection: html": "`InternalServerError` 502; 3x",
    "break: cut": "`APIConnectionError`, after part of the text; 1x",
    "break: reset": "`APIConnectionError`, after part of the text; 1x",
    "break: stall": "`APITimeoutError`, after part of the text; 1x",
    "break: error": "`APIError`, after part of the text; 1x",
    "break: truncate": "silent: part of the text, finish reason none; 1x",
    "break: no_done": "fine; 1x",
    "break: bad_json": "`JSONDecodeError`, after part of the text; 1x",
    "break: bad_chunk": "`APIConnectionError`, after part of the text; 1x",
    "break: duplicate": "silent: more than the text, finish reason stop; 1x",
    "break: comment": "fine; 1x",
    "stream: {slice: 1 byte}": "fine; 1x",
}


def documented(client: str) -> dict[str, str]:
    """fault -> cell of this client's column of the page."""
    table = [line.strip("|").split(" | ") for line in PAGE.read_text().splitlines() if line.startswith("|")]
    column = [cell.strip() for cell in table[0]].index(client)
    return {row[0].strip(): row[column].strip() for row in table[2:]}


@pytest.mark.xdist_group("client faults")
def test_page_tells_what_this_client_does(client_name: str, ask: Ask) -> None:
    seen = {fault: f"{saw}; {calls}x" for fault, (saw, calls) in observe(ask).items()}
    assert seen == documented(client_name)


def test_newest_python_client_raises_what_it_promises() -> None:
    page = documented(next(iter(CLIENTS)))
    assert {fault: page[fault] for fault in PROMISED} == PROMISED


def test_page_has_every_fault() -> None:
    assert set(documented(next(iter(CLIENTS)))) == set(FAULTS)
