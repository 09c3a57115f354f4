"""The emulated API on real sockets: how requests are read, and what is said to those that are none."""

from __future__ import annotations

import gzip
import json
import logging
import socket
import struct
import time
from collections.abc import Iterator
from typing import Any

import pytest

from onerouter_mock import __version__, connections, server
from onerouter_mock.core.scenario.load import build_scenario
from onerouter_mock.emulator import Emulator, EmulatorOptions
from onerouter_mock.host import Host, shutdown_loop
from onerouter_mock.library import Library

SECRET = "sk-own-canary-0123456789"
CHAT = "/v1/chat/completions"
BODY = {"model": "gpt-5.1-chat", "messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture(scope="module", autouse=True)
def _close_the_loop() -> Iterator[None]:
    yield
    shutdown_loop()


def start(scenario: dict[str, Any] | None = None, **options: Any) -> Host:
    built = build_scenario({"clock": "virtual", **(scenario or {})})
    return Host.start(Emulator(built, Library(), options=EmulatorOptions(**options)))


@pytest.fixture
def host() -> Iterator[Host]:
    with start() as host:
        yield host


def connect(host: Host) -> socket.socket:
    return socket.create_connection((host.host, host.port), timeout=5)


def request(method: str = "POST", path: str = CHAT, body: bytes | None = None, *headers: str) -> bytes:
    if body is None and method == "POST":
        body = json.dumps(BODY).encode()
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: localhost",
        "Authorization: Bearer sk-router-0123456789",
        *headers,
    ]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b"")


def read_answer(sock: socket.socket) -> tuple[int, dict[str, str], bytes]:
    data = b""
    while b"\r\n\r\n" not in data:
        more = sock.recv(65536)
        if not more:
            raise ConnectionError(f"closed after {data!r}")
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    if headers.get("transfer-encoding") == "chunked":
        while not body.endswith(b"0\r\n\r\n"):
            body += sock.recv(65536)
    while len(body) < int(headers.get("content-length", 0)):
        body += sock.recv(65536)
    return int(status.split()[1]), headers, body


def exchange(host: Host, data: bytes) -> tuple[int, dict[str, str], bytes]:
    with connect(host) as sock:
        sock.sendall(data)
        return read_answer(sock)


def entries(host: Host, session: str = "default") -> list[dict[str, Any]]:
    return host.ask(lambda: [entry.as_dict() for entry in host.emulator.session(session).journal.read()])


def wait_until_ended(host: Host) -> dict[str, Any]:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        (entry,) = entries(host)
        if entry["ended_ms"] is not None:
            return entry
    raise AssertionError(f"still in flight: {entry['ending']}")


# Requests


def test_one_connection_carries_many_calls(host: Host) -> None:
    with connect(host) as sock:
        for _ in range(3):
            sock.sendall(request())
            status, headers, body = read_answer(sock)
            assert status == 200
            assert json.loads(body)["object"] == "chat.completion"
            assert headers["x-onerouter-mock-route"] == "shared:openai"
    assert [entry["route"] for entry in entries(host)] == ["shared:openai"] * 3


def test_pipelined_calls_are_answered_in_order(host: Host) -> None:
    with connect(host) as sock:
        sock.sendall(
            request("GET", "/v1/models/gpt-5.1-chat") * 2
            + request("GET", "/healthz", None, "Connection: close")
        )
        data = b""
        while more := sock.recv(65536):
            data += more
    assert data.count(b"HTTP/1.1 200 OK") == 3
    assert data.endswith(b"}")


def test_the_entry_is_complete_for_who_has_read_the_last_byte(host: Host) -> None:
    stream = json.dumps({**BODY, "stream": True}).encode()
    for number in range(1, 30):
        exchange(host, request(body=stream if number % 2 else None))
        shown = entries(host)[-1]
        assert (shown["id"], shown["ending"]) == (number, "finish")


def test_a_session_is_named_by_path_or_header(host: Host) -> None:
    assert exchange(host, request(path=f"/s/one{CHAT}"))[0] == 200
    assert exchange(host, request(CHAT and "POST", CHAT, None, "X-Onerouter-Session: two"))[0] == 200
    assert exchange(host, request(path=f"/s/th%72ee{CHAT}"))[0] == 200
    assert [len(entries(host, name)) for name in ("default", "one", "two", "three")] == [0, 1, 1, 1]


@pytest.mark.parametrize(
    "path", ["/s/a%20b/v1/models", "/s//v1/models", "/s/a@no-such/v1/models", "/s/a@x.yaml/_mock/calls"]
)
def test_a_session_that_cannot_be_is_the_mocks_own_error(host: Host, path: str) -> None:
    status, _, body = exchange(host, request("GET", path))
    assert status in (400, 404)
    error = json.loads(body)["error"]
    assert error["type"] == "onerouter_mock"
    assert error["message"].startswith("session: ")


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "GET"])
def test_another_method_is_an_unknown_url(host: Host, method: str) -> None:
    with connect(host) as sock:
        sock.sendall(request(method))
        status, headers, _ = read_answer(sock) if method != "HEAD" else (*_read_head(sock), b"")
        assert status == 404
        assert "access-control-allow-origin" not in headers
        sock.sendall(request())
        assert read_answer(sock)[0] == 200
    assert entries(host)[0]["route"] == "router!invalid_request"


def _read_head(sock: socket.socket) -> tuple[int, dict[str, str]]:
    data = sock.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    assert body == b""
    lines = head.decode().split("\r\n")
    return int(lines[0].split()[1]), dict(line.lower().split(": ", 1) for line in lines[1:])


@pytest.mark.parametrize(
    "path",
    [
        "/v1/models/deepseek%2Fdeepseek-v3.2",
        "/v1/models/deepseek/deepseek-v3.2",
        "http://x.y/v1/models?a=b#c",
    ],
)
def test_paths_may_be_encoded_or_absolute(host: Host, path: str) -> None:
    assert exchange(host, request("GET", path))[0] == 200


def test_a_body_may_come_in_chunks_and_compressed(host: Host) -> None:
    packed = gzip.compress(json.dumps(BODY).encode())
    head = request("POST", CHAT, None, "Content-Encoding: gzip", "Transfer-Encoding: chunked").partition(
        b"\r\n\r\n"
    )[0]
    head = b"\r\n".join(line for line in head.split(b"\r\n") if not line.startswith(b"Content-Length"))
    with connect(host) as sock:
        sock.sendall(head + b"\r\n\r\n")
        for byte in packed:
            sock.sendall(b"1\r\n%c\r\n" % byte)
        sock.sendall(b"0\r\n\r\n")
        assert read_answer(sock)[0] == 200


def test_a_small_body_that_unpacks_to_a_large_one_is_refused(host: Host) -> None:
    fine = gzip.compress(json.dumps({**BODY, "user": "x" * 20_000_000}).encode())
    assert exchange(host, request("POST", CHAT, fine, "Content-Encoding: gzip"))[0] == 200
    bomb = gzip.compress(b" " * (server.MAX_BODY + 1))
    assert exchange(host, request("POST", CHAT, bomb, "Content-Encoding: gzip"))[0] == 413


def test_a_client_that_asks_first_is_told_to_continue(host: Host) -> None:
    data = request("POST", CHAT, None, "Expect: 100-continue")
    head, _, body = data.partition(b"\r\n\r\n")
    with connect(host) as sock:
        sock.sendall(head + b"\r\n\r\n")
        assert sock.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(body)
        assert read_answer(sock)[0] == 200
        sock.sendall(request())
        assert read_answer(sock)[0] == 200


def test_the_control_api_tells_a_client_to_continue_too(host: Host) -> None:
    with connect(host) as sock:
        sock.sendall(
            b"POST /_mock/reset HTTP/1.1\r\nHost: a.localhost\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
        )
        assert sock.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(b"{}")
        assert read_answer(sock)[0] == 200


def test_a_client_that_asks_first_and_leaves_is_no_failure_of_ours(
    host: Host, caplog: pytest.LogCaptureFixture
) -> None:
    head = request("POST", CHAT, None, "Expect: 100-continue").partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    for _ in range(10):
        with connect(host) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.sendall(head)
    assert exchange(host, request())[0] == 200
    assert not caplog.records


def test_a_body_of_many_megabytes_is_read(host: Host) -> None:
    body = json.dumps({**BODY, "user": "x" * 20_000_000}).encode()
    assert exchange(host, request(body=body))[0] == 200


def test_a_body_told_to_be_too_large_is_refused_unread_and_whole(host: Host) -> None:
    with connect(host) as sock:
        size = server.MAX_BODY + 1
        sock.sendall(request(body=b"").replace(b"Content-Length: 0", b"Content-Length: %d" % size))
        status, headers, body = read_answer(sock)
        assert status == 413
        assert json.loads(body)["error"]["code"] == 413
        assert headers["connection"] == "close"
        sent = 0
        while sent < size:  # the client goes on writing, as most do: it must not be met by a reset
            sent += sock.send(b"x" * min(1 << 20, size - sent))
        assert sock.recv(65536) == b""
    assert entries(host)[0]["route"] == "router!invalid_request"


def test_a_body_that_turns_out_too_large_is_refused(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MAX_BODY", 100_000)
    data = request("POST", CHAT, b"", "Transfer-Encoding: chunked").replace(b"Content-Length: 0\r\n", b"")
    with connect(host) as sock:
        sock.sendall(data)
        for _ in range(3):
            sock.sendall(b"c350\r\n" + b" " * 50_000 + b"\r\n")
        assert read_answer(sock)[0] == 413


# What is no request


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 tls hello\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nBad Header: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nAuthorization : Bearer " + SECRET.encode() + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + SECRET.encode() * 400 + b"\r\n\r\n",
    ],
    ids=[
        "tls",
        "space in a name",
        "space before colon",
        "two framings",
        "two lengths",
        "raw bytes",
        "a huge header",
    ],
)
def test_what_is_no_http_is_told_so_and_not_echoed(
    host: Host, data: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        status, headers, body = exchange(host, data)
    assert status == 400
    assert headers["content-type"].startswith("application/json")
    assert json.loads(body)["error"]["type"] == "onerouter_mock"
    assert SECRET[:12] not in body.decode() + caplog.text
    assert exchange(host, request())[0] == 200


@pytest.mark.parametrize("header", ["X-Title: caf\xe9", "X-Title: \xff\xfe", "X-Stainless-Retry-Count: \xb2"])
def test_headers_of_any_bytes_do_no_harm(host: Host, header: str) -> None:
    assert exchange(host, request("POST", CHAT, None, header))[0] == 200
    assert json.dumps(entries(host))


@pytest.mark.parametrize(
    "target",
    ["/%FF%00", "/v1/../../etc/passwd", "//v1/models", "/s/%2e%2e/v1", "/" + "a" * 7_000],
)
def test_strange_paths_are_unknown_urls(host: Host, target: str) -> None:
    status, _, body = exchange(host, request("GET", target))
    assert status == 404
    assert "Invalid URL" in json.loads(body)["error"]["message"]


def test_a_slow_head_is_cut_off_and_a_slow_body_is_told(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "DEADLINE_S", 0.1)
    monkeypatch.setattr(connections, "_SWEEP_S", 0.05)
    monkeypatch.setattr(server, "DEADLINE_S", 0.1)
    monkeypatch.setattr(connections, "_LINGER_S", 0.1)
    exchange(host, request())  # the first call of a process takes longer than this deadline
    with connect(host) as silent, connect(host) as half, connect(host) as again, connect(host) as body:
        half.sendall(b"POST /v1/chat")
        body.sendall(request()[:-5])
        again.sendall(request())
        read_answer(again)
        again.sendall(b"GET /v1/mod")
        assert read_answer(body)[0] == 408
        assert body.recv(100) == half.recv(100) == silent.recv(100) == again.recv(100) == b""


def test_an_idle_connection_and_a_long_answer_outlive_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "DEADLINE_S", 0.05)
    monkeypatch.setattr(connections, "_SWEEP_S", 0.02)
    with start({"clock": "real", "rules": [{"delay": "200ms"}]}) as host, connect(host) as sock:
        for _ in range(2):
            sock.sendall(request())
            assert read_answer(sock)[0] == 200
        time.sleep(0.15)
        sock.sendall(request("GET", "/healthz"))
        assert read_answer(sock)[0] == 200


def test_connections_have_an_upper_bound(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MOST_CONNECTIONS", 2)
    with connect(host) as one, connect(host) as two:
        for sock in (one, two):
            sock.sendall(request("GET", "/healthz"))
            read_answer(sock)
        with connect(host) as three:
            status, _, body = read_answer(three)
            assert status == 503
            assert json.loads(body)["error"]["type"] == "onerouter_mock"
    deadline = time.monotonic() + 5
    while exchange(host, request())[0] != 200:
        assert time.monotonic() < deadline


# Clients that leave


def test_a_client_that_leaves_is_noticed() -> None:
    with start({"clock": "real", "rules": [{"delay": "30s"}]}) as host:
        with connect(host) as sock:
            sock.sendall(request())
            while not entries(host):
                pass
        entry = wait_until_ended(host)
        assert (entry["ending"], entry["route"]) == ("client_left", "shared:openai~client_left")
        assert entry["usage"]["completion_tokens"] == entry["sent"]["bytes"] == 0
        assert host.ask(lambda: host.emulator.session("default").in_flight) == 0


def test_a_hang_is_noted_while_it_lasts() -> None:
    with start({"rules": [{"when": {"lane": "router"}, "connection": "hang"}]}) as host:
        with connect(host) as sock:
            sock.sendall(request())
            while not entries(host) or entries(host)[0]["ending"] is None:
                pass
            assert (entries(host)[0]["ending"], entries(host)[0]["ended_ms"]) == ("hang", None)
        assert wait_until_ended(host)["ending"] == "hang"


def test_a_reset_while_we_write_does_no_harm(host: Host) -> None:
    sock = connect(host)
    sock.sendall(request("POST", CHAT, json.dumps({**BODY, "stream": True}).encode()) * 5)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()
    assert exchange(host, request())[0] == 200


# Control and front page


def test_health_tells_the_version(host: Host) -> None:
    status, _, body = exchange(host, request("GET", "/healthz"))
    assert (status, json.loads(body)) == (200, {"status": "ok", "version": __version__})


@pytest.mark.parametrize(
    "path", ["/_mock/calls", "/%5Fmock/calls", "/_mock%2Fcalls", "/s/a/%5Fmock/calls", "/%73/a/_mock%2Fcalls"]
)
def test_control_paths_pass_the_door_however_they_are_spelled(host: Host, path: str) -> None:
    assert exchange(host, request("GET", path))[0] == 200
    foreign = request("GET", path).replace(b"Host: localhost", b"Host: evil.example.com")
    assert exchange(host, foreign)[0] == 403
    assert entries(host) == entries(host, "a") == []


@pytest.mark.parametrize(
    "path", ["/s/a%2Fb/v1/models", "/s/a%2f_mock/calls", "/%73/%2F/v1/models", "/s/a%2Fb"]
)
def test_a_slash_in_a_sessions_name_is_no_name_however_it_is_spelled(host: Host, path: str) -> None:
    status, _, body = exchange(host, request("GET", path))
    assert (status, b"is no name" in body) == (400, True)
    assert host.ask(lambda: len(host.emulator.sessions())) == 0


@pytest.mark.parametrize("prefix", ["", "/s/q"])
def test_the_front_page_names_its_session(host: Host, prefix: str) -> None:
    _, _, body = exchange(host, request("GET", f"{prefix}/"))
    assert f"http://localhost{prefix}/v1 ".encode() in body


def test_the_emulated_api_answers_to_any_host(host: Host) -> None:
    assert exchange(host, request().replace(b"Host: localhost", b"Host: llm.onerouter.pro"))[0] == 200


def test_the_front_page_names_the_address(host: Host) -> None:
    status, _, body = exchange(host, request("GET", "/"))
    assert status == 200
    assert b"http://localhost/v1" in body
    assert entries(host) == []


def test_what_breaks_in_the_mock_is_a_500_without_secrets_and_the_server_goes_on(
    host: Host, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def break_(*_: object) -> None:
        raise RuntimeError(f"with {SECRET}")

    monkeypatch.setattr(host.emulator, "begin", break_)
    status, _, body = exchange(host, request())
    assert status == 500
    assert b"RuntimeError at break_" in body
    assert "RuntimeError at break_" in caplog.text
    assert SECRET not in body.decode() + caplog.text
    monkeypatch.undo()
    assert exchange(host, request())[0] == 200
