"""`onerouter_scope = session`: one address for the run, and every test in a world of its own all the same."""

from __future__ import annotations

import pytest
from plugin_run import Run

import onerouter_mock

pytest_plugins = ["pytester"]

SESSION = "onerouter_scope = session\n"
FAILS_FOR_ONE = """
def test_one(onerouter):
    onerouter.router.fail("invalid_key")
    onerouter.advance("5s")
def test_two():
    assert ask().status == 200
"""


@pytest.mark.parametrize("args", [(), ("-n", "1")])
def test_a_test_that_names_no_fixture_does_not_see_the_world_of_the_one_before(
    run: Run, args: tuple[str, ...]
) -> None:
    run(FAILS_FOR_ONE, *args, ini=SESSION, apart=bool(args)).assert_outcomes(passed=2)


def test_nor_on_a_server_elsewhere(run: Run) -> None:
    with onerouter_mock.serve() as server:
        result = run(FAILS_FOR_ONE, f"--onerouter-url={server.url}", "--onerouter-report", ini=SESSION)
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["1 call in 2 tests *"])


def test_tests_of_any_kind_begin_afresh(run: Run) -> None:
    result = run('''
import unittest
def breaks(number):
    def test(self=None):
        assert ask().status == 200
        from onerouter_mock import connect
        connect(os.environ["ONEROUTER_MOCK_URL"]).router.fail("invalid_key")
    return test
test_function = breaks(1)
class TestUnit(unittest.TestCase):
    test_method = breaks(2)
    test_other = breaks(3)
async def test_async():
    breaks(4)()
def documented():
    """
    >>> breaks(5)()
    """
class TestClass:
    def setup_method(self):
        assert ask().status == 200
    def test_method(self):
        breaks(6)()
''', "--doctest-modules", "--onerouter-report", ini=SESSION)  # fmt: skip
    result.assert_outcomes(passed=6)
    result.stdout.fnmatch_lines(["7 calls in 6 tests *"])


def test_a_failing_test_that_names_no_fixture_tells_its_story_and_no_other_does(run: Run) -> None:
    result = run("""
def test_before(): ask(byok=OWN)
def test_red():
    assert ask().status == 500
def test_elsewhere():
    assert 1 == 2
""", "--onerouter-report", ini=SESSION)  # fmt: skip
    result.assert_outcomes(passed=1, failed=2)
    text = result.stdout.str()
    assert text.count("onerouter-mock: what it saw") == 1
    result.stdout.fnmatch_lines(
        ["*#1  200  shared:openai*", "2 calls in 2 tests   own key 1   shared pool 1 *"]
    )


def test_calls_of_wider_fixtures_belong_to_the_tests_around_them(run: Run) -> None:
    result = run("""
@pytest.fixture(scope="session", autouse=True)
def warm():
    ask()
    yield
    ask(byok=OWN)
def test_first(onerouter):
    assert onerouter.routes == ["shared:openai"]
def test_last(onerouter):
    assert onerouter.calls == []
""", "--onerouter-report", ini=SESSION)  # fmt: skip
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["2 calls in 2 tests   own key 1   shared pool 1 *"])


def test_calls_at_import_belong_to_no_test(run: Run) -> None:
    result = run("""
ask()
def test_first(onerouter):
    assert onerouter.calls == []
def test_other(): pass
""", "--onerouter-report", ini=SESSION)  # fmt: skip
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["0 calls in 1 test *"])


def test_the_scenario_of_a_marker_ends_with_its_test(run: Run) -> None:
    result = run("""
OWN_ONLY = {**OWN, "fallback": False}
@pytest.mark.onerouter("outage")
def test_marked():
    assert ask(byok=OWN_ONLY).status == 503
def test_unmarked():
    assert ask(byok=OWN_ONLY).status == 200
@pytest.mark.onerouter("outage")
def test_unused(): pass
def test_again():
    assert ask(byok=OWN_ONLY).status == 200
@pytest.mark.skip
@pytest.mark.onerouter("outrage")
def test_skipped(): pass
@pytest.mark.onerouter("outrage")
def test_wrong(): pass
def test_after():
    assert ask(byok=OWN_ONLY).status == 200
""", ini=SESSION)  # fmt: skip
    result.assert_outcomes(passed=5, skipped=1, errors=1)
    assert "did you mean 'outage'?" in result.stdout.str()


def test_strict_fails_tests_that_name_no_fixture_too(run: Run) -> None:
    result = run("""
from asking import ask as get
def test_stray():
    get(os.environ["ONEROUTER_MOCK_URL"] + "/v1/nowhere")
def test_good():
    ask()
def test_idle(): pass
""", "--onerouter-strict", ini=SESSION)  # fmt: skip
    result.assert_outcomes(passed=3, errors=1)
    result.stdout.fnmatch_lines(["  #1 GET /v1/nowhere", "*onerouter-mock: what it saw*"])


def test_github_annotates_a_failing_test_that_names_no_fixture(run: Run) -> None:
    result = run("""
def test_red():
    assert ask().status == 500
def test_green(): pass
def test_elsewhere():
    assert 1 == 2
""", "--onerouter-github", ini=SESSION)  # fmt: skip
    assert [line[:45] for line in result.outlines if line.startswith("::error")] == [
        "::error file=test_it.py,line=9,title=test_it."
    ]


def test_a_fixture_of_that_name_keeps_its_own_and_the_world_is_fresh(run: Run) -> None:
    result = run("""
def test_breaks():
    from onerouter_mock import connect
    connect(os.environ["ONEROUTER_MOCK_URL"]).router.fail("invalid_key")
@pytest.mark.filterwarnings("default")
@pytest.mark.onerouter("outage")
def test_theirs(onerouter):
    assert onerouter == "mine"
    assert ask(byok={**OWN, "fallback": False}).status == 200
""", "-W", "default", ini=SESSION, conftest="""
@pytest.fixture
def onerouter():
    return "mine"
""")  # fmt: skip
    result.assert_outcomes(passed=2, warnings=1)
