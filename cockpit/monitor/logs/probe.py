"""A log as a probe: how many lines of which severity lately, with the bad lines kept as evidence."""

from __future__ import annotations

import contextlib
import os
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from cockpit.adapters.far import Far
from cockpit.adapters.own_thread import OwnThread
from cockpit.config import TailConfig
from cockpit.errors import CockpitError, TimedOut
from cockpit.monitor.logs.fetched import Fetched
from cockpit.monitor.logs.followed import Fetching, Followed, NotThereYet
from cockpit.monitor.logs.left import PLACE
from cockpit.monitor.logs.severity import Counts, Severity, severity_of
from cockpit.monitor.logs.tail import TailBatch
from cockpit.monitor.probe import Grader, clean, failed, now
from cockpit.monitor.sample import Level, Outcome, Reading, Sample
from cockpit.safety.redaction.redactor import Known
from cockpit.safety.text import sanitise
from cockpit.words import _, plural

WINDOW_S = 60.0
EVIDENCE_BYTES = 64 << 20
FETCHED = ".lines"
_ASK_S = 4.0
_SHARE_OF_DEADLINE = 0.85
_DRAIN_S = 2.0
"""How long one sample may go on fetching what piled up on another machine."""
_MOST_POLLS = 64


def log_sample(
    name: str, counts: Counts, window_s: float, *, interval_s: float = 2.0, t: str = "", m: int = 0
) -> Sample:
    """A sample of kind "log" from what a window of so many seconds held.

    Readings: errors_per_min (fatal ones included), fatal_per_min, warnings_per_min, lines_per_min, error_percent.
    """
    per_min = 60.0 / window_s
    errors = counts.error + counts.fatal
    share = round(100.0 * errors / counts.lines, 2) if counts.lines else 0.0
    rate = round(errors * per_min, 1)
    stamp = (t, m) if t else now()
    return Sample(
        probe=name,
        kind="log",
        t=stamp[0],
        m=stamp[1],
        outcome=Outcome.DATA,
        level=Level.GREY,
        text=plural("{n} error/min", "{n} errors/min", round(rate)).format(n=f"{rate:g}"),
        readings=(
            Reading("errors_per_min", rate),
            Reading("fatal_per_min", round(counts.fatal * per_min, 1)),
            Reading("warnings_per_min", round(counts.warn * per_min, 1)),
            Reading("lines_per_min", round(counts.lines * per_min, 1)),
            Reading("error_percent", share, "%"),
        ),
        interval_s=interval_s,
    )


class LogProbe:
    """Follows one log; see `Probe`. The rate is over the last minute, counting from when the watch began.

    Args:
        far: the machine where the file is; None for this one. Its lines are kept in `fetched`, for viewers to follow.
    """

    kind = "log"
    deadline_s = 4.0

    def __init__(
        self,
        config: TailConfig,
        evidence: Path,
        redact: Callable[[str], str],
        known: Callable[[], Known] = lambda: Known(()),
        far: Far | None = None,
    ) -> None:
        self.name = config.name
        self.title = config.title or config.name
        self.interval_s = config.interval_s
        self.fetched = Fetched(evidence.with_suffix(FETCHED)) if far else None
        self._config = config
        self._far = far
        self._evidence = Evidence(evidence)
        self._redact = redact
        self._known = known
        self._thread = OwnThread[None](f"log {config.name}")
        self._grader = Grader(config.thresholds)
        self._window: deque[tuple[int, Counts]] = deque()
        self._files: list[Followed] = []

    async def sample(self) -> Sample:
        """What came since the last time, as rates over the last minute."""
        try:
            await self._find()
            await self._thread.run(self._drain)
            troubles = [file.trouble for file in self._files if file.trouble]
            if troubles and len(troubles) == len(self._files):
                raise troubles[0]
        except CockpitError as error:
            return clean(self._without_data(error), self._redact)
        t, m = now()
        while self._window and (m - self._window[0][0]) / 1e9 > WINDOW_S:
            self._window.popleft()
        total = Counts()
        for _m, counts in self._window:
            total.add(counts)
        return self._grader.grade(log_sample(self.name, total, WINDOW_S, interval_s=self.interval_s, t=t, m=m))

    async def close(self) -> None:
        """Let go of the files; those that a hung thread still reads are left to it."""
        with contextlib.suppress(TimedOut):
            await self._thread.run(self._let_go)

    async def _find(self) -> None:
        """Have `_files` be what the log is made of now.

        Raises:
            CockpitError: there is nothing to follow, or it can't be known.
        """
        if not self._files:
            path = self._config.path
            self._files = [self._fetching(path, PLACE) if self._far else Followed(path)]

    def _fetching(self, path: str, record: str) -> Fetching:
        assert self._far
        assert self.fetched
        patience_s = _SHARE_OF_DEADLINE * _ASK_S
        place = self._evidence.path.with_suffix(record)
        return Fetching(path, self._far, self._config.target, patience_s, self.fetched, place)

    def _let_go(self) -> None:
        for file in self._files:
            file.close()
        self._evidence.close()
        if self.fetched:
            self.fetched.close()

    def _drain(self) -> None:
        known = self._known()
        until_s = time.monotonic() + _DRAIN_S
        for file in self._files:
            for _poll in range(_MOST_POLLS):
                batch = self._polled(file, known)
                if batch.counts.lines:
                    self._window.append((now()[1], batch.counts))
                self._evidence.keep(file.keep(batch), self._redact)
                if not batch.more or (self.fetched and time.monotonic() > until_s):
                    break

    def _polled(self, file: Followed, known: Known) -> TailBatch:
        try:
            return file.poll(known)
        except CockpitError as error:
            if self.fetched:
                self.fetched.away(self._redact(error.what))
            raise

    def _without_data(self, error: CockpitError) -> Sample:
        sample = failed(self, error)
        if isinstance(error, NotThereYet):
            return replace(sample, outcome=Outcome.NONE, level=Level.GREY, error="")
        return sample


@dataclass(slots=True)
class Evidence:
    """WARN and worse, with the stack traces that belong to them, in a file of the session: 0600 and bounded."""

    path: Path
    bound_bytes: int = EVIDENCE_BYTES
    _descriptor: int | None = None
    _size: int = 0
    _inside: bool = False

    def keep(self, batch: TailBatch, redact: Callable[[str], str]) -> None:
        """Keep what is bad in the batch, and what happened to the file. A full disk costs lines, never the watch."""
        counts = batch.counts
        bad = self._inside or counts.warn or counts.error or counts.fatal
        bad_lines = self._bad_lines(batch.lines) if bad else []
        # All at once: what is folded over several lines can't be told from each.
        lines = redact("\n".join(bad_lines)).split("\n") if bad_lines else []
        marks = [f"--- {sanitise(redact(event.text))}" for event in batch.events]
        if batch.dropped and bad:
            marks.append(
                "--- "
                + plural(
                    "{n} line came too fast and was not looked at",
                    "{n} lines came too fast and were not looked at",
                    batch.dropped,
                ).format(n=batch.dropped)
            )
        if lines or marks:
            try:
                self._write("".join(f"{line}\n" for line in (*marks, *lines)))
            except OSError:
                self.close()

    def close(self) -> None:
        """Close the file; keeping opens it again."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _bad_lines(self, lines: list[str]) -> list[str]:
        kept = []
        for line in lines:
            severity = severity_of(line)
            if severity is not Severity.NONE:
                self._inside = severity >= Severity.WARN
            if self._inside:
                kept.append(line)
        return kept

    def _write(self, text: str) -> None:
        if self._descriptor is None:
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
            self._descriptor = os.open(self.path, flags, 0o600)
            self._size = os.fstat(self._descriptor).st_size
        if self._size >= self.bound_bytes:
            return
        data = text.encode("utf-8", "backslashreplace")
        if self._size + len(data) > self.bound_bytes:
            data = data[: data.rfind(b"\n", 0, self.bound_bytes - self._size) + 1]
            data += ("--- " + _("full: later lines are not kept here") + "\n").encode()
            self._size = self.bound_bytes
        self._size += os.write(self._descriptor, data)
