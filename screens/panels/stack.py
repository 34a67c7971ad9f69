"""The live panels: unfolded one below the other, or folded to status rows where there is no room."""

from __future__ import annotations

from cockpit.monitor.sample import Outcome, PanelState
from cockpit.words import _
from screens.clock import age_text
from screens.marks import panel_mark
from screens.paint import BLANK, Line, cropped, fit, line, spread, wrapped
from screens.panels import detail_of
from screens.panels.order import MANY, counts, is_well, ordered, rest_head
from screens.panes.pane import Pane

_FOLDED_ROWS = 3


class PanelStack(Pane):
    """Every panel with its details; one alone when it was opened by its digit."""

    _rows: tuple[Line, ...] = ()

    def title_text(self) -> str:
        """What the pane is."""
        return _("Live")

    def gather(self) -> None:
        """Take the panels as they are."""
        self._rows = tuple(self._fresh_rows())

    def count(self) -> int:
        """Rows of all panels."""
        return len(self._rows)

    def row_at(self, index: int) -> Line:
        """One of them."""
        return self._rows[index]

    def _fresh_rows(self) -> list[Line]:
        panels = list(self.view.panels.values())
        if not panels:
            return [line((_("  waiting for the first samples"), "dim"))]
        opened = self.view.opened_panel
        if len(panels) > MANY and not opened:
            return self._many(panels)
        return [
            row
            for number, panel in enumerate(panels, 1)
            if not opened or panel.probe == opened
            for row in self._panel(number, panel)
        ]

    def _many(self, panels: list[PanelState]) -> list[Line]:
        """What needs somebody first, whole; then one row for each of the others."""
        rows, well = [counts(panels), BLANK], []
        for number, panel in ordered(panels):
            if is_well(panel):
                well.append(cropped(self._head(number, panel), self.size.width))
            else:
                rows += self._panel(number, panel)
        return [*rows, rest_head(len(well)), *well] if well else rows

    def _panel(self, number: int, panel: PanelState) -> list[Line]:
        return [self._head(number, panel), *_failure(panel, self.size.width), *detail_of(panel, self.size.width), BLANK]

    def _head(self, number: int, panel: PanelState) -> Line:
        mark, style = panel_mark(panel)
        head = line((f" {number} ", "key"), (f"{mark:<2} ", style), (f"{panel.title}  ", "strong"), summary(panel))
        stale = _stale_text(panel, self.view.clock.since_s(panel.stale_since_t))
        return spread(head, line((stale, "warn")), self.size.width)


class FoldedPanels(Pane):
    """Each panel in a few words, on as many rows as it takes, three at most."""

    DEFAULT_CSS = """
    FoldedPanels { height: 1; }
    """
    titled = False
    standing = 1
    _rows: tuple[Line, ...] = ()

    def gather(self) -> None:
        """Take the panels as they are, and the height they need."""
        self._rows = tuple(self._fresh_rows(self.size.width))
        self.stand(max(1, min(_FOLDED_ROWS, len(self._rows))))

    def count(self) -> int:
        """Rows needed."""
        return len(self._rows)

    def row_at(self, index: int) -> Line:
        """One of them."""
        return self._rows[index]

    def _fresh_rows(self, width: int) -> list[Line]:
        panels = list(self.view.panels.values())
        if not panels:
            return [line((_(" panels: waiting for the first samples"), "dim"))]
        most = max(1, width // 26)
        needed = -(-len(panels) // most)
        per_row = -(-len(panels) // needed)
        cell = width // per_row
        rows = [counts(panels)] if len(panels) > MANY else []
        numbered = ordered(panels)
        if len(panels) > MANY:
            numbered = numbered[: _FOLDED_ROWS * per_row]  # no more than there is room for
        for start in range(0, len(numbered), per_row):
            spans = []
            for number, panel in numbered[start : start + per_row]:
                folded = self._folded(number, panel, cell)
                spans += [*folded.spans, (" " * max(0, cell - folded.width), "")]
            rows.append(Line(tuple(spans)))
        return rows

    def _folded(self, number: int, panel: PanelState, cell: int) -> Line:
        mark, style = panel_mark(panel)
        stale = _stale_text(panel, self.view.clock.since_s(panel.stale_since_t))
        title = fit(panel.title, max(6, cell * 2 // 5))
        told = line((f" {number} ", "key"), (f"{mark} ", style), (f"{title} ", "strong"), _folded_text(panel, stale))
        return cropped(told, cell - 1)


def _folded_text(panel: PanelState, stale: str) -> str:
    """What failed goes before how old the last answer is."""
    failed = panel.last is not None and panel.last.outcome is Outcome.FAILED
    return summary(panel) if failed or not stale else stale


def summary(panel: PanelState) -> str:
    """A panel in a few words: data, none, failed, or not yet heard of."""
    if panel.last is None:
        return _("no sample yet")
    if panel.last.outcome is Outcome.FAILED:
        return _("failed: {error}").format(error=panel.last.text or panel.last.error)
    return panel.last.text or (_("none") if panel.last.outcome is Outcome.NONE else "")


def _failure(panel: PanelState, width: int) -> list[Line]:
    if panel.last is None or panel.last.outcome is not Outcome.FAILED:
        return []
    told = [text for text in (panel.last.error, panel.last.mend) if text]
    rows = [row for text in told for row in wrapped([(text, "bad")], width - 6, first="      ", rest="      ")]
    if panel.last_data:
        rows.append(line((_("      what it last said follows"), "dim")))
    return rows


def _stale_text(panel: PanelState, age_s: float | None) -> str:
    return "" if age_s is None or not panel.stale_since_t else _("stale {age} ").format(age=age_text(age_s))
