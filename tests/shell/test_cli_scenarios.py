"""`scenarios`, `show`, `init`, `check`, `schema`, `explain`: no server, no socket."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from onerouter_mock.cli import main
from onerouter_mock.library import Library

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def no_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket was made")

    monkeypatch.setattr(socket, "socket", refuse)


def test_scenarios_lists_names_with_their_stories(capsys: Captured) -> None:
    assert main(["scenarios"]) == 0
    rows = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    assert [tuple(row) for row in rows] == Library().bundled()


def test_scenarios_lists_those_of_a_directory_first(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "mine.yaml").write_text("# Mine alone.\n")
    (tmp_path / "healthy.yaml").write_text("# My own healthy.\n")
    main(["scenarios", "--scenario-dir", str(tmp_path)])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(maxsplit=1) for line in lines[:2]] == [
        ["healthy", "My own healthy."],
        ["mine", "Mine alone."],
    ]
    assert len([line for line in lines if line.startswith("healthy ")]) == 1


def test_scenarios_lists_what_can_be_loaded_and_tells_of_the_rest(tmp_path: Path, capsys: Captured) -> None:
    for name in ("mine.yaml", "mine.json", "My Scen.yaml"):
        (tmp_path / name).write_text('{"seed": 1}')
    (tmp_path / "broken.yaml").write_text("rules: [{eror: 500}]")
    (tmp_path / "dir.yaml").mkdir()
    assert main(["scenarios", "--scenario-dir", str(tmp_path)]) == 0
    out, err = capsys.readouterr()
    assert [line.split()[0] for line in out.splitlines()] == ["mine", *dict(Library().bundled())]
    what = "scenario: no name leads to this file"
    right = "would be right: its path, or a file name of letters, digits, - and _ that no other has"
    assert err.splitlines() == [
        f"not listed: {tmp_path}/My Scen.yaml: {what}; {right}",
        f"not listed: {tmp_path}/mine.json: {what}; {right}",
        f"not listed: {tmp_path}/broken.yaml:1:10: rules[0].eror: unknown field 'eror'; did you mean 'error'?",
    ]


def test_show_prints_the_file(capsys: Captured) -> None:
    assert main(["show", "ratelimit"]) == 0
    assert capsys.readouterr().out == Library().text("ratelimit")


def test_show_of_an_unknown_name_suggests_one(capsys: Captured) -> None:
    assert main(["show", "ratelimt"]) == 2
    assert capsys.readouterr().err == "scenario: no scenario 'ratelimt'; did you mean 'ratelimit'?\n"


def test_init_writes_a_file_that_passes_check_also_with_everything_taken_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["init", "mine"]) == 0
    text = Path("mine.yaml").read_text()
    Path("all.yaml").write_text(
        text.replace("\n  # - ", "\n  - ").replace("\n# router:", "\nrouter:").replace("\n#   ", "\n  ")
    )
    capsys.readouterr()
    assert main(["check", "mine.yaml"]) == 0
    assert capsys.readouterr().out == "mine.yaml: ok\n"
    assert Library().load("./mine.yaml").limits[0].name == "own-openai"


def test_init_overwrites_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.yaml").write_text("# Precious.\n")
    assert main(["init", "mine"]) == 2
    assert Path("mine.yaml").read_text() == "# Precious.\n"
    assert capsys.readouterr().err == "mine.yaml is there already; would be right: another name\n"


def test_check_prints_every_problem_with_its_place_and_goes_on(tmp_path: Path, capsys: Captured) -> None:
    wrong, right = tmp_path / "wrong.yaml", tmp_path / "right.yaml"
    wrong.write_text("seed: x\nrules:\n  - {name: a, chance: 300%, error: quota}\n")
    right.write_text("seed: 1\n")
    assert main(["check", str(wrong), str(right)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"{wrong}:1:7: seed: ")
    assert lines[1].startswith(f"{wrong}:3:")
    assert lines[2] == f"{right}: ok"


def test_check_warns_without_failing(tmp_path: Path, capsys: Captured) -> None:
    idle = tmp_path / "idle.yaml"
    idle.write_text("rules:\n  - {name: first, error: quota}\n  - {name: second, error: rate_limit}\n")
    assert main(["check", str(idle)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith(f"{idle}:3:") and ": warning: second: " in line for line in lines[:-1])
    assert lines[-1].startswith(f"{idle}: ok (")


def test_schema_is_a_json_schema(capsys: Captured) -> None:
    assert main(["schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert "limits" in schema["properties"]


def explain(capsys: Captured, *words: str) -> list[str]:
    assert main(["explain", *words]) == 0
    return capsys.readouterr().out.splitlines()


@pytest.mark.usefixtures("no_sockets")
def test_explain_shows_the_routes_of_equal_calls(capsys: Captured) -> None:
    head, asked, blank, *lines = explain(capsys, "ratelimit", "--calls", "4")
    story = "Your OpenAI key allows three requests a minute; the shared pool keeps answering."
    assert head == f"ratelimit (seed 0): {story}"
    assert asked == "4 calls to gpt-5.1-chat with an own key at openai"
    assert blank == ""
    assert [line.split()[3] for line in lines[:3]] == ["byok:openai"] * 3
    assert "  byok:openai!rate_limit -> shared:openai  " in lines[3]
    assert lines[4].strip() == "own-openai: 3/min used up by key …7f3a, free in 20s (ratelimit.yaml:3)"
    assert lines[5].startswith("4 calls   own key 3   shared pool 1   nobody 0   credits $")


def test_explain_lets_time_pass_between_calls(capsys: Captured) -> None:
    lines = explain(capsys, "ratelimit", "--calls", "5", "--gap", "20s")
    assert [line.split()[0] for line in lines[3:8]] == ["0.0s", "20.0s", "40.0s", "60.0s", "80.0s"]
    assert lines[8].startswith("5 calls   own key 5 ")


def test_explain_without_fallback_tells_why_the_pool_was_not_tried(capsys: Captured) -> None:
    lines = explain(capsys, "invalid-key", "--calls", "1", "--fallback", "false")
    assert lines[1] == "1 call to gpt-5.1-chat with an own key at openai, fallback false"
    assert "401  byok:openai!invalid_key" in lines[3]
    assert lines[5].strip() == "the shared pool was not tried: byok_conf.fallback is false"


def test_explain_takes_a_key_as_a_client_would_send_it(capsys: Captured) -> None:
    assert "byok:openai!quota -> shared:openai" in explain(capsys, "healthy", "--key", "sk-mock-quota")[3]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--key", ""], "byok_conf.credentials: "),
        (["--provider", "aws-bedrock", "--key", ""], "byok_conf.credentials: "),
        (["--provider", ""], "byok_conf.provider: "),
        (["--model", ""], "model: "),
    ],
)
def test_explain_sends_an_empty_value_as_a_client_would(
    words: list[str], told: str, capsys: Captured
) -> None:
    lines = explain(capsys, "healthy", "--calls", "1", *words)
    assert "400  router!invalid_request" in lines[3]
    assert told in lines[4]


def test_explain_puts_a_key_into_a_request_that_names_no_provider(tmp_path: Path, capsys: Captured) -> None:
    for conf in ({"credentials": "x"}, {"provider": ["openai"]}):
        path = tmp_path / "request.json"
        messages = [{"role": "user", "content": "x"}]
        path.write_text(json.dumps({"model": "gpt-4o-mini", "messages": messages, "byok_conf": conf}))
        lines = explain(capsys, "healthy", str(path), "--calls", "1", "--key", "sk-1")
        assert "400  router!invalid_request" in lines[3]


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("azure-ai-foundry", "gpt-5.1-chat"),
        ("google-vertex", "gemini-2.5-pro"),
        ("aws-bedrock", "anthropic/claude-sonnet-4.5"),
    ],
)
def test_explain_makes_the_credentials_that_a_provider_wants(
    provider: str, model: str, capsys: Captured
) -> None:
    lines = explain(capsys, "healthy", "--provider", provider, "--model", model, "--calls", "1")
    assert f"200  byok:{provider} " in lines[3]


def test_explain_asks_for_streams(capsys: Captured) -> None:
    lines = explain(capsys, "midstream-cut", "--calls", "1", "--stream")
    assert lines[1].startswith("1 streamed call to ")
    assert "byok:openai~cut" in lines[3]


def test_explain_takes_a_request_from_a_file_and_options_win(tmp_path: Path, capsys: Captured) -> None:
    path = tmp_path / "request.json"
    path.write_text(json.dumps({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "x"}]}))
    assert "200  shared:openai " in explain(capsys, "healthy", str(path), "--calls", "1")[3]
    lines = explain(
        capsys, "healthy", str(path), "--calls", "1", "--fallback", "true", "--model", "gpt-5-chat"
    )
    assert lines[1] == "1 call to gpt-5-chat with an own key at openai"


@pytest.mark.parametrize(
    ("words", "route"),
    [
        ((), "shared:openai "),
        (("--account-key", "sk-broke-1"), "router!quota"),
        (("--account-key", ""), "router!invalid_key"),
        (("--account-key", "sk-mock-timeout"), "router!timeout"),
    ],
    ids=str,
)
def test_explain_comes_with_the_key_of_an_account(
    tmp_path: Path, capsys: Captured, words: tuple[str, ...], route: str
) -> None:
    scenario, request = tmp_path / "broke.yaml", tmp_path / "request.json"
    scenario.write_text("accounts: {broke: {match: sk-broke-*, credits: 0}}\n")
    request.write_text('{"model": "gpt-5.1-chat", "messages": [{"role": "user", "content": "x"}]}')
    assert route in explain(capsys, str(scenario), str(request), "--calls", "1", *words)[3]


def test_explain_tells_what_is_wrong_with_a_request(tmp_path: Path, capsys: Captured) -> None:
    path = tmp_path / "request.json"
    path.write_text('{"model": "gpt-5.1-chat"}')
    lines = explain(capsys, "healthy", str(path), "--calls", "1")
    assert "400  router!invalid_request" in lines[3]
    assert lines[4].strip().startswith("messages: ")


@pytest.mark.parametrize(
    ("text", "what"),
    [("[", "no JSON: "), ("[]", "no request body; would be right: "), (None, "no such file")],
)
def test_explain_refuses_what_is_no_request(
    text: str | None, what: str, tmp_path: Path, capsys: Captured
) -> None:
    path = tmp_path / "request.json"
    if text is not None:
        path.write_text(text)
    assert main(["explain", "healthy", str(path)]) == 2
    assert capsys.readouterr().err.startswith(f"{path}: {what}")


def test_explain_of_a_broken_scenario_prints_its_problems(tmp_path: Path, capsys: Captured) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text("rules: [{eror: quota}]\nsed: 1\n")
    assert main(["explain", str(path)]) == 2
    assert len(capsys.readouterr().err.splitlines()) >= 2
