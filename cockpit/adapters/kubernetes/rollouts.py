"""Typed Kubernetes actions on rollouts: status, history, undo, restart, pause, resume.

What is printed is the same in every language, and kubectl's words where it has some: a runbook's expectations are held
against it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from cockpit.adapters.kubernetes.call import Call
from cockpit.adapters.kubernetes.cluster import JSON_PATCH, MERGE, STRATEGIC
from cockpit.adapters.kubernetes.kinds import Kind
from cockpit.errors import Declined, UsageError
from cockpit.words import _

_REVISION = "deployment.kubernetes.io/revision"
_CAUSE = "kubernetes.io/change-cause"
_RESTARTED = "kubectl.kubernetes.io/restartedAt"
_HASH = "pod-template-hash"
_LOOK_AGAIN_S, _FOREVER_S = 60.0, 10.0**9


def status(call: Call) -> None:
    """Follow a rollout until it is through.

    Raises:
        Declined: it failed, or `--timeout` passed first.
    """
    kind, name = call.workload()
    limit_s = call.span_s("--timeout")
    ends = time.monotonic() + (_FOREVER_S if limit_s is None else limit_s)
    told = ""
    while (left_s := ends - time.monotonic()) > 0:
        for item in _seen(call, kind, name, min(_LOOK_AGAIN_S, left_s)):
            through, text = progress(kind, item)
            if text != told:
                call.page.line(text)
                told = text
            if through:
                return
    raise Declined(_("the rollout of {name} is not through after {n} s").format(name=name, n=limit_s))


def _seen(call: Call, kind: Kind, name: str, for_s: float) -> Iterator[dict[str, Any]]:
    """An object as it is, then each time it changes; for a while, or until the server can't tell what was missed."""
    item = call.cluster.get(kind.path(call.namespace, name))
    yield item
    query = {
        "watch": "true",
        "fieldSelector": f"metadata.name={name}",
        "resourceVersion": item["metadata"]["resourceVersion"],
        "timeoutSeconds": max(1, round(for_s)),
    }
    for line in call.cluster.lines(kind.path(call.namespace), query):
        event = json.loads(line)
        if event["type"] == "ERROR":
            return
        if event["type"] == "DELETED":
            raise Declined(_("{name} is deleted").format(name=name))
        yield event["object"]


def progress(kind: Kind, item: dict[str, Any]) -> tuple[bool, str]:
    """Whether a workload's rollout is through, and how far it is in words.

    Raises:
        Declined: it has failed.
    """
    spec, state, name = item["spec"], item.get("status", {}), item["metadata"]["name"]
    if state.get("observedGeneration", 0) < item["metadata"].get("generation", 0):
        return False, f"{name}: waiting for the controller to see the new version"
    if kind.plural == "daemonsets":
        wanted, updated = state.get("desiredNumberScheduled", 0), state.get("updatedNumberScheduled", 0)
        old, ready = 0, state.get("numberAvailable", 0)
    else:
        for condition in state.get("conditions") or ():
            if condition.get("reason") == "ProgressDeadlineExceeded":
                raise Declined(_("the rollout of {name} exceeded its deadline").format(name=name))
        wanted, updated = spec.get("replicas", 1), state.get("updatedReplicas", 0)
        ready = state.get("readyReplicas" if kind.plural == "statefulsets" else "availableReplicas", 0)
        old = max(0, state.get("replicas", 0) - updated)
    if updated >= wanted and not old and ready >= wanted:
        return True, f'{kind.name.lower()} "{name}" successfully rolled out: {ready} of {wanted} ready'
    return False, f"{name}: {updated} of {wanted} new, {ready} ready, {old} old still there"


def history(call: Call) -> None:
    """The revisions there are, with their images."""
    kind, name = call.workload()
    rows = [
        [str(number), ", ".join(_images(template)), cause]
        for number, template, cause in _revisions(call, kind, call.cluster.get(kind.path(call.namespace, name)))
    ]
    call.page.table(["REVISION", "IMAGES", "CHANGE-CAUSE"], rows, right=(0,))


def undo(call: Call) -> None:
    """Go back to the revision before, or to the one named."""
    kind, name = call.workload()
    path = kind.path(call.namespace, name)
    item = call.cluster.get(path)
    if item["spec"].get("paused"):
        raise Declined(_("{name} is paused").format(name=name), mend=_("rollout resume, then run it again"))
    revisions = _revisions(call, kind, item)
    wanted = call.number("--to-revision")
    number, template, _cause = _chosen(revisions, wanted)
    current = revisions[-1]
    if _bare(template) == _bare(item["spec"]["template"]):
        raise Declined(_("{name} is at that revision already").format(name=name))
    change = [
        {"op": "test", "path": "/metadata/resourceVersion", "value": item["metadata"]["resourceVersion"]},
        {"op": "replace", "path": "/spec/template", "value": _bare(template)},
    ]
    call.cluster.send("PATCH", path, change, JSON_PATCH)
    before, after = ", ".join(_images(item["spec"]["template"])), ", ".join(_images(template))
    call.page.line(f"{kind.label}/{name} rolled back: revision {current[0]} -> {number}, {before} -> {after}")


def restart(call: Call) -> None:
    """Replace every pod by a new one, a few at a time."""
    kind, name = call.workload()
    if call.cluster.get(kind.path(call.namespace, name))["spec"].get("paused"):
        raise Declined(_("{name} is paused").format(name=name), mend=_("rollout resume, then run it again"))
    stamp = {_RESTARTED: datetime.now(UTC).isoformat(timespec="seconds")}
    change = {"spec": {"template": {"metadata": {"annotations": stamp}}}}
    call.cluster.send("PATCH", kind.path(call.namespace, name), change, STRATEGIC)
    call.page.line(f"{kind.label}/{name} restarted")


def pause(call: Call) -> None:
    """Hold a deployment's rollout."""
    _set_paused(call, paused=True)


def resume(call: Call) -> None:
    """Let it go on."""
    _set_paused(call, paused=False)


def _set_paused(call: Call, *, paused: bool) -> None:
    kind, name = call.workload()
    if kind.plural != "deployments":
        raise UsageError(_("only a deployment can be paused"))
    call.cluster.send("PATCH", kind.path(call.namespace, name), {"spec": {"paused": paused or None}}, MERGE)
    call.page.line(f"{kind.label}/{name} {'paused' if paused else 'resumed'}")


Revision = tuple[int, dict[str, Any], str]


def _revisions(call: Call, kind: Kind, item: dict[str, Any]) -> list[Revision]:
    """A workload's revisions, the current one last: number, pod template, why it was made."""
    owned = "replicasets" if kind.plural == "deployments" else "controllerrevisions"
    listed = call.cluster.get(call.kind(f"{owned}.apps").path(call.namespace)).get("items", [])
    uid = item["metadata"]["uid"]
    found = []
    for it in listed:
        if any(owner.get("uid") == uid for owner in it["metadata"].get("ownerReferences") or ()):
            notes = it["metadata"].get("annotations") or {}
            if owned == "replicasets":
                number, template = int(notes.get(_REVISION, 0)), it["spec"]["template"]
            else:
                number, template = it["revision"], it["data"]["spec"]["template"]
            found.append((number, template, str(notes.get(_CAUSE, ""))))
    if not found:
        raise Declined(_("{name} has no revisions").format(name=item["metadata"]["name"]))
    return sorted(found, key=lambda revision: revision[0])


def _chosen(revisions: list[Revision], wanted: int | None) -> Revision:
    if wanted is None:
        if len(revisions) < 2:
            raise Declined(_("there is no revision before this one"))
        return revisions[-2]
    for revision in revisions:
        if revision[0] == wanted:
            return revision
    listed = ", ".join(str(revision[0]) for revision in revisions)
    raise Declined(_("there is no revision {n}").format(n=wanted), mend=_("there are {names}").format(names=listed))


def _bare(template: dict[str, Any]) -> dict[str, Any]:
    """A pod template without what the controllers add to tell their pods apart."""
    metadata = dict(template.get("metadata") or {})
    metadata["labels"] = {key: value for key, value in (metadata.get("labels") or {}).items() if key != _HASH}
    metadata.pop("creationTimestamp", None)
    return {key: value for key, value in template.items() if key != "$patch"} | {"metadata": metadata}


def _images(template: dict[str, Any]) -> list[str]:
    return [str(container.get("image", "")) for container in template["spec"]["containers"]]
