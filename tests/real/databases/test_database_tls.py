"""PostgreSQL and Redis over TLS: whom a step and a panel trust, and that nothing unverified passes for verified."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from cockpit.adapters.postgresql import connection as postgresql
from cockpit.adapters.postgresql.adapter import PostgresqlAdapter, PostgresqlOptions
from cockpit.adapters.redis import server as redis
from cockpit.adapters.redis.adapter import RedisAdapter
from cockpit.adapters.step_program.adapter import Task
from cockpit.adapters.step_program.page import Page
from cockpit.errors import AccessDenied, CockpitError, ConfigError, TargetUnreachable
from cockpit.monitor.sample import Outcome
from cockpit.safety.permit import Mode
from tests.servers.certificates import Authority
from tests.servers.looking import probe, sampled
from tests.servers.postgresql import PostgresqlServer, postgresql_server, server_user
from tests.servers.redis import RedisServer, redis_server
from tests.servers.server import free_port

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tls")


@pytest.fixture(scope="module")
def authority(folder: Path) -> Authority:
    return Authority(folder, "authority")


@pytest.fixture(scope="module")
def stranger(folder: Path) -> Authority:
    return Authority(folder, "stranger")


@pytest.fixture(scope="module")
def database(authority: Authority) -> Iterator[PostgresqlServer]:
    """For "localhost" alone; user "app" has to have a certificate."""
    with postgresql_server() as made:
        data = made.folder / "data"
        certificate, key = authority.certified("localhost")
        for source, name in ((certificate, "c.pem"), (key, "k.pem"), (authority.file, "a.pem")):
            shutil.copy(source, data / name)
            (data / name).chmod(0o600)
            if (user := server_user()) is not None:
                os.chown(data / name, user, user)
        (data / "pg_hba.conf").write_text(
            "local all all trust\nhostssl all app 127.0.0.1/32 cert\nhostssl all all 127.0.0.1/32 trust\n"
        )
        for setting in ("ssl_cert_file = 'c.pem'", "ssl_key_file = 'k.pem'", "ssl_ca_file = 'a.pem'", "ssl = on"):
            _by_socket(made, f"alter system set {setting}")
        _by_socket(made, "select pg_reload_conf()")
        yield made


def _by_socket(server: PostgresqlServer, statement: str) -> None:
    import psycopg

    with psycopg.connect(f"host={server.folder} port={server.port} user=postgres dbname=shop", autocommit=True) as one:
        one.execute(statement.encode())


@pytest.fixture(scope="module")
def cache(authority: Authority) -> Iterator[RedisServer]:
    """For "localhost" alone, and for clients with a certificate."""
    certificate, key = authority.certified("localhost", name="cache")
    secured = ["--tls-cert-file", str(certificate), "--tls-key-file", str(key)]
    secured += ["--tls-ca-cert-file", str(authority.file)]
    port = free_port()
    with redis_server("--tls-port", str(port), *secured) as made:
        yield RedisServer(port, made.folder, made.process)


async def looked(kind: str, port: int, **options: Any) -> str:
    """What a panel and a step make of these options: "" when both see the server, else what both say."""
    options = {"host": "localhost", "port": port, **options}
    sample = await sampled(probe(kind, **options))
    refusal: CockpitError | None = None
    try:
        page = Page(BytesIO())
        if kind == "postgresql":
            made = PostgresqlAdapter(PostgresqlOptions(**options))
            made.perform(Task(language="sql", body="select 1", mode=Mode.LIVE), page)
        else:
            RedisAdapter(redis.ServerOptions(**options)).perform(Task(language="redis", body="PING"), page)
    except CockpitError as error:
        refusal = error
    assert sample.outcome is (Outcome.FAILED if refusal else Outcome.DATA)
    if refusal is None:
        return ""
    assert isinstance(refusal, TargetUnreachable | AccessDenied)
    assert sample.mend == refusal.mend != ""
    return f"{sample.error} ({sample.mend})"


async def test_a_database_is_trusted_by_its_authority_and_name(
    database: PostgresqlServer, authority: Authority, stranger: Authority
) -> None:
    place = {"database": "shop", "user": "postgres"}

    async def told(**options: Any) -> str:
        return await looked("postgresql", database.port, **place, **options)

    assert await told(ca_file=str(authority.file)) == ""
    assert await told(ca_file=str(authority.file), sslmode="verify-ca", host="127.0.0.1") == ""
    assert "ca_file" in await told(ca_file=str(stranger.file))
    assert "does not match host name" in await told(ca_file=str(authority.file), host="127.0.0.1")
    assert "certificate" in await told(sslmode="verify-full")  # by the authorities of this machine
    assert "ca_file" in await told(ca_file=str(authority.file.with_name("nowhere.pem")))
    assert await told(sslmode="require") == ""


async def test_a_database_may_want_a_certificate_too(database: PostgresqlServer, authority: Authority) -> None:
    own, key = authority.certified(name="app")
    other, other_key = authority.certified(name="somebody")
    place = {"database": "shop", "user": "app", "ca_file": str(authority.file)}

    assert await looked("postgresql", database.port, **place, cert_file=str(own), key_file=str(key)) == ""
    assert "cert_file" in await looked("postgresql", database.port, **place)
    refused = await looked("postgresql", database.port, **place, cert_file=str(other), key_file=str(other_key))
    assert "authentication failed" in refused
    key.chmod(0o644)
    assert "key_file" in await looked("postgresql", database.port, **place, cert_file=str(own), key_file=str(key))


async def test_a_database_without_tls_is_not_used_as_if_it_had_it(authority: Authority) -> None:
    with postgresql_server() as plain:
        place = {"database": "shop", "user": "postgres"}
        told = await looked("postgresql", plain.port, **place, ca_file=str(authority.file))
        open_told = await looked("postgresql", plain.port, **place)

    assert "does not support SSL" in told
    assert open_told == ""


async def test_a_cache_is_trusted_by_its_authority_and_name(
    cache: RedisServer, authority: Authority, stranger: Authority
) -> None:
    own, key = authority.certified(name="client")
    with_own = {"tls": True, "cert_file": str(own), "key_file": str(key)}

    async def told(**options: Any) -> str:
        return await looked("redis", cache.port, **{**with_own, **options})

    assert await told(ca_file=str(authority.file)) == ""
    assert await told(ca_file=str(authority.file), verify="ca", host="127.0.0.1") == ""
    assert await told(verify="none") == ""
    assert "ca_file" in await told(ca_file=str(stranger.file))
    assert "ca_file" in await told(ca_file=str(authority.file), host="127.0.0.1")
    assert "ca_file" in await told()  # by the authorities of this machine
    assert await told(ca_file=str(authority.file), cert_file="", key_file="")
    assert await looked("redis", cache.port)  # it speaks nothing but TLS there


@pytest.mark.parametrize(
    ("kind", "options", "doubt"),
    [
        ("postgresql", {"host": "db.internal"}, "neither encryption"),
        ("postgresql", {"host": "db.internal", "sslmode": "require"}, "nobody vouches"),
        ("postgresql", {"host": "db.internal", "sslmode": "verify-full"}, ""),
        ("postgresql", {"host": "db.internal", "ca_file": "/x.pem"}, ""),
        ("postgresql", {"host": "127.0.0.1"}, ""),
        ("postgresql", {"host": "/run/postgresql"}, ""),
        ("redis", {"host": "cache.internal"}, "not encrypted"),
        ("redis", {"host": "cache.internal", "tls": True, "verify": "none"}, "nobody vouches"),
        ("redis", {"host": "cache.internal", "tls": True}, ""),
        ("redis", {"host": "cache.internal", "tls": True, "verify": "ca"}, ""),
        ("redis", {"socket": "/run/redis.sock", "host": "cache.internal"}, ""),
    ],
)
def test_a_connection_that_nobody_verifies_is_told(kind: str, options: dict[str, Any], doubt: str) -> None:
    of_postgresql = postgresql.unverified(postgresql.ServerOptions(**options)) if kind == "postgresql" else ""
    of_redis = redis.unverified(redis.ServerOptions(**options)) if kind == "redis" else ""

    told = of_postgresql or of_redis
    assert doubt in told
    assert bool(told) is bool(doubt)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("postgresql", {"ca_file": "/x.pem", "sslmode": "require"}),
        ("postgresql", {"cert_file": "/x.pem"}),
        ("redis", {"ca_file": "/x.pem"}),
        ("redis", {"verify": "none"}),
        ("redis", {"tls": True, "ca_file": "/x.pem", "verify": "none"}),
        ("redis", {"tls": True, "key_file": "/x.pem"}),
    ],
)
def test_keys_that_would_verify_nothing_are_refused(kind: str, options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as of_panel:
        probe(kind, **options)
    made: Any = (PostgresqlAdapter, PostgresqlOptions) if kind == "postgresql" else (RedisAdapter, redis.ServerOptions)
    with pytest.raises(ConfigError):
        made[0](made[1](**options))

    assert of_panel.value.what
