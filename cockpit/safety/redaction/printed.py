"""What a command prints that was run to read secrets: every value is taken for one. Stdlib only: the runner uses it.

Nobody told the values, and base64 or a passphrase look like nothing. So it is the other way round here: names, headings
and what can't be a secret stay readable, and the rest is masked, value by value.
"""

from __future__ import annotations

import re

from cockpit.safety.redaction.late_pattern import LatePattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cockpit.safety.redaction.redactor import Redactor

VALUES = "values"
"""Secrets are what it prints: those of a Kubernetes Secret, of a vault."""
ENVIRONMENT = "environment"
"""Variables, some of which are secret: what is plainly a word, a path, an address stays readable."""

_MASK = b"[redacted:printed-secret]"
_SHORTEST = 8
_HELD_BYTES = 256 * 1024

_PAIR = LatePattern(rb"""(?P<head>"(?P<key>[^"\\\r\n]{1,253})"[ \t]{0,8}:[ \t]{0,8}")(?P<v>(?:[^"\\\r\n]|\\.)+)(?=")""")
_IN_JSON = LatePattern(rb"""[ \t]*"(?P<v>(?:[^"\\\r\n]|\\.)+)",?[ \t]*""")
_KEYED = LatePattern(
    rb"""(?P<head>[ \t+*-]*(?:export[ ]|declare[ ]-x[ ])?["']?(?P<key>[A-Za-z_][\w./-]{0,252})["']?"""
    rb"""(?:[ \t]{0,8}(?:=>|=(?!=?[ \t]*\Z)|:)[ \t]{0,32}|[ \t]{2,64}|\t))"""
    rb"""(?P<quote>["']?)(?P<v>[^\r\n]+?)(?P=quote),?[ \t]*"""
)
_HEADING = LatePattern(rb"[=\-+ ]*[A-Z][A-Za-z ]{0,40}[=\-+ ]*|[=\-+| ]+|[A-Z][A-Z-]*(?: {2,}[A-Z][A-Z-]*)+ *")
_PROMPT = LatePattern(rb"[:?>$#%][ ]\Z")
# Of the objects that hold secrets: what else is told of them.
_HARMLESS_KEY = LatePattern(
    rb"""kind|apiversion|api_version|name|namespace|type|creationtimestamp|uid|resourceversion|generation|managedfields
    |manager|operation|time|fieldstype|server|cluster|user|context|current-context|arn|versionid|version|versionstages
    |createddate|created_time|deletion_time|destroyed|lastmodifieddate|datatype|request_id|lease_id|lease_duration
    |renewable|mount_type|warnings|labels|annotations|immutable
    |path|home|pwd|oldpwd|shell|lang|language|lc_\w+|user|logname|term|hostname|tz|shlvl|ls_colors|cockpit_run
    |\w+_(?:host|port|name|path|dir|env|region|zone|level|mode|version|user|color|colors|home|editor|pager)""",
    re.VERBOSE | re.IGNORECASE,
)
_HARMLESS = LatePattern(
    rb"""\d{4}-\d\d-\d\d(?:[T ][\d:.]+(?:Z|[+-][\d:]+)?)?|\d+[ ](?:bytes?|keys?)|true|false|null|none|<[\w -]*>|n/a
    |\[[\w: -]+\]|secrets?/[a-z0-9.-]+|\$\{?\w+\}?|[\[\]{}()|>,;]+|arn:aws[\w-]*:[\w:/+=,.@-]+""",
    re.VERBOSE | re.IGNORECASE,
)
_PLAIN_WORD = LatePattern(
    rb"""[\d.,:%/+-]+[A-Za-z]{0,3}|[~.]?(?:/[\w.@+-]+)+/?(?::(?:[~.]?(?:/[\w.@+-]+)+/?)?)*|[\w.+-]+@[\w-]+(?:\.[\w-]+)+
    |[a-z+]{2,16}://[\w.-]+(?::\d+)?(?:/[\w./-]{0,64})?|[\w-]{1,64}(?:\.[\w-]{1,64})*\.[a-z]{2,12}(?::\d+)?
    |-{0,2}[A-Za-z]{1,24}\d{0,4}[a-z]?(?:[-_.,:=/+][A-Za-z]{0,24}\d{0,4}[a-z]?){0,12}""",
    re.VERBOSE,
)


class PrintedSecrets:
    """Masks one stream. What comes out are whole lines, but for the last.

    Args:
        redactor: what masks known values and shapes first; its stream is this one.
        kind: VALUES or ENVIRONMENT.
    """

    def __init__(self, redactor: Redactor, kind: str) -> None:
        self._redactor = redactor
        self._kind = kind
        self._held = b""
        self._swallowing = False

    def feed(self, chunk: bytes) -> bytes:
        """Take the next bytes; return the lines that are whole now, masked."""
        lines = (self._held + self._redactor.feed(chunk)).split(b"\n")
        self._held = lines.pop()
        out = b"".join(self._line(line) + b"\n" for line in lines)
        if len(self._held) > _HELD_BYTES:
            out += b"" if self._swallowing else _MASK
            self._held, self._swallowing = b"", True
        return out

    def idle(self) -> bytes:
        """Of a line that is not whole only a prompt is shown: any other beginning may be a secret's."""
        self._held += self._redactor.idle()
        if self._swallowing or not _PROMPT.now.search(self._held):
            return b""
        prompt, self._held = self._masked(self._held), b""
        return prompt

    def flush(self) -> bytes:
        """The stream ended: the rest."""
        line = self._held + self._redactor.flush()
        self._held = b""
        return self._line(line) if line else b""

    def _line(self, line: bytes) -> bytes:
        if self._swallowing:
            self._swallowing = False
            return b""
        body = line.rstrip(b"\r")
        # The variables of /proc/PID/environ end in NUL.
        return b"\0".join(map(self._masked, body.split(b"\0"))) + line[len(body) :]

    def _masked(self, line: bytes) -> bytes:
        pairs, count = _PAIR.now.subn(self._pair, line)
        if count:
            return pairs
        keyed = _IN_JSON.now.fullmatch(line) or _KEYED.now.fullmatch(line)
        if keyed is None:
            return line if _HEADING.now.fullmatch(line) else self._value(line)
        start, end = keyed.span("v")
        key = keyed.groupdict().get("key") or b""
        if not _is_plain(key):  # no name, but a secret with an equals sign in it
            return self._value(line)
        return line[:start] + self._value(line[start:end], key) + line[end:]

    def _pair(self, match: re.Match[bytes]) -> bytes:
        return match["head"] + self._value(match["v"], match["key"])

    def _value(self, value: bytes, key: bytes = b"") -> bytes:
        bare = value.strip()
        if len(bare) < _SHORTEST or _HARMLESS.now.fullmatch(bare) or (key and _HARMLESS_KEY.now.fullmatch(key)):
            return value
        if self._kind == VALUES:
            return value.replace(bare, _MASK)
        words = bare.split(b" ")
        return value.replace(bare, b" ".join(word if _is_plain(word) else _MASK for word in words))


def _is_plain(word: bytes) -> bool:
    return (
        len(word) < _SHORTEST
        or _HARMLESS.now.fullmatch(word) is not None
        or _PLAIN_WORD.now.fullmatch(word) is not None
    )
