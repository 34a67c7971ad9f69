"""Where a host listens: a short path in a private runtime folder (unix socket paths end at 104 bytes on macOS)."""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import struct
import tempfile
from pathlib import Path

from cockpit.errors import FolderRefused
from cockpit.session.folder import SessionFolder, make_private

_PEER_CREDENTIALS = struct.Struct("3i")


def socket_path(folder: SessionFolder) -> Path:
    """The socket of a session's host, in the runtime folder; where that is not ours (after sudo), in the temporary one.

    Raises:
        FolderRefused: neither folder is ours alone.
    """
    name = hashlib.sha256(os.fsencode(folder.path)).hexdigest()[:20] + ".sock"
    base = os.environ.get("XDG_RUNTIME_DIR")
    if base and Path(base).is_dir():
        with contextlib.suppress(FolderRefused):
            make_private(Path(base) / "cockpit")
            return Path(base) / "cockpit" / name
    root = _temporary_root()
    make_private(root)
    return root / name


def _temporary_root() -> Path:
    return Path(tempfile.gettempdir()) / f"cockpit-{os.geteuid()}"


def peer_uid(connection: socket.socket) -> int | None:
    """The user id on the other end of a unix socket; None where the system can't tell."""
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return None
    data = connection.getsockopt(socket.SOL_SOCKET, option, _PEER_CREDENTIALS.size)
    return int(_PEER_CREDENTIALS.unpack(data)[1])
