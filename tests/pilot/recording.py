"""Sessions written down beforehand: for snapshots, and for what a live host would take long to come to."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cockpit.session.record.folder import SessionFolder
from cockpit.session.record.reader import SessionReader
from screens.app import CockpitApp
from screens.clock import Clock

START = datetime(2024, 1, 27, 15, 7, 0, tzinfo=UTC)
Told = tuple[float, str, dict[str, Any]]


class HeldClock(Clock):
    """Three minutes and twelve seconds after the start, for ever."""

    def now(self) -> datetime:
        return START + timedelta(seconds=192)

    def monotonic_s(self) -> float:
        return 192.0


def at(seconds: float) -> str:
    """So long after the start."""
    return (START + timedelta(seconds=seconds)).isoformat(timespec="microseconds")


def record(
    root: Path, runbook: str, told: Sequence[Told] = (), samples: Sequence[dict[str, Any]] = ()
) -> SessionFolder:
    """A session folder with this document, these events (seconds, kind, data) and these samples."""
    path = root / "INC-20240127-001"
    (path / "runs").mkdir(parents=True)
    folder = SessionFolder(path)
    folder.runbook.write_text(runbook, encoding="utf-8")
    started = {"session": folder.name, "mode": "live", "target": "local", "user": "kim"}
    lines = [
        {
            "seq": n,
            "t": at(after),
            "m": int(after * 1e9),
            "boot": "b",
            "actor": "operator:kim",
            "kind": kind,
            "data": data,
        }
        for n, (after, kind, data) in enumerate([(0.0, "session.started", started), *told], 1)
    ]
    folder.journal.write_text("".join(json.dumps(line) + "\n" for line in lines))
    folder.samples.write_text("".join(json.dumps(sample) + "\n" for sample in samples))
    return folder


def sample(probe: str, after: float, **given: Any) -> dict[str, Any]:
    """One line of samples.jsonl."""
    return {
        "probe": probe,
        "kind": "http",
        "t": at(after),
        "m": int(after * 1e9),
        "outcome": "data",
        "level": "green",
        "text": "",
        **given,
    }


def reading(name: str, value: object, level: str = "grey", bound: str = "", unit: str = "") -> dict[str, Any]:
    """One value of a sample."""
    return {"name": name, "value": value, "unit": unit, "level": level, "bound": bound}


def replayed(folder: SessionFolder) -> CockpitApp:
    """The screen on a recorded session, its clock held."""
    return CockpitApp(folder, folder.runbook, source=SessionReader(folder), clock=HeldClock())


def shown(app: CockpitApp) -> str:
    """What the terminal shows."""
    return "\n".join(strip.text.rstrip() for strip in app.screen._compositor.render_strips())
