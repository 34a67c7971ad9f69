"""A REST API of Google Cloud that is only read: GET, and the two questions that are asked by POST."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from msgspec import Struct

from cockpit.adapters.google.options import GoogleOptions, as_api
from cockpit.adapters.google.tokens import tokens_of
from cockpit.adapters.http.api import Api
from cockpit.adapters.probing import TEXT_CHARACTERS
from cockpit.adapters.prometheus.adapter import QUERY
from cockpit.errors import AccessDenied, AdapterError, Declined, PolicyRefusal
from cockpit.words import _

if TYPE_CHECKING:
    import httpx

Shape = TypeVar("Shape")

_ENTRIES = "/v2/entries:list"
_QUESTIONS = frozenset({_ENTRIES, QUERY})


class _Status(Struct, frozen=True):
    message: str = ""
    status: str = ""


class _Refused(Struct, frozen=True):
    error: _Status = _Status()


class _NoLonger(AccessDenied):
    """The token was refused: another may do."""


class GoogleApi(Api):
    """One API, as who the options say. Anything but a question is refused before it is sent.

    Args:
        url: where it answers.
        timeout_s: the deadline of a whole answer.
    """

    def __init__(self, options: GoogleOptions, url: str, timeout_s: float) -> None:
        super().__init__(as_api(options, url), {}, timeout_s)
        self._tokens = tokens_of(options)

    async def list_entries(self, asked: Mapping[str, Any], shape: type[Shape]) -> Shape:
        """Log entries, which Google lists by POST. Raises as `ask`."""
        return self._read(await self._exchange("POST", _ENTRIES, json=asked), shape)

    async def _exchange(self, method: str, path: str, **content: Any) -> bytes:
        if method != "GET" and not (method == "POST" and path in _QUESTIONS):
            raise PolicyRefusal(_("only questions are sent to Google by a probe"), where=f"{method} {path}")
        token = await self._tokens.token()
        try:
            return await super()._exchange(method, path, **content)
        except _NoLonger:
            self._tokens.spoil(token)
            if await self._tokens.token() == token:
                raise
        return await super()._exchange(method, path, **content)

    async def _signature(self) -> Mapping[str, str]:
        return {"authorization": f"Bearer {await self._tokens.token()}"}

    def _refusal(self, response: httpx.Response, body: bytes) -> AdapterError:
        code, told = response.status_code, _told(body)
        said = told.message[:TEXT_CHARACTERS]
        if code == 401:
            return _NoLonger(
                _("it refuses these credentials ({code})").format(code="401"),
                where=self.where,
                mend=_("gcloud auth login, or renew what token_env, token_file or credentials_file names"),
            )
        if code == 403 and said:
            off = "SERVICE_DISABLED" in body.decode("utf-8", "replace") or "it is disabled" in said
            mend = _("gcloud services enable, by who may do that") if off else _("give this account a viewer's role")
            return AccessDenied(said, where=self.where, mend=mend)
        if code == 429:
            why = f"429 {said}".strip()
            return AccessDenied(
                _("it is asked too often ({why})").format(why=why), where=self.where, mend=_("raise interval_s")
            )
        if code in (400, 404) and said:
            return Declined(said, where=self.where, mend=_("check project, region and the other names"))
        return super()._refusal(response, body)


def _told(body: bytes) -> _Status:
    try:
        return msgspec.json.decode(body, type=_Refused).error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _Status()
