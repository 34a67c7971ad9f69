"""The line on which another user approves: what waits may be looked at there, approved or denied, and nothing else.

A unix socket of its own, in a folder that one group may enter. It is only there while a second person is configured, so
that the session's own socket and folder stay closed to everybody but their owner.
"""

from __future__ import annotations

import asyncio
import contextlib
import grp
import json
import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cockpit.errors import CockpitError, ConfigError, FolderRefused, PolicyRefusal, UsageError
from cockpit.places import user_name
from cockpit.session.host.requests import error_as_json
from cockpit.session.line.address import Peer, peer_of
from cockpit.session.steps.engine import Engine
from cockpit.words import _

MEETING_PLACE = Path("/tmp")  # noqa: S108 - every user sees this one; what is made in it is checked to be ours
FOLDER_NAME = "cockpit-approve-"
_LINE_BYTES = 64 * 1024
_PATIENCE_S = 5.0
_MOST_AT_ONCE = 8
_NO_LOGIN = {"", "4294967295"}


class SecondPersonLine:
    """Listens for a second person, for one session.

    Args:
        group: the name of the unix group whose members may come.
        place: where the folder is made; another one for tests alone.
        login_of: the login a process began with, "" where the system does not say.
    """

    def __init__(
        self,
        engine: Engine,
        group: str,
        place: Path = MEETING_PLACE,
        login_of: Callable[[int | None], str] | None = None,
    ) -> None:
        self._engine = engine
        self._group = group
        self._folder = place / f"{FOLDER_NAME}{os.geteuid()}"
        self.path = self._folder / f"{engine.folder.name}-{os.getpid()}.sock"
        self._login_of = login_of or login_of_process
        self._server: asyncio.Server | None = None
        self._at_once = asyncio.Semaphore(_MOST_AT_ONCE)

    async def listen(self) -> None:
        """Open the line to the group.

        Raises:
            ConfigError: there is no such group, or its owner is not in it. FolderRefused: the folder is not ours.
        """
        gid = _group_id(self._group)
        self._make_folder(gid)
        before = os.umask(0o177)
        try:
            self._server = await asyncio.start_unix_server(self._serve, path=str(self.path), limit=_LINE_BYTES)
        finally:
            os.umask(before)
        _give_to_group(self.path, gid, 0o660)

    async def close(self) -> None:
        """Close the line."""
        if self._server:
            self._server.close()
            self.path.unlink(missing_ok=True)

    def _make_folder(self, gid: int) -> None:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        info = self._folder.lstat()
        if not stat.S_ISDIR(info.st_mode) or info.st_uid != os.geteuid():
            raise FolderRefused(
                _("the folder where approvals are given belongs to somebody else"),
                where=str(self._folder),
                mend=_("have its owner or root remove it"),
            )
        _give_to_group(self._folder, gid, 0o750)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One question, one answer."""
        try:
            async with self._at_once, asyncio.timeout(_PATIENCE_S):
                answer = self._answer(peer_of(writer.get_extra_info("socket")), await reader.readline())
                writer.write(json.dumps(answer).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError, TimeoutError):
            pass  # gone, too slow or too long: whoever it was may come again
        finally:
            writer.close()

    def _answer(self, peer: Peer | None, line: bytes) -> dict[str, Any]:
        try:
            who = self._another(peer)
            given = json.loads(line)
            return {"ok": self._carry_out(who, str(given["do"]), given)}
        except CockpitError as error:
            return {"error": error_as_json(error)}
        except (ValueError, TypeError, KeyError, AttributeError):
            what = _("the request is malformed: {error}").format(error="")
            return {"error": {"what": what, "where": "", "mend": "", "exit_code": 2}}

    def _another(self, peer: Peer | None) -> Peer:
        """Whoever is on the line, if they are somebody else than who runs this session.

        Raises:
            PolicyRefusal: the same person under one name or another, root (who can be anybody), or nobody can tell.
        """
        if peer is None:
            raise PolicyRefusal(_("the system does not say who is on the line"))
        if peer.uid == 0:
            raise PolicyRefusal(_("root can be anybody, and so counts as nobody"), mend=_("approve as yourself"))
        mine = {str(os.geteuid()), str(os.getuid()), os.environ.get("SUDO_UID", ""), self._login_of(None)}
        theirs = {str(peer.uid), self._login_of(peer.pid)}
        if mine & theirs - _NO_LOGIN:
            raise PolicyRefusal(_("you run this session yourself"), mend=_("a second person has to approve"))
        return peer

    def _carry_out(self, who: Peer, do: str, given: dict[str, Any]) -> dict[str, Any]:
        engine = self._engine
        if do == "look":
            waiting = [{"approval": asked.number, "shown": asked.shown} for asked in engine.approvals.pending()]
            return {"session": engine.folder.name, "waiting": waiting}
        if do not in ("approve", "deny"):
            raise UsageError(_("unknown command {name}").format(name=do))
        engine.second_word(
            str(given["approval"]), str(given["digest"]), yes=do == "approve", name=user_name(who.uid), uid=who.uid
        )
        return {}


def login_of_process(pid: int | None) -> str:
    """The user id that a process's login began with, which sudo and su do not change; "" where nobody knows."""
    place = Path("/proc") / ("self" if pid is None else str(pid)) / "loginuid"
    with contextlib.suppress(OSError):
        return place.read_text("ascii").strip()
    return ""


def lines(place: Path = MEETING_PLACE) -> list[Path]:
    """The lines of other users that this one may try, each in a folder of the user it names."""
    found = []
    for folder in sorted(place.glob(f"{FOLDER_NAME}*")):
        with contextlib.suppress(OSError):
            info = folder.lstat()
            if stat.S_ISDIR(info.st_mode) and folder.name == f"{FOLDER_NAME}{info.st_uid}":
                found += sorted(each for each in folder.iterdir() if each.suffix == ".sock")
    return found


def ask_line(path: Path, question: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Ask on a line; returns the answer and the user id of who gave it.

    Raises:
        OSError: nobody is there. PolicyRefusal: somebody else sits there than owns the folder. Other CockpitErrors: the
            session refused.
    """
    from cockpit.session.line.client import error_from

    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(2 * _PATIENCE_S)
        line.connect(str(path))
        peer = peer_of(line)
        if peer is None or peer.uid != path.parent.lstat().st_uid:
            raise PolicyRefusal(_("somebody else answers than the user whose folder it is"), where=str(path))
        line.sendall(json.dumps(question).encode() + b"\n")
        with line.makefile("rb") as told:
            answer = json.loads(told.readline() or b"{}")
    if "error" in answer:
        raise error_from(answer["error"])
    return dict(answer.get("ok") or {}), peer.uid


def _group_id(name: str) -> int:
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError as error:
        raise ConfigError(
            _("there is no group {name}").format(name=name),
            where="[safety] approvers",
            mend=_("name one that is there"),
        ) from error


def _give_to_group(path: Path, gid: int, mode: int) -> None:
    try:
        os.chown(path, -1, gid)
    except PermissionError as error:
        raise ConfigError(
            _("you are not in the group of approvers"),
            where="[safety] approvers",
            mend=_("have an administrator add you, and log in again"),
        ) from error
    path.chmod(mode)
