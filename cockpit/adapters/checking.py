"""Is it ready: what an adapter, a probe or this machine finds when it is asked before anything happens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol, runtime_checkable

from msgspec import Struct

from cockpit.errors import CockpitError

Standing = Literal["ok", "warning", "failed"]


class Check(Struct, frozen=True, kw_only=True):
    """One finding.

    `standing`: ok; warning (it works, and something is to be known); failed (what is configured can't be used). `about`
    names what was looked at, and is left empty by those who are asked by name. `mend` is the next thing to do.
    """

    text: str
    standing: Standing = "ok"
    about: str = ""
    mend: str = ""


@runtime_checkable
class ChecksItself(Protocol):
    """Can say whether it is ready: tools, credentials, reach. It only reads, and starts nothing that stays."""

    async def checks(self) -> Sequence[Check]:
        """Look. It is cancelled at a deadline, so it blocks in threads of its own only (`OwnThread`).

        Raises:
            CockpitError: the one finding, as `failed_check` makes it.
        """


def failed_check(error: CockpitError) -> Check:
    """An error as a finding."""
    text = f"{error.where}: {error.what}" if error.where else error.what
    return Check(text=text, standing="failed", mend=error.mend)
