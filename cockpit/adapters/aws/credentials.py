"""How credentials are come by here: nobody is asked at a terminal, nothing takes for ever, and a role that the AWS
command line was given for a code serves here too.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

from cockpit.adapters.aws.failure import needs_code
from cockpit.errors import ConfigError
from cockpit.words import _

PROCESS_PATIENCE_S = 20.0
"""So long a profile's `credential_process` may take."""


class CredentialProcessHangs(ConfigError):
    """The program that gives the credentials did not end in time."""


def tame(boto3_session: Any, config: Any) -> None:
    """Make a session's ways to credentials bounded, and silent at the terminal.

    Args:
        config: botocore's, for the clients that fetch credentials (AssumeRole, SSO) and have none of their own.
    """
    from botocore.credentials import ProcessProvider

    core = boto3_session._session  # noqa: SLF001 - botocore's own, which boto3 keeps to itself
    core.set_default_client_config(config)

    def process_provider(profile_name: str) -> Any:
        return ProcessProvider(profile_name, lambda: core.full_config, popen=_CredentialProcess)

    for provider in core.get_component("credential_provider").providers:
        if provider.METHOD == "custom-process":
            provider._popen = _CredentialProcess  # noqa: SLF001 - there is no other way to any of these
        if provider.METHOD == "assume-role":
            provider._prompter = _nobody_to_ask  # noqa: SLF001 - as above
            provider.cache = _command_line_cache()
            provider._profile_provider_builder._create_process_provider = process_provider  # noqa: SLF001 - as above


def _nobody_to_ask(_prompt: str) -> str:
    raise needs_code()


def _command_line_cache() -> Any:
    """Roles as the AWS command line was given them. Those given here are kept in memory alone."""
    from botocore.utils import JSONFileCache

    class Cache(JSONFileCache):  # type: ignore[misc]  # botocore has no types
        def __init__(self) -> None:
            super().__init__(str(Path("~/.aws/cli/cache").expanduser()))
            self._own: dict[str, Any] = {}

        def __contains__(self, key: str) -> bool:
            return key in self._own or super().__contains__(key)

        def __getitem__(self, key: str) -> Any:
            return super().__getitem__(key) if super().__contains__(key) else self._own[key]

        def __setitem__(self, key: str, value: Any) -> None:
            self._own[key] = value

        def __delitem__(self, key: str) -> None:
            self._own.pop(key, None)

    return Cache()


class _CredentialProcess(subprocess.Popen[bytes]):
    """A `credential_process` that can't ask at the terminal, and ends."""

    def __init__(self, argv: Any, **given: Any) -> None:
        super().__init__(argv, stdin=subprocess.DEVNULL, start_new_session=True, **given)

    def communicate(self, input: Any = None, timeout: float | None = None) -> tuple[bytes, bytes]:  # noqa: A002 - as subprocess calls it
        try:
            return super().communicate(input, timeout or PROCESS_PATIENCE_S)
        except subprocess.TimeoutExpired as error:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
            self.wait()
            for pipe in (self.stdout, self.stderr):
                if pipe is not None:
                    pipe.close()
            raise CredentialProcessHangs(
                _("the credential_process of this profile did not end within {seconds:g} s").format(
                    seconds=PROCESS_PATIENCE_S
                ),
                mend=_("run it in a shell: does it wait for a password, a code or a browser?"),
            ) from error
