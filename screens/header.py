"""The two rows that are always there: where this is, how bad, how long, in which mode."""

from __future__ import annotations

from cockpit.words import _
from screens.clock import clock_text
from screens.marks import mode_word
from screens.paint import Line, Span, line, spread
from screens.pane import Pane
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
        word, style = mode_word(view.mode)
        where = " ".join(filter(None, (view.environment, view.state.target)))
        severity = view.state.severity
        spent = view.incident_s()
        clock = "--:--" if spent is None else clock_text(spent, fine=view.clock_fine)
        left: list[Span | str] = [(f" {where} ", "strong"), "  "]
        left += [(severity, "bad" if severity == "P0" else "warn"), "  "] if severity else []
        left += [(clock, "strong")]
        if view.state.ended_t:
            left += [(_("  ended"), "dim")]
        right = [(self._role(), "advice")] if view.spectator else []
        return spread(line(*left, row="header"), line(*right, (f" {word} ", style)), self.size.width)

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
        return spread(line((f" {view.runbook.title}", "dim"), row="header"), line(*right), self.size.width)

    def _trouble(self) -> Line | None:
        view = self.view
        if view.record_fails:
            told = _(" NOT RECORDED: the record can't be written: disk full? Nothing can run until it can ")
            return Line(line((told, "alarm")).spans, "alarm")
        if view.link is not LinkState.LOST or view.state.ended_t:
            return None
        told = _(" HOST LOST: running steps go on, nothing new can start.  R starts the host again ")
        detail = f" {view.link_detail}" if view.link_detail else ""
        return Line(line((told + detail, "alarm")).spans, "alarm")


def meter(share: float, cells: int = 8) -> str:
    """A bar in ASCII: [###-----]."""
    filled = max(0, min(cells, round(share * cells)))
    return f"[{'#' * filled}{'-' * (cells - filled)}]"
