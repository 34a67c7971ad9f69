"""One typed ArgoCD action with its values in place: which application, and what is said to the server."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from cockpit.adapters.argocd.api import APPLICATIONS, ArgocdApi
from cockpit.adapters.step_program.page import Page
from cockpit.errors import UsageError
from cockpit.safety.argocd.action import ArgocdAction
from cockpit.safety.tables import names
from cockpit.words import _

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")
_WHERE = names("--app-namespace --project")
SERVED: Mapping[str, frozenset[str]] = {
    "app list": names("--project --selector"),
    "app get": _WHERE | names("--refresh --hard-refresh"),
    "app history": _WHERE,
    "app resources": _WHERE,
    "app manifests": _WHERE | names("--revision"),
    "app diff": _WHERE,
    "app wait": _WHERE | names("--health --sync --operation --timeout"),
    "app sync": _WHERE | names("--revision --prune --force --async --wait --timeout"),
    "app rollback": _WHERE | names("--prune --async --wait --timeout"),
    "app terminate-op": _WHERE,
}
"""Every typed action there is, and the options it takes."""


@dataclass(frozen=True)
class Call:
    """An action to carry out."""

    api: ArgocdApi
    action: ArgocdAction
    values: Mapping[str, str]
    page: Page

    def option(self, name: str) -> str:
        """An option's value; "" when it was not given."""
        word = self.action.options.get(name)
        return "" if word is None else word.filled(self.values)

    def number(self, text: str, what: str) -> int:
        """A whole number.

        Raises:
            UsageError: it is none.
        """
        if not re.fullmatch(r"\d{1,9}", text):
            raise UsageError(_("{option} wants a number, not {value}").format(option=what, value=repr(text)))
        return int(text)

    @property
    def timeout_s(self) -> int | None:
        """`--timeout`, in seconds."""
        return self.number(self.option("--timeout"), "--timeout") if self.action.has("--timeout") else None

    @property
    def application(self) -> tuple[str, dict[str, str]]:
        """The address of the one application that is named, and what goes with every question about it.

        Raises:
            UsageError: none is named, or something that is no name.
        """
        if not self.action.operands:
            raise UsageError(_("{verb} wants the name of an application").format(verb=self.action.verb))
        namespace, _slash, name = self.action.operands[0].filled(self.values).rpartition("/")
        namespace = self.option("--app-namespace") or namespace
        for one in filter(None, (name or "/", namespace)):
            if not _NAME.fullmatch(one):
                raise UsageError(_("{name} can't be an application's name").format(name=repr(one)))
        about = {"appNamespace": namespace, "project": self.option("--project")}
        return f"{APPLICATIONS}/{name}", {key: value for key, value in about.items() if value}

    def operand(self, at: int) -> str:
        """The word at a place; "" when there is none."""
        operands = self.action.operands
        return operands[at].filled(self.values) if at < len(operands) else ""


def check(action: ArgocdAction) -> None:
    """Refuse what is not served.

    Raises:
        UsageError: an action or an option that only the command line has, or too many words.
    """
    mend = _("write the step as bash, with argocd")
    if action.verb not in SERVED:
        raise UsageError(_("{verb} is no typed action").format(verb=action.verb), mend=mend)
    odd = sorted(set(action.options) - SERVED[action.verb])
    if odd:
        raise UsageError(_("{verb} has no option {option}").format(verb=action.verb, option=odd[0]), mend=mend)
    most = {"app list": 0, "app rollback": 2}.get(action.verb, 1)
    if len(action.operands) > most:
        raise UsageError(_("{verb} takes no more than {n} words").format(verb=action.verb, n=most), mend=mend)
