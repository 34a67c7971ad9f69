"""The folders that a runbook states for its steps (`cwd`), in fence attributes and front matter."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from cockpit.adapters.followed import folder_gone
from cockpit.errors import UsageError
from cockpit.runbook.model import Runbook, Step
from cockpit.words import _


@dataclass(slots=True)
class StatedFolders:
    """What a runbook says of folders, meant from the one that it was `written_in`."""

    runbook: Runbook
    written_in: str

    def home(self) -> str | None:
        """Where its steps on this machine begin, as its front matter says; None: it does not."""
        stated = _stated(self.runbook.front_matter.get("cwd"))
        return _joined(self.written_in, stated) if stated else None

    def of(self, step: Step) -> str | None:
        """A step's own folder, meant from that of the runbook; None: it has none."""
        stated = _stated(step.attributes.get("cwd"))
        return _joined(self.home() or self.written_in, stated) if stated else None

    def require(self, step: Step, target: str, folder: str | None, *, elsewhere: bool) -> None:
        """On this machine it can be told beforehand whether a folder is there.

        Args:
            folder: where the step is to run.
            elsewhere: the target is another machine, where nothing is known of the folder the runbook was written in.

        Raises:
            UsageError: what the runbook states is not there. FolderGone: where earlier steps led to is not.
        """
        own = _stated(step.attributes.get("cwd"))
        if elsewhere and own and not own.startswith(("/", "~")):
            told = _("cwd={folder} is meant from the runbook's folder, which is not on {target}")
            mend = _("write the whole path in the runbook, or cd there yourself")
            raise UsageError(told.format(folder=own, target=target), mend=mend)
        if elsewhere or folder is None or ("\0" not in folder and os.access(folder, os.X_OK)):
            return
        if folder not in (self.of(step), self.home()):
            raise folder_gone(folder)
        told = _("the folder that the runbook states (cwd) can't be entered")
        raise UsageError(told, where=folder, mend=_("make it, or mend cwd in the runbook"))


def _stated(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _joined(folder: str, stated: str) -> str:
    try:
        return str(Path(folder, Path(stated).expanduser()))
    except RuntimeError:  # the home of somebody who is not known here
        return stated
