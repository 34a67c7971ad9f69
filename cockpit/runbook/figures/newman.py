"""Newman: the table at the end of `newman run` 6, and the report of its JSON reporter."""

from __future__ import annotations

import re
from typing import Any

from cockpit.runbook.figures.documents import documents
from cockpit.runbook.figures.figure import Figure, Figures, Tool, calls

_NAMES = {
    "failed assertions": ("failed assertions", "assertion failures", "assertions failed", "실패한 단언", "실패한 검증",
                          "검증 실패"),
    "failed requests": ("failed requests", "requests failed", "실패한 요청", "실패 요청", "요청 실패"),
    "failures": ("failures", "failed", "실패"),
    "assertions": ("assertions", "검증"),
    "requests": ("requests", "요청"),
    "average response time": ("average response time", "평균 응답 시간", "평균 응답시간"),
}  # fmt: skip
_ROW = re.compile(
    r"^\W*(requests|test-scripts|prerequest-scripts|assertions)[^\w\n]+(\d+)[^\w\n]+(\d+)[^\w\n]*$", re.MULTILINE
)
_AVERAGE = re.compile(r"average response time: (\d+(?:\.\d+)?)(ms|s)\b")
_PARTS = ("requests", "testScripts", "prerequestScripts", "assertions")


def read(output: str) -> Figures:
    """How many requests and assertions there were, and how many failed."""
    found: dict[str, list[Figure]] = {}
    rows = {match[1]: match for match in _ROW.finditer(output)}
    if "assertions" in rows and "requests" in rows:
        told = {name: " ".join(re.findall(r"[\w-]+", match[0])) + " failed" for name, match in rows.items()}
        failed = sum(int(match[3]) for match in rows.values())
        found["failures"] = [Figure(float(failed), seen="; ".join(told.values()))]
        for name in ("requests", "assertions"):
            found[name] = [Figure(float(rows[name][2]), seen=told[name])]
            found[f"failed {name}"] = [Figure(float(rows[name][3]), seen=told[name])]
        for match in _AVERAGE.finditer(output):
            found.setdefault("average response time", []).append(Figure(float(match[1]), match[2], match[0]))
    for document in documents(output) if '"stats"' in output else ():
        for name, figure in _reported(document).items():
            found.setdefault(name, []).append(figure)
    return found


def _reported(document: Any) -> dict[str, Figure]:
    try:
        stats, timings = document["run"]["stats"], document["run"]["timings"]
        failed = {part: float(stats[part]["failed"]) for part in _PARTS}
        found = {"failures": Figure(sum(failed.values()), seen=f"run.stats: {sum(failed.values()):g} failed")}
        for part in ("requests", "assertions"):
            seen = f"run.stats.{part}: {stats[part]['total']}, {failed[part]:g} failed"
            found[part] = Figure(float(stats[part]["total"]), seen=seen)
            found[f"failed {part}"] = Figure(failed[part], seen=seen)
        average = float(timings["responseAverage"])
    except (KeyError, TypeError, ValueError):
        return {}
    return found | {"average response time": Figure(average, "ms", f"run.timings.responseAverage: {average:g}")}


NEWMAN = Tool("newman", calls(r"newman\s+run"), _NAMES, read)
