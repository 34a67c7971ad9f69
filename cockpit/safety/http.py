"""HTTP requests: the method decides, and what the address says can only make it worse."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from cockpit.safety.shell.words import Word
from cockpit.safety.verdict import Judgement, destructive, mutating, reading, unknown
from cockpit.words import _

_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_CHANGES = frozenset({"POST", "PUT", "PATCH"})
_REQUEST = re.compile(r"([A-Z]{3,10})\s+(\S+)(?:\s+HTTP/[\d.]+)?\s*")
_OVERRIDES = re.compile(r"\s*(?:x-)?(?:http-)?method(?:-override)?\s*[:;]|@", re.IGNORECASE)
# A GET may act all the same; these words in a path, or asked for in a query, say so.
_ACTS = re.compile(
    r"/_?(?:shutdown|restart|reboot|delete|remove|destroy|drop|purge|flush|reset|rollback|deploy|trigger|kill|stop|terminate"
    r"|logout|clear|execute|exec|disable|unlock|quit|quitquitquit|abort|drain\w*|failover|promote|reload)(?:/|$|\?)"
    r"|[?&](?:action|cmd|command|op|operation|do|_?method)="
    r"(?!(?:get|list|show|status|stat|info|read|view|describe|search|query)(?:&|$))",
    re.IGNORECASE,
)
_METADATA = re.compile(
    r"(?:169\.254\.169\.254|metadata\.google\.internal)(?::\d+)?/.*(?:credential|token|user-data|userdata|identity)"
)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


def overrides_method(header: str) -> bool:
    """Whether a header makes a server take the request for another method, or comes from a file that can't be seen."""
    return _OVERRIDES.match(header) is not None


def judge_url(method: str, url: Word) -> Judgement:
    """Judge one request. The URL may be known in part only: then its known beginning counts."""
    tags = ("network-egress",)
    if method == "DELETE":
        return destructive(_("a DELETE request can't be undone"), *tags)
    if method in _CHANGES:
        return mutating(_("a {method} request may change things").format(method=method), *tags)
    if method not in _READS:
        return unknown(_("the method {method} is not known to be read-only").format(method=method or "?"), *tags)
    scheme = _SCHEME.match(url.text)
    if scheme and scheme[0].lower() not in ("http://", "https://"):
        return unknown(_("{scheme} is not HTTP").format(scheme=scheme[0]), *tags)
    if _ACTS.search(url.text):
        return unknown(_("the address says that this {method} acts").format(method=method), *tags)
    return reading(*tags, *(("sensitive-read",) if _METADATA.search(url.text) else ()))


def judge_request(text: str) -> Judgement:
    """Judge the text of a request block: `GET http://host/path`, then headers, then a body."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith(("#", "//"))]
    if not lines:
        return unknown(_("nothing to judge"))
    match = _REQUEST.fullmatch(lines[0].strip())
    if match is None:
        return unknown(_("it does not begin with a method and an address"))
    if any(_REQUEST.fullmatch(line.strip()) or line.startswith("###") for line in lines[1:]):
        return unknown(_("it holds more than one request"))
    headers = lines[1:]
    if any(overrides_method(header) for header in headers):
        return unknown(_("a header tells the server to take the request for another method"), "network-egress")
    address = match[2]
    if not address.startswith("/"):
        try:
            host = urlsplit(address).hostname
        except ValueError:
            host = None
        if not host and "{" not in address:
            return unknown(_("the address can't be read"))
    return judge_url(match[1], Word(address))
