"""What wide screens have room for: what happened, whom to call, what was noted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from cockpit.session.record.event import Event, Status
from cockpit.session.record.state import begins_attempt
from cockpit.words import _
from screens.clock import clock_text, local_time
from screens.gates import phase_word
from screens.keys import offered
from screens.marks import mode_word, status_word
from screens.paint import BLANK, Line, cropped, fit, line, wrapped
from screens.panes.pane import Pane
from screens.rows import first_command

_STYLES = {
    "passed": "ok",
    "failed": "bad",
    "timed-out": "bad",
    "refused": "warn",
    "unknown": "warn",
    "red": "bad",
    "yellow": "warn",
    "green": "ok",
}


class Timeline(Pane):
    """What happened, newest last."""

    _rows: tuple[Line, ...] = ()
    _told_at = (-1, 0, 0)

    def title_text(self) -> str:
        """What the pane is."""
        return _("Timeline")

    def gather(self) -> None:
        """Take new events; stay at the end unless scrolled away."""
        # What panels are called may come later than what they tell.
        now = (self.view.state.seq, len(self.view.rows), len(self.view.panels))
        if self._told_at != now:
            at_end = self.top >= len(self._rows) - self.room
            names = {row.id: row.label for row in self.view.rows}
            names |= {name: panel.title for name, panel in self.view.panels.items()}
            told = (event_line(event, names) for event in self.view.events)
            self._rows = tuple(row for row in told if row is not None)
            self._told_at = now
            if at_end:
                self.top = max(0, len(self._rows) - self.room)

    def laid_out(self) -> None:
        """Stay at the end."""
        self.top = len(self._rows)

    def count(self) -> int:
        """Events worth telling."""
        return len(self._rows)

    def row_at(self, index: int) -> Line:
        """One of them."""
        return cropped(self._rows[index], self.size.width)


class Contacts(Pane):
    """Whom to call, and the notes taken."""

    _rows: tuple[Line, ...] = ()

    def title_text(self) -> str:
        """What the pane is."""
        return _("Contacts and notes")

    def gather(self) -> None:
        """Take contacts and notes."""
        self._rows = tuple(self._fresh_rows(self.size.width))

    def count(self) -> int:
        """Rows in all."""
        return len(self._rows)

    def row_at(self, index: int) -> Line:
        """One of them."""
        return self._rows[index]

    def _fresh_rows(self, width: int) -> list[Line]:
        rows: list[Line] = []
        for contact in self.view.runbook.contacts:
            rows.append(cropped(line((f" {contact.role}", "strong")), width))
            told = "  ".join(value for value in contact.fields.values() if value)
            rows += wrapped([(told, "")], width - 1, first="   ", rest="   ")
        rows += [BLANK] if rows and self.view.state.notes else []
        for note in reversed(self.view.state.notes):
            head = f" {local_time(note.t)[:5]} "
            rows += wrapped([(note.text, "")], width - 1, first=head, rest=" " * len(head))
        if rows:
            return rows
        notes = any(key.action == "note" for key in offered(self.view))
        told = _(" no contacts in this runbook; n takes a note") if notes else _(" no contacts in this runbook")
        return [line((told, "dim"))]


def event_line(event: Event, names: Mapping[str, str] = MappingProxyType({})) -> Line | None:
    """An event as a row; None for one that tells a reader nothing. `names`: what steps and probes are called, by id."""
    teller = _TELLERS.get(event.kind)
    if teller is None or _is_one_more_run(event):
        return None
    text, style = teller(_Told(event.data, names))
    return line((f" {local_time(event.t)} ", "dim"), (text, style))


def _is_one_more_run(event: Event) -> bool:
    """Of several runs of one step, in a row or on several targets, the first is told, and the step's end."""
    return event.kind == "step.intent" and not begins_attempt(event.data)


class _Told(NamedTuple):
    """An event's data, and what things are called."""

    data: Mapping[str, Any]
    names: Mapping[str, str]

    def name(self, *keys: str) -> str:
        """What the first of these that the data holds is called."""
        named = next((str(self.data[key]) for key in keys if self.data.get(key)), "")
        return self.names.get(named, named)

    def text(self, key: str) -> str:
        """A value as text; "" when there is none."""
        return str(self.data.get(key) or "")


def _finished(told: _Told) -> tuple[str, str]:
    spent = f" {clock_text(told.data['duration_s'])}" if told.data.get("duration_s") else ""
    reason = f": {told.data['reason']}" if told.data.get("reason") else ""
    ended = status_word(Status(told.data["status"]))
    return f"{told.name('part', 'step')} {ended}{spent}{reason}", _STYLES.get(told.data["status"], "")


def _on_target(told: _Told) -> tuple[str, str]:
    ended = status_word(Status(told.data["status"]))
    spent = f" {clock_text(told.data['duration_s'])}" if told.data.get("duration_s") else ""
    why = told.text("reason") or told.text("told")
    reason = f": {why}" if why else ""
    return f"  {told.text('target')} {ended}{spent}{reason}", _STYLES.get(told.data["status"], "")


def _begun(told: _Told) -> tuple[str, str]:
    group = told.data.get("group") or {}
    where = f"{group.get('name')} ({group.get('of')}) " if group else ""
    return f"{where}$ {fit(first_command(told.text('command')), 200)}", "code"


def _answered(told: _Told) -> tuple[str, str]:
    return f"{_('yes') if told.data['held'] else _('no')}: {told.data['question']}", ""


def _probe_changed(told: _Told) -> tuple[str, str]:
    level = told.text("level")
    mark = {"green": "OK", "yellow": "!", "red": "x"}.get(level, "i" if told.data.get("outcome") == "data" else "-")
    return f"{mark} {told.name('probe')} {told.text('text')}", _STYLES.get(level, "")


def _enforced(told: _Told) -> tuple[str, str]:
    server = told.text("by") == "server"
    words = _("{target}: by the server") if server else _("{target}: by this tool only")
    text = ", ".join(filter(None, (words.format(target=told.text("target")), told.text("detail"))))
    return text, "" if server else "warn"


_TELLERS: Mapping[str, Callable[[_Told], tuple[str, str]]] = {
    "session.started": lambda told: (_("session {name} began").format(name=told.text("session")), "strong"),
    "session.ended": lambda told: (_("session ended {reason}").format(reason=told.text("reason")), "strong"),
    "host.recovered": lambda told: (_("the host came back"), "warn"),
    "step.intent": _begun,
    "state.reset": lambda told: (_("the shell on {target} is begun afresh").format(target=told.text("target")), ""),
    "step.finished": _finished,
    "target.finished": _on_target,
    "step.answered": _answered,
    "step.reopened": lambda told: (_("{step} taken back").format(step=told.name("step")), ""),
    "note.added": lambda told: (_("note: {text}").format(text=told.text("text")), "em"),
    "message.prepared": lambda told: (_("message: {text}").format(text=told.text("text")), ""),
    "mode.changed": lambda told: (_("mode {mode}").format(mode=mode_word(told.text("mode"))[0]), "strong"),
    "enforcement.found": _enforced,
    "warning.raised": lambda told: (f"{told.text('text')}: {told.text('mend')}", "warn"),
    "approval.asked": lambda told: (_("waits for a second person: {step}").format(step=told.name("step")), "warn"),
    "approval.given": lambda told: (_("approved by {name}").format(name=told.text("by")), "ok"),
    "approval.denied": lambda told: (_("denied by {name}").format(name=told.text("by")), "bad"),
    "target.changed": lambda told: (_("target {target}").format(target=told.text("target")), "strong"),
    "input.revealed": lambda told: (_("the secret {name} was shown").format(name=told.text("name")), "warn"),
    "severity.set": lambda told: (_("severity {severity}").format(severity=told.text("severity")), "strong"),
    "probe.changed": _probe_changed,
    "gate.changed": lambda told: (f"= {told.name('step')} {phase_word(told.text('phase'))}", ""),
    "recommendation.raised": lambda told: (_("recommended: {text}").format(text=told.text("text")), "warn"),
    "recommendation.cleared": lambda told: (_("no longer: {rule}").format(rule=told.text("rule")), "dim"),
}
