"""Where a host listens (a short path: those of unix sockets end at 104 bytes on macOS), and who is on the line."""

from __future__ import annotations

import hashlib
import os
import socket
import struct
from pathlib import Path
from typing import NamedTuple

from cockpit.session.record.folder import SessionFolder
from cockpit.session.record.roots import runtime_folder

_LINUX = struct.Struct("3i")  # pid, uid, gid
_XUCRED = struct.Struct("2I")  # version, uid, …
_XUCRED_BYTES, _SOL_LOCAL, _LOCAL_PEERCRED, _LOCAL_PEERPID = 76, 0, 1, 2


class Peer(NamedTuple):
    """Who is on the other end of a unix socket. `pid` None: the system does not say."""

    uid: int
    pid: int | None


def socket_path(folder: SessionFolder) -> Path:
    """The socket of a session's host, in the runtime folder.

    Raises:
        FolderRefused: there is none that is ours alone.
    """
    return runtime_folder() / (hashlib.sha256(os.fsencode(folder.path)).hexdigest()[:20] + ".sock")


def peer_of(connection: socket.socket) -> Peer | None:
    """Who is on the other end, by the kernel's word; None where it can't tell, and then nobody may be let in."""
    try:
        if hasattr(socket, "SO_PEERCRED"):
            pid, uid, _gid = _LINUX.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _LINUX.size))
            return Peer(uid, pid)
        credentials = connection.getsockopt(_SOL_LOCAL, _LOCAL_PEERCRED, _XUCRED_BYTES)
        version, uid = _XUCRED.unpack_from(credentials)
        pid = connection.getsockopt(_SOL_LOCAL, _LOCAL_PEERPID)
    except (OSError, struct.error):
        return None
    return Peer(uid, pid) if version == 0 else None
