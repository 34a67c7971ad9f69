"""PowerShell steps on this machine, where it has PowerShell 7 (`pwsh`): under the same runner as bash.

The script is read from where the runner holds it, as it was confirmed. Inputs are variables, as `$NAME` says in the
text. The exit status is that of the last statement, as in a shell: `pwsh -File` would give 0 for a command not found.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Mapping

from cockpit.words import _

LANGUAGE = "powershell"
QUIET: Mapping[str, str] = {"POWERSHELL_TELEMETRY_OPTOUT": "1", "POWERSHELL_UPDATECHECK": "Off"}
"""What keeps it from talking to its maker."""

_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_ENDING = "if (-not $?) { if ($LASTEXITCODE) { exit $LASTEXITCODE }; exit 1 }"


def program(path: str) -> str | None:
    """Where PowerShell is on that PATH; None where it is not."""
    return shutil.which("pwsh", path=path)


def mend() -> str:
    """What to do where it is not."""
    return _("install PowerShell 7 (pwsh) on this machine, or run it by hand and tick it")


def arguments(names: Iterable[str]) -> list[str]:
    """What stands between the program and the script's file.

    Args:
        names: of the inputs, which are in its environment.
    """
    inputs = "".join(f"${{{name}}} = ${{env:{name}}}; " for name in sorted(names) if _NAME.fullmatch(name))
    script = f"[IO.File]::ReadAllText($cockpitScript) + [char]10 + '{_ENDING}'"
    command = f"& {{ param($cockpitScript) {inputs}. ([scriptblock]::Create({script})) }}"
    return ["-NoLogo", "-NoProfile", "-NonInteractive", "-Command", command]
