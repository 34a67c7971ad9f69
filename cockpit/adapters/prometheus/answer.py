"""The shapes of Prometheus' query API, as its documentation gives them: vectors, matrices, scalars, strings.

Values come as text ("0.0123", "NaN", "+Inf"), because JSON has no NaN.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
from msgspec import Struct

from cockpit.errors import Malformed
from cockpit.words import _

Point = tuple[float, str]


class Series(Struct, frozen=True):
    """One series: its labels, and one value or several. Native histograms have neither."""

    metric: dict[str, str] = {}
    value: Point | None = None
    values: list[Point] = []

    @property
    def newest(self) -> float | None:
        """Its only or last value."""
        point = self.value or (self.values[-1] if self.values else None)
        return None if point is None else float(point[1])


class Result(Struct, frozen=True):
    """The `data` of an answer."""

    kind: str = msgspec.field(name="resultType", default="")
    raw: msgspec.Raw = msgspec.field(name="result", default=msgspec.Raw(b"[]"))

    def series(self) -> list[Series]:
        """The series of a vector or matrix; a scalar is one without labels.

        Raises:
            Malformed: it is something else.
        """
        if self.kind == "scalar":
            return [Series(value=_decoded(self.raw, Point))]
        found: list[Series] = _decoded(self.raw, list[Series])
        return found

    def count(self) -> int:
        """How many series there are, none of which is read for it: there may be a million.

        Raises:
            Malformed: it is something else.
        """
        return 1 if self.kind == "scalar" else len(_decoded(self.raw, list[msgspec.Raw]))

    def text(self) -> str:
        """The text of a string."""
        point: Point = _decoded(self.raw, Point)
        return point[1]


class Answer(Struct, frozen=True):
    """A whole answer of /api/v1/query or /api/v1/query_range. `warnings` are about what it may lack."""

    status: str
    data: Result = Result()
    warnings: list[str] = []
    infos: list[str] = []


def _decoded(raw: msgspec.Raw, shape: Any) -> Any:
    try:
        return msgspec.json.decode(raw, type=shape)
    except msgspec.DecodeError as error:
        raise Malformed(_("the result can't be understood: {error}").format(error=str(error)[:200])) from error


def number_text(value: float, digits: int = 9) -> str:
    """A value as a person reads it and a check compares it: without exponent, at most so many digits that count."""
    if value != value or value in (float("inf"), float("-inf")):
        return {"nan": "NaN", "inf": "+Inf", "-inf": "-Inf"}[str(value)]
    return format(Decimal(f"{value:.{digits}g}"), "f")


def labels_text(labels: dict[str, str]) -> str:
    """The labels as PromQL writes them: up{job="api"}."""
    named = ", ".join(f"{name}={quoted(value)}" for name, value in labels.items() if name != "__name__")
    return f"{labels.get('__name__', '')}{{{named}}}" if named else labels.get("__name__", "{}")


def quoted(value: str) -> str:
    """A label's value in quotes."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
