"""Plain words for what goes wrong between here and an HTTP service."""

from __future__ import annotations

import re
import socket
import ssl
import urllib.request
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cockpit.adapters.http.address import is_of_this_machine
from cockpit.adapters.probing import TEXT_CHARACTERS
from cockpit.errors import AccessDenied, AdapterError, Malformed, TargetUnreachable, TimedOut
from cockpit.words import _, shortened

if TYPE_CHECKING:
    import httpx

# The library has one exception for nonsense and for a connection that ended in the middle of an answer.
_BROKEN = re.compile(r"disconnected|peer closed connection")


def refusal_of(response: httpx.Response, where: str, *, token: str, slower: str) -> AdapterError | None:
    """The error that a status code is, when it says nothing about the service's health: 401, 403, 407 and 429.

    Args:
        token: where a valid one would have to be given.
        slower: how to ask less often; what the service itself says of that is put in front.
    """
    code = response.status_code
    if code in (401, 403, 407):
        return AccessDenied(_("it refuses these credentials ({code})").format(code=code), where=where, mend=token)
    if code == 429:
        wait = shortened(response.headers.get("retry-after", ""), TEXT_CHARACTERS)
        told = _("it says: wait {wait}").format(wait=f"{wait} s" if wait.isdecimal() else wait)
        return AccessDenied(_("it is asked too often (429)"), where=where, mend=f"{told}; {slower}" if wait else slower)
    return None


def failure_of(error: Exception, where: str) -> AdapterError:
    """The error tree's word for an exception of the HTTP library or of the system."""
    import httpx

    chain = tuple(_chain(error))
    via = _proxy_of(where)
    place = f"{where} {via}" if via else where
    tls = next((e for e in chain if isinstance(e, ssl.SSLError)), None)
    if tls is not None:
        return _tls(tls, place)
    if isinstance(error, httpx.TimeoutException):
        return TimedOut(_("it took too long"), where=place, mend=_("look at the service's load"))
    if any(isinstance(e, socket.gaierror) for e in chain):
        return TargetUnreachable(
            _("the name can't be resolved"), where=place, mend=_("check the host name and this machine's DNS")
        )
    if any(isinstance(e, ConnectionRefusedError) for e in chain):
        return TargetUnreachable(
            _("nothing listens there"), where=place, mend=_("is the service running, and on this port?")
        )
    said = shortened(str(error) or type(error).__name__, TEXT_CHARACTERS)
    broken = isinstance(error, httpx.RemoteProtocolError) and _BROKEN.search(str(error))
    if not broken and isinstance(error, httpx.RemoteProtocolError | httpx.DecodingError | httpx.InvalidURL):
        return Malformed(
            _("what answers does not speak HTTP properly: {error}").format(error=said),
            where=place,
            mend=_("look at what listens there"),
        )
    return TargetUnreachable(
        _("the connection broke: {error}").format(error=said),
        where=place,
        mend=_("look at the service and the network between"),
    )


def _tls(error: ssl.SSLError, where: str) -> AdapterError:
    if isinstance(error, ssl.SSLCertVerificationError):
        return TargetUnreachable(
            _("its certificate can't be trusted: {why}").format(why=error.verify_message),
            where=where,
            mend=_("renew it, or point SSL_CERT_FILE at the authority that signed it"),
        )
    return TargetUnreachable(
        _("no secure connection: {why}").format(why=error.reason or error),
        where=where,
        mend=_("is it really https, and not plain http, on this port?"),
    )


def _proxy_of(where: str) -> str:
    """The proxy that the environment puts in between, in words; "" when there is none."""
    parts = urlsplit(where)
    proxies = urllib.request.getproxies()
    if not (proxies.get(parts.scheme) or proxies.get("all")):
        return ""
    host = parts.hostname or ""
    bypassed = is_of_this_machine(host) or urllib.request.proxy_bypass(host)
    return "" if bypassed else _("(through the proxy of the environment)")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [one.__cause__, one.__context__]
        if isinstance(one, BaseExceptionGroup):
            waiting += one.exceptions
