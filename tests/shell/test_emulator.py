"""One call through the emulator, and what tools do to its sessions: no sockets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from onerouter_mock.clock import VIRTUAL_START_US
from onerouter_mock.core.errors import ScenarioError
from onerouter_mock.core.plan import Outcome
from onerouter_mock.core.scenario.load import build_scenario
from onerouter_mock.core.wire.request import Asked
from onerouter_mock.emulator import Begun, Emulator, EmulatorOptions
from onerouter_mock.library import Library
from onerouter_mock.sessions import SessionError

CHAT = "/v1/chat/completions"
OWN_KEY = {"provider": "openai", "credentials": "sk-own-key-7f3a"}
REFUSE_OWN = {
    "rules": [
        {"name": "full", "when": {"lane": "byok"}, "error": {"kind": "rate_limit", "retry_after": "20s"}}
    ]
}


def emulator(scenario: dict[str, Any] | None = None, **options: Any) -> Emulator:
    built = build_scenario({"clock": "virtual", **(scenario or {})})
    return Emulator(built, Library(), options=EmulatorOptions(**options))


def chat(
    byok: dict[str, Any] | None = None,
    *,
    path: str = CHAT,
    retry: int = 0,
    session: str | None = None,
    **fields: Any,
) -> Asked:
    body: dict[str, Any] = {
        "model": "gpt-5.1-chat",
        "messages": [{"role": "user", "content": "hi"}],
        **fields,
    }
    if byok is not None:
        body["byok_conf"] = byok
    headers = {"authorization": "Bearer sk-router-key-1234", "x-stainless-retry-count": str(retry)}
    if session is not None:
        headers["x-onerouter-session"] = session
    return Asked("POST", path, "", headers, json.dumps(body).encode())


def begin(mock: Emulator, asked: Asked) -> Begun:
    return mock.begin(asked, asked.path)


def ask(mock: Emulator, asked: Asked) -> dict[str, Any]:
    begun = begin(mock, asked)
    plan = begun.plan
    size = sum(len(frame.data) for frame in plan.frames)
    mock.end(begun, Outcome(plan.ending, len(plan.frames), size, plan.end_us))
    return begun.entry.as_dict()


def routes(mock: Emulator, session: str = "default") -> list[str]:
    return [entry.route for entry in mock.session(session).journal.read()]


# A call


def test_the_entry_is_there_before_the_answer_and_complete_after_it() -> None:
    mock = emulator()
    begun = begin(mock, chat(OWN_KEY))
    (entry,) = mock.session("default").journal.read()
    assert entry.as_dict()["route"] == "byok:openai"
    assert entry.as_dict()["usage"] is not None
    assert entry.ended_us is None
    plan = begun.plan
    mock.end(begun, Outcome("finish", 1, len(plan.frames[0].data), plan.end_us))
    shown = entry.as_dict()
    assert shown["ending"] == "finish"
    assert shown["sent"]["tokens"] == shown["usage"]["completion_tokens"] > 0
    assert shown["sent"]["text"]
    assert shown["sent"]["bytes"] == len(plan.frames[0].data)


def test_each_call_draws_on_what_the_one_before_it_left() -> None:
    mock = emulator({"limits": [{"when": {"lane": "byok"}, "requests": "2/min"}]})
    for _ in range(3):
        ask(mock, chat(OWN_KEY))
    assert routes(mock) == ["byok:openai", "byok:openai", "byok:openai!rate_limit -> shared:openai"]


@pytest.mark.parametrize(
    ("asked", "status", "route"),
    [
        (Asked("POST", CHAT, "", {"authorization": "Bearer k"}, b"{"), 400, "router!invalid_request"),
        (Asked("POST", CHAT, "", {}, b"{}"), 401, "router!invalid_key"),
        (Asked("GET", "/v1/x", "", {}, b""), 404, "router!invalid_request"),
        (
            Asked("POST", CHAT, "", {"authorization": "Bearer k"}, b"", too_large=True),
            413,
            "router!invalid_request",
        ),
    ],
)
def test_refused_calls_are_journaled_and_draw_on_nothing(asked: Asked, status: int, route: str) -> None:
    mock = emulator({"limits": [{"when": {"lane": "router"}, "requests": "1/min"}]})
    shown = ask(mock, asked)
    assert (shown["status"], shown["route"]) == (status, route)
    assert ask(mock, chat())["status"] == 200


def test_after_a_model_fallback_the_entry_names_the_model_as_the_list_has_it() -> None:
    mock = emulator({"rules": [{"when": {"model": "gpt-*"}, "error": "overloaded"}]})
    entry = ask(mock, chat(fallback_models=["claude-sonnet-4.5"]))
    assert entry["model"] == "claude-sonnet-4.5"
    assert entry["served_by"]["model"] == "anthropic/claude-sonnet-4.5"


def test_a_forced_fallback_wins_over_the_request_and_is_told() -> None:
    mock = emulator(REFUSE_OWN, force_fallback=False)
    shown = ask(mock, chat({**OWN_KEY, "fallback": True}))
    assert shown["route"] == "byok:openai!rate_limit"
    assert (shown["byok"]["fallback"], shown["fallback_sent"]) == (False, True)
    assert mock.stats("default")["fallback"] is False
    mock = emulator(REFUSE_OWN, force_fallback=True)
    assert (
        ask(mock, chat({**OWN_KEY, "fallback": False}))["route"] == "byok:openai!rate_limit -> shared:openai"
    )
    assert ask(mock, chat({**OWN_KEY, "fallback": "no"}))["status"] == 400


def stream_left_after(mock: Emulator, frames: int) -> dict[str, Any]:
    begun = begin(mock, chat(stream=True))
    out = begun.plan.frames[:frames]
    mock.end(begun, Outcome("client_left", frames, sum(len(frame.data) for frame in out), 1_000))
    return begun.entry.as_dict()


def test_a_client_that_left_pays_for_what_it_got() -> None:
    whole = ask(emulator(), chat(stream=True))
    mock = emulator({"rules": [{"stream": {"rate": "10 tok/s"}}]})
    shown = stream_left_after(mock, 9)
    assert shown["route"] == "shared:openai~client_left"
    assert shown["ending"] == "client_left"
    assert 0 < shown["sent"]["tokens"] < whole["sent"]["tokens"]
    assert whole["sent"]["text"].startswith(shown["sent"]["text"])
    assert shown["usage"]["completion_tokens"] == shown["sent"]["tokens"]
    assert 0 < shown["cost"] < whole["cost"]
    stats = mock.stats("default")
    assert stats["credits_spent"] == shown["cost"]
    assert stats["routes"] == {"shared:openai~client_left": 1}
    assert mock.describe_state("default")["accounts"][-1]["spent"] == pytest.approx(shown["cost"])


def test_a_planned_break_is_in_the_route_when_it_is_done() -> None:
    mock = emulator({"rules": [{"break": {"do": "cut", "after": "3 tokens"}}]})
    begun = begin(mock, chat(stream=True))
    assert begun.entry.route == "shared:openai"
    plan = begun.plan
    mock.end(begun, Outcome(plan.ending, len(plan.frames), 1, plan.end_us))
    assert begun.entry.route == "shared:openai~cut"
    assert begun.entry.ending == "cut"
    assert begun.entry.sent_tokens == 3


@pytest.mark.parametrize(
    ("break_", "route", "ending"),
    [
        ({"do": "error", "after": "3 tokens"}, "shared:openai~error", "finish"),
        ({"do": "truncate", "after": "3 tokens"}, "shared:openai~truncate", "finish"),
        ({"do": "reset", "after": "3 tokens"}, "shared:openai~reset", "reset"),
        ({"do": "stall", "after": "3 tokens"}, "shared:openai~stall", "stall"),
        ({"do": "stall", "after": "3 tokens", "for": "5s"}, "shared:openai", "finish"),
        ({"do": "no_done"}, "shared:openai", "finish"),
    ],
)
def test_each_break_has_its_word(break_: dict[str, Any], route: str, ending: str) -> None:
    shown = ask(emulator({"rules": [{"break": break_}]}), chat(stream=True))
    assert (shown["route"], shown["ending"]) == (route, ending)


@pytest.mark.parametrize("do", ["cut", "reset", "error", "truncate", "bad_chunk"])
def test_a_break_of_the_router_leaves_route_and_money_alone(do: str) -> None:
    rule = {"name": "broken", "when": {"lane": "router"}, "break": {"do": do, "after": "8 tokens"}}
    broken = ask(emulator({"rules": [rule]}), chat(stream=True))
    whole = ask(emulator(), chat(stream=True))
    assert broken["sent"]["tokens"] == 8
    assert [broken[name] for name in ("route", "cost", "usage", "served_by")] == [
        whole[name] for name in ("route", "cost", "usage", "served_by")
    ]


def test_an_endless_silence_is_noted_as_it_begins() -> None:
    mock = emulator({"rules": [{"break": {"do": "stall", "after": "3 tokens"}}]})
    begun = begin(mock, chat(stream=True))
    mock.note(begun, "stall")
    assert begun.entry.as_dict()["ending"] == "stall"
    assert begun.entry.route == "shared:openai~stall"
    assert begun.entry.ended_us is None


def test_watchers_see_a_call_begin_and_end() -> None:
    mock, seen = emulator(), []
    unsubscribe = mock.subscribe(lambda word, entry: seen.append((word, entry.id, entry.ended_us is None)))
    ask(mock, chat())
    unsubscribe()
    ask(mock, chat())
    assert seen == [("begin", 1, True), ("end", 1, False)]


def test_balance_is_what_the_account_has_left() -> None:
    mock = emulator({"accounts": {"poor": {"match": "*", "credits": 0.5}}})
    spent = ask(mock, chat())["cost"]
    begun = begin(mock, Asked("GET", "/v1/balance", "", {"authorization": "Bearer k"}, b""))
    body = json.loads(begun.plan.frames[0].data.partition(b"\r\n\r\n")[2])
    assert body["credit_balance"] == pytest.approx(0.5 - spent)


def test_a_question_asked_before_is_a_call_of_its_own() -> None:
    mock = emulator()
    asked = chat(OWN_KEY, model="never-heard-of")
    first = ask(mock, asked)
    assert first["notices"]
    for number in (2, 3):
        again = ask(mock, asked)
        assert (again["id"], again["notices"], again["byok"]) == (number, first["notices"], first["byok"])
        assert again["request_id"] != first["request_id"]
        assert again["sent"]["text"] == first["sent"]["text"]
    other = ask(mock, chat(OWN_KEY, session="other", model="never-heard-of"))
    assert (other["id"], other["session"]) == (1, "other")
    assert ask(mock, chat(OWN_KEY, retry=2, model="never-heard-of"))["sdk_retry"] == 2


# Time


def test_jumping_moves_the_clock_to_when_the_retried_call_should_have_come() -> None:
    mock = emulator({"limits": [{"when": {"lane": "byok"}, "requests": "1/min"}]})
    own = {**OWN_KEY, "fallback": False}
    ask(mock, chat(own))
    refused = ask(mock, chat(own))
    assert (refused["wait_ms"], refused["told_ms"]) == (60_000, 1)
    retried = ask(mock, chat(own, retry=1))
    assert retried["status"] == 200
    assert mock.describe_clock("default")["now"] == 60


def test_only_a_marked_retry_of_the_same_refused_call_jumps_and_only_once() -> None:
    mock = emulator({"limits": [{"when": {"lane": "byok"}, "requests": "1/min"}]})
    own = {**OWN_KEY, "fallback": False}
    ask(mock, chat(own))
    ask(mock, chat(own))
    for asked in (
        chat(own),
        chat(own, retry=1, temperature=0),
        chat({**own, "credentials": "sk-x"}, retry=1),
    ):
        ask(mock, asked)
        assert mock.describe_clock("default")["now"] == 0
    ask(mock, chat(own, retry=1))
    assert mock.describe_clock("default")["now"] == 60
    ask(mock, chat(own, retry=1))
    assert mock.describe_clock("default")["now"] == 60  # the call repeated by hand: already due
    ask(mock, chat(own, retry=1))
    assert mock.describe_clock("default")["now"] == 120


def test_told_waits_do_not_jump() -> None:
    mock = emulator({**REFUSE_OWN, "waits": "told"})
    own = {**OWN_KEY, "fallback": False}
    ask(mock, chat(own))
    ask(mock, chat(own, retry=1))
    assert mock.describe_clock("default")["now"] == 0


@pytest.mark.parametrize("mode", ["real", "virtual"])
def test_advance_moves_either_clock(mode: str) -> None:
    mock = emulator({"clock": mode})
    mock.advance("default", 61_000_000)
    told = mock.describe_clock("default")
    assert 61 <= told["now"] < 63
    assert told["mode"] == mode


def test_flags_win_over_every_scenario() -> None:
    mock = emulator({"seed": 1, "wire": "documented"}, seed=9, clock="virtual", wire="observed", speed=2.0)
    mock.put_scenario("default", build_scenario({"seed": 3, "clock": "real"}))
    scenario = mock.session("default").scenario
    assert (scenario.seed, scenario.clock, scenario.wire, scenario.speed) == (9, "virtual", "observed", 2.0)


def test_a_flag_that_no_scenario_may_say_is_refused() -> None:
    with pytest.raises(ScenarioError, match="speed"):
        emulator(speed=-1.0)


# Sessions


def test_sessions_are_worlds_apart() -> None:
    mock = emulator({"limits": [{"when": {"lane": "byok"}, "requests": "1/min"}]})
    ask(mock, chat(OWN_KEY, path=f"/s/a{CHAT}"))
    ask(mock, chat(OWN_KEY, session="b"))
    assert (routes(mock, "a"), routes(mock, "b"), routes(mock)) == (["byok:openai"], ["byok:openai"], [])
    mock.advance("a", 1)
    assert mock.session("b").clock.now_us() == VIRTUAL_START_US


def test_a_name_begins_its_session_with_a_bundled_scenario() -> None:
    mock = emulator()
    ask(mock, chat(OWN_KEY, path=f"/s/a@invalid-key{CHAT}"))
    assert mock.session("a@invalid-key").scenario.name == "invalid-key"
    with pytest.raises(SessionError, match="no-such") as caught:
        ask(mock, chat(path=f"/s/a@no-such{CHAT}"))
    assert "or a file" not in str(caught.value)
    assert caught.value.status == 404


def test_a_name_begins_its_session_with_a_scenario_of_the_directory(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("seed: 42\n")
    mock = Emulator(build_scenario({}), Library(tmp_path))
    assert mock.session("a@mine").scenario.seed == 42


def test_the_least_recently_used_session_goes_but_never_default_or_a_busy_one() -> None:
    mock = emulator(session_limit=3)
    ask(mock, chat())
    begun = begin(mock, chat(session="busy"))
    for name in ("a", "b", "a", "c"):
        ask(mock, chat(session=name))
    assert [session.name for session in mock.sessions()] == ["default", "busy", "c"]
    mock.end(begun, Outcome("finish", 1, 1, 0))
    ask(mock, chat(session="d"))
    assert [session.name for session in mock.sessions()] == ["default", "c", "d"]


def test_the_journal_is_as_long_as_was_asked() -> None:
    mock = emulator(journal_size=2)
    for _ in range(3):
        ask(mock, chat())
    assert [entry.id for entry in mock.session("default").journal.read()] == [2, 3]
    assert mock.stats("default")["calls"] == 3


# What tools do


def test_reset_is_the_session_as_it_began() -> None:
    mock = emulator({"limits": [{"when": {"lane": "byok"}, "requests": "1/min"}]})
    first = ask(mock, chat(OWN_KEY))
    mock.put_scenario("default", build_scenario({"clock": "virtual"}))
    mock.add_rules("default", {"rules": [{"error": "overloaded"}]}, where="test")
    mock.advance("default", 5_000_000)
    mock.reset("default")
    assert mock.describe_clock("default") == {"now": 0, "mode": "virtual", "at": "2026-01-01T00:00:00.000Z"}
    assert ask(mock, chat(OWN_KEY)) == first
    assert ask(mock, chat(OWN_KEY))["attempts"][0]["result"] == "rate_limit"
    assert mock.stats("default")["calls"] == 2


def test_putting_a_scenario_keeps_journal_and_time_and_starts_the_state_afresh() -> None:
    limited = {"limits": [{"when": {"lane": "byok"}, "requests": "1/min"}]}
    mock = emulator(limited)
    ask(mock, chat(OWN_KEY))
    mock.advance("default", 5_000_000)
    mock.put_scenario("default", build_scenario({"clock": "virtual", **limited}))
    shown = ask(mock, chat(OWN_KEY))
    assert (shown["id"], shown["clock"], shown["route"]) == (2, 5, "byok:openai")


def test_after_putting_a_scenario_rests_are_told_in_the_sessions_time_and_gates_count_from_then() -> None:
    mock = emulator({})
    mock.advance("default", 60_000_000)
    cooling = {
        "clock": "virtual",
        "router": {"cooldown": {"failures": 1, "within": "10s", "for": "30s"}},
        "rules": [{"when": {"lane": "byok"}, "until": "10s", "error": "overloaded"}],
    }
    mock.put_scenario("default", build_scenario(cooling))
    ask(mock, chat(OWN_KEY))
    state = mock.describe_state("default")
    assert (state["now"], state["cooldowns"][0]["until_s"]) == (60, 90)
    mock.put_scenario("another", build_scenario(cooling))
    ask(mock, chat(OWN_KEY, session="another"))
    assert mock.describe_state("another")["cooldowns"][0]["until_s"] == 30


def test_a_call_ends_in_the_world_it_began_in() -> None:
    mock = emulator({"limits": [{"when": {"lane": "byok"}, "concurrency": 1}]})
    begun = begin(mock, chat(OWN_KEY, stream=True))
    mock.reset("default")
    assert begin(mock, chat(OWN_KEY)).entry.route == "byok:openai"
    mock.end(begun, Outcome("client_left", 0, 0, 0))
    assert ask(mock, chat(OWN_KEY))["route"].startswith("byok:openai!rate_limit")
    assert mock.stats("default")["calls"] == 2


def test_forgetting_keeps_the_state_and_the_numbers() -> None:
    mock = emulator({"limits": [{"when": {"lane": "byok"}, "requests": "1/min"}]})
    ask(mock, chat(OWN_KEY))
    mock.forget("default")
    assert routes(mock) == []
    shown = ask(mock, chat(OWN_KEY))
    assert (shown["id"], shown["route"]) == (2, "byok:openai!rate_limit -> shared:openai")


def test_added_rules_stand_in_front_the_newest_first_and_go_one_by_one() -> None:
    mock = emulator(REFUSE_OWN)
    own = {**OWN_KEY, "fallback": False}
    assert mock.add_rules(
        "default", {"rules": [{"name": "older", "error": "overloaded"}]}, where="a.py:1"
    ) == ["older"]
    (newer,) = mock.add_rules("default", {"rules": [{"error": "quota"}]}, where="a.py:2")
    shown = ask(mock, chat(own))
    assert shown["route"] == "byok:openai!quota"
    assert shown["attempts"][0]["where"] == "a.py:2"
    assert mock.remove_rules("default", newer) == [newer]
    assert ask(mock, chat(own))["route"] == "byok:openai!overloaded"
    assert mock.remove_rules("default") == ["older"]
    assert ask(mock, chat(own))["route"] == "byok:openai!rate_limit"
    assert mock.remove_rules("default", "full") == []  # the scenario's own


def test_a_rule_put_twice_acts_twice() -> None:
    mock = emulator()
    own = {**OWN_KEY, "fallback": False}
    once = {"rules": [{"when": {"lane": "byok"}, "times": 1, "error": "overloaded"}]}
    results = []
    for _ in range(2):
        mock.add_rules("default", once, where="test")
        results += [ask(mock, chat(own))["route"] for _ in range(2)]
    assert results == ["byok:openai!overloaded", "byok:openai"] * 2


def test_bad_rules_change_nothing() -> None:
    mock = emulator()
    before = mock.session("default").scenario
    with pytest.raises(ScenarioError):
        mock.add_rules("default", {"rules": [{"eror": "quota"}]}, where="test")
    assert mock.session("default").scenario is before


def test_a_reloaded_file_reaches_the_sessions_that_run_it(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("seed: 1\nclock: virtual\n")
    library = Library(tmp_path)
    first = library.load(str(path))
    mock = Emulator(first, library)
    mock.session("runs-it")
    mock.put_scenario("other", build_scenario({"name": "other"}))
    path.write_text("seed: 2222\nclock: virtual\n")
    mock.reload(first.file, library.load(str(path)))
    assert mock.session("runs-it").scenario.seed == 2222
    assert mock.session("other").scenario.name == "other"
    assert mock.session("begun-later").scenario.seed == 2222


def test_a_dropped_session_begins_again() -> None:
    mock = emulator()
    ask(mock, chat(session="a"))
    assert mock.drop_session("a")
    assert not mock.drop_session("a")
    assert ask(mock, chat(session="a"))["id"] == 1


def test_the_state_tells_clock_budgets_and_money() -> None:
    mock = emulator({"limits": [{"name": "own", "when": {"lane": "byok"}, "requests": "3/min"}]})
    ask(mock, chat(OWN_KEY))
    told = mock.describe_state("default")
    assert (told["now"], told["mode"]) == (0, "virtual")
    assert [(row["name"], row["budget"], row["remaining"]) for row in told["limits"]] == [("own", "3/min", 2)]
    assert told["accounts"][-1]["credits"] == 1000


def test_a_state_that_many_keys_have_filled_is_swept() -> None:
    mock = emulator({"limits": [{"when": {"lane": "byok"}, "requests": "60/min"}]})
    state = mock.session("default").state
    state.sweep_above = 50
    for number in range(60):
        ask(mock, chat({**OWN_KEY, "credentials": f"sk-own-key-{number:04}"}))
        mock.advance("default", 2_000_000)
    assert len([cell for cell in state.cells if cell[0] == "bucket"]) < 50
