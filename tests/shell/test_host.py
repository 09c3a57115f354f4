"""Starting and stopping servers, in front and in a thread."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator

import pytest
from freezegun import freeze_time

from onerouter_mock import host as hosts
from onerouter_mock.core.scenario.load import build_scenario
from onerouter_mock.emulator import Emulator
from onerouter_mock.host import Host, shutdown_loop
from onerouter_mock.listeners import listen, url_of

IN_FRONT = """
import sys
from onerouter_mock.core.scenario.load import build_scenario
from onerouter_mock.emulator import Emulator
from onerouter_mock.host import serve_forever

scenario = build_scenario({"rules": [{"when": {"lane": "router"}, "connection": "hang"}]})
number = serve_forever(Emulator(scenario), port=int(sys.argv[1]), on_ready=lambda url: print(url, flush=True))
print("stopped by", number, flush=True)
"""
ASK = (
    b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer k\r\nContent-Length: 75\r\n\r\n"
    b'{"model": "gpt-5.1-chat", "messages": [{"role": "user", "content": "hi!"}]}'
)


@pytest.fixture(autouse=True)
def _close_the_loop() -> Iterator[None]:
    yield
    shutdown_loop()


def emulator() -> Emulator:
    return Emulator(build_scenario({"clock": "virtual"}))


def health(url: str) -> dict[str, str]:
    with urllib.request.urlopen(f"{url}/healthz", timeout=5) as answer:
        told: dict[str, str] = json.load(answer)
        return told


def is_open(host: Host) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex((host.host, host.port)) == 0


def test_many_hosts_share_one_thread_and_have_a_port_each() -> None:
    shutdown_loop()  # another test of this process may have left it running
    before = threading.active_count()
    with Host.start(emulator()) as one, Host.start(emulator()) as two:
        assert one.port != two.port
        assert health(one.url)["status"] == health(two.url)["status"] == "ok"
        assert threading.active_count() == before + 1
    assert not is_open(one)
    assert not is_open(two)


def test_who_has_just_connected_is_let_go_too() -> None:
    for _ in range(10):
        with contextlib.ExitStack() as clients:
            with Host.start(emulator()) as host:
                socks = [
                    clients.enter_context(socket.create_connection((host.host, host.port), timeout=5))
                    for _ in range(3)
                ]
            for sock in socks:
                with contextlib.suppress(ConnectionError):
                    assert sock.recv(1) == b""


def test_a_stopped_host_may_be_stopped_again_and_others_go_on() -> None:
    with Host.start(emulator()) as other:
        host = Host.start(emulator())
        host.stop()
        host.stop()
        assert health(other.url)["status"] == "ok"


def test_starting_and_stopping_is_cheap() -> None:
    with Host.start(emulator()):
        worlds = [emulator() for _ in range(30)]
        before = time.perf_counter()
        for world in worlds:
            Host.start(world).stop()
        assert (time.perf_counter() - before) / len(worlds) < 0.005


def test_questions_are_answered_on_the_loops_thread() -> None:
    with Host.start(emulator()) as host:
        assert host.ask(lambda: threading.current_thread().name) == "onerouter-mock"
        assert host.ask(lambda: host.ask(lambda: 7)) == 7
        with pytest.raises(ZeroDivisionError):
            host.ask(lambda: 1 / 0)


def test_a_taken_port_is_an_oserror_and_leaves_nothing_open() -> None:
    with Host.start(emulator()) as host, pytest.raises(OSError, match="in use"):
        Host.start(emulator(), port=host.port)


def test_a_hanging_client_delays_no_stop() -> None:
    hanging = build_scenario({"rules": [{"when": {"lane": "router"}, "connection": "hang"}]})
    world = Emulator(hanging)
    with Host.start(world) as host, socket.create_connection((host.host, host.port)) as sock:
        sock.sendall(ASK)
        while not host.ask(lambda: world.session("default").in_flight):
            pass
        before = time.perf_counter()
        host.stop()
        assert time.perf_counter() - before < 0.5
        assert sock.recv(10) == b""
    assert world.session("default").in_flight == 0


def test_a_reader_that_does_not_read_delays_no_stop() -> None:
    long = build_scenario({"clock": "virtual", "rules": [{"reply": "word " * 1_000_000}]})
    world = Emulator(long)
    with Host.start(world) as host, socket.create_connection((host.host, host.port)) as sock:
        sock.sendall(ASK)
        while not host.ask(lambda: world.session("default").calls):
            pass
        before = time.perf_counter()
        host.stop()
        assert time.perf_counter() - before < 0.5


def test_a_frozen_process_is_served_all_the_same() -> None:
    slow = build_scenario({"clock": "real", "rules": [{"delay": "20ms"}]})
    with freeze_time("2012-01-14"), Host.start(Emulator(slow)) as host:
        with socket.create_connection((host.host, host.port), timeout=5) as sock:
            sock.sendall(ASK)
            assert sock.recv(100).startswith(b"HTTP/1.1 200")
        (shown,) = host.ask(lambda: [e.as_dict() for e in host.emulator.session("default").journal.read()])
        assert shown["arrived_at"] > "2020"
        assert shown["ended_ms"] >= 20


def test_the_loop_can_be_shut_down_and_started_again() -> None:
    with Host.start(emulator()) as host:
        shutdown_loop()
        assert not is_open(host)
        assert hosts._thread is None
        host.stop()
    with Host.start(emulator()) as host:
        assert health(host.url)["status"] == "ok"


def test_nothing_stays_open_in_a_process_that_turns_warnings_into_errors() -> None:
    code = (
        "import urllib.request\n"
        "from onerouter_mock.core.scenario.load import build_scenario\n"
        "from onerouter_mock.emulator import Emulator\n"
        "from onerouter_mock.host import Host\n"
        "host = Host.start(Emulator(build_scenario({})))\n"
        "urllib.request.urlopen(host.url + '/healthz').read()\n"
        "host.stop()\n"
    )
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", code], capture_output=True, text=True, timeout=30
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_forked_child_starts_its_own() -> None:
    if not hasattr(os, "fork"):
        pytest.skip("no fork here")
    code = (
        "import os, sys, urllib.request\n"
        "from onerouter_mock.core.scenario.load import build_scenario\n"
        "from onerouter_mock.emulator import Emulator\n"
        "from onerouter_mock.host import Host\n"
        "first = Host.start(Emulator(build_scenario({})))\n"
        "if os.fork() == 0:\n"
        "    with Host.start(Emulator(build_scenario({}))) as own:\n"
        "        urllib.request.urlopen(own.url + '/healthz').read()\n"
        "    first.stop()\n"
        "    os._exit(7)\n"
        "status = os.waitstatus_to_exitcode(os.wait()[1])\n"
        "first.stop()\n"
        "sys.exit(status)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=30).returncode == 7


def test_importing_the_host_costs_no_aiohttp() -> None:
    code = "import sys, onerouter_mock.host; print('aiohttp' in sys.modules, 'asyncio' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out == "False False\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_in_front_it_serves_until_a_signal_whoever_hangs(number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", IN_FRONT, "0"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert health(url)["status"] == "ok"
        with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))) as sock:
            sock.sendall(ASK)
            time.sleep(0.05)
            before = time.perf_counter()
            process.send_signal(number)
            assert process.stdout.readline() == f"stopped by {int(number)}\n"
            assert process.wait(5) == 0
            assert time.perf_counter() - before < 1.0


def test_in_front_a_taken_port_is_an_oserror() -> None:
    with Host.start(emulator()) as host:
        command = [sys.executable, "-c", IN_FRONT, str(host.port)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
        assert "OSError" in done.stderr
        assert "in use" in done.stderr


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("0.0.0.0", "http://127.0.0.1:80"),
        ("::", "http://[::1]:80"),
        ("::1", "http://[::1]:80"),
        ("localhost", "http://localhost:80"),
    ],
)
def test_the_url_is_one_that_a_client_can_use(host: str, url: str) -> None:
    assert url_of(host, 80) == url


def test_a_name_listens_on_all_its_addresses_at_one_port() -> None:
    sockets = listen("localhost", 0)
    try:
        assert len({one.getsockname()[1] for one in sockets}) == 1
    finally:
        for one in sockets:
            one.close()
