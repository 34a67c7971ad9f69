"""What the far side's last words mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cockpit.errors import AccessDenied, CockpitError, Malformed, PolicyRefusal, ToolMissing
from cockpit.runs.shell_state import carried, reported, variables_of
from cockpit.safety.text import one_line
from cockpit.words import _

_SIGNALLED = 128
_WORDS = 3


def ending_of(text: str, *, reported: bool) -> dict[str, Any]:
    """How it ended, as exit.json has it, from "STATUS BEGAN ENDED" and, if it was asked to end, why.

    Args:
        reported: its shell told of its end. One that was killed can't; then its parent's `$?` is 128 and the signal.
            One that was asked to end may, for bash tells before it obeys TERM.
    """
    words = text.split(" ")
    if len(words) < _WORDS or not words[0].isdigit():
        return {"ending": "lost", "exit_code": None, "signal": None}
    code, asked_to_end = int(words[0]), "".join(words[3:4])
    killed = code > _SIGNALLED and bool(asked_to_end or not reported)
    return {
        "ending": asked_to_end or ("signalled" if killed else "exited"),
        "exit_code": None if killed else code,
        "signal": code - _SIGNALLED if killed else None,
    }


def refusal_of(text: str, where: str) -> CockpitError:
    """Why nothing was started, or nothing is there."""
    kind, _space, detail = text.partition(" ")
    if kind == "bytes":
        return PolicyRefusal(_("what is about to run is not what was confirmed"), mend=_("confirm it again"))
    if kind == "folder":
        return AccessDenied(
            _("no folder for the step can be made there: {folder}").format(folder=one_line(detail)),
            where=where,
            mend=_("see its disk and permissions"),
        )
    if kind == "tools":
        tool, _space, path = detail.partition(" ")
        return ToolMissing(
            _("{program} is not found there").format(program=one_line(tool)),
            where=where,
            mend=_("its login's PATH is “{path}”: see its start-up files").format(path=one_line(path)),
        )
    if kind == "never":
        return Malformed(_("the link broke before the step began"), where=where, mend=_("run it again"))
    if kind == "cwd":
        return AccessDenied(
            _("the working directory that earlier steps left behind can't be entered"),
            where=detail,
            mend=_("make it again, or start from another directory"),
        )
    return Malformed(_("the step's folder is not there any more"), where=where)


def passed_on(
    said: Mapping[str, bytes], cwd: str | None, brought: Mapping[str, str], end: dict[str, Any]
) -> dict[str, Any]:
    """What the next step on the target starts with; puts state_reported and pipe_status into `end`."""
    state = reported(said.get("report", b""))
    end["state_reported"] = state is not None
    end["pipe_status"] = state.pipe_status if state else []
    if state is None or "given" not in said:
        return {"cwd": cwd, "variables": dict(brought), "lost": []}
    variables, refused = carried(state, variables_of(said["given"]), brought)
    return {"cwd": state.cwd, "variables": variables, "lost": refused}
