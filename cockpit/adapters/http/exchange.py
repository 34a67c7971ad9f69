"""One request and its answer, under one deadline: connecting, redirects and the last byte of the body included."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cockpit.adapters.http.answer import Printer
from cockpit.adapters.http.failure import refusal_of
from cockpit.adapters.http.wire import Wire
from cockpit.adapters.step_program.page import Page
from cockpit.errors import Declined, Malformed, UsageError
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
_OURS = {"user-agent": "incident-cockpit", "accept": "*/*", "accept-encoding": "identity", "connection": "close"}


@dataclass(frozen=True, slots=True)
class Terms:
    """How requests of a step go out.

    `headers` are the target's, by lower-case name; `sealed`: the step was judged to read only; `still_permitted` raises
    when nothing may be changed any more.
    """

    headers: Mapping[str, str]
    ca_file: str
    timeout_s: float
    cap_bytes: int
    sealed: bool
    still_permitted: Callable[[], None]


class Exchange:
    """Sends requests, one connection each: what an earlier answer set or kept open is no part of the next request."""

    def __init__(self, terms: Terms, page: Page) -> None:
        self._terms = terms
        self._page = page
        self._wire = Wire(
            ca_file=terms.ca_file,
            timeout_s=terms.timeout_s,
            changes=not terms.sealed,
            still_permitted=terms.still_permitted,
        )

    async def run(self, request: Request, place: Location) -> None:
        """Send it, print what comes back.

        Raises:
            AdapterError: no answer, not a whole one, or not one of success.
            OutcomeUnknown: it may have been done, and nothing came back.
        """
        printer = Printer(self._page, self._terms.cap_bytes)
        where = f"{request.method} {place.url.partition('?')[0]}"
        try:
            with self._wire.mapped(where):
                async with asyncio.timeout(self._terms.timeout_s), self._wire.client() as client:
                    response = await self._answer(client, request, place, printer)
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
        with self._wire.mapped(place.name):
            async with asyncio.timeout(self._terms.timeout_s), self._wire.client() as client:
                await (await self._wire.send(client, "HEAD", place, list(_OURS.items()), b"")).aclose()

    async def _answer(
        self, client: httpx.AsyncClient, request: Request, place: Location, printer: Printer
    ) -> httpx.Response:
        """The answer, behind redirects of the same origin where it is a plain GET or HEAD."""
        import anyio.lowlevel

        await anyio.lowlevel.checkpoint()  # the client loads its event loop's half on first use: no latency of anybody
        printer.begin()
        for _hop in range(_MOST_REDIRECTS):
            self._page.line(f"> {request.method} {place.url}")
            headers = self._headers(request, place)
            response = await self._wire.send(client, request.method, place, headers, request.body.encode())
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

    def _headers(self, request: Request, place: Location) -> list[tuple[str, str]]:
        headers = [(name, value) for name, value in request.headers if name.lower() not in ("host", "content-length")]
        given = {name.lower() for name, _value in headers}
        if place.user and "authorization" not in given:
            headers.append(("authorization", f"Basic {base64.b64encode(place.user.encode()).decode()}"))
            given.add("authorization")
        others = {**_OURS, **self._terms.headers}
        return headers + [(name, value) for name, value in others.items() if name not in given]

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
