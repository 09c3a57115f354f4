"""Journal entries as people read them."""

from __future__ import annotations

from typing import Any

import pytest

from onerouter_mock.core.story import (
    call_line,
    call_lines,
    find_retried,
    is_trouble,
    report,
    sum_line,
    sum_up,
)


def entry(number: int = 1, **more: Any) -> dict[str, Any]:
    served = {"lane": "byok", "provider": "openai", "model": "gpt-5.1-chat"}
    plain = {
        "id": number, "session": "default", "path": "/v1/chat/completions", "model": "gpt-5.1-chat",
        "stream": False, "account": "default", "attempts": [{}], "route": "byok:openai",
        "served_by": served, "status": 200, "error": None, "cost": 0, "byok_cost": 0.00012,
        "ending": "finish", "sdk_retry": 0,
        "request": {"headers": {}, "body": {"model": "gpt-5.1-chat"}}, "sent": {"chunks": 0}, "notices": [],
        "clock": 0.4, "ended_ms": 11.2, "findings": [], "story": [],
    }  # fmt: skip
    return plain | more


def refused(number: int, **more: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "served_by": None,
        "status": 429,
        "route": "byok:openai!rate_limit",
        "byok_cost": 0,
    }
    return entry(number, **(given | more))


def fell_back(number: int) -> dict[str, Any]:
    served = {"lane": "shared", "provider": "openai", "model": "gpt-5.1-chat"}
    why = ["own-openai: 3/min used up by key …7f3a, free in 18.7s (ratelimit.yaml:3)"]
    route = "byok:openai!rate_limit -> shared:openai"
    return entry(number, route=route, served_by=served, cost=0.000131, byok_cost=0, story=why, clock=1.3)


def test_a_call_is_a_line_of_columns_that_never_move() -> None:
    lines = [call_line(entry()), call_line(fell_back(4)), call_line(refused(123, clock=61.8, ended_ms=2))]
    assert lines == [
        "   0.4s   #1  200  byok:openai                                 own key  $0.00012    11 ms",
        "   1.3s   #4  200  byok:openai!rate_limit -> shared:openai     CREDITS  $0.00013    11 ms",
        "  61.8s #123  429  byok:openai!rate_limit                      nobody                2 ms",
    ]


def test_a_long_route_runs_over_and_money_follows_after_two_spaces() -> None:
    route = " -> ".join(f"shared:provider-{n}!overloaded" for n in range(4))
    assert f"{route}  nobody" in call_line(refused(1, route=route))


def test_what_went_wrong_stands_below_indented() -> None:
    _, why = call_lines(fell_back(4))
    assert why == "              own-openai: 3/min used up by key …7f3a, free in 18.7s (ratelimit.yaml:3)"


def test_what_is_both_the_reason_and_a_notice_is_said_once() -> None:
    said = "Invalid URL (GET /v1/x)"
    lines = call_lines(refused(1, story=[said], notices=[said, "and more"]))
    assert [line.strip() for line in lines[1:]] == [said, "note: and more"]


def test_notices_and_findings_stand_below() -> None:
    lines = call_lines(
        entry(notices=["model 'x' is guessed"], findings=[{"name": "late", "message": "too late"}])
    )
    assert [line.strip() for line in lines[1:]] == ["! late: too late", "note: model 'x' is guessed"]


def test_a_client_that_left_is_told() -> None:
    left = entry(ending="client_left", sent={"chunks": 3}, route="byok:openai~client_left")
    assert call_lines(left)[1].strip() == "the client left after 3 chunks (11 ms)"


def test_a_call_in_flight_shows_an_ellipsis() -> None:
    assert call_line(entry(ended_ms=None, ending=None, sent=None)).endswith("      …")


def test_a_call_without_status_shows_dashes() -> None:
    assert "  ---  router!connection" in call_line(refused(1, status=None, route="router!connection"))


def test_another_session_is_named() -> None:
    assert call_line(entry(session="par")).endswith("   session par")


def test_a_free_answer_of_the_pool_is_not_called_credits() -> None:
    free = entry(served_by={"lane": "shared", "provider": "x", "model": "x:free"}, cost=0, byok_cost=0)
    assert "  pool           $0" in call_line(free)


def test_paint_changes_no_column() -> None:
    painted = call_line(fell_back(4), paint=lambda text, colour: f"[{text}]")
    assert painted.replace("[", "").replace("]", "") == call_line(fell_back(4))
    assert "[CREDITS]" in painted


def test_an_sdk_retry_names_the_call_it_repeats() -> None:
    first, other = refused(5), refused(6, model="gpt-4o-mini")
    again = refused(7, sdk_retry=1)
    assert find_retried(again, [other, first]) is first
    assert call_line(again, retry_of=first).endswith("   SDK retry 1 of #5")


def test_a_call_that_is_no_retry_repeats_none() -> None:
    assert find_retried(refused(7), [refused(5)]) is None


@pytest.mark.parametrize(
    ("made", "is_so"),
    [(entry(), False), (refused(1), True), (fell_back(1), True), (entry(notices=["x"]), True)],
)
def test_trouble_is_what_has_a_second_line_or_no_answer(made: dict[str, Any], is_so: bool) -> None:
    assert is_trouble(made) is is_so


def test_totals_count_who_served_and_what_it_cost() -> None:
    total = sum_up([entry(1), fell_back(2), refused(3)])
    assert sum_line(total, lasted_us=12_400_000) == (
        "3 calls in 12.4s   own key 1   shared pool 1   nobody 1   credits $0.00013"
    )


def test_calls_that_the_router_answered_itself_are_told_so_that_totals_add_up() -> None:
    listing = entry(4, served_by=None, attempts=[], route="router", byok_cost=0)
    unauthorized = refused(5, attempts=[], route="router!invalid_key", status=401)
    total = sum_up([entry(1), fell_back(2), refused(3), listing, listing, unauthorized])
    assert sum_line(total) == "6 calls   own key 1   shared pool 1   nobody 2   router 2   credits $0.00013"


def test_a_report_of_nothing_says_so() -> None:
    assert report([]) == ["no calls yet"]


def test_a_report_tells_how_much_it_leaves_out() -> None:
    assert report([entry()], dropped=7)[0] == "(7 earlier calls are not shown)"
