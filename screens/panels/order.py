"""Of many panels those that need somebody come first, and the others are counted."""

from __future__ import annotations

from collections.abc import Sequence

from cockpit.monitor.sample import PanelState
from cockpit.words import _, plural
from screens.marks import panel_mark
from screens.paint import Line, line

MANY = 12
"""More panels than a person takes in at a glance."""

_RANKS = {"x": 0, "~": 1, "!": 2, "?": 3, "-": 4, "i": 5, "OK": 6}
_WELL = frozenset({"OK", "i"})

Numbered = tuple[int, PanelState]


def ordered(panels: Sequence[PanelState]) -> list[Numbered]:
    """The panels with their numbers, which stay: as configured where they are few, else the worst first."""
    numbered = list(enumerate(panels, 1))
    return sorted(numbered, key=_rank) if len(panels) > MANY else numbered


def is_well(panel: PanelState) -> bool:
    """Whether it asks for nobody."""
    return panel_mark(panel)[0] in _WELL


def counts(panels: Sequence[PanelState]) -> Line:
    """How many panels stand how: "2 x  5 !  193 OK"."""
    found: dict[tuple[str, str], int] = {}
    for panel in panels:
        mark = panel_mark(panel)
        found[mark] = found.get(mark, 0) + 1
    parts = sorted(found.items(), key=lambda one: _RANKS[one[0][0]])
    told = [(f"{count} {mark}  ", style) for (mark, style), count in parts]
    return line(" ", *told, (plural("of {n} panel", "of {n} panels", len(panels)).format(n=len(panels)), "dim"))


def rest_head(count: int) -> Line:
    """Above the panels that are well."""
    return line((" " + _("all is well with {count}:").format(count=count), "dim"))


def _rank(numbered: Numbered) -> int:
    return _RANKS[panel_mark(numbered[1])[0]]
