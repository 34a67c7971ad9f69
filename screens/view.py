"""What the screen knows at this moment; every pane draws from it and none keeps facts of its own."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from cockpit.monitor.sample import PanelState
from cockpit.runbook.model import Input, Runbook, Section
from cockpit.session.record.clock import moment
from cockpit.session.record.event import Event, Status
from cockpit.session.record.fanout import FanOut, TargetLine
from cockpit.session.record.state import SessionState
from screens.clock import Clock
from screens.rows import Row, rows_of

if TYPE_CHECKING:
    from cockpit.session.steps.proposal import Proposal

TIMELINE_EVENTS = 500


class LinkState(StrEnum):
    """The line to the host. REPLAY has none and wants none."""

    CONNECTING = "connecting"
    UP = "up"
    LOST = "lost"
    REPLAY = "replay"


@dataclass(slots=True)
class View:
    """The state of one viewer. `cursor` indexes `rows`; `proposal` belongs to `proposal_row` only.

    `active` is the pane that has the keys, `full` one that has the whole screen ("" for none).
    `record_fails`: the host could not write down what it saw, and nothing has been written since. `told_as` says that
    and how a recording is told; "" for a session of now. `revivable`: this viewer may start a lost host again.
    """

    runbook: Runbook
    clock: Clock
    session: str
    state: SessionState = field(default_factory=SessionState)
    panels: dict[str, PanelState] = field(default_factory=dict)
    rows: tuple[Row, ...] = ()
    section_steps: dict[str, set[str]] = field(default_factory=dict)
    cursor: int = 0
    link: LinkState = LinkState.CONNECTING
    link_detail: str = ""
    record_fails: bool = False
    told_as: str = ""
    revivable: bool = False
    targets: tuple[str, ...] = ()
    spectator: bool = False
    expected_mode: str = "live"
    proposal: Proposal | None = None
    proposal_row: str = ""
    notice: tuple[str, str] = ("", "")
    asking: bool = False
    choosing: str = ""
    active: str = "guide"
    full: str = ""
    _chosen: tuple[int, str] = (0, "")
    opened_panel: str = ""
    search: str = ""
    clock_fine: bool = True
    events: deque[Event] = field(default_factory=lambda: deque(maxlen=TIMELINE_EVENTS))

    def read(self, runbook: Runbook) -> None:
        """Take the document, keeping the cursor on its step."""
        here = self.row.id if self.row else ""
        self.runbook = runbook
        self.rows = rows_of(runbook)
        steps: dict[str, set[str]] = {}
        for row in self.rows:
            steps.setdefault(row.step.section, set()).add(row.step.id)
        self.section_steps = steps
        self.cursor = next((n for n, row in enumerate(self.rows) if row.id == here), 0)

    @property
    def row(self) -> Row | None:
        """The row under the cursor; None in a document that asks nothing."""
        return self.rows[self.cursor] if self.cursor < len(self.rows) else None

    @property
    def mode(self) -> str:
        """The session's mode, as far as is known yet."""
        return self.expected_mode if self.state.started_t is None else self.state.mode

    @property
    def environment(self) -> str:
        """What the place is called: production, staging …; "" where nobody says."""
        return self.state.environment

    def move(self, steps: int) -> None:
        """Move the cursor; it stops at both ends."""
        self.cursor = max(0, min(self.cursor + steps, len(self.rows) - 1))

    def inputs_of(self, row: Row) -> tuple[Input, ...]:
        """The inputs a row uses."""
        return tuple(blank for blank in self.runbook.inputs if blank.name in row.inputs)

    def progress(self) -> tuple[int, int]:
        """Steps that are over, and steps in all."""
        steps = {row.step.id for row in self.rows}
        return sum(self.state.step(step).status.over for step in steps), len(steps)

    def incident_s(self) -> float | None:
        """Seconds on the incident clock: from the session's start to its end, or to now."""
        started = moment(self.state.started_t)
        if started is None:
            return None
        return ((moment(self.state.ended_t) or self.clock.now()) - started).total_seconds()

    def budget(self, section: Section) -> tuple[float, int] | None:
        """Seconds since the section's first step began (to its last end, if all are over), and its time budget."""
        if section.budget_s is None:
            return None
        steps = self.section_steps.get(section.id, set())
        begun = [run.intent_t for run in self.state.runs.values() if run.step in steps]
        begun += [self.state.step(step).at for step in steps if self.state.step(step).at]
        if not begun:
            return None
        started = moment(min(begun))
        over = self.section_over(section)
        ended = moment(max(self.state.step(step).at for step in steps)) if over else self.clock.now()
        if started is None or ended is None:
            return None
        return max(0.0, (ended - started).total_seconds()), section.budget_s

    def section_over(self, section: Section) -> bool:
        """Whether every step of a section has ended."""
        steps = self.section_steps.get(section.id, set())
        return bool(steps) and all(self.state.step(step).status.over for step in steps)

    def budgeted_section(self) -> Section | None:
        """The nearest section around the cursor that has a time budget."""
        section = self.row.section if self.row else None
        while section is not None and section.budget_s is None:
            section = self.runbook.section(section.parent) if section.parent else None
        return section

    def shown_run(self) -> int | None:
        """The run whose output goes with the cursor: the row's newest, else one that is running, else the last.

        Of a step on a group it is that of the chosen target, and the newest while that has not begun.
        """
        chosen = self.chosen_target()
        return chosen.record.run if chosen and chosen.record else self._newest_shown()

    def _newest_shown(self) -> int | None:
        run = self.row.last_run(self.state) if self.row else None
        if run and run.waits:
            before = self.state.step(run.step).runs
            return before[before.index(run.run) - 1]
        if run:
            return run.run
        return max((each.run for each in self.state.running), default=max(self.state.runs, default=None))

    def run_title(self, number: int) -> str:
        """What a run is called: its step's label, and which target of a group it is on."""
        run, label = self.state.runs[number], self.step_label(number)
        return f"{run.intent.get('target')}: {label}" if run.group_first else label

    def step_label(self, number: int) -> str:
        """What the step of a run is called."""
        run = self.state.runs[number]
        wanted = run.intent.get("part") or run.step
        return next((row.label for row in self.rows if row.id == wanted), run.step)

    def fan_out(self) -> FanOut | None:
        """What the shown run is one of, where it went to a group."""
        run = self._newest_shown()
        return self.state.fan_outs.get(self.state.runs[run].group_first) if run is not None else None

    def chosen_target(self) -> TargetLine | None:
        """The target whose output is shown: the one that was chosen; else the first that failed, runs, or is there."""
        fan_out = self.fan_out()
        if fan_out is None:
            return None
        lines = fan_out.lines(self.state.runs)
        if self._chosen[0] == fan_out.first:
            return next(each for each in lines if each.target == self._chosen[1])
        grave = (each for each in lines if each.status.over and each.status not in (Status.PASSED, Status.SKIPPED))
        return next(grave, None) or next((each for each in lines if each.status is Status.RUNNING), lines[0])

    def choose_target(self, target: str) -> None:
        """Show the output of this target of the group."""
        fan_out = self.fan_out()
        if fan_out is not None:
            self._chosen = (fan_out.first, target)

    @property
    def refused(self) -> bool:
        """Whether the command under the cursor can't run as things stand: the host has said so."""
        known = self.proposal if self.row is not None and self.proposal_row == self.row.id else None
        return known is not None and bool(known.refusal) and not known.folder_gone

    def waiting(self) -> bool:
        """Whether the row under the cursor waits for a person's answer."""
        return self.row is not None and self.row.status(self.state) is Status.AWAITING
