"""A screen that is sent to the terminal once when it appears.

On its way to its first sizes and styles Textual would paint it three or four times over; a slow line pays for each.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Self

from textual.geometry import Region
from textual.screen import Screen


class OnceScreen(Screen[None]):
    """Holds its paints back from `hold` until it has been laid out."""

    AUTO_FOCUS = ""
    _held = False

    def hold(self, then: Callable[[], Any]) -> None:
        """Paint nothing until what is queued for this screen is done; call `then` after the paint that follows."""
        self._held = True
        batch = ExitStack()
        batch.enter_context(self.app.batch_update())

        def paint() -> None:
            batch.close()
            self.refresh(layout=True)
            self._held = False
            self.call_after_refresh(then)

        self.call_later(self.call_later, paint)

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        """While held, a wish to be repainted is granted by the paint to come."""
        return super().refresh(*regions, repaint=repaint and not self._held, layout=layout, recompose=recompose)
