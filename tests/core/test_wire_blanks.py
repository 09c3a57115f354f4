"""White space around a key: it is a part of the key, it hides nothing of it, and it is told."""

from __future__ import annotations

import json
from typing import Any

import pytest
from asked import OWN_KEY, ROUTER_KEY, body, good, own, read, refused
from builders import scenario

AZURE = {"endpoint_url": "https://x/", "api_key": OWN_KEY, "model_id": "gpt"}
VERTEX = {
    "type": "service_account", "project_id": "p", "client_email": "a@b",
    "private_key": "-----BEGIN KEY-----\nabcdefghijkl\n-----END KEY-----\n", "private_key_id": OWN_KEY,
}  # fmt: skip
BLANKS = [
    f"{OWN_KEY}\n",
    f"{OWN_KEY}\r\n",
    f" {OWN_KEY}",
    f"\t{OWN_KEY} ",
    f"\ufeff{OWN_KEY}\n",
    f"\xa0{OWN_KEY}",
]


@pytest.mark.parametrize("credentials", BLANKS, ids=ascii)
@pytest.mark.parametrize("members", [{}, {"fallback": "no"}], ids=["good", "refused"])
def test_the_key_without_its_blanks_is_a_secret_too(credentials: str, members: dict[str, Any]) -> None:
    asked = body(byok_conf=own(credentials=credentials, **members), user=f"mine is {OWN_KEY}.")
    call, error = read(asked, headers={"authorization": f"Bearer {ROUTER_KEY}", "x-title": OWN_KEY})
    shown = [call.sealed.body(), call.sealed.headers(), call.notices, repr(error)]
    assert OWN_KEY not in json.dumps(shown)
    assert call.sealed.cut(f"you said {OWN_KEY}!") == "you said [secret]!"


@pytest.mark.parametrize("credentials", BLANKS, ids=ascii)
def test_the_last_four_characters_are_those_of_the_key(credentials: str) -> None:
    byok = good(body(byok_conf=own(credentials=credentials))).byok
    assert byok is not None
    assert byok.last4 == OWN_KEY[-4:]


def test_a_key_of_several_lines_shows_no_end() -> None:
    byok = good(body(byok_conf=own(credentials=f"{OWN_KEY}\n{OWN_KEY}"))).byok
    assert byok is not None
    assert byok.last4 is None


@pytest.mark.parametrize(
    ("credentials", "said"),
    [
        (f"{OWN_KEY}\n", "byok_conf.credentials ends in a line break"),
        (f"{OWN_KEY}\r\n", "byok_conf.credentials ends in a line break"),
        (f"{OWN_KEY} ", "byok_conf.credentials ends in white space"),
        (f"\n{OWN_KEY}", "byok_conf.credentials begins with a line break"),
        (f"\ufeff{OWN_KEY}", "byok_conf.credentials begins with white space"),
        (f" {OWN_KEY}\n", "byok_conf.credentials ends in a line break"),
    ],
    ids=ascii,
)
def test_blanks_around_a_key_are_told(credentials: str, said: str) -> None:
    assert good(body(byok_conf=own(credentials=credentials))).notices == [
        f"{said}; would be right: the key alone"
    ]


def test_blanks_in_an_object_are_told_with_the_members_name() -> None:
    conf = own(provider="azure-ai-foundry", credentials={**AZURE, "api_key": f"{OWN_KEY}\n", "more": " "})
    call = good(body(byok_conf=conf, user=OWN_KEY))
    assert call.notices == [
        "byok_conf.credentials.api_key ends in a line break; would be right: the key alone"
    ]
    assert OWN_KEY not in json.dumps(call.sealed.body())


@pytest.mark.parametrize(
    "conf",
    [own(), own(provider="google-vertex", credentials=VERTEX), own(credentials="a key with spaces")],
    ids=["text", "pem", "inner"],
)
def test_a_key_without_blanks_has_no_notice(conf: dict[str, Any]) -> None:
    assert good(body(byok_conf=conf)).notices == []


def test_a_key_with_a_line_break_is_another_key() -> None:
    of = scenario(keys={"alice": {"match": OWN_KEY}})
    plain, broken = (
        good(body(byok_conf=own(credentials=key)), of=of).byok for key in (OWN_KEY, f"{OWN_KEY}\n")
    )
    assert plain is not None
    assert broken is not None
    assert (plain.key, broken.key) == ("alice", None)
    assert plain.ident != broken.ident


def test_a_model_that_holds_the_key_is_refused_though_the_key_has_a_line_break() -> None:
    error = refused(body(byok_conf=own(credentials=f"{OWN_KEY}\n"), model=OWN_KEY))
    assert error.param == "model"
    assert OWN_KEY not in error.message


def test_blank_texts_and_provider_names_are_no_secrets() -> None:
    call, error = read(
        body(byok_conf={"provider": "openai\n", "credentials": " "}, user="openai is my choice")
    )
    assert error is not None
    shown = call.sealed.body()
    assert shown is not None
    assert shown["user"] == "openai is my choice"
    assert shown["messages"][0]["content"] == "What is the meaning of life?"


@pytest.mark.parametrize(
    "header", [f"Bearer\t{ROUTER_KEY}", f"bearer \t {ROUTER_KEY}\t", f"Basic\t{ROUTER_KEY}"]
)
def test_a_router_key_behind_a_tab_is_a_secret(header: str) -> None:
    call, _ = read(
        body(user=f"mine is {ROUTER_KEY}"), headers={"authorization": header, "x-title": ROUTER_KEY}
    )
    assert ROUTER_KEY not in json.dumps([call.sealed.body(), call.sealed.headers()])
    assert (call.account == "default") == header.lower().startswith("bearer")
