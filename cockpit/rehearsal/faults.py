"""What breaks a world, by name. A fault takes the healthy world and returns once it is broken."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cockpit.rehearsal.world import World

FAULTS: Mapping[str, Callable[[World], None]] = {"bad-release": World.break_it}
