"""Warnings: what a valid scenario says that can't act."""

from __future__ import annotations

from typing import Any

import pytest

from onerouter_mock.core.scenario.advise import advise
from onerouter_mock.core.scenario.load import build_scenario, load_scenario

ALWAYS = {"name": "down", "when": {"lane": "shared"}, "error": 500}


def warnings(**fields: Any) -> list[str]:
    return [str(problem).removeprefix("scenario: ") for problem in advise(build_scenario(fields))]


def rules(*entries: dict[str, Any], **more: Any) -> list[str]:
    return warnings(rules=list(entries), **more)


def test_a_healthy_world_has_no_warnings() -> None:
    assert warnings() == []


def test_the_place_of_a_warning_is_its_entry_s() -> None:
    text = "rules:\n  - {name: a, when: {lane: router}, error: 500}\n  - {when: {lane: router}, delay: 1s}\n"
    assert [str(problem) for problem in advise(load_scenario(text, file="x/f.yaml"))] == [
        "x/f.yaml:3:6: rules[1]: never acts: 'a' before it always does; "
        "would be right: the narrower rule first"
    ]


def told(text: str) -> list[str]:
    return [str(problem) for problem in advise(load_scenario(text, file="x/f.yaml"))]


def test_a_name_that_two_have_is_told_at_the_second() -> None:
    text = "rules:\n  - {name: a, delay: 1s}\n  - {name: b, reply: x}\n  - name: a\n    reply: y\n"
    right = "would be right: a name for each, to tell them apart in traces"
    assert f"x/f.yaml:4:5: rules: 2 are named 'a'; {right}" in told(text)
    (line,) = told("limits: [{name: a, requests: 3/min}, {name: a, requests: 4/min}]")
    assert line == f"x/f.yaml:1:39: limits: 2 are named 'a'; {right}"


def test_two_entries_of_a_line_have_places_of_their_own() -> None:
    assert told("rules: [{name: a, delay: 1s}, {name: b, delay: 2s, times: 0}]") == [
        "x/f.yaml:1:32: b: never acts: 'a' before it always does; would be right: the narrower rule first",
        "x/f.yaml:1:32: b: never acts: times or chance is 0; would be right: at least 1, or no rule",
    ]


def test_a_key_that_another_takes_is_told_with_its_place() -> None:
    assert told("keys:\n  all: {match: '*'}\n  alice: {match: 'sk-alice-*'}\n") == [
        "x/f.yaml:3:3: keys.alice: never matches: keys.all takes all of it; "
        "would be right: the narrower one first"
    ]


def test_an_account_that_no_key_can_be_is_told_with_its_place() -> None:
    text = "accounts:\n  broke: {credits: 0}\nrules:\n  - {when: {account: broke}, delay: 1s}\n"
    assert told(text) == [
        "x/f.yaml:2:3: accounts.broke: no key is this account's: it has no match; "
        "would be right: match: 'sk-broke-*', or the account named default"
    ]
    assert len(told("accounts: {a: {}, b: {disabled: true}}")) == 2
    assert warnings(accounts={"broke": {"credits": 0}})[0].startswith("accounts.broke: no key is")
    assert told("accounts: {default: {credits: 0}, broke: {match: 'sk-*'}, gone: null}") == []


def test_listed_accounts_that_let_nobody_in_are_told() -> None:
    right = "would be right: auth: any, or an account with match: 'sk-*'"
    refused = f"auth: every OneRouter key is refused: no account has a match; {right}"
    assert told("seed: 1\nauth: listed") == [f"x/f.yaml:2:1: {refused}"]
    assert told("auth: listed\naccounts: {default: {credits: 3}}") == [f"x/f.yaml:1:1: {refused}"]
    assert len(told("auth: listed\naccounts: {a: {credits: 3}}")) == 2
    assert told("auth: listed\naccounts: {a: {match: 'sk-*'}}") == []
    assert told("auth: listed\naccounts: {default: {match: 'sk-*'}}") == []


def test_an_account_whose_match_a_parent_gives_is_no_doubt() -> None:
    parent = "accounts: {broke: {match: 'sk-broke-*'}}"
    text = "extends: base\nauth: listed\naccounts: {broke: {credits: 0}}"
    made = load_scenario(text, file="f.yaml", find=lambda name, beside: (parent, "base.yaml"))
    assert advise(made) == []


@pytest.mark.parametrize(
    "later",
    [
        {"when": {"lane": "shared"}, "delay": "1s"},
        {"when": {"lane": "shared", "provider": "openai"}, "reply": "x"},
        {"when": {"lane": "shared", "model": "gpt-*"}, "error": 429, "chance": "10%"},
    ],
)
def test_a_rule_behind_one_that_always_fails_never_acts(later: dict[str, Any]) -> None:
    assert any("never acts: 'down' before it always does" in line for line in rules(ALWAYS, later))


@pytest.mark.parametrize(
    "first",
    [
        {"chance": "50%"}, {"skip": 1}, {"times": 3}, {"every": 2}, {"after": "1s"}, {"until": "1m"},
        {"when": {"lane": "byok"}}, {"when": {"lane": "shared", "provider": "groq"}},
        {"when": {"lane": "shared", "stream": True}}, {"when": {"lane": "shared", "attempt": 2}},
        {"when": {"lane": "shared", "prompt": "*x*"}}, {"when": {"lane": "shared", "header": {"a": "b"}}},
        {"when": {"lane": "router"}},
    ],
)  # fmt: skip
def test_a_rule_behind_one_that_may_let_it_through_acts(first: dict[str, Any]) -> None:
    assert not any(
        "never acts" in line for line in rules(ALWAYS | first, {"when": {"lane": "shared"}, "delay": "1s"})
    )


def test_a_rule_for_models_or_balance_is_not_behind_one_that_does_not_name_them() -> None:
    first = {"when": {"lane": "router"}, "error": 500}
    assert rules(first, {"when": {"lane": "router", "endpoint": "balance"}, "error": 503}) == []


def test_an_aspect_that_an_earlier_rule_always_decides_never_acts() -> None:
    slow, slower = (
        {"name": "slow", "delay": "1s"},
        {"name": "slower", "when": {"provider": "openai"}, "delay": "2s"},
    )
    assert any("'slow' before it always does" in line for line in rules(slow, slower))
    assert rules(slower, slow) == []
    assert rules(slow, slower | {"reply": "x"}) == []


def test_steps_that_always_fail_block_and_steps_that_end_do_not() -> None:
    steps = {"name": "s", "when": {"lane": "router"}, "steps": [{"error": 500}, {"error": 503}]}
    later = {"when": {"lane": "router"}, "delay": "1s"}
    assert rules(steps, later) == []
    assert len(rules(steps | {"then": "loop"}, later)) == 1
    assert rules(steps | {"then": "loop", "steps": [{"error": 500}, {"ok": True}]}, later) == []


def test_a_glob_that_names_nobody() -> None:
    assert rules({"when": {"provider": "opnai*"}, "delay": "1s"}) == [
        "rules[0]: 'opnai*' names no provider; did you mean 'openai'?"
    ]
    assert any("names no account" in line for line in rules({"when": {"account": "bro?"}, "delay": "1s"}))
    assert any("names no endpoint" in line for line in rules({"when": {"endpoint": "z*"}, "delay": "1s"}))
    assert rules({"when": {"provider": "open*"}, "delay": "1s"}) == []
    wanted = {"when": {"model": "gtp-*"}, "delay": "1s"}
    assert rules(wanted) == []
    assert any("names no model" in line for line in rules(wanted, unknown_models="refuse"))
    assert rules({"when": {"model": "gpt-4o-mini"}, "delay": "1s"}, unknown_models="refuse") == []


def test_a_fault_that_falls_back_is_hidden() -> None:
    hidden = "the router hides it by falling back"
    assert any(hidden in line for line in rules({"when": {"lane": "byok"}, "error": 500}))
    assert any(hidden in line for line in rules({"when": {"provider": "openai"}, "error": 500}))
    assert any(hidden in line for line in rules({"when": {"lane": "byok"}, "connection": "reset"}))
    for seen in (
        {"error": 500},
        {"when": {"lane": "router"}, "error": 500},
        {"when": {"lane": "byok"}, "error": "content_filter"},
        {"when": {"lane": "byok"}, "break": {"do": "cut"}},
    ):
        assert not any(hidden in line for line in rules(seen)), seen
    own = {"when": {"lane": "byok"}, "error": 500}
    assert rules(own, ALWAYS) == []
    assert rules(own, accounts={"default": {"credits": 0}}) == []
    assert rules(own, router={"fallback_on": ["quota"]}) == []


def test_a_shared_failure_in_words_of_its_own_is_hidden() -> None:
    (line,) = rules({"when": {"lane": "shared"}, "error": {"kind": "overloaded", "message": "busy"}})
    assert "the router words failures of the shared pool itself" in line


def test_breaks_and_paces_of_what_is_no_stream() -> None:
    broken = {"break": {"do": "cut"}}
    assert any("break concerns streams only" in line for line in rules(broken | {"when": {"stream": False}}))
    assert any(
        "break concerns streams only" in line for line in rules(broken | {"when": {"endpoint": "embeddings"}})
    )
    assert any(
        "stream concerns" in line
        for line in rules({"when": {"stream": False}, "stream": {"rate": "4 tok/s"}})
    )
    assert rules(broken | {"when": {"stream": True, "endpoint": "chat"}}) == []
    assert any("for has no effect" in line for line in rules({"break": {"do": "cut", "for": "3s"}}))
    assert any("error has no effect" in line for line in rules({"break": {"do": "cut", "error": 500}}))
    assert (
        rules(
            {"break": {"do": "stall", "for": "3s"}},
            {"break": {"do": "error", "error": 500}},
        )
        != []
    )


def test_gates_that_never_open() -> None:
    for gate in ({"times": 0}, {"chance": 0}, {"after": "2m", "until": "1m"}):
        assert any("never acts" in line for line in rules({"error": 500} | gate)), gate


def test_concurrency_where_nothing_takes_time() -> None:
    limit = {"limits": [{"name": "l", "concurrency": 1}]}
    assert not advise(build_scenario(limit))
    (doubt,) = advise(build_scenario({"clock": "virtual", **limit}))
    assert "answers take no time" in str(doubt)


def test_limits_and_names() -> None:
    (line,) = warnings(limits=[{"quota": "5 requests", "algorithm": "sliding"}])
    assert "algorithm: sliding has no effect" in line
    (line,) = warnings(limits=[{"name": "a", "requests": "3/min"}, {"name": "a", "requests": "4/min"}])
    assert "2 are named 'a'" in line
    (line,) = warnings(keys={"all": {"match": "*"}, "alice": {"match": "sk-alice-*"}})
    assert line.startswith("keys.alice: never matches")
    assert warnings(keys={"alice": {"match": "sk-alice-*"}, "all": {"match": "*"}}) == []
