"""A Kubernetes API server through the official client, and the same sealed: a client that can do nothing but read."""

from __future__ import annotations

import contextlib
import copy
import json
import re
import socket
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode
from weakref import WeakSet

from cockpit.adapters.kubernetes.sign_in import KubernetesOptions, plugin_errors, sign_in
from cockpit.adapters.library import needing
from cockpit.adapters.step_program.sent import NotConnected, Sent
from cockpit.errors import AccessDenied, Declined, Malformed, PolicyRefusal, TargetUnreachable, TimedOut
from cockpit.safety.kubernetes.request import refusal_of
from cockpit.words import _

JSON = "application/json"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"

_ADDRESS = re.compile(r"^\w+\(host=[^)]*\): ")
_CONNECT_S, _READ_S = 5.0, 30.0
_BLOCK = 1 << 16
_CONNECTIONS = 64


class Cluster:
    """One API server as one user. `namespace` is where actions go that name none. Not for several threads.

    `sent` tells whether something may have changed.

    Raises:
        ConfigError, TargetUnreachable, AccessDenied: the kubeconfig or its sign-in does not work.
    """

    def __init__(self, options: KubernetesOptions, *, sealed: bool) -> None:
        with needing("kubernetes", "kubernetes"):
            from kubernetes import client

        configuration = client.Configuration()
        configuration.retries, configuration.keep_alive = _retries(), True
        configuration.connection_pool_maxsize = _CONNECTIONS
        configuration.socket_options = _socket_options()
        account = sign_in(options, configuration)
        self.context = account.context
        self.namespace = options.namespace or account.namespace or "default"
        self.api = client.ApiClient(configuration)
        self._links = _links_of(self.api.rest_client.pool_manager)
        self.begin_anew()
        if sealed:
            seal(self.api)

    def get(self, path: str, query: Mapping[str, Any] | None = None, accept: str = JSON) -> Any:
        """What a GET answers, as plain values."""
        return self._json("GET", path, query, accept=accept)

    def get_raw(self, path: str, query: Mapping[str, Any], *, within_s: float = _READ_S) -> bytes:
        """What a GET answers, as it came."""
        read: bytes = self._open("GET", path, query, timeout_s=(_CONNECT_S, within_s)).read()
        return read

    def send(self, method: str, path: str, body: Any, content_type: str = JSON) -> Any:
        """What a request answers that changes something."""
        with self.sent.request(changing=True):
            return self._json(method, path, None, body=body, content_type=content_type)

    def ask(self, path: str, body: Any) -> Any:
        """What a question answers that is put as a POST and changes nothing."""
        return self._json("POST", path, None, body=body, content_type=JSON)

    def another(self) -> Cluster:
        """The same server and user for another thread: sign-in and connections are shared, the stream is its own."""
        other = copy.copy(self)
        other.begin_anew()
        return other

    def begin_anew(self) -> None:
        """Nothing was sent, and no stream is read."""
        self.sent = Sent()
        self._stream: Any = None
        self._interrupted = False

    def lines(
        self,
        path: str,
        query: Mapping[str, Any],
        *,
        silence_s: float | None = None,
        complete: bool = False,
        opened: Callable[[], None] = lambda: None,
    ) -> Iterator[bytes]:
        """The lines of a stream (a watch, a log) as they come, without their ends.

        Args:
            silence_s: how long nothing may come before the link counts as broken; None for ever.
            complete: leave out what stands behind the last line end.
            opened: called once the server has begun to answer.
        """
        response = self._open("GET", path, query, accept="*/*", timeout_s=(_CONNECT_S, silence_s)).response
        self._stream = response
        opened()
        held = b""
        try:
            with _as_our_errors(self.api.configuration.host):
                while not self._interrupted and (block := response.read1(_BLOCK)):
                    *whole, held = (held + block).split(b"\n")
                    yield from whole
            if held and not complete:
                yield held
        finally:
            self._stream = None  # it would keep the whole pool from being let go of
            response.close()

    def interrupt(self) -> None:
        """End the stream that another thread is reading, and every later one."""
        self._interrupted = True
        stream = self._stream
        if stream is not None:
            with contextlib.suppress(OSError, ValueError, RuntimeError):  # it has ended by itself
                stream.shutdown()

    def close(self) -> None:
        """Let go of connections, those too on which another thread waits."""
        for link in list(self._links):
            with contextlib.suppress(OSError, AttributeError):  # it is closed already
                link.sock.shutdown(socket.SHUT_RDWR)
        self.forget()

    def forget(self) -> None:
        """Let go of connections that nobody uses."""
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
        with _as_our_errors(self.api.configuration.host), plugin_errors(timeout_s[1] or _READ_S):
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


def _links_of(manager: Any) -> WeakSet[Any]:
    """Every connection that a pool manager makes from now on; it tells of none that is in use."""
    links: WeakSet[Any] = WeakSet()

    def noting(pool: Any) -> Any:
        class Noted(pool.ConnectionCls):  # type: ignore[misc]  # known only here
            def connect(self) -> None:
                super().connect()
                links.add(self)

        return type(pool.__name__, (pool,), {"ConnectionCls": Noted})

    kinds = manager.pool_classes_by_scheme
    manager.pool_classes_by_scheme = {scheme: noting(pool) for scheme, pool in kinds.items()}
    return links


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
        """Close every connection; urllib3 itself leaves that to the garbage collector."""
        pools = self._pool.pools
        for key in pools.keys():  # noqa: SIM118 - it can't be iterated over
            if (pool := pools.get(key)) is not None:
                pool.close()
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


# -- failing -----------------------------------------------------------------------------------------------------------


def _socket_options() -> list[tuple[int, int, int]]:
    """Of each connection: a stream on which nothing happens notices within seconds that its other end is gone."""
    from kubernetes.utils.keepalive import tcp_keepalive_socket_options

    options = list(tcp_keepalive_socket_options(idle=5, interval=2, count=3))
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        options.append((socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 15_000))
    return options


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
            raise NotConnected(
                _("its certificate is not trusted: {error}").format(error=cause),
                where=host,
                mend=_("check certificate-authority-data in the kubeconfig"),
            ) from error
        said, mend = _("the API server can't be reached: {error}"), _("see whether `kubectl version` works")
        if isinstance(cause, ConnectTimeoutError):  # a refused connection is one too, in urllib3's tree
            raise NotConnected(said.format(error=_without_address(cause)), where=host, mend=mend) from error
        if isinstance(cause, TooSlow):
            raise TimedOut(_("the API server did not answer in time"), where=host, mend=mend) from error
        raise TargetUnreachable(said.format(error=_without_address(cause)), where=host, mend=mend) from error


def _without_address(cause: object) -> str:
    """urllib3 begins with the connection it tried; where that leads to is told beside it."""
    return _ADDRESS.sub("", str(cause))


class NotAccepted(AccessDenied):
    """The API server knows nobody of these credentials: they have expired, or are wrong."""


class Refused(Declined):
    """The API server answered with this `status`, and why."""

    def __init__(self, status: int, what: str, *, mend: str = "") -> None:
        super().__init__(what, mend=mend)
        self.status = status


def _refused(status: int, body: bytes, path: str) -> AccessDenied | Refused:
    """The error that a status and the server's own words stand for."""
    try:
        said = str(json.loads(body).get("message") or "")
    except (ValueError, AttributeError):
        said = ""
    if status == 401:
        return NotAccepted(_("the API server does not accept these credentials"), mend=_("sign in again"))
    if status == 403:
        return AccessDenied(said or _("these credentials may not do that"), where=path)
    if status == 429:
        return Refused(status, _("the API server has too many requests and puts us off"), mend=_("it is asked again"))
    return Refused(status, said or _("the API server answered {status}").format(status=status))
