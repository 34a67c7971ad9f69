"""Names within a configuration: each used once, and only those that are there referred to."""

from __future__ import annotations

from cockpit.config.model import Config
from cockpit.config.table import check_word
from cockpit.errors import ConfigError
from cockpit.words import _


def check_names(config: Config) -> None:
    """Refuse two things of one name, and rules about a probe or tail that is not there.

    Raises:
        ConfigError: with the nearest name there is.
    """
    watched = [probe.name for probe in config.probes] + [tail.name for tail in config.tails]
    twice = next((name for name in watched if watched.count(name) > 1), None)
    if twice:
        raise ConfigError(_("the name {name} is used twice").format(name=twice), where=config.origin)
    # With nothing to watch yet, the probes are still to be found; their names are not known here.
    for rule in config.rules if watched else ():
        for condition in rule.conditions:
            where = f"{config.origin}: rule {rule.name}"
            check_word(condition.probe, watched, where, _("no probe or tail is called {word}"))
