"""A scenario as the router uses it: checked, compiled, frozen. Made once by `compile.py`, read by everyone.

Times are whole microseconds, money whole nano-dollars, shares fractions of 1. `where` is `file:line` of the
first key.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from onerouter_mock.core.catalogue import Catalogue


@dataclass(frozen=True, slots=True)
class Fixed:
    us: int


@dataclass(frozen=True, slots=True)
class Uniform:
    low_us: int
    high_us: int


@dataclass(frozen=True, slots=True)
class Normal:
    mean_us: int
    stddev_us: int


@dataclass(frozen=True, slots=True)
class Lognormal:
    median_us: int
    sigma: float
    max_us: int | None = None


Delay = Fixed | Uniform | Normal | Lognormal


@dataclass(frozen=True, slots=True)
class ErrorSpec:
    """How an attempt fails. None: as the provider's catalogue entry has it.

    `retry_after` is a wait in microseconds, `"date"` (the true wait, told as an HTTP date) or a literal HTTP
    date.
    """

    kind: str
    status: int | None = None
    message: str | None = None
    type: str | None = None
    code: str | int | None = None
    param: str | None = None
    retry_after_us: int | None = None
    retry_after_date: str | None = None
    should_retry: bool | None = None
    headers: tuple[tuple[str, str], ...] = ()
    body: str | None = None


@dataclass(frozen=True, slots=True)
class Pace:
    """`slice`: (N, "bytes" or "token")."""

    ttft: Delay | None = None
    rate: float | None = None
    gap: Delay | None = None
    slice: tuple[int, Literal["bytes", "token"]] | None = None


@dataclass(frozen=True, slots=True)
class Break:
    """`after` in `unit`: chunks or tokens (counts), us (since the stream began), share (of the answer)."""

    do: str
    unit: Literal["chunks", "tokens", "us", "share"] = "share"
    after: float = 0.5
    for_us: int | None = None
    error: ErrorSpec | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What an answer says. `json` is the value's compact text; `tool_calls` are (name, arguments text)."""

    text: str | None = None
    reasoning: str | None = None
    refusal: str | None = None
    tool_calls: tuple[tuple[str, str], ...] = ()
    json: str | None = None
    chunks: tuple[str, ...] = ()
    finish_reason: str | None = None
    usage: tuple[tuple[str, int], ...] = ()
    malformed: str | None = None


@dataclass(frozen=True, slots=True)
class Aspects:
    delay: Delay | None = None
    stream: Pace | None = None
    reply: Reply | None = None
    break_: Break | None = None
    error: ErrorSpec | None = None
    connection: str | None = None
    ok: bool = False


@dataclass(frozen=True, slots=True)
class When:
    """None: any. Text values are globs, except `lane` and `endpoint`; `header` is ((lower-case name, globs),
    ...)."""

    lane: frozenset[str] | None = None
    provider: tuple[str, ...] | None = None
    model: tuple[str, ...] | None = None
    key: tuple[str, ...] | None = None
    account: tuple[str, ...] | None = None
    endpoint: frozenset[str] | None = None
    stream: bool | None = None
    prompt: tuple[str, ...] | None = None
    system: tuple[str, ...] | None = None
    header: tuple[tuple[str, tuple[str, ...]], ...] = ()
    attempt: frozenset[int] | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """`ident` names its dice and counters: the name, or for a rule without one its content. Plain aspects are
    one step; then `then` is "loop" (every act takes it). `said`: its tree (`tree.Node`), as written."""

    name: str
    ident: str
    where: str
    when: When
    steps: tuple[Aspects, ...]
    then: Literal["pass", "last", "loop"] = "loop"
    skip: int = 0
    times: int | None = None
    every: int = 1
    chance: float | None = None
    after_us: int | None = None
    until_us: int | None = None
    per: tuple[str, ...] = ()
    said: Any = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Budget:
    """`text` as written ("3/min", "5 requests"); `window_us` None for quotas and concurrency.

    `amount` in requests, tokens or nano-dollars.
    """

    kind: Literal["rate", "quota", "concurrency"]
    unit: Literal["requests", "tokens", "usd"]
    amount: int
    text: str
    window_us: int | None = None


@dataclass(frozen=True, slots=True)
class Limit:
    name: str
    ident: str
    where: str
    when: When
    budgets: tuple[Budget, ...]
    per: tuple[str, ...] = ("key",)
    used: int = 0
    algorithm: Literal["bucket", "fixed", "sliding"] = "bucket"
    error: ErrorSpec | None = None
    headers: bool = True
    said: Any = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class KeyName:
    name: str
    match: tuple[str, ...]
    provider: str | None = None
    expires_us: int | None = None


@dataclass(frozen=True, slots=True)
class Account:
    name: str
    match: tuple[str, ...] = ()
    credits_nano: int = 1000 * 10**9
    disabled: bool = False


@dataclass(frozen=True, slots=True)
class Cooldown:
    failures: int
    within_us: int
    for_us: int


@dataclass(frozen=True, slots=True)
class RouterConf:
    fallback_on: frozenset[str]
    cooldown: Cooldown | None = None
    balance: Literal["listed", "weighted"] = "listed"
    timeout_us: int = 5_000_000
    deliver_errors: Literal["status", "body"] = "status"
    keep_alive_us: int = 15_000_000


@dataclass(frozen=True, slots=True)
class Scenario:
    """`keys` and `accounts` in written order, first match wins; `accounts` always ends with `default`.
    `key_globs`: globs of `when.key` that are no scenario name, matched on the credential itself (in `wire/`).
    `memo` is scratch space for `when.Index` (which rules can concern what); it never changes a result.
    `source` is the tree it was made from (`tree.Node`), None when made by hand: for overrides and advice."""

    name: str
    catalogue: Catalogue
    description: str = ""
    file: str = ""
    seed: int = 0
    clock: Literal["real", "virtual"] = "real"
    speed: float = 1.0
    waits: Literal["told", "jump"] = "told"
    wire: Literal["documented", "observed"] = "documented"
    keys: tuple[KeyName, ...] = ()
    accounts: tuple[Account, ...] = (Account("default"),)
    auth: Literal["any", "listed"] = "any"
    router: RouterConf = field(default_factory=lambda: RouterConf(frozenset()))
    unknown_models: Literal["accept", "refuse"] = "accept"
    limits: tuple[Limit, ...] = ()
    rules: tuple[Rule, ...] = ()
    key_globs: tuple[str, ...] = ()
    memo: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)
    source: Any = field(default=None, compare=False, repr=False)

    @property
    def client_speed(self) -> float:
        """How many scripted seconds a client's second is; 1 on a virtual clock, by which nobody waits."""
        return 1.0 if self.clock == "virtual" else self.speed
