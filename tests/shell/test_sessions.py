from __future__ import annotations

import pytest

from onerouter_mock.sessions import SessionError, scenario_in, split_address


@pytest.mark.parametrize(
    ("path", "header", "name", "inner"),
    [
        ("/v1/chat/completions", None, "default", "/v1/chat/completions"),
        ("/v1/chat/completions", "a", "a", "/v1/chat/completions"),
        ("/v1/chat/completions", " a%40b ", "a@b", "/v1/chat/completions"),
        ("/v1/chat/completions", "", "default", "/v1/chat/completions"),
        ("/s/a/v1/models", None, "a", "/v1/models"),
        ("/s/a/v1/models", "b", "a", "/v1/models"),
        ("/s/a@outage/_mock/calls", None, "a@outage", "/_mock/calls"),
        ("/s/a", None, "a", "/"),
        ("/s/a/", None, "a", "/"),
        ("/s/a/s/b/v1", None, "a", "/s/b/v1"),
        ("/s", None, "default", "/s"),
        ("/s/" + "x" * 128 + "/v1", None, "x" * 128, "/v1"),
    ],
)
def test_a_session_is_named_by_path_then_header(path: str, header: str | None, name: str, inner: str) -> None:
    headers = {} if header is None else {"x-onerouter-session": header}
    assert split_address(path, headers) == (name, inner)


@pytest.mark.parametrize("name", ["", "a b", "ä", "a:b", "x" * 129, "..%2f", "a\n"])
def test_a_bad_name_is_refused_with_the_right_form(name: str) -> None:
    with pytest.raises(SessionError, match="is no name; would be right") as caught:
        split_address(f"/s/{name}/v1", {})
    assert caught.value.status == 400
    if name:
        with pytest.raises(SessionError):
            split_address("/v1", {"x-onerouter-session": f"x{name}x" if name == "a\n" else name})


@pytest.mark.parametrize(
    ("name", "scenario"),
    [("a", None), ("a@outage", "outage"), ("a@b@slow-stream", "slow-stream"), ("@outage", "outage")],
)
def test_a_name_may_ask_for_a_scenario(name: str, scenario: str | None) -> None:
    assert scenario_in(name) == scenario


@pytest.mark.parametrize("name", ["a@", "a@my.yaml", "a@Outage", "me@example.com", "a@" + "x" * 65])
def test_a_name_never_asks_for_a_file(name: str) -> None:
    with pytest.raises(SessionError, match="is no scenario") as caught:
        scenario_in(name)
    assert caught.value.status == 404
