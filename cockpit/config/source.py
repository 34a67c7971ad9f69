"""Where settings come from, and which of them win."""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import msgspec

from cockpit.config import entries
from cockpit.config.model import Config, General, ProbeConfig, Safety
from cockpit.config.table import check_keys, mapping, typed
from cockpit.errors import ConfigError
from cockpit.words import _

ADMIN_FILE = Path("/etc/cockpit/cockpit.toml")
_LARGEST_BYTES = 1 << 20
_TABLES = ("cockpit", "safety", "probe", "tail", "rule", "target")
_FRONT_MATTER = {"probes": "probe", "tails": "tail", "rules": "rule", "targets": "target"}
_VARIABLE = re.compile(r"\$\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class _Source:
    """Tables as written, where they stand, and whether their author may read the environment."""

    tables: Mapping[str, Any]
    where: str
    folder: Path
    trusted: bool


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
    config = _read(_file(found)) if found else Config()
    config = _joined(config, _read(_document(document.front_matter if document is not None else {})))
    if machine is not None and not config.probes and not config.tails:
        discovered = machine()
        config = msgspec.structs.replace(
            config, probes=discovered.probes, tails=discovered.tails, origin=discovered.origin
        )
    config = _administered(config)
    _check_names(config)
    return config


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
        rules=config.rules or document.rules,
        targets=config.targets or document.targets,
        severity=document.severity,
    )


def _administered(config: Config) -> Config:
    if not ADMIN_FILE.exists():
        return msgspec.structs.replace(config, safety=msgspec.structs.replace(config.safety, locked=False))
    source = _file(ADMIN_FILE)
    check_keys(source.tables, ("cockpit", "safety"), f"{source.where}: ")
    admin = _read(source)
    own = config.safety
    safety = Safety(
        read_only=admin.safety.read_only if admin.safety.locked else own.read_only or admin.safety.read_only,
        locked=admin.safety.locked,
        timeout_s=own.timeout_s or admin.safety.timeout_s,
    )
    general = config.cockpit if config.cockpit != General() else admin.cockpit
    return msgspec.structs.replace(config, safety=safety, cockpit=general)


def _file(path: Path) -> _Source:
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
    return _Source(tables, str(path), path.absolute().parent, trusted=True)


def _document(front_matter: Mapping[str, Any]) -> _Source:
    own = front_matter.get("cockpit")
    tables = mapping(own, "front matter: cockpit") if own is not None else {}
    for key, table in _FRONT_MATTER.items():
        if key in front_matter:
            tables[table] = front_matter[key]
    if isinstance(front_matter.get("severity"), str):
        tables["severity"] = front_matter["severity"]
    return _Source(tables, "front matter", Path.cwd(), trusted=False)


def _read(source: _Source) -> Config:
    tables, where = source.tables, f"{source.where}: "
    check_keys((key for key in tables if key != "severity" or source.trusted), _TABLES, where)
    probes = entries.entries(tables.get("probe", []), f"{where}probe", entries.probe)
    if source.trusted:
        probes = tuple(_with_environment(probe, where) for probe in probes)
    tail = partial(entries.tail, folder=source.folder)
    return Config(
        cockpit=typed(tables.get("cockpit", {}), General, f"{where}cockpit"),
        safety=typed(tables.get("safety", {}), Safety, f"{where}safety"),
        probes=probes,
        tails=entries.entries(tables.get("tail", []), f"{where}tail", tail),
        rules=entries.entries(tables.get("rule", []), f"{where}rule", entries.rule),
        targets=entries.entries(tables.get("target", {}), f"{where}target", entries.target),
        severity=tables.get("severity"),
        origin=source.where,
    )


def _with_environment(probe: ProbeConfig, where: str) -> ProbeConfig:
    """Fill ${NAME} in header values, so that a token need not stand in the file. Documents don't get this."""
    headers = probe.options.get("headers")
    if not isinstance(headers, Mapping):
        return probe

    def value(found: re.Match[str]) -> str:
        try:
            return os.environ[found[1]]
        except KeyError:
            raise ConfigError(
                _("the environment has no {name}").format(name=found[1]),
                where=f"{where}probe {probe.name}: headers",
                mend=_("export it before starting the cockpit"),
            ) from None

    filled = {k: _VARIABLE.sub(value, v) if isinstance(v, str) else v for k, v in headers.items()}
    return msgspec.structs.replace(probe, options={**probe.options, "headers": filled})


def _check_names(config: Config) -> None:
    watched = [probe.name for probe in config.probes] + [tail.name for tail in config.tails]
    twice = next((name for name in watched if watched.count(name) > 1), None)
    if twice:
        raise ConfigError(_("a probe and a tail are both called {name}").format(name=twice), where=config.origin)
    for rule in config.rules:
        for condition in rule.conditions:
            check_keys([condition.probe], watched, f"rule {rule.name}")
