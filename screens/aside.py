"""What wide screens have room for: what happened, whom to call, what was noted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cockpit.session.event import Event, Status
from cockpit.words import _
from screens.clock import clock_text, local_time
from screens.marks import mode_word, status_word
from screens.paint import BLANK, Line, cropped, fit, line, wrapped
from screens.pane import Pane
from screens.rows import first_command

_STYLES = {"passed": "ok", "failed": "bad", "timed-out": "bad", "refused": "warn", "unknown": "warn", "red": "bad"}


class Timeline(Pane):
    """What happened, newest last."""

    _rows: tuple[Line, ...] = ()
    _seq = -1

    def title_text(self) -> str:
        """What the pane is."""
        return _("Timeline")

    def gather(self) -> None:
        """Take new events; stay at the end unless scrolled away."""
        if self._seq != self.view.state.seq:
            at_end = self.top >= len(self._rows) - self.room
            told = (event_line(event) for event in self.view.events)
            self._rows = tuple(row for row in told if row is not None)
            self._seq = self.view.state.seq
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
        return rows or [line((_(" no contacts in this runbook; n takes a note"), "dim"))]


def event_line(event: Event) -> Line | None:
    """An event as a row; None for one that tells a reader nothing."""
    teller = _TELLERS.get(event.kind)
    told = teller(event.data) if teller else None
    if told is None:
        return None
    text, style = told
    return line((f" {local_time(event.t)} ", "dim"), (text, style))


def _finished(data: Mapping[str, Any]) -> tuple[str, str]:
    spent = f" {clock_text(data['duration_s'])}" if data.get("duration_s") else ""
    reason = f": {data['reason']}" if data.get("reason") else ""
    ended = status_word(Status(data["status"]))
    return f"{data.get('part') or data['step']} {ended}{spent}{reason}", _STYLES.get(data["status"], "")


def _answered(data: Mapping[str, Any]) -> tuple[str, str]:
    return f"{_('yes') if data['held'] else _('no')}: {data['question']}", ""


_TELLERS: Mapping[str, Callable[[Mapping[str, Any]], tuple[str, str]]] = {
    "session.started": lambda data: (_("session {name} began").format(name=data["session"]), "strong"),
    "session.ended": lambda data: (_("session ended {reason}").format(reason=data.get("reason") or ""), "strong"),
    "host.recovered": lambda data: (_("the host came back"), "warn"),
    "step.intent": lambda data: (f"$ {fit(first_command(str(data.get('command', ''))), 200)}", "code"),
    "step.finished": _finished,
    "step.answered": _answered,
    "step.reopened": lambda data: (_("{step} taken back").format(step=data["step"]), ""),
    "note.added": lambda data: (_("note: {text}").format(text=data["text"]), "em"),
    "message.prepared": lambda data: (_("message: {text}").format(text=data["text"]), ""),
    "mode.changed": lambda data: (_("mode {mode}").format(mode=mode_word(data["mode"])[0]), "strong"),
    "target.changed": lambda data: (_("target {target}").format(target=data["target"]), "strong"),
    "severity.set": lambda data: (_("severity {severity}").format(severity=data["severity"]), "strong"),
    "probe.changed": lambda data: (
        f"{data['probe']} {data.get('level') or data['outcome']} {data.get('text', '')}",
        _STYLES.get(str(data.get("level")), ""),
    ),
    "recommendation.raised": lambda data: (_("recommended: {text}").format(text=data.get("text", "")), "warn"),
    "recommendation.cleared": lambda data: (_("no longer: {rule}").format(rule=data.get("rule", "")), "dim"),
}
