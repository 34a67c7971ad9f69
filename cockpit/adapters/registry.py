"""Finding adapters by name through the entry-point group `cockpit.adapters`, ours and others' alike.

Names are listed without importing anything; one adapter is imported when it is first asked for.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from cockpit.adapters.base import Adapter
from cockpit.errors import ToolMissing
from cockpit.words import _

GROUP = "cockpit.adapters"


@cache
def installed() -> Mapping[str, EntryPoint]:
    """Entry points of installed adapters, by name. Looked up once: that reads a file of every installed package."""
    return {point.name: point for point in entry_points(group=GROUP)}


def load(name: str, make: Callable[[Any], Any] = lambda kind: kind()) -> Adapter:
    """A new instance of the adapter of that name.

    Args:
        make: an instance from the adapter's class.

    Raises:
        ToolMissing: there is none, or importing it failed; the reason is in the message.
    """
    points = installed()
    if name not in points:
        raise ToolMissing(
            _("no adapter is called {name}").format(name=name),
            mend=_("did you mean {word}?").format(word=near[0])
            if (near := difflib.get_close_matches(name, points, n=1, cutoff=0.5))
            else _("installed ones: {names}").format(names=", ".join(sorted(points)) or "-"),
        )
    try:
        adapter = make(points[name].load())
    except ImportError as error:
        raise ToolMissing(
            _("the adapter {name} can't be loaded: {error}").format(name=name, error=error),
            mend=_("install what it needs"),
        ) from error
    if not isinstance(adapter, Adapter):
        raise ToolMissing(_("{name} is not an adapter").format(name=name))
    return adapter
