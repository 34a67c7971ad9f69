"""One viewer on the line, as the host sees it."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(eq=False, slots=True)
class Connection:
    """One viewer on the line."""

    writer: asyncio.StreamWriter
    viewer: str
    user: str = ""
    spectator: bool = True
    greeted: bool = False
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def actor(self) -> str:
        """Who this is in the journal."""
        return f"operator:{self.user}"

    def send(self, message: Mapping[str, Any]) -> None:
        """Queue one line; a viewer that is gone is noticed by its reader."""
        with contextlib.suppress(ConnectionError, RuntimeError):
            self.writer.write(json.dumps(message).encode() + b"\n")
