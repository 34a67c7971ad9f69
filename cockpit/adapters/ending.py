"""From what a runner wrote down to the outcome that adapters give."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cockpit.adapters.base import Outcome
from cockpit.words import _


def outcome_of(end: Mapping[str, Any], passed_on: Mapping[str, Any]) -> Outcome:
    """The outcome that a run's end and what its shell passed on make together.

    Args:
        end: see `Run.end`.
        passed_on: cwd, variables, lost: see `Run.carried`.
    """
    return Outcome(
        ending=str(end["ending"]),
        exit_code=end.get("exit_code"),
        signal=end.get("signal"),
        duration_s=float(end.get("duration_s", 0.0)),
        output_bytes=int(end.get("output_bytes", 0)),
        output_sha256=str(end.get("output_sha256", "")),
        dropped_bytes=int(end.get("dropped_bytes", 0)),
        pipe_status=tuple(end.get("pipe_status", ())),
        survivors=tuple(end.get("survivors", ())),
        shell_state=dict(passed_on.get("variables", {})),
        cwd=passed_on.get("cwd"),
        lost_variables=tuple(passed_on.get("lost", ())),
        detail="; ".join(_details(end)),
    )


def _details(end: Mapping[str, Any]) -> list[str]:
    """What a responder should know besides the status, in words."""
    told = [] if (why := _unsure(end)) is None else [why]
    if end.get("kept_at") and end.get("elsewhere") and not end.get("never_began"):
        told.append(_("what it says, and its end, are kept there in {folder}").format(folder=end["kept_at"]))
    if end.get("disk_full"):
        told.append(_("the disk there was full: some of its output is missing"))
    if end.get("survivors"):
        told.append(_("still alive: {pids}").format(pids=", ".join(map(str, end["survivors"]))))
    if end.get("held_open"):
        told.append(_("something it started still holds its output; what that says is not kept"))
    if end.get("dropped_bytes"):
        told.append(_("{count} bytes of output were not kept").format(count=end["dropped_bytes"]))
    if end["ending"] == "exited" and end.get("state_reported") is False:
        told.append(_("exported variables and working directory were not carried on"))
    return told


def _unsure(end: Mapping[str, Any]) -> str | None:
    """Why it is not known how it ended; None where it is."""
    if end.get("never_began"):
        return _("nothing ran: {why}").format(why=end["never_began"])
    if end.get("gone"):
        return _("{why}; how the command ended is not known").format(why=end["gone"])
    if end.get("rebooted"):
        return _("the machine went down while it ran")
    if end.get("elsewhere"):
        return _("{host} can't be reached; it may still run there").format(host=end["elsewhere"])
    if end["ending"] != "lost":
        return None
    if end.get("disk_full"):
        return _("how the command ended is not known")
    return _("its runner died; how the command ended is not known")
