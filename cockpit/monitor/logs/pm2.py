"""The error log of a PM2 process, wherever PM2 says that it is: one file, or one for each of its instances.

[[tail]]
name = "backend errors"
pm2 = "backend"

PM2 is asked as its probes ask it, and no more often: a look that one of them took a moment ago will do.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from msgspec.structs import replace

from cockpit.adapters.far import Far
from cockpit.adapters.pm2.error_logs import ErrorLog, NoDaemon
from cockpit.adapters.this_machine import ThisMachine
from cockpit.config import TailConfig
from cockpit.errors import CockpitError
from cockpit.monitor.logs.followed import Fetching, NotThereYet
from cockpit.monitor.logs.left import PLACE, on_record
from cockpit.monitor.logs.probe import LogProbe
from cockpit.monitor.logs.raw_tail import Happening, TailEvent
from cockpit.monitor.logs.tail import TailBatch
from cockpit.monitor.probe import clean
from cockpit.monitor.sample import Outcome, Sample
from cockpit.safety.redaction.redactor import Known
from cockpit.words import _, plural, shortened

_YOUNG_S = 10.0
_UNKNOWN_YOUNG_S = 2.0
"""How old PM2's word may be: where its process is followed, and where it is not found yet."""
_FAREWELL_S = 30.0
"""How long a file is still read that PM2 does not name any more: a process that is stopped has last words."""
_MOST_FILES = 16
_SHOWN_CHARACTERS = 120
_HASH_CHARACTERS = 16


class KnowsErrorLogs(Protocol):
    """What asks one PM2 daemon."""

    async def error_logs(self, young_s: float) -> Sequence[ErrorLog]:
        """Where all error logs are, as was said at most so long ago.

        Raises:
            NoDaemon: there is none. CockpitError: it can't be asked.
        """


class Pm2LogProbe(LogProbe):
    """Follows the error log of the processes of one name; see `LogProbe`. All lines are kept in the session.

    Args:
        far: the machine where PM2 is; None for this one.
        daemons: those that may have the process.
    """

    deadline_s = 8.0  # PM2 is asked, and then each file

    def __init__(
        self,
        config: TailConfig,
        evidence: Path,
        redact: Callable[[str], str],
        known: Callable[[], Known],
        far: Far | None,
        daemons: Sequence[KnowsErrorLogs],
    ) -> None:
        super().__init__(config, evidence, redact, known, far or ThisMachine())
        self._records = evidence
        self._daemons = daemons
        self._following: dict[str, Fetching] = {}
        self._named_at_s: dict[str, float] = {}
        self._remarks: list[str] = []

    async def sample(self) -> Sample:
        """What came since the last time; see `LogProbe`."""
        self._remarks = []
        sample = await super().sample()
        if not self._remarks or sample.outcome is not Outcome.DATA:
            return sample
        return clean(replace(sample, text=" · ".join([sample.text, *self._remarks])), self._redact)

    async def _find(self) -> None:
        assert self.fetched
        try:
            logs = await self._logs()
        except CockpitError as error:
            if self._following:  # what is known is read on
                self._remarks.append(error.what)
                return
            if not isinstance(error, NotThereYet):
                self.fetched.away(self._redact(error.what))
            raise
        own = [log for log in logs if log.name == self._config.pm2]
        self._follow({log.path: log for log in own if log.path})
        if not self._following:
            raise _nothing(self._config.pm2, own, logs)

    async def _logs(self) -> Sequence[ErrorLog]:
        logs: list[ErrorLog] = []
        absent: NoDaemon | None = None
        for daemon in self._daemons:
            try:
                logs += await daemon.error_logs(_YOUNG_S if self._following else _UNKNOWN_YOUNG_S)
            except NoDaemon as error:
                absent = error
        if absent and not logs:
            raise NotThereYet(absent.what, where=absent.where, mend=absent.mend)
        return logs

    def _follow(self, named: Mapping[str, ErrorLog]) -> None:
        """Have those be followed, and those that were named until a moment ago."""
        begins, now_s = not self._following, time.monotonic()
        for path, log in named.items():
            if path not in self._following and len(self._following) < _MOST_FILES:
                self._begin(path, told=not begins)
            if path in self._following:
                self._following[path].label = f"{log.pm_id}| " if len(named) > 1 else ""
        if begins and self._following:
            for path in self._left_by_another_host(named):
                self._begin(path, told=False)
        for path in named or self._following:
            self._named_at_s[path] = now_s
        for path in [
            path for path in self._following if now_s - self._named_at_s.setdefault(path, now_s) > _FAREWELL_S
        ]:
            self._following.pop(path).close()
        if left := len(named.keys() - self._following):
            self._remarks.append(plural("{n} log is not followed", "{n} logs are not followed", left).format(n=left))
        self._files = list(self._following.values())

    def _begin(self, path: str, *, told: bool) -> None:
        assert self.fetched
        if told:
            event = TailEvent(Happening.SWITCHED, _("PM2 now names the error log {path}").format(path=path))
            self.fetched.keep(TailBatch(events=[event]))
        digest = hashlib.sha256(path.encode("utf-8", "surrogateescape")).hexdigest()[:_HASH_CHARACTERS]
        self._following[path] = self._fetching(path, f".{digest}{PLACE}")

    def _left_by_another_host(self, named: Mapping[str, ErrorLog]) -> Iterator[str]:
        """Files that were followed when the host before this one stopped, and that PM2 does not name any more."""
        for log in on_record(self._records.with_suffix(""), "?" * _HASH_CHARACTERS):
            target, _colon, path = log.partition(":")
            if target == self._config.target and path not in named and len(self._following) < _MOST_FILES:
                yield path


def _nothing(name: str, own: Sequence[ErrorLog], logs: Sequence[ErrorLog]) -> CockpitError:
    """Why there is nothing to follow."""
    if own:
        return NotThereYet(
            _("PM2 keeps no error log of {name}").format(name=name),
            mend=_("give it an error_file in its ecosystem file"),
        )
    names = ", ".join(dict.fromkeys(log.name for log in logs))
    return NotThereYet(
        _("PM2 has no process called {name}").format(name=name),
        mend=_("it has: {names}").format(names=shortened(names, _SHOWN_CHARACTERS)) if names else "",
    )
