"""Which HTTP requests to a Kubernetes API server only read: the second wall, whatever was judged above it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from cockpit.safety.kubernetes.judgement import READABLE_DOORS
from cockpit.words import _

_SEGMENT = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._:-]*[A-Za-z0-9])?")
_ABOUT_THE_SERVER = re.compile(
    r"/(?:version/?|api/?|apis/?|api/v1/?|apis/[^/]+/?|apis/[^/]+/[^/]+/?|healthz|livez|readyz|openapi/v[23](?:/.*)?)"
)
_MAY_I = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_STEERING = ("impersonate-", "upgrade", "x-http-method", "x-remote-", "sec-websocket")


def refusal_of(method: str, url: str, headers: Mapping[str, str]) -> str:
    """Why a request may change something; empty when it can do nothing but read.

    One POST is let through: the question "may I?", which creates nothing.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or "%" in parts.path or "//" in parts.path:
        return _("the address can't be read")
    steering = [name for name in headers if name.lower().startswith(_STEERING)]
    if steering:
        return _("the header {name} changes what a request does").format(name=steering[0])
    if method == "POST" and parts.path == _MAY_I and not parts.query:
        return ""
    if method not in ("GET", "HEAD"):
        return _("a {method} request may change things").format(method=method)
    if _ABOUT_THE_SERVER.fullmatch(parts.path):
        return ""
    return _refusal_of_object(parts.path)


def _refusal_of_object(path: str) -> str:
    """Hold a path against /api/v1[/namespaces/NS]/RESOURCE[/NAME[/SUBRESOURCE]], and /apis/GROUP/VERSION likewise."""
    segments = path.strip("/").split("/")
    if not all(_SEGMENT.fullmatch(segment) for segment in segments):
        return _("the address can't be read")
    if segments[:2] == ["api", "v1"]:
        rest = segments[2:]
    elif segments[0] == "apis" and len(segments) > 3:
        rest = segments[3:]
    else:
        return _("{path} is no object's address").format(path=path)
    if rest[0] in ("proxy", "watch"):
        return _("{door} acts, whatever verb opens it").format(door=rest[0])
    if rest[0] == "namespaces" and len(rest) > 2 and rest[2] not in ("status", "finalize"):
        rest = rest[2:]
    if len(rest) > 2 and (len(rest) > 3 or rest[2] not in READABLE_DOORS):
        return _("{door} acts, whatever verb opens it").format(door="/".join([rest[0], *rest[2:]]))
    return ""
