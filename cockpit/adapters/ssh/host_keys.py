"""Whether a machine is the one it was before. Nothing is ever accepted or added silently.

paramiko's own reader refuses a whole file for one @revoked or @cert-authority line, and knows no patterns (measured),
so the lines are read here. Their format is that of sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT".
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from cockpit.adapters.ssh.address import SshAddress
from cockpit.errors import AccessDenied
from cockpit.words import _


class KnownKey(NamedTuple):
    """A line of a known_hosts file. `marker` is "", "@revoked" or "@cert-authority"; `blob` is the key as sent."""

    marker: str
    hosts: str
    kind: str
    blob: bytes
    where: str


def known_keys(files: Iterable[str]) -> Iterator[KnownKey]:
    """The keys in those files. Lines that can't be read are passed over, as OpenSSH does."""
    for name in files:
        try:
            lines = Path(name).read_bytes().decode("utf-8", "replace").split("\n")
        except OSError:
            continue
        for number, text in enumerate(lines, 1):
            words = text.split()
            marker = words.pop(0) if words and words[0].startswith("@") else ""
            if len(words) < 3 or words[0].startswith("#"):
                continue
            try:
                blob = base64.b64decode(words[2], validate=True)
            except binascii.Error:
                continue
            yield KnownKey(marker, words[0], words[1], blob, f"{name}:{number}")


def kinds_known(address: SshAddress) -> list[str]:
    """The kinds of key under which the machine is known, to ask it for one of those."""
    keys = known_keys(address.known_hosts)
    return list(dict.fromkeys(key.kind for key in keys if not key.marker and _is_for(key.hosts, address.known_as)))


def require_known(address: SshAddress, kind: str, blob: bytes) -> None:
    """Raise AccessDenied unless the machine's key is the one on file.

    Args:
        kind: as in "ssh-ed25519". blob: the key as the machine sent it.
    """
    fingerprint = "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode("ascii").rstrip("=")
    name, other, authority = address.known_as, "", ""
    found = False
    for key in known_keys(address.known_hosts):
        if not _is_for(key.hosts, name):
            continue
        if key.marker == "@revoked":
            if key.blob == blob:
                raise AccessDenied(
                    _("the key of {host} is revoked: {key}").format(host=name, key=fingerprint), where=key.where
                )
        elif key.marker == "@cert-authority":
            authority = key.where
        elif key.blob == blob:
            found = True
        elif key.kind == kind:
            other = other or key.where
    if found:
        return
    if other:
        raise AccessDenied(
            _("{host} has another key than before: {key}; somebody may be in between").format(
                host=name, key=fingerprint
            ),
            where=other,
            mend=_("ask whoever runs it; if the change is right, remove the line and connect with ssh once"),
        )
    if authority:
        raise AccessDenied(
            _("{host} is known by a host certificate only, which is not supported: {key}").format(
                host=name, key=fingerprint
            ),
            where=authority,
            mend=_("add its own key to known_hosts"),
        )
    raise AccessDenied(
        _("{host} is not a known host: {key}").format(host=name, key=fingerprint),
        where=address.known_hosts[0] if address.known_hosts else "~/.ssh/known_hosts",
        mend=_("compare the fingerprint, then connect with ssh once"),
    )


def _is_for(hosts: str, name: str) -> bool:
    """Whether a line's first field means this host: plain, hashed, with wildcards, negated."""
    if hosts.startswith("|1|"):
        return _is_hash_of(hosts, name)
    matched = False
    for pattern in hosts.lower().split(","):
        # Square brackets are those of "[host]:port" here, not a set of characters.
        literal = pattern.removeprefix("!").replace("[", "[[]")
        if fnmatchcase(name.lower(), literal):
            if pattern.startswith("!"):
                return False
            matched = True
    return matched


def _is_hash_of(hosts: str, name: str) -> bool:
    try:
        salt, digest = (base64.b64decode(part, validate=True) for part in hosts[3:].split("|"))
    except ValueError:
        return False
    return hmac.compare_digest(hmac.new(salt, name.encode("utf-8"), hashlib.sha1).digest(), digest)
