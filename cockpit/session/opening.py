"""Opening a session: a folder of its own, with the document as it is now and the choices made."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from cockpit.errors import RunbookError, UsageError
from cockpit.session.folder import SessionFolder, private_opener, state_root
from cockpit.session.settings import SessionSettings
from cockpit.words import _


def open_session(settings: SessionSettings) -> SessionFolder:
    """A new session folder holding a byte-for-byte copy of the runbook.

    Raises:
        RunbookError: the document can't be read. FolderRefused: the state folder is unsafe.
    """
    document = read_document(Path(settings.runbook_path))
    folder = SessionFolder.create(state_root(), datetime.now(UTC))
    with open(folder.runbook, "xb", opener=private_opener) as copy:
        copy.write(document)
        copy.flush()
        os.fsync(copy.fileno())
    settings.save(folder)
    return folder


def read_document(path: Path) -> bytes:
    """The document's bytes.

    Raises:
        RunbookError: it isn't there, isn't a file, or may not be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise RunbookError(
            _("the runbook can't be read: {error}").format(error=error.strerror or error),
            where=str(path),
            mend=_("give the path of a Markdown file"),
        ) from error


def current_folder() -> Path:
    """Where steps begin and relative paths start.

    Raises:
        UsageError: it was deleted meanwhile.
    """
    try:
        return Path.cwd()
    except OSError as error:
        raise UsageError(
            _("the current directory is gone: {error}").format(error=error.strerror),
            mend=_("cd to one that exists"),
        ) from error
