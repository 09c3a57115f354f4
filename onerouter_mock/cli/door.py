"""What `serve` and `run` tell others about the server: the ready file, who sits on a taken port.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from pathlib import Path

from onerouter_mock.cli import Stop
from onerouter_mock.cli.address import Address, Unreachable, get_json, is_mock


@contextmanager
def ready_file(path: str | None, url: str) -> Iterator[None]:
    """Keep `{"url", "base_url", "pid"}` in a file while the server runs; who sees the file sees all of it.

    Errors: Stop.
    """
    if path is None:
        yield
        return
    target = Path(path)
    text = json.dumps({"url": url, "base_url": f"{url}/v1", "pid": os.getpid()}) + "\n"
    half = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        half.write_text(text, encoding="utf-8")
        half.replace(target)
    except OSError as error:
        with suppress(OSError):
            half.unlink()
        raise Stop(f"--ready-file: {path}: {(error.strerror or str(error)).lower()}") from None
    try:
        yield
    finally:
        with suppress(OSError):
            if target.read_text(encoding="utf-8") == text:  # not the one of a server that came after us
                target.unlink()


def could_not_bind(host: str, port: int, error: OSError) -> Stop:
    """Why the server can't listen there, and who does, if it is one of ours. Exit code 3."""
    at = f"{host}:{port}"
    if getattr(error, "errno", None) is None or "in use" not in str(error).lower():
        return Stop(
            f"can't listen on {at}: {_reason(error)}; would be right: --host 127.0.0.1 --port 4117", 3
        )
    taken = f"can't listen on {at}: the port is taken"
    return Stop(f"{taken}{_who_sits_at(host, port)}; would be right: --port 0 for a free one", 3)


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).partition("] ")[2] or (error.strerror or str(error))


def _who_sits_at(host: str, port: int) -> str:
    address = Address(False, {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host), port, "")
    try:
        if not is_mock(get_json(address, "/healthz", timeout_s=1.0)):
            return ""
        about = get_json(address, "/_mock", timeout_s=1.0)
    except Unreachable:
        return ""
    known = [
        f"{name} {about[name]}" for name in ("scenario", "pid") if isinstance(about, dict) and about.get(name)
    ]
    return " by another onerouter-mock" + (f" ({', '.join(known)})" if known else "")


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens there."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
