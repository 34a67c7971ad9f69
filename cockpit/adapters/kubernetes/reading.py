"""Typed Kubernetes actions that read: get, describe, logs, events, top, auth can-i."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from cockpit.adapters.kubernetes.call import WORKLOADS, Call
from cockpit.adapters.kubernetes.cluster import TABLE, Cluster
from cockpit.adapters.kubernetes.kinds import Kind, checked
from cockpit.errors import Declined, UsageError
from cockpit.words import _

_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def get(call: Call) -> None:
    """A table as kubectl's, or the objects themselves with `-o json|yaml|name`."""
    form = call.option("--output", "table")
    if form not in ("table", "wide", "json", "yaml", "name"):
        raise UsageError(_("-o is one of {names}").format(names="wide, json, yaml, name"))
    targets = call.targets()
    several = len({kind.plural for kind, _name in targets}) > 1
    for kind, name in targets:
        path = kind.path(call.namespace, *([name] if name else []))
        if form in ("table", "wide"):
            if several and not name:
                call.page.line(f"{kind.plural}:")
            _table(call, call.cluster.get(path, _query(call), accept=TABLE), wide=form == "wide")
            continue
        for item in _items(call.cluster.get(path, _query(call)), kind):
            if form == "name":
                call.page.line(f"{kind.label}/{item['metadata']['name']}")
            else:
                call.page.line(_written(item, form))


def _query(call: Call) -> dict[str, str]:
    wanted = {
        "labelSelector": call.option("--selector"),
        "fieldSelector": call.option("--field-selector"),
    }
    return {key: value for key, value in wanted.items() if value}


def _table(call: Call, table: dict[str, Any], *, wide: bool) -> None:
    columns = table.get("columnDefinitions") or []
    shown = [at for at, column in enumerate(columns) if wide or not column.get("priority")]
    heads = [columns[at]["name"].upper() for at in shown]
    rows = [[_cell(row["cells"][at]) for at in shown] for row in table.get("rows") or ()]
    if not call.namespace and rows:
        heads.insert(0, "NAMESPACE")
        for cells, row in zip(rows, table["rows"], strict=True):
            cells.insert(0, row["object"]["metadata"].get("namespace", ""))
    if rows:
        call.page.table(heads, rows)
    else:
        asked = " ".join(_query(call).values())
        call.page.line(f"No resources found: {call.operands[0]} {asked}".rstrip())


def _cell(value: Any) -> str:
    return "" if value is None else str(value)


def _items(answer: dict[str, Any], kind: Kind) -> list[dict[str, Any]]:
    """The objects of an answer, without what the server keeps for itself and without secret values."""
    items = answer.get("items")
    found = [answer] if items is None else items
    for item in found:
        item.setdefault("kind", kind.name)
        item.setdefault("apiVersion", f"{kind.group}/{kind.version}".lstrip("/"))
        item["metadata"].pop("managedFields", None)
        if kind.plural == "secrets" and not kind.group:
            _mask(item)
    return list(found)


def _mask(secret: dict[str, Any]) -> None:
    """Sizes in place of values: what a secret holds is nobody's business here."""
    for part in ("data", "stringData"):
        if secret.get(part):
            secret[part] = {key: f"[{len(value or '')} characters]" for key, value in secret[part].items()}
    (secret["metadata"].get("annotations") or {}).pop(_LAST_APPLIED, None)


def _written(item: dict[str, Any], form: str) -> str:
    if form == "json":
        return json.dumps(item, ensure_ascii=False, indent=2)
    import yaml

    return "---\n" + yaml.safe_dump(item, allow_unicode=True, sort_keys=False).rstrip()


def describe(call: Call) -> None:
    """Objects as YAML, and what happened to each."""
    targets = call.targets()
    if any(not name for _kind, name in targets):
        raise UsageError(_("describe wants a name"), mend=_("for instance: deployment/api"))
    for kind, name in targets:
        item = _items(call.cluster.get(kind.path(call.namespace, name)), kind)[0]
        call.page.line(_written(item, "yaml"))
        _print_events(call, _events(call, {"involvedObject.name": name, "involvedObject.kind": kind.name}))


def logs(call: Call) -> None:
    """The log of a pod, or of every pod of a workload, each line headed with its pod's name."""
    if not call.operands:
        raise UsageError(_("logs wants a pod"))
    pods, headed = _pods(call)
    query = {
        "container": call.option("--container"),
        "tailLines": call.number("--tail"),
        "sinceSeconds": call.span_s("--since"),
        "previous": "true" if call.flag("--previous") else "",
        "timestamps": "true" if call.flag("--timestamps") else "",
    }
    wanted = {key: value for key, value in query.items() if value not in ("", None)}
    for pod in pods:
        head = f"[{pod}] ".encode() if headed else b""
        for line in call.cluster.lines(call.kind("pods").path(call.namespace, pod, "log"), wanted):
            call.page.write(head + line + b"\n")


def _pods(call: Call) -> tuple[Sequence[str], bool]:
    if "/" not in call.operands[0]:
        return [checked(name) for name in call.operands], len(call.operands) > 1
    kind, name = call.targets()[0]
    if kind.plural == "pods":
        return [name], False
    if kind.plural not in WORKLOADS:
        raise UsageError(_("logs wants a pod or a workload"))
    found = call.pods_of(call.cluster.get(kind.path(call.namespace, name))["spec"]["selector"])
    if not found:
        raise Declined(_("{name} has no pods").format(name=call.operands[0]))
    return [pod["metadata"]["name"] for pod in found], True


def events(call: Call) -> None:
    """What happened, oldest first."""
    about: dict[str, str] = {}
    if call.option("--for"):
        word, _slash, name = call.option("--for").partition("/")
        about = {"involvedObject.kind": call.kind(word).name, "involvedObject.name": checked(name)}
    _print_events(call, _events(call, about))


def _events(call: Call, about: dict[str, str]) -> list[dict[str, Any]]:
    query = {"fieldSelector": ",".join(f"{key}={value}" for key, value in about.items())} if about else {}
    kind = next(kind for kind in call.kinds if kind.plural == "events" and not kind.group)
    found: list[dict[str, Any]] = call.cluster.get(kind.path(call.namespace), query).get("items", [])
    return sorted(found, key=_when)


def _when(event: dict[str, Any]) -> str:
    return str(event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp") or "")


def _print_events(call: Call, found: list[dict[str, Any]]) -> None:
    rows = [
        [
            _when(event),
            str(event.get("type", "")),
            str(event.get("reason", "")),
            f"{event['involvedObject'].get('kind', '')}/{event['involvedObject'].get('name', '')}",
            str(event.get("message", "")),
        ]
        for event in found
    ]
    if rows:
        call.page.table(["LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"], rows)
    else:
        call.page.line("No events")


def top(call: Call) -> None:
    """CPU and memory in use, as the metrics server tells it."""
    kind = call.kind(call.operands[0] if call.operands else "pods")
    if kind.plural not in ("pods", "nodes"):
        raise UsageError(_("top is about pods or nodes"))
    usage = next((it for it in call.kinds if it.group == "metrics.k8s.io" and it.plural == kind.plural), None)
    if usage is None:
        raise Declined(_("the cluster has no metrics server"), mend=_("install it, or ask Prometheus"))
    rows = []
    for item in call.cluster.get(usage.path(call.namespace), _query(call)).get("items", []):
        for part in item.get("containers") or [item]:
            used = part.get("usage", {})
            name = item["metadata"]["name"]
            rows.append([name, part.get("name", ""), used.get("cpu", ""), used.get("memory", "")])
    call.page.table(["NAME", "CONTAINER", "CPU", "MEMORY"], rows, right=(2, 3))


def can_i(call: Call) -> None:
    """Whether these credentials may do something, asked of the server.

    Raises:
        Declined: they may not.
    """
    if len(call.operands) < 2:
        raise UsageError(_("auth can-i wants a verb and a resource"), mend=_("for instance: auth can-i delete pods"))
    verb, word = call.operands[0], call.operands[1]
    resource, _slash, door = word.partition("/")
    kind = call.kind(resource)
    if may(call.cluster, call.namespace, verb, kind.group, kind.plural, door):
        call.page.line("yes")
    else:
        raise Declined(_("no: these credentials may not {verb} {resource}").format(verb=verb, resource=word))


def may(cluster: Cluster, namespace: str, verb: str, group: str, resource: str, door: str = "") -> bool:
    """The server's answer to "may I?", in a namespace or ("") in all of them. It creates nothing."""
    asked = {"verb": verb, "group": group, "resource": resource, "subresource": door, "namespace": namespace}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": asked},
    }
    answer = cluster.ask("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review)
    return bool(answer.get("status", {}).get("allowed"))
