"""From one source's tables, as written, to a configuration."""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from cockpit.config import entries
from cockpit.config.model import Config, General, ProbeConfig, Safety
from cockpit.config.table import check_keys, typed
from cockpit.errors import ConfigError
from cockpit.words import _

TABLES = ("cockpit", "safety", "probe", "tail", "rule", "target", "group")
_VARIABLE = re.compile(r"\$\{(\w+)\}")
_LARGEST_BYTES = 1 << 20
_CREDENTIALS = ("_env", "_file")
_SIGNED_IN = frozenset({"postgresql", "redis"})
"""Kinds that find passwords of this machine by themselves (~/.pgpass, $PGPASSWORD), and would show them any host."""
_SIGNED = ("profile", "endpoint_url")
"""Whose credentials sign a request, and where what they signed goes."""


@dataclass(frozen=True, slots=True)
class Source:
    """Tables as written, and where they stand.

    Relative paths are taken from `folder`. Only a `trusted` source (a file, not a document) reads the environment.
    """

    tables: Mapping[str, Any]
    where: str
    folder: Path
    trusted: bool


def read_file(path: Path) -> Source:
    """A file's tables.

    Raises:
        ConfigError: it can't be read, is no TOML, or everybody can write to it.
    """
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


def read_source(source: Source) -> Config:
    """The configuration of one source.

    Raises:
        ConfigError: unknown key, wrong type, broken entry; with its path.
    """
    tables, where = source.tables, f"{source.where}: "
    check_keys(tables, TABLES, where)
    probe = partial(entries.probe, trusted=source.trusted)
    probes = entries.entries(tables.get("probe", []), f"{where}probe", probe)
    if source.trusted:
        probes = tuple(_with_environment(probe, where) for probe in probes)
    else:
        _require_no_credentials(probes, where)
    tail = partial(entries.tail, folder=source.folder, trusted=source.trusted)
    target = partial(entries.target, trusted=source.trusted)
    return Config(
        cockpit=typed(tables.get("cockpit", {}), General, f"{where}cockpit"),
        safety=typed(tables.get("safety", {}), Safety, f"{where}safety"),
        probes=probes,
        tails=entries.entries(tables.get("tail", []), f"{where}tail", tail),
        rules=entries.entries(tables.get("rule", []), f"{where}rule", entries.rule),
        targets=entries.entries(tables.get("target", {}), f"{where}target", target),
        groups=entries.entries(tables.get("group", {}), f"{where}group", entries.group),
        origin=source.where,
    )


def _require_no_credentials(probes: Iterable[ProbeConfig], where: str) -> None:
    for probe in probes:
        asked = next((key for key in probe.options if key.endswith(_CREDENTIALS) or key in _SIGNED), None)
        asked = probe.kind if probe.kind in _SIGNED_IN else asked
        if asked:
            raise ConfigError(
                _("a document can't ask for credentials of this machine"),
                where=f"{where}probe {probe.name}: {asked}",
                mend=_("configure the probe in cockpit.toml"),
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
