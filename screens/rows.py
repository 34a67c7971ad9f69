"""What the cursor walks over: the steps of a runbook, and the single commands of a block that holds several."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cockpit.runbook.model import Expectation, Part, Runbook, Section, Step, StepKind
from cockpit.session.record.event import Status
from cockpit.session.record.fanout import FanOut, newest
from cockpit.session.record.state import RunRecord, SessionState


@dataclass(frozen=True, slots=True)
class Row:
    """A step, or one part of it. `id` is the part's id, else the step's; `number` counts steps from 1."""

    step: Step
    number: int
    section: Section | None
    part: Part | None = None

    @property
    def id(self) -> str:
        """Unique in the runbook."""
        return self.part.id if self.part else self.step.id

    @property
    def label(self) -> str:
        """One line."""
        return (self.part.label if self.part else self.step.label) or (self.code or "").split("\n", 1)[0]

    @property
    def code(self) -> str | None:
        """The command as written."""
        return self.part.code if self.part else self.step.code

    @property
    def line(self) -> int:
        """Where it starts in the file, 1-based."""
        return self.part.line if self.part else self.step.line

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the inputs it uses."""
        return self.part.inputs if self.part else self.step.inputs

    @property
    def expectations(self) -> tuple[Expectation, ...]:
        """What must come back."""
        return self.part.expectations if self.part else self.step.expectations

    @property
    def is_block(self) -> bool:
        """A step whose commands are rows of their own."""
        return self.part is None and bool(self.step.parts)

    def status(self, state: SessionState) -> Status:
        """How it stands; a running or waiting part shows as such although its step's end is not known."""
        step = state.step(self.step.id)
        if self.part is None:
            return step.status
        run, fan_out = self.last_run(state), self.fan_out(state)
        if fan_out and not fan_out.status.over:
            return fan_out.status
        if run and not fan_out and run.status in (Status.RUNNING, Status.AWAITING):
            return run.status
        left_out = Status.SKIPPED if step.status is Status.SKIPPED else Status.TODO
        return step.parts.get(self.part.id, run.status if run else left_out)

    def fan_out(self, state: SessionState) -> FanOut | None:
        """Its newest attempt where that went to a group; else None."""
        return newest(state, self.step.id, self.part.id if self.part else None)

    def reason(self, state: SessionState) -> str:
        """Why it stands so, in somebody's words."""
        step = state.step(self.step.id)
        if self.part is None or not step.parts:
            return step.reason
        return step.said.get(self.part.id, ("", ""))[0]

    def last_run(self, state: SessionState) -> RunRecord | None:
        """Its newest attempt."""
        for number in reversed(state.step(self.step.id).runs):
            run = state.runs.get(number)
            if run and (self.part is None or run.intent.get("part") == self.part.id):
                return run
        return None


def bare(code: str) -> str:
    """A command without the comments above and below it: where rows are few, what runs is worth more."""
    lines = code.strip("\n").split("\n")
    told = [n for n, each in enumerate(lines) if each.strip() and not each.lstrip().startswith("#")]
    return "\n".join(lines[told[0] : told[-1] + 1]) if told else code.strip("\n")


def first_command(code: str) -> str:
    """The first line of a command that is one, for where there is room for one."""
    return bare(code).split("\n", 1)[0].strip()


def rows_of(runbook: Runbook) -> tuple[Row, ...]:
    """Every step that asks something, in the document's order, each block's commands below it."""
    sections: Mapping[str, Section] = {section.id: section for section in runbook.sections}
    rows: list[Row] = []
    number = 0
    for step in runbook.steps:
        if step.kind is StepKind.NOTE:
            continue
        number += 1
        section = sections.get(step.section)
        rows.append(Row(step, number, section))
        rows += [Row(step, number, section, part) for part in step.parts]
    return tuple(rows)


def first_row_of(rows: tuple[Row, ...], section: str, sections: tuple[Section, ...]) -> int | None:
    """The first row in a section or in one below it; None when it holds nothing to do."""
    inside = {section}
    for each in sections:
        if each.parent in inside:
            inside.add(each.id)
    return next((n for n, row in enumerate(rows) if row.step.section in inside), None)
