"""Which attempts a rule concerns (scenario_language: `when`)."""

from __future__ import annotations

from typing import Any

import pytest
from builders import byok, call, scenario, world

from onerouter_mock.core.when import concern, matches, resolve


def hits(when: dict[str, Any], own: Any = None, **fields: Any) -> bool:
    """Whether a rule fails the first attempt of a call."""
    there = world(
        keys={"alice": {"match": "sk-alice-*"}},
        accounts={"broke": {"match": "sk-broke-*"}},
        rules=[{"when": when, "error": "server_error"}],
    )
    return there.ask(own, **fields).attempts[0].result != "ok"


@pytest.mark.parametrize(
    ("when", "fields", "hit"),
    [
        ({"lane": "shared"}, {}, True),
        ({"lane": "byok"}, {}, False),
        ({"lane": ["byok", "shared"]}, {}, True),
        ({"provider": "openai"}, {}, True),
        ({"provider": ["anthropic", "open*"]}, {}, True),
        ({"provider": "anthropic"}, {}, False),
        ({"model": "gpt-5.1-chat"}, {}, True),
        ({"model": "gpt-5.1-chat"}, {"model": "openai/gpt-5.1-chat"}, True),
        ({"model": "openai/*"}, {"model": "openai/gpt-5.1-chat"}, True),
        ({"model": "claude-sonnet-4.5"}, {"model": "anthropic/claude-sonnet-4.5"}, True),
        ({"model": "anthropic/claude-sonnet-4.5"}, {"model": "claude-sonnet-4.5"}, True),
        ({"model": "GPT-*"}, {}, False),
        ({"account": "broke"}, {"account": "broke"}, True),
        ({"account": "broke"}, {}, False),
        ({"stream": True}, {}, False),
        ({"stream": True}, {"stream": True}, True),
        ({"endpoint": "chat"}, {}, True),
        ({"endpoint": "embeddings"}, {}, False),
        ({"prompt": "*weather*"}, {"prompt": "What\nis the weather\nlike?"}, True),
        ({"prompt": "*weather*"}, {"prompt": "What is the time?"}, False),
        ({"system": "You are*"}, {"system": "You are a pirate"}, True),
        ({"system": "You are*"}, {}, False),
        ({"header": {"X-Title": "demo*"}}, {"headers": {"x-title": "demo app"}}, True),
        ({"header": {"X-Title": "*"}}, {}, False),
        ({"attempt": 1}, {}, True),
        ({"attempt": [2, 3]}, {}, False),
        ({"provider": "openai", "stream": True}, {}, False),
    ],
    ids=str,
)
def test_all_that_is_given_must_match(when: dict[str, Any], fields: dict[str, Any], hit: bool) -> None:
    assert hits(when, **fields) is hit


ALICE = byok(key="alice")


def test_a_key_is_named_or_matched_itself() -> None:
    assert hits({"key": "alice"}, ALICE)
    assert not hits({"key": "alice"}, byok())
    assert hits({"key": "sk-own-*"}, byok(globs=("sk-own-*",)))
    assert not hits({"key": "sk-own-*"}, byok(globs=("sk-ow*",)))


def test_a_rule_for_a_key_leaves_the_pool_alone_that_helps_it_out() -> None:
    there = world(
        keys={"alice": {"match": "sk-alice-*"}}, rules=[{"when": {"key": "alice"}, "error": "rate_limit"}]
    )
    assert there.route(ALICE) == "byok:openai!rate_limit -> shared:openai"


def test_attempts_are_counted_within_the_call() -> None:
    there = world(rules=[{"name": "r", "when": {"attempt": [1, 2]}, "error": "overloaded"}])
    route = "byok:openai!overloaded -> shared:openai!overloaded -> shared:azure-ai-foundry"
    assert [there.route(byok()) for _ in range(2)] == [route, route]


def test_the_list_of_models_and_the_balance_are_concerned_by_name_only() -> None:
    there = world(
        rules=[
            {"name": "named", "when": {"lane": "router", "endpoint": "balance"}, "error": "server_error"},
            {"name": "all", "when": {"lane": "router"}, "error": "overloaded"},
        ],
    )
    assert there.route(endpoint="models", model="", wants=None) == "router"
    assert there.route(endpoint="balance", model="", wants=None) == "router!server_error"
    assert there.route() == "router!overloaded"


def test_globs_match_the_whole_value_and_its_case() -> None:
    assert matches(("gpt-?o*",), ("gpt-4o-mini",))
    assert not matches(("gpt",), ("gpt-4o-mini",))
    assert not matches(("GPT*",), ("gpt-4o-mini",))
    assert matches(("[ab]*",), ("beta",))


def test_what_may_concern_an_attempt_is_looked_up_once() -> None:
    made = scenario(rules=[{"when": {"provider": "anthropic"}, "error": "overloaded"}])
    model = resolve(made, "gpt-5.1-chat")
    first = concern(made, call(1), "shared", "openai", "gpt-5.1-chat", model)
    assert concern(made, call(2), "shared", "openai", "gpt-5.1-chat", model) is first
    assert first.rules == ()


def test_the_memory_does_not_grow_with_the_names_that_clients_make_up() -> None:
    there = world()
    for number in range(5000):
        resolve(there.scenario, f"model-{number}")
    assert len(there.scenario.memo["when"]) <= 4096
