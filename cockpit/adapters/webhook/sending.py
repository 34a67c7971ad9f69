"""Posting a message: once, and again only after a 429, with which a service says that it took nothing."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from contextlib import aclosing
from typing import TYPE_CHECKING

from cockpit.adapters.http.body import read_body
from cockpit.adapters.http.wire import Wire
from cockpit.adapters.step_program.page import Page
from cockpit.errors import AccessDenied, AdapterError, Declined, OutcomeUnknown
from cockpit.safety.http_request import Location
from cockpit.words import _

if TYPE_CHECKING:
    import httpx

_HEADERS = [("user-agent", "incident-cockpit"), ("accept-encoding", "identity"), ("connection", "close")]
_JSON = ("content-type", "application/json")
_MOST_TRIES = 3
_SECONDS = re.compile(r"\d{1,6}(?:\.\d{1,6})?")
_SAID_CHARACTERS = 300


class Sending:
    """One message on its way."""

    def __init__(
        self, flavour: str, ca_file: str, timeout_s: float, page: Page, still_permitted: Callable[[], None]
    ) -> None:
        self._discord = flavour == "discord"
        self._wire = Wire(ca_file=ca_file, timeout_s=timeout_s, changes=True, still_permitted=still_permitted)
        self._timeout_s = timeout_s
        self._page = page

    async def run(self, place: Location, payload: bytes) -> None:
        """Post it, and print that it was taken.

        Raises:
            AdapterError: it was not. OutcomeUnknown: perhaps it was.
        """
        deadline_m = time.monotonic() + self._timeout_s
        if self._discord:  # it then answers once the message is there, and with what
            mark = "&" if "?" in place.path else "?"
            place = Location(place.scheme, place.host, place.port, f"{place.path}{mark}wait=true", place.user)
        for last in (*[False] * (_MOST_TRIES - 1), True):
            wait_s = await self._try(place, payload, deadline_m)
            if wait_s is None:
                return
            if last or time.monotonic() + wait_s > deadline_m:
                raise Declined(
                    _("it takes no message now (429)"),
                    where=place.name,
                    mend=_("send it again in {seconds:.0f} s, or by hand").format(seconds=wait_s),
                )
            self._page.line(_("asked to wait {seconds:.1f} s").format(seconds=wait_s))
            await asyncio.sleep(wait_s)

    async def _try(self, place: Location, payload: bytes, deadline_m: float) -> float | None:
        """Post it once; None when it was taken, else how many seconds to wait."""
        with self._wire.mapped(place.name):
            async with asyncio.timeout(max(0.1, deadline_m - time.monotonic())), self._wire.client() as client:
                response = await self._wire.send(client, "POST", place, [*_HEADERS, _JSON], payload)
                if response.is_success:  # whatever becomes of the rest: it is there
                    await response.aclose()
                    self._page.line(_("sent to {place}: {code}").format(place=place.name, code=_code(response)))
                    return None
                async with aclosing(response):
                    said = b"" if response.is_server_error else (await read_body(response))[0]
        if response.status_code == 429:
            written = response.headers.get("retry-after", "")
            return float(written) if _SECONDS.fullmatch(written) else 1.0
        raise _refusal(response, said.decode("utf-8", "replace"), place.name)


def _refusal(response: httpx.Response, said: str, where: str) -> AdapterError:
    told = _("it answered {code}").format(code=_code(response))
    if said.strip():
        told = f"{told}: {said.strip()[:_SAID_CHARACTERS]}"
    if response.status_code in (401, 403, 404, 410):
        mend = _("the webhook may be gone: make a new one, and give its address and not other credentials")
        return AccessDenied(told, where=where, mend=mend)
    if response.is_server_error:
        return OutcomeUnknown(told, where=where, mend=_("look into the channel before you send it again"))
    return Declined(told, where=where)


def _code(response: httpx.Response) -> str:
    return f"{response.status_code} {response.reason_phrase}".strip()


async def enquire(place: Location, ca_file: str, timeout_s: float) -> None:
    """See that something answers there, without a message.

    Raises:
        AdapterError: nothing does.
    """
    wire = Wire(ca_file=ca_file, timeout_s=timeout_s, changes=False)
    with wire.mapped(place.name):
        async with asyncio.timeout(timeout_s), wire.client() as client:
            await (await wire.send(client, "HEAD", place, _HEADERS, b"")).aclose()
