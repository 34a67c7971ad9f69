"""Keys that targets and probes of GitHub have in common, and what can't work of them."""

from __future__ import annotations

import re

from msgspec import Struct

from cockpit.adapters.http.api import ApiOptions, check_options
from cockpit.errors import ConfigError
from cockpit.words import _

GITHUB = "https://api.github.com"
_REPO = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+", re.ASCII)


class GithubOptions(Struct, frozen=True, kw_only=True):
    """Keys of a target of kind "github". `repo` is OWNER/NAME; `url` is that of another server: https://HOST/api/v3."""

    repo: str
    url: str = GITHUB
    token_env: str = ""
    token_file: str = ""
    ca_file: str = ""
    timeout_s: float = 30.0

    def as_api(self) -> ApiOptions:
        """What the client of such servers takes."""
        return ApiOptions(
            url=self.url,
            token_env=self.token_env,
            token_file=self.token_file,
            ca_file=self.ca_file,
            timeout_s=self.timeout_s,
        )


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
