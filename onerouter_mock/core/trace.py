"""The route mini-language, and why a Decision went as it went: a line of text for each thing that went wrong.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from onerouter_mock.core.scenario.units import format_duration

if TYPE_CHECKING:
    from onerouter_mock.core.records import Attempt, Decision, Skipped

# What a break may add to a route; the others (no_done, bad_json, ...) leave a whole answer.
TILDES = {"cut": "cut", "reset": "reset", "stall": "stall", "error": "error", "truncate": "truncate",
          "bad_chunk": "cut", "client_left": "client_left"}  # fmt: skip

_HAIR_US = 1_000  # waits are told in whole milliseconds
_BREAKS = {
    "cut": "closed",
    "reset": "reset",
    "stall": "fell silent",
    "error": "an error object in the stream",
    "truncate": "ended without finish_reason and [DONE]",
    "no_done": "[DONE] left out",
    "bad_json": "a line that is no JSON",
    "bad_chunk": "broken chunk framing",
    "duplicate": "a chunk sent twice",
    "comment": "comment lines",
}
_CONNECTIONS = {
    "reset": "was reset",
    "empty": "was closed without a byte",
    "hang": "stays open without an answer",
    "garbage": "carried bytes that are no HTTP",
    "short_body": "brought fewer bytes than promised",
    "html": "carried a proxy's HTML page",
}


def route(x: Decision | Mapping[str, Any], ending: str | None = None) -> str:
    """The attempts of a call in order, as text: `byok:openai!rate_limit -> shared:openai`.

    Shape: `x` is a Decision or a journal entry; `ending` what broke a begun answer (a word of TILDES, others
    add nothing). A call that the router answers by itself (the list of models) is `router`.
    """
    if isinstance(x, Mapping):
        if ending is None and isinstance(x.get("route"), str):
            return str(x["route"])
        parts = [_entry_part(x, attempt) for attempt in x.get("attempts") or ()]
        served = x.get("served_by") is not None
    else:
        parts = [
            _part(attempt.lane, attempt.provider, attempt.other_model, attempt.result)
            for attempt in x.attempts
        ]
        served = x.served is not None
        if not served and x.failure is not None and (x.failed_lane == "router" or not parts):
            parts.append(f"router!{x.failure.kind}")
    tilde = TILDES.get(ending) if ending else None
    if tilde and served:
        parts[-1] += f"~{tilde}"
    return " -> ".join(parts) or "router"


def break_word(decision: Decision, ending: str) -> str | None:
    """The word that a route gets for how a begun answer ended, None: it ended whole.

    Shape: `ending` as in the journal. The router's own breaks leave routes alone, whoever answered; a silence that
    ends by itself is no break.
    """
    shape, timeline = decision.shape, decision.timeline
    if ending == "client_left":
        return ending
    if shape is not None and shape.breaks_at_router:
        return None
    if ending != "finish":
        return ending
    if shape is None or shape.break_ is None or timeline is None or timeline.break_us is None:
        return None
    do, for_us = shape.break_.do, shape.break_.for_us
    return None if do == "stall" and for_us is not None else do


def _part(lane: str, provider: str | None, other_model: str | None, result: str) -> str:
    text = f"{lane}:{provider}" if provider else lane
    if other_model:
        text += f"({other_model})"
    return text if result == "ok" else f"{text}!{result}"


def _entry_part(entry: Mapping[str, Any], attempt: Mapping[str, Any]) -> str:
    model, asked = attempt.get("model") or "", entry.get("model") or ""
    same = model == asked or model.endswith(f"/{asked}") or asked.endswith(f"/{model}")
    return _part(attempt["lane"], attempt.get("provider"), None if same else _bare(model), attempt["result"])


def _bare(model: str) -> str:
    return model.split("/", 1)[-1]


def match_route(pattern: str, text: str) -> bool:
    """Whether a route reads as `pattern`, where `*` (the only wildcard) stands for any text, also none."""
    head, *rest = pattern.split("*")
    if not rest:
        return pattern == text
    *middle, tail = rest
    if not text.startswith(head) or not text.endswith(tail) or len(text) < len(head) + len(tail):
        return False
    at, end = len(head), len(text) - len(tail)
    for piece in middle:
        found = text.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True


def story(decision: Decision) -> list[str]:
    """Why the call went as it went: a line for each attempt that failed, candidate left out, refusal, break.

    Shape: a line holds the rule's or limit's name, the number, and `(file:line)`. Empty where all went well.
    """
    lines = [line for attempt in decision.attempts if (line := attempt_story(decision, attempt))]
    if decision.served is None or any(_is_telling(skip) for skip in decision.skipped):
        lines += _skip_lines(decision)
    if decision.failed_lane == "router" and decision.failure is not None:
        lines.append(_refusal_line(decision))
    if decision.served is not None and (line := _break_line(decision)):
        lines.append(line)
    return lines


def attempt_story(decision: Decision, attempt: Attempt) -> str | None:
    """Why this attempt failed, in one line; None for one that did not."""
    if attempt.result == "ok":
        return None
    cause, name = _split_cause(attempt.cause)
    if cause == "limit" and attempt.budget:
        text = f"{name}: {_used_up(decision, attempt)}"
    elif attempt.cause is None and attempt.result == "model_not_found":
        text = f"{attempt.provider} does not serve {_bare(attempt.model)}, {_numbered(attempt)}"
    else:
        text = f"{name or cause or 'no rule'}: {_answered(decision, attempt)}"
    return text + _wait(decision, attempt) + _at(attempt.where)


def _split_cause(cause: str | None) -> tuple[str, str]:
    word, _, name = (cause or "").partition(" ")
    return (word, name) if word in ("limit", "rule") else (cause or "", "")


def _key(decision: Decision) -> str:
    byok = decision.call.byok
    if byok is None:
        return "no key"
    last4 = f"…{byok.last4}" if byok.last4 else ""
    return f"key {f'{byok.key or str()} {last4}'.strip()}" if byok.key or last4 else "a key that is not shown"


def _used_up(decision: Decision, attempt: Attempt) -> str:
    by = f"by {_key(decision)}"
    if attempt.lane != "byok":
        account = decision.call.account
        by = f"at {attempt.provider}" + (f" by account {account}" if account not in (None, "default") else "")
    refills = attempt.budget is not None and "/" in attempt.budget
    if refills and (attempt.failure is None or attempt.failure.wait_us is None):
        return f"this call alone asks for more than {attempt.budget}, {by}"
    return f"{attempt.budget} used up {by}"


def _answered(decision: Decision, attempt: Attempt) -> str:
    failure = attempt.failure
    if failure is not None and failure.connection:
        broke = _CONNECTIONS.get(failure.connection, failure.connection)
        status = f" (status {attempt.status})" if attempt.status else ""
        return f"the connection to {attempt.provider} {broke}{status}"
    asked = _key(decision) if attempt.lane == "byok" else "the shared pool"
    return f"{attempt.provider} answered {_numbered(attempt)} to {asked}"


def _numbered(attempt: Attempt) -> str:
    return f"{attempt.status} {attempt.result}" if attempt.status else attempt.result


def _wait(decision: Decision, attempt: Attempt) -> str:
    wait_us = attempt.failure.wait_us if attempt.failure is not None else None
    if wait_us is None:
        return ""
    word = "free in" if (attempt.cause or "").startswith("limit ") else "asking to wait"
    if decision.served is None and decision.failed_lane != "router" and attempt is decision.attempts[-1]:
        return f", told to wait {_told(decision, wait_us)}"
    return f", {word} {format_duration(wait_us)}"


def _told(decision: Decision, wait_us: int) -> str:
    """What the client was told, and the truth where that is another (`waits: jump`, `speed`)."""
    told_us, true = decision.told_us, format_duration(wait_us)
    if told_us is None or abs(told_us - wait_us) < _HAIR_US:
        return true
    return f"{format_duration(told_us)}, {true} in truth"


def _at(where: str | None) -> str:
    return f" ({where})" if where else ""


def _is_telling(skip: Skipped) -> bool:
    return skip.why.startswith(("in cooldown", "no credits"))


def _skip_lines(decision: Decision) -> list[str]:
    by_why: dict[str, list[str]] = {}
    for skip in decision.skipped:
        if decision.served is None or _is_telling(skip):
            by_why.setdefault(skip.why, []).append(_skipped_name(skip))
    return [f"{_listed(names)} not tried: {_because(why)}" for why, names in by_why.items()]


def _skipped_name(skip: Skipped) -> str:
    if skip.provider is None:
        return {"shared": "the shared pool", "byok": "the own key"}.get(skip.lane, skip.lane)
    return f"{skip.lane}:{skip.provider}"


def _listed(names: Iterable[str]) -> str:
    unique = list(dict.fromkeys(names))
    shown = ", ".join(unique[:4]) + (f" and {len(unique) - 4} more" if len(unique) > 4 else "")
    return f"{shown} {'was' if len(unique) == 1 else 'were'}"


def _because(why: str) -> str:
    return "byok_conf.fallback is false" if why == "fallback is false" else why


def _refusal_line(decision: Decision) -> str:
    failure = decision.failure
    assert failure is not None
    told = _told(decision, failure.wait_us) if failure.wait_us is not None else ""
    wait = f", told to wait {told}" if told else ""
    if decision.router_cause is not None:
        cause, where = decision.router_cause
        word, name = _split_cause(cause)
        what = f"the router answered {decision.status} {failure.kind}"
        if failure.connection:
            what = f"the client's connection {_CONNECTIONS.get(failure.connection, failure.connection)}"
        return f"{name or word}: {what}{wait}{_at(where)}"
    param = failure.param
    return (
        (f"{param}: " if param and param not in failure.message else "")
        + failure.message
        + ("" if told in failure.message else wait)
    )


def _break_line(decision: Decision) -> str | None:
    shape, line = decision.shape, decision.timeline
    if shape is None or shape.break_ is None or line is None or not decision.call.stream:
        return None
    name, where = shape.break_rule or ("break", None)
    do = shape.break_.do
    what = _BREAKS[do]
    if do == "stall":
        for_us = shape.break_.for_us
        what += f" for {format_duration(for_us)}" if for_us is not None else " until the client leaves"
    total = decision.answer.completion_tokens if decision.answer is not None else line.tokens
    ends = do in TILDES and not (do == "stall" and shape.break_.for_us is not None)
    at = f" after {line.tokens} of {total} tokens; no fallback once an answer has begun" if ends else ""
    return f"{_split_cause(name)[1] or name}: {what}{at}{_at(where)}"
