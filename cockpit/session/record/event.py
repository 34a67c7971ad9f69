"""Events: the words the journal is written in.

| kind | data |
| --- | --- |
| session.started | session, runbook {title, path, sha256, language}, mode, target, environment, title, user, origin,
version, rehearsal, brief, settings_sha256 |
| session.ended | session, counts {status: n}, reason, files {path: {bytes, sha256}}: what grew with the session |
| host.recovered | pid, adopted [run], lost [run] |
| journal.recovered | bytes, sha256, file |
| viewer.attached, viewer.detached | viewer, user, origin, spectator |
| input.set | name, value (redacted when secret), secret, source |
| input.revealed | name: a secret input was shown to the actor; its value is nowhere |
| mode.changed | mode, reason · target.changed: target · severity.set: severity, reason |
| step.intent | step, part, run, attempt, language, command, original (when edited), sha256, target, cwd, timeout_s,
lasts_s, verdict, reasons, tags, inputs, confirmed, typed, reason, undo, repetition {number, of, first, times, every_s,
within_s} of a run that is one of several, group {name, first, place, of; with the first also targets, at_once,
stop_at_first_failure, sha256} of a run on one of its targets |
| step.started | step, run, pid |
| step.exited | step, part, run, questions: the command is over and a person must answer before the step is |
| step.silent | step, run, silence_s |
| target.finished | as step.finished, but for one target of a group: the step goes on until all are over; target, told
(the last line of what did not pass), questions |
| step.repeated | as step.finished, but for a run after which another follows: the step goes on |
| step.finished | step, part, run, status, exit_code, signal, duration_s, output, output_bytes, output_sha256,
files {name: sha256}, expectations [{kind, text, held, seen}], pipe_status, survivors, reason, repetitions {of, times,
every_s, within_s, runs, held, tries, duration_s} when it was one of several, branch: the section a
decision led to; group {name, first} and targets {target: status} when it went to a group |
| step.answered | step, question, held, by: a person answered a manual expectation or a decision item |
| step.reopened | step, part, step_status, reason: a tick taken back |
| state.carried | target, cwd, variables [name], lost [name] |
| state.reset | target, cwd: its shell was begun afresh, and carries nothing on |
| approval.asked | approval, step, part, sha256 · approval.given, approval.denied: approval, by, uid of another user |
| enforcement.found | target, by (server, tool), detail: who keeps the target from being changed in read-only mode |
| warning.raised | about, text, mend: something of the ground, or of the settings, that does not hold |
| note.added | text, step, by |
| message.prepared | step, text, sent; channel and run where it was sent from here |
| probe.changed | probe, outcome, level, was, text |
| recommendation.raised, recommendation.cleared | rule, section, text, samples |
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from msgspec import Struct


class Status(StrEnum):
    """How a step stands. The first three are on the way; the rest are ends."""

    TODO = "todo"
    RUNNING = "running"
    AWAITING = "awaiting"
    PASSED = "passed"
    FAILED = "failed"
    REFUSED = "refused"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed-out"
    UNKNOWN = "unknown"

    @property
    def over(self) -> bool:
        """Whether the step has an end (which a re-run may still change)."""
        return self not in (Status.TODO, Status.RUNNING, Status.AWAITING)


class Event(Struct, frozen=True):
    """One record of the journal.

    `t` is RFC 3339 in UTC with offset and microseconds; `m` the monotonic clock in ns, comparable within one `boot`
    only; `actor` is "operator:kim", "host", or "runner".
    """

    seq: int
    t: str
    m: int
    boot: str
    actor: str
    kind: str
    data: Mapping[str, Any]
