"""`byok_conf`: the caller's own key, what is left of it, and what is refused by which name."""

from __future__ import annotations

from typing import Any

import pytest
from asked import OWN_KEY, body, good, own, refused
from builders import scenario

AZURE = {
    "endpoint_url": "https://x.services.ai.azure.com/",
    "api_key": "azure-key-0123456789",
    "model_id": "gpt",
}
VERTEX = {"type": "service_account", "project_id": "p", "private_key": "-----BEGIN KEY-----\n",
    "client_email": "a@b",
          "private_key_id": "0123456789abcdef"}  # fmt: skip
BEDROCK = {
    "accessKeyId": "AKIA0123456789ABCDEF",
    "secretAccessKey": "secret-0123456789",
    "region": "us-east-1",
}


def test_an_own_key_leaves_no_more_than_its_last_4_characters() -> None:
    call = good(body(byok_conf=own()))
    assert call.byok is not None
    assert (call.byok.provider, call.byok.last4, call.byok.fallback, call.byok.key) == (
        "openai",
        "3210",
        True,
        None,
    )
    assert OWN_KEY not in repr(call)
    assert good(body(byok_conf=own(credentials="short"))).byok.last4 is None  # type: ignore[union-attr]  # given


def test_keys_are_told_apart_and_known_by_the_scenarios_names() -> None:
    named = scenario(keys={"alice": {"match": "sk-own-*", "provider": "openai"}, "all": {"match": "*"}})

    def key(**members: Any) -> Any:
        return good(body(byok_conf=own(**members)), of=named).byok

    assert key().key == "alice"
    assert key(provider="groq").key == "all"
    assert key().ident == key().ident
    assert key().ident != key(credentials="sk-own-another").ident
    assert OWN_KEY[-12:] not in key().ident


@pytest.mark.parametrize(
    ("credentials", "kind", "name"),
    [
        ("sk-mock-quota", "quota", "mock-quota"),
        ("mock-invalid_key-7", "invalid_key", "mock-invalid_key"),
        ("sk-mock-rate_limit-a-b", "rate_limit", "mock-rate_limit"),
        ("sk-mock-ok", None, None),
        ("mock-key", None, None),
        ("sk-mock-quotas", None, None),
        ("xmock-quota", None, None),
    ],
)
def test_test_keys(credentials: str, kind: str | None, name: str | None) -> None:
    byok = good(body(byok_conf=own(credentials=credentials))).byok
    assert byok is not None
    assert (byok.test_kind, byok.key) == (kind, name)


@pytest.mark.parametrize(
    ("provider", "credentials", "last4"),
    [
        ("azure-ai-foundry", AZURE, "6789"),
        ("google-vertex", VERTEX, "cdef"),
        ("google-vertex", {**VERTEX, "private_key_id": ...}, None),
        ("aws-bedrock", BEDROCK, "CDEF"),
        ("aws-bedrock", "bedrock-api-key-1234", "1234"),
    ],
)
def test_credentials_have_the_shape_of_their_provider(
    provider: str, credentials: Any, last4: str | None
) -> None:
    if isinstance(credentials, dict):
        credentials = {name: value for name, value in credentials.items() if value is not ...}
    byok = good(body(byok_conf={"provider": provider, "credentials": credentials})).byok
    assert byok is not None
    assert byok.last4 == last4


@pytest.mark.parametrize(
    ("conf", "param", "words"),
    [
        pytest.param("sk", "byok_conf", "an object", id="text"),
        pytest.param([], "byok_conf", "an object", id="list"),
        pytest.param(False, "byok_conf", "an object", id="boolean"),
        pytest.param({}, "byok_conf.provider", "missing", id="empty"),
        pytest.param(own(provider=None), "byok_conf.provider", "missing", id="provider null"),
        pytest.param(own(provider="openia"), "byok_conf.provider", '"openia" is no provider', id="unknown"),
        pytest.param(own(provider=5), "byok_conf.provider", "5 is a number", id="provider number"),
        pytest.param(own(credentials=...), "byok_conf.credentials", "missing", id="no credentials"),
        pytest.param(own(credentials=None), "byok_conf.credentials", "missing", id="credentials null"),
        pytest.param(own(credentials=" "), "byok_conf.credentials", "empty", id="blank"),
        pytest.param(own(credentials={}), "byok_conf.credentials", "text", id="object for text"),
        pytest.param(own(credentials=7), "byok_conf.credentials", "number", id="credentials number"),
        pytest.param(own(provider="azure-ai-foundry"), "byok_conf.credentials", "object",
            id="text for object"),
        pytest.param(own(provider="azure-ai-foundry", credentials={**AZURE, "model_id": ""}),
            "byok_conf.credentials",
                     '"model_id" is empty', id="empty member"),
        pytest.param(own(provider="google-vertex", credentials={"type": "service_account"}),
            "byok_conf.credentials",
                     '"project_id" is missing', id="missing member"),
        pytest.param(own(fallback="true"), "byok_conf.fallback", '"true" is text; would be right: true',
            id="text true"),
        pytest.param(own(fallback=0), "byok_conf.fallback", "true or false", id="number"),
        pytest.param(own(provider="x", credentials="", fallback=1), "byok_conf.provider", "x",
            id="provider first"),
        pytest.param(own(credentials="", fallback=1), "byok_conf.credentials", "",
            id="credentials before fallback"),
    ],
)  # fmt: skip
def test_a_wrong_byok_conf_is_refused_by_name(conf: Any, param: str, words: str) -> None:
    error = refused(body(byok_conf=conf))
    assert (error.status, error.kind, error.param) == (400, "invalid_request", param)
    assert error.message.startswith(f"{param}: ")
    assert words in error.message
