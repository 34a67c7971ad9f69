"""What came of a run: as the record has it, as expectations see it, and in one line where it failed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from cockpit.adapters.base import Outcome
from cockpit.adapters.http.status import answer_in
from cockpit.runs.recording import FRAME, STDERR
from cockpit.safety.text import decode, one_line, sanitise
from cockpit.session.record.artefacts import files_of_run
from cockpit.session.record.state import RunRecord
from cockpit.session.steps.checking import Finding, Result
from cockpit.words import shortened

_TOLD_LENGTH = 200
_CHECKED_BYTES = 4 << 20
_LINE_END = re.compile(r"\r+\n")
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
    cut = outcome.output_bytes > 2 * _CHECKED_BYTES or outcome.dropped_bytes > 0
    http = record.intent.get("language") == "http"
    cleaned = sanitise(_in_lines(decode(head + b"\n" * cut + tail), redrawn=not http))
    match = _LAST_COMMAND.search(str(record.intent.get("command", "")).strip())
    name = match.group(1).rsplit("/", 1)[-1] if match else ""
    language, command = record.intent.get("language"), str(record.intent.get("command", ""))
    query = command if language in ("promql", "logql") else ""
    answer = answer_in(cleaned) if http else None
    script = "" if query or answer else command
    result = Result(outcome.exit_code, outcome.pipe_status, cleaned, name, query, answer, script, cut)
    if script and not cut:
        printed = _without_errors(folder, head + tail)
        result = replace(result, printed=sanitise(_in_lines(decode(printed), redrawn=True)))
    return files_of_run(folder), result


def _without_errors(folder: Path, output: bytes) -> bytes:
    """What came on standard output alone; all of it where that is not known."""
    try:
        with (folder / "index").open("rb") as file:
            index = file.read(_CHECKED_BYTES + 1)
    except OSError:
        return output
    if len(index) > _CHECKED_BYTES:
        return output
    frames = list(FRAME.iter_unpack(index[: len(index) - len(index) % FRAME.size]))
    if all(stream != STDERR for *_place, stream in frames):
        return output
    return b"".join(output[at : at + length] for at, _ns, length, stream in frames if stream != STDERR)


def _in_lines(text: str, *, redrawn: bool) -> str:
    """The text with its lines ended by a newline alone, as a terminal's `\\r\\n` are not.

    `redrawn`: each drawing of a line that was drawn over is a line of its own: curl writes its progress around an
    answer, and what must not be there was there although it was drawn over.
    """
    text = _LINE_END.sub("\n", text)
    return text.replace("\r", "\n") if redrawn else text


def result_data(record: RunRecord, outcome: Outcome) -> dict[str, Any]:
    """How a run ended, for the record."""
    return {
        "exit_code": outcome.exit_code,
        "signal": outcome.signal,
        "duration_s": round(outcome.duration_s, 6),
        "output": record.output,
        "output_bytes": outcome.output_bytes,
        "output_sha256": outcome.output_sha256,
        "dropped_bytes": outcome.dropped_bytes,
        "pipe_status": list(outcome.pipe_status),
        "survivors": list(outcome.survivors),
    }


def line_of_failure(findings: Sequence[Finding], result: Result | None) -> str:
    """In one line what speaks against a run: an expectation that did not hold, else the last that it printed."""
    broken = next((found for found in findings if found.held is False and found.kind != "exit"), None)
    if broken is not None:
        return shortened(one_line(f"{broken.text}: {broken.seen}" if broken.seen else broken.text), _TOLD_LENGTH)
    printed = [line for line in (result.output if result else "").split("\n") if line.strip()]
    return shortened(one_line(printed[-1].strip()), _TOLD_LENGTH) if printed else ""
