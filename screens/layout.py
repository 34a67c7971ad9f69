"""Which panes show at which size. Under 80 columns it is still one column: nothing is refused."""

from __future__ import annotations

from dataclasses import dataclass

TWO_COLUMNS = 110
THREE_COLUMNS = 160
TALL = 30
SHORT = 18
TINY = 9
ROOMY = 40

PANES = ("guide", "steps", "targets", "output", "panels", "timeline", "contacts")
_CENTRE = ("guide", "targets", "output")
_RIGHT = ("timeline", "contacts")


@dataclass(frozen=True, slots=True)
class Layout:
    """What is shown. `columns` is 1 to 3; `left_cells` and `right_cells` are 0 where that column is not there."""

    columns: int
    shown: frozenset[str]
    left_cells: int
    right_cells: int
    card_rows: int

    @property
    def folded_panels(self) -> bool:
        """Whether panels are folded to status rows: where there is room for them."""
        return "panels" not in self.shown and self.shown != {"card"}


def layout_of(
    width: int, height: int, active: str, *, full: str = "", has_output: bool = False, has_targets: bool = False
) -> Layout:
    """The layout for a size.

    Args:
        active: the pane that has the keys; in one column it is the one that shows.
        full: a pane that has the whole screen; "" for none.
        has_output: whether there is any output to show.
        has_targets: whether it is that of one target of a group, whose lines then stand there.
    """
    card_rows = 9 if height >= TALL else 4 if height >= SHORT else 3
    if full:
        return Layout(1, frozenset({full}), 0, 0, card_rows)
    output = ("output",) if has_output else ()
    if has_targets and height >= ROOMY:
        output = ("targets", *output)
    elif has_targets and active != "output":
        output = ("targets",)
    if width >= THREE_COLUMNS:
        return Layout(3, frozenset(("panels", "steps", "guide", "card", *_RIGHT, *output)), 56, 44, card_rows)
    if width >= TWO_COLUMNS:
        if active in _RIGHT:
            return Layout(2, frozenset(("guide", "card", *_RIGHT, *output)), 0, 46, card_rows)
        return Layout(2, frozenset(("panels", "steps", "guide", "card", *output)), 46, 0, card_rows)
    if height < TINY and active in _CENTRE:
        return Layout(1, frozenset(("card",)), 0, 0, max(1, height - 4))
    if height < SHORT:
        return Layout(1, frozenset((active, "card")), 0, 0, card_rows)
    if active in _CENTRE:
        return Layout(1, frozenset(("guide", "card", *output)), 0, 0, card_rows)
    return Layout(1, frozenset((active, "card", *output)), 0, 0, card_rows)
