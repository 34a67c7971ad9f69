"""`cockpit sessions`: recorded sessions, newest first, running ones marked."""

from __future__ import annotations

import argparse
import json
from typing import Any

from cockpit.safety.text import one_line
from cockpit.session.host.spawn import host_alive
from cockpit.session.record.folder import SessionFolder, session_folders
from cockpit.session.record.reader import SessionReader
from cockpit.session.record.roots import state_roots
from cockpit.words import _


def run(options: argparse.Namespace) -> int:
    """Print one line a session, or all as JSON."""
    rows = [_row(folder) for folder in session_folders(state_roots())]
    if options.json:
        print(json.dumps(rows, ensure_ascii=False, indent=2))
        return 0
    if not rows:
        print(_("no sessions yet"))
    for row in rows:
        counts = ", ".join(f"{n} {status}" for status, n in row["counts"].items())
        when = row["started"] or "-"
        told = f"{row['session']}  {row['state']:<8} {row['mode']:<10} {when:<32} {row['title']}  {counts}"
        print(one_line(told))
    return 0


def _row(folder: SessionFolder) -> dict[str, Any]:
    reader = SessionReader(folder)
    reader.poll()
    state = reader.state
    stands = "running" if host_alive(folder) else "ended" if state.ended_t else "left"
    return {
        "session": folder.name,
        "state": stands,
        "running": stands == "running",
        "mode": state.mode,
        "severity": state.severity,
        "started": state.started_t,
        "ended": state.ended_t,
        "title": str(state.runbook.get("title", "")),
        "runbook": str(state.runbook.get("path", "")),
        "counts": state.counts,
        "path": str(folder.path),
    }
