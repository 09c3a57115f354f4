"""How late the chunks of many streams are: `python tests/bench/bench_pace.py`.

500 streams of 50 chunks, 40 ms apart, played by the mock and by a bare aiohttp handler (a `StreamResponse`, absolute
deadlines), each in a process of its own, in turns; the clients are bare sockets in a third process, connected before.
A chunk is late by the time between its instant and its arrival at the client's socket:

    since the request     its instant counts from when that stream's request was sent: what it takes to begin is in it
    since the first       from the arrival of that stream's own first chunk: the pace alone

Starts are all at once, spread over the 40 ms, or spread over a second. Ratios are safe, the figures this machine's.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import statistics
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from bench_http import Running, bare_server, request, running

CHUNKS = 50
GAP_S = 0.04
SCENARIO = f"""
rules:
  - when: {{stream: true}}
    reply: {{chunks: [{", ".join(['"word "'] * CHUNKS)}]}}
    stream: {{gap: {GAP_S * 1000:g}ms}}
"""
BARE = bare_server(f"""
async def chat(request):
    start_s = asyncio.get_running_loop().time()
    json.loads(await request.read())
    response = web.StreamResponse(headers={{"Content-Type": "text/event-stream"}})
    await response.prepare(request)
    for n in range({CHUNKS}):
        wait_s = start_s + n * {GAP_S} - asyncio.get_running_loop().time()
        if wait_s > 0:
            await asyncio.sleep(wait_s)
        await response.write(CHUNK)
    await response.write(b"data: [DONE]\\n\\n")
    return response
""")
STARTS = {"all at once": 0.0, "over 40 ms": GAP_S, "over 1 s": 1.0}


class Reader(asyncio.Protocol):
    """One stream: when its request was sent, and when each of its chunks came."""

    def __init__(self, clock: asyncio.AbstractEventLoop, left: Countdown) -> None:
        self.clock, self.left = clock, left
        self.sent_s = 0.0
        self.came_s: list[float] = []
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def ask(self, data: bytes) -> None:
        assert self.transport is not None
        self.sent_s = self.clock.time()
        self.transport.write(data)

    def data_received(self, data: bytes) -> None:
        count = data.count(b'"word "')
        if count:
            self.came_s += [self.clock.time()] * count
        if data.endswith(b"0\r\n\r\n"):
            self.left.count_down()

    def connection_lost(self, exc: Exception | None) -> None:
        if len(self.came_s) < CHUNKS:
            self.left.count_down()


class Countdown:
    """Set when all streams have ended."""

    def __init__(self, count: int) -> None:
        self.count, self.over = count, asyncio.Event()

    def count_down(self) -> None:
        self.count -= 1
        if not self.count:
            self.over.set()


@dataclass
class Late:
    """How late chunks were, in milliseconds."""

    since_request: list[float] = field(default_factory=list)
    since_first: list[float] = field(default_factory=list)

    def add(self, reader: Reader) -> None:
        assert len(reader.came_s) == CHUNKS, f"{len(reader.came_s)} chunks came"
        for n, came_s in enumerate(reader.came_s):
            self.since_request.append((came_s - reader.sent_s - n * GAP_S) * 1e3)
            self.since_first.append((came_s - reader.came_s[0] - n * GAP_S) * 1e3)


async def play(server: Running, streams: int, spread_s: float) -> Late:
    loop = asyncio.get_running_loop()
    left, readers = Countdown(streams), []
    for _ in range(streams):
        _, reader = await loop.create_connection(lambda: Reader(loop, left), "127.0.0.1", server.port)
        readers.append(reader)
    data = request(0, stream=True, byok=False, varied=False)
    gc.collect()
    gc.disable()
    start_s = loop.time() + 0.05
    for n, reader in enumerate(readers):
        loop.call_at(start_s + spread_s * n / streams, reader.ask, data)
    await asyncio.wait_for(left.over.wait(), CHUNKS * GAP_S + spread_s + 60)
    gc.enable()
    late = Late()
    for reader in readers:
        late.add(reader)
        assert reader.transport is not None
        reader.transport.abort()
    return late


def percentile(values: Iterable[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def compare(name: str, ours: Running, bare: Running, args: argparse.Namespace) -> None:
    runs: dict[str, list[Late]] = {"mock": [], "bare": []}
    cpu_s = {"mock": 0.0, "bare": 0.0}
    for _ in range(args.rounds):
        for who, server in (("mock", ours), ("bare", bare)):
            before_s = server.cpu_s()
            runs[who].append(asyncio.run(play(server, args.streams, STARTS[name])))
            cpu_s[who] += server.cpu_s() - before_s
    for since in ("since_request", "since_first"):
        p50s, p99s, worst = (
            {
                who: statistics.median(percentile(getattr(late, since), share) for late in runs[who])
                for who in runs
            }
            for share in (0.5, 0.99, 1)
        )
        print(
            f"{name:12} {since.replace('_', ' '):14}  99 %: {p99s['mock']:7.2f} ms, bare {p99s['bare']:7.2f} ms, "
            f"ratio {p99s['mock'] / p99s['bare']:5.2f}   half: {p50s['mock']:6.2f}, bare {p50s['bare']:6.2f}   "
            f"worst: {worst['mock']:6.1f}, bare {worst['bare']:6.1f}",
            flush=True,
        )
    print(
        f"{'':12} CPU time of the server  {cpu_s['mock'] / args.rounds:.2f} s, bare {cpu_s['bare'] / args.rounds:.2f} s"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--streams", type=int, default=500)
    parser.add_argument(
        "--rounds", type=int, default=3, help="runs of each server, alternating; medians are shown"
    )
    args = parser.parse_args()
    root = Path(__file__).parent.parent.parent
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(root), os.environ.get("PYTHONPATH"))))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "pace.yaml"
        file.write_text(SCENARIO)
        serve = [
            sys.executable,
            "-m",
            "onerouter_mock",
            "serve",
            "--port",
            "0",
            "--log",
            "off",
            "--scenario",
            str(file),
        ]
        with running(serve) as ours, running([sys.executable, "-c", BARE]) as bare:
            for server in (ours, bare):
                asyncio.run(play(server, 50, 0.0))  # warm up
            for name in STARTS:
                compare(name, ours, bare, args)


if __name__ == "__main__":
    main()
