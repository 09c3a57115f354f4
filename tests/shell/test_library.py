"""Finding and reading scenario files: names, paths, parents, what is bundled, what may come from outside."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from onerouter_mock.core.errors import ScenarioError
from onerouter_mock.core.scenario.advise import advise
from onerouter_mock.core.scenario.load import load_scenario
from onerouter_mock.library import Library, bundled_directory

ROOT = Path(__file__).parent.parent.parent
BUNDLED = [
    "degraded-pool", "everything-down", "flaky", "healthy", "invalid-key", "midstream-cut", "model-fallback",
    "no-credits", "outage", "quota-exhausted", "ratelimit", "recovery", "rotating-key", "shared-exhausted",
    "slow", "slow-stream",
]  # fmt: skip


def write(path: Path, text: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_the_sixteen_bundled_scenarios_are_there() -> None:
    assert sorted(name for name, _ in Library().bundled()) == BUNDLED


@pytest.mark.parametrize("name", BUNDLED)
def test_a_bundled_scenario_tells_its_story_and_is_short(name: str) -> None:
    text = Library().text(name)
    first, *rest = text.splitlines()
    assert first.startswith("# ")
    assert first.endswith(".")
    assert len(rest) <= 14
    assert dict(Library().bundled())[name] == first.removeprefix("# ")
    made = Library().load(name)
    assert made.name == name
    assert not any("never" in warning.what for warning in advise(made))
    assert all(
        entry.name and not entry.name.startswith(("rules[", "limits["))
        for entry in (*made.rules, *made.limits)
    )


def test_the_ratelimit_scenario_is_the_language_s_first_example() -> None:
    assert Library().text("ratelimit") == (
        "# Your OpenAI key allows three requests a minute; the shared pool keeps answering.\n"
        "limits:\n"
        "  - {name: own-openai, when: {lane: byok, provider: openai}, requests: 3/min}\n"
    )
    assert Library().load("ratelimit").limits[0].where == "ratelimit.yaml:3"


def test_the_scenario_directory_goes_before_the_bundled(tmp_path: Path) -> None:
    write(tmp_path / "ratelimit.yml", "# Mine.\nseed: 9\n")
    write(tmp_path / "other.json", '{"seed": 8}')
    library = Library(tmp_path)
    assert library.load("ratelimit").seed == 9
    assert library.load("other").seed == 8
    assert library.load("outage").name == "outage"
    assert library.survey()[0][:2] == [("other", ""), ("ratelimit", "Mine.")]
    assert library.story(str(tmp_path / "ratelimit.yml")) == "Mine."


def test_a_path_is_read_from_here_beside_a_file_or_in_the_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "here" / "a.yaml", "seed: 1")
    write(tmp_path / "tests" / "a.yaml", "seed: 2")
    write(tmp_path / "dir" / "b.yaml", "seed: 3")
    monkeypatch.chdir(tmp_path / "here")
    library = Library(tmp_path / "dir")
    assert library.load("a.yaml").seed == 1
    assert library.load("./a.yaml").file == "a.yaml"
    assert library.load("a.yaml", beside=tmp_path / "tests" / "test_x.py").seed == 2
    assert library.load("b.yaml").seed == 3
    assert library.load(str(tmp_path / "tests" / "a.yaml")).seed == 2


def test_a_file_extends_names_and_files_beside_it(tmp_path: Path) -> None:
    library = Library(tmp_path / "dir")
    write(tmp_path / "base.yaml", "extends: mid\nspeed: 2")
    write(tmp_path / "dir" / "mid.yaml", "extends: ratelimit\nseed: 5")
    made = library.load(write(tmp_path / "child.yaml", "extends: base.yaml\nname: kid"))
    assert (made.name, made.speed, made.seed) == ("kid", 2.0, 5)
    assert [limit.where for limit in made.limits] == ["ratelimit.yaml:3"]


def test_a_scenario_is_kept_until_it_or_its_parent_changes(tmp_path: Path) -> None:
    library = Library()
    parent = tmp_path / "parent.yaml"
    write(parent, "seed: 1")
    child = write(tmp_path / "child.yaml", "extends: parent.yaml")
    first = library.load(child)
    assert library.load(child) is first
    write(parent, "seed: 22")
    assert library.load(child).seed == 22
    os.utime(child, ns=(1, 1))
    assert library.load(child) is not first


def test_an_unknown_name_is_told_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError) as caught:
        Library().load("outge")
    assert str(caught.value) == "scenario: no scenario 'outge'; did you mean 'outage'?"
    write(tmp_path / "own.yaml", "")
    with pytest.raises(ScenarioError) as caught:
        Library(tmp_path).text("zzz")
    assert "would be right: own, degraded-pool, everything-down" in str(caught.value)
    with pytest.raises(
        ScenarioError, match=r"f.yaml:1:10: extends: no scenario 'outge'; did you mean 'outage'\?"
    ):
        Library().load(write(tmp_path / "f.yaml", "extends: outge"))


def test_exactly_what_can_be_loaded_by_a_name_is_listed(tmp_path: Path) -> None:
    for name in ("dup.json", "My Scen.yaml", "a.b.yaml", "-x.yaml", "Loud_1.yaml", "note.txt"):
        write(tmp_path / name, '{"seed": 3}')
    write(tmp_path / "dup.yaml", "# The one.\n")
    write(tmp_path / "slow.yml", "# My own.\n")
    write(tmp_path / "outage.yaml", "rules: [{eror: 500}, {eror: 503}]")
    (tmp_path / "latin.yaml").write_bytes(b"name: \xff\xfe")
    (tmp_path / "folder.yaml").mkdir()
    library = Library(tmp_path)
    rows, problems = library.survey()
    assert [row for row in rows if row not in Library().bundled()] == [
        ("Loud_1", ""),
        ("dup", "The one."),
        ("slow", "My own."),
    ]
    assert sorted(dict(rows)) == sorted({*BUNDLED, "Loud_1", "dup"} - {"outage"})
    assert [library.load(name) for name, _ in rows]
    assert [Path(problem.file).name for problem in problems] == [
        *("-x.yaml", "My Scen.yaml", "a.b.yaml", "dup.json"),
        *("latin.yaml", "outage.yaml"),
    ]
    assert Library(tmp_path / "gone").survey() == (Library().bundled(), [])


def test_a_name_that_leads_nowhere_is_no_suggestion(tmp_path: Path) -> None:
    write(tmp_path / "My Scen.yaml", "")
    write(tmp_path / "Mine.yaml", "")
    with pytest.raises(ScenarioError, match="no scenario 'My Scen'; would be right: Mine, degraded-pool"):
        Library(tmp_path).load("My Scen")
    with pytest.raises(ScenarioError, match="no scenario 'Mine'; would be right: degraded-pool"):
        Library(tmp_path).load_named("Mine")  # from outside, capital letters are no name


def test_a_file_is_offered_only_to_who_may_name_one(tmp_path: Path) -> None:
    library = Library(tmp_path)
    with pytest.raises(ScenarioError, match=r"slow, or a file$"):
        library.load("zzz")
    for ask in (library.load_named, lambda name: library.find_named(name, "scenario")):
        with pytest.raises(ScenarioError, match=r"slow$"):
            ask("zzz")


def test_what_can_t_be_read_is_a_scenario_error(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes(b"name: \xff\xfe")
    (tmp_path / "folder.yaml").mkdir()
    write(tmp_path / "big.yaml", "# " + "x" * 300_000)
    write(tmp_path / "orphan.yaml", "extends: gone.yaml")
    for name, what in (
        ("gone.yaml", "no such file or directory"),
        ("latin.yaml", "no UTF-8 text"),
        ("folder.yaml", "is a directory"),
        ("big.yaml", "the text is over 256 kB"),
        ("orphan.yaml", "'gone.yaml': no such file or directory"),
        ("nul\0.yaml", "null"),
        ("x" * 5_000 + ".yaml", "file name too long"),
    ):
        with pytest.raises(ScenarioError) as caught:
            Library().load(f"{tmp_path}/{name}")
        assert what in str(caught.value), name


def test_problems_name_the_file_as_it_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "sub" / "f.yaml", "limits:\n- requests: 3\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ScenarioError) as caught:
        Library().load("sub/f.yaml")
    assert str(caught.value) == "sub/f.yaml:2:13: limits[0].requests: 3 has no unit; would be right: 3/min"


OUTSIDE = [
    "../secret.yaml", "secret.yaml", "./secret", "/etc/passwd", "secret", "Secret", "a b", "", "..", "-" * 65,
    "x\0y", "outage.yaml", "scenarios/outage", "%2e%2e",
]  # fmt: skip


@pytest.mark.parametrize("wanted", OUTSIDE)
def test_from_outside_only_names_come_in(
    wanted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "secret.yaml", "seed: 1")
    (tmp_path / "dir").mkdir()
    monkeypatch.chdir(tmp_path)
    library = Library(tmp_path / "dir")
    with pytest.raises(ScenarioError, match="no scenario"):
        library.load_named(wanted)
    for beside in ("scenario", "", str(tmp_path / "secret.yaml")):
        with pytest.raises(ScenarioError, match="no scenario"):
            library.find_named(wanted, beside)


def test_from_outside_a_directory_given_as_here_lets_no_path_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "own.yaml", "extends: base/parent.yaml")
    write(tmp_path / "base" / "parent.yaml", "seed: 4")
    monkeypatch.chdir(tmp_path)
    library = Library(Path())
    with pytest.raises(ScenarioError):
        load_scenario("extends: base/parent.yaml", file="scenario", find=library.find_named)
    made = load_scenario('{"extends": "own"}', file="scenario", find=library.find_named, name="unnamed")
    assert (made.seed, made.name) == (4, "unnamed")  # the host's own file may extend by path
    assert library.load_named("own").seed == 4


def test_every_bundled_name_may_come_from_outside() -> None:
    library = Library()
    for name in BUNDLED:
        assert library.load_named(name) is library.load(name)


def test_the_checkout_s_scenarios_are_used_in_a_checkout() -> None:
    assert bundled_directory() == ROOT / "scenarios"


def test_an_installed_wheel_finds_its_own_scenarios(tmp_path: Path) -> None:
    """As hatchling lays it out: the package with `scenarios` inside, no pyproject.toml beside."""
    site = tmp_path / "site"
    for path in (ROOT / "onerouter_mock").rglob("*.py"):
        write(site / path.relative_to(ROOT), path.read_text(encoding="utf-8"))
    for path in (ROOT / "scenarios").glob("*.yaml"):
        write(site / "onerouter_mock" / "scenarios" / path.name, path.read_text(encoding="utf-8"))
    code = (
        "from onerouter_mock.library import Library; "
        "print(len(Library().bundled()), Library().load('outage').file)"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(site)},
    ).stdout  # fmt: skip
    assert out.split() == ["16", str(site / "onerouter_mock" / "scenarios" / "outage.yaml")]
