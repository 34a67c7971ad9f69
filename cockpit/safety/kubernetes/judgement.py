"""Verdicts of typed Kubernetes actions: a verb, what it is done to, and which door of it.

Reading an object is read-only; some doors are not, whatever verb opens them: since exec goes over a WebSocket, `get
pods/exec` is enough to run a program, and `get nodes/proxy` to reach the kubelet.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from cockpit.safety.action_words import ActionWord
from cockpit.safety.kubernetes.action import KubernetesAction, kubernetes_actions
from cockpit.safety.tables import names
from cockpit.safety.typed import judge_actions
from cockpit.safety.verdict import Judgement, Verdict, worst
from cockpit.words import _

READABLE_DOORS = frozenset({"status", "scale", "log", "resize", "approval"})
"""Subresources that a GET only reads."""
_ACTING_DOORS = frozenset(
    {"exec", "attach", "portforward", "proxy", "ephemeralcontainers", "eviction", "binding", "token", "finalize"}
)
_READS = frozenset({"get", "describe", "logs", "events", "top", "rollout status", "rollout history", "auth can-i"})
_WATCHES = frozenset({"watch"})
_NAME_KINDS = frozenset({"get", "watch", "describe"})
_CHANGES = names("scale create update patch apply cordon uncordon taint label annotate expose autoscale run") | {
    "rollout undo",
    "rollout restart",
    "rollout pause",
    "rollout resume",
    "set env",
    "set image",
}
_LOSSES = frozenset({"delete", "deletecollection", "drain", "replace"})
_PODS = frozenset({"pod", "pods", "po"})
_SECRETS = frozenset({"secret", "secrets"})


def judge_kubernetes(text: str) -> Judgement:
    """The judgement of a step of typed actions; what is no such action is unknown at best."""
    return judge_actions(text, kubernetes_actions, judge_action)


def judge_action(action: KubernetesAction) -> Judgement:
    """The judgement of one action."""
    if action.verb == "exec":
        return _judge_exec(action.command)
    if action.verb in _LOSSES:
        return _judge_loss(action)
    if action.verb in _CHANGES:
        return _judged(Verdict.MUTATING, _("{command} makes changes").format(command=_label(action)))
    doors = _doors(action)
    if doors & _ACTING_DOORS or action.verb in ("proxy", "attach", "port-forward", "debug", "cp"):
        door = ", ".join(sorted(doors & _ACTING_DOORS)) or action.verb
        return _judged(Verdict.UNKNOWN, _("{door} acts, whatever verb opens it").format(door=door))
    if action.verb in _READS or action.verb in _WATCHES:
        return _judge_read(action)
    return _judged(Verdict.UNKNOWN, _("{command} is not known to be read-only").format(command=action.verb))


def _judge_read(action: KubernetesAction) -> Judgement:
    if action.verb in _NAME_KINDS and not _kind_is_known(action):
        return _judged(Verdict.UNKNOWN, _("which kind is read is an input, and could be anything"))
    tags = [
        *(["unbounded"] if action.verb in _WATCHES else []),
        *(["sensitive-read"] if action.verb in ("get", "watch", "describe") and _kinds(action) & _SECRETS else []),
    ]
    return _judged(Verdict.READ_ONLY, _("{command} only reads").format(command=_label(action)), *tags)


def _judge_loss(action: KubernetesAction) -> Judgement:
    """Deleting a pod that is named is a restart; deleting anything else is a loss."""
    if action.verb == "delete" and _kind_is_known(action) and _kinds(action) <= _PODS:
        return _judged(Verdict.MUTATING, _("it deletes pods; their controller starts new ones"))
    return _judged(Verdict.DESTRUCTIVE, _("{command} can't be undone").format(command=_label(action)))


def _judge_exec(command: Sequence[ActionWord]) -> Judgement:
    """What a program does inside a pod is never proven: another world's `ls` may be anything."""
    least = _judged(Verdict.UNKNOWN, _("it runs a program inside a pod"), "exec-remote")
    texts = [word.text for word in command]
    if not texts or any(text is None for text in texts):
        return least
    from cockpit.safety.judge import judge

    return worst([least, judge("bash", shlex.join(text for text in texts if text is not None))])


def _kind_is_known(action: KubernetesAction) -> bool:
    """Whether the first operand's kind is written out: `pods`, `deployment/$NAME`, not `$KIND` or `pod$X`."""
    return bool(action.operands) and (action.operands[0].constant or "/" in action.operands[0].beginning)


def _kinds(action: KubernetesAction) -> frozenset[str]:
    """The kinds it is about, in lower case, without their group: of the first operand, and of each KIND/NAME."""
    written = [word.beginning.lower() for word in action.operands]
    told = [text for at, text in enumerate(written) if at == 0 or "/" in text]
    return frozenset(kind.partition("/")[0].partition(".")[0] for text in told for kind in text.split(","))


def _doors(action: KubernetesAction) -> frozenset[str]:
    """What stands behind a slash: a name, or a subresource (`pods/exec`, `nodes/n1/proxy`)."""
    return frozenset(
        piece.lower() for word in action.operands for kind in word.beginning.split(",") for piece in kind.split("/")[1:]
    )


def _label(action: KubernetesAction) -> str:
    first = action.operands[0].beginning.partition("/")[0] if action.operands else ""
    return f"{action.verb} {first}".strip()


def _judged(verdict: Verdict, reason: str, *tags: str) -> Judgement:
    return Judgement(verdict, (reason,), tags)
