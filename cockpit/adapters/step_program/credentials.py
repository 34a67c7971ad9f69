"""Secrets of a target, from where its options say they are: never from cockpit.toml itself."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from cockpit.errors import ConfigError
from cockpit.words import _

_LARGEST_BYTES = 1 << 16


def from_environment(name: str, key: str) -> str:
    """The value of an environment variable.

    Args:
        key: the option that names it, for the message.

    Raises:
        ConfigError: it is not set.
    """
    value = os.environ.get(name, "")
    if not value:
        raise ConfigError(
            _("the environment has no {name}").format(name=name),
            where=key,
            mend=_("export it before starting the cockpit"),
        )
    return value


def from_file(written: str, key: str) -> str:
    """The first line of a file that only its owner may read.

    Raises:
        ConfigError: it can't be read, or others may read it.
    """
    path = Path(written).expanduser()
    try:
        info = path.stat()
        if not stat.S_ISREG(info.st_mode) or info.st_size > _LARGEST_BYTES:
            raise ConfigError(_("not a small file"), where=f"{key}: {path}")
        if info.st_mode & 0o077:
            raise ConfigError(_("others may read this secret"), where=f"{key}: {path}", mend=f"chmod 600 {path}")
        return path.read_text("utf-8").partition("\n")[0].strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(_("it can't be read: {error}").format(error=error), where=f"{key}: {path}") from error


def password_from(environment: str, file: str, *, ambient: str = "") -> dict[str, str]:
    """{"password": …} as `password_env` or `password_file` say, else from the tool's own variable; {} without any.

    Raises:
        ConfigError: both are given, or what they name is not there.
    """
    if environment and file:
        raise ConfigError(_("give one of {keys}").format(keys="password_env, password_file"))
    if environment:
        return {"password": from_environment(environment, "password_env")}
    if file:
        return {"password": from_file(file, "password_file")}
    value = os.environ.get(ambient, "") if ambient else ""
    return {"password": value} if value else {}


def secrets_named(options: Mapping[str, Any]) -> Iterator[str]:
    """The values that `token_env`, `password_file` and the like name, as far as they are there, to be masked."""
    for key in ("token", "password"):
        with suppress(ConfigError):
            if name := str(options.get(f"{key}_env") or ""):
                yield from_environment(name, f"{key}_env")
        with suppress(ConfigError):
            if file := str(options.get(f"{key}_file") or ""):
                yield from_file(file, f"{key}_file")
