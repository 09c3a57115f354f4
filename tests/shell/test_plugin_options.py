"""The plugin's options and their ini twins, the scope `session`, servers that run already."""

from __future__ import annotations

import pytest
from plugin_run import Run

import onerouter_mock

pytest_plugins = ["pytester"]


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
        [
            "strict: requests to paths that the mock does not emulate",
            "  #1 GET /v1/nowhere",
            "  would be right: a path that is emulated, such as POST http://*/v1/chat/completions",
            "*onerouter-mock: what it saw*",
            "*#1  404  router!invalid_request*",
        ]
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
    [
        ("--onerouter-seed=x", "--onerouter-seed: 'x' is no seed"),
        ("--onerouter-clock=fast", "would be right: real or virtual"),
        ("--onerouter-waits=never", "would be right: told or jump"),
        ("--onerouter-url=nowhere", "would be right: http://127.0.0.1:4117"),
        (
            "--onerouter-scenario-dir=nowhere",
            "--onerouter-scenario-dir: 'nowhere' is no directory; looked in",
        ),
        ("-oonerouter_strict=perhaps", "invalid truth value 'perhaps'"),
        ("-oonerouter_scope=sesion", "would be right: test or session"),
    ],
)
@pytest.mark.parametrize("scope", ["test", "session"])
def test_a_wrong_option_is_one_usage_error(run: Run, option: str, hint: str, scope: str) -> None:
    result = run("def test_a(onerouter): pass", option, ini=f"onerouter_scope = {scope}\n")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    text = result.stderr.str() + result.stdout.str()
    assert hint in text
    assert "Traceback" not in text


def test_a_scenario_or_server_of_an_option_that_is_not_there_is_told_with_its_option(run: Run) -> None:
    for option, hint in (
        (
            "--onerouter-scenario=outrage",
            "--onerouter-scenario: no scenario 'outrage'; did you mean 'outage'?",
        ),
        ("--onerouter-url=http://127.0.0.1:9", "--onerouter-url: no mock answers at http://127.0.0.1:9/s/"),
    ):
        result = run("def test_a(onerouter): pass", option)
        result.assert_outcomes(errors=1)
        result.stdout.fnmatch_lines([f"{hint}*"])


def test_a_scenario_dir_is_found_by_tests_that_change_directories(
    run: Run, pytester: pytest.Pytester
) -> None:
    pytester.mkdir("worlds").joinpath("own.yaml").write_text("seed: 3\n")
    pytester.mkdir("elsewhere")
    result = run("""
def test_a(onerouter, monkeypatch):
    monkeypatch.chdir("elsewhere")
    onerouter.use("own")
    assert onerouter._control.read("scenario")["seed"] == 3
""", "--onerouter-scenario-dir=worlds")  # fmt: skip
    result.assert_outcomes(passed=1)


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
    with onerouter:  # later tests need it
        pass
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


def test_a_reset_on_a_server_elsewhere_returns_to_the_markers_scenario(
    run: Run, pytester: pytest.Pytester
) -> None:
    pytester.mkdir("worlds").joinpath("own.yaml").write_text("seed: 3\n")
    text = """
def told(onerouter):
    scenario = onerouter._control.read("scenario")
    return scenario["name"], scenario["seed"], scenario["clock"], onerouter.now
@pytest.mark.onerouter("outage", seed=6)
def test_marker(onerouter):
    onerouter.advance("61s")
    assert told(onerouter) == ("outage", 6, "virtual", 61)
    onerouter.use("flaky")
    onerouter.reset()
    assert told(onerouter) == ("outage", 6, "virtual", 0)
    onerouter.use("own")  # which the server does not have
    assert told(onerouter)[:2] == ("own", 3)
def test_without(onerouter):
    onerouter.use("flaky")
    onerouter.reset()
    assert told(onerouter)[0] == "ratelimit"
"""
    with onerouter_mock.serve("ratelimit") as server:
        for scope in ("test", "session"):
            args = (f"--onerouter-url={server.url}", "--onerouter-scenario-dir=worlds")
            result = run(text, *args, ini=f"onerouter_scope = {scope}\n", apart=True)
            result.assert_outcomes(passed=2)
