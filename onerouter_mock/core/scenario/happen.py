"""Checked aspects to records: what happens to an attempt, in microseconds and fractions.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import json
from typing import Any

from onerouter_mock.core.scenario import aspects
from onerouter_mock.core.scenario.records import Aspects, Break, ErrorSpec, Pace, Reply

# What a bare status stands for; other statuses from 400 on are invalid_request, from 500 on server_error.
_STANDS_FOR = {401: "invalid_key", 402: "quota", 403: "permission", 404: "model_not_found", 408: "timeout",
               429: "rate_limit", 500: "server_error", 502: "bad_gateway", 503: "overloaded", 504: "timeout",
               529: "overloaded"}  # fmt: skip


def name_kind(status: int) -> str:
    """The error kind that a bare status stands for.

    Source: decisions, Statuses.
    """
    return _STANDS_FOR.get(status, "server_error" if status >= 500 else "invalid_request")


def compile_aspects(step: aspects.Aspects) -> Aspects:
    """One step of a rule, or all of a rule without steps."""
    return Aspects(
        delay=step.delay,
        stream=_compile_pace(step.stream) if step.stream else None,
        reply=compile_reply(step.reply) if step.reply else None,
        break_=_compile_break(step.break_) if step.break_ else None,
        error=compile_error(step.error) if step.error else None,
        connection=step.connection,
        ok=isinstance(step, aspects.Step) and bool(step.ok),
    )


def compile_error(error: aspects.Error, kind: str = "server_error") -> ErrorSpec:
    """A failure; `kind` is for one that says neither kind nor status."""
    retry_after_us, retry_after_date = error.retry_after or (None, None)
    return ErrorSpec(
        kind=error.kind or (name_kind(error.status) if error.status else kind),
        status=error.status,
        message=error.message,
        type=error.type,
        code=error.code,
        param=error.param,
        retry_after_us=retry_after_us,
        retry_after_date=retry_after_date,
        should_retry=error.should_retry,
        headers=tuple((error.headers or {}).items()),
        body=error.body,
    )


def _compile_pace(pace: aspects.Stream) -> Pace:
    return Pace(
        ttft=pace.ttft,
        rate=pace.rate,
        gap=pace.gap,
        slice=pace.slice,
    )


def _compile_break(break_: aspects.Break) -> Break:
    unit, after = break_.after or ("share", 0.5)
    error = compile_error(break_.error) if break_.error else None
    if break_.do == "error" and error is None:
        error = ErrorSpec("server_error")
    return Break(break_.do, unit, after, break_.for_, error)


def compile_reply(reply: aspects.Reply) -> Reply:
    """What an answer says; values that become JSON text are dumped here, once."""
    return Reply(
        text=reply.text,
        reasoning=reply.reasoning,
        refusal=reply.refusal,
        tool_calls=tuple((call.name, _spell_arguments(call.arguments)) for call in reply.tool_calls or ()),
        json=None if reply.json_ is None else _dump(reply.json_),
        chunks=tuple(reply.chunks or ()),
        finish_reason=reply.finish_reason,
        usage=tuple((reply.usage or {}).items()),
        malformed=reply.malformed,
    )


def _spell_arguments(arguments: Any) -> str:
    """Text is sent as it is: it may be broken on purpose."""
    if arguments is None:
        return "{}"
    return arguments if isinstance(arguments, str) else _dump(arguments)


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
