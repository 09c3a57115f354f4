"""The pytest plugin, in pytest runs of its own: fixture and marker."""

from __future__ import annotations

import subprocess
import sys

import pytest
from plugin_run import HEAD, INI, Run

pytest_plugins = ["pytester"]


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


def test_fixtures_that_clean_the_environment_lead_no_test_to_the_real_service(run: Run) -> None:
    conftest = """
@pytest.fixture(autouse=True)
def no_real_service(monkeypatch):
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-mock-quota")
@pytest.fixture
def wrong_address(monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
"""
    result = run("""
@pytest.mark.onerouter
class TestMarked:
    def setup_method(self):
        self.address = os.environ["OPENAI_BASE_URL"]
    def test_method(self, onerouter):
        assert self.address == onerouter.base_url == os.environ["OPENAI_BASE_URL"]
def test_argument(onerouter):
    assert os.environ["OPENAI_BASE_URL"] == onerouter.base_url
    assert os.environ["ANTHROPIC_API_KEY"] == onerouter.api_key
    assert os.environ["OPENAI_API_KEY"] == "sk-mock-quota"  # good here, and may be meant
def test_a_fixture_that_is_asked_for_wins(onerouter, wrong_address):
    assert os.environ["OPENAI_BASE_URL"] == "http://127.0.0.1:9/v1"
def test_body(onerouter, monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
def test_after():
    assert "OPENAI_BASE_URL" not in os.environ
    assert "ANTHROPIC_BASE_URL" not in os.environ
""", conftest=conftest)  # fmt: skip
    result.assert_outcomes(passed=5)


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


def test_the_engine_is_not_compiled_anew_by_pytests_rewriting_hook(run: Run) -> None:
    text = """
def test_modules(request, onerouter):
    hook = request.config.pluginmanager.rewrite_hook
    assert hook in sys.meta_path
    ask()
    assert not [name for name in hook._rewritten_names if name.startswith(("faker", "onerouter_mock."))
                and name != "onerouter_mock.pytest_plugin"]
"""
    run(text, apart=True).assert_outcomes(passed=1)
    run(text, ini="onerouter_scope = session\n", apart=True).assert_outcomes(passed=1)
