"""How bad a log line is, and how many bad ones a block of bytes holds.

Knows Spring and logback, Python, nginx and Apache, access logs, syslog, klog, JSON lines (pino's numbers too), logfmt,
PostgreSQL, PM2 and Korean prose. A stack trace belongs to the line it follows: see `is_continuation`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum


class Severity(IntEnum):
    """From NONE (the line does not say) to FATAL; they compare."""

    NONE = 0
    TRACE = 1
    DEBUG = 2
    INFO = 3
    WARN = 4
    ERROR = 5
    FATAL = 6


@dataclass(slots=True)
class Counts:
    """Lines of a block by severity; `lines` counts all of them, continuations too."""

    lines: int = 0
    warn: int = 0
    error: int = 0
    fatal: int = 0

    def add(self, other: Counts) -> None:
        """Take in what another block held."""
        self.lines += other.lines
        self.warn += other.warn
        self.error += other.error
        self.fatal += other.fatal


_WORDS = {
    Severity.FATAL: "fatal emerg emergency alert crit critical panic 치명 치명적 심각 긴급",
    Severity.ERROR: "error err severe failure fail failed 오류 에러 실패 장애",
    Severity.WARN: "warn warning 경고",
    Severity.INFO: "info information notice log statement 정보 알림",
    Severity.DEBUG: "debug fine verbose debug1 debug2 디버그",
    Severity.TRACE: "trace finer finest",
}
_NAMED = {word: severity for severity, words in _WORDS.items() for word in words.split()}
_KOREAN = "치명적|치명|심각|긴급|오류|에러|실패|장애|경고|정보|알림|디버그"
_LEVELS = (
    "fatal|emergency|emerg|alert|critical|crit|panic|error|err|severe|failure|warning|warn|information|info|notice"
    "|debug|verbose|trace|finest|finer|fine"
)

# Where a level stands, surest first. Each names its level in group 1.
_JSON = re.compile(r'"(?:level|severity|log\.level|levelname|lvl|loglevel)"\s*:\s*"?(\w+)', re.IGNORECASE)
_LOGFMT = re.compile(r"\b(?:level|lvl|severity)=\"?(\w+)", re.IGNORECASE)
_HEAD = re.compile(
    # Upper case as a word of its own; any case in brackets, or at the beginning or after a blank before a colon.
    rf"(?<![\w./-])({_LEVELS.upper()})(?![\w./-])"
    rf"|\[\s*(?:\w+:)?((?i:{_LEVELS})|{_KOREAN})\s*\]"
    rf"|(?:^|(?<=[\s|]))((?i:{_LEVELS})|{_KOREAN}):",
)
_SYSLOG = re.compile(r"<(\d{1,3})>")
_KLOG = re.compile(r"([IWEF])\d{4} \d\d:\d\d")
_ACCESS = re.compile(r'" ([1-5])\d\d (?:\d+|-)(?:\s|$)')
_TROUBLE = re.compile(
    r"Traceback \(most recent call last\)|\b\w*(?:Exception|Error): |\bException in thread |\b[Ff]ailed to\b"
    r"|(?:오류|에러|예외|실패|장애)(?!\s*(?:없|0\s*건|해소|해결|복구|율|률))"
)
_PANIC = re.compile(r"^panic: |\bOut of memory: |\bOOM[- ]killed|치명적|심각한")
_WARNED = re.compile(r"\bWarning: |경고(?!\s*(?:없|0\s*건|해제|해소))")
_CONTINUED = re.compile(
    r"[ \t]|at [\w.$<>]+\(|Caused by: |Suppressed: |\.\.\. \d+ (?:more|common)|\}|\)|"
    r"(?:[a-z][\w$]*\.)+[A-Z][\w$]*(?:Exception|Error|Throwable)\b"
)
_HEAD_CHARS = 220
_SYSLOG_LEVELS = (Severity.FATAL,) * 3 + (Severity.ERROR, Severity.WARN, Severity.INFO, Severity.INFO, Severity.DEBUG)
_KLOG_LEVELS = {"I": Severity.INFO, "W": Severity.WARN, "E": Severity.ERROR, "F": Severity.FATAL}
_STATUS_LEVELS = {"5": Severity.ERROR, "4": Severity.WARN}


def severity_of(line: str) -> Severity:
    """What the line says of itself; NONE where it does not, as the lines of a stack trace."""
    head = line[:_HEAD_CHARS]
    if is_continuation(head):
        return Severity.NONE
    if head.startswith("{"):
        found = _JSON.search(line[:4096])
        if found:
            return _of_word(found[1])
    return _marked(head) or _told(head)


def is_continuation(line: str) -> bool:
    """Whether the line only goes on with the one before: indented, a frame, a cause, the name of an exception."""
    return _CONTINUED.match(line) is not None


def count(chunk: bytes) -> Counts:
    """Count a block of whole lines, without decoding those that are harmless.

    A line counts by what `severity_of` says of it, so a stack trace counts once, with its head.
    """
    counts = Counts(lines=chunk.count(b"\n"))
    for _start, severity in _suspects(chunk):
        if severity == Severity.WARN:
            counts.warn += 1
        elif severity == Severity.ERROR:
            counts.error += 1
        elif severity == Severity.FATAL:
            counts.fatal += 1
    return counts


def severe_lines(chunk: bytes, least: Severity) -> list[int]:
    """At which bytes of a block those lines begin that are at least so severe, in order; `least` is WARN or worse."""
    return sorted(start for start, severity in _suspects(chunk) if severity >= least)


def _of_word(word: str) -> Severity:
    if word.isdigit():  # pino: 10 trace, 20 debug, 30 info, 40 warn, 50 error, 60 fatal
        return Severity(min(6, max(0, int(word) // 10))) if len(word) == 2 else Severity.NONE
    return _NAMED.get(word.lower(), Severity.NONE)


def _marked(head: str) -> Severity:
    """A level in one of the places where log formats put it."""
    if (priority := _SYSLOG.match(head)) and int(priority[1]) < 192:
        return _SYSLOG_LEVELS[int(priority[1]) % 8]
    if glog := _KLOG.match(head):
        return _KLOG_LEVELS[glog[1]]
    if found := _LOGFMT.search(head):
        return _of_word(found[1])
    if found := _HEAD.search(head):
        return _of_word(found[1] or found[2] or found[3])
    if status := _ACCESS.search(head):
        return _STATUS_LEVELS.get(status[1], Severity.INFO)
    return Severity.NONE


def _told(head: str) -> Severity:
    """No level is marked: what the words say."""
    if _PANIC.search(head):
        return Severity.FATAL
    if _TROUBLE.search(head):
        return Severity.ERROR
    return Severity.WARN if _WARNED.search(head) else Severity.NONE


# Every line of WARN or worse holds one of these, in lower case: a search for each is several times cheaper than
# decoding. Each hit costs a look at its line, so none is a common word.
_SIGNS: tuple[bytes, ...] = (
    b"warn",
    b"err",
    b"fatal",
    b"emerg",
    b"alert",
    b"crit",
    b"panic",
    b"severe",
    b"exception",
    b"traceback",
    b"fail",
)
_SIGNS += (b"out of memory", b"oom")
_KOREAN_SIGNS = tuple(
    word.encode() for word in ("치명", "심각", "긴급", "오류", "에러", "실패", "장애", "예외", "경고")
)
_NUMBERED = (b'"level":4', b'"level":5', b'"level":6')
_STATUSES = (b'" 4', b'" 5')
_PREFIXES = re.compile(rb"^(?:<\d|[WEF]\d{4} )", re.MULTILINE)


def _signs(lowered: bytes) -> Iterator[int]:
    """Where a line may say that something is wrong; the same line may come up several times."""
    signs = _SIGNS
    if b'"level":' in lowered:
        signs += _NUMBERED
    if b" http/" in lowered:
        signs += _STATUSES
    if not lowered.isascii():
        signs += _KOREAN_SIGNS
    for sign in signs:
        at = lowered.find(sign)
        while at >= 0:
            yield at
            end = lowered.find(b"\n", at)
            at = lowered.find(sign, end) if end >= 0 else -1


def _suspects(chunk: bytes) -> Iterator[tuple[int, Severity]]:
    """Those lines that may be WARN or worse, each once: where it begins, and what it says."""
    lowered = chunk.lower()
    starts = {lowered.rfind(b"\n", 0, at) + 1 for at in _signs(lowered)}
    if chunk[:1] in b"<IWEF":  # a file of such lines has nothing else
        starts.update(mark.start() for mark in _PREFIXES.finditer(chunk))
    for start in starts:
        end = chunk.find(b"\n", start)
        head = chunk[start : min(start + 1024, end if end >= 0 else len(chunk))]
        yield start, severity_of(head.decode("utf-8", "replace"))
