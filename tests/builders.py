"""Builders of plain data for all tests: a scenario, a call, a state, and a small world that asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from onerouter_mock.core.billing import settle
from onerouter_mock.core.decide import decide
from onerouter_mock.core.records import Byok, Call, Decision, Routing, Wants
from onerouter_mock.core.scenario.load import build_scenario
from onerouter_mock.core.scenario.records import Scenario
from onerouter_mock.core.state import State, new_state
from onerouter_mock.core.trace import route

BEGAN_US = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z, where a virtual clock begins
SECOND_US = 1_000_000
MODEL = "gpt-5.1-chat"


def scenario(**fields: Any) -> Scenario:
    """A scenario of these top-level fields, compiled as a file's are."""
    return build_scenario(fields)


def byok(provider: str = "openai", secret: str = "sk-own-1234", **fields: Any) -> Byok:
    """An own key, as `wire/` would leave it: its secret is but its ident here."""
    given: dict[str, Any] = {
        "key": None,
        "ident": f"ident of {secret}",
        "last4": secret[-4:],
        "fallback": True,
        "fallback_sent": fields.get("fallback", True),
        **fields,
    }
    return Byok(provider, **given)


def routing(**fields: Any) -> Routing:
    """The `provider` object of a request."""
    return Routing(**fields)


def call(number: int = 1, *, own: Byok | None = None, max_tokens: int | None = None, **fields: Any) -> Call:
    """A plain chat request of the account `default`; `own` is its own key."""
    given: dict[str, Any] = {
        "endpoint": "chat",
        "account": "default",
        "model": MODEL,
        "prompt": "hi",
        "prompt_tokens": 9,
        "wants": Wants(prompt="hi", max_tokens=max_tokens, digest=f"hi, at most {max_tokens}".encode()),
        **fields,
    }
    return Call(number, "default", "POST", "/v1/chat/completions", byok=own, **given)


def state(of: Scenario, now_us: int = BEGAN_US, session: str = "default") -> State:
    """The state of a session that begins now."""
    return new_state(of, session, now_us)


@dataclass
class World:
    """A scenario, its state and a clock that stands still: what the emulator does, without the emulator."""

    scenario: Scenario
    state: State
    now_us: int = BEGAN_US
    calls: int = 0

    def ask(self, own: Byok | None = None, **fields: Any) -> Decision:
        """Decides the next call and applies what that changes; its answer has not ended yet."""
        self.calls += 1
        decision = decide(self.scenario, self.state, call(self.calls, own=own, **fields), self.now_us)
        self.state.cells.update(decision.changes)
        return decision

    def end(self, decision: Decision, tokens: int | None = None) -> None:
        """Ends an answer; `tokens` were delivered to a client that left before its end."""
        self.state.cells.update(settle(self.scenario, self.state, decision, tokens, self.now_us))

    def route(self, own: Byok | None = None, **fields: Any) -> str:
        """The route of the next call, which ends at once."""
        decision = self.ask(own, **fields)
        self.end(decision)
        return route(decision)

    def advance(self, seconds: float) -> None:
        self.now_us += round(seconds * SECOND_US)


def world(**fields: Any) -> World:
    """A world that begins with a scenario of these top-level fields."""
    made = scenario(**fields)
    return World(made, state(made))
