"""Typed ArgoCD actions that read: app list, get, history, resources, manifests, diff.

What is printed is the same in every language, with the command line's own heads.
"""

from __future__ import annotations

import difflib
import json
from typing import Any

from msgspec.structs import replace

from cockpit.adapters.argocd.api import APPLICATIONS
from cockpit.adapters.argocd.call import Call
from cockpit.adapters.argocd.shapes import Application, Applications, ManagedResources, Manifests, Resource, Tree
from cockpit.errors import Malformed
from cockpit.words import _

LISTED = ",".join(
    f"items.{field}"
    for field in (
        "metadata.name",
        "metadata.namespace",
        "spec.project",
        "spec.destination",
        "status.health",
        "status.sync",
        "status.conditions",
        "status.operationState.phase",
        "status.operationState.message",
        "status.operationState.startedAt",
    )
)
"""What of each application a list needs: without it their manifests would come along."""


async def list_applications(call: Call) -> None:
    """Every application that these credentials may see."""
    asked = {"projects": call.option("--project"), "selector": call.option("--selector")}
    values = {key: value for key, value in asked.items() if value}
    found = (await call.api.get(APPLICATIONS, Applications, values | {"fields": LISTED})).items or []
    rows = [
        [it.name, it.spec.project, it.status.sync.status, it.status.health.status, it.state.phase, it.revision]
        for it in sorted(found, key=lambda it: it.name)
    ]
    if rows:
        call.page.table(["NAME", "PROJECT", "STATUS", "HEALTH", "OPERATION", "REVISION"], rows)
    else:
        call.page.line(f"No applications found: {' '.join(values.values())}".rstrip(": "))


async def get(call: Call) -> None:
    """How an application stands; with `--refresh`, after ArgoCD has looked at its repository again."""
    path, about = call.application
    if call.action.has("--refresh", "--hard-refresh"):
        hard = call.action.has("--hard-refresh")
        found = await call.api.refreshed(path, Application, about | {"refresh": "hard" if hard else "normal"})
    else:
        found = await call.api.get(path, Application, about)
    await show(found, call)


async def show(found: Application, call: Call) -> None:
    """Print how an application stands, and its objects."""
    for name, value in _about(found).items():
        if value:
            call.page.line(f"{name}: {value}")
    _print_resources(await _with_health(found, call), call)


def _about(found: Application) -> dict[str, str]:
    sources = found.spec.sources or ([found.spec.source] if found.spec.source else [])
    to = found.spec.destination
    told = {
        "Name": found.name,
        "Project": found.spec.project,
        "Server": to.server or to.name,
        "Namespace": to.namespace,
        "Source": "; ".join(f"{it.repo_url} {it.path or it.chart} {it.target_revision}".strip() for it in sources),
        "Sync Status": f"{found.status.sync.status} ({found.revision})" if found.revision else found.status.sync.status,
        "Health Status": " - ".join(filter(None, (found.status.health.status, found.status.health.message))),
        "Operation": " - ".join(filter(None, (found.state.phase, found.state.message))),
    }
    return told | {f"Condition {it.type}": it.message for it in found.status.conditions or ()}


async def resources(call: Call) -> None:
    """The objects of an application."""
    path, about = call.application
    _print_resources(await _with_health(await call.api.get(path, Application, about), call), call)


async def _with_health(found: Application, call: Call) -> list[Resource]:
    """The objects of an application with the health of each, wherever this ArgoCD keeps it."""
    listed = found.status.resources or []
    if found.status.resource_health_source != "appTree":
        return listed
    path, about = call.application
    tree = (await call.api.get(f"{path}/resource-tree", Tree, about)).nodes or []
    healths = {(it.group, it.kind, it.namespace, it.name): it.health for it in tree}
    return [replace(it, health=it.health or healths.get((it.group, it.kind, it.namespace, it.name))) for it in listed]


def _print_resources(found: list[Resource], call: Call) -> None:
    rows = [
        [it.group, it.kind, it.namespace, it.name, it.status, it.health.status if it.health else "",
         "to be pruned" if it.requires_pruning else it.health.message if it.health else ""]
        for it in found
    ]  # fmt: skip
    if rows:
        call.page.table(["GROUP", "KIND", "NAMESPACE", "NAME", "STATUS", "HEALTH", "MESSAGE"], rows)


async def history(call: Call) -> None:
    """What was deployed, the newest last; a rollback names an ID."""
    path, about = call.application
    found = (await call.api.get(path, Application, about)).status.history or []
    rows = [[str(it.id), it.deployed_at, it.told, it.source.target_revision if it.source else ""] for it in found]
    if rows:
        call.page.table(["ID", "DATE", "REVISION", "TARGET"], rows, right=(0,))
    else:
        call.page.line("No history")


async def manifests(call: Call) -> None:
    """The objects as they should be, without secret values."""
    path, about = call.application
    revision = {"revision": call.option("--revision")} if call.action.has("--revision") else {}
    found = (await call.api.get(f"{path}/manifests", Manifests, about | revision)).manifests or []
    for text in found:
        call.page.line("---\n" + _yaml(text, path))


async def diff(call: Call) -> None:
    """How the objects differ from what they should be. Differences are no failure here."""
    path, about = call.application
    found = (await call.api.get(f"{path}/managed-resources", ManagedResources, about)).items or []
    told = False
    for it in found:
        if it.hook or it.normalized_live_state == it.predicted_live_state:
            continue
        told = True
        call.page.line(f"===== {it.kind} {it.namespace}/{it.name} =====")
        is_now, should_be = (_yaml(text, path) for text in (it.normalized_live_state, it.predicted_live_state))
        lines = difflib.unified_diff(is_now.splitlines(), should_be.splitlines(), "live", "target", lineterm="")
        for line in lines:
            call.page.line(line)
    if not told:
        call.page.line("No differences")


def _yaml(text: str, where: str) -> str:
    import yaml

    if not text:
        return ""
    try:
        item = json.loads(text)
    except ValueError as error:
        raise Malformed(_("what it answers is no manifest"), where=where) from error
    return str(yaml.safe_dump(_masked(item), allow_unicode=True, sort_keys=False)).rstrip() if item else ""


def _masked(item: Any) -> Any:
    """A Secret without its values."""
    if isinstance(item, dict) and item.get("kind") == "Secret":
        for part in ("data", "stringData"):
            if isinstance(item.get(part), dict):
                item[part] = dict.fromkeys(item[part], "[hidden]")
        (item.get("metadata") or {}).pop("annotations", None)  # the last applied one stands there
    return item
