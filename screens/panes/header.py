"""The two rows that are always there: where this is, how bad, how long, in which mode."""

from __future__ import annotations

from cockpit.words import _
from screens.clock import clock_text, local_time
from screens.marks import environment_style, mode_word
from screens.paint import Line, Span, line, spread
from screens.panes.pane import Pane
from screens.view import LinkState


class TopBar(Pane):
    """Never scrolled away, never covered."""

    DEFAULT_CSS = """
    TopBar { height: 2; dock: top; }
    """
    titled = False

    def count(self) -> int:
        """Two rows."""
        return 2

    def row_at(self, index: int) -> Line:
        """Place, severity and clock; then the document, or what is wrong with the line to the host."""
        if index == 0:
            return self._first()
        return self._trouble() or self._second()

    def _first(self) -> Line:
        view = self.view
        severity = view.state.severity
        spent = view.incident_s()
        clock = "--:--" if spent is None else clock_text(spent, fine=view.clock_fine)
        chip = [(f" {view.environment} ", environment_style(view.environment))] if view.environment else []
        left: list[Span | str] = [*chip, (f" {view.state.target} ", "strong"), "  "]
        left += [(severity, "bad" if severity == "P0" else "warn"), "  "] if severity else []
        left += [(clock, "strong")]
        if view.state.ended_t:
            left += [(_("  ended"), "dim")]
        role = [(self._role(), "advice")] if view.spectator else []
        short, style = mode_word(view.mode)
        word, _style = mode_word(view.mode, (each["by"] for each in view.state.enforcement.values()))
        # The clock goes before who enforces; the timeline tells that too.
        fits = line(*left, *role, f" {word} ").width < self.size.width
        right = line(*role, (f" {word if fits else short} ", style))
        return spread(line(*left, row="header"), right, self.size.width)

    def _role(self) -> str:
        if self.view.told_as:
            return self.view.told_as
        return _(" SPECTATOR ")

    def _second(self) -> Line:
        view = self.view
        done, total = view.progress()
        right: list[Span] = []
        section = view.budgeted_section()
        spent = view.budget(section) if section else None
        if spent:
            told = _("{spent} of {budget}").format(
                spent=clock_text(spent[0], fine=view.clock_fine), budget=clock_text(spent[1])
            )
            right.append((f"{meter(spent[0] / spent[1])} {told}  ", "bad" if spent[0] > spent[1] else "info"))
        if view.link is LinkState.CONNECTING:
            right.append((_("connecting… "), "warn"))
        right.append((_("{done}/{total} steps ").format(done=done, total=total), ""))
        named = [(f" {view.state.title}", "strong"), (" ·", "dim")] if view.state.title else []
        return spread(line(*named, (f" {view.runbook.title}", "dim"), row="header"), line(*right), self.size.width)

    def _trouble(self) -> Line | None:
        """What stands in the way of everything, and at the right what to do about it, which stays however narrow."""
        view = self.view
        if view.record_fails:
            told = _(" NOT RECORDED: the record can't be written: disk full? Nothing can run until it can ")
            return Line(line((told, "alarm")).spans, "alarm")
        if view.state.ended_t and not view.clock.recorded:
            told, key, style = self._ended(), _("q leaves "), "advice"
        elif view.link is LinkState.LOST:
            told = _(" HOST LOST: running steps go on, nothing new can start")
            if view.link_detail:  # it came up, and could not serve
                told = _(" NO HOST: {why}").format(why=view.link_detail)
            key = _("R starts it again ") if view.revivable else _("`cockpit attach` starts it again ")
            style = "alarm"
        else:
            return None
        return spread(line((told, style), row=style), line((f"  {key}", style)), self.size.width)

    def _ended(self) -> str:
        """Who ended the session, when and why."""
        end = next((event for event in reversed(self.view.events) if event.kind == "session.ended"), None)
        if end is None:
            return _(" THE SESSION IS OVER")
        who = end.actor.partition(":")[2] or _("its host")
        told = _(" THE SESSION IS OVER: ended by {who} at {time}").format(who=who, time=local_time(end.t))
        return f"{told}: {end.data['reason']}" if end.data.get("reason") else told


def meter(share: float, cells: int = 8) -> str:
    """A bar in ASCII: [###-----]."""
    filled = max(0, min(cells, round(share * cells)))
    return f"[{'#' * filled}{'-' * (cells - filled)}]"
