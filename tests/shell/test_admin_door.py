"""Who may use the control API: names, addresses and origins, no sockets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onerouter_mock.admin.door import is_home, refuse_visitor

HOME = ["127.0.0.1", "127.0.0.1:4117", "[::1]", "[::1]:80", "10.1.2.3:9", "localhost", "LOCALHOST:4117",
        "mock", "mock_1", "a.localhost", "x.y.local", "db.internal:1", "app.test"]  # fmt: skip
STRANGE = ["", "evil.com", "127.0.0.1.evil.com", "localhost.evil.com", "evil.com:4117", "a@localhost",
           "localhost@evil.com", "evil.localhost.com", "local.", "localhost.", ".localhost", "a..test",
           "127.0.0.1:80.evil.com", "[::1].evil.com", "[evil.com]", "evil.com#.test", "evil.com/.test",
           "a b", "xn--lcalhost-54a.com"]  # fmt: skip


@pytest.mark.parametrize("host", HOME)
def test_a_local_name_or_an_address_may_come_in(host: str) -> None:
    assert refuse_visitor("POST", {"host": host}, ()) is None


@pytest.mark.parametrize("host", STRANGE)
def test_a_name_of_the_public_dns_is_kept_out(host: str) -> None:
    assert "--allow-host" in (refuse_visitor("GET", {"host": host}, ()) or "")


def test_allowed_host_comes_in_whatever_its_port_and_case() -> None:
    assert refuse_visitor("GET", {"host": "CI.example.com:81"}, ("ci.example.com",)) is None
    assert refuse_visitor("GET", {"host": "x.ci.example.com"}, ("ci.example.com",)) is not None


@given(st.from_regex(r"[a-z0-9.-]{1,30}", fullmatch=True))
def test_no_suffix_trick_makes_a_public_name_local(name: str) -> None:
    assert not is_home(f"{name}.evil.com", ())


@pytest.mark.parametrize("site", ["cross-site", "same-site", "", "SAME-SITE"])
def test_a_write_that_a_foreign_page_sent_is_refused(site: str) -> None:
    headers = {"host": "localhost:4117", "sec-fetch-site": site}
    assert refuse_visitor("POST", headers, ()) is not None
    assert refuse_visitor("GET", headers, ()) is None


@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_a_write_of_our_own_page_is_let_in(site: str) -> None:
    headers = {"host": "localhost:4117", "sec-fetch-site": site, "origin": "http://localhost:4117"}
    assert refuse_visitor("POST", headers, ()) is None


@pytest.mark.parametrize(
    ("origin", "host", "ours"),
    [
        ("http://localhost:4117", "localhost:4117", True),
        ("http://LOCALHOST:4117", "localhost:4117", True),
        ("http://[::1]:4117", "[::1]:4117", True),
        ("http://localhost", "localhost:80", True),
        ("https://mock.test", "mock.test", True),
        ("null", "localhost:4117", False),
        ("", "localhost:4117", False),
        ("http://localhost:4118", "localhost:4117", False),
        ("http://127.0.0.1:4117", "localhost:4117", False),
        ("http://localhost:4117.evil.com", "localhost:4117", False),
        ("http://localhost:4117@evil.com", "localhost:4117", False),
        ("http://evil.com", "localhost:4117", False),
        ("file://", "localhost:4117", False),
        ("http://[::1", "localhost:4117", False),
    ],
)
def test_an_origin_is_compared_with_the_requests_own_host(origin: str, host: str, ours: bool) -> None:
    assert (refuse_visitor("DELETE", {"host": host, "origin": origin}, ()) is None) == ours
