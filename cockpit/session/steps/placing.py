"""Where a session's steps run: its targets and groups of them, what each can run, and what its shell carries on."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from cockpit.adapters.base import RunsElsewhere, RunsSteps
from cockpit.config import GroupConfig
from cockpit.errors import UsageError
from cockpit.runbook.model import StepKind
from cockpit.session.record.fanout import manner_of
from cockpit.session.steps.drafting import Draft, command_step, filled_text
from cockpit.session.steps.folders import StatedFolders
from cockpit.session.steps.messages import LANGUAGE
from cockpit.session.steps.place import place_of
from cockpit.session.steps.said import Said
from cockpit.session.steps.targets import adapter_called, adapter_for, has_folders, target_for
from cockpit.words import _


class Placing(Said):
    """The part of the engine that knows its way to the targets. The name of a group means all of its targets."""

    adapters: Mapping[str, RunsSteps]
    groups: Mapping[str, GroupConfig]
    folders: StatedFolders

    def members(self, target: str) -> tuple[str, ...]:
        """The targets that a name means: those of a group, or the one."""
        return self.groups[target].targets if target in self.groups else (target,)

    def manner(self, target: str, count: int) -> str:
        """How so many targets of a group follow each other, in words; "" for a single one."""
        group = self.groups.get(target)
        return manner_of(group.width, group.stops, count) if group else ""

    def _place(self, target: str) -> str:
        """Where a target is, as far as its configuration says; secrets in an address are masked."""
        return self.secrets.redact(place_of(self.adapters.get(target)))

    def _target_of(self, step_id: str, part: str | None, code: str | None) -> str:
        step = self._step(step_id)
        if step.kind is not StepKind.MESSAGE:
            command_step(self.runbook, step_id)
        language = LANGUAGE if step.kind is StepKind.MESSAGE else step.language or "bash"
        ran = (run.intent for run in reversed(tuple(self.state.runs.values())))
        last = next((_meant(intent) for intent in ran if intent.get("language") == language), None)
        named, wishes = step.attributes.get("target"), (self.state.target, last)
        text = filled_text(self.runbook, step_id, part, code, self.values()) if language == "http" else ""
        return target_for(language, self.adapters, named, wishes, text, self.groups) or self.state.target

    def _known_environment(self, target: str) -> dict[str, str] | None:
        """The variables that the target's scripts see, None when it is another machine that knows them."""
        return None if isinstance(self.adapters.get(target), RunsElsewhere) else self._environment(target)

    def _folder(self, made: Draft) -> str | None:
        """The folder that it runs in; None where it isn't known, or means nothing.

        Where the targets of a group stand in several, each with its targets.
        """
        of_each = {name: self.folder_of(made, name) for name in self.members(made.action.target)}
        folders = list(dict.fromkeys(of_each.values()))
        if len(folders) == 1:
            return folders[0]
        told = ((folder or "~", [name for name, own in of_each.items() if own == folder]) for folder in folders)
        return "; ".join(f"{folder} ({', '.join(names)})" for folder, names in told)

    def folder_of(self, made: Draft, target: str) -> str | None:
        """Where it begins on a target: in the step's own folder, else where the last step there ended."""
        adapter, shell = self.adapters.get(target), self.shell(target)
        if adapter is not None and not has_folders(adapter):
            return None
        if made.part not in (None, *made.step.parts[:1]) and shell.inside and shell.inside[0] == made.step.id:
            return shell.inside[1]
        return self.folders.of(made.step) or shell.cwd

    def _require_folders(self, made: Draft) -> None:
        """On this machine it can be told beforehand that a folder is gone."""
        for one in made.each or (made,):
            target, elsewhere = one.action.target, isinstance(self.adapter(one), RunsElsewhere)
            self.folders.require(one.step, target, self.folder_of(one, target), elsewhere=elsewhere)

    def adapter(self, made: Draft) -> RunsSteps:
        """The adapter of the draft's target.

        Raises:
            UsageError: no such target, or it can't run this language.
        """
        return adapter_for(made.action.language, self.adapters, made.action.target, made.action.body)

    def _require_able(self, made: Draft) -> None:
        """Every target has to be able to run it, and those of a group without somebody beside each.

        Raises:
            UsageError: one is not.
        """
        for one in made.each or (made,):
            self.adapter(one)
        if not made.each:
            return
        names = ", ".join(one.action.target for one in made.each)
        mend = _("choose one of its targets: {names}").format(names=names)
        if made.action.language == LANGUAGE:
            raise UsageError(_("a message goes to one channel, not to a group"), mend=mend)
        if made.interactive:
            raise UsageError(_("it takes the terminal, and so goes to one target, not to a group"), mend=mend)
        if made.endless and self.groups[made.action.target].width < len(made.each):
            told = _("it never ends by itself, so that the rest of {group} would never have their turn")
            raise UsageError(told.format(group=made.action.target), mend=mend)

    def set_target(self, target: str, by: str) -> None:
        """Change where steps run.

        Raises:
            UsageError: no such target.
        """
        self._require_known(target)
        self.forget_drafts()
        self.record("target.changed", actor=by, target=target)

    def fresh_shell(self, target: str, by: str) -> None:
        """Let the target's next step begin as the first one did: no exported variables, and in its first folder.

        Raises:
            UsageError: no such target, or a step is running there.
        """
        self._require_known(target)
        self.require_idle(target)
        for name in self.members(target):
            self.shells.pop(name, None)
            shell = self.shell(name)
            if shell.cwd is not None and not os.access(shell.cwd, os.X_OK):
                shell.cwd = None  # it was this folder that went: the operator's own home is left
            self.record("state.reset", actor=by, durable=True, target=name, cwd=shell.cwd)
        self.forget_drafts()

    def _require_known(self, target: str) -> None:
        if target not in self.groups:
            adapter_called(target, self.adapters, self.groups)

    def require_idle(self, target: str) -> None:
        """One step at a time on a target: the next one begins as this one ends.

        Raises:
            UsageError: a step is running there, or has the target's turn before it.
        """
        wanted = set(self.members(target))
        busy = [(str(record.intent.get("target")), record.step) for record in self.state.running]
        busy += [(name, each.step) for each in self.state.fan_outs.values() if each.held for name in each.targets]
        for name, step in busy:
            if name in wanted:
                raise UsageError(
                    _("a step is still running on {target}").format(target=name),
                    where=step,
                    mend=_("wait for it, or cancel it"),
                )

    def forget_drafts(self) -> None:
        """What was shown was judged under conditions that no longer hold: it has to be looked at again."""
        raise NotImplementedError


def _meant(intent: Mapping[str, Any]) -> str | None:
    """What a run was sent to: a group, or a target."""
    target = intent.get("target")
    return str((intent.get("group") or {}).get("name") or target) if target else None
