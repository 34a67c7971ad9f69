"""A probe: something that gives a sample whenever it is asked."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from msgspec.structs import replace

from cockpit.adapters.probing import Finding, UsuallyBounded, Value, Watchable
from cockpit.config import Bound, ProbeConfig
from cockpit.errors import AccessDenied, AdapterError, AskedTooOften, CockpitError, LinkDown, ToolMissing
from cockpit.monitor.sample import Level, Outcome, Reading, Sample
from cockpit.monitor.threshold import graded
from cockpit.safety.permit import Mode, grant
from cockpit.safety.text import sanitise
from cockpit.words import _

if TYPE_CHECKING:
    from cockpit.monitor.logs.kept import KeptLines

_TEXT_CHARACTERS = 300


class Probe(Protocol):
    """What the schedule needs of a probe. `sample` never raises; it may be cancelled at the deadline."""

    name: str
    kind: str
    title: str
    interval_s: float
    deadline_s: float

    async def sample(self) -> Sample:
        """Look once."""

    async def close(self) -> None:
        """Let go of what is held."""


class WatchedProbe:
    """A probe made of an adapter's look: permits it, stamps it, cleans its text and holds it against its thresholds."""

    def __init__(self, config: ProbeConfig, watchable: Watchable, redact: Callable[[str], str]) -> None:
        self.name = config.name
        self.kind = config.kind
        self.title = config.title or config.name
        self.interval_s = config.interval_s
        self.deadline_s = config.deadline_s
        self.watchable = watchable
        self._redact = redact
        stated = {bound.metric for bound in config.thresholds}
        usual = watchable.usual_bounds if isinstance(watchable, UsuallyBounded) else ()
        self._grader = Grader((*config.thresholds, *(bound for bound in usual if bound.metric not in stated)))
        self.kept: KeptLines | None = None
        """Where the lines go that a log's looks bring; None for what is no log."""

    async def sample(self) -> Sample:
        """One look, as a sample. See `Probe`."""
        begun = time.perf_counter()
        try:
            look = self.watchable
            permit = grant(look.action, look.judgement, Mode.READ_ONLY, by="monitor")
            finding = await look.look(permit)
            if self.kept:
                self.kept.keep(finding.brought)
            found = self._sample_of(finding)
        except CockpitError as error:
            if self.kept:
                self.kept.away(error.what)
            found = failed(self, error)
        except Exception as error:  # noqa: BLE001  # one probe's defect must not silence the others
            found = failed(self, AdapterError(_("this probe itself broke: {error}").format(error=repr(error))))
        taken_ms = round((time.perf_counter() - begun) * 1000, 1)
        return self._grader.grade(replace(clean(found, self._redact), duration_ms=taken_ms))

    async def close(self) -> None:
        """Let go of connections."""
        if self.kept:
            self.kept.close()
        await self.watchable.close()

    def _sample_of(self, found: Finding) -> Sample:
        t, m = now()
        return Sample(
            probe=self.name,
            kind=self.kind,
            t=t,
            m=m,
            outcome=Outcome.NONE if found.none else Outcome.DATA,
            level=Level.GREY,
            text=found.text,
            readings=tuple(map(_reading, found.values)),
            rows=found.rows,
            mend=found.mend,
            interval_s=self.interval_s,
        )


class Grader:
    """Holds samples of one probe against its thresholds, remembering as many as their statistics look back on."""

    def __init__(self, thresholds: Sequence[Bound]) -> None:
        self._thresholds = thresholds
        self._recent: deque[Sample] = deque(maxlen=max((bound.over for bound in thresholds), default=1))

    def grade(self, sample: Sample) -> Sample:
        """The sample with levels. Only samples with data are graded and remembered."""
        if sample.outcome is not Outcome.DATA:
            return sample
        self._recent.append(sample)
        return graded(sample, self._thresholds, tuple(self._recent))


def now() -> tuple[str, int]:
    """The wall clock as RFC 3339 in UTC, and the monotonic clock in ns."""
    return datetime.now(UTC).isoformat(timespec="microseconds"), time.monotonic_ns()


def failed(probe: Probe, error: CockpitError) -> Sample:
    """A sample that says why there is none.

    Red when the service did not answer. Yellow when it is the monitor that can't see (credentials, a missing tool, no
    way to the machine, asked too often, a refusal of policy): that says nothing about the service.
    """
    blind = isinstance(error, AccessDenied | AskedTooOften | LinkDown | ToolMissing)
    blind = blind or not isinstance(error, AdapterError)
    t, m = now()
    return Sample(
        probe=probe.name,
        kind=probe.kind,
        t=t,
        m=m,
        outcome=Outcome.FAILED,
        level=Level.YELLOW if blind else Level.RED,
        text=error.what,
        error=f"{error.where}: {error.what}" if error.where else error.what,
        mend=error.mend,
        interval_s=probe.interval_s,
    )


def _reading(value: Value) -> Reading:
    return Reading(value.name, value.value, value.unit, Level(value.level) if value.level else Level.GREY)


def clean(sample: Sample, redact: Callable[[str], str]) -> Sample:
    """The sample with every text fit to store and show: no secret, no control character, one line of bounded length.

    A text is shortened after it was masked and never before: the half of a secret that is left is no known secret.
    """

    def line(text: str) -> str:
        shown = sanitise(redact(text)).replace("\n", " ") if text else text
        return shown if len(shown) <= _TEXT_CHARACTERS else shown[:_TEXT_CHARACTERS] + "…"

    def value(given: Any) -> Any:
        if isinstance(given, str):
            return line(given)
        if isinstance(given, Mapping):
            return {key: value(inner) for key, inner in given.items()}
        return [value(inner) for inner in given] if isinstance(given, list | tuple) else given

    return replace(
        sample,
        text=line(sample.text),
        error=line(sample.error),
        mend=line(sample.mend),
        readings=tuple(replace(reading, value=value(reading.value)) for reading in sample.readings),
        rows=tuple(value(row) for row in sample.rows),
    )
