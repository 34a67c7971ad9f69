"""One request and its answer, under one deadline: connecting, redirects and the last byte of the body included."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import Iterator, Mapping
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cockpit.adapters.http.answer import Printer
from cockpit.adapters.http.failure import failure_of, refusal_of
from cockpit.adapters.step_program.page import Page
from cockpit.errors import AdapterError, ConfigError, Declined, Malformed, OutcomeUnknown, TimedOut, UsageError
from cockpit.safety.http import judge_url
from cockpit.safety.http_request import Location, Request, located
from cockpit.safety.shell.words import Word
from cockpit.safety.verdict import Verdict
from cockpit.words import _

if TYPE_CHECKING:
    import httpx

REDIRECTS = frozenset({301, 302, 303, 307, 308})
FOLLOWED = frozenset({"GET", "HEAD"})
_MOST_REDIRECTS = 5
_CONNECT_S = 10.0
_OURS = {"user-agent": "incident-cockpit", "accept": "*/*", "accept-encoding": "identity", "connection": "close"}


@dataclass(frozen=True, slots=True)
class Terms:
    """How requests of a step go out.

    `headers` are the target's, by lower-case name; `sealed`: the step was judged to read only.
    """

    headers: Mapping[str, str]
    ca_file: str
    timeout_s: float
    cap_bytes: int
    sealed: bool


class Exchange:
    """Sends requests, one connection each: what an earlier answer set or kept open is no part of the next request."""

    def __init__(self, terms: Terms, page: Page) -> None:
        self._terms = terms
        self._page = page
        self._sent = False

    async def run(self, request: Request, place: Location) -> None:
        """Send it, print what comes back.

        Raises:
            AdapterError: no answer, not a whole one, or not one of success.
            OutcomeUnknown: it may have been done, and nothing came back.
        """
        printer = Printer(self._page, self._terms.cap_bytes)
        where = f"{request.method} {place.url.partition('?')[0]}"
        self._sent = False
        answered: httpx.Response | None = None
        try:
            with self._mapped(where, lambda: answered):
                async with asyncio.timeout(self._terms.timeout_s):
                    async with self._client() as client:
                        response = await self._answer(client, request, place, printer)
                        answered = response
                        async with aclosing(response):
                            await printer.body(response)
        finally:
            printer.foot()
        self._require_success(response, request, where)

    async def enquire(self, place: Location) -> None:
        """See that something answers there; what it answers is all the same.

        Raises:
            AdapterError: nothing does.
        """
        request = Request(method="HEAD", address=place.url)
        with self._mapped(place.url, lambda: None):
            async with asyncio.timeout(self._terms.timeout_s), self._client() as client:
                await (await client.send(self._built(request, place), stream=True)).aclose()

    async def _answer(
        self, client: httpx.AsyncClient, request: Request, place: Location, printer: Printer
    ) -> httpx.Response:
        """The answer, behind redirects of the same origin where it is a plain GET or HEAD."""
        import anyio.lowlevel

        await anyio.lowlevel.checkpoint()  # the client loads its event loop's half on first use: no latency of anybody
        printer.begin()
        for _hop in range(_MOST_REDIRECTS):
            self._page.line(f"> {request.method} {place.url}")
            response = await client.send(self._built(request, place), stream=True, follow_redirects=False)
            printer.head(response)
            onward = self._onward(request, place, response)
            if onward is None:
                return response
            await response.aclose()
            place = onward
        raise Malformed(_("it redirects in a circle"), where=place.url, mend=_("give the final address"))

    def _onward(self, request: Request, place: Location, response: httpx.Response) -> Location | None:
        """Where a redirect is followed to: with what was sent, to nobody else, and to nothing that would not have been
        sent in the first place."""
        to = response.headers.get("location", "")
        plain = request.method in FOLLOWED and not request.body and request.follows
        if response.status_code not in REDIRECTS or not to or not plain:
            return None
        try:
            onward = located(str(response.request.url.join(to)))
        except (UsageError, ValueError):
            return None
        reads = judge_url(request.method, Word(onward.path)).verdict is Verdict.READ_ONLY
        if onward.origin != place.origin or (self._terms.sealed and not reads):
            return None
        return Location(*onward.origin, onward.path, place.user)

    def _built(self, request: Request, place: Location) -> httpx.Request:
        import httpx

        url = httpx.URL(
            scheme=place.scheme, host=place.host.strip("[]"), port=place.port, raw_path=place.path.encode("ascii")
        )
        if url.raw_path != place.path.encode("ascii"):
            raise UsageError(_("the address can't be sent as it stands"), where=place.url)
        headers = [(name, value) for name, value in request.headers if name.lower() not in ("host", "content-length")]
        given = {name.lower() for name, _value in headers}
        if place.user:
            token = base64.b64encode(place.user.encode()).decode()
            headers += [("authorization", f"Basic {token}")] if "authorization" not in given else []
        others = {**_OURS, **self._terms.headers}
        headers += [(name, value) for name, value in others.items() if name not in given]
        return httpx.Request(
            request.method,
            url,
            headers=[(name.encode(), value.encode()) for name, value in headers],
            content=request.body.encode() or None,
            extensions={"timeout": httpx.Timeout(None, connect=_CONNECT_S).as_dict(), "trace": self._trace},
        )

    async def _trace(self, name: str, _info: Mapping[str, Any]) -> None:
        if name.endswith("send_request_headers.started"):
            self._sent = True

    def _client(self) -> httpx.AsyncClient:
        import httpx

        verify = httpx.create_ssl_context()
        if self._terms.ca_file:
            try:
                verify.load_verify_locations(self._terms.ca_file)
            except (OSError, ssl.SSLError) as error:
                told = _("it can't be read: {error}").format(error=error)
                raise ConfigError(told, where=f"ca_file: {self._terms.ca_file}") from error
        return httpx.AsyncClient(verify=verify, limits=httpx.Limits(max_keepalive_connections=0))

    @contextmanager
    def _mapped(self, where: str, answered: Any) -> Iterator[None]:
        """Exceptions of the library as ours."""
        import httpx

        try:
            yield
        except (TimeoutError, httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            if isinstance(error, TimeoutError):
                seconds = f"{self._terms.timeout_s:g}"
                told: AdapterError = TimedOut(
                    _("the answer did not end within {seconds} s").format(seconds=seconds)
                    if answered()
                    else _("no answer within {seconds} s").format(seconds=seconds),
                    where=where,
                    mend=_("look at the service's load, or raise the target's timeout_s"),
                )
            else:
                told = failure_of(error, where)
            if self._sent and not self._terms.sealed and answered() is None:
                raise OutcomeUnknown(
                    _("the request was sent and no answer came: {why}").format(why=told.what),
                    where=where,
                    mend=_("look before you send it again"),
                ) from error
            raise told from error

    def _require_success(self, response: httpx.Response, request: Request, where: str) -> None:
        if response.is_success:
            return
        refusal = refusal_of(
            response,
            where,
            token=_("give the target a valid token_env or headers_env"),
            slower=_("ask less often"),
        )
        if refusal:
            raise refusal
        code = f"{response.status_code} {response.reason_phrase}".strip()
        if response.status_code in REDIRECTS:
            mend = _("what is asked for there is another request: write it down as one")
            raise Declined(_("it redirects ({code}), which is not followed").format(code=code), where=where, mend=mend)
        changed = response.is_server_error and not self._terms.sealed and request.method not in FOLLOWED
        mend = _("it may have been done all the same: look before you send it again") if changed else ""
        raise Declined(_("it answered {code}").format(code=code), where=where, mend=mend)
