"""Proving who the operator is: the agent's keys, key files, then questions that only a person can answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from cockpit.adapters.base import Ask
from cockpit.adapters.ssh.address import SshAddress
from cockpit.errors import AccessDenied
from cockpit.safety.text import one_line
from cockpit.words import _

if TYPE_CHECKING:
    from paramiko import PKey, Transport

_QUESTIONS = "keyboard-interactive"
_ANSWER_S = 120
"""A person needs longer than a machine."""
_AGENT_S = 5.0


def sign_in(transport: Transport, address: SshAddress, ask: Ask | None) -> None:
    """Authenticate.

    Args:
        ask: asks a person; None when nobody is there, as in a run without a screen.

    Raises:
        AccessDenied: nothing was accepted; says what was tried.
    """
    import paramiko

    tried: list[str] = []
    further: list[str] = []
    if ask is not None:
        transport.auth_timeout = _ANSWER_S
    for name, key in _keys(address, tried, ask):
        try:
            further = transport.auth_publickey(address.user, key)
        except paramiko.AuthenticationException as error:
            _require_alive(transport)
            tried.append(_("{key}: refused").format(key=name))
            further = list(getattr(error, "allowed_types", [])) or further
            continue
        if not further:
            return
        tried.append(_("{key}: accepted, and more is asked for").format(key=name))
        break
    if ask is not None and (not further or _QUESTIONS in further):
        try:
            transport.auth_interactive(address.user, _answering(address, ask))
        except paramiko.AuthenticationException:
            _require_alive(transport)
            tried.append(_("the answers: refused"))
        else:
            return
    elif _QUESTIONS in further:
        tried.append(_("it asks questions, and nobody is here to answer"))
    told = "; ".join(tried) or _("there is no key to try")
    raise AccessDenied(
        _("it lets nobody in as {user}: {tried}").format(user=address.user, tried=told),
        where=str(address),
        mend=_("`ssh-add -l` shows the keys of your agent; `ssh {host}` must work by itself").format(host=address.host),
    )


def _answering(address: SshAddress, ask: Ask) -> Callable[[str, str, list[tuple[str, bool]]], list[str]]:
    """Asks for each round of questions, until one is left without an answer: then the server is not kept waiting."""
    answers = True

    def answer(_title: str, _note: str, fields: list[tuple[str, bool]]) -> list[str]:
        nonlocal answers
        asked = [(one_line(text), seen) for text, seen in fields]
        given = list(ask(str(address), asked)) if answers and fields else []
        answers = len(given) == len(fields)
        return given if answers else [""] * len(fields)

    return answer


def _require_alive(transport: Transport) -> None:
    """paramiko calls it a refusal as well when the connection ended meanwhile."""
    import paramiko

    if not transport.is_active():
        raise paramiko.SSHException("the connection ended")


def _keys(address: SshAddress, tried: list[str], ask: Ask | None) -> Iterator[tuple[str, PKey]]:
    """Keys to offer, the agent's first. With IdentitiesOnly, of the agent's only those that have a file."""
    import paramiko
    from cryptography.exceptions import UnsupportedAlgorithm
    from paramiko.pkey import UnknownKeyType

    wanted = {_public(name) for name in address.identities} if address.identities_only else None
    offered = set()
    for key in _agent_keys(address, tried):
        if wanted is not None and key.asbytes() not in wanted:
            continue
        offered.add(key.asbytes())
        yield str(getattr(key, "comment", "")) or _("a key of the agent"), key
    closed = []
    for name in address.identities:
        try:
            loaded = paramiko.PKey.from_path(name)
        except (paramiko.PasswordRequiredException, TypeError):  # the latter of cryptography, which reads it first
            if _public(name) not in offered:
                closed.append(name)
            continue
        except (paramiko.SSHException, OSError, ValueError, UnknownKeyType, UnsupportedAlgorithm) as error:
            if _public(name) not in offered:
                tried.append(_unusable(name, error))
            continue
        if loaded.asbytes() not in offered:
            yield name, loaded
    for name in closed:
        if (opened := _opened(address, name, ask, tried)) is not None:
            yield name, opened


def _unusable(name: str, error: Exception) -> str:
    """Why a key file can't be used."""
    if b"sk-" in _public(name)[:8]:
        return _("{key}: lies on a security key, which only your agent can use; add it there: ssh-add").format(key=name)
    return f"{name}: {str(error).splitlines()[0] if str(error) else type(error).__name__}"


def _opened(address: SshAddress, name: str, ask: Ask | None, tried: list[str]) -> PKey | None:
    """A key that has a passphrase, once a person has given it."""
    import paramiko

    question = _("passphrase of {key}").format(key=name)
    given = list(ask(str(address), [(question, False)])) if ask else []
    if not given or not given[0]:
        tried.append(_("{key}: has a passphrase; add it to your agent").format(key=name))
        return None
    try:
        return paramiko.PKey.from_path(name, given[0].encode())  # type: ignore[arg-type]  # cryptography wants bytes
    except (paramiko.SSHException, OSError, ValueError, TypeError):
        tried.append(_("{key}: not the right passphrase").format(key=name))
        return None


def _agent_keys(address: SshAddress, tried: list[str]) -> Iterator[PKey]:
    if not address.agent:
        return
    import socket

    from paramiko import SSHException
    from paramiko.agent import AgentKey, AgentSSH

    agent = AgentSSH()
    with closing(socket.socket(socket.AF_UNIX)) as connection:
        # One that was forwarded over a connection that hangs, hangs too.
        connection.settimeout(_AGENT_S)
        try:
            connection.connect(address.agent)
            # paramiko's own Agent knows the environment's socket only, and not IdentityAgent's.
            agent._connect(connection)  # type: ignore[attr-defined]  # noqa: SLF001
        except (OSError, ValueError, SSHException) as error:
            why = getattr(error, "strerror", "") or error
            tried.append(_("the agent does not answer: {error}").format(error=why))
            return
        connection.settimeout(_ANSWER_S)  # a key that is confirmed, or touched, takes a person's time
        for key in agent.get_keys():
            if isinstance(key, AgentKey):
                yield key


def _public(name: str) -> bytes:
    """The public half of a key file, from the .pub beside it; empty when there is none."""
    import base64

    try:
        return base64.b64decode(Path(name + ".pub").read_text("utf-8").split()[1])
    except (OSError, IndexError, ValueError):
        return b""
