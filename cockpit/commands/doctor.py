"""`cockpit doctor`: is this machine ready, asked of everything that is configured, with a mend for each finding."""

from __future__ import annotations

import argparse
import asyncio
import json
import locale
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cockpit.adapters.checking import Check, failed_check
from cockpit.commands.open_files import allow_many_files
from cockpit.errors import ConfigError
from cockpit.safety.telling import shown
from cockpit.words import _

if TYPE_CHECKING:
    from cockpit.session.record.secrets import SecretBook

_MARKS = {"ok": "ok", "warning": "! ", "failed": "x "}
_COLUMNS, _ROWS = 80, 24


def run(options: argparse.Namespace) -> int:
    """Print a line for each finding, or all as JSON; 1 when something that is configured can't be used."""
    from cockpit.config import Config, find_config, load
    from cockpit.session.host.readiness import findings, ready
    from cockpit.session.host.surroundings import configuration
    from cockpit.session.record.secrets import SecretBook, secrets_of_config

    allow_many_files()
    secrets = SecretBook(os.environ)
    explicit = Path(options.config) if options.config else None
    config, found = Config(), list(_terminal())
    try:
        config = load(explicit)
        secrets.learn(secrets_of_config(config))
        found += configuration(find_config(explicit))
    except ConfigError as error:
        failed = failed_check(error)
        found.append(Check(about=_("configuration"), text=failed.text, standing="failed", mend=failed.mend))
    looking = asyncio.Runner()
    with tempfile.TemporaryDirectory(prefix="cockpit-doctor-", ignore_cleanup_errors=True) as scratch:
        found += looking.run(findings(config, secrets, Path(scratch)))
    _print([_masked(check, secrets) for check in found], as_json=options.json)
    if not ready(found):
        sys.stdout.flush()
        # A name that is looked up without an end holds a thread, and every orderly end waits for that.
        os._exit(1)
    looking.close()
    return 0


def _terminal() -> Iterator[Check]:
    """What the screen would find here."""
    about = _("terminal")
    if not sys.stdout.isatty():
        yield Check(
            about=about, text=_("the output goes to a file or another program, not to a terminal: nothing to check")
        )
        return
    size = shutil.get_terminal_size()
    doubts = []
    if size.columns < _COLUMNS or size.lines < _ROWS:
        doubts.append((_("it has {columns}x{rows} cells").format(columns=size.columns, rows=size.lines), "80x24"))
    if locale.getpreferredencoding(do_setlocale=False).upper().replace("-", "") != "UTF8":
        doubts.append((_("its encoding is {name}").format(name=locale.getpreferredencoding(False)), "LANG=C.UTF-8"))
    term = os.environ.get("TERM", "")
    if term in ("", "dumb"):
        doubts.append((_("it can't be painted on (TERM={name})").format(name=term), "TERM=xterm-256color"))
    elif "color" not in term and not os.environ.get("COLORTERM"):
        doubts.append((_("it tells of no 256 colours (TERM={name})").format(name=term), "TERM=xterm-256color"))
    for text, better in doubts:
        yield Check(about=about, text=text, standing="warning", mend=_("better: {what}").format(what=better))
    if not doubts:
        yield Check(about=about, text=f"{term}, {size.columns}x{size.lines}, UTF-8")


def _masked(check: Check, secrets: SecretBook) -> Check:
    return Check(
        about=secrets.redact(check.about),
        text=secrets.redact(check.text),
        standing=check.standing,
        mend=secrets.redact(check.mend),
    )


def _print(found: Sequence[Check], *, as_json: bool) -> None:
    from cockpit.session.host.readiness import ready

    if as_json:
        rows = [{"about": c.about, "standing": c.standing, "text": c.text, "mend": c.mend} for c in found]
        print(json.dumps({"ready": ready(found), "findings": rows}, ensure_ascii=False, indent=2))
        return
    for check in found:
        mend = f" ({shown(check.mend)})" if check.mend else ""
        print(f"{_MARKS[check.standing]} {shown(check.about)}: {shown(check.text)}{mend}")
