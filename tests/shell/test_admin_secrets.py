"""A story of `verify` shows no credential, whoever spelled it: the scenario, the expectation, a call; and what
it shows in the place of one makes the same calls again.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from asking import ask, chat

import onerouter_mock
from onerouter_mock import OneRouterMock
from onerouter_mock.admin.stand_ins import hide_credentials, make_stand_ins, sample_keys
from onerouter_mock.core.scenario.load import build_scenario

KEY, ROUTER_KEY = "sk-REALSECRET-abcdefgh7f3a", "sk-or-REALROUTER-12345678"
OWN = {"provider": "openai", "credentials": KEY}
FELL = "byok:openai!quota -> shared:openai"
QUOTA = [{"when": {"key": "alice"}, "error": "quota"}]


def fall(mock: OneRouterMock) -> None:
    chat(mock.base_url, OWN, {"Authorization": f"Bearer {ROUTER_KEY}"})
    assert mock.last.route == FELL


def story_of(mock: OneRouterMock, **expectation: Any) -> str:
    answered = ask(f"{mock.url}/_mock/verify", "POST", expectation)
    assert answered.status == 409, answered.text
    return answered.text


def play_again(story: str, folder: Path) -> str:
    command = next(line for line in story.splitlines() if line.startswith("  again:"))[11:]
    command = command.replace("onerouter-mock", f"{sys.executable} -m onerouter_mock")
    shown = subprocess.run(command, shell=True, cwd=folder, capture_output=True, text=True)
    return shown.stdout + shown.stderr


EXACT: dict[str, Any] = {
    "keys": {"alice": {"match": KEY}},
    "accounts": {"me": {"match": [ROUTER_KEY]}},
    "rules": QUOTA,
}


@pytest.mark.parametrize(
    "scenario",
    [
        EXACT,
        {**EXACT, "auth": "listed"},
        {**EXACT, "keys": {"alice": {"match": [KEY, "sk-other-*"]}}},
        {**EXACT, "keys": {"all": {"match": "sk-REAL*", "provider": "groq"}, "alice": {"match": KEY}}},
        {**EXACT, "keys": {"alice": {"match": f"{KEY[:-4]}*"}}},
        {**EXACT, "keys": {"alice": {"match": f"{KEY[:-1]}[abc]"}}},
        {**EXACT, "extends": "healthy"},
    ],
    ids=lambda scenario: str(scenario["keys"])[:60],
)
def test_a_credential_in_a_scenario_is_not_shown_and_the_call_can_be_made_again(
    tmp_path: Path, scenario: dict[str, Any]
) -> None:
    with onerouter_mock.serve(scenario, clock="virtual") as mock:
        fall(mock)
        story = story_of(mock, route="byok:openai")
    assert KEY[:-5] not in story
    assert ROUTER_KEY[:-5] not in story
    assert FELL in play_again(story, tmp_path)


def test_a_credential_in_a_file_is_not_shown_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text(
        f"keys: {{alice: {{match: {KEY}}}}}\nrules: [{{when: {{key: alice}}, error: quota}}]\n"
    )
    with onerouter_mock.serve("mine.yaml", clock="virtual") as mock:
        fall(mock)
        story = story_of(mock, route="byok:openai")
    assert KEY[:-5] not in story
    assert FELL in play_again(story, tmp_path)


def test_a_glob_in_a_rule_that_is_nearly_a_credential_is_not_shown() -> None:
    with onerouter_mock.serve() as mock:
        mock.byok.fail("quota", key=f"{KEY[:-4]}*")
        fall(mock)
        assert KEY[:-5] not in story_of(mock, route="byok:openai")


@pytest.mark.parametrize(
    "expectation",
    [{"key_used": {"name": KEY}}, {"route": f"byok:openai({KEY})"}, {"served_by": {"provider": KEY}}],
    ids=str,
)
def test_a_credential_in_an_expectation_is_not_shown(expectation: dict[str, Any]) -> None:
    with onerouter_mock.serve(EXACT) as mock:
        fall(mock)
        assert KEY not in story_of(mock, **expectation)


def test_the_credential_of_an_expectation_that_no_call_had_is_not_shown() -> None:
    with onerouter_mock.serve() as mock:
        with pytest.raises(AssertionError) as silent:
            mock.assert_key_used(KEY)
        chat(mock.base_url, {**OWN, "credentials": "sk-another-key-1234"})
        with pytest.raises(AssertionError, match=r"key '…7f3a' was used in no calls") as other:
            mock.assert_key_used(KEY)
    assert KEY not in str(silent.value)
    assert KEY not in str(other.value)


def test_a_short_glob_stays_as_it_was_written() -> None:
    said = {"keys": {"alice": {"match": "sk-alice-*"}}, "rules": QUOTA, "limits": []}
    scenario = build_scenario(said)
    assert hide_credentials(said, make_stand_ins(scenario)) == said
    assert sample_keys(scenario) == {"alice": "sk-alice-made-up"}


def test_a_key_that_others_take_has_no_sample() -> None:
    keys = {"all": {"match": "sk-*"}, "alice": {"match": KEY}, "groq": {"match": "[s]k*", "provider": "groq"}}
    assert sample_keys(build_scenario({"keys": keys})) == {"all": "sk-made-up"}


def test_the_name_of_a_key_is_not_taken_for_a_credential() -> None:
    said = {"keys": {"alice": {"match": "alice"}}, "rules": QUOTA, "limits": []}
    hidden = hide_credentials(said, make_stand_ins(build_scenario(said)))
    assert hidden["rules"] == QUOTA
    assert hidden["keys"] == {"alice": {"match": "sk-made-up-1"}}
