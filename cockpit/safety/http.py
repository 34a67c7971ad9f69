"""HTTP requests: the method decides, and what the address and the headers say can only make it worse."""

from __future__ import annotations

import re
from urllib.parse import unquote

from cockpit.errors import UsageError
from cockpit.safety.http_request import Request, location, requests_of
from cockpit.safety.shell.words import Word
from cockpit.safety.verdict import Judgement, Verdict, destructive, mutating, reading, unknown, worst
from cockpit.words import _

_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_CHANGES = frozenset({"POST", "PUT", "PATCH"})
# Servers take - and _ in a header's name for the same; the address that some proxies believe more than the line is
# another one than was judged.
_OVERRIDES = re.compile(
    r"\s*(?:x[-_])?(?:forwarded[-_]|original[-_])?(?:http[-_])?method(?:[-_]override)?\s*[:;]"
    r"|\s*x[-_](?:original|rewrite|override|forwarded)[-_](?:url|uri|path)\s*[:;]|@",
    re.IGNORECASE,
)
# A GET may act all the same; these words in a path, or asked for in a query, say so.
_ACTS = re.compile(
    r"/_?(?:shutdown|restart|reboot|delete|remove|destroy|drop|purge|flush|reset|rollback|deploy|trigger|kill|stop|terminate"
    r"|logout|clear|execute|exec|disable|unlock|quit|quitquitquit|abort|drain\w*|failover|promote|reload)"
    r"(?:/|$|[?;]|[-_.](?!\w*(?:status|history|list|info))|(?-i:[A-Z]))"
    r"|/_?(?:start|run|enable|cancel|retry|requeue|replay|rebuild|reindex|scale|approve|send|notify|publish|restore"
    r"|upgrade|unsubscribe|revoke|rotate|pause|resume|evict|cordon|create|update)/?(?:$|[?;])"
    r"|[?&;](?:action|cmd|command|op|operation|do|_?method|(?:x[-_])?http[-_]?method(?:[-_]override)?)="
    r"(?!(?:get|list|show|status|stat|info|read|view|describe|search|query)(?:&|$))",
    re.IGNORECASE,
)
_METADATA = re.compile(
    r"(?:169\.254\.169\.254|metadata\.google\.internal)(?::\d+)?/.*(?:credential|token|user-data|userdata|identity)"
)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_BLANK = re.compile(r"\{\{|[<{$]")


def overrides_method(header: str) -> bool:
    """Whether a header makes a server take the request for another one, or comes from a file that can't be seen."""
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
    # Servers decode, some of them twice.
    if any(_ACTS.search(form) for form in (url.text, unquote(url.text), unquote(unquote(url.text)))):
        return unknown(_("the address says that this {method} acts").format(method=method), *tags)
    return reading(*tags, *(("sensitive-read",) if _METADATA.search(url.text) else ()))


def judge_request(text: str) -> Judgement:
    """Judge the text of a request block: `GET http://host/path`, then headers, then a body; several between ###."""
    try:
        return worst([_judge_one(request) for request in requests_of(text)])
    except UsageError as error:
        return unknown(error.what, "network-egress")


def _judge_one(request: Request) -> Judgement:
    judged = judge_url(request.method, Word(request.address))
    if judged.verdict is not Verdict.READ_ONLY:
        return judged
    if any(overrides_method(f"{name}:") for name, _value in request.headers):
        return unknown(_("a header tells the server to take the request for another one"), "network-egress")
    if request.body:
        return unknown(_("a {method} with a body").format(method=request.method), "network-egress")
    if not _BLANK.search(request.address.partition("?")[0]):
        hosts = [value for name, value in request.headers if name.lower() == "host"]
        location(request, f"http://{hosts[0] if hosts else 'base'}")
    return judged
