"""A Kubernetes API server through the official client, and the same sealed: a client that can do nothing but read."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from msgspec import Struct

from cockpit.adapters.step_program.sent import NotConnected, Sent
from cockpit.errors import AccessDenied, ConfigError, Declined, Malformed, PolicyRefusal, TargetUnreachable, TimedOut
from cockpit.safety.kubernetes.request import refusal_of
from cockpit.words import _

JSON = "application/json"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"

_CONNECT_S, _READ_S = 5.0, 30.0
_SIGN_IN_S = 20.0
_BLOCK = 1 << 16


class KubernetesOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """[target.NAME] of kind kubernetes. Empty ones are what kubectl would use: the current context and namespace."""

    context: str = ""
    namespace: str = ""
    kubeconfig_file: str = ""


class Cluster:
    """One API server as one user. `namespace` is where actions go that name none. Not for several threads.

    `sent` tells whether something may have changed.

    Raises:
        ConfigError, TargetUnreachable, AccessDenied: the kubeconfig or its sign-in does not work.
    """

    def __init__(self, options: KubernetesOptions, *, sealed: bool) -> None:
        from kubernetes import client

        configuration = client.Configuration()
        configuration.retries, configuration.keep_alive = _retries(), True
        configured = _sign_in(options, configuration)
        self.namespace = options.namespace or configured or "default"
        self.api = client.ApiClient(configuration)
        self.sent = Sent()
        self._stream: Any = None
        self._interrupted = False
        if sealed:
            seal(self.api)

    def get(self, path: str, query: Mapping[str, Any] | None = None, accept: str = JSON) -> Any:
        """What a GET answers, as plain values."""
        return self._json("GET", path, query, accept=accept)

    def get_raw(self, path: str, query: Mapping[str, Any]) -> bytes:
        """What a GET answers, as it came."""
        read: bytes = self._open("GET", path, query, timeout_s=(_CONNECT_S, _READ_S)).read()
        return read

    def send(self, method: str, path: str, body: Any, content_type: str = JSON) -> Any:
        """What a request answers that changes something."""
        with self.sent.request(changing=True):
            return self._json(method, path, None, body=body, content_type=content_type)

    def ask(self, path: str, body: Any) -> Any:
        """What a question answers that is put as a POST and changes nothing."""
        return self._json("POST", path, None, body=body, content_type=JSON)

    def lines(self, path: str, query: Mapping[str, Any]) -> Iterator[bytes]:
        """The lines of a stream (a watch, a log) as they come, without their ends."""
        response = self._open("GET", path, query, accept="*/*", timeout_s=(_CONNECT_S, None)).response
        self._stream = response
        held = b""
        try:
            with _as_our_errors(self.api.configuration.host):
                while not self._interrupted and (block := response.read1(_BLOCK)):
                    *whole, held = (held + block).split(b"\n")
                    yield from whole
            if held:
                yield held
        finally:
            response.close()

    def interrupt(self) -> None:
        """End the stream that another thread is reading, and every later one."""
        self._interrupted = True
        if self._stream is not None:
            with contextlib.suppress(OSError, ValueError, RuntimeError):  # it has ended by itself
                self._stream.shutdown()

    def close(self) -> None:
        """Let go of connections."""
        self.api.rest_client.close()

    def _json(self, method: str, path: str, query: Mapping[str, Any] | None, **rest: Any) -> Any:
        answer = self._open(method, path, query, timeout_s=(_CONNECT_S, _READ_S), **rest)
        try:
            return json.loads(answer.read())
        except ValueError as error:
            raise Malformed(_("the API server's answer is not JSON"), where=path) from error

    def _open(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None,
        *,
        timeout_s: tuple[float, float | None],
        accept: str = JSON,
        body: Any = None,
        content_type: str | None = None,
    ) -> Any:
        headers = {"Accept": accept} | ({"Content-Type": content_type} if content_type else {})
        with _as_our_errors(self.api.configuration.host):
            asked = self.api.param_serialize(
                method, path, header_params=headers, body=body, auth_settings=["BearerToken"]
            )
            url = asked[1] + (f"?{urlencode(query)}" if query else "")
            answer = self.api.call_api(asked[0], url, asked[2], asked[3], asked[4], timeout_s)
        if answer.status >= 400:
            raise _refused(answer.status, answer.read(), path)
        return answer


def path_of(*segments: str) -> str:
    """An address of its segments, each of which stays one."""
    return "/" + "/".join(quote(segment, safe="") for segment in segments)


# -- the seal ----------------------------------------------------------------------------------------------------------


class SealedPool:
    """A connection pool that sends what only reads, and nothing else; redirects are not followed."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    def request(self, method: str, url: str, **rest: Any) -> Any:
        """As urllib3's.

        Raises:
            PolicyRefusal: it could change something.
        """
        self._check(method, url, rest)
        return self._pool.request(method, url, **rest)

    def urlopen(self, method: str, url: str, **rest: Any) -> Any:
        """As urllib3's.

        Raises:
            PolicyRefusal: it could change something.
        """
        self._check(method, url, rest)
        return self._pool.urlopen(method, url, **rest)

    def clear(self) -> None:
        """Close every connection."""
        self._pool.clear()

    def _check(self, method: str, url: str, rest: dict[str, Any]) -> None:
        why = refusal_of(method, url, rest.get("headers") or {})
        if why:
            raise PolicyRefusal(why, where=f"{method} {url.partition('?')[0]}", mend=_("this session only reads"))
        rest["redirect"] = False


def seal(api: Any) -> None:
    """Make a client unable to send anything but reads: at its connection pool, and at the WebSocket beside it."""
    from kubernetes.stream import ws_client

    api.rest_client.pool_manager = SealedPool(api.rest_client.pool_manager)
    api.configuration.sealed = True
    if not getattr(ws_client.create_websocket, "knows_seals", False):
        ws_client.create_websocket = _guarded(ws_client.create_websocket)


def _guarded(create_websocket: Any) -> Any:
    """exec, attach and port-forward don't go through the pool: they open a socket of their own."""

    def guarded(configuration: Any, url: str, headers: Any = None) -> Any:
        if getattr(configuration, "sealed", False):
            raise PolicyRefusal(_("a WebSocket acts, whatever it is opened for"), mend=_("this session only reads"))
        return create_websocket(configuration, url, headers)

    guarded.knows_seals = True  # type: ignore[attr-defined]  # so that it is put in place once
    return guarded


# -- signing in and failing --------------------------------------------------------------------------------------------


def _retries() -> Any:
    """A server that is busy (429, 503) is asked again, for reads only, and never waits for long."""
    import urllib3

    return urllib3.Retry(
        total=3,
        connect=1,
        read=1,
        redirect=0,
        status=2,
        status_forcelist=(429, 503),
        allowed_methods=("GET", "HEAD"),
        backoff_factor=0.3,
        raise_on_status=False,
        retry_after_max=5,
    )


def _sign_in(options: KubernetesOptions, configuration: Any) -> str:
    """Fill in the configuration; returns the namespace of its context. A plugin that hangs or asks is given up."""
    from kubernetes import config

    file = str(Path(options.kubeconfig_file).expanduser()) if options.kubeconfig_file else None
    inside = not file and not options.context and "KUBERNETES_SERVICE_HOST" in os.environ
    try:
        with _within(_SIGN_IN_S):
            if inside and not any(path.exists() for path in kubeconfigs(options)):
                config.load_incluster_config(configuration)
                return ""
            contexts, active = config.list_kube_config_contexts(file)
            with _said_by_plugins() as complaints:
                config.load_kube_config(file, options.context or None, configuration)
    except config.ConfigException as error:
        raise ConfigError(
            _("the kubeconfig can't be used: {error}").format(error=error),
            where=", ".join(map(str, kubeconfigs(options))),
            mend=_("see whether `kubectl version` works"),
        ) from error
    if complaints:
        raise AccessDenied(
            _("the kubeconfig's credential plugin gave no credentials: {error}").format(error="; ".join(complaints)),
            mend=_("sign in by hand, then run it again"),
        )
    chosen = next((it for it in contexts if it["name"] == options.context), active)
    return str(chosen["context"].get("namespace") or "")


def kubeconfigs(options: KubernetesOptions) -> list[Path]:
    """The files that say how to sign in: the target's, else those kubectl would read."""
    named = options.kubeconfig_file or os.environ.get("KUBECONFIG", "") or "~/.kube/config"
    return [Path(path).expanduser() for path in named.split(os.pathsep) if path]


@contextlib.contextmanager
def _said_by_plugins() -> Iterator[list[str]]:
    """The client logs what its credential plugins say and goes on without credentials; here it is caught."""
    complaints: list[str] = []
    catcher = logging.Handler(logging.ERROR)
    catcher.emit = lambda record: complaints.append(record.getMessage())  # type: ignore[method-assign]  # one line says it
    root = logging.getLogger()
    root.addHandler(catcher)
    try:
        yield complaints
    finally:
        root.removeHandler(catcher)


class _GivenUp(BaseException):
    """The deadline passed. No Exception: the client would log it and go on without credentials."""


@contextlib.contextmanager
def _within(deadline_s: float) -> Iterator[None]:
    """Give up after a time what has no deadline of its own. In a thread that is not the main one: no deadline."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def give_up(_number: int, _frame: Any) -> None:
        raise _GivenUp

    others = _children()
    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, deadline_s)
    try:
        yield
    except _GivenUp:
        _end(_children() - others)
        raise TimedOut(
            _("signing in took more than {seconds:.0f} s").format(seconds=deadline_s),
            mend=_("the kubeconfig's credential plugin hangs or asks something: sign in by hand, then run it again"),
        ) from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _children() -> set[Any]:
    import psutil

    return set(psutil.Process().children(recursive=True))


def _end(children: set[Any]) -> None:
    """End what a plugin started: nobody waits for it any more."""
    import psutil

    for child in children:
        with contextlib.suppress(psutil.Error):
            child.kill()


@contextlib.contextmanager
def _as_our_errors(host: str) -> Iterator[None]:
    from kubernetes.client import ApiException
    from urllib3.exceptions import ConnectTimeoutError, HTTPError, SSLError
    from urllib3.exceptions import TimeoutError as TooSlow

    try:
        yield
    except (HTTPError, ApiException, OSError) as error:
        cause = getattr(error, "reason", None) or error
        if isinstance(cause, SSLError) or "SSLError" in str(cause):
            raise NotConnected(_("its certificate is not trusted: {error}").format(error=cause), where=host) from error
        said, mend = _("the API server can't be reached: {error}"), _("see whether `kubectl version` works")
        if isinstance(cause, ConnectTimeoutError):  # a refused connection is one too, in urllib3's tree
            raise NotConnected(said.format(error=cause), where=host, mend=mend) from error
        if isinstance(cause, TooSlow):
            raise TimedOut(_("the API server did not answer in time"), where=host, mend=mend) from error
        raise TargetUnreachable(said.format(error=cause), where=host, mend=mend) from error


def _refused(status: int, body: bytes, path: str) -> AccessDenied | Declined:
    """The error that a status and the server's own words stand for."""
    try:
        said = str(json.loads(body).get("message") or "")
    except (ValueError, AttributeError):
        said = ""
    if status == 401:
        return AccessDenied(_("the API server does not accept these credentials"), mend=_("sign in again"))
    if status == 403:
        return AccessDenied(said or _("these credentials may not do that"), where=path)
    return Declined(said or _("the API server answered {status}").format(status=status))
