"""`cockpit lint`: what a runbook's author should mend."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from cockpit.errors import RunbookError, UsageError
from cockpit.safety.telling import shown
from cockpit.safety.text import one_line
from cockpit.words import _


def run(options: argparse.Namespace) -> int:
    """Print each problem as file:line: code: message (hint), or all as JSON; 1 when there is any."""
    from cockpit.runbook.linting.document import lint
    from cockpit.runbook.reading import read

    findings = []
    unreadable = 0
    for path in _documents(options.paths):
        try:
            problems = lint(read(path))
        except RunbookError as error:
            unreadable += 1
            print(f"cockpit: {one_line(str(error))}", file=sys.stderr)
            continue
        findings += [(path, problem) for problem in problems]
    if options.json:
        rows = [
            {"file": str(path), "line": p.line, "code": p.code, "message": p.message, "hint": p.hint}
            for path, p in findings
        ]
        print(json.dumps(rows, ensure_ascii=False, indent=2))
    else:
        for path, p in findings:
            hint = f" ({shown(p.hint)})" if p.hint else ""
            print(f"{one_line(str(path))}:{p.line}: {p.code}: {shown(p.message)}{hint}")
    if unreadable:
        return 2
    return 1 if findings else 0


def _documents(paths: list[str]) -> Iterator[Path]:
    for name in paths:
        path = Path(name)
        if path.is_dir():
            yield from sorted(found for found in path.rglob("*.md") if found.is_file())
        elif path.exists():
            yield path
        else:
            raise UsageError(_("no such file or folder"), where=name, mend=_("check the path"))
