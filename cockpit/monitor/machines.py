"""The machines that probes and tails may be about: targets of the configuration whose adapters can look around."""

from __future__ import annotations

from collections.abc import Mapping

from cockpit.adapters.far import Far, LooksAround
from cockpit.errors import ConfigError
from cockpit.words import _


class Machines:
    """Each is asked over one connection, which its steps use too.

    Args:
        adapters: by the target's name.
    """

    def __init__(self, adapters: Mapping[str, object]) -> None:
        self._adapters = adapters
        self._made: dict[str, Far] = {}

    def called(self, name: str, where: str) -> Far:
        """The machine of that name; connects to nothing yet.

        Raises:
            ConfigError: there is none, or it can't be looked at.
        """
        if name not in self._made:
            adapter = self._adapters.get(name)
            if not isinstance(adapter, LooksAround):
                raise ConfigError(
                    _("the target {target} can't be looked at").format(target=name),
                    where=where,
                    mend=_('name one of kind = "ssh", or leave target out for this machine'),
                )
            self._made[name] = adapter.far(name)
        return self._made[name]
