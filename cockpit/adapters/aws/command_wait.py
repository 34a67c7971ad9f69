"""A command of Systems Manager, followed on every machine until it is over; its output as each one ends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cockpit.adapters.aws.following import Following, Parameters
from cockpit.errors import AdapterError, Declined
from cockpit.words import _

_UNDER_WAY = frozenset({"Pending", "InProgress", "Delayed", "Cancelling"})


def command_over(following: Following, parameters: Parameters, answer: Any) -> None:
    """It has ended everywhere, well. Cancelling the step cancels it there.

    Raises:
        Declined: it failed on a machine, never reached one, or none is meant by its targets.
    """
    command = answer["Command"]["CommandId"]
    told: set[str] = set()
    failed: list[str] = []
    try:
        while True:
            # In this order: what ends in between is found by the invocations, and not missed.
            status = _status(following, command)
            for one in _invocations(following, command):
                if one["InstanceId"] not in told and one["Status"] not in _UNDER_WAY:
                    told.add(one["InstanceId"])
                    failed += [] if one["Status"] == "Success" else [f"{one['InstanceId']} ({_how(one)})"]
                    _print(following, command, one)
            if status not in _UNDER_WAY:
                break
            following.pause()
    except KeyboardInterrupt:
        following.account.call("ssm", "CancelCommand", {"CommandId": command})
        following.page.line(_("cancelled on the machines too"))
        raise
    if failed:
        raise Declined(_("the command failed on {names}").format(names=", ".join(failed)))
    if not told:
        raise Declined(_("no machine ran it"), where=status, mend=_("see whom its targets mean"))
    if status != "Success":
        raise Declined(_("the command ended as {status}").format(status=status))


def _status(following: Following, command: str) -> str:
    listed = following.ask("ssm", "ListCommands", {"CommandId": command}).get("Commands", [])
    if not listed:
        return "Pending"
    one = listed[0]
    told = f"{one.get('Status', '')}: {one.get('CompletedCount', 0)} of {one.get('TargetCount', 0)}"
    following.tell(told + (f", {one['ErrorCount']} failed" if one.get("ErrorCount") else ""))
    return str(one.get("Status", ""))


def _invocations(following: Following, command: str) -> Iterator[Parameters]:
    asked = {"CommandId": command}
    while True:
        page = following.ask("ssm", "ListCommandInvocations", asked)
        yield from page.get("CommandInvocations", [])
        if not page.get("NextToken"):
            return
        asked["NextToken"] = page["NextToken"]


def _how(one: Parameters) -> str:
    return str(one.get("StatusDetails") or one["Status"])


def _print(following: Following, command: str, one: Parameters) -> None:
    machine, page = one["InstanceId"], following.page
    try:
        asked = {"CommandId": command, "InstanceId": machine}
        whole = following.ask("ssm", "GetCommandInvocation", asked)
    except AdapterError as error:
        page.line(f"[{machine}] {_how(one)}")
        page.line(_("[{machine}] its output can't be had: {error}").format(machine=machine, error=error.what))
        return
    code = whole.get("ResponseCode", -1)
    page.line(f"[{machine}] {_how(one)}" + (f", exit {code}" if code > 0 else ""))
    for name in ("StandardOutputContent", "StandardErrorContent"):
        for line in str(whole.get(name) or "").splitlines():
            page.line(f"[{machine}] {line}")
