"""Where settings come from, and which of them win."""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import msgspec

from cockpit.config.document import read_front_matter
from cockpit.config.model import Config, General, Safety
from cockpit.config.names import check_names
from cockpit.config.reading import Source, read_source
from cockpit.config.table import check_keys
from cockpit.errors import ConfigError
from cockpit.words import _

ADMIN_FILE = Path("/etc/cockpit/cockpit.toml")
_LARGEST_BYTES = 1 << 20


class HasFrontMatter(Protocol):
    """A runbook, as far as settings go."""

    @property
    def front_matter(self) -> Mapping[str, Any]:
        """Its keys and values."""


def find_config(explicit: Path | None = None) -> Path | None:
    """The file to read: `explicit`, $COCKPIT_CONFIG, ./cockpit.toml, the XDG one; None when there is none.

    Raises:
        ConfigError: `explicit` or $COCKPIT_CONFIG names a file that is not there.
    """
    named = explicit or (Path(os.environ["COCKPIT_CONFIG"]) if os.environ.get("COCKPIT_CONFIG") else None)
    if named is not None:
        if not named.is_file():
            raise ConfigError(_("there is no such file"), where=str(named), mend=_("check --config or COCKPIT_CONFIG"))
        return named
    base = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return next((p for p in (Path("cockpit.toml"), base / "cockpit" / "cockpit.toml") if p.is_file()), None)


def load(
    path: Path | None = None,
    document: HasFrontMatter | None = None,
    machine: Callable[[], Config] | None = None,
) -> Config:
    """The settings of a session (see the package for the order in which sources win).

    Args:
        path: the file of `--config`; None looks in the usual places.
        document: the runbook; only its front matter is looked at.
        machine: called for what is found on this machine, only when nothing else names a probe or a tail.

    Raises:
        ConfigError: a file that can't be read, an unknown key, a wrong type; `where` has the file and the key's path.
    """
    found = find_config(path)
    config = read_source(_file(found)) if found else Config()
    check_names(config)
    if document is not None:
        config = _joined(config, read_front_matter(document.front_matter))
    if machine is not None and not config.probes and not config.tails:
        discovered = machine()
        config = msgspec.structs.replace(
            config, probes=discovered.probes, tails=discovered.tails, origin=discovered.origin
        )
    return _administered(config)


def _joined(config: Config, document: Config) -> Config:
    """A file's settings, with what only the document says. A document may ask for more care, never for less."""
    watches = config if config.probes or config.tails else document
    return msgspec.structs.replace(
        config,
        cockpit=config.cockpit if config.cockpit != General() else document.cockpit,
        safety=msgspec.structs.replace(
            config.safety,
            read_only=config.safety.read_only or document.safety.read_only,
            timeout_s=config.safety.timeout_s or document.safety.timeout_s,
        ),
        probes=watches.probes,
        tails=watches.tails,
        origin=watches.origin,
        rules=config.rules or (document.rules if watches is document else ()),
        targets=config.targets or document.targets,
        severity=document.severity,
        problems=document.problems,
    )


def _administered(config: Config) -> Config:
    if config.safety.locked:
        raise ConfigError(
            _("only {file} can lock").format(file=ADMIN_FILE),
            where=f"{config.origin}: safety.locked",
            mend=_("take it out"),
        )
    if not ADMIN_FILE.exists():
        return config
    source = _file(ADMIN_FILE)
    check_keys(source.tables, ("cockpit", "safety"), f"{source.where}: ")
    admin = read_source(source)
    safety = Safety(
        read_only=config.safety.read_only or admin.safety.read_only,
        locked=admin.safety.locked,
        timeout_s=config.safety.timeout_s or admin.safety.timeout_s,
    )
    general = config.cockpit if config.cockpit != General() else admin.cockpit
    return msgspec.structs.replace(config, safety=safety, cockpit=general)


def _file(path: Path) -> Source:
    try:
        info = path.stat()
        if info.st_mode & stat.S_IWOTH:
            raise ConfigError(_("everybody can write to this file"), where=str(path), mend=f"chmod o-w {path}")
        if info.st_size > _LARGEST_BYTES:
            raise ConfigError(_("the file is larger than 1 MiB"), where=str(path))
        tables = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(error.strerror or str(error), where=str(path)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(
            _("not TOML: {error}").format(error=error), where=str(path), mend=_("mend that line")
        ) from error
    return Source(tables, str(path), path.absolute().parent, trusted=True)
