"""Typed Kubernetes actions that change objects: scale, set env, set image, delete; and exec, which may do anything."""

from __future__ import annotations

import json
import re
from typing import Any

from cockpit.adapters.kubernetes.call import Call
from cockpit.adapters.kubernetes.cluster import MERGE, STRATEGIC
from cockpit.adapters.kubernetes.kinds import checked
from cockpit.errors import Declined, TargetUnreachable, UsageError
from cockpit.words import _

_ERROR_CHANNEL = 3
_HANDSHAKE = re.compile(r'Handshake status 4\d\d.*?"message":"((?:[^"\\]|\\.)*)"', re.DOTALL)


def scale(call: Call) -> None:
    """Set how many replicas there are to be; with `--current-replicas`, only if that many are asked for now."""
    replicas = call.number("--replicas")
    if replicas is None:
        raise UsageError(_("scale wants --replicas"))
    kind, name = call.targets()[0]
    path = kind.path(call.namespace, checked(name), "scale")
    now = call.cluster.get(path)
    before = now["spec"].get("replicas", 0)
    expected = call.number("--current-replicas")
    if expected is not None and expected != before:
        raise Declined(_("{name} has {n} replicas, not {expected}").format(name=name, n=before, expected=expected))
    change = {"metadata": {"resourceVersion": now["metadata"]["resourceVersion"]}, "spec": {"replicas": replicas}}
    call.cluster.send("PATCH", path, change, MERGE)
    call.page.line(f"{kind.label}/{name} scaled: {before} -> {replicas}")


def set_env(call: Call) -> None:
    """Set variables (`NAME=value`) and drop them (`NAME-`), in every container or in the one named."""
    kind, name = call.workload()
    changes = [_variable(word) for word in call.operands]
    if not changes:
        raise UsageError(_("set env wants NAME=value"))
    path = kind.path(call.namespace, name)
    containers = _containers(call.cluster.get(path))
    wanted = call.option("--container")
    if wanted and wanted not in containers:
        raise Declined(
            _("{name} has no container {container}").format(name=name, container=wanted),
            mend=_("there are {names}").format(names=", ".join(containers)),
        )
    patch = [{"name": container, "env": changes} for container in ([wanted] if wanted else containers)]
    call.cluster.send("PATCH", path, {"spec": {"template": {"spec": {"containers": patch}}}}, STRATEGIC)
    names = ", ".join(change["name"] for change in changes)
    call.page.line(f"{kind.label}/{name} env updated: {names}")


def _variable(word: str) -> dict[str, Any]:
    name, equals, value = word.partition("=")
    if equals and name:
        # A value from elsewhere (a secret, a field) would stand beside the new one, and the server refuse both.
        return {"name": name, "value": value, "valueFrom": None}
    if word.endswith("-") and len(word) > 1:
        return {"name": word[:-1], "$patch": "delete"}
    raise UsageError(_("{word} is neither NAME=value nor NAME-").format(word=repr(word)))


def set_image(call: Call) -> None:
    """Set containers' images: `app=shop:2`."""
    kind, name = call.workload()
    images = dict(word.partition("=")[::2] for word in call.operands)
    if not images or not all(container and image for container, image in images.items()):
        raise UsageError(_("set image wants CONTAINER=IMAGE"))
    path = kind.path(call.namespace, name)
    before = _containers(call.cluster.get(path))
    absent = sorted(images.keys() - before.keys())
    if absent:
        raise Declined(
            _("{name} has no container {container}").format(name=name, container=", ".join(absent)),
            mend=_("there are {names}").format(names=", ".join(before)),
        )
    patch = [{"name": container, "image": image} for container, image in images.items()]
    call.cluster.send("PATCH", path, {"spec": {"template": {"spec": {"containers": patch}}}}, STRATEGIC)
    for container, image in images.items():
        call.page.line(f"{kind.label}/{name} image updated: {container} {before[container]} -> {image}")


def _containers(item: dict[str, Any]) -> dict[str, str]:
    """A workload's containers, each with its image."""
    return {it["name"]: str(it.get("image", "")) for it in item["spec"]["template"]["spec"]["containers"]}


def delete(call: Call) -> None:
    """Delete the objects named, each by name."""
    targets = call.targets()
    if any(not name for _kind, name in targets):
        raise UsageError(_("delete wants names"), mend=_("for instance: pod/api-0"))
    for kind, name in targets:
        call.cluster.send("DELETE", kind.path(call.namespace, name), {"propagationPolicy": "Background"})
        call.page.line(f"{kind.label}/{name} deleted")


def execute(call: Call) -> None:
    """Run a program in a pod; what it prints is printed.

    Raises:
        Declined: it ended with another status than 0.
    """
    from kubernetes.client import ApiException, CoreV1Api
    from kubernetes.stream import stream

    command = [word.filled(call.values) for word in call.action.command]
    if len(call.operands) != 1 or not command:
        raise UsageError(_("exec wants a pod and a command: exec POD -- COMMAND"))
    pod = checked(call.operands[0].removeprefix("pod/"))
    asked: dict[str, Any] = {"command": command, "stdout": True, "stderr": True, "stdin": False, "tty": False}
    if call.option("--container"):
        asked["container"] = call.option("--container")
    try:
        link = stream(
            CoreV1Api(call.cluster.api).connect_get_namespaced_pod_exec,
            pod,
            call.namespace,
            _preload_content=False,
            binary=True,
            **asked,
        )
    except ApiException as error:
        refused = _HANDSHAKE.search(str(error.reason))
        if refused:
            raise Declined(json.loads(f'"{refused[1]}"')) from error
        raise TargetUnreachable(
            _("exec in {pod} was not opened: {error}").format(pod=pod, error=error.reason)
        ) from error
    call.cluster.sent.changing = True
    failure = _follow(call, link)
    if failure is None:
        raise TargetUnreachable(_("the link to {pod} broke").format(pod=pod))
    if failure:
        raise Declined(_("the program in {pod} failed: {status}").format(pod=pod, status=failure))


def _follow(call: Call, link: Any) -> str | None:
    """Print what comes; returns how it failed, "" if it did not, None when its end was never told."""
    try:
        while link.is_open():
            link.update(timeout=1)
            for channel in (1, 2):
                data = link.read_channel(channel)
                if data:
                    call.page.write(data if isinstance(data, bytes) else data.encode())
        return _failure(link.read_channel(_ERROR_CHANNEL))
    finally:
        link.close()
        link.sock.shutdown()  # `close` leaves the socket open when the server closed first


def _failure(told: bytes | str) -> str | None:
    """What the error channel says at the end: "Success", or why not, with the exit code among the causes."""
    try:
        status = json.loads(told)
    except ValueError:
        return None
    if status.get("status") == "Success":
        return ""
    causes = (status.get("details") or {}).get("causes") or ()
    code = next((str(cause.get("message")) for cause in causes if cause.get("reason") == "ExitCode"), "")
    return _("exit status {code}").format(code=code) if code else str(status.get("message") or "?")
