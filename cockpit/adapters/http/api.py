"""JSON APIs of monitoring servers: one address, one sign-in, and nothing but the questions that their adapters ask.

No redirect is followed, for credentials go to nobody else; an answer has a total deadline and a largest size.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from cockpit.adapters.http.address import DIRECT, is_http, shown
from cockpit.adapters.http.body import read_body
from cockpit.adapters.http.failure import failure_of
from cockpit.adapters.probing import TEXT_CHARACTERS
from cockpit.adapters.step_program.credentials import from_environment, from_file, password_from
from cockpit.errors import (
    AccessDenied,
    AdapterError,
    ConfigError,
    Declined,
    Malformed,
    TargetUnreachable,
    TimedOut,
    ToolMissing,
)
from cockpit.words import _

if TYPE_CHECKING:
    import httpx

_ANSWER_CAP_BYTES = 64 << 20
_REFUSED_CAP_BYTES = 1 << 16

Shape = TypeVar("Shape")
Values = Mapping[str, str | list[str]]


class ApiOptions(Struct, frozen=True, kw_only=True):
    """Keys that every target and probe of such a server has. `url` may have a path; the API's stands behind it.

    Signed in with a bearer token, or with user and password.
    """

    url: str
    token_env: str = ""
    token_file: str = ""
    user: str = ""
    password_env: str = ""
    password_file: str = ""
    ca_file: str = ""
    tenant: str = ""
    timeout_s: float = 30.0


class TokenOptions(Struct, frozen=True, kw_only=True):
    """Keys of a server that knows nothing but tokens. `url` is as in `ApiOptions`."""

    url: str
    token_env: str = ""
    token_file: str = ""
    ca_file: str = ""
    timeout_s: float = 30.0

    def as_api(self) -> ApiOptions:
        """What the client of such servers takes."""
        return ApiOptions(
            url=self.url,
            token_env=self.token_env,
            token_file=self.token_file,
            ca_file=self.ca_file,
            timeout_s=self.timeout_s,
        )


def check_options(options: ApiOptions) -> None:
    """Refuse what can't work.

    Raises:
        ConfigError: no http address, credentials in it, or two ways to sign in.
    """
    if not is_http(options.url):
        raise ConfigError(_("not an http address: {url}").format(url=shown(options.url)), mend="http://host:9090")
    parts = urlsplit(options.url)
    if parts.username or parts.password:
        raise ConfigError(_("credentials don't belong into the address"), mend=_("give user and password_env"))
    if parts.query or parts.fragment:
        raise ConfigError(_("give the address without a query"), mend="http://host:9090")
    if (options.token_env or options.token_file) and (options.password_env or options.password_file):
        raise ConfigError(_("give a token or a password, not both"))
    if not 0.1 <= options.timeout_s <= 3600:
        raise ConfigError(_("{value} s is out of range").format(value=options.timeout_s), mend=_("use 0.1 to 3600"))


def credentials_of(options: ApiOptions) -> dict[str, str]:
    """{"token": …} or {"password": …} from where the options say; {} without any.

    Raises:
        ConfigError: what they name is not there.
    """
    if options.token_env and options.token_file:
        raise ConfigError(_("give one of {keys}").format(keys="token_env, token_file"))
    if options.token_env:
        return {"token": from_environment(options.token_env, "token_env")}
    if options.token_file:
        return {"token": from_file(options.token_file, "token_file")}
    return password_from(options.password_env, options.password_file)


class Api:
    """One server. A client is made with the first question and kept until `close`.

    Args:
        credentials: those of `credentials_of`.
        timeout_s: the deadline of a whole answer.
    """

    def __init__(self, options: ApiOptions, credentials: Mapping[str, str], timeout_s: float) -> None:
        self._options = options
        self._credentials = credentials
        self._timeout_s = timeout_s
        self._client: httpx.AsyncClient | None = None
        self.where = shown(options.url.rstrip("/"))

    async def ask(self, path: str, values: Values, shape: type[Shape], *, post: bool = False) -> Shape:
        """The answer at a path below the server's address.

        Args:
            values: of the query string, or of the form with `post`: a long query has no room in an address.

        Raises:
            ToolMissing, TargetUnreachable, TimedOut, AccessDenied, Malformed: as they say.
            Declined: the server says no; the text is the server's own.
        """
        return self._read(await self._answer(path, values, post), shape)

    def _read(self, body: bytes, shape: type[Shape]) -> Shape:
        try:
            return msgspec.json.decode(body, type=shape)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Malformed(
                _("what it answers is not what such a server says: {error}").format(error=str(error)[:200]),
                where=self.where,
                mend=_("look at what answers at this address"),
            ) from error

    async def fetch(self, path: str) -> bytes:
        """The body at a path below the server's address, as it comes. Raises as `ask`."""
        return await self._exchange("GET", path)

    async def close(self) -> None:
        """Let go of connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _answer(self, path: str, values: Values, post: bool) -> bytes:
        if post:
            return await self._exchange("POST", path, data=values)
        return await self._exchange("GET", path, params=values)

    async def _signature(self) -> Mapping[str, str]:
        """Headers of the next request alone, for credentials that don't last."""
        return {}

    async def _exchange(self, method: str, path: str, **content: Any) -> bytes:
        """The body of the answer. Raises as `ask`, but for Malformed of what it says.

        Args:
            content: `params`, `data` or `json`, as httpx has them.
        """
        try:
            import httpx
        except ImportError as error:
            raise ToolMissing(
                _("the Python package {name} is not installed").format(name="httpx"), mend="pip install httpx"
            ) from error
        client = self._client = self._client or self._new_client()
        address = self._options.url.rstrip("/") + path
        request = client.build_request(method, address, headers=await self._signature(), **content)
        begun = False
        try:
            async with asyncio.timeout(self._timeout_s):
                async with aclosing(await client.send(request, stream=True)) as response:
                    begun = True
                    if not response.is_success:
                        raise self._refusal(response, (await read_body(response, _REFUSED_CAP_BYTES))[0])
                    body, whole = await read_body(response, _ANSWER_CAP_BYTES)
        except TimeoutError as error:
            raise TimedOut(
                _("no answer within {seconds:g} s").format(seconds=self._timeout_s),
                where=self.where,
                mend=_("ask for less, or raise timeout_s"),
            ) from error
        except httpx.RemoteProtocolError as error:
            raise self._broken(begun, error) from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise failure_of(error, self.where) from error
        if not whole:
            raise Declined(
                _("the answer is larger than {size} MiB").format(size=_ANSWER_CAP_BYTES >> 20),
                where=self.where,
                mend=_("ask for less: sum, topk, a shorter range"),
            )
        return body

    def _new_client(self) -> httpx.AsyncClient:
        import httpx

        headers = {"user-agent": "incident-cockpit", "accept": "application/json", "accept-encoding": "gzip"}
        if "token" in self._credentials:
            headers["authorization"] = f"Bearer {self._credentials['token']}"
        if self._options.tenant:
            headers["x-scope-orgid"] = self._options.tenant
        password = self._credentials.get("password")
        return httpx.AsyncClient(
            timeout=self._timeout_s,
            follow_redirects=False,
            headers=headers,
            auth=httpx.BasicAuth(self._options.user, password) if password is not None else None,
            verify=self._authority(),
            mounts=DIRECT,
        )

    def _authority(self) -> ssl.SSLContext | bool:
        if not self._options.ca_file:
            return True
        try:
            return ssl.create_default_context(cafile=self._options.ca_file)
        except OSError as error:
            raise ConfigError(_("it can't be read: {error}").format(error=error), where="ca_file") from error

    def _broken(self, begun: bool, error: Exception) -> AdapterError:
        if begun:
            return Malformed(
                _("the answer broke off in the middle"), where=self.where, mend=_("look at the server, and ask again")
            )
        return TargetUnreachable(
            _("the connection broke: {error}").format(error=str(error)[:200]),
            where=self.where,
            mend=_("is it running, and reachable from here?"),
        )

    def _refusal(self, response: httpx.Response, body: bytes) -> AdapterError:
        code = response.status_code
        if 300 <= code < 400:
            onward = shown(response.headers.get("location", ""))[:TEXT_CHARACTERS]
            return Malformed(
                _("it leads elsewhere ({code}: {address}), which is not followed").format(code=code, address=onward),
                where=self.where,
                mend=_("give the final address as url"),
            )
        if code in (401, 403, 407):
            return AccessDenied(
                _("it refuses these credentials ({code})").format(code=code),
                where=self.where,
                mend=_("check token_env, or user and password_env, or tenant"),
            )
        if code == 429:
            return AccessDenied(_("it is asked too often (429)"), where=self.where, mend=_("ask less often"))
        said = _said(body)
        if code in (400, 404, 405, 422) or said.kind:
            return _declined(code, said, self.where)
        return TargetUnreachable(
            _("it is not well: it answers {code}").format(code=code),
            where=self.where,
            mend=_("look at the server, and at what stands in front of it"),
        )


class _Said(Struct, frozen=True):
    """What a refusal says: Prometheus' {"errorType", "error"}, or plain text as Loki gives it."""

    text: str = ""
    kind: str = msgspec.field(default="", name="errorType")


class _Complaint(Struct, frozen=True):
    error: str = ""
    message: str = ""
    kind: str = msgspec.field(default="", name="errorType")


def _said(body: bytes) -> _Said:
    try:
        complaint = msgspec.json.decode(body, type=_Complaint)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        text = body.decode("utf-8", "replace")
        return _Said("" if "<" in text[:200] else text.strip()[:TEXT_CHARACTERS])
    return _Said((complaint.error or complaint.message)[:TEXT_CHARACTERS], complaint.kind)


def _declined(code: int, said: _Said, where: str) -> AdapterError:
    if said.kind in ("timeout", "canceled"):
        return TimedOut(said.text, where=where, mend=_("ask for a shorter range or a larger step"))
    if said.kind in ("unavailable", "internal"):
        return TargetUnreachable(said.text, where=where, mend=_("look at the server's own logs"))
    if code in (404, 405) and not said.kind:
        return Declined(
            _("there is no such API at this address ({code})").format(code=code),
            where=where,
            mend=_("check url, and the path in it"),
        )
    narrower = "too many samples" in said.text or "exceeded maximum resolution" in said.text
    mend = _("ask for a shorter range or a larger step") if narrower else ""
    return Declined(said.text or _("it says no ({code})").format(code=code), where=where, mend=mend)
