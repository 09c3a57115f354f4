"""Requests a second against a bare aiohttp handler, in the same run: `python tests/bench/bench_http.py`.

The bare handler parses a request's JSON and answers fixed bytes; streamed, it writes 50 chunks one by one.
Each server has a process of its own, the load comes from this one over raw sockets, the runs alternate.
Ratios are safe, absolute figures are this machine's.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

CONNECTIONS = 16
PATH = "/v1/chat/completions"
WORDS = 50  # chunks in a streamed answer
OWN_KEY = {"provider": "openai", "credentials": "sk-own-key-7f3a"}
SCENARIO = f"rules: [{{when: {{stream: true}}, reply: '{'word ' * WORDS}'}}]\n"

_BARE_HEAD = """
import asyncio, json
from aiohttp import web

CHUNK = b"data: " + json.dumps({
    "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1,
    "model": "gpt-5.1-chat",
    "choices": [{"index": 0, "delta": {"content": "word "}, "finish_reason": None}],
}).encode() + b"\\n\\n"
"""
_BARE_TAIL = f"""
async def main():
    app = web.Application()
    app.router.add_post("{PATH}", chat)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=1024)
    await site.start()
    print("ready on http://127.0.0.1:%d/v1" % site._server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


def bare_server(chat: str) -> str:
    """The program of a bare aiohttp server with this handler, in which `CHUNK` is one chunk of a stream."""
    return _BARE_HEAD + chat + _BARE_TAIL


BARE = bare_server(f"""
ANSWER = json.dumps({{"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-5.1-chat",
    "choices": [{{"index": 0, "message": {{"role": "assistant", "content": "word " * {WORDS}}},
                 "finish_reason": "stop"}}],
    "usage": {{"prompt_tokens": 9, "completion_tokens": {WORDS}, "total_tokens": {9 + WORDS}}}}}).encode()

async def chat(request):
    asked = json.loads(await request.read())
    if not asked.get("stream"):
        return web.Response(body=ANSWER, content_type="application/json")
    response = web.StreamResponse(headers={{"Content-Type": "text/event-stream"}})
    await response.prepare(request)
    for _ in range({WORDS}):
        await response.write(CHUNK)
    await response.write(b"data: [DONE]\\n\\n")
    return response
""")


@dataclass
class Running:
    """A server in a process of its own."""

    port: int
    pid: int

    def cpu_s(self) -> float:
        """CPU time that it has used; unlike answers a second it does not suffer from busy neighbours."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def running(command: list[str]) -> Iterator[Running]:
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        try:
            yield Running(int(line.split("/v1")[0].rpartition(":")[2]), process.pid)
        finally:
            process.terminate()


def request(number: int, *, stream: bool, byok: bool, varied: bool) -> bytes:
    content = f"Question {number}: how are you?" if varied else "How are you?"
    body: dict[str, object] = {"model": "gpt-5.1-chat", "messages": [{"role": "user", "content": content}]}
    if stream:
        body["stream"] = True
    if byok:
        body["byok_conf"] = OWN_KEY
    data = json.dumps(body).encode()
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        "Accept: application/json\r\nContent-Type: application/json\r\n"
        "User-Agent: OpenAI/Python 3.54.0\r\nX-Stainless-Lang: python\r\nX-Stainless-Retry-Count: 0\r\n"
        f"Authorization: Bearer sk-router-key\r\nContent-Length: {len(data)}\r\n\r\n"
    )
    return head.encode() + data


class Asker(asyncio.Protocol):
    """One connection that asks again as soon as it was answered."""

    def __init__(self, make: Callable[[int], bytes]) -> None:
        self.make, self.answered, self.buffer, self.missing = make, 0, b"", 0
        self.streamed = b'"stream": true' in make(0)
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.ask()

    def ask(self) -> None:
        assert self.transport is not None
        self.transport.write(self.make(self.answered))

    def data_received(self, data: bytes) -> None:
        if self.streamed:
            self.buffer = self.buffer[-8:] + data
            done = self.buffer.endswith(b"0\r\n\r\n")
        else:
            if not self.missing:
                head, _, body = data.partition(b"\r\n\r\n")
                assert head.startswith(b"HTTP/1.1 200"), data
                at = head.lower().index(b"content-length:")
                self.missing, data = int(head[at + 15 :].split(b"\r", 1)[0]), body
            self.missing -= len(data)
            done = not self.missing
        if done:
            self.buffer = b""
            self.answered += 1
            self.ask()


@dataclass
class Run:
    """What a server did under load. Units: answers a second, CPU seconds an answer."""

    rate: float
    cpu_s: float


async def load(server: Running, seconds: float, make: Callable[[int], bytes]) -> Run:
    """Keeps all connections busy for so long."""
    loop = asyncio.get_running_loop()
    askers = []
    for _ in range(CONNECTIONS):
        askers.append(await loop.create_connection(lambda: Asker(make), "127.0.0.1", server.port))
    before, cpu_before_s = sum(asker.answered for _, asker in askers), server.cpu_s()
    start_s = time.perf_counter()
    await asyncio.sleep(seconds)
    count = sum(asker.answered for _, asker in askers) - before
    run = Run(count / (time.perf_counter() - start_s), (server.cpu_s() - cpu_before_s) / count)
    for transport, _ in askers:
        transport.abort()
    return run


def compare(
    name: str, ours: Running, bare: Running, args: argparse.Namespace, make: Callable[[int], bytes]
) -> None:
    asyncio.run(load(ours, 0.3, make))  # warm up
    pairs = []
    for _ in range(args.rounds):
        pairs.append(
            (asyncio.run(load(ours, args.seconds, make)), asyncio.run(load(bare, args.seconds, make)))
        )
    rate = statistics.median(mine.rate / theirs.rate for mine, theirs in pairs)
    cpu = statistics.median(theirs.cpu_s / mine.cpu_s for mine, theirs in pairs)
    mine_s, theirs_s = (statistics.median(run.rate for run in column) for column in zip(*pairs, strict=True))
    print(
        f"{name:32} {mine_s:7.0f}/s  bare {theirs_s:7.0f}/s  ratio {rate:5.2f}  by CPU time {cpu:5.2f}",
        flush=True,
    )


def first_answer_s(command: list[str]) -> float:
    """From the start of the process to the first answer."""
    start_s = time.perf_counter()
    with running(command) as server:
        asyncio.run(ask_once(server.port))
        return time.perf_counter() - start_s


async def ask_once(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request(0, stream=False, byok=False, varied=False))
    await reader.readuntil(b"\r\n\r\n")
    writer.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=1.0, help="length of one run")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each server, alternating")
    args = parser.parse_args()
    root = Path(__file__).parent.parent.parent
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(root), os.environ.get("PYTHONPATH"))))
    bare_command = [sys.executable, "-c", BARE]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "bench.yaml"
        file.write_text(SCENARIO)
        serve = [sys.executable, "-m", "onerouter_mock", "serve", "--port", "0", "--log", "off"]
        with running([*serve, "--scenario", str(file)]) as ours, running(bare_command) as bare:
            for name, stream, byok, varied in (
                ("plain", False, False, False),
                ("plain, own key", False, True, False),
                ("plain, always another question", False, False, True),
                (f"stream of {WORDS} chunks", True, False, False),
            ):
                compare(
                    name, ours, bare, args,
                    lambda number, s=stream, b=byok, v=varied: request(number, stream=s, byok=b, varied=v),
                )  # fmt: skip
        starts = [(first_answer_s(serve), first_answer_s(bare_command)) for _ in range(args.rounds)]
        mine_s, theirs_s = (statistics.median(column) for column in zip(*starts, strict=True))
        print(f"{'start to first answer':32} {mine_s * 1e3:7.0f} ms   bare {theirs_s * 1e3:7.0f} ms   "
              f"ratio {mine_s / theirs_s:5.2f}")  # fmt: skip


if __name__ == "__main__":
    main()
