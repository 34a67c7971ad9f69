"""A PostgreSQL that is watched, with somebody in it who may see little."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cockpit.monitor.probe import WatchedProbe
from tests.servers import looking
from tests.servers.postgresql import PostgresqlServer, postgresql_server


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresqlServer]:
    with postgresql_server("track_activity_query_size = 16384") as made:
        made.ask("create role weak login")
        yield made


def probe(server: PostgresqlServer, *bounds: str, user: str = "postgres", **more: Any) -> WatchedProbe:
    place = {"host": "127.0.0.1", "port": server.port, "database": "shop", "user": user}
    return looking.probe("postgresql", *bounds, **{**place, **more})
