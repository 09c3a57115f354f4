"""What 20,000 abandoned streams leave behind: `python tests/bench/bench_soak.py`. It should be nothing.

Clients leave at any byte of the request or of the answer, by FIN or RST, by seeded dice, 200 at a time. The server
has a process of its own and tells of its tasks, timers and sockets; memory is its resident set. The scenario has all
that can hold on to something: paced streams, breaks, concurrency limits, token budgets, quotas, cooldowns, many keys.
Exits with 1 when something is left, or when memory has grown by more than 4 MB between 5,000 and the end.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from random import Random
from typing import Any

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from leavers import many_leave, plan_leaving  # noqa: E402 (found by the line above)

ANSWER_BYTES = 16_000  # about so long is one
SCENARIO = """
speed: 10
router: {cooldown: {failures: 50, within: 1s, for: 1s}}
limits:
  - {name: places, when: {lane: byok}, concurrency: 1000}
  - {name: pool, when: {lane: shared}, concurrency: 1000, tokens: 100M/min}
  - {name: tokens, when: {lane: byok}, tokens: 100M/min}
  - {name: credit, when: {lane: byok}, quota: 100000 USD}
rules:
  - {name: silent, every: 20, break: {do: stall, after: 10 tokens}}
  - {name: fails, when: {lane: byok}, every: 7, error: overloaded}
  - {name: sliced, every: 11, stream: {gap: 10ms, slice: 64 bytes}}
  - {name: paced, stream: {ttft: {uniform: [0s, 300ms]}, gap: 40ms}}
"""
SERVER = f"""
import asyncio, gc, json, os, sys
from onerouter_mock.core.scenario.load import load_scenario
from onerouter_mock.emulator import Emulator
from onerouter_mock.host import Host, _calm_garbage_collection

host = Host.start(Emulator(load_scenario({SCENARIO!r}, file="soak.yaml")))
_calm_garbage_collection()

def count_sockets():
    names = ["/proc/self/fd/" + name for name in os.listdir("/proc/self/fd")]
    return sum(os.path.islink(name) and os.readlink(name).startswith("socket:") for name in names)

def tell():
    loop = asyncio.get_running_loop()
    session = host.emulator.session("default")
    limits = host.emulator.describe_state("default")["limits"]
    with open("/proc/self/statm") as file:
        resident = int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")
    return {{
        "tasks": len(asyncio.all_tasks(loop)),
        "timers": sum(not timer.cancelled() for timer in loop._scheduled),
        "sockets": count_sockets(),
        "calls": session.calls,
        "in flight": session.in_flight,
        "places": sum(limit["used"] for limit in limits if limit["budget"] == "1000 at once"),
        "open entries": sum(entry.ended_us is None for entry in session.journal.read()),
        "MB": round(resident / 1e6, 1),
    }}

print(host.port, flush=True)
for line in sys.stdin:
    print(json.dumps(host.ask(tell)), flush=True)
"""


def request(number: int) -> bytes:
    body: dict[str, Any] = {
        "model": "gpt-5.1-chat",
        "stream": True,
        "messages": [{"role": "user", "content": f"Question {number % 500}"}],
    }
    if number % 3:
        body["byok_conf"] = {"provider": "openai", "credentials": f"sk-own-key-{number % 1000:08d}"}
    data = json.dumps(body).encode()
    head = "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer k\r\n"
    return f"{head}Content-Length: {len(data)}\r\n\r\n".encode() + data


class Server:
    """The mock in a process of its own, and what it tells of itself."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.port = int(self._read())

    def _read(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def tell(self) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.write("tell\n")
        self.process.stdin.flush()
        told: dict[str, Any] = json.loads(self._read())
        return told

    def settle(self, before: dict[str, Any]) -> dict[str, Any]:
        """What it tells as soon as nothing is left; what it tells after 5 s, if something still is."""
        until_s = time.monotonic() + 5
        while find_left(told := self.tell(), before) and time.monotonic() < until_s:
            time.sleep(0.05)
        return told


def find_left(told: dict[str, Any], before: dict[str, Any]) -> list[str]:
    """What there is more of than before the first stream."""
    return [
        name
        for name in ("tasks", "sockets", "in flight", "places", "open entries")
        if told[name] > before[name]
    ]


def leave(server: Server, count: int, dice: Random, at_once: int) -> None:
    asks = [request(dice.randrange(1_000_000)) for _ in range(count)]
    asyncio.run(many_leave(server.port, [plan_leaving(dice, ask, ANSWER_BYTES) for ask in asks], at_once))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--streams", type=int, default=20_000)
    parser.add_argument("--at-once", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    dice, server, began_s = Random(args.seed), Server(), time.monotonic()
    before = server.tell()
    print(f"{0:6} streams   {before}", flush=True)
    told: list[dict[str, Any]] = []
    for quarter in range(1, 5):
        leave(server, args.streams // 4, dice, args.at_once)
        told.append(server.settle(before))
        print(f"{quarter * args.streams // 4:6} streams   {told[-1]}", flush=True)
    server.process.terminate()
    grown = told[-1]["MB"] - told[0]["MB"]
    kept = find_left(told[-1], before)
    print(f"{time.monotonic() - began_s:.0f} s; memory {grown:+.1f} MB since the first quarter")
    print(f"left behind: {', '.join(kept) or 'nothing'}")
    return 1 if kept or grown > 4 else 0


if __name__ == "__main__":
    sys.exit(main())
