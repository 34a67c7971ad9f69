"""Masking secrets in bytes as they arrive, before they reach a disk or a screen. Stdlib only: the runner uses it too.

Two searches: the exact values this process knows, in every form they travel in; and the shapes of common
secrets (headers, tokens, keys, `name=value`). A mask is `[redacted:RULE]`; everything else passes unchanged and in
order. The work is done on whole lines, so where the chunks were cut makes no difference; what is held back is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from cockpit.safety.late_pattern import LatePattern
from cockpit.safety.secret_forms import secrets_of_environment, wire_forms
from cockpit.safety.secret_rules import (
    GATES,
    PEM_BEGIN,
    PEM_BODY,
    PEM_END,
    PEM_LONG_TAIL,
    RULES,
    TOKEN_STARTS,
    SecretRule,
    is_placeholder,
)

__all__ = ["Redactor", "secrets_of_environment"]

HELD_BYTES = 64 * 1024
"""A line longer than this is let go of piece by piece."""
CONTEXT_BYTES = 4 * 1024
"""How much of what already went out of the current line still counts when the rest arrives."""

_TOKEN_END = re.compile(rb"[\s\"'&,;]")
_LAST_TOKEN = re.compile(rb"[A-Za-z0-9_-]{1,64}$")
_BASE64_LETTERS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_")
_BASE64_RUN = LatePattern(rb"[A-Za-z0-9+/_-]*")
_EACH_LINE = re.compile(rb"[^\n]*\n|[^\n]+")
_BEHIND_BYTES = 48
_RULES_OF = {word: tuple(r for r in RULES if word in r.keywords) for rule in RULES for word in rule.keywords}

Span = tuple[int, int, str]


class Redactor:
    """Masks secrets in one stream of bytes, and in any number of texts.

    Args:
        secrets: exact values to mask, whatever they look like; those shorter than six characters are left out.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._search = _Search(secrets)
        self._masker = _LineMasker(self._search)
        self._keep = max(CONTEXT_BYTES, self._search.longest)
        self._line = b""  # the current line as it came; its first `_sent` bytes are out already
        self._sent = 0
        self._inside_value = False

    def feed(self, chunk: bytes) -> bytes:
        """Take the next bytes; return those that are safe to pass on now."""
        if self._inside_value:
            end = _TOKEN_END.search(chunk)
            if end is None:
                return b""
            self._inside_value = False
            chunk = chunk[end.start() :]
        newline = chunk.rfind(b"\n") + 1
        out = b""
        if newline:
            out = self._masker.mask(self._line + chunk[:newline], self._sent)
            self._line, self._sent = b"", 0
        self._line += chunk[newline:]
        if len(self._line) - self._sent > HELD_BYTES + self._keep:
            out += self._let_go()
        return out

    def idle(self) -> bytes:
        """Nothing came for a while: return the partial line, save what may be the beginning of a secret."""
        if self._masker.in_pem or len(self._line) == self._sent:
            return b""
        spans = self._search.spans(self._line)
        return self._pass_on(spans, self._search.secret_may_begin(self._line, spans))

    def flush(self) -> bytes:
        """The stream ended: return the rest."""
        out = self._masker.mask(self._line, self._sent)
        self._masker = _LineMasker(self._search)
        self._line, self._sent, self._inside_value = b"", 0, False
        return out

    def redact(self, text: str) -> str:
        """The whole text with its secrets masked. Leaves the stream alone."""
        masked = _LineMasker(self._search).mask(text.encode("utf-8", "surrogatepass"), 0)
        return masked.decode("utf-8", "surrogatepass")

    def _let_go(self) -> bytes:
        """Pass on the beginning of a line that is too long to hold."""
        spans = self._search.spans(self._line)
        limit = len(self._line) - self._keep
        limit = next((start for start, end, _name in spans if start < limit < end), limit)
        return self._pass_on(spans, limit) if limit > self._sent else self._swallow_value(spans)

    def _swallow_value(self, spans: list[Span]) -> bytes:
        """One secret fills all that is held: mask it now, and drop the rest of it as it comes."""
        out = _masked(self._line, spans, self._sent, len(self._line))
        self._line, self._sent, self._inside_value = b"", 0, True
        return out

    def _pass_on(self, spans: list[Span], limit: int) -> bytes:
        if limit <= self._sent:
            return b""
        out = _masked(self._line, spans, self._sent, limit)
        forgotten = max(0, limit - self._keep)
        self._line, self._sent = self._line[forgotten:], limit - forgotten
        return out


class _Search:
    """Finds secrets in lines. Knows the exact values; has no state."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._forms = wire_forms(secrets)
        self._first_bytes = {form[0] for form in self._forms}
        self.longest = max((len(form) for form in self._forms), default=0)

    def spans(self, block: bytes) -> list[Span]:
        """Where secrets stand in the block: in order, not overlapping."""
        found = list(self._known_values(block))
        lowered = block.lower()
        for keyword, rules in _RULES_OF.items():
            at = lowered.find(keyword)
            gate = GATES[keyword].now if at >= 0 and keyword in GATES else None
            while at >= 0:
                if gate is None or gate.match(block, at):
                    found += _matches(rules, block, at)
                at = lowered.find(keyword, at + 1)
        return list(_joined(found)) if found else found

    def secret_may_begin(self, line: bytes, spans: list[Span]) -> int:
        """From where on the partial line may turn out to be a secret."""
        limits = [len(line), self._known_prefix(line)]
        if spans and spans[-1][1] == len(line):
            limits.append(spans[-1][0])
        token = _LAST_TOKEN.search(line)
        if token and any(start.startswith(token[0]) or token[0].startswith(start) for start in TOKEN_STARTS):
            limits.append(token.start())
        key = line.rfind(b"-----BEGIN")
        if key >= 0 and not PEM_END.now.search(line, key):
            limits.append(key)
        return min(limits)

    def _known_values(self, block: bytes) -> Iterator[Span]:
        for form, base64 in self._forms.items():
            end = 0
            at = block.find(form)
            while at >= 0:
                start = _run_start(block, end, at) if base64 else at
                end = at + len(form)
                run = _BASE64_RUN.now.match(block, end) if base64 else None
                end = run.end() if run else end
                yield start, end + _padding(block, end), "known-secret"
                at = block.find(form, end)

    def _known_prefix(self, line: bytes) -> int:
        for at in range(max(0, len(line) - self.longest + 1), len(line)):
            if line[at] in self._first_bytes and any(form.startswith(line[at:]) for form in self._forms):
                return at
        return len(line)


class _LineMasker:
    """Masks whole lines, remembering whether a private key is under way."""

    def __init__(self, search: _Search) -> None:
        self._search = search
        self.in_pem = False

    def mask(self, block: bytes, sent: int) -> bytes:
        """The block with masks, without its first `sent` bytes. Lines are whole, but for the last of a stream."""
        if not self.in_pem and b"-----BEGIN " not in block:
            return _masked(block, self._search.spans(block), sent, len(block))
        out = []
        for line in _EACH_LINE.findall(block):
            out.append(self._line(line, sent))
            sent = max(0, sent - len(line))
        return b"".join(out)

    def _line(self, line: bytes, sent: int) -> bytes:
        if self.in_pem:
            return self._inside_pem(line)
        begin = PEM_BEGIN.now.search(line)
        if begin is None or PEM_END.now.search(line, begin.end()):
            return _masked(line, self._search.spans(line), sent, len(line))
        self.in_pem = True
        before = _masked(line, self._search.spans(line[: begin.start()]), sent, begin.start())
        return before + b"[redacted:pem]" + (b"\n" if line.endswith(b"\n") else b"")

    def _inside_pem(self, line: bytes) -> bytes:
        end = PEM_END.now.search(line)
        if end is None and PEM_BODY.now.fullmatch(line):
            return b""
        tail = PEM_LONG_TAIL.now.search(line)
        if end is None and tail:
            return line[: tail.start()] + b"[redacted:pem]\n"
        self.in_pem = False
        rest = line[end.end() :] if end else line
        return _masked(rest, self._search.spans(rest), 0, len(rest)) if rest.strip() or not end else b""


def _matches(rules: tuple[SecretRule, ...], block: bytes, at: int) -> Iterator[Span]:
    """The secrets that the rules of one keyword find where it stands."""
    for rule in rules:
        match = rule.pattern.now.match(block, at)
        if match is None or match.lastgroup is None or is_placeholder(match[match.lastgroup]):
            continue
        if rule.before is None or rule.before.now.search(block[max(0, at - _BEHIND_BYTES) : at]):
            yield match.start(match.lastgroup), match.end(match.lastgroup), rule.name


def _run_start(block: bytes, begin: int, at: int) -> int:
    """Where the letters of base64 that end at a place begin."""
    while at > begin and block[at - 1] in _BASE64_LETTERS:
        at -= 1
    return at


def _padding(block: bytes, end: int) -> int:
    """How many `=` of base64 follow a value."""
    return len(block[end : end + 2]) - len(block[end : end + 2].lstrip(b"="))


def _joined(spans: Iterable[Span]) -> Iterator[Span]:
    """Spans in order, those that touch or overlap as one, under the name of the first."""
    current: Span | None = None
    for start, end, name in sorted(spans, key=lambda span: (span[0], -span[1])):
        if current and start < current[1]:
            current = (current[0], max(end, current[1]), current[2])
            continue
        if current:
            yield current
        current = (start, end, name)
    if current:
        yield current


def _masked(block: bytes, spans: Iterable[Span], begin: int, limit: int) -> bytes:
    pieces: list[bytes] = []
    at = begin
    for start, end, name in spans:
        if start >= limit:
            break
        if end <= at:
            continue
        pieces += (block[at : max(start, at)], f"[redacted:{name}]".encode())
        at = end
    pieces.append(block[at:limit])
    return b"".join(pieces)
