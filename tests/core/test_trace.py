"""The route mini-language, and the line that tells why an attempt failed."""

from __future__ import annotations

from typing import Any

import pytest

from onerouter_mock.core.records import (
    Answer,
    Attempt,
    Byok,
    Call,
    Choice,
    Decision,
    Failure,
    Shape,
    Skipped,
    Timeline,
)
from onerouter_mock.core.scenario.records import Break
from onerouter_mock.core.trace import match_route, route, story


def own_key(**more: Any) -> Byok:
    return Byok("openai", None, "hash", "7f3a", True, True, **more)


def attempt(n: int, lane: str, provider: str = "openai", result: str = "ok", **more: Any) -> Attempt:
    status = more.pop("status", 200 if result == "ok" else 429)
    wait_us = more.pop("wait_us", None)
    connection = more.pop("connection", None)
    failure = (
        None if result == "ok" else Failure(result, status, "words", wait_us=wait_us, connection=connection)
    )
    return Attempt(n, lane, provider, "gpt-5.1-chat", result, status, failure=failure, **more)


def decision(*attempts: Attempt, **more: Any) -> Decision:
    call = Call(
        1, "default", "POST", "/v1/chat/completions", "chat", "default", model="gpt-5.1-chat", byok=own_key()
    )
    call.stream = more.pop("stream", False)
    made = Decision(call, 0, list(attempts), **more)
    last = attempts[-1] if attempts else None
    if last is not None and last.result == "ok":
        made.served = last
    elif last is not None and made.failure is None:
        made.failure, made.failed_lane = last.failure, last.lane  # type: ignore[assignment]
    return made


def limited(n: int = 1, lane: str = "byok", **more: Any) -> Attempt:
    more = {"cause": "limit own-openai", "where": "r.yaml:3", "budget": "3/min", "wait_us": 18_700_000} | more
    return attempt(n, lane, result="rate_limit", **more)


def router_failure(kind: str, message: str = "words", **more: Any) -> Decision:
    attempts = more.pop("attempts", ())
    return decision(*attempts, failure=Failure(kind, 503, message, **more), failed_lane="router", status=503)


ROUTES = {
    "own key alone": (decision(attempt(1, "byok")), "byok:openai"),
    "fallback": (decision(limited(), attempt(2, "shared")), "byok:openai!rate_limit -> shared:openai"),
    "another model": (
        decision(
            attempt(1, "shared", result="overloaded"), attempt(2, "shared", "anthropic", other_model="c-4.5")
        ),
        "shared:openai!overloaded -> shared:anthropic(c-4.5)",
    ),
    "another model that failed": (
        decision(attempt(1, "byok", result="timeout", other_model="mini")),
        "byok:openai(mini)!timeout",
    ),
    "refused before any attempt": (router_failure("no_provider"), "router!no_provider"),
    "refused after an attempt": (
        router_failure("quota", attempts=(attempt(1, "byok", result="invalid_key"),)),
        "byok:openai!invalid_key -> router!quota",
    ),
    "answered by the router": (decision(), "router"),
}


@pytest.mark.parametrize(("made", "text"), ROUTES.values(), ids=ROUTES)
def test_route_reads(made: Decision, text: str) -> None:
    assert route(made) == text


@pytest.mark.parametrize("word", ["cut", "reset", "stall", "error", "truncate", "client_left"])
def test_route_names_what_broke_a_begun_answer(word: str) -> None:
    assert route(decision(attempt(1, "byok")), word) == f"byok:openai~{word}"


@pytest.mark.parametrize("word", ["finish", "hang", "", None])
def test_route_of_a_whole_answer_has_no_mark(word: str | None) -> None:
    assert route(decision(attempt(1, "byok")), word) == "byok:openai"


def test_route_of_a_failed_call_has_no_mark_for_its_end() -> None:
    assert route(decision(limited()), "client_left") == "byok:openai!rate_limit"


def test_route_of_an_entry_is_the_one_it_holds() -> None:
    assert route({"route": "byok:openai~cut", "attempts": []}) == "byok:openai~cut"


def test_route_of_an_entry_is_made_anew_from_its_attempts() -> None:
    entry = {
        "model": "openai/gpt-5.1-chat",
        "attempts": [
            {"lane": "byok", "provider": "openai", "model": "gpt-5.1-chat", "result": "quota"},
            {
                "lane": "shared",
                "provider": "anthropic",
                "model": "anthropic/claude-sonnet-4.5",
                "result": "ok",
            },
        ],
        "served_by": {"lane": "shared"},
    }
    assert route(entry) == "byok:openai!quota -> shared:anthropic(claude-sonnet-4.5)"


MATCHES = [
    ("byok:openai", "byok:openai", True),
    ("byok:openai", "byok:openai!quota", False),
    ("byok:*", "byok:openai!quota", True),
    ("*", "", True),
    ("byok:openai!* -> shared:*", "byok:openai!quota -> shared:groq", True),
    ("*!rate_limit -> *", "byok:openai!quota -> shared:groq", False),
    ("byok:*openai", "byok:openai", True),
    ("aa*aa", "aaa", False),
    ("a*b*c", "a-b-b-c", True),
    ("byok:?penai", "byok:openai", False),
    ("byok:[o]penai", "byok:openai", False),
]


@pytest.mark.parametrize(("pattern", "text", "fits"), MATCHES)
def test_star_is_the_only_wildcard_and_the_whole_text_must_fit(pattern: str, text: str, fits: bool) -> None:
    assert match_route(pattern, text) is fits


STORIES = {
    "limit, fell back": (
        decision(limited(), attempt(2, "shared")),
        "own-openai: 3/min used up by key …7f3a, free in 18.7s (r.yaml:3)",
    ),
    "limit, client told": (
        decision(limited()),
        "own-openai: 3/min used up by key …7f3a, told to wait 18.7s (r.yaml:3)",
    ),
    "shared limit": (
        decision(limited(lane="shared"), attempt(2, "shared", "groq")),
        "own-openai: 3/min used up at openai, free in 18.7s (r.yaml:3)",
    ),
    "larger than the whole limit": (
        decision(limited(wait_us=None)),
        "own-openai: this call alone asks for more than 3/min, by key …7f3a (r.yaml:3)",
    ),
    "quota": (
        decision(limited(budget="5 requests", wait_us=None)),
        "own-openai: 5 requests used up by key …7f3a (r.yaml:3)",
    ),
    "rule": (
        decision(attempt(1, "byok", result="server_error", status=500, cause="rule ten", where="f.yaml:4")),
        "ten: openai answered 500 server_error to key …7f3a (f.yaml:4)",
    ),
    "connection": (
        decision(
            attempt(
                1, "byok", result="connection", status=None, cause="rule x", where="f:9", connection="reset"
            )
        ),
        "x: the connection to openai was reset (f:9)",
    ),
    "not served": (
        decision(attempt(1, "byok", "anthropic", result="model_not_found", status=404)),
        "anthropic does not serve gpt-5.1-chat, 404 model_not_found",
    ),
    "router's rule": (
        decision(
            failure=Failure("rate_limit", 429, "words", wait_us=5_000_000),
            failed_lane="router",
            status=429,
            router_cause=("rule gate", "f.yaml:2"),
        ),
        "gate: the router answered 429 rate_limit, told to wait 5s (f.yaml:2)",
    ),
    "bad request": (
        router_failure("invalid_request", "must be true or false", param="byok_conf.fallback"),
        "byok_conf.fallback: must be true or false",
    ),
}


@pytest.mark.parametrize(("made", "line"), STORIES.values(), ids=STORIES)
def test_story_holds_name_number_and_line(made: Decision, line: str) -> None:
    assert story(made) == [line]


def test_story_of_a_call_that_went_well_is_empty() -> None:
    made = decision(attempt(1, "byok"), skipped=[Skipped("shared", None, None, "fallback is false")])
    assert story(made) == []


def test_story_tells_why_the_pool_was_not_tried() -> None:
    made = decision(limited(), skipped=[Skipped("shared", None, None, "fallback is false")])
    assert story(made)[1] == "the shared pool was not tried: byok_conf.fallback is false"


def test_story_tells_a_cooldown_also_when_the_call_was_served() -> None:
    made = decision(attempt(1, "shared"), skipped=[Skipped("byok", "openai", "m", "in cooldown until 81s")])
    assert story(made) == ["byok:openai was not tried: in cooldown until 81s"]


def test_story_gathers_candidates_left_out_for_one_reason() -> None:
    left_out = [
        Skipped("shared", name, "m", "left out by provider.only") for name in ("a", "b", "c", "d", "e")
    ]
    made = router_failure("no_provider", "No available providers for model m")
    made.skipped = left_out
    told = "shared:a, shared:b, shared:c, shared:d and 1 more were not tried: left out by provider.only"
    assert story(made) == [told, "No available providers for model m"]


def test_story_tells_where_an_answer_broke() -> None:
    made = decision(
        attempt(1, "shared"),
        stream=True,
        answer=Answer((Choice("text"),), (), 21),
        timeline=Timeline(0, None, 8, 0, 8, break_us=0),
        shape=Shape(break_=Break("cut", "tokens", 8), break_rule=("cut-after-8", "test_a.py:12")),
    )
    told = "cut-after-8: closed after 8 of 21 tokens; no fallback once an answer has begun (test_a.py:12)"
    assert story(made) == [told]


def test_no_story_shows_a_key_that_is_too_short() -> None:
    made = decision(limited())
    assert made.call.byok is not None
    made.call.byok.last4 = None
    assert story(made) == [
        "own-openai: 3/min used up by a key that is not shown, told to wait 18.7s (r.yaml:3)"
    ]
