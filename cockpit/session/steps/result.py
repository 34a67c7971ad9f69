"""What a run left in its folder, as expectations see it."""

from __future__ import annotations

import re
from pathlib import Path

from cockpit.adapters.base import Outcome
from cockpit.adapters.http.status import answer_in
from cockpit.safety.text import decode, sanitise
from cockpit.session.record.artefacts import files_of_run
from cockpit.session.record.state import RunRecord
from cockpit.session.steps.checking import Result

_CHECKED_BYTES = 4 << 20
_LAST_COMMAND = re.compile(r"(?:^|[|;&\n])\s*(?:sudo\s+)?([\w./-]+)[^|;&\n]*\s*$")


def result_of(folder: Path, outcome: Outcome, record: RunRecord) -> tuple[dict[str, str], Result]:
    """The hashes of a run's files; and the cleaned output (its first and last stretches when it is large) as the
    expectations see it."""
    try:
        with (folder / "output").open("rb") as file:
            head = file.read(_CHECKED_BYTES)
            if outcome.output_bytes > 2 * _CHECKED_BYTES:
                file.seek(-_CHECKED_BYTES, 2)
            tail = file.read(_CHECKED_BYTES)
    except OSError:
        head = tail = b""
    cleaned = sanitise(decode(head + tail))
    match = _LAST_COMMAND.search(str(record.intent.get("command", "")).strip())
    name = match.group(1).rsplit("/", 1)[-1] if match else ""
    language, command = record.intent.get("language"), str(record.intent.get("command", ""))
    query = command if language in ("promql", "logql") else ""
    answer = answer_in(cleaned) if language == "http" else None
    script = "" if query or answer else command
    return files_of_run(folder), Result(outcome.exit_code, outcome.pipe_status, cleaned, name, query, answer, script)
