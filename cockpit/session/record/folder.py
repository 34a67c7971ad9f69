"""The session folder: the one truth about a session. 0700, files 0600, whatever the umask.

INC-YYYYMMDD-NNN/
├── journal.jsonl      every decision and result, hash-chained
├── samples.jsonl      what probes found
├── panel.json         the probes, tails and rules this session watches
├── runbook.md         the document as it was at the start
├── runs/0007/         spec.json, output, exit.json, control of each run
├── logs/  evidence/  reports/
├── host.json          who writes: pid, its start time, the socket
└── lock               held (flock) by the writer
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from cockpit.errors import FolderRefused, UsageError
from cockpit.session.record.roots import PRIVATE_DIR
from cockpit.words import _

PRIVATE_FILE = 0o600


def private_opener(path: str, flags: int) -> int:
    """An `opener` for open(): 0600, never through a symlink, closed on exec."""
    return os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW, PRIVATE_FILE)


class SessionFolder(Struct, frozen=True):
    """Paths of one session. Creates nothing by itself but in `create`."""

    path: Path

    @property
    def name(self) -> str:
        """The session's id: INC-YYYYMMDD-NNN."""
        return self.path.name

    @property
    def journal(self) -> Path:
        """The hash-chained record."""
        return self.path / "journal.jsonl"

    @property
    def samples(self) -> Path:
        """What probes found, a JSON object a line."""
        return self.path / "samples.jsonl"

    @property
    def older_samples(self) -> Path:
        """What samples.jsonl becomes when it is full and a new one begins."""
        return self.path / "samples.1.jsonl"

    @property
    def panel(self) -> Path:
        """The probes, tails and rules of the session."""
        return self.path / "panel.json"

    @property
    def runbook(self) -> Path:
        """The document as it was at the start."""
        return self.path / "runbook.md"

    @property
    def settings(self) -> Path:
        """The choices made when it was opened."""
        return self.path / "settings.json"

    @property
    def host(self) -> Path:
        """Who writes, and on which socket."""
        return self.path / "host.json"

    @property
    def lock(self) -> Path:
        """Held by the writer."""
        return self.path / "lock"

    @property
    def logs(self) -> Path:
        """Log lines kept as evidence."""
        return self.path / "logs"

    def run(self, number: int) -> Path:
        """The folder of one run."""
        return self.path / "runs" / f"{number:04d}"

    def require_its_own(self) -> None:
        """What a screen shows of a session lies in its folder: one from elsewhere may hold links to other places.

        Raises:
            FolderRefused: something in it is neither a folder nor a plain file, nor a run's control.
        """
        for within, folders, files in os.walk(self.path):
            for name in (*folders, *files):
                path = Path(within, name)
                try:
                    mode = path.lstat().st_mode
                except FileNotFoundError:
                    continue
                if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode) or (stat.S_ISFIFO(mode) and name == "control")):
                    raise FolderRefused(
                        _("a session holds plain files only, and this is none"),
                        where=str(path),
                        mend=_("look at where it came from; `cockpit verify` tells which files are as recorded"),
                    )

    def discard_unbegun(self) -> bool:
        """Take the folder away again if nothing was ever recorded in it; whether it was so."""
        if self.journal.exists() and self.journal.stat().st_size:
            return False
        shutil.rmtree(self.path, ignore_errors=True)
        return True

    @classmethod
    def create(cls, root: Path, now: datetime) -> SessionFolder:
        """A new folder with the day's next free number; safe against others creating at the same time.

        Raises:
            FolderRefused: it can't be made.
        """
        day = f"INC-{now:%Y%m%d}-"
        taken = [int(p.name[len(day) :]) for p in root.glob(day + "*") if p.name[len(day) :].isdigit()]
        number = max(taken, default=0) + 1
        while True:
            path = root / f"{day}{number:03d}"
            try:
                path.mkdir(mode=PRIVATE_DIR)
                break
            except FileExistsError:
                number += 1
            except OSError as error:
                raise FolderRefused(
                    _("the session folder can't be made: {error}").format(error=error.strerror),
                    where=str(path),
                    mend=_("set COCKPIT_STATE_DIR to a folder you can write"),
                ) from error
        for name in ("runs", "logs", "evidence", "reports"):
            (path / name).mkdir(mode=PRIVATE_DIR)
        return cls(path)


def session_folders(roots: Iterable[Path]) -> Iterator[SessionFolder]:
    """Recorded sessions, newest first.

    Raises:
        FolderRefused: a state folder can't be read.
    """
    found = [path for root in roots for path in _recorded(root)]
    for path in sorted(found, key=_age_key, reverse=True):
        yield SessionFolder(path)


def _recorded(root: Path) -> list[Path]:
    try:
        return [p for p in root.iterdir() if p.name.startswith("INC-") and p.is_dir() and not p.is_symlink()]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise FolderRefused(
            _("the folder can't be read: {error}").format(error=error.strerror),
            where=str(root),
            mend=_("mend its permissions, or set COCKPIT_STATE_DIR to another folder"),
        ) from error


def _age_key(path: Path) -> tuple[str, int]:
    day, _dash, number = path.name.rpartition("-")
    return day, int(number) if number.isdigit() else 0


def find_session(roots: Iterable[Path], name: str | None) -> SessionFolder:
    """The session of that id (or its folder's path), the newest when None.

    Raises:
        UsageError: there is none.
    """
    if name and (Path(name) / "journal.jsonl").is_file():
        return SessionFolder(Path(name).absolute())
    looked_in = tuple(roots)
    for folder in session_folders(looked_in):
        if name is None or folder.name == name:
            return folder
    raise UsageError(
        _("no session {name}").format(name=name) if name else _("no sessions yet"),
        where=", ".join(map(str, looked_in)),
        mend=_("`cockpit sessions` lists them"),
    )
