"""What a block of PromQL or LogQL asks: its queries, and the time that its comments name.

    # range: 6h          the last six hours instead of now
    # step: 5m           a value every five minutes of them; without it, as many as a chart has room for
    # at: 2026-11-21T14:05:00+09:00
    # limit: 200         log lines at most

A line of `# range: …` holds for the queries below it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from itertools import pairwise

from msgspec import Struct
from msgspec.structs import replace

from cockpit.errors import UsageError
from cockpit.runbook.commands.statements import rows_of
from cockpit.words import _

_SETTING = re.compile(
    r"(?:^\s*\#+|,)\s*(?P<key>range|last|step|at|limit|범위|간격|시각)\s*[:=]\s*(?P<value>[^,\s]+)", re.IGNORECASE
)
_KEYS = {"last": "range", "범위": "range", "간격": "step", "시각": "at"}
_DURATION = re.compile(r"(?:\d+(?:ms|[smhdwy]|초|분|시간|일))+")
_PIECE = re.compile(r"(\d+)(ms|[smhdwy]|초|분|시간|일)")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000} | {
    "초": 1,
    "분": 60,
    "시간": 3600,
    "일": 86400,
}
_MOST_STEPS = 11_000
"""Prometheus' own bound for the points of one series."""
_INPUT = re.compile(r"\$(?:(?P<bare>[A-Za-z_]\w*)|\{(?P<braced>[A-Za-z_]\w*)\})")
QUOTED = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'|`[^`]*`')
_PERCENT = re.compile(r"\*\s*100(?![\d.])|(?<![\d.])100\s*\*|_percent\b")
_MILLI = re.compile(r"\*\s*1000(?![\d.])|(?<![\d.])1000\s*\*|_(?:ms|milliseconds)\b")
_SECONDS_OF = re.compile(
    r"histogram_quantile\(.*_seconds_bucket|_seconds_sum\b.*/.*_seconds_count\b|quantile_over_time\(.*_seconds\b",
    re.DOTALL,
)
_SECONDS_NAMED = re.compile(r"_seconds(?:_sum)?\b")
_BYTES_NAMED = re.compile(r"_bytes\b")
_BARE = re.compile(r"[A-Za-z0-9_:.]+")


class Question(Struct, frozen=True):
    """One query. `range_s` None asks for now (or `at`); `line` is where it begins in the block, 1-based."""

    text: str
    line: int = 1
    range_s: float | None = None
    step_s: float | None = None
    at: float | None = None
    limit: int | None = None

    def every_s(self, points: int) -> float:
        """The distance of a range's values: as asked for, else so that there are `points` of them.

        Raises:
            UsageError: no server gives so many.
        """
        assert self.range_s is not None
        step_s = self.step_s or max(1.0, self.range_s / points)
        if self.range_s / step_s > _MOST_STEPS:
            raise UsageError(
                _("{count} values of one series are too many").format(count=int(self.range_s / step_s)),
                mend=_("ask for a shorter range or a larger step"),
            )
        return step_s


def questions_of(body: str, language: str, values: Mapping[str, str]) -> tuple[Question, ...]:
    """The queries of a block in order, with the inputs in their places.

    Raises:
        UsageError: there is none, a comment's time can't be read, or a value can't stand where it is to go.
    """
    lines = body.split("\n")
    found: list[Question] = []
    settings = Question("")
    for row in rows_of(lines, language):
        if row.kind == "comment":
            settings = _with_settings(settings, lines[row.start])
        elif row.kind == "code":
            text = filled("\n".join(lines[row.start : row.end + 1]), values)
            found.append(replace(settings, text=text, line=row.start + 1))
    if not found:
        raise UsageError(_("there is no query in this block"))
    return tuple(found)


def filled(text: str, values: Mapping[str, str]) -> str:
    """The query with its inputs: escaped inside quotes; outside, only what is one name, number or duration.

    Raises:
        UsageError: a value that would be more than that.
    """
    spans = [match.span() for match in QUOTED.finditer(text)]
    pieces, end = [], 0
    for start, stop in spans:
        pieces += [_bare(text[end:start], values), _quoted(text[start:stop], values)]
        end = stop
    return "".join([*pieces, _bare(text[end:], values)])


def position_of(complaint: str) -> tuple[int, int] | None:
    """(line, column) of a parse error, 1-based: "1:7: parse error" or "parse error at line 1, col 7"."""
    found = re.search(r"(?:^|\s)(\d+):(\d+): parse error|line (\d+), col (\d+)", complaint)
    if not found:
        return None
    line, column = (found[1], found[2]) if found[1] else (found[3], found[4])
    return int(line), int(column)


def _with_settings(before: Question, comment: str) -> Question:
    for match in _SETTING.finditer(comment):
        word = match["key"].lower()
        before = _with(before, _KEYS.get(word, word), match["value"])
    return before


def _with(before: Question, key: str, value: str) -> Question:
    try:
        if key == "at":
            return replace(before, at=datetime.fromisoformat(value).timestamp())
        if key == "limit":
            return replace(before, limit=max(1, int(value)))
    except ValueError as error:
        raise UsageError(_("{value} can't be read").format(value=value), where=f"# {key}:") from error
    if not _DURATION.fullmatch(value):
        raise UsageError(
            _("{value} is not a duration").format(value=value), where=f"# {key}:", mend=_("write 30s, 5m, 6h or 1d")
        )
    seconds = sum(int(number) * _SECONDS[unit] for number, unit in _PIECE.findall(value))
    return replace(before, range_s=seconds) if key == "range" else replace(before, step_s=seconds)


def _bare(text: str, values: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        name = found["bare"] or found["braced"]
        if name not in values:
            return found[0]
        return bare(values[name])

    return _INPUT.sub(value, text)


def _quoted(text: str, values: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        name = found["bare"] or found["braced"]
        return in_quotes(values[name], text[0]) if name in values else found[0]

    return text[0] + _INPUT.sub(value, text[1:-1]) + text[-1]


def unit_of(query: str) -> str:
    """The unit that a query's values are in, as far as its text tells: "%", "ms", "s", "bytes"; "" when it does not.

    A factor of 100 or 1000 says it first, then how the metrics are named: Prometheus' own base units.
    """
    text = QUOTED.sub('""', query)
    if _PERCENT.search(text):
        return "%"
    if _MILLI.search(text):
        return "ms"
    if _SECONDS_OF.search(text):
        return "s"
    plain = "/" not in text and "rate(" not in text
    return "s" if plain and _SECONDS_NAMED.search(text) else "bytes" if plain and _BYTES_NAMED.search(text) else ""


def bare(value: str) -> str:
    """The value as it stands outside quotes: one name, number or duration.

    Raises:
        UsageError: it would be more than that.
    """
    if not _BARE.fullmatch(value):
        raise UsageError(
            _("{value} can't stand in a query without quotes").format(value=repr(value)),
            mend=_("edit the command by hand"),
        )
    return value


def in_quotes(value: str, quote: str) -> str:
    """The value as it stands inside these quotes.

    Raises:
        UsageError: raw quotes can't hold it.
    """
    if quote != "`":
        return value.replace("\\", "\\\\").replace(quote, "\\" + quote).replace("\n", "\\n")
    if "`" in value:
        raise UsageError(_("{value} can't stand in raw quotes").format(value=repr(value)))
    return value


def spread(bounds: tuple[float, float], step_s: float, points: Mapping[float, float]) -> list[float | None]:
    """A series' values at every step of a range; None where it has none: a gap is not drawn over."""
    begin, end = bounds
    count = round((end - begin) / step_s) + 1
    row: list[float | None] = [None] * count
    for at, value in points.items():
        place = round((at - begin) / step_s)
        if 0 <= place < count:
            row[place] = value
    return row


def step_of(times: list[float]) -> float:
    """The distance of a series' values, from its times: the least between two neighbours; 1 for fewer than two."""
    return min((after - before for before, after in pairwise(sorted(times)) if after > before), default=1.0)
