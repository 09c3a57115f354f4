"""Who may use the control API: tools and pages of this very server, no web page of another origin.

What may live here: checks of Host, Origin and Sec-Fetch-Site, on names and values; no request objects.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

READS = frozenset({"GET", "HEAD", "OPTIONS"})
_HOME_SUFFIXES = ("localhost", "local", "internal", "test")
_NAME = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")
_HOST = re.compile(r"(?P<name>\[[^\[\]@/]*\]|[^:\[\]@/\s]*)(?::(?P<port>\d*))?")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_RIGHT = "would be right: a page of this server, or a tool"


def refuse_visitor(method: str, headers: Mapping[str, str], allow_hosts: Collection[str]) -> str | None:
    """Why this request may not use the control API, or None when it may.

    Shape: `headers` found in any case (aiohttp's multidict) or lower-case; `allow_hosts` names without a
    port.
    """
    host = headers.get("host", headers.get("Host", ""))
    name = host_name(host)
    if name is None or not is_home(name, allow_hosts):
        return (
            f"host: {host!r} is not a local name (a web page may have rebound it); would be right: "
            "an IP address, a name without dots, one under .localhost .local .internal .test; or --allow-host"
        )
    if method in READS:
        return None
    site = headers.get("sec-fetch-site", headers.get("Sec-Fetch-Site"))
    if site is not None and site.strip().lower() not in ("same-origin", "none"):
        return f"sec-fetch-site: {site!r} is a web page of another origin; {_RIGHT}"
    origin = headers.get("origin", headers.get("Origin"))
    if origin is not None and not is_same_origin(origin, host):
        return f"origin: {origin!r} is another origin than {host!r}; {_RIGHT}"
    return None


def host_name(host: str) -> str | None:
    """The name in a Host header, lower-case and without its port; None when it is malformed."""
    match = _HOST.fullmatch(host.strip())
    return match["name"].lower() or None if match else None


def is_home(name: str, allow_hosts: Collection[str]) -> bool:
    """True for a name that only a local page or tool can have: see the control API's door in the contract."""
    if name in {allowed.lower() for allowed in allow_hosts}:
        return True
    if _is_address(name.removeprefix("[").removesuffix("]") if name.startswith("[") else name):
        return True
    if not _NAME.fullmatch(name):
        return False
    labels = name.split(".")
    return len(labels) == 1 or labels[-1] in _HOME_SUFFIXES


def is_same_origin(origin: str, host: str) -> bool:
    """True when an Origin header names the request's own Host; `null` and what can't be read is foreign."""
    try:
        parts = urlsplit(origin.strip())
        port = parts.port
    except ValueError:
        return False
    default = _DEFAULT_PORTS.get(parts.scheme)
    match = _HOST.fullmatch(host.strip())
    if default is None or match is None or parts.path or parts.query or parts.fragment or "@" in parts.netloc:
        return False
    own_name = match["name"].lower().strip("[]")
    own_port = int(match["port"]) if match["port"] else default
    return (parts.hostname or "") == own_name and (port or default) == own_port


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
