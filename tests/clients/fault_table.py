"""What each client does with each fault: the rows of docs/client-faults.md, observed, never typed.

`python tests/clients/fault_table.py` writes the page anew; test_client_faults.py fails when it tells of another client.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import onerouter_mock
from onerouter_mock.core.records import KINDS
from onerouter_mock.core.scenario.aspects import Connection, Do, Malformed

PAGE = Path(__file__).parent.parent.parent / "docs" / "client-faults.md"


def rule(**aspects: Any) -> dict[str, Any]:
    return {"clock": "virtual", "rules": [{"name": "fault", "when": {"lane": "router"}, **aspects}]}


# Every word of the language, so that a new fault has no place but in the table.
# fault -> (scenario, streamed); the mock ends each break and accident in the middle of the answer
FAULTS: dict[str, tuple[dict[str, Any], bool]] = {
    "no fault": ({"clock": "virtual"}, False),
    "no fault, streamed": ({"clock": "virtual"}, True),
    **{f"error: {kind}": (rule(error=kind), False) for kind in (*KINDS, "no_provider")},
    **{f"connection: {word}": (rule(connection=word), False) for word in get_args(Connection)},
    **{f"connection: {word}, streamed": (rule(connection=word), True) for word in ("empty", "short_body")},
    **{
        f"break: {word}": (rule(**{"break": {"do": word, "after": "3 chunks"}}), True)
        for word in get_args(Do)
    },
    "stream: {slice: 1 byte}": (rule(stream={"slice": "1 byte"}), True),
    **{f"malformed: {word}": (rule(reply={"malformed": word}), False) for word in get_args(Malformed)},
}


def observe(ask: Callable[[list[dict[str, Any]]], dict[str, Any]]) -> dict[str, tuple[str, str]]:
    """fault -> (what the caller saw, attempts), with one client; each fault in a session of its own."""
    with onerouter_mock.serve() as mock:
        questions = []
        for number, (fault, (scenario, stream)) in enumerate(FAULTS.items()):
            session = onerouter_mock.connect(f"{mock.url}/s/fault-{number}")
            session.use(scenario)
            questions.append(
                {
                    "name": fault,
                    "base_url": session.base_url,
                    "stream": stream,
                    "timeout_s": 2.0,
                    "body": {"seed": 1},
                }
            )
        seen = ask(questions)
        rows = {}
        for number, fault in enumerate(FAULTS):
            calls = onerouter_mock.connect(f"{mock.url}/s/fault-{number}").calls
            rows[fault] = (tell(seen[fault], seen["no fault, streamed"]["text"]), str(len(calls)))
        return rows


def tell(seen: dict[str, Any], whole: str) -> str:
    """One cell: the exception and how much text came before it, or what was accepted silently."""
    text, error = seen["text"], seen["error"]
    if error:
        status = f" {seen['status']}" if seen["status"] else ""
        return f"`{error}`{status}" + (", after part of the text" if text else "")
    if text == whole and seen["finish_reason"] in ("stop", "tool_calls"):
        return "fine"
    if text is None:
        return "silent: content null"
    if not text:
        return "silent: no content"
    size = (
        "whole text"
        if text == whole
        else "part of the text"
        if len(text) < len(whole)
        else "more than the text"
    )
    return f"silent: {size}, finish reason {seen['finish_reason'] or 'none'}"


def write(observed: dict[str, dict[str, tuple[str, str]]]) -> str:
    """The page: one table, a row a fault, a column a client, as Markdown."""
    names = list(observed)
    lines = [
        "# What each client does with each fault",
        "",
        "Observed with the official clients against onerouter-mock, each with its defaults but a time-out of 2 s;",
        "`python tests/clients/fault_table.py` writes this page anew, and a test fails when it is out of date.",
        "In each cell: what the caller saw, and how many calls the client made (2 retries are everyone's default).",
        "Every fault is in `lane: router`, breaks after 3 chunks. *silent* means that no exception was raised.",
        "",
        "| fault | " + " | ".join(names) + " |",
        "|---" * (len(names) + 1) + "|",
    ]
    for fault in FAULTS:
        cells = (f"{saw}; {calls}x" for saw, calls in (observed[name][fault] for name in names))
        lines.append(f"| {fault} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    from environments import CLIENTS

    PAGE.write_text(write({name: observe(make()) for name, make in CLIENTS.items()}))
    sys.stderr.write(f"wrote {PAGE.name}\n")
