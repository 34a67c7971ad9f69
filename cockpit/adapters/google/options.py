"""Keys that every probe of Google Cloud has, and whose token goes where."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from msgspec import Struct

from cockpit.adapters.http.api import ApiOptions, check_options
from cockpit.errors import ConfigError
from cockpit.words import _

_PROJECT = re.compile(r"[a-z][a-z0-9.:-]{3,60}[a-z0-9]|\d{4,20}")
_GOOGLE = ".googleapis.com"


class GoogleOptions(Struct, frozen=True, kw_only=True):
    """Who asks, of which project.

    Without `token_env`, `token_file` and `credentials_file` (a service account's key, or what `gcloud auth
    application-default login` wrote) it is who this machine is signed in as: $GOOGLE_APPLICATION_CREDENTIALS, gcloud,
    or the machine's own service account. That sign-in goes to addresses of Google's alone.
    """

    project: str
    token_env: str = ""
    token_file: str = ""
    credentials_file: str = ""
    ca_file: str = ""

    @property
    def named(self) -> bool:
        """Whether the file says whose token it is."""
        return bool(self.token_env or self.token_file or self.credentials_file)


def check(options: GoogleOptions, url: str) -> None:
    """Refuse what can't work, and what would send this machine's own sign-in anywhere else than to Google.

    Raises:
        ConfigError: no project, no address, or two ways to sign in.
    """
    if not _PROJECT.fullmatch(options.project):
        raise ConfigError(_("{name} is no project").format(name=repr(options.project)), mend='project = "my-project"')
    if sum(map(bool, (options.token_env, options.token_file, options.credentials_file))) > 1:
        raise ConfigError(_("give one of {keys}").format(keys="token_env, token_file, credentials_file"))
    check_options(as_api(options, url))
    if not options.named and not is_google(url):
        raise ConfigError(
            _("this machine's sign-in at Google goes to no other address"),
            where="url",
            mend=_("give token_env, token_file or credentials_file"),
        )


def is_google(url: str) -> bool:
    """Whether it is an address of Google's, private ones included, that nobody on the way reads along."""
    parts = urlsplit(url)
    return parts.scheme == "https" and (parts.hostname or "").endswith(_GOOGLE)


def as_api(options: GoogleOptions, url: str) -> ApiOptions:
    """What the client of such servers takes. The token is not among it: it does not last."""
    return ApiOptions(url=url, ca_file=options.ca_file)
