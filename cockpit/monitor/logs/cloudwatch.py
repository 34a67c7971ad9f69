"""A log group of CloudWatch as a probe: how many of its lines are errors a minute; the lines are for the log panel.

[[probe]]
name = "api log"
kind = "cloudwatch-logs"
region = "ap-northeast-2"
group = "/ecs/api"
streams = "api/"                    # streams that begin so; without it, all
filter = "?ERROR ?WARN"             # as CloudWatch's filter patterns are written; without it, every line
thresholds = ["errors_per_min > 10 red"]

There is no subscription to read (a live tail is billed by the minute), so each look asks again for the last minutes:
a line is known by its event's id, and one that reaches CloudWatch later than its own time is found as well. Once a
minute what lies before that is looked through too, back to an hour; in a log that is too busy for it the tail says so.
"""

from __future__ import annotations

import shlex
import time
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, ClassVar

from msgspec import Struct

from cockpit.adapters.aws.looking import Asking, AwsProbe, AwsProbeOptions
from cockpit.adapters.probing import TEXT_CHARACTERS, Brought, Finding
from cockpit.errors import CockpitError, ConfigError, Declined
from cockpit.monitor.logs.rates import none_told, rates, told
from cockpit.monitor.logs.severity import Severity, severity_of
from cockpit.safety.permit import Action, Permit
from cockpit.words import _, shortened

_MINUTE_MS = 60_000
_LATE_MS = 5 * _MINUTE_MS
"""So much later than its own time a line may come and is found at once."""
_LATEST_MS = 60 * _MINUTE_MS
"""Later still, up to so much, it is found within minutes."""
_MOST_KNOWN = 5_000
"""So many lines are known by their ids: what lies before them is not looked through again."""
_LATE_SHARE = 0.6
"""What came very late is looked for while such a share of the look's time is left."""
_TOO_FAR_BEHIND_MS = 15 * _MINUTE_MS
_LEAST_LATE_MS = 10_000
_MOST_EVENTS = 5_000
_MOST_AGAIN = 2_500
"""In a busy log no more than so many lines are asked for a second time, which leaves less time for late ones."""
_ENOUGH_S = 0.3
"""A further page is begun while so much of the look's time is left."""
_SHOWN_LINES = 5


class CloudwatchLogsProbeOptions(AwsProbeOptions, frozen=True, kw_only=True):
    """Keys of a probe of kind "cloudwatch-logs"."""

    group: str
    streams: str = ""
    filter: str = ""


class _Event(Struct, rename="camel", frozen=True):
    event_id: str
    timestamp: int
    message: str = ""
    log_stream_name: str = ""

    def shown(self) -> str:
        return datetime.fromtimestamp(self.timestamp / 1000, UTC).isoformat(timespec="milliseconds")


class _Page(Struct, rename="camel"):
    events: list[_Event]
    next_token: str = ""


@dataclass(slots=True)
class _Scan:
    """One walk over the pages from a time on. What a look leaves of it, the next one goes on with."""

    began_ms: int
    asked: dict[str, Any]
    over: bool = False


class CloudwatchLogsProbe(AwsProbe):
    """One log group."""

    Options: ClassVar[type[Struct]] = CloudwatchLogsProbeOptions

    def __init__(self, options: CloudwatchLogsProbeOptions, deadline_s: float) -> None:
        if not options.group.strip():
            raise ConfigError(_("there is no log group"))
        super().__init__(options, deadline_s, "cloudwatch-logs")
        self._options = options
        self._enough_for_late_s = deadline_s * _LATE_SHARE
        self._scan: _Scan | None = None
        self._from_ms: int | None = None
        self._oldest_ms = 0
        """Nothing before this is looked for: it was there before the watch began, or is told as missing."""
        self._seen: dict[str, int] = {}
        self._known_ms = 0
        """Lines from then on that were brought are among those."""
        self._late: _Scan | None = None
        self._late_due_ms = 0
        self._told_min = 2 * _LATEST_MS // _MINUTE_MS
        self._remark = ""
        self._recent: deque[_Event] = deque(maxlen=4 * _MOST_EVENTS)
        self._waiting: list[str] = []
        """Lines that nobody was given yet: a look that was cancelled goes on in its thread, and finds some."""
        self._gap = False
        self.clock = time.time

    @property
    def action(self) -> Action:
        """Exactly what is asked."""
        options = self._options
        words = ["logs", "filter-log-events", "--log-group-name", options.group]
        words += ["--log-stream-name-prefix", options.streams] if options.streams else []
        words += ["--filter-pattern", options.filter] if options.filter else []
        return Action("aws", shlex.join(words), options.target)

    async def look(self, permit: Permit) -> Finding:
        """The lines since the last look, and the rates of the last minute. See `Watchable`."""
        finding = await super().look(permit)
        waiting, self._waiting = self._waiting, []
        gap, self._gap = self._gap, False
        remark, self._remark = self._remark, ""
        told = ((len(waiting), remark),) if remark else ()
        return replace(finding, brought=Brought(tuple(waiting), gap, told))

    def _look(self, asking: Asking) -> Finding:
        now_ms = int(self.clock() * 1000)
        scan = self._begun(now_ms)
        # By its id: pages of one walk may tell an event twice.
        found = {event.event_id: event for event in self._fetched(asking, scan)}
        new = sorted(found.values(), key=lambda event: event.timestamp)
        self._seen |= {event.event_id: event.timestamp for event in new}
        if scan.over:
            self._go_on_behind(scan)
        self._recent.extend(new)
        self._bring(new)
        if scan.over:
            self._bring(self._come_late(asking, now_ms))
        return self._finding(now_ms, whole=scan.over)

    def _bring(self, events: Iterable[_Event]) -> None:
        self._waiting += [f"{event.shown()[:23]} {event.message.rstrip()}" for event in events]

    def _begun(self, now_ms: int) -> _Scan:
        """The walk that is under way, or a new one."""
        since_ms = self._scan.began_ms if self._scan else self._from_ms
        if since_ms is None or now_ms - since_ms > _TOO_FAR_BEHIND_MS:
            self._gap = self._gap or since_ms is not None
            self._from_ms = self._oldest_ms = self._known_ms = now_ms - _MINUTE_MS
            self._scan = self._late = None
        if self._scan is None:
            self._scan = _Scan(now_ms, self._asked(startTime=self._from_ms))
        return self._scan

    def _asked(self, **times: Any) -> dict[str, Any]:
        asked: dict[str, Any] = {"logGroupName": self._options.group, **times}
        asked |= {"logStreamNamePrefix": self._options.streams} if self._options.streams else {}
        return asked | ({"filterPattern": self._options.filter} if self._options.filter else {})

    def _fetched(self, asking: Asking, scan: _Scan) -> list[_Event]:
        """The new events of as many pages as the look has time for."""
        found: list[_Event] = []
        read = 0
        while read < _MOST_EVENTS and (asking.left_s > _ENOUGH_S or not read):
            try:
                page = asking.call("logs", "FilterLogEvents", scan.asked, _Page)
            except CockpitError as error:
                if isinstance(error, Declined):
                    self._scan = None  # the walk's token holds no longer: it begins anew, and what was seen is known
                if not found:
                    raise
                break  # the next look tells; what was fetched is not fetched again
            read += max(1, len(page.events))
            found += [event for event in page.events if event.event_id not in self._seen]
            if not page.next_token:
                scan.over = True
                break
            scan.asked["nextToken"] = page.next_token
        return found

    def _go_on_behind(self, scan: _Scan) -> None:
        """The next walk begins so long before this one did as lines may be late; what is known, is for longer."""
        begin_ms = scan.began_ms - _LATE_MS
        if len(self._seen) > _MOST_AGAIN:
            begin_ms = max(begin_ms, sorted(self._seen.values())[-_MOST_AGAIN])
        self._from_ms = max(self._oldest_ms, min(begin_ms, scan.began_ms - _LEAST_LATE_MS))
        self._known_ms = self._known_from(scan.began_ms)
        self._seen = {event: at for event, at in self._seen.items() if at >= min(self._from_ms, self._known_ms)}
        self._scan = None

    def _known_from(self, now_ms: int) -> int:
        """From when on all lines that were brought are to be known by their ids."""
        times = sorted(self._seen.values())
        beyond = times[-_MOST_KNOWN - 1] + 1 if len(times) > _MOST_KNOWN else 0
        return max(self._oldest_ms, now_ms - _LATEST_MS, self._known_ms, beyond)

    def _come_late(self, asking: Asking, now_ms: int) -> list[_Event]:
        """What came later than walks look back: once a minute from the beginning, and no more than a page a look."""
        if self._late is None and now_ms >= self._late_due_ms and self._known_ms < (self._from_ms or 0):
            self._late_due_ms = now_ms + _MINUTE_MS
            self._late = _Scan(now_ms, self._asked(startTime=self._known_ms, endTime=self._from_ms))
            self._tell_how_late(now_ms)
        if self._late is None or asking.left_s < self._enough_for_late_s:
            return []
        try:
            page = asking.call("logs", "FilterLogEvents", self._late.asked, _Page)
        except CockpitError as error:
            self._late = None
            self._remark = _("lines that came minutes late could not be looked for: {why}").format(why=error.what)
            return []
        self._late.asked["nextToken"] = page.next_token
        self._late = self._late if page.next_token else None
        found = {
            it.event_id: it for it in page.events if it.event_id not in self._seen and it.timestamp >= self._known_ms
        }
        self._seen |= {event.event_id: event.timestamp for event in found.values()}
        return sorted(found.values(), key=lambda event: event.timestamp)

    def _tell_how_late(self, now_ms: int) -> None:
        """Say it where lines may come less late than is promised: once, and again when it is half as much."""
        minutes = (now_ms - self._known_ms) // _MINUTE_MS
        if self._oldest_ms < self._known_ms and minutes < min(self._told_min / 2, _LATEST_MS // _MINUTE_MS - 1):
            self._told_min = minutes
            self._remark = _("a busy log: lines that come more than {n} min late are not shown").format(n=minutes)

    def _finding(self, now_ms: int, *, whole: bool) -> Finding:
        """Rates over the last minute; where the log is still being read, over the last that was read."""
        until_ms = now_ms if whole or not self._recent else max(event.timestamp for event in self._recent)
        while self._recent and self._recent[0].timestamp < until_ms - 2 * _MINUTE_MS:
            self._recent.popleft()
        minute = [event for event in self._recent if event.timestamp > until_ms - _MINUTE_MS]
        errors = sum(severity_of(" ".join(event.message.split())) >= Severity.ERROR for event in minute)
        values = rates(errors, len(minute))
        newest = sorted(self._recent, key=lambda event: event.timestamp)[-_SHOWN_LINES:]
        if not minute and whole:
            return Finding(none_told(), values, tuple(map(_row, newest)))
        text = told(*values)
        if not whole:
            behind_s = max(0, now_ms - until_ms) // 1000
            text += " · " + _("still reading, {seconds} s behind").format(seconds=behind_s)
        return Finding(text, values, tuple(map(_row, newest)))


def _row(event: _Event) -> Mapping[str, Any]:
    return {
        "at": event.shown()[:23],
        "text": shortened(event.message.rstrip(), TEXT_CHARACTERS),
        "labels": shortened(event.log_stream_name, TEXT_CHARACTERS),
    }
