"""Gates, counting, aspects (decisions: Counting; scenario_language: Rules)."""

from __future__ import annotations

from typing import Any

import pytest
from builders import World, byok, world

from onerouter_mock.core.dice import draw
from onerouter_mock.core.records import Decision
from onerouter_mock.core.trace import route

OWN = {"lane": "byok"}
KEY = byok(fallback=False)


def failing(count: int, **rule: Any) -> list[bool]:
    """Which of so many attempts of the own key fail under one rule."""
    there = world(rules=[{"name": "r", "when": OWN, "error": "server_error", **rule}])
    return [there.route(KEY) != "byok:openai" for _ in range(count)]


@pytest.mark.parametrize(
    ("gates", "acts"),
    [
        pytest.param({}, [1, 2, 3, 4, 5, 6, 7], id="always"),
        pytest.param({"skip": 2}, [3, 4, 5, 6, 7], id="the first two pass"),
        pytest.param({"times": 2}, [1, 2], id="twice, then never"),
        pytest.param({"every": 3}, [3, 6], id="every third"),
        pytest.param({"every": 2, "skip": 1}, [3, 5, 7], id="every second after the first"),
        pytest.param({"every": 2, "skip": 1, "times": 2}, [3, 5], id="all of it"),
        pytest.param({"chance": "0%"}, [], id="no chance"),
        pytest.param({"chance": "100%"}, [1, 2, 3, 4, 5, 6, 7], id="full chance"),
    ],
)
def test_gates(gates: dict[str, Any], acts: list[int]) -> None:
    assert [n for n, failed in enumerate(failing(7, **gates), 1) if failed] == acts


def test_chance_is_drawn_for_seed_session_rule_and_ordinal() -> None:
    assert failing(60, chance="30%") == [draw(0, "default", "r", n) < 0.3 for n in range(1, 61)]


def test_after_is_included_and_until_is_not() -> None:
    there = world(rules=[{"name": "r", "when": OWN, "after": "10s", "until": "20s", "error": "server_error"}])
    seen = []
    for _ in range(5):
        seen.append(there.route(KEY) != "byok:openai")
        there.advance(5)
    assert seen == [False, False, True, True, False]


def test_ordinals_count_only_between_after_and_until() -> None:
    there = world(rules=[{"name": "r", "when": OWN, "after": "10s", "skip": 1, "error": "server_error"}])
    there.route(KEY)
    there.advance(10)
    assert [there.route(KEY) for _ in range(2)] == ["byok:openai", "byok:openai!server_error"]


def test_ordinals_count_attempts_that_a_limit_got_first() -> None:
    there = world(
        limits=[{"name": "l", "when": OWN, "requests": "1/min"}],
        rules=[{"name": "r", "when": OWN, "every": 3, "error": "server_error"}],
    )
    assert [there.route(KEY) for _ in range(2)] == ["byok:openai", "byok:openai!rate_limit"]
    there.advance(60)
    assert there.route(KEY) == "byok:openai!server_error"


def test_ordinals_count_attempts_that_an_earlier_rule_failed() -> None:
    there = world(
        rules=[
            {"name": "first", "when": OWN, "times": 2, "error": "overloaded"},
            {"name": "second", "when": OWN, "every": 3, "error": "server_error"},
        ],
    )
    kinds = [there.ask(KEY).attempts[0].result for _ in range(4)]
    assert kinds == ["overloaded", "overloaded", "server_error", "ok"]


def test_times_counts_acts_not_attempts() -> None:
    there = world(
        rules=[
            {"name": "first", "when": OWN, "times": 1, "error": "overloaded"},
            {"name": "second", "when": OWN, "times": 1, "error": "server_error"},
        ],
    )
    assert [there.ask(KEY).attempts[0].result for _ in range(3)] == ["overloaded", "server_error", "ok"]


@pytest.mark.parametrize(
    ("then", "kinds"),
    [
        ("pass", ["overloaded", "ok", "server_error", "ok", "ok", "ok"]),
        ("last", ["overloaded", "ok", "server_error", "server_error", "server_error", "server_error"]),
        ("loop", ["overloaded", "ok", "server_error", "overloaded", "ok", "server_error"]),
    ],
)
def test_steps_are_taken_one_after_another(then: str, kinds: list[str]) -> None:
    steps = [{"error": "overloaded"}, {"ok": True}, {"error": "server_error"}]
    there = world(rules=[{"name": "r", "when": OWN, "steps": steps, "then": then}])
    assert [there.ask(KEY).attempts[0].result for _ in range(6)] == kinds


def test_ok_is_an_act_and_lets_later_rules_decide() -> None:
    there = world(
        rules=[
            {"name": "first", "when": OWN, "steps": [{"ok": True}, {"error": "overloaded"}]},
            {"name": "second", "when": OWN, "times": 1, "error": "server_error"},
        ],
    )
    assert [there.ask(KEY).attempts[0].result for _ in range(3)] == ["server_error", "overloaded", "ok"]


def test_for_each_aspect_the_first_rule_decides() -> None:
    there = world(
        rules=[
            {"name": "slow", "when": OWN, "delay": "1s"},
            {"name": "slower", "when": OWN, "delay": "9s", "reply": "said by the second"},
            {"name": "never", "when": OWN, "times": 1, "delay": "5s"},
            {"name": "down", "when": OWN, "error": "overloaded"},
            {"name": "late", "when": OWN, "times": 1, "error": "server_error"},
        ],
    )
    decision = there.ask(KEY)
    assert (decision.attempts[0].result, decision.attempts[0].took_us) == ("overloaded", 1_000_000)
    assert decision.attempts[0].cause == "rule down"
    acted = {cell[1]: value for cell, value in there.state.cells.items() if cell[0] == "rule"}
    assert acted == {"slow": (1, 1), "slower": (1, 1), "never": (1, 0), "down": (1, 1), "late": (1, 0)}


def test_counts_are_apart_by_key() -> None:
    there = world(rules=[{"name": "r", "when": OWN, "per": ["key"], "times": 1, "error": "server_error"}])
    other = byok(secret="sk-another-key-9876", fallback=False)
    routes = [there.route(key) for key in (KEY, other, KEY, other)]
    assert routes == ["byok:openai!server_error"] * 2 + ["byok:openai"] * 2


def test_a_break_waits_for_an_answer_that_is_streamed() -> None:
    there = world(
        rules=[{"name": "cut", "when": OWN, "times": 1, "break": {"do": "cut", "after": "8 tokens"}}]
    )
    assert there.ask(KEY).shape is None
    streamed = there.ask(KEY, stream=True)
    assert streamed.shape is not None
    assert streamed.shape.break_rule is not None
    assert streamed.shape.break_rule[0] == "cut"
    assert there.ask(KEY, stream=True).shape is None


def test_rules_see_both_providers_lanes_but_not_the_router() -> None:
    there = world(rules=[{"name": "r", "error": "overloaded"}])
    assert there.route(byok()) == (
        "byok:openai!overloaded -> shared:openai!overloaded -> shared:azure-ai-foundry!overloaded"
    )


class TestRouterLane:
    def ask(self, **rule: Any) -> tuple[World, Decision]:
        there = world(rules=[{"name": "r", "when": {"lane": "router"}, **rule}])
        return there, there.ask(byok(), stream=True)

    @pytest.mark.parametrize(
        ("kind", "status"),
        [
            ("invalid_request", 400), ("context_length", 400), ("invalid_key", 401), ("quota", 402),
            ("permission", 403), ("content_filter", 403), ("model_not_found", 404), ("timeout", 408),
            ("rate_limit", 429), ("server_error", 500), ("bad_gateway", 502),
            ("connection", 502), ("overloaded", 503),
        ],
    )  # fmt: skip
    def test_an_error_ends_the_call_before_any_attempt(self, kind: str, status: int) -> None:
        _, decision = self.ask(error=kind)
        assert (route(decision), decision.status) == (f"router!{kind}", status)
        assert (decision.attempts, decision.skipped) == ([], [])

    def test_a_given_status_is_sent(self) -> None:
        _, decision = self.ask(error=418)
        assert (route(decision), decision.status) == ("router!invalid_request", 418)

    @pytest.mark.parametrize(
        ("connection", "kind", "status"),
        [
            ("reset", "connection", None), ("empty", "connection", None), ("garbage", "connection", None),
            ("hang", "timeout", None), ("html", "connection", 502), ("short_body", "connection", 200),
        ],
    )  # fmt: skip
    def test_an_accident_ends_the_call_on_the_wire(
        self, connection: str, kind: str, status: int | None
    ) -> None:
        _, decision = self.ask(connection=connection)
        assert (route(decision), decision.status) == (f"router!{kind}", status)
        assert decision.failure is not None
        assert decision.failure.connection == connection
        assert (decision.answer is not None) is (connection == "short_body")
        assert decision.cost is None

    def test_delay_reply_and_break_leave_routing_alone(self) -> None:
        there, shaped = self.ask(
            delay="2s", reply="from the router", **{"break": {"do": "cut", "after": "1 tokens"}}
        )
        assert route(shaped) == "byok:openai"
        assert shaped.attempts[0].took_us == 0
        assert shaped.timeline is not None
        assert shaped.timeline.start_us == 2_000_000
        assert shaped.answer is not None
        assert shaped.answer.choices[0].text == "from the router"
        assert shaped.shape is not None
        assert shaped.shape.break_ is not None
        assert there.state.cells["rule", "r"] == (1, 1)

    def test_an_attempts_own_reply_goes_before_the_routers(self) -> None:
        there = world(
            rules=[
                {"name": "outer", "when": {"lane": "router"}, "delay": "1s", "reply": "outer"},
                {"name": "inner", "when": OWN, "delay": "2s", "reply": "inner"},
            ],
        )
        decision = there.ask(byok())
        assert decision.answer is not None
        assert decision.answer.choices[0].text == "inner"
        assert decision.timeline is not None
        assert decision.timeline.start_us == 3_000_000

    def test_it_is_asked_once_a_call(self) -> None:
        there = world(
            rules=[
                {"name": "door", "when": {"lane": "router"}, "every": 2, "error": "server_error"},
                {"name": "own", "when": OWN, "error": "overloaded"},
            ],
        )
        assert there.route(byok()) == "byok:openai!overloaded -> shared:openai"
        assert there.route(byok()) == "router!server_error"
