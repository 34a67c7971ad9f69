"""A filter of Cloud Logging as a probe: how many of its entries are errors a minute; the lines are for the log panel.

[[probe]]
name = "canary log"
kind = "cloud-logging"
project = "my-project"
filter = 'resource.type="cloud_run_revision" AND resource.labels.service_name="ion-api-canary"'
interval_s = 10                     # Google answers 60 such questions a minute and project
thresholds = ["errors_per_min > 10 red"]

Each look asks for what was written since the newest entry that is known, and two minutes before that: entries arrive
late and out of order. What was seen is known by timestamp and insertId, and comes once. Once a minute those are asked
for that Google received lately and that are older than that, up to an hour; what comes later still is not seen.
"""

from __future__ import annotations

import asyncio
import shlex
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from msgspec import Struct

from cockpit.adapters.google.api import GoogleApi
from cockpit.adapters.google.entries import Entries, Entry, Lately, shown, stamp
from cockpit.adapters.google.options import GoogleOptions, check
from cockpit.adapters.probing import TEXT_CHARACTERS, Brought, Finding
from cockpit.errors import CockpitError, ConfigError
from cockpit.monitor.logs.rates import none_told, rates, told
from cockpit.monitor.logs.severity import Severity, severity_of
from cockpit.safety.judge import judge
from cockpit.safety.permit import Action, Permit
from cockpit.safety.verdict import Judgement
from cockpit.words import _

_SHARE_OF_DEADLINE = 0.95
_LOOKS_BACK_S = 60.0
_LATE_S = 120.0
_LATEST_S = 3600.0
_LATE_EVERY_S = 60.0
_LATE_SHARE = 0.5
"""What came very late is asked for while such a share of the look's time is left."""
_MOST_LATELY = 10_000
"""So many entries that were received last are known again, whenever they were written."""
_QUIET_S = 900.0
"""So far is looked back at most where nothing is written, whatever the two clocks say."""
_PAGE, _MOST_PAGES = 1000, 3
_SHOWN_LINES = 5
_LONGEST_FILTER = 20_000
_NS = 1_000_000_000
_ERRORS = frozenset({"ERROR", "CRITICAL", "ALERT", "EMERGENCY"})


class CloudLoggingOptions(GoogleOptions, frozen=True, kw_only=True):
    """Keys of a probe of kind "cloud-logging"."""

    filter: str
    url: str = "https://logging.googleapis.com"


class CloudLoggingProbe:
    """One filter over one project's logs."""

    Options: ClassVar[type[Struct]] = CloudLoggingOptions

    def __init__(self, options: CloudLoggingOptions, deadline_s: float) -> None:
        check(options, options.url)
        if not options.filter.strip() or len(options.filter) > _LONGEST_FILTER - 200:
            raise ConfigError(_("there is no filter, or one longer than Google takes"))
        self._options = options
        self._deadline_s = deadline_s * _SHARE_OF_DEADLINE
        self._api: GoogleApi | None = None
        self._since_ns = 0
        """Everything before is known, or lost."""
        self._seen: dict[tuple[str, str, str], Entry] = {}
        self._lately = Lately(_MOST_LATELY)
        self._began_ns = 0
        self._late_due_m = 0.0

    @property
    def action(self) -> Action:
        """The question as gcloud asks it; the target is the server's address."""
        body = f"gcloud logging read {shlex.quote(self._options.filter)} --project {shlex.quote(self._options.project)}"
        return Action("bash", body, self._options.url)

    @property
    def judgement(self) -> Judgement:
        """What safety says of it."""
        return judge("bash", self.action.body)

    async def look(self, permit: Permit) -> Finding:
        """What was written since the last look. See `Watchable`."""
        permit.covers(self.action)
        self._api = self._api or GoogleApi(self._options, self._options.url, self._deadline_s)
        now_ns, begun_m = time.time_ns(), time.monotonic()
        since_ns = self._since_ns or now_ns - int(_LOOKS_BACK_S * _NS)
        self._began_ns = self._began_ns or since_ns
        entries, whole = await self._listed(self._api, since_ns)
        new = [entry for entry in entries if entry.identity not in self._seen]
        gap = self._since_ns > 0 and not whole and bool(entries) and len(new) == len(entries)
        newest_ns = min(now_ns, max((entry.at_ns for entry in entries), default=0))
        quiet_ns = now_ns - int(_QUIET_S * _NS) if whole else 0
        self._since_ns = max(since_ns, newest_ns - int(_LATE_S * _NS), quiet_ns)
        known = {**self._seen, **{entry.identity: entry for entry in new}}
        self._seen = {identity: entry for identity, entry in known.items() if entry.at_ns >= self._since_ns}
        self._lately.add(new)
        late, remark = await self._come_late(self._api, now_ns, begun_m)
        remarks = ((len(new), remark),) if remark else ()
        brought = Brought(tuple(entry.line for entry in [*new, *late]), gap, remarks)
        return replace(_finding(list(known.values()), now_ns, whole=whole), brought=brought)

    async def close(self) -> None:
        """Let go of connections."""
        api, self._api = self._api, None
        if api is not None:
            await api.close()

    async def _come_late(self, api: GoogleApi, now_ns: int, begun_m: float) -> tuple[list[Entry], str]:
        """What was written before the time that looks go back to and received since; and what is to be said of it."""
        left_s = self._deadline_s - (time.monotonic() - begun_m)
        if begun_m < self._late_due_m or not self._lately.since_ns or left_s < self._deadline_s * _LATE_SHARE:
            return [], ""
        self._late_due_m = begun_m + _LATE_EVERY_S
        oldest_ns = max(now_ns - int(_LATEST_S * _NS), self._began_ns)
        asked = self._asked(
            oldest_ns, f'timestamp<"{stamp(self._since_ns)}"', f'receiveTimestamp>="{stamp(self._lately.since_ns)}"'
        )
        try:
            async with asyncio.timeout(left_s):
                page = await api.list_entries(asked, Entries)
        except (CockpitError, TimeoutError) as error:
            why = error.what if isinstance(error, CockpitError) else _("no answer in time")
            return [], _("lines that came minutes late could not be looked for: {why}").format(why=why)
        late = _in_order({entry.identity: entry for entry in page.entries if entry not in self._lately})
        self._lately.add(late)
        self._lately.looked()
        more = _("more lines came minutes late than are fetched; some are missing here")
        return late, more if page.next_page_token else ""

    def _asked(self, since_ns: int, *more: str) -> dict[str, Any]:
        bounds = " AND ".join((f'timestamp>="{stamp(since_ns)}"', *more))
        return {
            "resourceNames": [f"projects/{self._options.project}"],
            "filter": f"({self._options.filter}\n) AND {bounds}",
            "orderBy": "timestamp desc",
            "pageSize": _PAGE,
        }

    async def _listed(self, api: GoogleApi, since_ns: int) -> tuple[list[Entry], bool]:
        """The entries since then, oldest first and each once; and whether there are no more than were fetched."""
        asked = self._asked(since_ns)
        found: dict[tuple[str, str, str], Entry] = {}
        for _page in range(_MOST_PAGES):
            page = await api.list_entries(asked, Entries)
            found |= {entry.identity: entry for entry in page.entries}
            if not page.next_page_token:
                return _in_order(found), True
            asked["pageToken"] = page.next_page_token
        return _in_order(found), False


def _in_order(found: Mapping[tuple[str, str, str], Entry]) -> list[Entry]:
    return sorted(found.values(), key=lambda entry: (entry.at_ns, entry.insert_id))


def _finding(entries: Sequence[Entry], now_ns: int, *, whole: bool) -> Finding:
    """Rates over the last minute; where there are more entries than were fetched, over the time that those cover."""
    begin_ns = now_ns - int(_LOOKS_BACK_S * _NS)
    recent = sorted((entry for entry in entries if entry.at_ns >= begin_ns), key=lambda entry: entry.at_ns)
    span_s = _LOOKS_BACK_S
    if recent and not whole:
        span_s = min(span_s, max(1e-3, (now_ns - recent[0].at_ns) / _NS))
    errors = sum(map(_is_error, recent))
    values = rates(errors, len(recent), span_s)
    if not recent:
        return Finding(none_told(), values)
    return Finding(told(*values), values, tuple(map(_row, recent[-_SHOWN_LINES:])))


def _is_error(entry: Entry) -> bool:
    """By what its writer said; where that is nothing, by the text."""
    if entry.severity != "DEFAULT":
        return entry.severity in _ERRORS
    return severity_of(entry.text) >= Severity.ERROR


def _row(entry: Entry) -> Mapping[str, Any]:
    labels = " ".join(f"{name}={value}" for name, value in sorted(entry.resource.labels.items()))
    text = entry.line.partition(" ")[2]
    return {"at": shown(entry.at_ns), "text": text[:TEXT_CHARACTERS], "labels": labels[:TEXT_CHARACTERS]}
