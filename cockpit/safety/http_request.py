"""The text of an `http` block as requests: read once, by this one reader, for the judge and for what sends them.

    ### a name, or nothing: what separates requests
    # a comment; # @no-redirect
    GET http://host/path?query HTTP/1.1
      &more=query
    Header: value

    body

Comments stand before the request line, among the headers and after the body; inside a body nothing is a comment.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote, unquote

from msgspec import Struct

from cockpit.errors import UsageError
from cockpit.words import _

Zone = Literal["separator", "blank", "comment", "request", "query", "header", "body"]

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_REQUEST = re.compile(r"([A-Z]{3,16})\s+(\S+)(?:\s+HTTP/[\d.]+)?\s*")
_HEADER = re.compile(r"([!#$%&'*+.^`|~\w-]+):[ \t]*(.*?)[ \t]*", re.ASCII | re.DOTALL)
_AUTHORITY = re.compile(r"(?:([^@/?#]*)@)?(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?")
_ABSOLUTE = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)(.*)", re.DOTALL)
_ANSWER = re.compile(r"^HTTP/[\d.]+ [1-5]\d\d\b", re.MULTILINE)
_STAYS_HERE = re.compile(r"#\s*@no-redirect\b")
_DOTS = re.compile(r"/(?:\.|%2e){1,2}(?:/|$)", re.IGNORECASE)
_NOT_AN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
# What frames a message, or turns its connection into another one, is for the client alone to say.
_FRAMING = frozenset(
    {"transfer-encoding", "upgrade", "te", "trailer", "expect", "keep-alive", "proxy-connection", "http2-settings"}
)
_PORTS = {"http": 80, "https": 443}
_AS_IT_STANDS = "/?:@!$&'()*+,;=~%[]"


class Request(Struct, frozen=True, kw_only=True):
    """One request of a block. `address` is as written, without a fragment; `follows` False: redirects are shown."""

    method: str
    address: str
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    follows: bool = True


@dataclass(frozen=True, slots=True)
class Location:
    """Where a request goes. `path` has the query, as it goes out; `user` is "name:password", decoded."""

    scheme: str
    host: str
    port: int
    path: str
    user: str = ""

    @property
    def origin(self) -> tuple[str, str, int]:
        """What credentials must not leave."""
        return self.scheme, self.host, self.port

    @property
    def name(self) -> str:
        """Host and port, the port only where it is not the scheme's own."""
        return self.host if self.port == _PORTS[self.scheme] else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """The address without user and password."""
        return f"{self.scheme}://{self.name}{self.path}"


def zones(lines: Sequence[str]) -> list[Zone]:
    """What each line of a block is."""
    found: list[Zone] = []
    part = "before"
    for line in lines:
        if line.startswith("###"):
            _let_comments_go(found, lines)
            found.append("separator")
            part = "before"
        elif part == "body":
            found.append("body")
        elif not line.strip():
            found.append("blank")
            part = "body" if part == "head" else part
        elif line.lstrip().startswith(("#", "//")):
            found.append("comment")
        elif part == "before":
            found.append("request")
            part = "head"
        else:
            continues = found[-1] in ("request", "query") and line.lstrip()[:1] in ("?", "&")
            found.append("query" if continues else "header")
    _let_comments_go(found, lines)
    return found


def _let_comments_go(found: list[Zone], lines: Sequence[str]) -> None:
    """Blank lines and comments at the end of a body are none of it."""
    for index in range(len(found) - 1, -1, -1):
        line = lines[index].strip()
        if found[index] != "body" or (line and not line.startswith(("#", "//"))):
            return
        found[index] = "comment" if line else "blank"


def requests_of(text: str) -> tuple[Request, ...]:
    """The requests of a block, in order; at least one.

    Raises:
        UsageError: it is none, or could be read in two ways.
    """
    control = _CONTROL.search(text)
    if control:
        raise UsageError(_("it holds the control character {code}").format(code=f"U+{ord(control[0]):04X}"))
    lines = text.split("\n")
    found: list[Request] = []
    held: list[tuple[Zone, str]] = []
    for zone, line in [*zip(zones(lines), lines, strict=True), ("separator", "")]:
        if zone != "separator":
            held.append((zone, line))
            continue
        if any(kind not in ("blank", "comment") for kind, _line in held):
            found.append(_request(held))
        held = []
    if not found:
        raise UsageError(_("nothing to judge"))
    return tuple(found)


def _request(rows: Sequence[tuple[Zone, str]]) -> Request:
    lines = [line for zone, line in rows if zone == "request"]
    match = _REQUEST.fullmatch(lines[0].strip())
    if match is None:
        raise UsageError(_("it does not begin with a method and an address"), mend=_("write GET http://host/path"))
    if match[1] in ("CONNECT", "TRACE"):
        raise UsageError(_("{method} is not sent").format(method=match[1]))
    more = "".join(line.strip() for zone, line in rows if zone == "query")
    headers = tuple(_header(line) for zone, line in rows if zone == "header")
    body = "\n".join(line for zone, line in rows if zone == "body")
    if body.startswith(("< ", "<@ ")):
        raise UsageError(_("a body is not read from a file"), mend=_("write it into the block"))
    if _ANSWER.search(body):
        raise UsageError(_("an answer is written below the request"), mend=_("leave it out of the block"))
    _check_framing(headers, body)
    follows = not any(zone == "comment" and _STAYS_HERE.search(line) for zone, line in rows)
    address = (match[2] + more).partition("#")[0]
    return Request(method=match[1], address=address, headers=headers, body=body, follows=follows)


def _header(line: str) -> tuple[str, str]:
    if _REQUEST.fullmatch(line.strip()):
        raise UsageError(_("it holds more than one request"), mend=_("put ### between them"))
    match = _HEADER.fullmatch(line)
    if match is None:
        raise UsageError(_("{line} is no header").format(line=repr(line[:60])))
    return match[1], match[2]


def _check_framing(headers: Sequence[tuple[str, str]], body: str) -> None:
    size = str(len(body.encode()))
    for name, value in headers:
        plain = name.lower()
        own = plain == "connection" and value.lower() not in ("close", "keep-alive")
        if plain in _FRAMING or own or (plain == "content-length" and value != size):
            raise UsageError(
                _("the header {name} is the client's own").format(name=name), mend=_("leave it out of the block")
            )
    if sum(name.lower() == "host" for name, _value in headers) > 1:
        raise UsageError(_("it names two hosts"))


def location(request: Request, base_url: str = "") -> Location:
    """Where a request goes.

    Args:
        base_url: what a relative address continues; "" without one.

    Raises:
        UsageError: it can't be read, or is relative without a base, or its Host header says something else.
    """
    found = located(request.address) if "://" in request.address.partition("?")[0] else None
    if found is None:
        if not request.address.startswith("/") or request.address.startswith("//"):
            raise UsageError(_("the address can't be read"), mend=_("write http://host/path"))
        if not base_url:
            raise UsageError(
                _("the address {address} does not say where").format(address=request.address),
                mend=_("write http://host in front, or configure a target of kind http with base_url"),
            )
        base = located(base_url)
        path = base.path.rstrip("/") + _path(request.address)
        found = Location(base.scheme, base.host, base.port, path, base.user)
    host = next((value for name, value in request.headers if name.lower() == "host"), None)
    if host is not None and host.lower() not in (found.name, f"{found.host}:{found.port}"):
        raise UsageError(_("the header Host says {host}, the address {place}").format(host=host, place=found.name))
    return found


def located(address: str) -> Location:
    """Where an absolute address leads.

    Raises:
        UsageError: it is not one of HTTP, or can't be read.
    """
    match = _ABSOLUTE.fullmatch(address)
    if match is None or "\\" in match[2]:
        raise UsageError(_("the address can't be read"), mend=_("write http://host/path"))
    scheme = match[1].lower()
    if scheme not in _PORTS:
        raise UsageError(_("{scheme} is not HTTP").format(scheme=f"{match[1]}://"))
    authority = _AUTHORITY.fullmatch(match[2])
    if authority is None or int(authority[3] or 1) not in range(1, 65536):
        raise UsageError(_("the address can't be read"), mend=_("write http://host/path"))
    port = int(authority[3] or _PORTS[scheme])
    return Location(scheme, authority[2].lower(), port, _path(match[3]), unquote(authority[1] or ""))


def _path(written: str) -> str:
    """Path and query as they go out: what a URL can't hold is escaped, what is escaped stays."""
    path, mark, query = written.partition("?")
    if "\\" in written or _DOTS.search(path):
        raise UsageError(_("the path {path} can be read in two ways").format(path=path))
    whole = _NOT_AN_ESCAPE.sub("%25", (path or "/") + mark + query)
    return quote(whole if whole.startswith("/") else f"/{whole}", safe=_AS_IT_STANDS)
