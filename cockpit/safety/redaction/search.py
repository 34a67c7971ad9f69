"""Where in a block of lines secrets stand, each within its line. Stdlib only."""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property, partial

from cockpit.safety.redaction.late_pattern import LatePattern
from cockpit.safety.redaction.rules import CASED, LONG, LOWERED, TOKEN_STARTS, SecretRule
from cockpit.safety.redaction.sieve import Sieve
from cockpit.safety.redaction.spellings import COLOURED, QUOTED, QUOTED_TWICE, SLASHED, WIDE, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cockpit.safety.redaction.forms import Forms

KNOWN = "known-secret"
LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"
"""Of base64 in both its spellings, of hex, and of most tokens."""

_ALIKE = bytes(97 if byte in LETTERS else 32 for byte in range(256))
_LONG_BYTES = 16
_BEFORE_BYTES = 5
_LAST_TOKEN = LatePattern(rb"[A-Za-z0-9._-]{1,64}\Z")
_PORT = re.compile(rb":\d{1,5}")
# What a secret might go on with: letters and digits for most, a host for the password of an address.
_GOING_ON = (b"Aa0Bb1Cc2Dd3Ee4Ff5Gg6Hh7Ii8Jj9Kk0", b"Aa0Bb1Cc2Dd3Ee4Ff5Gg6@h")


_CUT_MARKS = ("…".encode(), b"...")
# A character that is written as several may be cut in two as well; some leave a blank before the mark.
_OPEN = LatePattern(rb"(?:%[0-9a-fA-F]{0,3}|\\*u[0-9a-fA-F]{0,4}|\\+|&[#a-z0-9]{0,6}|'[\"']{0,3}|[\"]| )?\Z")
_OPEN_BYTES = 8
_OPENING = b"%\\&'\""
_CUT_MARK = LatePattern(rb"\.\.\.|" + "…".encode())
_CUT_MARK_BYTES = b" " + b"".join(_CUT_MARKS)
_CUT_BYTES = 4
"""So much of a known value, and it counts as one, where a mark says that its rest was cut off."""


class Search:
    """Finds secrets in lines. Knows the exact values; has no state.

    Args:
        forms: of the exact values.
    """

    def __init__(self, forms: Forms) -> None:
        self._forms = forms
        dense = tuple(form for form in forms.plain if not form.strip(LETTERS))
        self._packed = frozenset(forms.packed) - frozenset(dense)
        self._in_letters = Sieve((*dense, *forms.packed))
        self._loose = tuple(form for form in forms.plain if form.strip(LETTERS))
        self._run_bytes = min([_LONG_BYTES, *map(len, (*dense, *forms.packed))])
        self._spelled = (
            (WIDE, forms.plain),
            (SLASHED, forms.unslashed),
            (QUOTED, forms.unquoted),
            (QUOTED_TWICE, forms.unquoted),
        )
        self._everything = (*forms.plain, *forms.packed, *forms.unslashed, *forms.unquoted)
        self.longest = max(map(len, self._everything), default=0)

    def spans(self, block: bytes) -> list[Span]:
        """Where secrets stand in the block: in order, not overlapping."""
        found = [*(COLOURED.found(block, self._found) if COLOURED.used_in(block) else self._found(block))]
        for spelling, forms in self._spelled:
            if forms and spelling.used_in(block):
                found += spelling.found(block, partial(self._in_another_spelling, forms))
        if self._everything:
            found += self._cut_short(block)
        return joined(found) if found else found

    def may_begin(self, line: bytes, spans: list[Span]) -> int:
        """From where on a line that is not whole yet may turn out to be a secret."""
        limits = [len(line)]
        if spans and spans[-1][1] == len(line):
            limits.append(spans[-1][0])
        whole = COLOURED.whole(line)
        plain = COLOURED.plain(whole)
        beginning = self._beginning(plain)
        if beginning < len(plain):
            limits.append(COLOURED.places(whole).of(beginning))
        return min(limits)

    def _beginning(self, plain: bytes) -> int:
        limits = [len(plain), self._known_prefix(plain)]
        token = _LAST_TOKEN.now.search(plain)
        if token and any(start.startswith(token[0]) or token[0].startswith(start) for start in TOKEN_STARTS):
            limits.append(token.start())
        key = plain.rfind(b"-----BEGIN")
        if key >= 0 and b"-----END" not in plain[key:]:
            limits.append(key)
        for more in _GOING_ON:
            for start, end, name in self.spans(plain + more):
                if start < len(plain) < end and not (name == "url-userinfo" and _PORT.fullmatch(plain, start - 1)):
                    limits.append(start)
        return min(limits)

    def _known_prefix(self, line: bytes) -> int:
        """Where the end of the line begins to be a known value, in any of its spellings."""
        limit = len(line) - self._longest_beginning(line)
        before_mark = line.rstrip(_CUT_MARK_BYTES)
        length = self._longest_beginning(before_mark)
        limit = min(limit, len(before_mark) - length if length >= _CUT_BYTES else limit)
        for spelling, _forms in self._spelled:
            if spelling.used_in(line):
                whole = spelling.whole(line)
                plain = spelling.plain(whole)
                limit = min(limit, spelling.places(whole).of(len(plain) - self._longest_beginning(plain)))
        return limit

    def _longest_beginning(self, line: bytes) -> int:
        return max((max(beginnings(form, line), default=0) for form in self._everything), default=0)

    def _found(self, block: bytes) -> Iterator[Span]:
        lowered = block.lower()
        signed = b"=" in block or b":" in block
        for rules, text in ((LOWERED, lowered), (CASED, block)):
            for rule in rules:
                if rule.signed and not signed:
                    continue
                for match in rule.matches(text):
                    yield from _of(rule, match, block)
        yield from _each(self._loose, block)
        yield from self._in_runs(block)

    def _cut_short(self, block: bytes, opening: bytes = _OPENING) -> Iterator[Span]:
        """Known values of which only the beginning is there, and then `…`.

        Args:
            opening: bytes that a character begins with which is written as several.
        """
        if not any(mark in block for mark in _CUT_MARKS):
            return
        known = self._stretches
        for match in _CUT_MARK.now.finditer(block):
            at = match.start()
            if block[max(0, at - _CUT_BYTES) : at] not in known:
                tail = block[max(0, at - _OPEN_BYTES) : at]
                if len(tail) == len(tail.translate(None, opening)) and not tail.endswith(b" "):
                    continue
            for end in _ends_before(block, at):
                beginnings = known.get(block[max(0, end - _CUT_BYTES) : end], ())
                length = max((size for form, size in beginnings if block.endswith(form[:size], 0, end)), default=0)
                if length:
                    yield end - length, at, KNOWN

    def _in_another_spelling(self, forms: tuple[bytes, ...], plain: bytes) -> Iterator[Span]:
        yield from _each((*forms, *self._forms.packed), plain)
        yield from self._cut_short(plain, _OPENING + b"u")

    @cached_property
    def _stretches(self) -> dict[bytes, list[tuple[bytes, int]]]:
        """Every stretch of so many bytes of every form: of which, and where it ends there."""
        found: dict[bytes, list[tuple[bytes, int]]] = {}
        for form in self._everything:
            for size in range(_CUT_BYTES, len(form)):
                found.setdefault(form[size - _CUT_BYTES : size], []).append((form, size))
        return found

    def _in_runs(self, block: bytes) -> Iterator[Span]:
        """Secrets that need many letters in a row are looked for only where such rows are."""
        runs = _Runs(block, self._run_bytes)
        for keywords, rule in LONG:
            for keyword in keywords:
                for at in runs.places(keyword):
                    match = rule.pattern.now.match(block, at)
                    if match:
                        yield from _of(rule, match, block)
        for form in self._in_letters.maybe_in(runs.text):
            for at in runs.places(form):
                yield run_around(block, at, at + len(form)) if form in self._packed else (at, at + len(form), KNOWN)


def _ends_before(block: bytes, at: int) -> tuple[int, ...]:
    """Where a value may end that was cut off before a mark."""
    opened = _OPEN.now.search(block, max(0, at - _OPEN_BYTES), at)
    return (at, opened.start()) if opened and opened.start() < at else (at,)


class _Runs:
    """The rows of LETTERS of a block, with a few bytes before each."""

    def __init__(self, block: bytes, least: int) -> None:
        alike = block.translate(_ALIKE)
        wanted = b"a" * least
        self._starts: list[int] = [0]
        self._offsets: list[int] = [0]
        if alike.count(wanted) * least * 2 > len(block):  # a dump of base64 or hex: hardly anything else is there
            self.text = block
            return
        pieces: list[bytes] = []
        length = 0
        at = alike.find(wanted)
        while at >= 0:
            end = alike.find(b" ", at + least)
            end = len(block) if end < 0 else end
            start = max(0, at - _BEFORE_BYTES)
            self._starts.append(length)
            self._offsets.append(start - length)
            pieces.append(block[start:end])
            length += end - start + 1
            at = alike.find(wanted, end)
        self.text = b"\n".join(pieces)

    def places(self, wanted: bytes) -> Iterator[int]:
        """Where in the block it stands."""
        at = self.text.find(wanted)
        while at >= 0:
            yield at + self._offsets[bisect_right(self._starts, at) - 1]
            at = self.text.find(wanted, at + 1)


def _of(rule: SecretRule, match: re.Match[bytes], block: bytes) -> Iterator[Span]:
    value = rule.value(match, block)
    if value:
        yield *value, rule.name


def _each(forms: Iterable[bytes], text: bytes) -> Iterator[Span]:
    for form in forms:
        at = text.find(form)
        while at >= 0:
            yield at, at + len(form), KNOWN
            at = text.find(form, at + len(form))


def run_around(block: bytes, start: int, end: int) -> Span:
    """The row of base64 around a piece of it: its neighbours hold bits of the secret too."""
    while start > 0 and block[start - 1] in LETTERS:
        start -= 1
    while end < len(block) and block[end] in LETTERS:
        end += 1
    while end < len(block) and block[end] == 0x3D:
        end += 1
    return start, end, KNOWN


def beginnings(form: bytes, text: bytes) -> Iterator[int]:
    """How many bytes at the end of the text are the beginning of the form, but not all of it: every such number."""
    tail = text[-len(form) + 1 :]
    at = tail.find(form[:4])
    while at >= 0:
        if form.startswith(tail[at:]):
            yield len(tail) - at
        at = tail.find(form[:4], at + 1)
    for length in range(3, 0, -1):
        if tail.endswith(form[:length]):
            yield length


def joined(spans: Iterable[Span]) -> list[Span]:
    """Spans in order, those that overlap as one, under the name of the first."""
    whole: list[Span] = []
    for start, end, name in sorted(spans, key=lambda span: (span[0], -span[1])):
        if whole and start < whole[-1][1]:
            whole[-1] = (whole[-1][0], max(end, whole[-1][1]), whole[-1][2])
        else:
            whole.append((start, end, name))
    return whole
