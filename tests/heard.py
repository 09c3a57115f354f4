"""A client of bare sockets for a running mock: the exact bytes that came, and how the connection ended."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

import onerouter_mock
from onerouter_mock import OneRouterMock

OWN = {"provider": "openai", "credentials": "sk-own-key-0123456789"}
PATIENCE_S = 10  # a test that waits so long has failed


def world(*rules: dict[str, Any], **fields: Any) -> OneRouterMock:
    """A mock whose scenario has these rules; its clock is virtual unless `fields` say otherwise."""
    return onerouter_mock.serve({"clock": "virtual", "rules": list(rules), **fields})


def asked(byok: dict[str, Any] | None = None, headers: tuple[str, ...] = (), **fields: Any) -> bytes:
    """A chat request as bytes; `byok` is its `byok_conf`."""
    body = {"model": "gpt-5.1-chat", "messages": [{"role": "user", "content": "hi"}], **fields}
    if byok is not None:
        body["byok_conf"] = byok
    data = json.dumps(body).encode()
    lines = (
        "POST /v1/chat/completions HTTP/1.1",
        "Host: localhost",
        "Authorization: Bearer sk-router-0123456789",
        f"Content-Length: {len(data)}",
        *headers,
    )
    return "\r\n".join([*lines, "", ""]).encode() + data


@dataclass
class Heard:
    """What one request got. `end`: FIN, RST, or the connection stays after an answer that is whole."""

    data: bytes
    end: Literal["fin", "rst", "open"]

    @property
    def head(self) -> bytes:
        return self.data.partition(b"\r\n\r\n")[0]

    @property
    def status(self) -> int:
        version, status, *_ = self.head.split(b" ")
        assert version == b"HTTP/1.1"
        return int(status)

    @property
    def headers(self) -> dict[str, str]:
        lines = self.head.decode("ascii").split("\r\n")[1:]
        return {line.partition(": ")[0].lower(): line.partition(": ")[2] for line in lines}

    @property
    def body(self) -> bytes:
        """As it is on the wire, with the framing of its chunks."""
        return self.data.partition(b"\r\n\r\n")[2]

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        error: dict[str, Any] = self.json["error"]
        return error

    def unchunked(self) -> tuple[list[bytes], bytes]:
        """The whole chunks of the body, and what follows them: the end of the body, its absence, or rubbish."""
        assert self.headers["transfer-encoding"] == "chunked"
        chunks, rest = [], self.body
        while True:
            size, line_end, after = rest.partition(b"\r\n")
            try:
                length = int(size, 16) if line_end else 0
            except ValueError:
                length = 0
            if length == 0 or len(after) < length + 2:
                return chunks, rest
            assert after[length : length + 2] == b"\r\n"
            chunks.append(after[:length])
            rest = after[length + 2 :]

    @property
    def events(self) -> list[bytes]:
        """The events of a stream, each without its empty line."""
        stream = b"".join(self.unchunked()[0])
        assert not stream or stream.endswith(b"\n\n")
        return stream.split(b"\n\n")[:-1]


def content(event: bytes) -> str | None:
    """What an event adds to the first choice's content; None for one that is no chunk with content."""
    if not event.startswith(b"data: {"):
        return None
    try:
        data = json.loads(event[6:])
    except ValueError:
        return None
    choices = data.get("choices")
    return choices[0]["delta"].get("content") or None if choices else None


def contents(events: list[bytes]) -> list[str]:
    """The pieces of content that these events carry, in order."""
    return [text for text in map(content, events) if text is not None]


class Line:
    """One connection to a mock."""

    def __init__(self, mock: OneRouterMock) -> None:
        address = urlsplit(mock.url)
        assert address.port
        self.sock = socket.create_connection((address.hostname, address.port), timeout=PATIENCE_S)
        self.data = b""

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def send(self, request: bytes) -> None:
        self.data = b""
        self.sock.sendall(request)

    def read(self, until: Callable[[bytes], bool] = lambda data: False) -> Heard:
        """Reads until the connection ends, an answer is whole, or `until(data)`."""
        while not _is_whole(self.data) and not until(self.data):
            try:
                more = self.sock.recv(65536)
            except ConnectionResetError:
                return Heard(self.data, "rst")
            if not more:
                return Heard(self.data, "fin")
            self.data += more
        return Heard(self.data, "open")

    def ask(self, byok: dict[str, Any] | None = None, **fields: Any) -> Heard:
        """One chat request on this connection, and its answer."""
        self.send(asked(byok, **fields))
        return self.read()

    def is_silent(self) -> bool:
        """Whether there is nothing to read, not even an end."""
        self.sock.setblocking(False)
        try:
            return not self.sock.recv(1)
        except BlockingIOError:
            return True
        finally:
            self.sock.settimeout(PATIENCE_S)


def hear(mock: OneRouterMock, byok: dict[str, Any] | None = None, **fields: Any) -> Heard:
    """One chat request on a connection of its own, and all that comes of it."""
    with Line(mock) as line:
        return line.ask(byok, **fields)


def wait_for(mock: OneRouterMock, ending: str) -> Any:
    """The last call, as soon as the journal says that it ends, or has ended, so."""
    until_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < until_s:
        if mock.calls and mock.last.ending == ending:
            return mock.last
        time.sleep(0.001)
    raise AssertionError(f"the last call's ending is {mock.last.ending}, not {ending}")


def _is_whole(data: bytes) -> bool:
    head, found, body = data.partition(b"\r\n\r\n")
    if not found:
        return False
    lines = head.lower().split(b"\r\n")
    if b"transfer-encoding: chunked" in lines:
        return body == b"0\r\n\r\n" or body.endswith(b"\r\n0\r\n\r\n")
    length = next((line for line in lines if line.startswith(b"content-length: ")), None)
    return length is not None and len(body) >= int(length[16:])
