"""What there is to watch, when nobody said: this machine, its PM2, health addresses and logs that the runbook names."""

from __future__ import annotations

import asyncio
import re
import shlex
import socket
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from cockpit.adapters.pm2.daemon import PROCESSES, ask_daemon
from cockpit.adapters.pm2.error_logs import ErrorLog, error_logs_of
from cockpit.adapters.pm2.probe import pm2_home
from cockpit.config import Config, ProbeConfig, Rule, TailConfig
from cockpit.config.bound import parse_bound
from cockpit.config.condition import parse_condition
from cockpit.errors import CockpitError
from cockpit.monitor.filling import fill_written
from cockpit.monitor.listening import health_addresses
from cockpit.monitor.stated import bounds_for
from cockpit.places import expanded
from cockpit.runbook.model import Phase, Runbook, Section, StepKind
from cockpit.words import _

_MOST = 4
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_HEALTH = re.compile(r"health|ready|live|alive|ping|status|heartbeat", re.IGNORECASE)
_SENDS = re.compile(r"-[XdFTu]|--(?:request|data|form|json|upload-file|user|proxy|next|config)|-K")
_LOG_FILE = re.compile(r"(?<![\w./-])((?:~|/)[\w./+-]+\.log)\b")
_FOLDER = re.compile(r"(?<![\w./-])(/[\w./-]+)/")
_PM2_NAME = re.compile(
    r"\bpm2\s+(?:restart|reload|stop|delete|describe|show|info|logs)\s+(?!all\b)([A-Za-z_][\w.-]*)(?<!\.js)(?![/\w])"
)
_PATIENCE_S = 0.5
_DOWN = re.compile(
    r"다운|전면 장애|서비스 (?:중단|불능)|응답 없음|\bdown\b|\boutage\b|\bunavailable\b|not responding|宕机|ダウン",
    re.IGNORECASE,
)
_MACHINE_BOUNDS = {
    "cpu_percent": (70.0, 90.0),
    "memory_percent": (80.0, 90.0),
    "disk_percent": (80.0, 90.0),
}
_LOG_BOUNDS = ("errors_per_min > 0 yellow", "errors_per_min > 10 red")


def discover(runbook: Runbook, inputs: Mapping[str, str]) -> Config:
    """What is found on this machine. Reads, connects to loopback only, starts nothing; about a second at most.

    Args:
        runbook: what it names on this machine is watched.
        inputs: values of its inputs, by name.
    """
    commands = [step.code for step in runbook.steps if step.kind is StepKind.COMMAND and step.code]
    code = [fill_written(text, runbook, inputs) for text in commands]
    addresses = list(dict.fromkeys(url for text in code for url in health_urls(text)))[:_MOST]
    addresses = addresses or health_addresses()[:_MOST]
    probes = [_http(url, index, runbook) for index, url in enumerate(addresses)]
    tails = list(_tails(code))
    if _pm2_answers():
        probes.append(ProbeConfig(name="pm2", kind="pm2", title="PM2"))
        tails += _error_logs(code, {tail.path for tail in tails})
    probes.append(_machine(code, runbook))
    return Config(probes=tuple(probes), tails=tuple(tails), origin=_("found on this machine"))


def with_own_rules(config: Config, runbook: Runbook) -> Config:
    """The configuration with the rule that comes of itself, where it has none and the runbook has where to go.

    Health that fails, or that is not UP, or PM2 processes that broke, three looks in a row: the P0 or rollback section.
    """
    section = emergency_section(runbook)
    if config.rules or section is None:
        return config
    written = [
        *(f"{p.name} failed or healthy == false 3 in a row" for p in config.probes if p.kind == "http"),
        *(f"{p.name} broken > 0 3 in a row" for p in config.probes if p.kind == "pm2"),
    ]
    if not written:
        return config
    rule = Rule(
        name="service-down",
        conditions=tuple(parse_condition(one, "service-down") for one in written),
        section=section.id,
        text=_("the service is down"),
    )
    return msgspec.structs.replace(config, rules=(rule,))


def emergency_section(runbook: Runbook) -> Section | None:
    """Where to go when the service is down.

    The P0 rollback, else what is P0, a rollback, or about a service that is down, each with commands; else a
    rollback's checklist.
    """
    ranked = [(_rank(runbook, section), -at, section) for at, section in enumerate(runbook.sections)]
    possible = [one for one in ranked if one[0]]
    # A document called "P0 rollback" is no place to jump to where a section of it is one.
    inner = [one for one in possible if one[2].level > 1] or possible
    return max(inner, key=lambda one: one[:2])[2] if inner else None


def health_urls(code: str) -> Iterator[str]:
    """Health addresses on this machine that the code asks with a plain curl GET."""
    for line in code.replace("\\\n", " ").splitlines():
        for command in re.split(r"[|;&]+|\bdo\b", line):
            words = _words(command)
            if words[:1] == ["curl"] and not any(_SENDS.match(word) for word in words):
                yield from filter(None, map(_health_url, words[1:]))


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command, comments=True)
    except ValueError:
        return []


def _health_url(word: str) -> str | None:
    """The word as an address, if it is one on loopback, whole, and about health."""
    url = word if "://" in word else f"http://{word}"
    if not re.fullmatch(r"https?://[\w.:\[\]-]+/[\w./~?=&%-]*", url):
        return None
    try:
        parts = urlsplit(url)
        local = parts.hostname in _LOOPBACK and (parts.port or 80) > 0
    except ValueError:
        return None
    return url if local and _HEALTH.search(parts.path) else None


def _http(url: str, index: int, runbook: Runbook) -> ProbeConfig:
    parts = urlsplit(url)
    return ProbeConfig(
        name="health" if index == 0 else f"health-{index + 1}",
        kind="http",
        title=f"{parts.netloc}{parts.path}",
        thresholds=tuple(bounds_for(runbook.thresholds, ("latency_ms", "5xx"))),
        options={"url": url},
    )


def _machine(code: Iterable[str], runbook: Runbook) -> ProbeConfig:
    stated = list(bounds_for(runbook.thresholds, tuple(_MACHINE_BOUNDS)))
    spoken_of = {bound.metric for bound in stated}
    own = [
        parse_bound(f"{metric} > {bound} % {level}", "machine")
        for metric, (yellow, red) in _MACHINE_BOUNDS.items()
        if metric not in spoken_of
        for bound, level in ((yellow, "yellow"), (red, "red"))
    ]
    return ProbeConfig(
        name="machine",
        kind="machine",
        title=socket.gethostname(),
        thresholds=(*stated, *own),
        options={"folders": ["/", *_other_disks(code)]},
    )


def _other_disks(code: Iterable[str]) -> list[str]:
    """Folders of the runbook that lie on another disk than the root."""
    found: dict[int, str] = {Path("/").stat().st_dev: "/"}
    for folder in dict.fromkeys(match[1] for text in code for match in _FOLDER.finditer(text)):
        try:
            found.setdefault(Path(folder).stat().st_dev, folder)
        except OSError:
            continue
    return [folder for folder in found.values() if folder != "/" and not folder.startswith(("/proc", "/dev", "/sys"))][
        :_MOST
    ]


def _tails(code: Iterable[str]) -> Iterator[TailConfig]:
    paths = dict.fromkeys(expanded(match[1]) for text in code for match in _LOG_FILE.finditer(text))
    names: set[str] = set()
    for path in [path for path in paths if _is_file(path)][:_MOST]:
        name = re.sub(r"[^\w.-]", "-", path.stem).strip("-._") or "log"
        while name in names | {"health", "pm2", "machine"}:
            name += "-log"
        names.add(name)
        bounds = tuple(parse_bound(text, name) for text in _LOG_BOUNDS)
        yield TailConfig(name=name[:64], path=str(path), title=path.name, thresholds=bounds)


def _error_logs(code: Iterable[str], followed: Collection[str]) -> Iterator[TailConfig]:
    """Those of the processes that the code names to PM2, and that it has."""
    named = dict.fromkeys(match[1] for text in code for match in _PM2_NAME.finditer(text))
    there = {log.name: log.path for log in _pm2_error_logs()}
    for name in [name for name in named if there.get(name, "") not in ("", *followed)][:_MOST]:
        bounds = tuple(parse_bound(text, name) for text in _LOG_BOUNDS)
        title = _("errors of {name}").format(name=name)
        yield TailConfig(name=f"pm2-{name}"[:64], pm2=name, title=title, thresholds=bounds)


def _pm2_error_logs() -> Sequence[ErrorLog]:
    async def asked() -> Sequence[ErrorLog]:
        async with asyncio.timeout(_PATIENCE_S):
            return error_logs_of(await ask_daemon(pm2_home() / "rpc.sock", PROCESSES))

    try:
        return asyncio.run(asked())
    except (CockpitError, OSError, TimeoutError):
        return ()


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


def _pm2_answers() -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(_PATIENCE_S)
        try:
            probe.connect(str(pm2_home() / "rpc.sock"))
        except OSError:
            return False
    return True


def _rank(runbook: Runbook, section: Section) -> int:
    urgent = section.severity == "P0"
    rolls_back = section.phase is Phase.ROLLBACK
    if not (urgent or rolls_back or _DOWN.search(section.title)):
        return 0
    kinds = _kinds(runbook, section)
    if StepKind.COMMAND not in kinds:
        return 1 if rolls_back and StepKind.CHECK in kinds else 0
    return 5 if urgent and rolls_back else 4 if urgent else 3 if rolls_back else 2


def _kinds(runbook: Runbook, section: Section) -> set[StepKind]:
    """The kinds of the steps in a section and in those below it."""
    inside = {section.id}
    for other in runbook.sections:
        if other.parent in inside:
            inside.add(other.id)
    return {step.kind for step in runbook.steps if step.section in inside}
