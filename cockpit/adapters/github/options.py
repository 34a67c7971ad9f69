"""Keys that targets and probes of GitHub have in common, and what can't work of them."""

from __future__ import annotations

import re

from cockpit.adapters.http.api import TokenOptions, check_options
from cockpit.errors import ConfigError
from cockpit.words import _

GITHUB = "https://api.github.com"
_REPO = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+", re.ASCII)


class GithubOptions(TokenOptions, frozen=True, kw_only=True):
    """Keys of a target of kind "github". `repo` is OWNER/NAME; `url` is that of another server: https://HOST/api/v3."""

    repo: str
    url: str = GITHUB


def check(options: GithubOptions) -> None:
    """Refuse what can't work.

    Raises:
        ConfigError: no OWNER/NAME, or as `check_options` of the client.
    """
    if not is_repo(options.repo):
        raise ConfigError(_("{name} is no repository").format(name=repr(options.repo)), mend='repo = "owner/name"')
    check_options(options.as_api())


def is_repo(text: str) -> bool:
    """Whether it is OWNER/NAME."""
    return _REPO.fullmatch(text) is not None and text.partition("/")[2] not in (".", "..")
