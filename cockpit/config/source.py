"""Where settings come from, and which of them win."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import msgspec

from cockpit.config.administrator import Administrator
from cockpit.config.document import read_front_matter
from cockpit.config.model import Config, General, Safety, SecondPerson
from cockpit.config.names import check_groups, check_names, without_broken_groups
from cockpit.config.reading import read_file, read_source
from cockpit.errors import ConfigError
from cockpit.places import ADMINISTRATORS_FILE, home_folder
from cockpit.words import _


class HasFrontMatter(Protocol):
    """A runbook, as far as settings go."""

    @property
    def front_matter(self) -> Mapping[str, Any]:
        """Its keys and values."""


def find_config(explicit: Path | None = None, here: Path = Path()) -> Path | None:
    """The file to read: `explicit`, $COCKPIT_CONFIG, cockpit.toml in `here`, the XDG one; None when there is none.

    Raises:
        ConfigError: `explicit` or $COCKPIT_CONFIG names a file that is not there, or what lies here is somebody else's.
    """
    named = explicit or (Path(os.environ["COCKPIT_CONFIG"]) if os.environ.get("COCKPIT_CONFIG") else None)
    if named is not None:
        if not named.is_file():
            raise ConfigError(_("there is no such file"), where=str(named), mend=_("check --config or COCKPIT_CONFIG"))
        return named.absolute()
    base = Path(os.environ.get("XDG_CONFIG_HOME") or home_folder() / ".config")
    places = (here / "cockpit.toml", base / "cockpit" / "cockpit.toml")
    found = next((place.absolute() for place in places if place.is_file()), None)
    if found is not None and found.stat().st_uid not in _own_uids():
        raise ConfigError(
            _("the file lies here but belongs to another user, and a configuration can send what you know elsewhere"),
            where=str(found),
            mend=_("if you trust it: --config {file}").format(file=found),
        )
    return found


def _own_uids() -> set[int]:
    """Whose files are taken without being named: this user's, root's, and those of who called sudo."""
    sudo = os.environ.get("SUDO_UID", "")
    return {0, os.geteuid(), *([int(sudo)] if sudo.isdecimal() else [])}


def load(
    path: Path | None = None,
    document: HasFrontMatter | None = None,
    machine: Callable[[], Config] | None = None,
    *,
    here: Path = Path(),
    administrator: Administrator | None = None,
) -> Config:
    """The settings of a session (see the package for the order in which sources win).

    Args:
        path: the file of `--config`; None looks in the usual places.
        document: the runbook; only its front matter is looked at.
        machine: called for what is found on this machine, only when nothing else names a probe or a tail.
        here: the folder whose cockpit.toml counts.
        administrator: whose word holds; None for this machine's own.

    Raises:
        ConfigError: a file that can't be read, an unknown key, a wrong type; `where` has the file and the key's path.
            The administrator's file can't be trusted.
    """
    admin = (administrator or Administrator()).config()
    found = find_config(path, here)
    config = read_source(read_file(found)) if found else Config()
    check_names(config)
    check_groups(config)
    if document is not None:
        config = _joined(config, read_front_matter(document.front_matter))
    if machine is not None and not config.probes and not config.tails:
        discovered = machine()
        config = msgspec.structs.replace(
            config, probes=discovered.probes, tails=discovered.tails, origin=discovered.origin
        )
    return _administered(config, admin)


def _joined(config: Config, document: Config) -> Config:
    """A file's settings, with what only the document says. A document may ask for more care, never for less."""
    watches = config if config.probes or config.tails else document
    joined = msgspec.structs.replace(
        config,
        cockpit=config.cockpit if config.cockpit != General() else document.cockpit,
        safety=msgspec.structs.replace(
            config.safety,
            read_only=config.safety.read_only or document.safety.read_only,
            timeout_s=config.safety.timeout_s or document.safety.timeout_s,
            second_person=stricter(config.safety.second_person, document.safety.second_person),
        ),
        probes=watches.probes,
        tails=watches.tails,
        origin=watches.origin,
        rules=config.rules or (document.rules if watches is document else ()),
        targets=config.targets or document.targets,
        groups=config.groups or document.groups,
        severity=document.severity,
        problems=document.problems,
    )
    return joined if config.groups else without_broken_groups(joined)


def stricter(one: SecondPerson, other: SecondPerson) -> SecondPerson:
    """The rule that asks a second person more often."""
    order: tuple[SecondPerson, ...] = ("", "destructive", "mutating")
    return max(one, other, key=order.index)


def _administered(config: Config, admin: Config) -> Config:
    """With what holds for everybody: the administrator's environment wins, and care asked for anywhere counts."""
    if config.safety.locked:
        raise ConfigError(
            _("only {file} can lock").format(file=ADMINISTRATORS_FILE),
            where=f"{config.origin}: safety.locked",
            mend=_("take it out"),
        )
    safety = Safety(
        read_only=config.safety.read_only or admin.safety.read_only,
        locked=admin.safety.locked,
        timeout_s=config.safety.timeout_s or admin.safety.timeout_s,
        second_person=stricter(config.safety.second_person, admin.safety.second_person),
        approvers=admin.safety.approvers or config.safety.approvers,
    )
    if safety.second_person and not safety.approvers:
        raise ConfigError(
            _("a second person is wanted, but not whose"),
            where="[safety] second_person",
            mend=_('add approvers = "GROUP", a unix group of both persons'),
        )
    general = General(
        title=config.cockpit.title or admin.cockpit.title,
        environment=admin.cockpit.environment or config.cockpit.environment,
    )
    return msgspec.structs.replace(config, safety=safety, cockpit=general)
