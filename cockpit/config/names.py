"""Names within a configuration: each used once, and only those that are there referred to."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from cockpit.config.model import Config, GroupConfig
from cockpit.config.table import check_word
from cockpit.errors import ConfigError
from cockpit.words import _

LOCAL = "local"
"""This machine, which is always a target."""


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
        if target and not targets:
            mend = _("say where it is: [target.{name}], kind, host").format(name=target)
            raise ConfigError(
                _("no target is called {word}").format(word=target),
                where=f"{config.origin}: {name}.target",
                mend=mend,
            )
        if target:
            check_word(target, targets, f"{config.origin}: {name}.target", _("no target is called {word}"))
    # With nothing to watch yet, the probes are still to be found; their names are not known here.
    for rule in config.rules if watched else ():
        for condition in rule.conditions:
            where = f"{config.origin}: rule {rule.name}"
            check_word(condition.probe, watched, where, _("no probe or tail is called {word}"))


def check_groups(config: Config) -> None:
    """Refuse groups of targets that are not there, and one that is called as a target is.

    Raises:
        ConfigError: with the nearest name there is.
    """
    targets = [LOCAL, *(target.name for target in config.targets)]
    for group in config.groups:
        _check_group(group, targets, f"{config.origin}: group.{group.name}")


def without_broken_groups(config: Config) -> Config:
    """The configuration without the groups of a document that can't be had: its runbook has to open all the same."""
    targets = [LOCAL, *(target.name for target in config.targets)]
    sound, problems = [], []
    for group in config.groups:
        try:
            _check_group(group, targets, f"group.{group.name}")
        except ConfigError as error:
            problems.append(str(error))
        else:
            sound.append(group)
    return msgspec.structs.replace(config, groups=tuple(sound), problems=(*config.problems, *problems))


def _check_group(group: GroupConfig, targets: Sequence[str], where: str) -> None:
    if group.name in targets:
        raise ConfigError(_("a target is called {name} as well").format(name=group.name), where=where)
    for target in group.targets:
        check_word(target, targets, f"{where}.targets", _("no target is called {word}"))
