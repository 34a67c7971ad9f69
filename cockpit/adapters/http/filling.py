"""Values in a request, each in the form its place takes: escaped in an address, a JSON string in JSON, one line in a
header. What comes out is what is judged, confirmed and sent.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from urllib.parse import quote

from cockpit.errors import UsageError
from cockpit.safety.http_request import Zone, zones
from cockpit.words import _

_MARKER = "cockpitvalue{number}x"
_MARKERS = re.compile(r"cockpitvalue(\d+)x")
_ADDRESS = re.compile(r"[A-Za-z0-9.:_/\[\]%~?&=+,@;!$()*-]+")
_HOST = re.compile(r"[A-Za-z0-9.:_\[\]-]+")
_IN_A_PATH = "/:@!$&'()*+,;=~"
_SCALAR = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?|true|false|null", re.ASCII)
_LIKE_A_COMMENT = re.compile(r"^\s*(?:#|//)", re.MULTILINE)
"""It would end the request, or be left out of it."""
_FORM = re.compile(r"content-type:.*x-www-form-urlencoded", re.IGNORECASE)


def filled_request(text: str, values: Sequence[tuple[re.Pattern[str], str]]) -> str:
    """The block with its values.

    Args:
        values: what to replace, and by what.

    Raises:
        UsageError: a value that can't stand in its place.
    """
    held: list[str] = []
    for pattern, value in values:
        text, found = pattern.subn(_MARKER.format(number=len(held)), text)
        if found:
            held.append(value)
    lines = text.split("\n")
    filled: list[str] = []
    head: list[str] = []
    body: list[str] = []
    for zone, line in zip(zones(lines), lines, strict=True):
        if zone == "separator":
            head, body = [], []
        (body if zone == "body" else head).append(line)
        filled.append(_line(zone, line, head, body, held))
    return "\n".join(filled)


def _line(zone: Zone, line: str, head: Sequence[str], body: Sequence[str], values: Sequence[str]) -> str:
    def value(found: re.Match[str]) -> str:
        before, wanted = line[: found.start()], values[int(found[1])]
        if zone in ("request", "query"):
            return _in_address(before, wanted)
        if zone == "body":
            return _in_body("\n".join([*body[:-1], before]), head, wanted)
        if "\n" in wanted or (zone == "header" and ":" not in before):
            raise _misplaced(wanted)
        return wanted

    return _MARKERS.sub(value, line)


def _in_address(before: str, value: str) -> str:
    method, _blank, begun = before.lstrip().partition(" ")
    begun = begun.lstrip()
    if "?" in begun or method.startswith(("?", "&")):
        return quote(value, safe="")
    _scheme, mark, rest = begun.partition("://")
    if mark and "/" not in rest:
        return _if_it_fits(_HOST, value)
    if begun:
        return quote(value, safe=_IN_A_PATH)
    return _if_it_fits(_ADDRESS, value) if _blank else _if_it_fits(_ADDRESS, "")


def _in_body(before: str, head: Sequence[str], value: str) -> str:
    if before.lstrip()[:1] in ("{", "["):
        if re.sub(r"\\.", "", before).count('"') % 2:
            return json.dumps(value, ensure_ascii=False)[1:-1]
        return value if _SCALAR.fullmatch(value) else json.dumps(value, ensure_ascii=False)
    if any(map(_FORM.match, head)):
        return quote(value, safe="")
    if _LIKE_A_COMMENT.search(value):
        raise _misplaced(value)
    return value


def _if_it_fits(shape: re.Pattern[str], value: str) -> str:
    if not shape.fullmatch(value):
        raise _misplaced(value)
    return value


def _misplaced(value: str) -> UsageError:
    return UsageError(
        _("{value} can't stand in its place in the request").format(value=repr(value[:60])),
        mend=_("edit the request by hand"),
    )
