"""`extends`: one parent a file, at most five deep; what the child says goes first."""

from __future__ import annotations

import pytest

from onerouter_mock.core.errors import Problem, ScenarioError
from onerouter_mock.core.scenario.load import build_scenario, load_scenario
from onerouter_mock.core.scenario.records import Scenario


def load(files: dict[str, str], name: str = "child") -> Scenario:
    """`name` of these files, which may extend each other by name."""

    def find(wanted: str, beside: str) -> tuple[str, str] | None:
        assert beside.endswith(".yaml")
        return (files[wanted], f"dir/{wanted}.yaml") if wanted in files else None

    return load_scenario(files[name], file=f"dir/{name}.yaml", find=find)


def test_maps_merge_key_by_key_and_scalars_are_replaced() -> None:
    made = load({
        "child": "extends: parent\nseed: 2\nrouter: {timeout: 2s}\nkeys: {b: {match: y}}\nspeed: ~\n",
        "parent": "name: p\nseed: 1\nspeed: 3\nrouter: {timeout: 1s, keep_alive: 3s}\nkeys: {a: {match: x}, "
                  "b: {match: z, expires: 1m}}\n",
    })  # fmt: skip
    assert (made.name, made.file, made.seed, made.speed) == ("child", "dir/child.yaml", 2, 3.0)
    assert (made.router.timeout_us, made.router.keep_alive_us) == (2_000_000, 3_000_000)
    assert [(key.name, key.match, key.expires_us) for key in made.keys] == [
        ("b", ("y",), 60_000_000),
        ("a", ("x",), None),
    ]  # names of the child go first, because the first match wins


def test_lists_put_the_child_first_and_names_in_both_are_the_child_s() -> None:
    made = load({
        "child": "extends: parent\nrules:\n  - {name: both, error: 502}\n  - {error: 429}\n",
        "parent": "rules:\n  - {name: first, error: 500}\n\n  - {name: both, error: 500}\n  - {error: 429}\n",
    })  # fmt: skip
    assert [(each.name, each.where) for each in made.rules] == [
        ("both", "child.yaml:3"),
        ("rules[1]", "child.yaml:4"),
        ("first", "parent.yaml:2"),
        ("rules[3]", "parent.yaml:5"),
    ]
    assert len({each.ident for each in made.rules}) == 4


def test_a_scenario_of_nothing_but_a_parent_is_the_parent() -> None:
    made = load({"child": '{"extends": "parent"}', "parent": "rules: [{error: 500}]"})
    assert made.rules[0].where == "parent.yaml:1"


def test_five_parents_are_allowed_and_six_are_not() -> None:
    files = {f"f{n}": f"extends: f{n + 1}\nseed: {n}\n" for n in range(6)} | {
        "f6": "seed: 6",
        "f5": "speed: 2",
    }
    assert load(files, "f0").speed == 2.0
    files["f5"] = "extends: f6"
    with pytest.raises(ScenarioError) as caught:
        load(files, "f0")
    assert (
        str(caught.value) == "dir/f5.yaml:1:10: extends: more than 5 parents; would be right: a shorter chain"
    )


def test_a_circle_is_refused() -> None:
    with pytest.raises(ScenarioError) as caught:
        load({"child": "extends: parent", "parent": "seed: 1\nextends: child"})
    assert str(caught.value) == (
        "dir/parent.yaml:2:10: extends: a scenario can't extend itself (dir/child.yaml -> dir/parent.yaml -> "
        "dir/child.yaml); would be right: another parent"
    )
    with pytest.raises(ScenarioError, match="can't extend itself"):
        load({"child": "extends: child"})


def test_problems_of_a_parent_are_told_in_its_own_file() -> None:
    with pytest.raises(ScenarioError) as caught:
        load({
            "child": "extends: parent\nrules: [{error: 500}]\nsped: 1",
            "parent": "rules:\n  - {error: 500}\n  - {eror: 1}\na: &x 1",
        })  # fmt: skip
    assert [str(problem) for problem in caught.value.problems] == [
        "dir/child.yaml:3:1: sped: unknown field 'sped'; did you mean 'speed'?",
        "dir/parent.yaml:3:6: rules[1].eror: unknown field 'eror'; did you mean 'error'?",
        "dir/parent.yaml:4:1: a: unknown field 'a'; would be right: version, name, description, extends, "
        "seed, clock, speed, waits, wire, keys, accounts, auth, router, providers, models, unknown_models, "
        "limits, rules",
        "dir/parent.yaml:4:4: yaml: an anchor ('&x') is not allowed; would be right: the value itself",
    ]  # fmt: skip


def test_a_parent_that_is_no_scenario_is_refused() -> None:
    for text in ("[]", "3", "a: ["):
        with pytest.raises(ScenarioError) as caught:
            load({"child": "extends: parent", "parent": text})
        assert caught.value.problems[0].file == "dir/parent.yaml"
    assert load({"child": "extends: parent", "parent": "# healthy"}).rules == ()


def test_what_is_not_found_is_told_at_its_place_in_the_finder_s_words() -> None:
    def find(wanted: str, beside: str) -> tuple[str, str]:
        raise ScenarioError(
            [Problem("", 0, 0, "scenario", f"no scenario '{wanted}'", "did you mean 'outage'?")]
        )

    with pytest.raises(ScenarioError) as caught:
        load_scenario("seed: 1\nextends: outge", file="f.yaml", find=find)
    assert str(caught.value) == "f.yaml:2:10: extends: no scenario 'outge'; did you mean 'outage'?"


def test_names_of_the_parent_may_be_used() -> None:
    made = load({
        "child": "extends: parent\nrules: [{when: {key: alice}, error: 500}]",
        "parent": "keys: {alice: {match: x}}",
    })  # fmt: skip
    assert made.rules[0].when.key == ("alice",)


def test_python_data_may_extend_too() -> None:
    made = build_scenario({"extends": "p"}, find=lambda wanted, beside: ("seed: 9", "p.yaml"))
    assert (made.seed, made.name) == (9, "unnamed")
