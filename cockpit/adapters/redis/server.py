"""How a Redis server is reached and asked: the keys of targets and probes, TLS, and its refusals by their names."""

from __future__ import annotations

import ipaddress
import re
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct

from cockpit.adapters.library import needing
from cockpit.errors import AccessDenied, AdapterError, ConfigError, Declined, Malformed, TargetUnreachable
from cockpit.words import _

CONNECT_S = 5.0
_NAMED = re.compile(r"[A-Z]{3,16}\b")


class ServerOptions(Struct, frozen=True, kw_only=True):
    """Keys that a target and a probe of kind "redis" share.

    `verify`: with `tls`, "full" wants a certificate for this host by an authority that is known (`ca_file`, else those
    of this machine); "ca" one for any host; "none" takes whatever comes, and `unverified` tells of it.
    """

    host: str = "localhost"
    port: int = 6379
    socket: str = ""
    database: int = 0
    user: str = ""
    password_env: str = ""
    password_file: str = ""
    tls: bool = False
    verify: Literal["full", "ca", "none"] = "full"
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""

    @property
    def where(self) -> str:
        """The place for messages."""
        return self.socket or f"{self.host}:{self.port}"


def check_options(options: ServerOptions) -> None:
    """Refuse what can't be meant.

    Raises:
        ConfigError: keys of TLS without it, an authority that vouches for nothing, or half of a client certificate.
    """
    of_tls = [name for name in ("ca_file", "cert_file", "key_file") if getattr(options, name)]
    of_tls += ["verify"] if options.verify != "full" else []
    if of_tls and not options.tls:
        raise ConfigError(_("{key} means nothing without TLS").format(key=of_tls[0]), mend="tls = true")
    if options.ca_file and options.verify == "none":
        raise ConfigError(
            _("with verify {mode} nothing is verified, whatever ca_file says").format(mode="none"),
            mend='verify = "full"',
        )
    if bool(options.cert_file) != bool(options.key_file):
        raise ConfigError(_("give both or none of {keys}").format(keys="cert_file, key_file"))


def unverified(options: ServerOptions) -> str:
    """What whoever stands between here and the server could do, in words; "" where nobody can stand there."""
    if options.socket or _is_loopback(options.host) or (options.tls and options.verify != "none"):
        return ""
    if options.tls:
        return _("encrypted, but nobody vouches for the server (verify none)")
    return _("not encrypted: whoever is in between can read passwords and values")


def how_to_verify() -> str:
    """The mend for `unverified`."""
    return _("better: {what}").format(what='tls = true, ca_file = "…"')


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Server:
    """One connection, with the library's exceptions turned into ours.

    Args:
        read_s: how long a reply may take; None for ever.

    Raises:
        ToolMissing, TargetUnreachable, AccessDenied: it is not reached, or lets nobody in.
    """

    def __init__(
        self,
        options: ServerOptions,
        password: str | None,
        *,
        connect_s: float = CONNECT_S,
        read_s: float | None = None,
    ) -> None:
        with needing("redis", "redis"):
            import redis.exceptions as trouble
        self._where = options.where
        self._tls = options.tls
        self._connection = _made(options, password, connect_s, read_s)
        self.alive = True
        """Whether it can be asked again."""
        try:
            self._connection.connect()
        except (trouble.RedisError, OSError) as error:
            self.close()
            raise self._failure(error) from error
        with suppress(AccessDenied, Declined):  # a user who may only read often may not name himself
            self.ask("CLIENT", "SETNAME", "incident-cockpit")

    def close(self) -> None:
        """Hang up."""
        self.alive = False
        self._connection.disconnect()

    def ask(self, *words: Any) -> Any:
        """The reply to a command.

        Raises:
            AdapterError: it says no, or is gone.
        """
        from redis.exceptions import RedisError

        try:
            self._connection.send_command(*words, check_health=False)
            return self._connection.read_response(disable_decoding=True)
        except (RedisError, OSError) as error:
            raise self._failure(error) from error

    def hear(self, within_s: float) -> Any:
        """The next thing that it says by itself; None when it says nothing in that time. Raises as `ask`."""
        from redis.exceptions import RedisError

        try:
            if not self._connection.can_read(timeout=within_s):
                return None
            return self._connection.read_response(disable_decoding=True)
        except (RedisError, OSError) as error:
            raise self._failure(error) from error

    def _failure(self, error: Exception) -> AdapterError:
        """The error tree's word for an exception of the library or of the system."""
        import redis.exceptions as trouble

        said = " ".join((str(error) or type(error).__name__).split())
        kind, name, mend = _refusal(error, said)
        if kind is not None:
            told = f"{name} {said}" if name and not said.startswith(name) else said
            return kind(told, where=self._where, mend=mend)
        self.alive = False
        if isinstance(error, trouble.InvalidResponse):
            return Malformed(_("what answers does not speak Redis's protocol"), where=self._where)
        lowered = said.lower()
        wants_ours = "certificate_required" in lowered or "certificate required" in lowered
        if not wants_ours and ("certificate" in lowered or "hostname" in lowered):
            return TargetUnreachable(
                said, where=self._where, mend=_("check ca_file, and that host is the name it is for")
            )
        if "max number of clients" in said:
            return TargetUnreachable(said, where=self._where, mend=_("end idle clients, or raise maxclients"))
        # Who is refused for its missing certificate may see no more of that than the end of the connection.
        if wants_ours or (
            self._tls and any(word in lowered for word in ("ssl", "tls", "reset", "closed", "broken pipe"))
        ):
            return TargetUnreachable(
                said, where=self._where, mend=_("does it speak TLS on this port, and does it want cert_file?")
            )
        return TargetUnreachable(said, where=self._where, mend=_("is it running, and reachable from here?"))


def _refusal(error: Exception, said: str) -> tuple[type[AdapterError] | None, str, str]:
    """Of an answer that says no: what it is in our tree, Redis's name for it, and the mend. None for anything else."""
    import redis.exceptions as trouble

    # The library takes the name off the message of those it knows.
    told_as = getattr(error, "status_code", None)
    name = told_as if isinstance(told_as, str) and told_as != "ERR" else ""
    if not name:
        name = next((word for word, kind in _library_names().items() if isinstance(error, kind)), "")
    if not name and isinstance(error, trouble.ResponseError) and (found := _NAMED.match(said)):
        name = found[0]
    if name in ("NOAUTH", "WRONGPASS", "NOPERM", "DENIED") or isinstance(error, trouble.AuthenticationError):
        return AccessDenied, name, _refusals().get(name) or _("check user, password_env and the user's ACL")
    if isinstance(error, trouble.ResponseError) or name:
        return Declined, name, _refusals().get(name, "")
    return None, "", ""


def _library_names() -> dict[str, type[Exception]]:
    import redis.exceptions as trouble

    return {
        "LOADING": trouble.BusyLoadingError,
        "READONLY": trouble.ReadOnlyError,
        "MOVED": trouble.MovedError,
        "ASK": trouble.AskError,
        "CLUSTERDOWN": trouble.ClusterDownError,
        "CROSSSLOT": trouble.ClusterCrossSlotError,
        "MASTERDOWN": trouble.MasterDownError,
        "TRYAGAIN": trouble.TryAgainError,
        "OOM": trouble.OutOfMemoryError,
        "NOPERM": trouble.NoPermissionError,
    }


def _refusals() -> dict[str, str]:
    """What to do about each, by Redis's own name for it."""
    return {
        "LOADING": _("it has just started; try again in a moment"),
        "READONLY": _("this is a replica; give the primary as the target"),
        "MOVED": _("it is a cluster; give the node it names as the target"),
        "ASK": _("the cluster moves this slot just now; ask the node it names, or try again"),
        "CLUSTERDOWN": _("look at CLUSTER INFO and CLUSTER NODES: a part of the slots has no node"),
        "CROSSSLOT": _("in a cluster, all keys of a command have to be in one slot: give them one {tag}"),
        "MASTERDOWN": _("this replica has lost its primary; give another node as the target"),
        "TRYAGAIN": _("the cluster moves this slot just now; ask the node it names, or try again"),
        "OOM": _("it is out of memory; look at maxmemory and what may be evicted"),
        "MISCONF": _("it can't save to its disk and takes no writes; look at its log and the disk"),
        "BUSY": _("a script holds it up; SCRIPT KILL ends one that has written nothing"),
        "NOREPLICAS": _("too few replicas are connected for it to take writes"),
        "NOAUTH": _("it lets in nobody without a password; set password_env or password_file"),
        "DENIED": _("it takes nobody from outside without a password; give it one"),
    }


def _made(options: ServerOptions, password: str | None, connect_s: float, read_s: float | None) -> Any:
    from redis import connection

    shape = "UnixDomainSocketConnection" if options.socket else "SSLConnection" if options.tls else "Connection"
    place: dict[str, Any] = {"path": options.socket} if options.socket else {"host": options.host, "port": options.port}
    if options.tls:
        place |= {
            "ssl_cert_reqs": "none" if options.verify == "none" else "required",
            "ssl_check_hostname": options.verify == "full",
            "ssl_ca_certs": _path(options.ca_file),
            "ssl_certfile": _path(options.cert_file),
            "ssl_keyfile": _path(options.key_file),
        }
    # Any: the library's connections are not typed.
    return getattr(connection, shape)(
        **place,
        db=options.database,
        username=options.user or None,
        password=password,
        socket_timeout=read_s,
        socket_connect_timeout=connect_s,
        driver_info=None,
        protocol=2,
    )


def _path(written: str) -> str | None:
    return str(Path(written).expanduser()) if written else None
