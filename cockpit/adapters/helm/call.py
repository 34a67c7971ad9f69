"""One typed Helm action with its values in place, and where it goes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from cockpit.adapters.helm.records import Listed
from cockpit.adapters.kubernetes.cluster import Cluster
from cockpit.adapters.kubernetes.kinds import checked
from cockpit.adapters.kubernetes.sign_in import KubernetesOptions
from cockpit.adapters.step_program.page import Page
from cockpit.errors import Declined, UsageError
from cockpit.safety.helm.action import HelmAction
from cockpit.words import _


@dataclass(frozen=True)
class Call:
    """An action to carry out. `about_to_change` raises when the session has become read-only."""

    cluster: Cluster
    target: KubernetesOptions
    action: HelmAction
    values: Mapping[str, str]
    page: Page
    about_to_change: Callable[[], None]

    @cached_property
    def operands(self) -> list[str]:
        """What it is about, with values."""
        return [word.filled(self.values) for word in self.action.operands]

    def given(self, name: str) -> list[str]:
        """An option's values, in order."""
        return [word.filled(self.values) for word in self.action.options.get(name, ())]

    def option(self, name: str, default: str = "") -> str:
        """An option's value; the last one holds."""
        return (self.given(name) or [default])[-1]

    def flag(self, name: str) -> bool:
        """Whether an option was given."""
        return name in self.action.options

    def number(self, name: str) -> int | None:
        """An option's value as a whole number; None when it was not given."""
        return whole(self.option(name), name) if self.flag(name) else None

    @property
    def namespace(self) -> str:
        """Where it goes; "" for all namespaces."""
        if self.flag("--all-namespaces"):
            return ""
        return checked(self.option("--namespace", self.cluster.namespace))

    @property
    def release(self) -> str:
        """The release that the first operand names.

        Raises:
            UsageError: it names none.
        """
        if not self.operands:
            raise UsageError(_("{verb} wants the name of a release").format(verb=self.action.verb))
        return checked(self.operands[0])

    def expect(self, most: int) -> None:
        """Refuse more operands than the action knows."""
        if len(self.operands) > most:
            raise UsageError(_("{verb} can't use {word}").format(verb=self.action.verb, word=repr(self.operands[most])))


def whole(text: str, what: str) -> int:
    """A whole number that somebody wrote.

    Raises:
        UsageError: it is none.
    """
    if not re.fullmatch(r"\d{1,9}", text):
        raise UsageError(_("{option} wants a number, not {value}").format(option=what, value=repr(text)))
    return int(text)


def chosen(revisions: list[Listed], number: int) -> Listed:
    """The revision of that number.

    Raises:
        Declined: there is none.
    """
    for revision in revisions:
        if revision.number == number:
            return revision
    told = ", ".join(str(revision.number) for revision in revisions)
    raise Declined(_("there is no revision {n}").format(n=number), mend=_("there are {names}").format(names=told))
