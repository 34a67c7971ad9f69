"""The administrator's file: what holds for everybody on this machine, whatever a user's files, flags or screen say.

    [cockpit]
    environment = "production"

    [safety]
    read_only = true
    locked = true

It counts only when it is root's and nobody else can write to it; a doubtful one is refused, and never passed over.
"""

from __future__ import annotations

import stat
from collections.abc import Callable
from os import stat_result
from pathlib import Path

from cockpit.config.model import Config
from cockpit.config.reading import read_file, read_source
from cockpit.config.table import check_keys
from cockpit.errors import ConfigError
from cockpit.places import ADMINISTRATORS_FILE
from cockpit.words import _


class Administrator:
    """What the file says now. Cheap enough to ask before every step: it is read again only when it has changed.

    Args:
        path, owner_uid: another file, owned by somebody else, for tests alone; no setting leads here.
    """

    def __init__(self, path: Path | None = None, owner_uid: int = 0) -> None:
        self._path = path or ADMINISTRATORS_FILE
        self._owner_uid = owner_uid
        self._seen: tuple[object, Config] | None = None

    def config(self) -> Config:
        """The file's [cockpit] and [safety]; defaults where there is no file.

        Raises:
            ConfigError: it can't be read, somebody else could have written it, or it is wrong.
        """
        info = self._checked()
        if info is None:
            return Config()
        identity = (info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns, info.st_mode)
        if self._seen is None or self._seen[0] != identity:
            self._seen = (identity, self._read())
        return self._seen[1]

    def lock(self) -> str:
        """Why nothing may change anything on this machine, now; "" when the administrator leaves that open.

        A file that can't be trusted locks as well: it may have said so.
        """
        try:
            locked = self.config().safety.locked
        except ConfigError as error:
            return str(error)
        return _("the administrator keeps this machine read-only ({file})").format(file=self._path) if locked else ""

    def _read(self) -> Config:
        source = read_file(self._path)
        check_keys(source.tables, ("cockpit", "safety"), f"{source.where}: ")
        config = read_source(source)
        if config.safety.locked and not config.safety.read_only:
            raise ConfigError(
                _("locked without read_only says nothing"),
                where=f"{source.where}: safety.locked",
                mend=_("add read_only = true, or take it out"),
            )
        return config

    def _checked(self) -> stat_result | None:
        """What the file is, once it is sure that only its owner wrote it; None where there is none."""
        folder = self._trusted(self._path.parent, stat.S_ISDIR)
        return None if folder is None else self._trusted(self._path, stat.S_ISREG)

    def _trusted(self, path: Path, kind: Callable[[int], bool]) -> stat_result | None:
        try:
            info = path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise self._refused(path, error.strerror or str(error)) from error
        if not kind(info.st_mode):
            raise self._refused(path, _("it is not a plain file in a plain folder"))
        if info.st_uid != self._owner_uid:
            raise self._refused(path, _("it belongs to user {uid}").format(uid=info.st_uid))
        if info.st_mode & stat.S_IWOTH or (info.st_mode & stat.S_IWGRP and info.st_gid != 0):
            raise self._refused(path, _("others can write to it"))
        return info

    def _refused(self, path: Path, why: str) -> ConfigError:
        folder = self._path.parent
        return ConfigError(
            _("the administrator's settings can't be trusted: {why}").format(why=why),
            where=str(path),
            mend=f"sudo chown -R root {folder} && sudo chmod -R a+rX,go-w {folder}",
        )
