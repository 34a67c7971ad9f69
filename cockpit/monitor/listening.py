"""Services on this machine that answer like a Spring Boot actuator."""

from __future__ import annotations

import http.client
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import msgspec

from cockpit.adapters.http.health import status_of

_PATH = "/actuator/health"
_PATIENCE_S = 0.5
_MOST_PORTS = 24
_READ_BYTES = 1 << 16
# Databases, queues and remote desktops: they speak no HTTP, and would log a line about us.
_NOT_HTTP = frozenset(
    {1433, 1521, 2049, 2181, 3260, 3306, 3389, 4222, 5222, 5432, 5433, 5671, 5672, 5900, 6000, 6379, 6380, 6432}
    | {9042, 9092, 9093, 11211, 26379, 27017, 27018, 33060, 50051}
)


def health_addresses() -> list[str]:
    """Addresses on loopback whose actuator answers with a status, lowest port first."""
    ports = _listening()[:_MOST_PORTS]
    if not ports:
        return []
    with ThreadPoolExecutor(max_workers=len(ports)) as pool:
        answers = list(pool.map(_is_actuator, ports))
    return [f"http://localhost:{port}{_PATH}" for port, answer in zip(ports, answers, strict=True) if answer]


def _listening() -> list[int]:
    """Ports that accept connections on loopback; none where the system does not tell (macOS, without root)."""
    import psutil

    try:
        connections: Iterable[object] = psutil.net_connections(kind="tcp")
    except (psutil.Error, OSError):
        return []
    ports = set()
    for connection in connections:
        address = getattr(connection, "laddr", None)
        if getattr(connection, "status", "") != psutil.CONN_LISTEN or not address:
            continue
        if address.ip in ("127.0.0.1", "0.0.0.0", "::", "::1") and address.port >= 1024:  # noqa: S104  # compared
            ports.add(address.port)
    return sorted(ports - _NOT_HTTP)


def _is_actuator(port: int) -> bool:
    connection = http.client.HTTPConnection("localhost", port, timeout=_PATIENCE_S)
    try:
        connection.request("GET", _PATH, headers={"User-Agent": "incident-cockpit", "Accept": "application/json"})
        answer = connection.getresponse()
        return answer.status in (200, 503) and bool(status_of(msgspec.json.decode(answer.read(_READ_BYTES))))
    except (OSError, http.client.HTTPException, ValueError, RecursionError):
        return False
    finally:
        connection.close()
