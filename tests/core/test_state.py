"""Cells: reading through pending changes, showing them, forgetting the needless."""

from __future__ import annotations

from builders import byok, world

from onerouter_mock.core.state import Pending, State, describe, sweep

OWN = {"lane": "byok"}


def test_pending_reads_what_was_changed_and_leaves_the_state_alone() -> None:
    state = State("default", 0, 0, {("a",): 1})
    pending = Pending(state)
    pending.set(("a",), None)
    pending.set(("b",), 2)
    assert (pending.get(("a",), 7), pending.get(("b",)), pending.get(("c",), 7)) == (None, 2, 7)
    assert state.cells == {("a",): 1}
    assert pending.changes == {("a",): None, ("b",): 2}


def test_the_state_is_shown_as_people_read_it() -> None:
    there = world(
        keys={"alice": {"match": "sk-alice-*"}},
        accounts={"broke": {"match": "sk-broke-*", "credits": 0.5}},
        router={"cooldown": {"failures": 1, "within": "10s", "for": "20s"}},
        limits=[
            {"name": "own", "when": OWN, "requests": "3/min"},
            {"name": "cap", "when": OWN, "quota": "2 USD"},
        ],
        rules=[{"name": "once", "when": OWN, "times": 2, "skip": 2, "error": "overloaded"}],
    )
    there.ask(byok())
    there.ask(byok())
    there.advance(10)
    there.ask(byok(), account="broke")
    seen = describe(there.scenario, there.state, there.now_us)
    assert list(seen) == ["limits", "rules", "cooldowns", "accounts"]
    own = [row for row in seen["limits"] if row["name"] == "own"]
    assert own == [
        {
            "name": "own",
            "per": {"key": "…1234"},
            "budget": "3/min",
            "used": 3,  # two and a half
            "remaining": 0,
            "full_in_s": 50,
        },
    ]
    assert seen["rules"] == [{"name": "once", "matched": 3, "acted": 1, "left": 1}]
    assert seen["cooldowns"] == [{"lane": "byok", "provider": "openai", "key": "…1234", "until_s": 30}]
    broke = seen["accounts"][0]
    assert broke["name"] == "broke"
    assert broke["credits"] + broke["spent"] == 0.5
    assert broke["spent"] > 0


def test_a_key_is_shown_by_its_name() -> None:
    there = world(
        keys={"alice": {"match": "sk-alice-*"}}, limits=[{"name": "own", "when": OWN, "requests": "3/min"}]
    )
    there.ask(byok(key="alice", secret="sk-alice-1"))
    there.ask(byok(secret="short", last4=None))
    rows = describe(there.scenario, there.state, there.now_us)["limits"]
    assert [row["per"] for row in rows] == [{"key": "alice"}, {"key": None}]
    assert "ident" not in repr(rows)


def test_a_budget_nobody_drew_on_is_shown_whole() -> None:
    there = world(limits=[{"name": "own", "when": OWN, "requests": "4/min", "used": 1}])
    [row] = describe(there.scenario, there.state, there.now_us)["limits"]
    assert row == {"name": "own", "per": {}, "budget": "4/min", "used": 1, "remaining": 3, "full_in_s": 15}


def test_only_what_says_nothing_is_forgotten() -> None:
    there = world(
        limits=[
            {"name": "bucket", "when": OWN, "requests": "60/min", "used": 2},
            {"name": "fixed", "when": OWN, "requests": "60/min", "algorithm": "fixed"},
            {"name": "sliding", "when": OWN, "requests": "60/min", "algorithm": "sliding"},
            {"name": "places", "when": OWN, "concurrency": 9},
            {"name": "quota", "when": OWN, "quota": "5 requests"},
        ],
    )
    there.end(there.ask(byok()))
    held = there.ask(byok(secret="sk-another-key-9876"))
    there.state.sweep_above = 0
    sweep(there.state, there.now_us)
    kept = {
        cell[:2] for cell in there.state.cells if cell[0] in ("bucket", "fixed", "sliding", "held", "quota")
    }
    assert kept == {
        ("bucket", "bucket"),
        ("fixed", "fixed"),
        ("sliding", "sliding"),
        ("held", "places"),
        ("quota", "quota"),
    }
    there.advance(61)
    there.state.sweep_above = 0
    assert sweep(there.state, there.now_us) == 6
    left = [
        cell[0] for cell in there.state.cells if cell[0] in ("bucket", "fixed", "sliding", "held", "quota")
    ]
    assert sorted(left) == ["held", "quota", "quota"]
    there.end(held)
    assert there.route(byok()) == "byok:openai"


def test_few_cells_are_left_alone() -> None:
    there = world(limits=[{"name": "own", "when": OWN, "requests": "3/min"}])
    there.ask(byok())
    there.advance(100)
    assert sweep(there.state, there.now_us) == 0


def test_names_of_keys_are_forgotten_with_the_last_of_their_budgets() -> None:
    there = world(
        router={"cooldown": {"failures": 1, "within": "90s", "for": "20s"}},
        limits=[{"name": "own", "when": OWN, "requests": "3/min"}],
        rules=[{"when": OWN, "times": 1, "error": "overloaded"}],
    )
    there.route(byok())
    for seconds, words in ((61, {"cooldown", "label"}), (30, set())):
        there.advance(seconds)
        there.state.sweep_above = 0
        sweep(there.state, there.now_us)
        assert {cell[0] for cell in there.state.cells} - {"budget", "rule", "spent"} == words
