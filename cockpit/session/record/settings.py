"""What a session was opened with, kept in its folder so that any later host can go on in the same way."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from msgspec import Struct, field
from msgspec.structs import asdict

from cockpit.errors import SessionError
from cockpit.session.record.folder import SessionFolder, private_opener
from cockpit.words import _


class SessionSettings(Struct, frozen=True):
    """The choices made when a session was opened.

    `runbook_path` is where the document came from (the copy in the folder is what runs); `config_path` the
    cockpit.toml in force, if any; `inputs` are values known beforehand, none of them secret; `environment` is laid
    over the host's own for every step; `world` is the folder of the rehearsal's world, whose keeper ends with the
    session, and `brief` what its trainee is told at the start; `watch` False leaves the monitor out (headless runs).
    """

    runbook_path: str
    mode: str = "live"
    target: str = "local"
    language: str = "en"
    config_path: str | None = None
    environment: dict[str, str] = field(default_factory=dict)
    inputs: dict[str, str] = field(default_factory=dict)
    cwd: str | None = None
    world: str | None = None
    scenario: str | None = None
    brief: str = ""
    watch: bool = True

    def save(self, folder: SessionFolder) -> None:
        """Write settings.json, 0600."""
        path = folder.settings
        with open(path, "x", encoding="utf-8", opener=private_opener) as file:
            json.dump(asdict(self), file)
            file.flush()
            os.fsync(file.fileno())

    @classmethod
    def load(cls, folder: SessionFolder) -> SessionSettings:
        """The settings of a session.

        Raises:
            SessionError: the folder has none, or they can't be read.
        """
        path: Path = folder.settings
        try:
            data: dict[str, Any] = json.loads(path.read_bytes())
            return cls(**data)
        except (OSError, ValueError, TypeError) as error:
            raise SessionError(
                _("the session's settings can't be read"), where=str(path), mend=_("open the runbook in a new session")
            ) from error
