"""How a PostgreSQL server is reached: the keys of targets and probes, what libpq makes of them, and what goes wrong."""

from __future__ import annotations

import ipaddress
import math
import os
import re
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct

from cockpit.adapters.library import needing
from cockpit.adapters.postgresql.wire import Wire
from cockpit.errors import AccessDenied, AdapterError, ConfigError, TargetUnreachable
from cockpit.words import _

if TYPE_CHECKING:
    from psycopg import Connection

CONNECT_S = 5
APPLICATION = "incident-cockpit"
_VERIFYING = ("verify-ca", "verify-full")
_LIBPQS_OWN = Path("~/.postgresql/root.crt")


class ServerOptions(Struct, frozen=True, kw_only=True):
    """Keys that a target and a probe of kind "postgresql" share.

    `sslmode` is libpq's. Without it a server that `ca_file` is given for is verified in full, and any other is reached
    as libpq does it: encrypted where the server offers it, and verified by nobody (`unverified` tells).
    """

    host: str = ""
    port: int = 0
    database: str = ""
    user: str = ""
    password_env: str = ""
    password_file: str = ""
    sslmode: Literal["", "disable", "allow", "prefer", "require", "verify-ca", "verify-full"] = ""
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""

    @property
    def mode(self) -> str:
        """The sslmode in force."""
        return self.sslmode or ("verify-full" if self.ca_file else "prefer")

    @property
    def where(self) -> str:
        """The place for messages."""
        host = self.host or os.environ.get("PGHOST") or "localhost"
        return f"{host}:{self.port or 5432}/{self.database}"


def check_options(options: ServerOptions) -> None:
    """Refuse what can't be meant.

    Raises:
        ConfigError: an authority that would vouch for nothing, or half of a client certificate.
    """
    if options.ca_file and options.mode not in _VERIFYING:
        raise ConfigError(
            _("with sslmode {mode} nothing is verified, whatever ca_file says").format(mode=options.mode),
            mend='sslmode = "verify-full"',
        )
    if bool(options.cert_file) != bool(options.key_file):
        raise ConfigError(_("give both or none of {keys}").format(keys="cert_file, key_file"))


def unverified(options: ServerOptions) -> str:
    """What whoever stands between here and the server could do, in words; "" where nobody can stand there."""
    host = options.host or os.environ.get("PGHOST", "")
    if options.mode in _VERIFYING or not host or host.startswith(("/", "@")) or _is_loopback(host):
        return ""
    if options.mode == "require":
        return _("encrypted, but nobody vouches for the server (sslmode {mode})").format(mode=options.mode)
    return _("neither encryption nor a verified server is asked for (sslmode {mode})").format(mode=options.mode)


def how_to_verify() -> str:
    """The mend for `unverified`."""
    return _("better: {what}").format(what='sslmode = "verify-full", ca_file = "…"')


def connect(
    options: ServerOptions, password: str | None, *, trusted: bool = True, within_s: float = CONNECT_S
) -> Connection[Any]:
    """A new connection, to be closed by whoever asked for it.

    Args:
        within_s: the library takes whole seconds, and two at least.
        trusted: the options stand in a file and not in a document, so ~/.pgpass counts.

    Raises:
        ToolMissing, TargetUnreachable, AccessDenied.
    """
    with needing("psycopg", "postgresql"):
        import psycopg
    try:
        connection = psycopg.connect(**_parameters(options, password, trusted), connect_timeout=math.ceil(within_s))
    except psycopg.Error as error:
        raise _not_connected(str(error), options.where) from error
    try:
        wire = Wire(connection, options.where)
        if wire.setting("server_encoding") == "SQL_ASCII":
            # It does not know what its bytes mean, and would refuse to give them out as UTF-8.
            wire.ask("SET client_encoding = 'SQL_ASCII'")
    except BaseException:
        connection.close()
        raise
    return connection


def _parameters(options: ServerOptions, password: str | None, trusted: bool) -> dict[str, Any]:
    given = {
        "host": options.host,
        "port": options.port,
        "dbname": options.database,
        "user": options.user,
        "password": password,
        "sslrootcert": _authority(options),
        "sslcert": options.cert_file and str(Path(options.cert_file).expanduser()),
        "sslkey": options.key_file and str(Path(options.key_file).expanduser()),
        "passfile": "" if trusted else os.devnull,
    }
    # An empty password is given to keep libpq from $PGPASSWORD, which is not for whom a document names.
    own = {} if trusted or password else {"password": ""}
    return (
        {name: value for name, value in given.items() if value}
        | own
        | {
            "sslmode": options.mode,
            "application_name": APPLICATION,
            "client_encoding": "UTF8",
            "autocommit": True,
        }
    )


def _authority(options: ServerOptions) -> str:
    """Who has to vouch for the server: `ca_file`, libpq's own file, or the authorities of this machine."""
    if options.ca_file:
        return str(Path(options.ca_file).expanduser())
    if options.mode not in _VERIFYING or os.environ.get("PGSSLROOTCERT") or _LIBPQS_OWN.expanduser().exists():
        return ""
    paths = ssl.get_default_verify_paths()
    return paths.cafile or next((path for path in (paths.openssl_cafile,) if Path(path).exists()), "")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _not_connected(said: str, where: str) -> AdapterError:
    """The error tree's word for a connection that was not made: libpq tells it in words only."""
    words = " ".join(said.removeprefix("connection failed:").split())
    if "timeout" not in words:
        for pattern, kind, mend in _reasons():
            if re.search(pattern, words):
                return kind(words, where=where, mend=mend)
    return TargetUnreachable(words, where=where, mend=_("is it running, and reachable from here?"))


def _reasons() -> tuple[tuple[str, type[AdapterError], str], ...]:
    """What libpq and the server say of it, what that is in our tree, and the mend."""
    return (
        (
            r"server does not support SSL",
            TargetUnreachable,
            _('switch ssl on for the server, or take the risk: sslmode = "prefer"'),
        ),
        (
            r"requires a valid client certificate|could not load private key|private key file",
            AccessDenied,
            _("check cert_file and key_file (chmod 600)"),
        ),
        (
            r"certificate|does not match host name",
            TargetUnreachable,
            _("check ca_file, and that host is the name it is for"),
        ),
        (
            r"too many (?:clients|connections)|remaining connection slots",
            TargetUnreachable,
            _("every connection is taken: end idle ones, or raise max_connections"),
        ),
        (
            r"starting up|shutting down|not yet accepting|recovery mode",
            TargetUnreachable,
            _("it is starting up or shutting down; try again in a moment"),
        ),
        (
            r"password|authentication|pg_hba|role \S+ does not exist|no encryption|permission denied",
            AccessDenied,
            _("check user, password_env and pg_hba.conf"),
        ),
    )
