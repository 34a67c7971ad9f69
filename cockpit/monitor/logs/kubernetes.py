"""The logs of pods as a probe: how many of their lines are errors a minute; the lines themselves are for the log panel.

[[probe]]
name = "api log"
kind = "kubernetes-logs"
deployment = "api"                  # or selector = "app=api", or pod = "api-0"; without any, every pod
container = "app"                   # without it, every container
thresholds = ["errors_per_min > 10 red"]
"""

from __future__ import annotations

import asyncio
import re
import shlex
import time
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct

from cockpit.adapters.kubernetes.sign_in import KubernetesOptions
from cockpit.adapters.library import needing
from cockpit.adapters.own_thread import OwnThread
from cockpit.adapters.probing import TEXT_CHARACTERS, Brought, Finding, Value
from cockpit.errors import ConfigError
from cockpit.monitor.logs.by_source import CleaningBySource
from cockpit.monitor.logs.rates import rates, told
from cockpit.monitor.logs.severity import Severity, severity_of
from cockpit.safety.kubernetes.judgement import judge_kubernetes
from cockpit.safety.permit import Action, Permit
from cockpit.safety.verdict import Judgement
from cockpit.words import _, plural, shortened

if TYPE_CHECKING:
    from cockpit.adapters.kubernetes.gathered import Gathered
    from cockpit.adapters.kubernetes.log_tails import LogTails

_SHARE_OF_DEADLINE = 0.9
_SHOWN_LINES = 5
_MINUTE_S = 60.0
_MOST_AT_ONCE = 100
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_SELECTOR = re.compile(r"[\w./!=,() -]+")


class KubernetesLogsOptions(Struct, frozen=True, kw_only=True):
    """Keys of a probe of kind "kubernetes-logs". `most` logs are followed at once, each over a connection."""

    context: str = ""
    namespace: str = ""
    kubeconfig_file: str = ""
    deployment: str = ""
    selector: str = ""
    pod: str = ""
    container: str = ""
    most: int = 20


class KubernetesLogsProbe:
    """The logs of some pods, followed."""

    Options: ClassVar[type[Struct]] = KubernetesLogsOptions

    def __init__(self, options: KubernetesLogsOptions, deadline_s: float) -> None:
        _check(options)
        self._options = options
        self._patience_s = deadline_s * _SHARE_OF_DEADLINE
        self._tails: LogTails | None = None
        self._thread: OwnThread[Finding] = OwnThread("kubernetes logs")
        self._counts: deque[tuple[float, int, int]] = deque()
        self._last: deque[str] = deque(maxlen=_SHOWN_LINES)
        self._cleaning = CleaningBySource()

    @property
    def action(self) -> Action:
        """Whose logs are read."""
        it = self._options
        where = f" --namespace={it.namespace}" if it.namespace else ""
        chosen = f" --selector={shlex.quote(it.selector)}" if it.selector else ""
        name = f"deployment/{it.deployment}" if it.deployment else it.pod or "pods"
        container = f" --container={it.container}" if it.container else ""
        return Action(
            "kubernetes", f"get pods{where}{chosen}\nlogs {name}{where}{container}", it.context or "kubeconfig"
        )

    @property
    def judgement(self) -> Judgement:
        """What safety says of it."""
        return judge_kubernetes(self.action.body)

    async def look(self, permit: Permit) -> Finding:
        """The lines since the last look, and how many were errors in the last minute. See `Watchable`."""
        permit.covers(self.action)
        return await self._thread.run(self._look)

    async def close(self) -> None:
        """End every stream."""
        tails, self._tails = self._tails, None
        if tails is not None:
            await asyncio.to_thread(tails.close)

    def _look(self) -> Finding:
        with needing("kubernetes", "kubernetes"):
            tails = self._tails = self._tails or self._made()
            taken = tails.take(self._patience_s)
        self._count(taken)
        brought = self._brought(taken)
        lines = sum(count for _at, count, _errors in self._counts)
        errors = sum(count for _at, _lines, count in self._counts)
        counted = rates(errors, lines)
        values = (
            *counted,
            Value("pods", float(len(tails.pods()))),
            Value("logs", float(tails.followed)),
        )
        if not tails.pods():
            return Finding(
                _("no pod matches"), values, none=True, mend=_("see whether they run, and in this namespace")
            )
        words = [told(*counted)]
        words += _remarks(tails)
        rows = tuple(map(_row, self._last))
        return Finding(" · ".join(words), values, rows, brought=brought)

    def _made(self) -> LogTails:
        from cockpit.adapters.kubernetes.log_tails import LogTails, Meant

        it = self._options
        target = KubernetesOptions(context=it.context, namespace=it.namespace, kubeconfig_file=it.kubeconfig_file)
        return LogTails(target, Meant(it.deployment, it.selector, it.pod, it.container), it.most)

    def _count(self, taken: Sequence[Gathered]) -> None:
        lines = [one for one in taken if not one.told]
        errors = sum(severity_of(one.text.decode("utf-8", "replace")) >= Severity.ERROR for one in lines)
        now_m = time.monotonic()
        self._counts.append((now_m, len(lines), errors))
        while self._counts[0][0] < now_m - _MINUTE_S:
            self._counts.popleft()

    def _brought(self, taken: Sequence[Gathered]) -> Brought:
        """The lines, masked stream by stream, and what happened between them."""
        shown = iter(self._cleaning.lines([(one.source, _written(one)) for one in taken if not one.told]))
        lines: list[str] = []
        told: list[tuple[int, str]] = []
        for one in taken:
            if one.told:
                told.append((len(lines), f"{one.source}: {one.text.decode('utf-8', 'replace')}"))
            else:
                lines += next(shown)
        self._last.extend(lines[-_SHOWN_LINES:])
        return Brought(tuple(lines), told=tuple(told))


def _check(it: KubernetesLogsOptions) -> None:
    if sum(map(bool, (it.deployment, it.selector, it.pod))) > 1:
        raise ConfigError(_("deployment, selector and pod exclude each other"))
    for name in (it.namespace, it.deployment, it.pod, it.container):
        if name and not _NAME.fullmatch(name):
            raise ConfigError(_("{name} can't be an object's name").format(name=repr(name)))
    if it.selector and not _SELECTOR.fullmatch(it.selector):
        raise ConfigError(_("{text} can't be a selector").format(text=repr(it.selector)), mend="app=api,tier!=test")
    if not 1 <= it.most <= _MOST_AT_ONCE:
        raise ConfigError(_("most is a number from 1 to {n}").format(n=_MOST_AT_ONCE))


def _remarks(tails: LogTails) -> list[str]:
    """What is not followed, and why."""
    remarks = []
    if left := tails.left_out():
        remarks.append(plural("{n} log is not followed", "{n} logs are not followed", left).format(n=left))
    if troubles := tails.troubles():
        told = plural("{n} log can't be read: {why}", "{n} logs can't be read: {why}", len(troubles))
        remarks.append(told.format(n=len(troubles), why=troubles[0]))
    return remarks


def _written(one: Gathered) -> bytes:
    """The line as it is kept: when, whose, what."""
    return f"{_shown(one.at_ns)} {one.source} ".lstrip().encode() + one.text


def _shown(at_ns: int) -> str:
    """2026-11-21T13:00:00.123Z; "" where nobody says."""
    if not at_ns:
        return ""
    at = datetime.fromtimestamp(at_ns / 1e9, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _row(line: str) -> Mapping[str, str]:
    at, _blank, text = line.partition(" ")
    told = (at, text) if at[:4].isdigit() else ("", line)
    return {"at": told[0], "text": shortened(told[1], TEXT_CHARACTERS)}
