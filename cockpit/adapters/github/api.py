"""GitHub's REST API: what it answers with, and what its refusals mean.

Only GET leaves a client that is sealed. A rate limit that is used up is remembered: nothing more is asked until it
begins anew, for asking on makes GitHub lock out for longer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from cockpit.adapters.github.options import GithubOptions
from cockpit.adapters.http.address import shown
from cockpit.adapters.http.api import Api, ApiOptions
from cockpit.adapters.probing import TEXT_CHARACTERS
from cockpit.adapters.step_program.sent import NotConnected, Sent
from cockpit.errors import (
    AccessDenied,
    AdapterError,
    Declined,
    Malformed,
    OutcomeUnknown,
    PolicyRefusal,
    TargetUnreachable,
)
from cockpit.words import _

if TYPE_CHECKING:
    import httpx

Shape = TypeVar("Shape")

_VERSION = {"accept": "application/vnd.github+json", "x-github-api-version": "2022-11-28"}
_UNSEEN_S = 60.0
"""How long to wait where GitHub says "too often" and not for how long."""


class Elsewhere(Malformed):
    """What was asked for lies at another address."""

    def __init__(self, where: str, location: str) -> None:
        super().__init__(
            _("the repository has another name or place now: {address}").format(address=shown(location)[:200]),
            where=where,
            mend=_("give its new name in repo"),
        )
        self.location = location


class _Complaint(Struct, frozen=True):
    message: str = ""


class GithubApi(Api):
    """One server as one repository's client.

    Args:
        sealed: only GET is sent.
        permitted: called before anything is sent that may change something; raises where it may not be.
    """

    def __init__(
        self,
        options: GithubOptions,
        credentials: Mapping[str, str],
        timeout_s: float,
        *,
        sealed: bool = True,
        permitted: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(options.as_api(), credentials, timeout_s)
        self._signed_in = "token" in credentials
        self._sealed = sealed
        self._permitted = permitted
        self._scheme = urlsplit(options.url).scheme
        self._timeout = timeout_s
        self._closed_until = 0.0
        self._sent = Sent()

    async def get(self, path: str, shape: type[Shape], values: Mapping[str, str] | None = None) -> Shape:
        """The answer to a question. Raises as `Api.ask`."""
        return await self.ask(path, values or {}, shape)

    async def change(self, method: str, path: str, document: Mapping[str, Any] | None) -> bytes:
        """Ask for a change; the body of the answer, which may be empty.

        Raises:
            PolicyRefusal: this client only reads. OutcomeUnknown: it was sent, and no answer came. Others as `ask`.
        """
        if self._sealed:
            raise PolicyRefusal(_("only GET is sent by a step that reads"), where=f"{method} {path}")
        self._permitted()
        try:
            with self._sent.unknown_if_it_breaks(), self._sent.request(changing=True):
                return await self._exchange(method, path, json=document)
        except Elsewhere:
            raise
        except Malformed as error:  # it began to answer
            raise OutcomeUnknown(error.what, where=error.where, mend=_("look before you run it again")) from error

    async def log(self, path: str) -> bytes:
        """A log, which lies on another host: that gets no token, and is asked over https alone, as this one is."""
        try:
            return await self.fetch(path)
        except Elsewhere as elsewhere:
            parts = urlsplit(elsewhere.location)
            if parts.scheme not in ("https", self._scheme) or not parts.hostname or parts.username:
                raise
        bare = Api(ApiOptions(url=f"{parts.scheme}://{parts.netloc}"), {}, self._timeout)
        try:
            return await bare.fetch(f"{parts.path}?{parts.query}")
        finally:
            await bare.close()

    async def _exchange(self, method: str, path: str, **content: Any) -> bytes:
        if self._closed_until > time.time():
            raise _used_up(self._closed_until, self.where, self._signed_in)
        try:
            return await super()._exchange(method, path, **content)
        except TargetUnreachable as error:
            if _never_sent(error):
                raise NotConnected(error.what, where=error.where, mend=error.mend) from error
            raise

    async def _signature(self) -> Mapping[str, str]:
        return _VERSION

    def _refusal(self, response: httpx.Response, body: bytes) -> AdapterError:
        code, said = response.status_code, _message(body)
        if 300 <= code < 400:
            return Elsewhere(self.where, response.headers.get("location", ""))
        if code in (403, 429) and (until := _closed_until(response.headers, said)):
            self._closed_until = until
            return _used_up(until, self.where, self._signed_in)
        if code == 401:
            return AccessDenied(
                _("it refuses these credentials ({code})").format(code=f"401 {said}".strip()),
                where=self.where,
                mend=_("the token of token_env or token_file has expired, was revoked, or is another server's"),
            )
        if code == 403:
            return self._not_allowed(response, said)
        if code == 404:
            return Declined(
                _("there is no such repository, workflow or run, or this token may not see it (404)"),
                where=f"{self.where}{urlsplit(str(response.url)).path}"[:TEXT_CHARACTERS],
                mend=_("check the name, and that the token may read this repository and its Actions")
                if self._signed_in
                else _("check the name; of what is private nothing is seen without token_env or token_file"),
            )
        if code in (400, 405, 409, 410, 422):
            return Declined(said or _("it says no ({code})").format(code=code), where=self.where)
        return super()._refusal(response, body)

    def _not_allowed(self, response: httpx.Response, said: str) -> AdapterError:
        sign_on = response.headers.get("x-github-sso", "")
        mend = _("give the token the permission Actions: read, or read and write to run something")
        if sign_on.startswith("required"):
            mend = _("authorise the token for the organisation's single sign-on")
        return AccessDenied(
            _("these credentials may not do that ({why})").format(why=f"403 {said}".strip()),
            where=self.where,
            mend=mend,
        )


def _message(body: bytes) -> str:
    with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return msgspec.json.decode(body, type=_Complaint).message[:TEXT_CHARACTERS]
    return ""


def _closed_until(headers: Mapping[str, str], said: str) -> float:
    """When asking may begin anew, in seconds since 1970; 0 where it is no matter of how often."""
    wait, reset = headers.get("retry-after", ""), headers.get("x-ratelimit-reset", "")
    if wait.isdecimal():
        return time.time() + min(int(wait), 86400)
    if headers.get("x-ratelimit-remaining") == "0" and reset.isdecimal():
        return max(float(reset), time.time() + 1)
    return time.time() + _UNSEEN_S if "rate limit" in said.lower() else 0.0


def _used_up(until: float, where: str, signed_in: bool) -> AccessDenied:
    minutes = max(1, round((until - time.time()) / 60))
    at = datetime.fromtimestamp(until, UTC).strftime("%H:%M:%S UTC")
    told = _("it was asked too often: nothing before {at}, in {n} min")
    mend = _("wait, look less often (interval_s), or use a token that nobody else uses")
    if not signed_in:
        mend = _("give token_env or token_file: without one GitHub answers 60 questions an hour")
    return AccessDenied(told.format(at=at, n=minutes), where=where, mend=mend)


def _never_sent(error: BaseException) -> bool:
    import httpx

    return isinstance(error.__cause__, httpx.ConnectError | httpx.ConnectTimeout | httpx.ProxyError)
