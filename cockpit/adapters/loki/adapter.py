"""Loki: LogQL as steps; log queries give lines, metric queries numbers and charts.

[target.logs]
kind = "loki"
url = "http://loki:3100"
tenant = "shop"                    # X-Scope-OrgID
token_env = "LOGS_TOKEN"           # and the other keys of a target of kind "prometheus"

A query looks back on the last hour, or on what `# range: 15m` above it says; it gives the newest 1,000 lines, or
`# limit: 200`. Only /loki/api/v1/query_range and /loki/api/v1/query are ever asked.
"""

from __future__ import annotations

from msgspec.structs import replace

from cockpit.adapters.http.api import Api
from cockpit.adapters.loki.lines import LONGEST_S, ask, lines_of
from cockpit.adapters.prometheus.pages import show
from cockpit.adapters.prometheus.queries import QueryProgram
from cockpit.adapters.prometheus.question import Question
from cockpit.adapters.step_program.page import Page
from cockpit.words import _, plural

_MOST_LINES = 1000


class LokiAdapter(QueryProgram):
    """Asks one server each query of a block, in order."""

    name = "loki"
    languages = frozenset({"logql"})
    instant_path = "/loki/api/v1/query"

    async def show(self, api: Api, question: Question, page: Page) -> None:
        """Print the newest lines, or the numbers of a metric query. See `QueryProgram.show`."""
        most = min(question.limit or _MOST_LINES, _MOST_LINES)
        ranged = replace(question, range_s=question.range_s or LONGEST_S)
        answer = await ask(api, ranged, most)
        if answer.data.kind != "streams":
            show(answer, page)
            return
        lines = lines_of(answer.data)
        for line in lines:
            page.line(line.shown())
        if not lines:
            page.line(_("no line matches"))
        elif len(lines) >= most:
            page.line(plural("the newest {n} line", "the newest {n} lines", most).format(n=most))
