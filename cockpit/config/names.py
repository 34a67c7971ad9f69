"""Names within a configuration: each used once, and only those that are there referred to."""

from __future__ import annotations

from cockpit.config.model import Config
from cockpit.config.table import check_word
from cockpit.errors import ConfigError
from cockpit.words import _


def check_names(config: Config) -> None:
    """Refuse two things of one name, rules about a probe or tail that is not there, and targets that are not.

    Raises:
        ConfigError: with the nearest name there is.
    """
    watched = [probe.name for probe in config.probes] + [tail.name for tail in config.tails]
    twice = next((name for name in watched if watched.count(name) > 1), None)
    if twice:
        raise ConfigError(_("the name {name} is used twice").format(name=twice), where=config.origin)
    # Of the same source: a file's probe must not come to mean a target that a document calls so.
    targets = [target.name for target in config.targets]
    meant = {one.name: one.target for one in config.probes} | {one.name: one.target for one in config.tails}
    for name, target in meant.items():
        if target:
            check_word(target, targets, f"{config.origin}: {name}.target", _("no target is called {word}"))
    # With nothing to watch yet, the probes are still to be found; their names are not known here.
    for rule in config.rules if watched else ():
        for condition in rule.conditions:
            where = f"{config.origin}: rule {rule.name}"
            check_word(condition.probe, watched, where, _("no probe or tail is called {word}"))
