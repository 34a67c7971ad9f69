"""ApacheBench: what `ab` 2.3 prints at its end."""

from __future__ import annotations

import re

from cockpit.runbook.figures.figure import Figure, Figures, Tool, calls
from cockpit.words import _

_NAMES = {
    "failed requests": ("failed requests", "failed", "failures", "실패한 요청", "실패 요청", "요청 실패", "실패"),
    "non-2xx responses": ("non-2xx responses", "non-2xx"),
    "complete requests": ("complete requests", "completed requests", "완료된 요청", "완료 요청"),
    "requests per second": ("requests per second", "requests/sec", "requests/s", "req/s", "rps", "throughput",
                            "초당 요청", "초당 처리량", "처리량"),
    **{
        f"p{share}": (f"p{share} latency", f"p{share} response time", f"p{share} 응답 시간", f"p{share} 응답시간",
                      f"p{share} 지연", f"p{share}", f"{share}th percentile")
        for share in (50, 66, 75, 80, 90, 95, 98, 99, 100)
    },
}  # fmt: skip
_COUNT = re.compile(
    r"^(Complete requests|Failed requests|Non-2xx responses|Requests per second):\s+(\d+(?:\.\d+)?)", re.MULTILINE
)
_SHARE = re.compile(r"^ {1,3}(\d{2,3})%\s+(\d+)(?: \(longest request\))?$", re.MULTILINE)


def read(output: str) -> Figures:
    """The counts, and the percentiles in ms. Answers that are errors are no failures to ab: that is a doubt."""
    found: dict[str, list[Figure]] = {}
    refused = next(
        (match[0] for match in _COUNT.finditer(output) if match[1].startswith("Non") and match[2] != "0"), ""
    )
    for match in _COUNT.finditer(output):
        name = match[1].lower()
        doubt = _("ab counts no answer as failed for its status: {line}").format(line=" ".join(refused.split()))
        unsure = doubt if refused and name == "failed requests" else ""
        found.setdefault(name, []).append(Figure(float(match[2]), seen=" ".join(match[0].split()), doubt=unsure))
    for match in _SHARE.finditer(output):
        found.setdefault(f"p{match[1]}", []).append(Figure(float(match[2]), "ms", " ".join(match[0].split()) + " ms"))
    return found


AB = Tool("ab", calls(r"ab(?=\s+-)"), _NAMES, read)
