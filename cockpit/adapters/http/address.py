"""Addresses of HTTP services, as configuration has them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import urlsplit

_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")
DIRECT: Mapping[str, None] = MappingProxyType({"all://localhost": None, "all://127.0.0.1": None, "all://[::1]": None})
"""What an HTTP client of ours mounts: the environment's proxy would look for a service of this machine on its own."""


def is_of_this_machine(host: str) -> bool:
    """Whether no proxy may stand before it."""
    return host in _THIS_MACHINE


def is_http(url: str) -> bool:
    """Whether it is a whole address that a client can ask."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        return False


def shown(url: str) -> str:
    """The address without user and password."""
    scheme, mark, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{mark}{host.rpartition('@')[2]}{slash}{path}"
