"""Secrets that run over several lines: private keys, what a Kubernetes Secret holds, folded base64. Stdlib only.

Lines are read one after another and leave a state behind, so that where a stream was cut makes no difference.
"""

from __future__ import annotations

import base64
import binascii
import re

from cockpit.safety.redaction.folds import Folds, Rests
from cockpit.safety.redaction.late_pattern import LatePattern
from cockpit.safety.redaction.spellings import Span

PEM_BEGIN = b"-----BEGIN "
_PEM_BEGIN = LatePattern(rb"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----")
_PEM_END = LatePattern(rb"-----END [A-Z0-9 ]{0,40}-----")
_PEM_BODY = LatePattern(
    rb"""[ \t"'+|>-]*(?:[A-Za-z0-9+/=\\]{0,4096}|[A-Za-z-]{1,24}: [^\r\n]{0,128})[ \t"',+\\n]*\r?\n?"""
)
_PEM_LONG_TAIL = LatePattern(rb"[A-Za-z0-9+/]{40,}={0,2}(?=[ \t\"',]*\r?\n?\Z)")

_OPENS = LatePattern(
    rb"""(?P<pad>[+-]?[ \t]*(?:-[ ]+)*)(?P<quote>"?)(?P<key>data|binaryData|stringData)(?P=quote):"""
    rb"""[ \t]*(?P<brace>\{?)[ \t]*\r?\n?"""
)
_DATA = LatePattern(rb"ata\\{0,3}\"?:")
_ENTRY = LatePattern(
    rb"""[+-]?[ \t]*"?[\w.-]{1,253}"?:[ \t]+(?P<quote>["']?)(?P<v>[^\r\n]*?)(?P=quote),?[ \t]*\r?\n?"""
)
_BLOCK_SCALAR = re.compile(rb"[|>][+-]?\d?")
_BASE64 = LatePattern(rb"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_SECRET_IN_A_LINE = LatePattern(rb"""kind\\*":[ ]?\\*"Secret\\*\"""")
_DATA_IN_A_LINE = LatePattern(rb"""(?:data|stringData)\\*":[ ]?\{[^{}\r\n]{0,65536}""")
_VALUE_IN_A_LINE = LatePattern(rb"""\\*":[ ]?\\*"(?P<v>[^"\\\r\n]{4,})""")
_LINE_BYTES_AT_LEAST = 16
_KINDS = bytes(0 if chr(byte).isdigit() else 1 if chr(byte).isupper() else 2 for byte in range(256))
_EACH_LINE = re.compile(rb"[^\n]*\n|[^\n]+")

Data = tuple[int, bool, bool]
"""The indent of a Kubernetes `data:`, whether it is JSON, and whether its values are plain text."""
State = tuple[bool, "Data | None", "Rests"]
"""Whether a private key is under way, the `data:` that is, and how a folded known value would go on."""

AT_THE_START: State = (False, None, ())


class Blocks:
    """Finds what one line alone does not give away.

    Args:
        cores: known values' pieces of base64.
    """

    def __init__(self, cores: tuple[bytes, ...]) -> None:
        self._folds = Folds(cores) if cores else None

    def scan(self, block: bytes, state: State) -> tuple[list[Span], State]:
        """Spans in the block, and what it leaves behind. A span without a name is taken away and leaves no mask."""
        in_key, data, rests = state
        spans: list[Span] = []
        if self._folds:
            spans, rests = self._folds.scan(block, rests)
        if in_key or data or PEM_BEGIN in block or _DATA.now.search(block):
            found, in_key, data = _by_line(block, in_key, data)
            spans += found
        return spans, (in_key, data, rests)

    def may_begin(self, line: bytes, state: State) -> int:
        """From where on a line that is not whole yet may turn out to be a secret."""
        in_key, data, rests = state
        if in_key or data:
            return 0
        limit = self._folds.may_begin(line, rests) if self._folds else len(line)
        # In a line of JSON the kind comes after what it is the kind of.
        opens = _DATA_IN_A_LINE.now.search(line) if b"apiVersion" in line else None
        return min(limit, opens.start()) if opens else limit


def _by_line(block: bytes, in_key: bool, data: Data | None) -> tuple[list[Span], bool, Data | None]:
    spans: list[Span] = []
    at = 0
    for line in _EACH_LINE.findall(block):
        found, in_key = _key_line(line, in_key)
        if not found and not in_key:
            found, data = _data_line(line, data)
        spans += [(at + start, at + end, name) for start, end, name in found]
        at += len(line)
    return spans, in_key, data


# -- private keys


def _key_line(line: bytes, in_key: bool) -> tuple[list[Span], bool]:
    if in_key:
        return _inside_key(line)
    begin = _PEM_BEGIN.now.search(line)
    if begin is None or _PEM_END.now.search(line, begin.end()):
        return [], False
    return [(begin.start(), len(line.rstrip(b"\n")), "pem")], True


def _inside_key(line: bytes) -> tuple[list[Span], bool]:
    end = _PEM_END.now.search(line)
    if end:
        gone = end.end() if line[end.end() :].strip() else len(line)
        return [(0, gone, "")], False
    if _PEM_BODY.now.fullmatch(line):
        return [(0, len(line), "")], True
    tail = _PEM_LONG_TAIL.now.search(line)
    return ([(tail.start(), tail.end(), "pem")], True) if tail else ([], False)


# -- Kubernetes


def _data_line(line: bytes, data: tuple[int, bool, bool] | None) -> tuple[list[Span], tuple[int, bool, bool] | None]:
    if data is not None and _goes_on(line, data):
        return _entry(line, plain=data[2]), data
    opens = _OPENS.now.fullmatch(line) if b"ata" in line else None
    if opens and bool(opens["quote"]) == bool(opens["brace"]):
        return [], (len(opens["pad"].expandtabs()), bool(opens["brace"]), opens["key"] == b"stringData")
    return _secret_in_a_line(line), None


def _goes_on(line: bytes, data: tuple[int, bool, bool]) -> bool:
    indent, is_json, _plain = data
    body = line.lstrip(b"+-").strip()
    if is_json:
        return not body.startswith(b"}")
    return not body or _indent(line) > indent


def _indent(line: bytes) -> int:
    return len(line) - len(line[1:].lstrip() if line[:1] in b"+-" else line.lstrip())


def _entry(line: bytes, *, plain: bool) -> list[Span]:
    entry = _ENTRY.now.fullmatch(line)
    start, end = entry.span("v") if entry else (len(line) - len(line.lstrip()), len(line.rstrip()))
    value = line[start:end]
    if entry is None and not plain and len(value) < _LINE_BYTES_AT_LEAST:
        return []
    if _BLOCK_SCALAR.fullmatch(value) or not (len(value) >= 6 if plain else is_packed(value)):
        return []
    return [(start, end, "kubernetes-secret")]


def _secret_in_a_line(line: bytes) -> list[Span]:
    if b"Secret" not in line or not _SECRET_IN_A_LINE.now.search(line):
        return []
    return [
        (*value.span("v"), "kubernetes-secret")
        for data in _DATA_IN_A_LINE.now.finditer(line)
        for value in _VALUE_IN_A_LINE.now.finditer(line, data.start() + 4, data.end())
    ]


def is_packed(value: bytes) -> bool:
    """Whether it is base64 of a text, or long and mixed enough to be base64 of something."""
    if len(value) < 8 or not _BASE64.now.fullmatch(value):
        return False
    try:
        text = base64.b64decode(value, validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        kinds = value.translate(_KINDS)
        changes = sum(kinds[at] != kinds[at - 1] for at in range(1, len(kinds)))
        return len(value) >= 24 and changes > 0.4 * len(value)
    return all(char.isprintable() or char in "\t\r\n" for char in text)
