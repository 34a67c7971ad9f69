"""Opening a session: a folder of its own, with the document as it is now and the choices made."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from cockpit.errors import UsageError
from cockpit.runbook.document.opened import document_at
from cockpit.session.record.folder import SessionFolder, private_opener
from cockpit.session.record.roots import state_root
from cockpit.session.record.settings import SessionSettings
from cockpit.words import _


def open_session(settings: SessionSettings, document: bytes | None = None) -> SessionFolder:
    """A new session folder holding a byte-for-byte copy of the runbook: of `document`, or of what is at its path.

    Raises:
        RunbookError: the document can't be read. FolderRefused: the state folder is unsafe.
    """
    if document is None:
        document = document_at(Path(settings.runbook_path))
    folder = SessionFolder.create(state_root(), datetime.now(UTC))
    with open(folder.runbook, "xb", opener=private_opener) as copy:
        copy.write(document)
        copy.flush()
        os.fsync(copy.fileno())
    settings.save(folder)
    return folder


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
