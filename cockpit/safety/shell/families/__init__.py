"""The rules, as data: one file for each group of commands. A new command is one entry in one of them."""

from __future__ import annotations

from cockpit.safety.shell.families import (
    aws,
    build,
    cloud,
    containers,
    curl,
    databases,
    git,
    google,
    kubernetes,
    machine,
    network,
    packages,
    queues,
    releases,
    services,
    text,
    wrappers,
)
from cockpit.safety.shell.tool import Tool

TOOLS: dict[str, Tool] = {}
for _family in (
    text,
    machine,
    services,
    packages,
    kubernetes,
    releases,
    cloud,
    aws,
    google,
    databases,
    queues,
    network,
    curl,
    git,
    containers,
    build,
    wrappers,
):
    TOOLS.update(_family.TOOLS)
"""Every command that safety knows, by name. Anything else is unknown."""
