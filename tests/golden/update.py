"""Golden traces: what bundled scenarios do to a handful of calls. Run this to write them anew, read the diff.

The calls ask for 20 tokens, fewer than any made-up answer has: so nothing here depends on generated words.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from onerouter_mock.core.story import sum_line, sum_up, timeline
from onerouter_mock.dry_run import foresee, open_world
from onerouter_mock.library import Library

HERE = Path(__file__).parent
# Seconds at which calls come: a burst, then some when budgets have refilled and outages have passed.
MOMENTS_S = (0, 1, 2, 3, *range(40, 80))


def request(key: str | None, **more: Any) -> dict[str, Any]:
    """A chat request, with an own OpenAI key or without."""
    body: dict[str, Any] = {
        "model": "gpt-5.1-chat",
        "messages": [{"role": "user", "content": "hi"}],
        "max_tokens": 20,
    }
    if key is not None:
        body["byok_conf"] = {"provider": "openai", "credentials": key, "fallback": more.pop("fallback", True)}
    return body | more


KEY, OTHER_KEY = "sk-own-key-one-7f3a", "sk-own-key-two-41b8"
# What every scenario is asked, each part in a fresh world.
PARTS: dict[str, list[dict[str, Any]]] = {
    "own key, fallback": [request(KEY)] * 6,
    "own key, no fallback": [request(KEY, fallback=False)] * 6,
    "no own key": [request(None)] * 6,
}
# What some are asked besides: what their story is about.
MORE_PARTS: dict[str, dict[str, list[dict[str, Any]]]] = {
    "flaky": {"own key, forty calls": [request(KEY, stream=True)] * 40},
    "midstream-cut": {"own key, streamed": [request(KEY, stream=True)] * 6},
    "model-fallback": {
        "own key, fallback_models": [request(KEY, fallback_models=["anthropic/claude-sonnet-4.5"])] * 2
    },
    "rotating-key": {
        "two own keys in turn": [request(KEY, fallback=False)] * 4 + [request(OTHER_KEY, fallback=False)] * 2
    },
    "slow-stream": {"own key, streamed": [request(KEY, stream=True)] * 2},
}


def trace(name: str) -> str:
    """The golden text of a bundled scenario."""
    library = Library()
    scenario = library.load(name)
    lines = [f"{name}: {library.story(scenario.file)}"]
    for title, bodies in (PARTS | MORE_PARTS.get(name, {})).items():
        emulator = open_world(scenario, library)
        entries, now_s = [], 0
        for moment_s, body in zip(MOMENTS_S, bodies, strict=False):
            emulator.advance("default", (moment_s - now_s) * 1_000_000)
            now_s = moment_s
            entries += foresee(emulator, body, calls=1)
        lines += ["", f"== {title}", *timeline(entries), sum_line(sum_up(entries))]
    return "\n".join(lines) + "\n"


def names() -> list[str]:
    """The bundled scenarios."""
    return [name for name, _ in Library().bundled()]


def main() -> None:
    for name in names():
        path = HERE / f"{name}.txt"
        text = trace(name)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"wrote {path.relative_to(HERE.parent.parent)}")


if __name__ == "__main__":
    main()
