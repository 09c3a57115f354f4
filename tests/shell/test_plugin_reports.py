"""What a pytest run tells of the mock: report sections, the terminal summary, GitHub."""

from __future__ import annotations

import re

import pytest
from plugin_run import Run

pytest_plugins = ["pytester"]


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
        ["::error file=test_it.py,line=10,title=test_it.py%3A%3Atest_red::*took another route%0A*"]
    )
    assert "| `shared:openai` | 1 |" in (pytester.path / "summary.md").read_text()


def test_github_finds_files_from_its_workspace_and_failures_of_teardown(
    run: Run, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_WORKSPACE", str(pytester.path.parent))
    result = run("""
from asking import ask as get
def test_stray(onerouter):
    get(onerouter.url + "/v1/nowhere")
@pytest.fixture
def client(onerouter):
    raise RuntimeError("no client")
def test_setup(client): pass
""", "--onerouter-github", "--onerouter-strict")  # fmt: skip
    folder = pytester.path.name
    result.stdout.fnmatch_lines(
        [
            f"::error file={folder}/test_it.py,line=9,title=test_it.py%3A%3Atest_stray::Failed: strict: *",
            f"::error file={folder}/test_it.py,line=13,title=test_it.py%3A%3Atest_setup::RuntimeError: no client",
        ]
    )


def test_a_slip_is_shown_at_the_authors_own_line(run: Run) -> None:
    result = run("""
def test_kind(onerouter):
    onerouter.byok.fail("ratelimit")
def test_word(onerouter):
    onerouter.shared.slow("2s", tims=1)
def test_scenario(onerouter):
    onerouter.use("outrage")
def test_time(onerouter):
    onerouter.advance("61")
def test_rule(onerouter):
    onerouter.rule(eror=429)
def test_limit(onerouter):
    onerouter.byok.limit(3)
def test_wait(onerouter):
    onerouter.wait_for_calls(1, timeout="10ms")
""")
    result.assert_outcomes(failed=7)
    text = result.stdout.str()
    assert "site-packages" not in text
    assert "onerouter_mock/" not in text
    assert "no call: none was made, or the client went to another address" in text
    for line in (9, 11, 13, 15, 17, 19, 21):
        assert f"\ntest_it.py:{line}: " in text


def test_a_failing_teardown_shows_the_timeline_too(run: Run) -> None:
    result = run("""
@pytest.fixture
def client(onerouter):
    yield
    ask()
    raise RuntimeError("left open")
def test_a(client): pass
""")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*RuntimeError: left open", "*what it saw*", "*#1  200  shared:openai*"])


def test_a_test_of_many_calls_shows_the_last(run: Run) -> None:
    result = run("""
def test_a(onerouter):
    for _ in range(50):
        ask()
    assert False, "on purpose"
""")
    result.stdout.fnmatch_lines(
        ["*what it saw*", "scenario healthy*", "*… 10 earlier calls", "*#11 *", "*#50 *"]
    )
    assert "  #1 " not in result.stdout.str()


def test_totals_add_up_where_the_router_answered_itself(run: Run) -> None:
    result = run("""
from asking import ask as get
def test_a(onerouter):
    ask()
    get(onerouter.base_url + "/models")
    get(onerouter.base_url + "/nowhere")
    assert onerouter._control.read("stats")["served_by"] == {"byok": 0, "shared": 1, "nobody": 1}
""", "--onerouter-report")  # fmt: skip
    result.stdout.fnmatch_lines(
        ["3 calls in 1 test   own key 0   shared pool 1   nobody 1   router 1   credits *"]
    )
