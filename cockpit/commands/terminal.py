"""The terminal that a screen needs."""

from __future__ import annotations

import os
import sys

from cockpit.errors import UsageError
from cockpit.words import _


def require_terminal() -> None:
    """Refuse to paint where there is no terminal to paint on.

    Raises:
        UsageError: standard input or output is no terminal, or TERM says that it can't be painted on.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(_("this needs a terminal"), mend=_("`cockpit run RUNBOOK` is the same without a screen"))
    if os.environ.get("TERM", "") in ("", "dumb"):
        raise UsageError(
            _("this terminal can't be painted on"),
            where="TERM=" + os.environ.get("TERM", ""),
            mend=_("set TERM, for example TERM=xterm-256color; or use `cockpit run`"),
        )
