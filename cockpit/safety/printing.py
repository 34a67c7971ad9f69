"""Whether what a command prints is secret: a tag of its verdict says that it reads secrets, this where they go."""

from __future__ import annotations

import re

from cockpit.safety.judge import judge
from cockpit.safety.redaction.printed import ENVIRONMENT, VALUES
from cockpit.safety.verdict import Judgement

_TAG = "sensitive-read"
_TYPED = frozenset({"kubernetes", "helm", "argocd", "aws"})
_SHELLS = frozenset({"bash", "sh", "zsh"})
_VARIABLES = re.compile(r"(?:^|[\s/])(?:printenv|env|pm2)(?:\s|$)|/environ\b|\.env\b")
# Their answers hold much besides, and mark what is secret in it by its name.
_BY_NAME = re.compile(
    r"(?:^|\s)(?:docker|podman|nerdctl|crictl|pg_dump|pg_dumpall|mysqldump|psql|mysql|redis-cli|curl|wget)\b"
)
_SEPARATOR = re.compile(r"\|\||&&|[|;&\n]")
_ASSIGNED = re.compile(r"\b([A-Za-z_]\w*)=\"?\x00")
_SHOWS = re.compile(r"\s*(?:echo|printf|print|cat|base64|jq|yq|tr|cut|sed|awk|head|tail|openssl|xxd|od|tee)\b")


def printed_secrets(language: str, body: str, judgement: Judgement) -> str:
    """VALUES or ENVIRONMENT where what is printed is to be masked value by value; "" where names and shapes do.

    A secret that a variable or an argument takes is not printed: `PGPASSWORD=$(kubectl …) psql …` shows rows.
    """
    if _TAG not in judgement.tags:
        return ""
    if language in _TYPED:
        return VALUES
    if language not in _SHELLS:
        return ""
    outside, captured = _without_captures(body)
    kinds = {_kind_of(segment) for segment in _SEPARATOR.split(outside)}
    if captured and any(_SHOWS.match(segment) for segment in _shown(outside)):
        kinds.add(VALUES)
    return next((kind for kind in (VALUES, ENVIRONMENT) if kind in kinds), "")


def _kind_of(segment: str) -> str:
    text = segment.replace("\x00", "x").strip()
    if not text or _TAG not in judge("bash", text).tags:
        return ""
    if _VARIABLES.search(text):
        return ENVIRONMENT
    return "" if _BY_NAME.search(text) else VALUES


def _shown(outside: str) -> list[str]:
    """Segments with a captured secret in them, itself or by the variable that took it."""
    names = "|".join(_ASSIGNED.findall(outside))
    held = re.compile(rf"\x00|\$\{{?(?:{names})\b" if names else "\x00")
    return [segment for segment in _SEPARATOR.split(outside) if held.search(segment)]


def _without_captures(body: str) -> tuple[str, bool]:
    """The script with a NUL in place of each `$(…)` that reads secrets; whether there is one."""
    outside, at, found = "", 0, False
    while (start := body.find("$(", at)) >= 0:
        end = _closing(body, start + 2)
        inner = body[start + 2 : end]
        secret = _TAG in judge("bash", inner).tags
        found |= secret
        outside += body[at:start] + ("\x00" if secret else body[start : end + 1])
        at = end + 1
    return outside + body[at:], found


def _closing(body: str, at: int) -> int:
    """Where the bracket that is open there closes."""
    depth = 1
    while at < len(body):
        depth += {"(": 1, ")": -1}.get(body[at], 0)
        if not depth:
            return at
        at += 1
    return at
