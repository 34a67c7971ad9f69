"""Helm: typed actions on the releases of a cluster, each step a program of its own.

[target.releases]
kind = "helm"
context = "shop-prod"              # as for a target of kind "kubernetes"; what is left out is what helm would take
namespace = "shop"

What reads takes the releases' Secrets through a client that can send nothing but reads; helm itself is started only
for what was confirmed to change something, without a shell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from types import MappingProxyType
from typing import ClassVar

from msgspec import Struct

from cockpit.adapters.base import Enforcement
from cockpit.adapters.checking import Check, failed_check
from cockpit.adapters.helm import changing, reading
from cockpit.adapters.helm.call import Call
from cockpit.adapters.helm.tool import helm
from cockpit.adapters.kubernetes.adapter import kubeconfig_secrets
from cockpit.adapters.kubernetes.cluster import Cluster
from cockpit.adapters.kubernetes.reading import may
from cockpit.adapters.kubernetes.sign_in import KubernetesOptions
from cockpit.adapters.library import needing
from cockpit.adapters.own_thread import OwnThread
from cockpit.adapters.step_program.adapter import StepProgram, Task, only_reads
from cockpit.adapters.step_program.page import Page
from cockpit.errors import ToolMissing, UsageError
from cockpit.safety.helm.action import OPTIONS, HelmAction, helm_actions
from cockpit.words import _

_READS: Mapping[str, Callable[[Call], None]] = MappingProxyType(
    {
        "list": reading.list_releases,
        "status": reading.status,
        "history": reading.history,
        "get values": reading.get_values,
    }
)
_CHANGES: Mapping[str, Callable[[Call], None]] = MappingProxyType(
    {"rollback": changing.rollback, "upgrade": changing.upgrade}
)
_KEEPS = (("create", "secrets"), ("update", "secrets"), ("delete", "secrets"), ("patch", "deployments"))
"""What a release can't be changed without: verb and resource."""


class HelmAdapter(StepProgram[KubernetesOptions]):
    """Runs typed actions on the releases of one cluster. Made with the target's options."""

    name: ClassVar[str] = "helm"
    languages: ClassVar[frozenset[str]] = frozenset({"helm"})
    Options: ClassVar[type[Struct]] = KubernetesOptions

    def perform(self, task: Task, page: Page) -> None:
        """Carry out the step's actions in order, up to the first that fails.

        Raises:
            PolicyRefusal: the task only reads, and an action does not. UsageError: no action. AdapterError: the rest.
        """
        actions = helm_actions(task.body)
        for action in actions:
            _check(action, task)
        with closing(self._connected()) as cluster:
            task.require_still_permitted()
            for action in actions:
                if len(actions) > 1:
                    page.line(f"> {_headline(action)}")
                call = Call(cluster, self.options, action, task.values, page, task.require_still_permitted)
                with cluster.sent.unknown_if_it_breaks():
                    (_READS.get(action.verb) or _CHANGES[action.verb])(call)

    def enforced(self, task: Task) -> Enforcement:
        """Asks the server whether these credentials could change a release in the target's namespace.

        Raises:
            CockpitError: it can't be asked.
        """
        with closing(self._connected()) as cluster:
            able = [
                f"{verb} {resource}"
                for verb, resource in _KEEPS
                if may(cluster, cluster.namespace, verb, "apps" if resource == "deployments" else "", resource)
            ]
        if able:
            return Enforcement("tool", _("these credentials may {what}").format(what=", ".join(able)))
        return Enforcement("server", _("the server lets these credentials only read"))

    def other_secrets(self) -> Sequence[str]:
        """Tokens, passwords and keys of the kubeconfig."""
        return kubeconfig_secrets(self.options)

    async def checks(self) -> Sequence[Check]:
        """Whether the cluster answers, and whether helm is there: without it releases are only read."""
        try:
            place, version = await OwnThread[tuple[str, str]]("look for helm").run(helm)
            tool = Check(text=f"helm {version}: {place}")
        except ToolMissing as error:
            failed = failed_check(error)
            told = _("{why}; releases can be read, and not changed").format(why=failed.text)
            tool = Check(text=told, standing="warning", mend=failed.mend)
        return [*await super().checks(), tool]

    def _connected(self) -> Cluster:
        """Sealed whatever the task is: it is helm that changes things."""
        with needing("kubernetes", "kubernetes"):
            return Cluster(self.options, sealed=True)


def _check(action: HelmAction, task: Task) -> None:
    if action.verb not in OPTIONS:
        raise UsageError(
            _("{verb} is no typed action").format(verb=action.verb), mend=_("write the step as bash, with helm")
        )
    if task.read_only and action.verb not in _READS:
        raise only_reads(f"helm {action.verb}")


def _headline(action: HelmAction) -> str:
    return " ".join([action.verb, *(word.text or "$…" for word in action.operands)])
