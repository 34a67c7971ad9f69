"""Log lines out of Loki's answers: {"resultType": "streams", "result": [{"stream": {…}, "values": [["ns", "…"]]}]}."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct

from cockpit.adapters.http.api import Api
from cockpit.adapters.prometheus.answer import Answer, Result, quoted
from cockpit.adapters.prometheus.pages import POINTS
from cockpit.adapters.prometheus.question import Question
from cockpit.errors import Malformed
from cockpit.words import _

LONGEST_S = 3600.0
"""How far a query looks back that does not say."""
QUERY_RANGE = "/loki/api/v1/query_range"
_NS = 1_000_000_000


class _Stream(Struct, frozen=True):
    # A value is [ns, line] and, since Loki 3, perhaps structured metadata: {"…": "…"}.
    stream: dict[str, str] = {}
    values: list[tuple[Any, ...]] = []


@dataclass(frozen=True, slots=True, order=True)
class LogLine:
    """One line: when (ns since 1970), the labels of its stream, and its text as it came."""

    at_ns: int
    labels: str
    text: str

    def shown(self) -> str:
        """The line with its time in UTC; what holds several is one line still."""
        at = datetime.fromtimestamp(self.at_ns / _NS, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return f"{at} {self.labels} {self.text}".replace("\n", "␊").rstrip()


async def ask(api: Api, question: Question, limit: int, *, since_ns: int | None = None) -> Answer:
    """The answer over the question's range, newest lines first. Raises as `Api.ask`.

    Args:
        since_ns: lines of this moment and later only.
    """
    assert question.range_s is not None
    end_ns = int((question.at or time.time()) * _NS)
    begin_ns = since_ns if since_ns is not None else end_ns - int(question.range_s * _NS)
    values = {"query": question.text, "start": str(begin_ns), "end": str(end_ns), "limit": str(limit)}
    values |= {"direction": "backward", "step": f"{question.every_s(POINTS):.3f}s"}
    return await api.ask(QUERY_RANGE, values, Answer)


def lines_of(result: Result) -> list[LogLine]:
    """The lines of all streams, oldest first.

    Raises:
        Malformed: they are something else.
    """
    try:
        streams = msgspec.json.decode(result.raw, type=list[_Stream])
        return sorted(
            LogLine(int(value[0]), _labels(stream.stream), str(value[1]))
            for stream in streams
            for value in stream.values
        )
    except (msgspec.DecodeError, ValueError, IndexError) as error:
        raise Malformed(_("the result can't be understood: {error}").format(error=str(error)[:200])) from error


def _labels(labels: dict[str, str]) -> str:
    return "{" + ", ".join(f"{name}={quoted(value)}" for name, value in sorted(labels.items())) + "}"
