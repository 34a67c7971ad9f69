"""Settings in a runbook's front matter.

The `cockpit:` table is ours, and as strict as a file. `probes`, `tails`, `rules` and `targets` at the top level are
words that other people's documents use for things of their own: what can't be read there is told and left out, for a
runbook has to open.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from cockpit.config.model import Config
from cockpit.config.names import check_names
from cockpit.config.reading import Source, read_source
from cockpit.config.table import mapping
from cockpit.errors import ConfigError

WHERE = "front matter"
_READ_ONLY = ("read-only", "read_only", "readonly")
_KEYS = {"probes": "probe", "tails": "tail", "rules": "rule", "targets": "target", "groups": "group"}


def read_front_matter(front_matter: Mapping[str, Any]) -> Config:
    """The settings a document holds; `problems` are those of its keys that can't be read.

    Raises:
        ConfigError: in the `cockpit:` table.
    """
    own = front_matter.get("cockpit")
    tables = mapping(own, f"{WHERE}: cockpit") if isinstance(own, Mapping) else {}
    config = _read(tables, f"{WHERE}: cockpit" if tables else WHERE)
    check_names(config)
    severity = front_matter.get("severity")
    config = msgspec.structs.replace(config, severity=severity if isinstance(severity, str) else None)
    if str(front_matter.get("mode", "")).strip().lower() in _READ_ONLY:
        config = msgspec.structs.replace(config, safety=msgspec.structs.replace(config.safety, read_only=True))
    for key in _KEYS:
        if key in front_matter:
            config = _with(config, key, front_matter[key])
    return config


def _with(config: Config, key: str, raw: object) -> Config:
    """The configuration with the entries of one more key, or with the problem that they have."""
    try:
        more = _read({_KEYS[key]: raw}, WHERE)
        joined = msgspec.structs.replace(config, **{key: (*getattr(config, key), *getattr(more, key))})
        check_names(joined)
    except ConfigError as error:
        return msgspec.structs.replace(config, problems=(*config.problems, str(error)))
    return joined


def _read(tables: Mapping[str, Any], where: str) -> Config:
    return read_source(Source(tables, where, Path.cwd(), trusted=False))
