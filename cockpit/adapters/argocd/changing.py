"""Typed ArgoCD actions that change something, and the wait for what they began. Giving up a wait ends no operation."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from cockpit.adapters.argocd.call import Call
from cockpit.adapters.argocd.shapes import OVER, Application, Deployed, OperationState, short
from cockpit.errors import Declined
from cockpit.words import _

_FIRST_LOOK_S, _LAST_LOOK_S, _SLOWER = 0.3, 3.0, 1.3


async def sync(call: Call) -> None:
    """Bring an application to what its repository says, or to `--revision`, and follow that to its end.

    Raises:
        Declined: it failed, or `--timeout` passed first.
    """
    document: dict[str, Any] = {"prune": call.action.has("--prune")}
    if call.action.has("--revision"):
        document["revision"] = call.option("--revision")
    if call.action.has("--force"):
        document["strategy"] = {"hook": {"force": True}}
    ended = await _operation(call, "sync", document)
    if ended is not None:
        result = ended.state.sync_result
        to = short(result.revision) if result and result.revision else ended.revision
        call.page.line(f"{ended.name} synced to {to}: {_standing(ended)}")


async def rollback(call: Call) -> None:
    """Go back to what was deployed before, or to the entry of the history that is named by its ID.

    Raises:
        Declined: there is no such entry, it failed, or `--timeout` passed first.
    """
    path, about = call.application
    found = await call.api.get(path, Application, about)
    aim = _entry(call, found.status.history or [])
    ended = await _operation(call, "rollback", {"id": aim.id, "prune": call.action.has("--prune")})
    if ended is not None:
        call.page.line(f"{ended.name} rolled back to {aim.id} ({aim.told}): {_standing(ended)}")


def _entry(call: Call, history: list[Deployed]) -> Deployed:
    wanted = call.operand(1)
    if not wanted:
        if len(history) < 2:
            raise Declined(_("nothing was deployed before this"))
        return history[-2]
    number = call.number(wanted, "ID")
    for entry in history:
        if entry.id == number:
            return entry
    told = ", ".join(f"{entry.id} ({entry.told})" for entry in history[-10:])
    raise Declined(
        _("its history has no entry {n}").format(n=number), mend=_("there are {names}").format(names=told or "-")
    )


async def terminate(call: Call) -> None:
    """End the operation that is under way."""
    path, about = call.application
    await call.api.change("DELETE", f"{path}/operation", about, dict[str, Any])
    found = await call.api.get(path, Application, about)
    call.page.line(f"{found.name}: operation {found.state.phase or '-'}")


async def wait(call: Call) -> None:
    """Until an application is healthy, in sync, and no operation is under way, or what of these is asked for.

    Raises:
        Declined: `--timeout` passed first.
    """
    path, about = call.application
    asked = [name for name in ("--health", "--sync", "--operation") if call.action.has(name)]
    following = _Following(call)
    while True:
        found = await call.api.get(path, Application, about)
        holds = {
            "--health": found.status.health.status == "Healthy",
            "--sync": found.status.sync.status == "Synced",
            "--operation": found.operation is None and (found.state.phase in OVER or not found.state.phase),
        }
        following.tell(found)
        if all(holds[name] for name in asked or holds):
            call.page.line(f"{found.name}: {_standing(found)}")
            return
        await following.pause(found)


async def _operation(call: Call, verb: str, document: Mapping[str, Any]) -> Application | None:
    """Begin an operation and follow it; how the application stands then. None where nobody wants to wait.

    Raises:
        Declined: it did not succeed.
    """
    path, about = call.application
    before = (await call.api.get(path, Application, about)).state
    await call.api.change("POST", f"{path}/{verb}", {**about, **document}, Application)
    if call.action.has("--async"):
        call.page.line(f"{path.rpartition('/')[2]}: {verb} begun")
        return None
    following, was_there = _Following(call), False
    # From here on it is under way, whatever becomes of the link.
    with call.api.sent.unknown_if_it_breaks():
        while True:
            found = await call.api.get(path, Application, about)
            # Times are whole seconds: a quick one may have those of the one before, but it was seen to be there.
            is_new = (found.state.started_at, found.state.finished_at) != (before.started_at, before.finished_at)
            was_there = was_there or found.operation is not None
            if is_new:
                following.tell(found)
            if (is_new or was_there) and found.operation is None and found.state.phase in OVER:
                break
            await following.pause(found)
    if found.state.phase != "Succeeded":
        raise Declined(
            _("the {verb} of {name} ended: {phase} - {message}").format(
                verb=verb, name=found.name, phase=found.state.phase, message=found.state.message
            ),
            mend=f"app get {found.name}",
        )
    return found


class _Following:
    """What was told of an application already, and for how long it has been looked at."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._told: dict[str, str] = {}
        self._limit_s = call.timeout_s
        self._begun_m = time.monotonic()
        self._pause_s = _FIRST_LOOK_S

    def tell(self, found: Application) -> None:
        """Print what is new."""
        now = {"": _progress(found.name, found.state), " ": f"{found.name}: {_states(found)}"}
        result = found.state.sync_result
        for it in (result.resources if result else None) or ():
            now[it.label] = f"  {it.label}: {it.status or it.hook_phase} {it.message}".rstrip()
        for about, line in now.items():
            if line and self._told.get(about) != line:
                self._call.page.line(line)
        self._told |= now

    async def pause(self, found: Application) -> None:
        """Wait for the next look.

        Raises:
            Declined: the time is over.
        """
        if self._limit_s is not None and time.monotonic() - self._begun_m >= self._limit_s:
            raise Declined(
                _("{name} is not through after {n} s: {state}").format(
                    name=found.name, n=self._limit_s, state=_standing(found)
                ),
                mend=_("what is under way goes on; to end it: app terminate-op {name}").format(name=found.name),
            )
        await asyncio.sleep(self._pause_s)
        self._pause_s = min(self._pause_s * _SLOWER, _LAST_LOOK_S)


def _progress(name: str, state: OperationState) -> str:
    return f"{name}: {' - '.join(filter(None, (state.phase, state.message)))}" if state.phase else ""


def _states(found: Application) -> str:
    return ", ".join(filter(None, (found.status.health.status, found.status.sync.status)))


def _standing(found: Application) -> str:
    """The last operation with its time, health, sync, and how many objects are out of sync."""
    parts = [f"{found.state.phase} in {found.state.took_s} s"] if found.state.phase in OVER else [found.state.phase]
    parts.append(_states(found))
    late = found.out_of_sync
    if late:
        parts.append(f"{len(late)} out of sync: {', '.join(it.label for it in late[:5])}")
    return "; ".join(filter(None, parts))
