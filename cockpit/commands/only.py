"""`cockpit run --only`: a group on some of its targets, and what is left of one that did not pass everywhere."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from cockpit.commands.open import require_target
from cockpit.config.model import GroupConfig
from cockpit.errors import UsageError
from cockpit.runbook.model import Step
from cockpit.session.record.event import Status
from cockpit.session.record.fanout import newest
from cockpit.session.record.state import SessionState
from cockpit.words import _


def narrowed(groups: Iterable[GroupConfig], only: Sequence[str], target: str) -> dict[str, GroupConfig]:
    """The groups by name, each with those of its targets that are named; all of them where none is.

    A group that has none of them is left out: what was written for it runs nowhere.

    Args:
        target: where the run is to go.

    Raises:
        UsageError: no group has a target of that name, or the one that the run is to go to.
    """
    every = {group.name: group for group in groups}
    if not only:
        return every
    members = [name for group in every.values() for name in group.targets]
    for name in only:
        require_target(name, members, option="--only")
    left = {
        name: msgspec.structs.replace(group, targets=kept)
        for name, group in every.items()
        if (kept := tuple(each for each in group.targets if each in only))
    }
    if target in every and target not in left:
        told = _("the group {group} has none of these targets: {names}")
        raise UsageError(told.format(group=target, names=", ".join(only)), where="--only")
    return left


def rest_of(state: SessionState, steps: Iterable[Step]) -> Iterator[str]:
    """A line for each step that did not pass on every target of its group: how to run it on the others."""
    for step in steps:
        fan_out = newest(state, step.id)
        lines: Mapping[str, Status] = {}
        if fan_out is not None:
            lines = {line.target: line.status for line in fan_out.lines(state.runs)}
        rest = [name for name, status in lines.items() if status not in (Status.PASSED, Status.UNKNOWN)]
        unknown = [name for name, status in lines.items() if status is Status.UNKNOWN]
        if rest:
            flags = shlex.join(word for name in rest for word in ("--only", name))
            yield _("{step}: the rest: --step {step} {flags}").format(step=step.id, flags=flags)
        if unknown:
            told = _("{step}: it may have run, or still run, on {names}: look there before it is run again")
            yield told.format(step=step.id, names=", ".join(unknown))
