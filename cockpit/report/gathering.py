"""Reading a session folder for its report: the events, the runbook's titles, the ends of outputs, the verification."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cockpit.errors import CockpitError
from cockpit.report.facts import ReportFacts, StepTitle, facts_of
from cockpit.runs.kept import open_kept, read_kept
from cockpit.safety.text import decode, sanitise
from cockpit.session.record.folder import SessionFolder
from cockpit.session.record.reader import SessionReader
from cockpit.session.record.verify import Verification, verify

_TAIL_BYTES = 16 * 1024
_TAIL_LINES = 20
_LINE_CHARS = 500


@dataclass(frozen=True, slots=True)
class Tail:
    """The last lines of an output, cleaned. `cut`: there is more above."""

    text: str
    cut: bool


@dataclass(frozen=True, slots=True)
class Gathered:
    """All that a report is written from. `tails` are by run."""

    facts: ReportFacts
    verification: Verification
    tails: Mapping[int, Tail]


def gather(folder: SessionFolder) -> Gathered:
    """Read what the folder holds now; the session may still be running.

    Raises:
        JournalError: there is no journal, or it can't be read.
    """
    verification = verify(folder)
    reader = SessionReader(folder)
    events = reader.poll()
    head = (verification.head_seq, verification.head)
    # An exported bundle holds the document with its secrets masked, where it had any.
    runbook = folder.runbook.name if os.path.lexists(folder.runbook) else "runbook.redacted.md"
    facts = facts_of(events, reader.state, _titles(folder.path, runbook), head)
    attempts = [attempt for step in facts.steps for attempt in step.attempts]
    outputs = {attempt.run: attempt.output for attempt in attempts}
    outputs |= {each.run: each.output for attempt in attempts for each in attempt.targets if each.run}
    return Gathered(facts, verification, {run: _tail(folder.path, output) for run, output in outputs.items()})


def _titles(folder: Path, runbook: str) -> dict[str, StepTitle]:
    """The steps as the session's own copy calls them; none if it can't be read, so that the record still tells.

    The copy is the author's own bytes, secrets included; the record is clean, and a report must be.
    """
    from cockpit.runbook.reading import read_bytes
    from cockpit.safety.redaction.redactor import Redactor, secrets_of_environment

    try:
        document = read_bytes(read_kept(folder, runbook), runbook)
    except (CockpitError, OSError):
        return {}
    clean = Redactor(secrets_of_environment(os.environ)).redact
    sections = {section.id: clean(section.title) for section in document.sections}
    return {
        step.id: StepTitle(
            clean(step.label),
            step.kind.value,
            sections.get(step.section, ""),
            {part.id: clean(part.label) for part in step.parts},
        )
        for step in document.steps
    }


def _tail(folder: Path, name: str) -> Tail:
    """The end of an output. Where it lies is the record's word, and a record may be tampered with."""
    try:
        with os.fdopen(open_kept(folder, name), "rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _TAIL_BYTES))
            data = file.read(_TAIL_BYTES)
    except OSError:
        return Tail("", cut=False)
    lines = sanitise(decode(data)).rstrip("\n").split("\n")
    shown = [line[:_LINE_CHARS] + ("…" if len(line) > _LINE_CHARS else "") for line in lines[-_TAIL_LINES:]]
    return Tail("\n".join(shown), cut=size > len(data) or len(lines) > _TAIL_LINES)
