"""Signing in to an API server as kubectl would: the kubeconfig and its credential plugins, within a time."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from cockpit.errors import AccessDenied, CockpitError, ConfigError, TimedOut, ToolMissing
from cockpit.words import _

_PLUGIN_S = 15.0


class KubernetesOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """[target.NAME] of kind kubernetes. Empty ones are what kubectl would use: the current context and namespace."""

    context: str = ""
    namespace: str = ""
    kubeconfig_file: str = ""


class Account(Struct, frozen=True):
    """What a kubeconfig says of where we are: its context ("" inside a cluster), and that one's namespace or ""."""

    context: str = ""
    namespace: str = ""


def sign_in(options: KubernetesOptions, configuration: Any) -> Account:
    """Fill in a client's configuration; tells which context that is.

    Raises:
        ConfigError: the kubeconfig can't be used. AccessDenied, ToolMissing, TimedOut: its plugin gave no credentials.
    """
    from kubernetes import config

    file = str(Path(options.kubeconfig_file).expanduser()) if options.kubeconfig_file else None
    inside = not file and not options.context and "KUBERNETES_SERVICE_HOST" in os.environ
    there = any(path.exists() for path in kubeconfigs(options))
    if not there and not inside:
        raise ConfigError(
            _("there is no kubeconfig"),
            where=", ".join(map(str, kubeconfigs(options))),
            mend=_("sign in, or name one with kubeconfig_file"),
        )
    try:
        if not there:
            config.load_incluster_config(configuration)
            return Account()
        contexts, active = config.list_kube_config_contexts(file)
        with plugin_errors(), _said_by_the_client() as complaints:
            _bind_plugins()
            config.load_kube_config(file, options.context or None, configuration)
    except (config.ConfigException, OSError) as error:
        raise ConfigError(
            _("the kubeconfig can't be used: {error}").format(error=error),
            where=", ".join(map(str, kubeconfigs(options))),
            mend=_("see whether `kubectl version` works"),
        ) from error
    if complaints:
        raise _no_credentials("; ".join(complaints))
    chosen = next((it for it in contexts if it["name"] == options.context), active)
    return Account(str(chosen["name"]), str(chosen["context"].get("namespace") or ""))


def kubeconfigs(options: KubernetesOptions) -> list[Path]:
    """The files that say how to sign in: the target's, else those kubectl would read."""
    named = options.kubeconfig_file or os.environ.get("KUBECONFIG", "") or "~/.kube/config"
    return [Path(path).expanduser() for path in named.split(os.pathsep) if path]


# -- credential plugins ------------------------------------------------------------------------------------------------


class _Failed(BaseException):
    """A plugin gave nothing. No Exception: the client would log it and go on without credentials."""

    def __init__(self, error: CockpitError) -> None:
        self.error = error


@contextlib.contextmanager
def plugin_errors() -> Iterator[None]:
    """Around whatever may run a plugin: signing in, and every request, for credentials expire."""
    try:
        yield
    except _Failed as failed:
        raise failed.error from None


def _bind_plugins() -> None:
    """Have the client run plugins as we do: with nobody to ask, in a session of their own, ended when they hang."""
    from kubernetes.config import kube_config

    if getattr(kube_config.ExecProvider, "is_bound", False):
        return

    class Bound(kube_config.ExecProvider):  # type: ignore[misc]  # the client has no types
        is_bound = True

        def run(self, previous_response: Any = None) -> Any:
            spec: dict[str, Any] = {"interactive": False}
            if self.cluster:
                spec["cluster"] = self.cluster.value
            asked = {"apiVersion": self.api_version, "kind": "ExecCredential", "spec": spec}
            told = _run_plugin(self.args, self.env | {"KUBERNETES_EXEC_INFO": json.dumps(asked)}, self.cwd)
            try:
                return json.loads(told)["status"]
            except (ValueError, KeyError, TypeError) as error:
                raise _Failed(_no_credentials(_("its answer can't be understood"))) from error

    kube_config.ExecProvider = Bound


def _run_plugin(argv: Sequence[str], environment: Mapping[str, str], cwd: str | None) -> bytes:
    """What a plugin prints. It has no terminal, so that it can't wait for a password there."""
    try:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=cwd,
            env=environment,
            start_new_session=True,
        )
    except OSError as error:
        told = _("the kubeconfig's credential plugin can't be started: {error}").format(error=error)
        raise _Failed(ToolMissing(told, mend=_("install it, or sign in another way"))) from error
    with process:
        try:
            answer, complaint = process.communicate(timeout=_PLUGIN_S)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            raise _Failed(
                TimedOut(
                    _("the kubeconfig's credential plugin gave nothing within {n:g} s").format(n=_PLUGIN_S),
                    mend=_("it hangs or asks something: sign in by hand, then it is tried again"),
                )
            ) from None
    if process.returncode:
        said = complaint.decode("utf-8", "replace").strip()
        raise _Failed(_no_credentials(said or _("exit status {code}").format(code=process.returncode)))
    return answer


def _no_credentials(said: str) -> AccessDenied:
    return AccessDenied(
        _("the kubeconfig's credential plugin gave no credentials: {error}").format(error=said),
        mend=_("sign in by hand, then it is tried again"),
    )


@contextlib.contextmanager
def _said_by_the_client() -> Iterator[list[str]]:
    """The client logs what is wrong with an answer and goes on without credentials; here it is caught."""
    complaints: list[str] = []
    here = threading.get_ident()
    catcher = logging.Handler(logging.ERROR)

    def emit(record: logging.LogRecord) -> None:
        if record.thread == here:
            complaints.append(record.getMessage())

    catcher.emit = emit  # type: ignore[method-assign]  # one function says it
    root = logging.getLogger()
    root.addHandler(catcher)
    try:
        yield complaints
    finally:
        root.removeHandler(catcher)
