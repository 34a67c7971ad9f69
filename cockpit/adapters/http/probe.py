"""HTTP health: status code, latency, Spring Boot actuator status and components, numbers out of JSON, and the days that
the server's certificate has left.

GET and HEAD only, nothing retried, redirects followed on the same origin alone, at most 1 MiB of decoded body read.
Every look opens a new connection: a kept one says nothing about a service that has just been restarted.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from contextlib import aclosing
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import msgspec
from msgspec import Struct

from cockpit.adapters.http.address import DIRECT, is_http, shown
from cockpit.adapters.http.body import BODY_CAP_BYTES, read_body
from cockpit.adapters.http.certificate import BOUNDS, DAYS, RENEW_DAYS, days_left
from cockpit.adapters.http.failure import failure_of, refusal_of
from cockpit.adapters.http.health import components, status_level, status_of, value_at
from cockpit.adapters.probing import Finding, Value
from cockpit.config.bound import Bound
from cockpit.errors import ConfigError, Malformed, TimedOut
from cockpit.safety.judge import judge
from cockpit.safety.permit import Action, Permit
from cockpit.safety.verdict import Judgement
from cockpit.words import _

if TYPE_CHECKING:
    import ssl

    import httpx

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 3
_SHARE_OF_DEADLINE = 0.95
"""The look ends itself a little before the monitor would end it, and so can say how far it came."""


class HttpOptions(Struct, frozen=True, kw_only=True):
    """Keys of an http probe. `expect_status` empty means any 2xx; `values` names numbers in a JSON answer by path."""

    url: str
    method: Literal["GET", "HEAD"] = "GET"
    headers: dict[str, str] = {}
    expect_status: int | tuple[int, ...] = ()
    values: dict[str, str] = {}


class HttpProbe:
    """One address, looked at with GET or HEAD."""

    Options: ClassVar[type[Struct]] = HttpOptions
    usual_bounds: ClassVar[Sequence[Bound]] = BOUNDS

    def __init__(self, options: HttpOptions, deadline_s: float) -> None:
        self._options = options
        self._deadline_s = deadline_s * _SHARE_OF_DEADLINE
        self._client: httpx.AsyncClient | None = None
        _check(options.url)
        self.where = shown(options.url)
        expected = options.expect_status
        self._expected = frozenset((expected,) if isinstance(expected, int) else expected)

    @property
    def action(self) -> Action:
        """The request line; the target is the address without its credentials."""
        return Action("http", f"{self._options.method} {self._options.url}", self.where)

    @property
    def judgement(self) -> Judgement:
        """GET and HEAD read, unless the address itself says that they act ("/actuator/shutdown")."""
        return judge("http", self.action.body)

    async def look(self, permit: Permit) -> Finding:
        """One request, and what came back. See `Watchable`."""
        permit.covers(self.action)
        import httpx

        client = self._client = self._client or _new_client(self._deadline_s)
        stage = _("no answer")
        begun = time.perf_counter()
        try:
            async with asyncio.timeout(self._deadline_s):
                async with aclosing(await self._answer(client)) as response:
                    stage = _("answered {code}, but the answer did not end").format(code=response.status_code)
                    lasts_days = days_left(response)
                    body, whole = await read_body(response)
        except TimeoutError as error:
            raise TimedOut(
                _("{stage} within {seconds:.1f} s").format(stage=stage, seconds=self._deadline_s),
                where=self.where,
                mend=_("look at the service's load, or raise deadline_s"),
            ) from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise failure_of(error, self.where) from error
        latency_ms = (time.perf_counter() - begun) * 1000
        return self._finding(response, body, whole, latency_ms, lasts_days)

    async def close(self) -> None:
        """Let go of the client."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _answer(self, client: httpx.AsyncClient) -> httpx.Response:
        import httpx

        url = httpx.URL(self._options.url)
        for _hop in range(_MOST_REDIRECTS):
            request = client.build_request(self._options.method, url, headers=self._options.headers)
            response = await client.send(request, stream=True)
            onward = _onward(url, response)
            if onward is None:
                return response
            await response.aclose()
            url = onward
        raise Malformed(_("it redirects in a circle"), where=self.where, mend=_("give the final address"))

    def _finding(
        self, response: httpx.Response, body: bytes, whole: bool, latency_ms: float, lasts_days: float | None = None
    ) -> Finding:
        code = response.status_code
        expected = code in self._expected if self._expected else 200 <= code < 300
        if not expected:
            refusal = refusal_of(
                response, self.where, token=_("give a valid token in the probe's headers"), slower=_("raise interval_s")
            )
            if refusal:
                raise refusal
        document = self._document(response, body, whole, expected)
        status = status_of(document)
        level = status_level(status)
        healthy = expected and level != "red"
        values = [
            Value("latency_ms", round(latency_ms, 1), "ms"),
            Value("status_code", float(code), "", "green" if expected else "red"),
            *([Value("status", status, "", level)] if status else []),
            Value("healthy", healthy, "", "green" if healthy else "red"),
            Value("5xx", code >= 500),
            *([Value(DAYS, lasts_days, "d")] if lasts_days is not None else []),
            *(Value(name, value_at(document, path)) for name, path in self._options.values.items()),
        ]
        rows = components(document)
        down = [f"{row['component']} {row['status']}" for row in rows if row["level"] == "red"][:2]
        head = " ".join(filter(None, (status, str(code), f"{latency_ms:.0f} ms")))
        ends = lasts_days is not None and lasts_days < RENEW_DAYS
        soon = _("certificate ends in {days:.0f} d").format(days=lasts_days) if ends else ""
        return Finding(
            text=" · ".join(filter(None, (head, *down, soon, self._remark(response, whole)))),
            values=tuple(values),
            rows=rows,
            mend=_("renew the certificate") if ends else "",
        )

    def _document(self, response: httpx.Response, body: bytes, whole: bool, expected: bool) -> Any:
        """The JSON of the answer; None when it has none."""
        claimed = "json" in response.headers.get("content-type", "").lower()
        if not whole or self._options.method == "HEAD" or not (claimed or body.lstrip()[:1] in (b"{", b"[")):
            return None
        try:
            return msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            if claimed and expected:
                raise Malformed(
                    _("the answer ({code}) says it is JSON and is not").format(code=response.status_code),
                    where=self.where,
                    mend=_("look at what answers at this address"),
                ) from error
            return None

    def _remark(self, response: httpx.Response, whole: bool) -> str:
        if response.status_code in _REDIRECTS:
            return _("redirects elsewhere, not followed")
        return "" if whole else _("body over {size} KiB").format(size=BODY_CAP_BYTES // 1024)


def _check(url: str) -> None:
    if not is_http(url):
        raise ConfigError(_("not an http address: {url}").format(url=shown(url)), mend=_("write http://host:port/path"))


def _new_client(timeout_s: float) -> httpx.AsyncClient:
    import httpx

    return httpx.AsyncClient(
        verify=_trusted(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")),
        timeout=timeout_s,
        follow_redirects=False,
        limits=httpx.Limits(max_keepalive_connections=0),
        mounts=DIRECT,
        headers={"user-agent": "incident-cockpit", "accept": "application/json, */*", "accept-encoding": "identity"},
    )


@cache
def _trusted(_file: str | None, _folder: str | None) -> ssl.SSLContext:
    """Whom this machine trusts, read once for all probes: it takes some 50 ms, in which the host does nothing else."""
    import httpx

    return httpx.create_ssl_context()


def _onward(url: httpx.URL, response: httpx.Response) -> httpx.URL | None:
    """Where a redirect leads, when that is the same origin; None otherwise: credentials go to nobody else."""
    location = response.headers.get("location")
    if response.status_code not in _REDIRECTS or not location:
        return None
    onward = url.join(location)
    same = (onward.scheme, onward.host, onward.port) == (url.scheme, url.host, url.port)
    return onward.copy_with(username=url.username, password=url.password) if same else None
