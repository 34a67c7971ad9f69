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
from concurrent.futures import Future
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


class _Patience(threading.local):
    seconds = _PLUGIN_S


_patience = _Patience()


@contextlib.contextmanager
def plugin_errors(within_s: float | None = None) -> Iterator[None]:
    """Around whatever may run a plugin: signing in, and every request, for credentials expire.

    Args:
        within_s: how long to wait for it at most; it goes on for whoever comes next. None: what holds around this.
    """
    before = _patience.seconds
    _patience.seconds = before if within_s is None else min(before, within_s)
    try:
        yield
    except _Failed as failed:
        raise failed.error from None
    finally:
        _patience.seconds = before


_under_way: dict[tuple[tuple[str, ...], str, tuple[tuple[str, str], ...]], Future[bytes]] = {}
_under_way_lock = threading.Lock()


def _shared(argv: Sequence[str], environment: Mapping[str, str], cwd: str | None, hint: str) -> bytes:
    """What a plugin prints. Credentials expire for all watches at once: it runs once for all that ask meanwhile."""
    key = (tuple(argv), cwd or "", tuple(sorted(environment.items())))
    with _under_way_lock:
        told = _under_way.get(key)
        if told is None:
            told = _under_way[key] = Future()
            asked = (key, told, argv, environment, cwd, hint)
            threading.Thread(target=_run_for_all, args=asked, name="credential plugin", daemon=True).start()
    try:
        return told.result(_patience.seconds)
    except TimeoutError:
        raise _Failed(_too_slow(_patience.seconds)) from None


def _run_for_all(key: Any, told: Future[bytes], argv: Any, environment: Any, cwd: str | None, hint: str) -> None:
    answer = b""
    failure: BaseException | None = None
    try:
        answer = _run_plugin(argv, environment, cwd, hint)
    except (Exception, _Failed) as error:  # noqa: BLE001 - it is raised by whoever asked
        failure = error
    with _under_way_lock:
        del _under_way[key]
    if failure is None:
        told.set_result(answer)
    else:
        told.set_exception(failure)


def _too_slow(seconds: float) -> TimedOut:
    return TimedOut(
        _("the kubeconfig's credential plugin gave nothing within {n:g} s").format(n=seconds),
        mend=_("it hangs or asks something: sign in by hand, then it is tried again"),
    )


def _bind_plugins() -> None:
    """Have the client run plugins as we do: with nobody to ask, in a session of their own, ended when they hang."""
    from kubernetes.config import kube_config

    if getattr(kube_config.ExecProvider, "is_bound", False):
        return

    class Bound(kube_config.ExecProvider):  # type: ignore[misc]  # the client has no types
        is_bound = True

        def __init__(self, exec_config: Any, *rest: Any, **named: Any) -> None:
            super().__init__(exec_config, *rest, **named)
            self.hint = " ".join(str(exec_config.safe_get("installHint") or "").split())

        def run(self, previous_response: Any = None) -> Any:
            spec: dict[str, Any] = {"interactive": False}
            if self.cluster:
                spec["cluster"] = self.cluster.value
            asked = {"apiVersion": self.api_version, "kind": "ExecCredential", "spec": spec}
            environment = self.env | {"KUBERNETES_EXEC_INFO": json.dumps(asked)}
            told = _shared(self.args, environment, self.cwd, self.hint)
            try:
                return json.loads(told)["status"]
            except (ValueError, KeyError, TypeError) as error:
                raise _Failed(_no_credentials(_("its answer can't be understood"))) from error

    kube_config.ExecProvider = Bound


def _run_plugin(argv: Sequence[str], environment: Mapping[str, str], cwd: str | None, hint: str) -> bytes:
    """What a plugin prints. It has no terminal, so that it can't wait for a password there.

    Args:
        hint: what the kubeconfig says of how to install it.
    """
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
        raise _Failed(ToolMissing(told, mend=hint or _("install it, or sign in another way"))) from error
    with process:
        try:
            answer, complaint = process.communicate(timeout=_PLUGIN_S)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            raise _Failed(_too_slow(_PLUGIN_S)) from None
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
