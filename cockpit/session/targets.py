"""From configured targets to the adapters that run their steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cockpit.adapters.base import RunsSteps
from cockpit.adapters.registry import load
from cockpit.errors import ConfigError
from cockpit.words import _

LOCAL = "local"


def targets_of(kinds: Mapping[str, str], names: Iterable[str] = ()) -> dict[str, RunsSteps]:
    """An adapter per target name; this machine, called "local", is always one.

    Args:
        kinds: target name -> adapter name, from configuration.
        names: further names for this machine.

    Raises:
        ConfigError: an adapter that can't run steps. ToolMissing: one that isn't installed.
    """
    targets: dict[str, RunsSteps] = {}
    for name, kind in {LOCAL: LOCAL, **dict.fromkeys(names, LOCAL), **kinds}.items():
        adapter = load(kind)
        if not isinstance(adapter, RunsSteps):
            raise ConfigError(
                _("the adapter {kind} runs no steps").format(kind=kind),
                where=f"target.{name}",
                mend=_("choose another kind"),
            )
        targets[name] = adapter
    return targets
