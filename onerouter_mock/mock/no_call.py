"""The story of a test in which nothing arrived: the most common accident, and the one with the least to see.

What may live here: words for it, and for calls that did not come in time.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Sequence

from onerouter_mock.mock.seen import SeenCall


def explain_silence(expected: Sequence[str], base_url: str, is_fixture: bool) -> str:
    """Why an assertion fails when no call was seen: the address in force, and the cures.

    Shape: `is_fixture`: the pytest fixture has set the environment; else nobody has.
    """
    lines = [f"the mock saw no call{' in this test' if is_fixture else ''}"]
    lines += [f"  expected   {text}" for text in expected]
    return "\n".join([*lines, *(_FIXTURE_CURES if is_fixture else _LIBRARY_CURES)]).replace(
        "ADDRESS", base_url
    )


_FIXTURE_CURES = (
    "  The client went to another address. Since this test began OPENAI_BASE_URL is ADDRESS,",
    "  but a client that was made earlier (at import, cached) or with its own base_url keeps the old one.",
    "    in the test         OpenAI(base_url=onerouter.base_url, api_key=onerouter.api_key)",
    '    for one client      monkeypatch.setattr(app.llm.client, "base_url", onerouter.base_url)',
    "    for the whole run   onerouter_scope = session      in pytest.ini",
)
_LIBRARY_CURES = (
    "  The client went to another address: this mock is at ADDRESS, and serve() sets no environment.",
    "    for one client      OpenAI(base_url=mock.base_url, api_key=mock.api_key)",
    "    for this process    OPENAI_BASE_URL set to mock.base_url before the client is made",
    "    for pytest          the fixture `onerouter` sets the environment by itself",
)


def explain_wait(
    wanted: int,
    timeout: str,
    calls: Sequence[SeenCall],
    timeline: Sequence[str],
    base_url: str,
    in_loop: bool,
) -> str:
    """Why waiting for calls failed: how many came, how many of them have ended."""
    ended = sum(call.ended_ms is not None for call in calls)
    open_now = f", {len(calls) - ended} more still in flight" if len(calls) > ended else ""
    lines = [f"waited {timeout} for {wanted} call{'' if wanted == 1 else 's'}; {ended} ended{open_now}"]
    if calls:
        lines += [
            f"  the mock is at {base_url}; what it saw:",
            *(f"    {line}" for line in timeline),
        ]
    if in_loop:
        lines.append(
            "  This was called in a running event loop, which stood still while it waited. In an async test:"
        )
        lines.append(f"    await asyncio.to_thread(onerouter.wait_for_calls, {wanted})")
    return "\n".join(lines)
