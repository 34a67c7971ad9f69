"""CloudWatch metrics: one question for many, and the points of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import Struct

from cockpit.adapters.aws.looking import Asking
from cockpit.errors import Malformed
from cockpit.words import _

_A_CALL = 500
_MOST_PAGES = 20


class Points(Struct, rename="pascal"):
    """One metric's points, newest first as they were asked for. `status_code` is "Complete" when that is all."""

    id: str
    timestamps: list[datetime] = []
    values: list[float] = []
    status_code: str = "Complete"
    messages: list[dict[str, str]] = []

    def between(self, begin: datetime, end: datetime) -> list[float]:
        """The values of points that begin in this time, both ends included, newest first."""
        found = zip(self.timestamps, self.values, strict=False)
        return [value for at, value in sorted(found, reverse=True) if begin <= at.astimezone(UTC) <= end]

    @property
    def refused(self) -> str:
        """Why there are none, where CloudWatch says so."""
        told = "; ".join(one.get("Value", "") for one in self.messages) or self.status_code
        return told if self.status_code in ("InternalError", "Forbidden") else ""


class _Answer(Struct, rename="pascal"):
    metric_data_results: list[Points]
    next_token: str = ""


def whole_minutes(now: datetime, period_s: int, back_s: float) -> tuple[datetime, datetime]:
    """A stretch of time that ends with the last whole period; an unfinished one would tell too little."""
    end = datetime.fromtimestamp(now.timestamp() // period_s * period_s, UTC)
    return end - timedelta(seconds=max(back_s, period_s)), end


def ask(asking: Asking, queries: Sequence[Mapping[str, Any]], begin: datetime, end: datetime) -> dict[str, Points]:
    """The points of each query, by its id.

    Raises:
        AdapterError: they can't be had; Malformed where the pages have no end.
    """
    found: dict[str, Points] = {}
    for first in range(0, len(queries), _A_CALL):
        asked = {
            "MetricDataQueries": list(queries[first : first + _A_CALL]),
            "StartTime": begin,
            "EndTime": end,
            "ScanBy": "TimestampDescending",
        }
        for _page in range(_MOST_PAGES):
            answer = asking.call("cloudwatch", "GetMetricData", asked, _Answer)
            for points in answer.metric_data_results:
                _add(found, points)
            if not answer.next_token:
                break
            asked["NextToken"] = answer.next_token
        else:
            raise Malformed(_("CloudWatch gives page after page"), mend=_("ask for fewer metrics"))
    return found


def _add(found: dict[str, Points], points: Points) -> None:
    known = found.setdefault(points.id, points)
    if known is not points:
        known.timestamps += points.timestamps
        known.values += points.values
        known.messages += points.messages
        known.status_code = points.status_code
