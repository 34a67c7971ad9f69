"""ArgoCD's REST API: its options, what its refusals mean, and a client that sends nothing but reads when it is sealed.

A question that asks for a refresh writes to the application, although it is a GET: it counts as a change.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from msgspec import Struct

from cockpit.adapters.http.api import Api, TokenOptions, check_options
from cockpit.adapters.probing import TEXT_CHARACTERS
from cockpit.adapters.step_program.sent import NotConnected, Sent
from cockpit.errors import AccessDenied, AdapterError, Declined, Malformed, OutcomeUnknown, PolicyRefusal
from cockpit.errors import TargetUnreachable as Unreachable
from cockpit.words import _

if TYPE_CHECKING:
    import httpx

Shape = TypeVar("Shape")
APPLICATIONS = "/api/v1/applications"
_PAUSES_S = (0.3, 0.9, 2.0)
_LONGEST_WAIT_S = 5.0


class ArgocdOptions(TokenOptions, frozen=True, kw_only=True):
    """Keys of a target of kind "argocd", and of a probe."""


def check(options: ArgocdOptions) -> None:
    """Refuse what can't work. Raises as `check_options`."""
    check_options(options.as_api())


class TooOften(AccessDenied):
    """It is asked too often; `wait_s` is what it says to wait."""

    wait_s = 0.0


class _Complaint(Struct, frozen=True):
    message: str = ""
    error: str = ""


class ArgocdApi(Api):
    """One server.

    Args:
        sealed: nothing is sent that may change anything.
        permitted: called before anything is sent that may; raises where it may not be.
        patient: a question that finds the server busy or unwell is put again, three times at most.
    """

    def __init__(
        self,
        options: ArgocdOptions,
        credentials: Mapping[str, str],
        timeout_s: float,
        *,
        sealed: bool = True,
        permitted: Callable[[], None] = lambda: None,
        patient: bool = False,
    ) -> None:
        super().__init__(options.as_api(), credentials, timeout_s)
        self._sealed = sealed
        self._permitted = permitted
        self._pauses_s = _PAUSES_S if patient else ()
        self.sent = Sent()

    async def get(self, path: str, shape: type[Shape], values: Mapping[str, str] | None = None) -> Shape:
        """The answer to a question. Raises as `Api.ask`."""
        for pause_s in self._pauses_s:
            try:
                return await self.ask(path, values or {}, shape)
            except (Unreachable, TooOften) as error:
                if isinstance(error, NotConnected):
                    raise
                told_s = error.wait_s if isinstance(error, TooOften) else 0.0
                own_s = pause_s * random.uniform(0.5, 1.5)  # noqa: S311  # so that many don't come at once
                await asyncio.sleep(min(max(told_s, own_s), _LONGEST_WAIT_S))
        return await self.ask(path, values or {}, shape)

    async def refreshed(self, path: str, shape: type[Shape], values: Mapping[str, str]) -> Shape:
        """The answer to a question that makes the server look at the repository first. Raises as `change`."""
        self._require_open("GET", f"{path}?refresh")
        with self.sent.request(changing=True):
            return await self.ask(path, values, shape)

    async def change(self, method: str, path: str, document: Mapping[str, Any], shape: type[Shape]) -> Shape:
        """Ask for a change. It is sent once.

        Raises:
            PolicyRefusal: this client only reads. OutcomeUnknown: it was sent, and no answer can be read.
        """
        self._require_open(method, path)
        content = {"json": document} if method != "DELETE" else {"params": document}
        try:
            with self.sent.unknown_if_it_breaks(), self.sent.request(changing=True):
                return self._read(await self._exchange(method, path, **content) or b"{}", shape)
        except Malformed as error:
            raise OutcomeUnknown(error.what, where=error.where, mend=_("look before you run it again")) from error

    def _require_open(self, method: str, path: str) -> None:
        if self._sealed:
            raise PolicyRefusal(
                _("only what reads is sent by a step that reads"),
                where=f"{method} {path}",
                mend=_("run it in a live session"),
            )
        self._permitted()

    async def _exchange(self, method: str, path: str, **content: Any) -> bytes:
        try:
            return await super()._exchange(method, path, **content)
        except Unreachable as error:
            import httpx

            if isinstance(error.__cause__, httpx.ConnectError | httpx.ConnectTimeout | httpx.ProxyError):
                raise NotConnected(error.what, where=error.where, mend=error.mend) from error
            raise

    def _refusal(self, response: httpx.Response, body: bytes) -> AdapterError:
        code, said = response.status_code, _said(body)
        if code == 401:
            return AccessDenied(
                _("it refuses these credentials ({code})").format(code=f"401 {said}".strip()),
                where=self.where,
                mend=_("the token of token_env or token_file is missing, has expired, or is another server's"),
            )
        if code == 403:
            return AccessDenied(
                _("these credentials may not do that ({why})").format(why=f"403 {said}".strip()),
                where=self.where,
                mend=_("check the application's name, and the account's role in ArgoCD; it says so of both"),
            )
        if code == 429:
            busy = TooOften(_("it is asked too often (429)"), where=self.where, mend=_("ask less often"))
            wait = response.headers.get("retry-after", "")
            busy.wait_s = float(wait) if wait.isdecimal() else 0.0
            return busy
        if code in (400, 404, 409, 412, 422) and said:
            return Declined(said, where=self.where, mend=_mend(said))
        if code >= 500 and said:
            return Unreachable(
                _("it is not well ({code}): {said}").format(code=code, said=said),
                where=self.where,
                mend=_("look at ArgoCD's own pods and logs"),
            )
        return super()._refusal(response, body)


def _said(body: bytes) -> str:
    try:
        complaint = msgspec.json.decode(body, type=_Complaint)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    return (complaint.message or complaint.error)[:TEXT_CHARACTERS]


def _mend(said: str) -> str:
    if "operation is already in progress" in said:
        return _("wait for it (app wait NAME --operation), or end it (app terminate-op NAME)")
    if "auto-sync" in said:
        return _("switch its automatic sync off first: argocd app set NAME --sync-policy none")
    return _("see what there is: app list") if "not found" in said else ""
