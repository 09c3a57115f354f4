"""Keys: where they are found, whose they are, and that nothing of them gets out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from asked import CHAT, OWN_KEY, ROUTER_KEY, USER, asked, body, good, own, read, refused
from builders import scenario
from hypothesis import given, settings
from hypothesis import strategies as st

from onerouter_mock.core.wire.secrets import cut_secrets, make_sample, matches

CANARY = "canary-5f0c1d2e3b4a"


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer My API Key"},
        {"authorization": "bearer k"},
        {"authorization": "BEARER  k "},
        {"authorization": "k"},
        {"x-api-key": "k"},
    ],
)
def test_a_key_is_found_where_clients_put_it(headers: dict[str, str]) -> None:
    assert good(body(), headers=headers).account == "default"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": ""},
        {"authorization": "Bearer"},
        {"authorization": "Bearer  "},
        {"authorization": "Basic dXNlcjpwYXNz"},
        {"x-api-key": " "},
    ],
)
def test_a_call_without_a_key_is_401_before_its_body_is_looked_at(headers: dict[str, str]) -> None:
    call, error = read(b"{", headers=headers)
    assert error is not None
    assert (error.status, error.kind, call.account) == (401, "invalid_key", None)
    assert error.message == "No token provided"


def test_accounts_are_found_by_their_globs_in_order() -> None:
    accounts = {
        "broke": {"match": "sk-b-*"},
        "off": {"match": "sk-off*", "disabled": True},
        "b": {"match": "sk-*"},
    }
    named = scenario(accounts=accounts)

    def account(key: str, of: Any = named) -> str | None:
        return good(body(), of=of, headers={"x-api-key": key}).account

    assert (account("sk-b-1"), account("sk-c"), account("other")) == ("broke", "b", "default")
    error = refused(body(), of=named, headers={"x-api-key": "sk-off-1"})
    assert (error.status, error.message) == (401, "The token status is not available")
    listed = scenario(accounts=accounts, auth="listed")
    assert account("sk-b-1", listed) == "broke"
    assert refused(body(), of=listed, headers={"x-api-key": "other"}).status == 401


@pytest.mark.parametrize("auth", ["any", "listed"])
def test_a_test_key_of_onerouter_is_good_and_has_its_kind(auth: str) -> None:
    call = good(body(), of=scenario(auth=auth), headers={"x-api-key": "sk-mock-no_provider-1"})
    assert (call.account, call.account_test_kind) == ("default", "no_provider")


def test_the_list_of_models_needs_no_key() -> None:
    for headers in ({}, {"authorization": "Basic x"}, {"x-api-key": "sk-off"}):
        call = good(b"", "/v1/models", method="GET", headers=headers)
        assert call.endpoint == "models"


@pytest.mark.parametrize(
    ("method", "path", "hint"),
    [
        ("GET", "/v1/nothing", ""),
        ("POST", "/chat/completions", '"/v1" is missing; would be right: /v1/chat/completions'),
        ("POST", "/v1/v1/chat/completions", '"/v1" is doubled; would be right: /v1/chat/completions'),
        ("GET", "/v1/chat/completions", "would be right: POST"),
        ("HEAD", "/v1/models", "would be right: GET"),
        ("GET", "/v1/models/", ""),
    ],
)
def test_an_unknown_path_is_404_without_a_key(method: str, path: str, hint: str) -> None:
    call, error = read(b"", path, method=method, headers={})
    assert error is not None
    assert (error.status, error.kind, call.endpoint) == (404, "invalid_request", "unknown")
    assert error.message.startswith(f"Invalid URL ({method} {path})")
    assert error.message.endswith(hint)


def test_a_path_can_not_forge_a_line_of_the_log() -> None:
    call, error = read(b"", "/v1/x\n#9 200\udcff", method="GET")
    assert error is not None
    assert call.path == "/v1/x?#9 200?"
    assert error.message == "Invalid URL (GET /v1/x?#9 200?)"


def _positions() -> list[Any]:
    """Requests that hold the canary in every place where a secret has been seen."""
    deep: Any = CANARY
    for _ in range(50):
        deep = {"credentials": deep}
    azure = {"endpoint_url": "https://x", "api_key": CANARY, "model_id": "m"}
    return [
        body(byok_conf=own(credentials=CANARY)),
        body(
            byok_conf=own(credentials=CANARY), messages=[{"role": "user", "content": f"my key is {CANARY}!"}]
        ),
        body(byok_conf=own(credentials=CANARY), user=CANARY, metadata={CANARY: [CANARY]}),
        body(byok_conf=own(credentials=CANARY), model=CANARY),
        body(byok_conf=own(credentials=CANARY), fallback_models=[CANARY]),
        body(byok_conf=own(credentials=CANARY), temperature=CANARY, n=CANARY),
        body(byok_conf=own(credentials=CANARY, fallback=CANARY)),
        body(byok_conf=own(credentials=CANARY, **{CANARY: 1})),
        body(byok_conf=own(credentials=CANARY), provider={CANARY: 1}, fallback_rules={CANARY: 1}),
        body(
            byok_conf=own(credentials=CANARY), tool_choice={"type": "function", "function": {"name": CANARY}}
        ),
        body(byok_conf={"provider": CANARY.upper(), "credentials": CANARY}),
        body(byok_conf=CANARY),
        body(byok_conf=[CANARY]),
        body(byok_conf={"provider": "openai", "credentials": [CANARY]}),
        body(byok_conf={"provider": "openai", "credentials": {"key": CANARY}}),
        body(byok_conf={"provider": "azure-ai-foundry", "credentials": azure}),
        body(byok_conf={"provider": "azure-ai-foundry", "credentials": azure}, user=CANARY),
        body(byok_conf={"provider": "nobody", "credentials": CANARY}, user=f"<{CANARY}>"),
        body(extra_body={"byok_conf": own(credentials=CANARY)}),
        body(x=deep),
        {"byok_conf": {"credentials": CANARY}},
        [CANARY],
    ]


@pytest.mark.parametrize("wire", ["documented", "observed"])
@pytest.mark.parametrize("content", _positions(), ids=lambda content: json.dumps(content)[:70])
def test_no_credential_gets_out(content: Any, wire: str) -> None:
    headers = {"authorization": f"Bearer {ROUTER_KEY}", "x-title": f"t {CANARY}", "x-stainless-os": CANARY}
    call, error = read(content, of=scenario(wire=wire), headers=headers)
    headers_shown = {} if isinstance(content, list) else call.sealed.headers()
    shown = [call.sealed.body(), headers_shown, call.notices, call.path, call.model, call.fallback_models]
    shown += [
        repr(call.sealed),
        repr(call.byok),
        repr(error),
        error and (error.message, error.param, error.args),
    ]
    assert CANARY not in json.dumps(shown)


def test_a_key_in_the_providers_place_is_not_quoted_back() -> None:
    call, error = read(body(byok_conf={"provider": OWN_KEY, "credentials": "openai"}))
    assert error is not None
    assert error.param == "byok_conf.provider"
    assert OWN_KEY not in error.message + json.dumps(call.sealed.body())


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": f"Bearer {CANARY}"},
        {"authorization": CANARY},
        {"authorization": f"Basic {CANARY}"},
        {"x-api-key": CANARY},
        {"authorization": "Bearer x", "x-api-key": CANARY, "api-key": CANARY},
    ],
)
def test_no_router_key_gets_out(headers: dict[str, str]) -> None:
    for path, method in ((CHAT, "POST"), (f"/v1/{CANARY}", "GET"), (f"/v1/models/{CANARY}", "GET")):
        call, error = read(body(user=CANARY), path, method=method, headers={**headers, "user-agent": CANARY})
        shown = [call.sealed.body(), call.sealed.headers(), call.notices, call.headers.get("authorization")]
        shown += [call.path if call.endpoint == "unknown" else "", repr(error), repr(asked(headers=headers))]
        assert CANARY not in json.dumps(shown)
        assert "x-api-key" not in call.headers


def test_the_journals_body_and_headers() -> None:
    sent = {
        "authorization": f"Bearer {ROUTER_KEY}", "user-agent": "openai-python",
            "content-type": "application/json",
        "accept": "*/*", "x-stainless-retry-count": "2", "x-onerouter-session": "s", "http-referer": "r",
        "x-title": f"my {OWN_KEY}", "cookie": "c", "host": "h",
    }  # fmt: skip
    call = good(body(byok_conf=own(), user=f"a {OWN_KEY} b {ROUTER_KEY}"), headers=sent)
    assert call.sealed.body() == body(
        byok_conf={"provider": "openai", "credentials": "[secret]"}, user="a [secret] b [secret]"
    )
    hidden = dict.fromkeys(("authorization", "cookie", "host"), "[not kept]")
    assert call.sealed.headers() == {**sent, **hidden, "x-title": "my [secret]"}
    assert call.sdk_retry == 2
    assert call.headers["cookie"] == "c"


@pytest.mark.parametrize("odd", ["1e999", "1" + "0" * 30, '"\\ud800"'])
def test_the_keys_of_a_body_that_cannot_be_shown_are_cut_elsewhere(odd: str) -> None:
    text = json.dumps(body(byok_conf=own(), odd=0)).replace('"odd": 0', f'"odd": {odd}')
    call, _ = read(
        text.encode(), headers={"authorization": f"Bearer {ROUTER_KEY}", "x-title": f"my {OWN_KEY}"}
    )
    assert call.sealed.headers()["x-title"] == "my [secret]"
    assert OWN_KEY not in str(call.sealed.body())


def test_a_large_body_is_not_kept() -> None:
    call = good(body(messages=[{**USER, "content": "x" * 70_000}]))
    assert call.sealed.body() is None
    assert call.sealed.kept is None
    assert call.sealed.size > 70_000  # the prompt is


def test_a_repeated_call_has_the_same_retry_key_and_another_one_another() -> None:
    def key(**fields: Any) -> bytes:
        given = {"content": body(), "path": CHAT, **fields}
        return good(**given).sealed.retry_key()

    keys = {
        key(),
        key(content=body(n=1)),
        key(headers={"x-api-key": "other"}),
        key(content=b"", path="/v1/balance", method="GET"),
    }
    assert len(keys) == 4
    assert key() == key()
    assert key(headers={"authorization": f"Bearer {ROUTER_KEY}", "x-stainless-retry-count": "1"}) == key()


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just(f"<{CANARY}>"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5) | st.just(CANARY), inner, max_size=3)
    ),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None)
@given(_JSON)
def test_cutting_leaves_no_occurrence_and_changes_nothing_else(value: Any) -> None:
    assert CANARY not in json.dumps(cut_secrets(value, (CANARY,)))
    assert cut_secrets(value, ()) == value or "credentials" in json.dumps(value)


@pytest.mark.parametrize("glob", ["sk-own", "sk-*", "sk-*-end*", "sk-??"])
def test_a_sample_of_a_glob_is_matched_by_it(glob: str) -> None:
    assert matches(make_sample(glob), (glob,))


def test_of_a_glob_with_choices_no_sample_is_made() -> None:
    assert make_sample("sk-[ab]*") == ""
