"""Whether steps and looks over SSH would work: the way there, whom it lets in, what is there, what time it is there."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from cockpit.adapters.checking import Check
from cockpit.adapters.ssh.address import SshAddress
from cockpit.adapters.ssh.link import SshLink
from cockpit.errors import TargetUnreachable
from cockpit.safety.text import one_line
from cockpit.words import _

_APART_S = 5.0
_LOGIN_S = 5.0
_LINES = 3
_NEEDED = ("mkdir", "wc", "head", "tail", "date")
_TOOLS = ("bash", "setsid", "sha256sum", "curl")
_QUESTION = """printf '%s\\n' "$(date +%s)" "$(uname -s)" "$PATH"
for t in {tools}; do command -v "$t" >/dev/null || printf '%s\\n' "$t"; done
"""


def checks_of(link: SshLink, name: str) -> Sequence[Check]:
    """Connect, and look around. Blocks.

    Raises:
        TargetUnreachable, AccessDenied: there is no way in, and how to mend it.
    """
    before = time.time()
    question = _QUESTION.format(tools=" ".join(_NEEDED + _TOOLS)).encode()
    said = link.say(question, login_s=min(_LOGIN_S, link.login_s)).decode("utf-8", "replace").split("\n")
    between = (before + time.time()) / 2
    if len(said) < _LINES:
        raise TargetUnreachable(_("the connection ended"), where=str(link.address))
    system, path = (one_line(text) for text in said[1:3])
    found = [Check(text=_("{host} lets us in ({system})").format(host=link.address, system=system or "?"))]
    if lost := [tool for tool in _NEEDED if tool in said[3:]]:
        told = _("no step can run there: {tools} not found").format(tools=", ".join(lost))
        mend = _("its login's PATH is “{path}”: see its start-up files").format(path=path)
        return [*found, Check(text=told, standing="failed", mend=mend)]
    found += _tools(said[3:], name)
    if said[0].isdigit() and abs(int(said[0]) - between) > _APART_S:
        found.append(
            Check(
                text=_("its clock is {seconds:.0f} s from this one's").format(seconds=int(said[0]) - between),
                standing="warning",
                mend=_("let both follow a time server: timedatectl"),
            )
        )
    return [*found, *_open_keys(link.address)]


def _tools(missing: Sequence[str], name: str) -> Iterator[Check]:
    lost = {
        "bash": _("without bash steps run under /bin/sh, and hand nothing on"),
        "setsid": _("without setsid a step may end with its login"),
        "sha256sum": _("without sha256sum it is not checked again that what arrives is what was confirmed"),
        "curl": _("without curl no HTTP health can be seen from there"),
    }
    for tool in _TOOLS:
        if tool in missing:
            mend = _("install {tool} on {host}").format(tool=tool, host=name)
            yield Check(text=lost[tool], standing="warning", mend=mend)


def _open_keys(address: SshAddress) -> Iterator[Check]:
    """Private keys that others can read; ssh itself refuses those."""
    for hop in (*address.jumps, address):
        for key in hop.identities:
            try:
                info = Path(key).stat()
            except OSError:
                continue
            if info.st_mode & 0o077 and info.st_uid == os.geteuid():
                text = _("others can read the private key {key}").format(key=key)
                yield Check(text=text, standing="warning", mend=f"chmod 600 {key}")
