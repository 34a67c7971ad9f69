"""The rules, as data: one file for each group of commands. A new command is one entry in one of them."""

from __future__ import annotations

from cockpit.safety.shell.families import build, cloud, databases, host, kubernetes, network, text, wrappers
from cockpit.safety.shell.tool import Tool

TOOLS: dict[str, Tool] = {}
for _family in (text, host, kubernetes, cloud, databases, network, build, wrappers):
    TOOLS.update(_family.TOOLS)
"""Every command that safety knows, by name. Anything else is unknown."""
