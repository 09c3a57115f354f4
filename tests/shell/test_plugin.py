"""The pytest plugin, in pytest runs of its own: fixture, marker, scopes, options, reports."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Protocol

import pytest

import onerouter_mock
import onerouter_mock.mock.worlds  # before any inner run, which forgets what it imports

pytest_plugins = ["pytester"]

ASKING = str(Path(__file__).parent.parent)
INI = """
[pytest]
addopts = -p no:faker -p no:aiohttp
filterwarnings = error
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
"""
HEAD = f"""
import os, sys
sys.path.insert(0, {ASKING!r})
import pytest
from asking import OWN, chat
def ask(**more):
    return chat(os.environ["OPENAI_BASE_URL"], **more)
"""


class Run(Protocol):
    """Runs pytest on a test file of this text; `apart` in a process of its own."""

    def __call__(
        self, text: str, *args: str, ini: str = "", conftest: str = "", apart: bool = False
    ) -> pytest.RunResult: ...


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    for name in ("PYTEST_ADDOPTS", "OPENAI_BASE_URL", "GITHUB_STEP_SUMMARY", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)

    def run(
        text: str, *args: str, ini: str = "", conftest: str = "", apart: bool = False
    ) -> pytest.RunResult:
        pytester.makeini(INI + ini)
        if conftest:
            pytester.makeconftest(HEAD + conftest)
        pytester.makepyfile(test_it=HEAD + text)
        return (
            pytester.runpytest_subprocess("-q", *args) if apart else pytester.runpytest_inprocess("-q", *args)
        )

    return run


def test_environment_points_at_the_mock_and_is_restored(run: Run) -> None:
    result = run("""
NAMES = ["ONEROUTER_MOCK_URL", "ONEROUTER_BASE_URL", "ONEROUTER_API_KEY", "OPENAI_BASE_URL",
         "OPENAI_API_BASE", "OPENAI_API_KEY", "ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY",
         "NO_PROXY", "no_proxy"]
def test_inside(onerouter):
    assert os.environ["ONEROUTER_MOCK_URL"] == os.environ["ANTHROPIC_BASE_URL"] == onerouter.url
    for name in ("ONEROUTER_BASE_URL", "OPENAI_BASE_URL", "OPENAI_API_BASE"):
        assert os.environ[name] == onerouter.base_url
    assert os.environ["OPENAI_API_KEY"] == os.environ["ONEROUTER_API_KEY"] == onerouter.api_key
    assert "127.0.0.1" in os.environ["NO_PROXY"]
    assert set(NAMES) <= set(os.environ)
    os.environ["OPENAI_API_KEY"] = "changed by the test"
def test_after():
    assert not [name for name in NAMES if name in os.environ]
""")
    result.assert_outcomes(passed=2)


def test_every_test_has_a_port_and_a_virtual_world_of_its_own(run: Run) -> None:
    result = run("""
seen = []
@pytest.mark.parametrize("turn", [1, 2])
@pytest.mark.onerouter("ratelimit")
def test_world(onerouter, turn):
    for _ in range(4):
        ask(byok=OWN)
    assert len(onerouter.calls) == 4
    assert onerouter.fallbacks == 1
    assert onerouter.last.session == "default"
    assert onerouter.now == 0
    assert onerouter.calls[0].request_id not in seen or turn == 2
    seen.append(onerouter.url)
    assert len(set(seen)) == turn
""")
    result.assert_outcomes(passed=2)


def test_marker_alone_starts_the_mock_everywhere(run: Run) -> None:
    result = run("""
import unittest
@pytest.mark.onerouter
def test_function():
    assert ask().status == 200
@pytest.mark.onerouter("outage")
class TestClass:
    def test_class(self):
        assert ask(byok={**OWN, "fallback": False}).status == 503
    @pytest.mark.onerouter({"rules": [{"when": {"lane": "byok"}, "error": "quota"}]})
    def test_nearest_marker_wins(self):
        assert ask(byok={**OWN, "fallback": False}).status == 429
    @pytest.mark.onerouter(seed=7)
    def test_nearest_marker_has_the_default_scenario(self, onerouter):
        assert ask(byok={**OWN, "fallback": False}).status == 200
        assert onerouter._control.read("scenario")["seed"] == 7
@pytest.mark.onerouter("extends: outage")
class TestUnit(unittest.TestCase):
    def test_unittest(self):
        self.assertEqual(ask(byok={**OWN, "fallback": False}).status, 503)
@pytest.mark.onerouter(scenario="outage")
async def test_async():
    assert ask(byok={**OWN, "fallback": False}).status == 503
@pytest.fixture
def base_url():
    return os.environ["OPENAI_BASE_URL"]
def test_fixture_of_a_client_finds_the_environment_set(base_url, onerouter):
    assert base_url == onerouter.base_url
""")
    result.assert_outcomes(passed=7)


def test_wrong_markers_are_answered_with_the_right_form(run: Run) -> None:
    result = run("""
@pytest.mark.onerouter("ratelimt")
def test_name(): pass
@pytest.mark.onerouter("ratelimit", fallback=False)
def test_field(): pass
@pytest.mark.onerouter("ratelimit", "outage")
def test_two(): pass
@pytest.mark.onerouter(7)
def test_number(): pass
@pytest.mark.onerouter("ratelimit", speed="fast")
def test_value(): pass
@pytest.mark.onerouter("scenarios/nowhere.yaml")
def test_path(): pass
""")
    result.assert_outcomes(errors=6)
    text = result.stdout.str()
    for hint in (
        "did you mean 'ratelimit'?",
        "marker onerouter: fallback: unknown field 'fallback'",
        "2 positional arguments",
        "7 is no scenario",
        "marker onerouter: speed:",
        "'scenarios/nowhere.yaml' is not found",
        '@pytest.mark.onerouter("ratelimit", seed=7)',
    ):
        assert hint in text


def test_a_path_is_looked_up_beside_the_test_then_in_the_scenario_dir_then_in_rootdir(
    pytester: pytest.Pytester,
) -> None:
    pytester.makeini(INI + "onerouter_scenario_dir = worlds\n")
    for folder, seed in (("tests", 1), ("worlds", 2), (".", 3)):
        pytester.mkdir(folder) if folder != "." else None
        for name in ("a", "b", "c")[seed - 1 :]:
            (pytester.path / folder / f"{name}.yaml").write_text(f"seed: {seed}\n")
    (pytester.path / "tests" / "test_it.py").write_text(
        HEAD
        + """
def seed(onerouter):
    return onerouter._control.read("scenario")["seed"]
@pytest.mark.onerouter("a.yaml")
def test_beside(onerouter):
    assert seed(onerouter) == 1
@pytest.mark.onerouter("./b.yaml")
def test_scenario_dir(onerouter):
    assert seed(onerouter) == 1
@pytest.mark.onerouter("b")
def test_name_in_scenario_dir(onerouter):
    assert seed(onerouter) == 2
    onerouter.use("c.yaml")
    assert seed(onerouter) == 1
"""
    )
    (pytester.path / "tests" / "b.yaml").unlink()
    (pytester.path / "tests" / "c.yaml").unlink()
    result = pytester.runpytest_inprocess("-q")
    text = result.stdout.str()
    # b and c: not beside the test, so from the scenario dir
    assert "assert 2 == 1" in text
    result.assert_outcomes(passed=1, failed=2)


def test_a_failing_test_shows_the_timeline_and_no_secret(run: Run) -> None:
    result = run("""
def test_red(onerouter):
    onerouter.byok.fail("rate_limit")
    ask(byok={"provider": "openai", "credentials": "-".join(["sk", "canary", "4711", "9999"])})
    assert False, "on purpose"
def test_silent(onerouter):
    onerouter.assert_route("byok:openai!rate_limit -> shared:openai")
""")
    result.assert_outcomes(failed=2)
    text = result.stdout.str()
    assert "onerouter-mock: what it saw" in text
    assert "byok-fail: openai answered 429 rate_limit to key …9999" in text
    assert re.search(r"\(test_it\.py:9\)", text)
    assert "the mock saw no call in this test" in text
    assert "onerouter_scope = session" in text
    assert "sk-canary-4711" not in text


def test_summary_counts_all_tests_also_under_xdist(run: Run) -> None:
    text = """
@pytest.mark.parametrize("n", range(4))
def test_calls(onerouter, n):
    for _ in range(n):
        ask(byok=OWN)
    assert n < 3
def test_without():
    pass
"""
    for args in ((), ("-n", "2")):
        result = run(text, "--onerouter-report", *args, apart=True)
        result.assert_outcomes(passed=4, failed=1)
        result.stdout.fnmatch_lines(
            ["*= onerouter-mock =*", "6 calls in 4 tests   own key 6   shared pool 0*", "*6 x  byok:openai"]
        )
    assert "onerouter-mock ===" not in run(text).stdout.str()


def test_github_gets_annotations_and_a_summary(
    run, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(pytester.path / "summary.md"))
    result = run("""
def test_red(onerouter):
    ask()
    onerouter.assert_route("byok:openai")
""", "--onerouter-github")  # fmt: skip
    result.stdout.fnmatch_lines(
        ["::error file=test_it.py,line=*,title=test_it.py%3A%3Atest_red::*took another route%0A*"]
    )
    assert "| `shared:openai` | 1 |" in (pytester.path / "summary.md").read_text()


def test_strict_fails_a_test_that_asks_for_paths_that_are_not_emulated(run: Run) -> None:
    text = """
from asking import ask as get
def test_stray(onerouter):
    get(onerouter.url + "/v1/nowhere")
def test_good(onerouter):
    ask()
"""
    run(text).assert_outcomes(passed=2)
    result = run(text, ini="onerouter_strict = true\n")
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(
        ["strict: requests to paths that the mock does not emulate", "  #1 GET /v1/nowhere"]
    )


OPTIONS = ("--onerouter-scenario=outage", "--onerouter-clock=real", "--onerouter-waits=jump")


def test_options_win_over_scenarios_and_markers_over_options(run: Run) -> None:
    result = run("""
def told(onerouter):
    scenario = onerouter._control.read("scenario")
    return scenario["name"], scenario["seed"], scenario["clock"], scenario["waits"]
def test_options(onerouter):
    assert told(onerouter) == ("outage", 5, "real", "jump")
@pytest.mark.onerouter("ratelimit", seed=6, clock="virtual", waits="told")
def test_marker(onerouter):
    assert told(onerouter) == ("ratelimit", 6, "virtual", "told")
    onerouter.use("flaky")
    assert told(onerouter)[:3] == ("flaky", 5, "real")
""", *OPTIONS, ini="onerouter_seed = 5\n")  # fmt: skip
    result.assert_outcomes(passed=2)


def test_a_scenario_that_is_put_over_http_has_the_fixtures_clock(run: Run) -> None:
    result = run("""
from asking import ask as get
def test_put(onerouter):
    assert get(onerouter.url + "/_mock/scenario", "PUT", {"extends": "ratelimit"}).json["clock"] == "virtual"
    assert get(onerouter.url + "/s/a@outage/_mock/clock").json["mode"] == "virtual"
    assert get(onerouter.url + "/_mock/scenario", "PUT", {"clock": "real"}).json["clock"] == "real"
""")
    result.assert_outcomes(passed=1)


def test_rules_of_a_marker_are_known_by_the_tests_line(run: Run) -> None:
    result = run("""
@pytest.mark.onerouter(rules=[{"when": {"lane": "byok"}, "error": "quota"}])
def test_override(onerouter):
    ask(byok=OWN)
    assert onerouter.last.attempts[0].where == "test_it.py:8"
    onerouter.use({"rules": [{"when": {"lane": "byok"}, "error": "quota"}]})
    ask(byok=OWN)
    assert onerouter.last.attempts[0].where == "test_it.py:12"
""")
    result.assert_outcomes(passed=1)


def test_the_scenarios_own_clock_is_kept(run: Run) -> None:
    result = run("""
@pytest.mark.onerouter("clock: real")
def test_real(onerouter):
    assert onerouter._control.read("clock")["mode"] == "real"
@pytest.mark.onerouter("seed: 1")
def test_virtual(onerouter):
    assert onerouter._control.read("clock")["mode"] == "virtual"
""")
    result.assert_outcomes(passed=2)


@pytest.mark.parametrize(
    ("option", "hint"),
    [("--onerouter-seed=x", "'x' is no seed"), ("--onerouter-clock=fast", "would be right: real or virtual")],
)
def test_wrong_options_are_usage_errors(run: Run, option: str, hint: str) -> None:
    result = run("def test_a(onerouter): pass", option, ini="onerouter_scope = session\n")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert hint in result.stderr.str() + result.stdout.str()


def test_session_scope_is_there_before_conftest_and_reset_before_each_test(run: Run) -> None:
    result = run("""
from conftest import ADDRESS
def test_first(onerouter):
    assert onerouter.base_url == ADDRESS == os.environ["OPENAI_BASE_URL"]
    onerouter.byok.fail("quota")
    onerouter.advance("5s")
    chat(ADDRESS, OWN)
    assert onerouter.fallbacks == 1
@pytest.mark.onerouter("ratelimit")
def test_second(onerouter):
    assert (onerouter.calls, onerouter.now, onerouter.base_url) == ([], 0, ADDRESS)
    chat(ADDRESS, OWN)
    assert onerouter.routes == ["byok:openai"]
    onerouter.reset()
    assert onerouter._control.read("scenario")["name"] == "ratelimit"
def test_third(onerouter):
    assert onerouter._control.read("scenario")["name"] == "healthy"
def test_without_fixture():
    assert ask().status == 200
""", ini="onerouter_scope = session\n", conftest="""
ADDRESS = os.environ["OPENAI_BASE_URL"]
""")  # fmt: skip
    result.assert_outcomes(passed=4)


def test_a_server_that_runs_already_gives_each_test_a_session(run: Run) -> None:
    with onerouter_mock.serve("ratelimit") as server:
        result = run("""
@pytest.mark.parametrize("n", ["a/b", "é" * 90])
def test_own(onerouter, n):
    for _ in range(4):
        ask(byok=OWN)
    assert onerouter.fallbacks == 1
    assert onerouter.url.partition("/s/")[2].startswith("test_it.py-test_own-")
@pytest.mark.onerouter("outage")
def test_marker(onerouter):
    assert ask(byok={**OWN, "fallback": False}).status == 503
    assert onerouter._control.read("clock")["mode"] == "virtual"
    onerouter.assert_route("byok:openai!overloaded")
""", f"--onerouter-url={server.url}", "--onerouter-report", apart=True)  # fmt: skip
        result.assert_outcomes(passed=3)
        result.stdout.fnmatch_lines(["9 calls in 3 tests*"])
        assert server.calls == []


def test_a_fixture_of_that_name_wins_and_with_the_marker_we_warn(run: Run) -> None:
    text = """
@pytest.mark.onerouter
def test_marked(onerouter):
    assert onerouter == "mine"
def test_plain(onerouter):
    assert onerouter == "mine"
"""
    conftest = """
@pytest.fixture
def onerouter():
    return "mine"
"""
    result = run(text, "-W", "default", conftest=conftest)
    result.assert_outcomes(passed=2, warnings=1)
    result.stdout.fnmatch_lines(
        ["*the marker `onerouter` has no effect: the fixture of that name in *conftest.py:*"]
    )
    building = """
@pytest.fixture
def onerouter(onerouter):
    onerouter.byok.fail("quota")
    return onerouter
"""
    result = run("""
@pytest.mark.onerouter("ratelimit")
def test_marked(onerouter):
    ask(byok=OWN)
    assert onerouter.routes == ["byok:openai!quota -> shared:openai"]
""", conftest=building)  # fmt: skip
    result.assert_outcomes(passed=1)


def test_works_in_threads_subprocesses_and_frozen_time(run: Run) -> None:
    result = run("""
import subprocess, threading
from freezegun import freeze_time
def test_thread(onerouter):
    threads = [threading.Thread(target=ask) for _ in range(4)]
    [thread.start() for thread in threads]
    assert len(onerouter.wait_for_calls(4)) == 4
    [thread.join() for thread in threads]
def test_subprocess(onerouter):
    code = "import os, urllib.request as u; print(u.urlopen(os.environ['OPENAI_BASE_URL'] + '/models').code)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "200\\n"
    assert onerouter.last.endpoint == "models"
@freeze_time("2020-01-01")
@pytest.mark.onerouter(clock="real", rules=[{"delay": "20ms"}])
def test_frozen(onerouter):
    assert ask().status == 200
    assert onerouter.last.ended_ms >= 20
""")
    result.assert_outcomes(passed=3)


def test_a_run_that_does_not_use_it_imports_nothing_heavy(run: Run) -> None:
    result = run(
        """
def test_modules():
    heavy = {"aiohttp", "pydantic", "faker", "yaml", "orjson", "onerouter_mock.mock", "onerouter_mock.host"}
    assert not heavy & set(sys.modules)
""",
        apart=True,
    )
    result.assert_outcomes(passed=1)


def test_importing_the_plugin_takes_less_than_five_milliseconds() -> None:
    code = (
        "import pytest, sys, time; t = time.perf_counter(); import onerouter_mock.pytest_plugin;"
        "print(time.perf_counter() - t)"
    )
    times = [
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout)
        for _ in range(3)
    ]
    assert min(times) < 0.005
