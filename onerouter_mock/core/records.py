"""The nouns. Plain slotted records; what is made for each call is not frozen (that costs a tenth of the speed) and is
changed by nobody after the function that made it has returned it.

Times `_us` are whole microseconds: `now_us` on the session's clock, `at_us` and `took_us` since the call arrived.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from onerouter_mock.core.scenario.records import Break, Pace, Reply

LANES = ("byok", "shared", "router")
KINDS = ("rate_limit", "quota", "invalid_key", "permission", "model_not_found", "server_error", "overloaded",
         "bad_gateway", "timeout", "connection", "context_length", "content_filter", "invalid_request")  # fmt: skip
ENDPOINTS = ("chat", "completions", "responses", "messages", "gemini", "embeddings", "rerank", "moderations", "images",
             "audio", "video", "models", "balance")  # fmt: skip


@dataclass(slots=True)
class Byok:
    """The caller's own provider key, without the key: `ident` a keyed hash, `last4` None for a short one, `globs` those
    of `scenario.key_globs` that match the credential, `test_kind` the error of a test key."""

    provider: str
    key: str | None
    ident: str
    last4: str | None
    fallback: bool
    fallback_sent: bool
    globs: tuple[str, ...] = ()
    test_kind: str | None = None


@dataclass(slots=True)
class Routing:
    """The `provider` object of a request, as far as it has an effect."""

    order: tuple[str, ...] = ()
    only: tuple[str, ...] | None = None
    ignore: tuple[str, ...] = ()
    allow_fallbacks: bool = True
    sort: str | None = None


@dataclass(slots=True)
class Wants:
    """What the answer must be like, in no dialect. `tools` are (name, parameters JSON Schema or None).

    `tool_choice`: "auto", "none", "required" or a tool's name. `schema`: JSON Schema, {} for any object, None for text.
    `digest` tells one request body from another (the memo of answers). `want_reasoning`: reasoning effort asked.
    """

    prompt: str = ""
    seed: int | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    n: int = 1
    tools: tuple[tuple[str, Any], ...] = ()
    tool_choice: str = "auto"
    parallel_tool_calls: bool = True
    after_tool_result: bool = False
    schema: Any = None
    want_reasoning: bool = False
    digest: bytes = b""


_PLAIN_ROUTING = Routing()


@dataclass(slots=True)
class Call:
    """One HTTP request to the emulated API. `number` counts the session's calls from 1; it is the journal id.

    `ask` is the dialect's own parsed body and `sealed` the request with its secrets: only `wire/` looks into either.
    `endpoint` is a word of ENDPOINTS or `unknown`; `model` as asked; `headers` lower-case, without secrets.
    `fallback_statuses` None means "auto".
    """

    number: int
    session: str
    method: str
    path: str
    endpoint: str = "unknown"
    account: str | None = None
    account_test_kind: str | None = None
    model: str = ""
    stream: bool = False
    http10: bool = False
    prompt: str = ""
    system: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    byok: Byok | None = None
    routing: Routing = field(default_factory=lambda: _PLAIN_ROUTING)
    fallback_models: tuple[str, ...] = ()
    fallback_statuses: frozenset[int] | None = None
    prompt_tokens: int = 0
    wants: Wants | None = None
    sdk_retry: int = 0
    ask: Any = None
    sealed: Any = None
    notices: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Failure:
    """A failure, as the provider (or the router) words it. `wait_us` the true wait, None when none is known.

    `headers` are extra or replacing headers; `body` replaces the body; `connection` is what broke instead of an answer
    (in the router lane: on the client's wire). `date`: tell the wait as an HTTP date ("date") or this very text.
    """

    kind: str
    status: int
    message: str
    type: str | None = None
    code: str | int | None = None
    param: str | None = None
    wait_us: int | None = None
    date: str | None = None
    should_retry: bool | None = None
    headers: tuple[tuple[str, str], ...] = ()
    body: str | None = None
    connection: str | None = None


@dataclass(slots=True)
class Attempt:
    """One try of one model at one provider through one lane. `result` is "ok" or an error kind; `model` a catalogue id.

    `other_model`: what the route shows when it is not the asked model; `asked`: the name in the request. `cause` as in
    the journal ("limit own", "test key", ...), `where` its file:line, `budget` the used-up one as written ("3/min")."""

    n: int
    lane: str
    provider: str
    model: str
    result: str = "ok"
    status: int | None = 200
    cause: str | None = None
    where: str | None = None
    at_us: int = 0
    took_us: int = 0
    failure: Failure | None = None
    other_model: str | None = None
    asked: str = ""
    budget: str | None = None


@dataclass(slots=True)
class Skipped:
    lane: str
    provider: str | None
    model: str | None
    why: str


@dataclass(slots=True)
class ToolCall:
    id: str
    name: str
    arguments: str


@dataclass(slots=True)
class Choice:
    """One of the `n` answers. `tokens` spell `text`; `logprobs` are made by the dialect from them."""

    text: str | None
    tokens: tuple[str, ...] = ()
    reasoning: str | None = None
    reasoning_tokens: tuple[str, ...] = ()
    refusal: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: str | None = "stop"


@dataclass(slots=True)
class Piece:
    """One streamed chunk that carries content: what it adds to which choice. `tokens` is how many tokens it counts for.

    `field`: content, reasoning, refusal, tool_name (opens tool call `call`), tool_arguments.
    """

    choice: int
    field: str
    text: str
    tokens: int
    call: int = 0


@dataclass(slots=True)
class Answer:
    """What is said, whole, before any break. Shared by calls with the same question: never changed, but for `memo`,
    where renderers keep bytes that they can splice again. `pieces` in the order of streaming."""

    choices: tuple[Choice, ...]
    pieces: tuple[Piece, ...]
    completion_tokens: int
    reasoning_tokens: int = 0
    malformed: str | None = None
    usage: tuple[tuple[str, int], ...] = ()
    memo: dict[Any, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Usage:
    prompt_tokens: int
    completion_tokens: int
    reasoning_tokens: int = 0


@dataclass(slots=True)
class Timeline:
    """When the pieces of an answer leave, and where it breaks off.

    `start_us`: when the answer begins (headers); `at_us`: instants of each piece, None when all leave at `start_us`;
    `pieces`: how many are sent (all, but for an ending break); `break_us`: when the break happens, `break_at`: how many
    pieces are out by then; `end_us`: the last byte. `tokens`: tokens delivered.
    """

    start_us: int
    at_us: tuple[int, ...] | None
    pieces: int
    end_us: int
    tokens: int
    break_us: int | None = None
    break_at: int | None = None


@dataclass(slots=True)
class Shape:
    """What rules make of the call's answer, with the rule that said it (name, where) for the trace. `pace_dice`: where
    the pace's dice fall. `breaks_at_router`: the break is of `lane: router`, and leaves route and money alone."""

    pace: Pace | None = None
    pace_dice: tuple[object, ...] = ()
    break_: Break | None = None
    break_rule: tuple[str, str] | None = None
    reply: Reply | None = None
    breaks_at_router: bool = False


@dataclass(slots=True)
class Cost:
    """Money for one answer: parts in nano-dollars before rounding, `total_nano` rounded to whole micro-dollars.

    On byok all parts and the total are 0, and `byok_nano` is what the provider takes.
    """

    prompt_nano: int = 0
    completion_nano: int = 0
    total_nano: int = 0
    byok_nano: int = 0
    is_byok: bool = False


@dataclass(slots=True)
class Decision:
    """All that was decided about a call, and all that `render` may say. `failure` is what the client sees when nothing
    served it; `failed_lane` whose words it has. `status` is the HTTP status, None when none is sent.

    `changes`: cells of the state with their new values. `charged`, `held`: what `billing.settle` sets right at the end.
    `told_us`: what the client was told to wait. `request_id`: 32 hex; `wire_id`: the request-id header's value.
    `balance_nano`: the credits left on the call's account, for the endpoint `balance`.
    """

    call: Call
    now_us: int
    attempts: list[Attempt] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    served: Attempt | None = None
    failure: Failure | None = None
    failed_lane: Literal["byok", "shared", "router"] | None = None
    status: int | None = 200
    delay_us: int = 0
    shape: Shape | None = None
    answer: Answer | None = None
    timeline: Timeline | None = None
    usage: Usage | None = None
    cost: Cost | None = None
    limit_headers: tuple[tuple[str, str], ...] = ()
    changes: dict[Any, Any] = field(default_factory=dict)
    charged: tuple[Any, ...] = ()
    held: tuple[Any, ...] = ()
    wait_us: int | None = None
    told_us: int | None = None
    notes: list[str] = field(default_factory=list)
    router_cause: tuple[str, str | None] | None = None
    request_id: str = ""
    wire_id: str = ""
    answer_id: str = ""
    created_s: int = 0
    balance_nano: int | None = None
