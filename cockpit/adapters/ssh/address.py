"""Which machine a target's name means, as the operator's own ssh would take it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct

from cockpit.adapters.ssh.turns import ASKED, is_full, too_many_files
from cockpit.errors import ConfigError, TargetUnreachable, ToolMissing
from cockpit.words import _

_PORT = 22
_PATIENCE_S = 10.0
_FIRST_WORDS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_[:")


class SshAddress(Struct, frozen=True, kw_only=True):
    """Where to connect and as whom.

    `alias` is the name host keys are known by when it is not the host's; `identities` are private key files;
    `known_hosts` files hold host keys, the operator's first; `jumps` are the hops before, nearest first.
    """

    host: str
    port: int = _PORT
    user: str
    alias: str = ""
    identities: tuple[str, ...] = ()
    identities_only: bool = False
    agent: str | None = None
    known_hosts: tuple[str, ...] = ()
    jumps: tuple[SshAddress, ...] = ()

    def __str__(self) -> str:
        return f"{self.user}@{self.host}" + (f":{self.port}" if self.port != _PORT else "")

    @property
    def known_as(self) -> str:
        """The name to look for in known_hosts."""
        if self.alias:
            return self.alias
        return self.host if self.port == _PORT else f"[{self.host}]:{self.port}"


def resolve(destination: str, *, config: str | None = None, port: int | None = None) -> SshAddress:
    """The address of `[user@]host` after ~/.ssh/config, with Include, Match and ProxyJump as OpenSSH reads them.

    `ssh -G` answers in some milliseconds and connects nowhere (a `Match exec` of the operator's own file does run).

    Args:
        config: another file than ~/.ssh/config.
        port: instead of the one that the configuration says.

    Raises:
        ToolMissing: there is no ssh on this machine. ConfigError: the name or the configuration can't be used.
    """
    return _resolved(destination, config, port, ())


def _resolved(destination: str, config: str | None, port: int | None, seen: tuple[str, ...]) -> SshAddress:
    if not destination or destination[0] not in _FIRST_WORDS:
        raise ConfigError(_("{host} is no host name").format(host=repr(destination)), mend=_("write [user@]host"))
    if destination in seen:
        raise ConfigError(_("its jump hosts go round in a circle"), where=" > ".join([*seen, destination]))
    told = _asked(destination, config, port)

    def one(key: str, otherwise: str = "") -> str:
        return next((text for name, text in told if name == key), otherwise)

    command = one("proxycommand", "none")
    if command != "none":
        raise ConfigError(
            _("its ssh configuration uses ProxyCommand, which is not supported"),
            where=destination,
            mend=_("use ProxyJump"),
        )
    return SshAddress(
        host=one("hostname", destination),
        port=int(one("port", str(_PORT))),
        user=one("user"),
        alias=one("hostkeyalias"),
        identities=_files(text for name, text in told if name == "identityfile"),
        identities_only=one("identitiesonly") == "yes",
        agent=_agent(one("identityagent", "SSH_AUTH_SOCK")),
        known_hosts=_files(f"{one('userknownhostsfile')} {one('globalknownhostsfile')}".split()),
        jumps=tuple(_jumps(one("proxyjump", "none"), config, (*seen, destination))),
    )


def _jumps(text: str, config: str | None, seen: tuple[str, ...]) -> Iterable[SshAddress]:
    """The hops of a ProxyJump. Only the first of several may have jumps of its own, as in OpenSSH."""
    if text == "none":
        return
    for number, hop in enumerate(text.split(",")):
        name, colon, port = hop.removeprefix("ssh://").rpartition(":")
        if not colon or not port.isdigit() or name.endswith(":"):
            name, port = hop, ""
        address = _resolved(name, config, int(port) if port else None, seen)
        if number == 0:
            yield from address.jumps
        yield SshAddress(**{field: getattr(address, field) for field in address.__struct_fields__} | {"jumps": ()})


def _asked(destination: str, config: str | None, port: int | None) -> list[tuple[str, str]]:
    ssh = shutil.which("ssh")
    if ssh is None:
        raise ToolMissing(_("there is no ssh on this machine"), mend=_("install the OpenSSH client"))
    argv = [ssh, "-G", *(["-F", config] if config else []), *(["-p", str(port)] if port else []), "--", destination]
    try:
        with ASKED.taken():
            done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=_PATIENCE_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise TargetUnreachable(
            _("ssh took too long to say where that is"), where=destination, mend=_("see ~/.ssh/config")
        ) from error
    except OSError as error:
        if is_full(error):
            raise too_many_files(destination) from error
        raise ToolMissing(_("ssh can't be started: {error}").format(error=error.strerror), where=ssh) from error
    if done.returncode:
        raise ConfigError(
            _("ssh can't use its configuration: {error}").format(error=_last_line(done.stderr)), where=destination
        )
    lines = done.stdout.decode("utf-8", "replace").splitlines()
    return [(name, text) for name, _space, text in (line.partition(" ") for line in lines)]


def _last_line(text: bytes) -> str:
    return (text.decode("utf-8", "replace").strip().splitlines() or [""])[-1]


def _files(names: Iterable[str]) -> tuple[str, ...]:
    paths = (Path(name).expanduser() for name in names)
    return tuple(str(path) for path in paths if path.is_file())


def _agent(text: str) -> str | None:
    if text == "none":
        return None
    name = os.environ.get("SSH_AUTH_SOCK", "") if text == "SSH_AUTH_SOCK" else os.path.expandvars(text)
    return str(Path(name).expanduser()) if name else None
