"""The bytes of a document, read once: what is copied, read and run can't be of different moments."""

from __future__ import annotations

import os
from pathlib import Path

from cockpit.errors import RunbookError
from cockpit.runbook.document.decoding import LIMIT_BYTES, check_size
from cockpit.words import _


def document_at(path: Path) -> bytes:
    """What is in a file, as it is.

    Raises:
        RunbookError: it isn't there, may not be read, is a folder, or is larger than LIMIT_BYTES.
    """
    where = str(path)
    try:
        if path.is_dir():
            raise RunbookError(_("This is a folder"), where=where, mend=_("give a Markdown file in it"))
        with path.open("rb") as file:
            check_size(os.fstat(file.fileno()).st_size, where)
            document = file.read(LIMIT_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise RunbookError(
            _("The runbook can't be read: {reason}").format(reason=reason),
            where=where,
            mend=_("check the path and its permissions"),
        ) from error
    check_size(len(document), where)
    return document
