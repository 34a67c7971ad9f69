"""Kubernetes: typed actions through the official client, each step a program of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

from msgspec import Struct

from cockpit.adapters.base import Enforcement
from cockpit.adapters.kubernetes import changing, reading, rollouts
from cockpit.adapters.kubernetes.call import Call
from cockpit.adapters.kubernetes.cluster import Cluster
from cockpit.adapters.kubernetes.kinds import Kind
from cockpit.adapters.kubernetes.sign_in import KubernetesOptions, kubeconfigs
from cockpit.adapters.library import needing
from cockpit.adapters.step_program.adapter import StepProgram, Task, only_reads
from cockpit.adapters.step_program.page import Page
from cockpit.errors import UsageError
from cockpit.safety.kubernetes.action import KubernetesAction, kubernetes_actions
from cockpit.safety.kubernetes.judgement import judge_action
from cockpit.safety.verdict import Verdict
from cockpit.words import _, shortened

_PERFORMERS: Mapping[str, Callable[[Call], None]] = MappingProxyType(
    {
        "get": reading.get,
        "describe": reading.describe,
        "logs": reading.logs,
        "events": reading.events,
        "top": reading.top,
        "auth can-i": reading.can_i,
        "rollout status": rollouts.status,
        "rollout history": rollouts.history,
        "rollout undo": rollouts.undo,
        "rollout restart": rollouts.restart,
        "rollout pause": rollouts.pause,
        "rollout resume": rollouts.resume,
        "scale": changing.scale,
        "set env": changing.set_env,
        "set image": changing.set_image,
        "delete": changing.delete,
        "exec": changing.execute,
    }
)
_MAY_CHANGE = (
    ("delete", "", "pods", ""),
    ("create", "", "pods", "exec"),
    ("get", "", "pods", "exec"),
    ("create", "", "pods", "eviction"),
    ("create", "", "serviceaccounts", "token"),
    ("update", "", "configmaps", ""),
    ("patch", "apps", "deployments", ""),
    ("patch", "apps", "deployments", "scale"),
    ("get", "", "nodes", "proxy"),
    ("patch", "", "nodes", ""),
    ("impersonate", "", "users", ""),
)
"""What read-only credentials may not do: verb, group, resource, subresource."""


class KubernetesAdapter(StepProgram[KubernetesOptions]):
    """Runs typed actions on one cluster. Made with the target's options."""

    name: ClassVar[str] = "kubernetes"
    languages: ClassVar[frozenset[str]] = frozenset({"kubernetes"})
    Options: ClassVar[type[Struct]] = KubernetesOptions

    def perform(self, task: Task, page: Page) -> None:
        """Carry out the step's actions in order, up to the first that fails.

        Raises:
            PolicyRefusal: the task only reads, and an action does not. UsageError: no action. AdapterError: the rest.
        """
        actions = kubernetes_actions(task.body)
        for action in actions:
            _check(action, task)
        known: list[Kind] = []
        with closing(_connected(self.options, sealed=task.read_only)) as cluster:
            task.require_still_permitted()
            for action in actions:
                if len(actions) > 1:
                    page.line(f"> {_headline(action)}")
                with cluster.sent.unknown_if_it_breaks():
                    _PERFORMERS[action.verb](Call(cluster, action, task.values, page, known))

    def enforced(self, task: Task) -> Enforcement:
        """Asks the server what these credentials may do, in the target's namespace and in all.

        Raises:
            CockpitError: it can't be asked.
        """
        with closing(_connected(self.options, sealed=True)) as cluster:
            may = [
                f"{verb} {resource}/{door}".rstrip("/")
                for verb, group, resource, door in _MAY_CHANGE
                if any(
                    reading.may(cluster, namespace, verb, group, resource, door)
                    for namespace in (cluster.namespace, "")
                )
            ]
            where = ", ".join([*filter(None, [cluster.context]), f"Kubernetes {_version(cluster)}"])
        if may:
            shown = ", ".join(may[:3]) + (", …" if len(may) > 3 else "")
            return Enforcement("tool", f"{where}; " + _("these credentials may {what}").format(what=shown))
        return Enforcement("server", f"{where}; " + _("the server lets these credentials only read"))

    def other_secrets(self) -> Sequence[str]:
        """Tokens, passwords and keys of the kubeconfig."""
        return kubeconfig_secrets(self.options)


def _check(action: KubernetesAction, task: Task) -> None:
    if action.verb not in _PERFORMERS:
        raise UsageError(
            _("{verb} is no typed action").format(verb=action.verb), mend=_("write the step as bash, with kubectl")
        )
    if task.read_only and judge_action(action).verdict is not Verdict.READ_ONLY:
        raise only_reads(action.verb)


def _connected(options: KubernetesOptions, *, sealed: bool) -> Cluster:
    with needing("kubernetes", "kubernetes"):
        return Cluster(options, sealed=sealed)


def _version(cluster: Cluster) -> str:
    return shortened(str(cluster.get("/version").get("gitVersion") or "?"), 60)


def _headline(action: KubernetesAction) -> str:
    return " ".join([action.verb, *(word.text or "$…" for word in action.operands)])


def kubeconfig_secrets(options: KubernetesOptions) -> list[str]:
    """Every value in the files that say how to sign in that nobody may see."""
    return [secret for path in kubeconfigs(options) for secret in _secrets_of(path)]


def _secrets_of(path: Path) -> list[str]:
    """What a kubeconfig holds that nobody may see; nothing when it can't be read: the step will say so."""
    import yaml

    try:
        users = (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get("users") or []
        held = [user.get("user") or {} for user in users]
    except (OSError, ValueError, AttributeError, yaml.YAMLError):
        return []
    return [str(it[key]) for it in held for key in ("token", "password", "client-key-data") if it.get(key)]
