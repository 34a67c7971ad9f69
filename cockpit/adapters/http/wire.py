"""The client below everything that sends: how far a request came, and exceptions of the library as ours."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from cockpit.adapters.http.address import DIRECT
from cockpit.adapters.http.failure import failure_of
from cockpit.errors import AdapterError, ConfigError, OutcomeUnknown, TimedOut, ToolMissing, UsageError
from cockpit.safety.http_request import Location
from cockpit.words import _

if TYPE_CHECKING:
    import httpx

_CONNECT_S = 10.0


def require_library() -> None:
    """See that httpx is there.

    Raises:
        ToolMissing: it is not.
    """
    try:
        found = find_spec("httpx")
    except ValueError:  # of a module that was taken out
        found = None
    if found is None:
        raise ToolMissing(
            _("the Python package {name} is not installed").format(name="httpx"), mend="pip install httpx"
        )


class Wire:
    """Requests without cookies, without credentials of their own, one connection each.

    Args:
        ca_file: an authority beside those of this machine; "" for none.
        timeout_s: the deadline that whoever uses it has set; for messages.
        changes: what is sent may change something, so that without an answer its outcome is not known.
        still_permitted: called once the connection is there, before the first byte of a request; it raises to stop it.
    """

    def __init__(
        self, *, ca_file: str, timeout_s: float, changes: bool, still_permitted: Callable[[], None] = lambda: None
    ) -> None:
        self._ca_file = ca_file
        self._timeout_s = timeout_s
        self._changes = changes
        self._still_permitted = still_permitted
        self._sent = False
        self._answered = False

    def client(self) -> httpx.AsyncClient:
        """A new client.

        Raises:
            ConfigError: the authority can't be read.
        """
        import httpx

        verify = httpx.create_ssl_context()
        if self._ca_file:
            try:
                verify.load_verify_locations(self._ca_file)
            except (OSError, ssl.SSLError) as error:
                told = _("it can't be read: {error}").format(error=error)
                raise ConfigError(told, where=f"ca_file: {self._ca_file}") from error
        return httpx.AsyncClient(verify=verify, limits=httpx.Limits(max_keepalive_connections=0), mounts=DIRECT)

    async def send(
        self, client: httpx.AsyncClient, method: str, place: Location, headers: Sequence[tuple[str, str]], body: bytes
    ) -> httpx.Response:
        """Send one request as it is given; the body of its answer is still to be read.

        Raises:
            UsageError: the address would go out as another one.
        """
        import httpx

        path = place.path.encode("ascii")
        url = httpx.URL(scheme=place.scheme, host=place.host.strip("[]"), port=place.port, raw_path=path)
        if url.raw_path != path:
            raise UsageError(_("the address can't be sent as it stands"), where=place.name)
        self._sent = self._answered = False
        request = httpx.Request(
            method,
            url,
            headers=[(name.encode(), value.encode()) for name, value in headers],
            content=body or None,
            extensions={"timeout": httpx.Timeout(None, connect=_CONNECT_S).as_dict(), "trace": self._trace},
        )
        response = await client.send(request, stream=True, follow_redirects=False)
        self._answered = True
        return response

    async def _trace(self, name: str, _info: Mapping[str, Any]) -> None:
        if name.endswith("send_request_headers.started"):
            self._still_permitted()
            self._sent = True

    @contextmanager
    def mapped(self, where: str) -> Iterator[None]:
        """Exceptions of the library and of the deadline as ours.

        Raises:
            AdapterError: what became of it. OutcomeUnknown: it was sent, may change something, and no answer came.
        """
        import httpx

        try:
            yield
        except (TimeoutError, httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            told = self._too_late(where) if isinstance(error, TimeoutError) else failure_of(error, where)
            if self._sent and self._changes and not self._answered:
                raise OutcomeUnknown(
                    _("the request was sent and no answer came: {why}").format(why=told.what),
                    where=where,
                    mend=_("look before you send it again"),
                ) from error
            raise told from error

    def _too_late(self, where: str) -> AdapterError:
        told = _("the answer did not end within {seconds} s") if self._answered else _("no answer within {seconds} s")
        return TimedOut(
            told.format(seconds=f"{self._timeout_s:g}"),
            where=where,
            mend=_("look at the service's load, or raise the target's timeout_s"),
        )
