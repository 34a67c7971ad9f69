"""The attempts at a step, from the runs on record: one run, several in a row, or one on each target of a group."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from cockpit.session.record.fanout import FanOut, TargetLine, manner_of, took_s
from cockpit.session.record.state import RunRecord, SessionState, StepState


@dataclass(frozen=True, slots=True)
class Finding:
    """An expectation and how it came out: `held` None is not known. `by` is the person who said so, if one did."""

    text: str
    held: bool | None
    seen: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class Repeat:
    """One of several runs of an attempt: its own end and evidence. `seen` is what decided whether it held."""

    run: int
    number: int
    status: str
    started_t: str
    duration_s: float | None
    exit_code: int | None
    seen: str
    output: str
    output_bytes: int
    output_sha256: str


@dataclass(frozen=True, slots=True)
class OnTarget:
    """What came of an attempt on one target of its group. `run` 0: it never began there. `told` is why it failed."""

    target: str
    run: int
    status: str
    started_t: str
    duration_s: float | None
    exit_code: int | None
    signal: int | None
    told: str
    output: str
    output_bytes: int
    output_sha256: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt at a command: exactly what, where, by whom, when, and how it ended.

    Of an attempt of several runs it tells the last, and all of them in `repeats`. Of one on a group, `target`, it tells
    what they have in common, and what came of each in `targets`, which followed each other in this `manner`. `undo` is
    the way back that the runbook named. `original` is the runbook's text when it was edited. `duration_s` None while it
    is not over.
    `output` is the path inside the session folder.
    """

    run: int
    number: int
    part: str | None
    by: str
    command: str
    original: str | None
    difference: str
    language: str
    target: str
    cwd: str | None
    verdict: str
    reasons: tuple[str, ...]
    confirmed: str
    reason: str
    inputs: Mapping[str, str]
    status: str
    started_t: str
    finished_t: str | None
    duration_s: float | None
    exit_code: int | None
    signal: int | None
    pipe_status: tuple[int, ...]
    survivors: tuple[int, ...]
    output: str
    output_bytes: int
    output_sha256: str
    dropped_bytes: int
    findings: tuple[Finding, ...]
    remark: str
    undo: str = ""
    repeats: tuple[Repeat, ...] = ()
    manner: str = ""
    targets: tuple[OnTarget, ...] = ()


def attempts_of(step: StepState, state: SessionState, actors: Mapping[int, str]) -> Iterable[Attempt]:
    """Every attempt at a step, oldest first.

    Args:
        actors: who had each run begin, by its number.
    """
    attempts: list[list[RunRecord]] = []
    for run in step.runs:
        record = state.runs[run]
        if record.begins_attempt or not attempts:
            attempts.append([record])
        else:
            attempts[-1].append(record)
    for number, records in enumerate(attempts, start=1):
        by = actors.get(records[0].run, "")
        fan_out = state.fan_outs.get(records[0].group_first)
        if fan_out is not None:
            yield _on_group(_attempt(number, records[0], by), fan_out, state)
        else:
            yield _in_a_row(_attempt(number, records[-1], by), records)


def _in_a_row(attempt: Attempt, records: list[RunRecord]) -> Attempt:
    if not records[0].repetition:
        return attempt
    together = records[-1].result.get("repetitions") or {}
    return replace(
        attempt,
        started_t=records[0].started_t or records[0].intent_t,
        duration_s=together.get("duration_s", attempt.duration_s),
        repeats=tuple(map(_repeat, records)),
    )


def _on_group(attempt: Attempt, fan_out: FanOut, state: SessionState) -> Attempt:
    lines = fan_out.lines(state.runs)
    begun = [line.record for line in lines if line.record]
    ends = [record.finished_t for record in begun if record.finished_t]
    return replace(
        attempt,
        target=fan_out.name,
        status=fan_out.status.value,
        started_t=fan_out.began_t,
        finished_t=max(ends, default=None),
        duration_s=took_s(fan_out, lines),
        exit_code=None,
        signal=None,
        pipe_status=(),
        output_sha256="",
        dropped_bytes=sum(int(record.result.get("dropped_bytes") or 0) for record in begun),
        findings=(),
        remark=fan_out.reason,
        manner=manner_of(fan_out.at_once, fan_out.stops, len(fan_out.targets)),
        targets=tuple(map(_on_target, lines)),
    )


def _on_target(line: TargetLine) -> OnTarget:
    record = line.record
    result: Mapping[str, Any] = record.result if record else {}
    return OnTarget(
        target=line.target,
        run=record.run if record else 0,
        status=line.status.value,
        started_t=(record.started_t or record.intent_t) if record else "",
        duration_s=result.get("duration_s"),
        exit_code=result.get("exit_code"),
        signal=result.get("signal"),
        told=line.told,
        output=record.output if record else "",
        output_bytes=int(result.get("output_bytes") or 0),
        output_sha256=str(result.get("output_sha256") or ""),
    )


def _repeat(record: RunRecord) -> Repeat:
    result = record.result
    findings = list(_findings(result))
    decided = next((found for found in findings if found.held is False), findings[-1] if findings else None)
    return Repeat(
        run=record.run,
        number=record.repetition[0] if record.repetition else 1,
        status=record.status.value,
        started_t=record.started_t or record.intent_t,
        duration_s=result.get("duration_s"),
        exit_code=result.get("exit_code"),
        seen=decided.seen if decided else "",
        output=record.output,
        output_bytes=int(result.get("output_bytes") or 0),
        output_sha256=str(result.get("output_sha256") or ""),
    )


def _attempt(number: int, run: RunRecord, by: str) -> Attempt:
    intent, result = run.intent, run.result
    return Attempt(
        run=run.run,
        number=number,
        part=intent.get("part"),
        by=by,
        command=str(intent.get("command", "")),
        original=intent.get("original"),
        difference=str(intent.get("difference", "")),
        language=str(intent.get("language", "")),
        target=str(intent.get("target", "")),
        cwd=intent.get("cwd"),
        verdict=str(intent.get("verdict", "")),
        reasons=tuple(intent.get("reasons", ())),
        confirmed=str(intent.get("confirmed", "")),
        reason=str(intent.get("reason", "")),
        inputs=dict(intent.get("inputs", {})),
        status=run.status.value,
        started_t=run.started_t or run.intent_t,
        finished_t=run.finished_t,
        duration_s=result.get("duration_s"),
        exit_code=result.get("exit_code"),
        signal=result.get("signal"),
        pipe_status=tuple(result.get("pipe_status") or ()),
        survivors=tuple(result.get("survivors") or ()),
        output=str(result.get("output") or run.output),
        output_bytes=int(result.get("output_bytes") or 0),
        output_sha256=str(result.get("output_sha256") or ""),
        dropped_bytes=int(result.get("dropped_bytes") or 0),
        findings=tuple(_findings(result)),
        remark=str(result.get("reason") or ""),
        undo=str(intent.get("undo") or ""),
    )


def _findings(result: Mapping[str, Any]) -> Iterable[Finding]:
    for finding in result.get("expectations") or ():
        seen = finding.get("seen")
        yield Finding(
            text=str(finding.get("text", "")),
            held=finding.get("held"),
            seen="" if seen is None else str(seen),
            by=str(finding.get("by", "")),
        )
