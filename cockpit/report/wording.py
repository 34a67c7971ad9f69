"""A moment of the timeline in a sentence, and times and durations as people read them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from cockpit.report.facts import Moment, ReportFacts
from cockpit.session.record.fanout import manner_of
from cockpit.words import _

Data = Mapping[str, Any]


def sentence(moment: Moment, facts: ReportFacts) -> str:
    """What happened, in words. A kind this version does not know is shown by its name."""
    write = _SENTENCES.get(moment.kind)
    if write is None:
        return moment.kind
    return write(moment.data, _Names(facts))


def utc(t: str | None) -> str:
    """An RFC 3339 time to the second, in UTC; "" for none."""
    return f"{datetime.fromisoformat(t).astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if t else ""


def both_times(t: str | None) -> str:
    """In UTC, and in this machine's zone where that differs."""
    if not t:
        return ""
    local = datetime.fromisoformat(t).astimezone()
    return utc(t) if not local.utcoffset() else f"{utc(t)} ({local:%Y-%m-%d %H:%M:%S %Z})"


def duration(seconds: float | None) -> str:
    """0.25 s, 12.3 s, 4 min 05 s, 1 h 02 min; "" for none."""
    if seconds is None:
        return ""
    if seconds < 60:
        return _("{seconds} s").format(seconds=f"{seconds:.2f}" if seconds < 10 else f"{seconds:.1f}")
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return _("{minutes} min {seconds:02d} s").format(minutes=minutes, seconds=rest)
    return _("{hours} h {minutes:02d} min").format(hours=minutes // 60, minutes=minutes % 60)


def result(status: str, exit_code: int | None, signal: int | None) -> str:
    """passed (exit 0), failed (signal 9), …"""
    if signal is not None:
        return _("{status} (signal {signal})").format(status=status_word(status), signal=signal)
    if exit_code is not None:
        return _("{status} (exit {code})").format(status=status_word(status), code=exit_code)
    return status_word(status)


def status_word(status: str) -> str:
    """A step's status in the interface language."""
    return _STATUS_WORDS.get(status, lambda: status)()


_STATUS_WORDS: Mapping[str, Callable[[], str]] = {
    "todo": lambda: _("to do"),
    "running": lambda: _("running"),
    "awaiting": lambda: _("awaiting an answer"),
    "passed": lambda: _("passed"),
    "failed": lambda: _("failed"),
    "refused": lambda: _("refused"),
    "skipped": lambda: _("skipped"),
    "cancelled": lambda: _("cancelled"),
    "timed-out": lambda: _("timed out"),
    "unknown": lambda: _("unknown"),
}


def term(value: str) -> str:
    """A mode, a verdict or a rung in the interface language; other values as they are."""
    return _TERMS.get(value, lambda: value)()


_TERMS: Mapping[str, Callable[[], str]] = {
    "live": lambda: _("live"),
    "read-only": lambda: _("read-only"),
    "rehearsal": lambda: _("rehearsal"),
    "mutating": lambda: _("mutating"),
    "destructive": lambda: _("destructive"),
    "unknown": lambda: _("unknown"),
    "none": lambda: _("none"),
    "confirm": lambda: _("confirm"),
    "type-target": lambda: _("type-target"),
}


class _Names:
    """Steps by what the runbook calls them."""

    def __init__(self, facts: ReportFacts) -> None:
        self._titles = {step.step: step.title for step in facts.steps}

    def of(self, data: Data) -> str:
        step = str(data.get("step", ""))
        title = self._titles.get(step)
        return title.parts.get(str(data.get("part")), title.label) if title else step


def _intent(data: Data, names: _Names) -> str:
    group = data.get("group") or {}
    if group.get("targets"):
        targets = group["targets"]
        manner = manner_of(int(group["at_once"]), bool(group["stop_at_first_failure"]), len(targets))
        told = _("“{step}” is run on {group} ({verdict}): {targets}; {manner}")
        return told.format(
            step=names.of(data), group=group.get("name"), verdict=term(str(data.get("verdict", ""))),
            targets=", ".join(map(str, targets)), manner=manner,
        )  # fmt: skip
    return _("“{step}” is run on {target} ({verdict})").format(
        step=names.of(data), target=data.get("target", ""), verdict=term(str(data.get("verdict", "")))
    )


def _finished(data: Data, names: _Names) -> str:
    ended = result(str(data["status"]), data.get("exit_code"), data.get("signal"))
    told = _("“{step}”: {result}").format(step=names.of(data), result=ended)
    together = data.get("repetitions") or {}
    if together:
        runs = _("{held} of {tries} runs held").format(held=together.get("held"), tries=together.get("tries"))
        told = f"{told}, {runs}"
    took = duration(together.get("duration_s", data.get("duration_s")))
    if took:
        told = _("{what}, after {duration}").format(what=told, duration=took)
    return _with_reason(told, data)


def _target_finished(data: Data, names: _Names) -> str:
    ended = result(str(data["status"]), data.get("exit_code"), data.get("signal"))
    told = _("“{step}” on {target}: {result}").format(step=names.of(data), target=data.get("target"), result=ended)
    if took := duration(data.get("duration_s")):
        told = _("{what}, after {duration}").format(what=told, duration=took)
    return _with_reason(told, {"reason": data.get("reason") or data.get("told")})


def _with_reason(told: str, data: Data) -> str:
    return f"{told}. {data['reason']}" if data.get("reason") else told


def _answered(data: Data, names: _Names) -> str:
    held = _("yes") if data.get("held") else _("no")
    return _("“{step}”: {question}: {answer}").format(step=names.of(data), question=data.get("question"), answer=held)


def _recovered(data: Data, _names: _Names) -> str:
    return _("the journal was recovered: {bytes} bytes set aside, {records} records missing").format(
        bytes=int(data.get("bytes", 0)) + int(data.get("damaged_bytes", 0)), records=data.get("missing_records", 0)
    )


def _probe(data: Data, _names: _Names) -> str:
    level = data.get("level") or data.get("outcome", "")
    was = _("(was {level})").format(level=data["was"]) if data.get("was") else ""
    return " ".join(filter(None, (f"{data.get('probe', '')}:", str(level), was, data.get("text"))))


_SENTENCES: Mapping[str, Callable[[Data, _Names], str]] = {
    "session.started": lambda d, _n: _("the session began ({mode})").format(mode=term(str(d.get("mode", "")))),
    "session.ended": lambda d, _n: _with_reason(_("the session ended"), d),
    "host.recovered": lambda d, _n: _("the host was started again; adopted runs {adopted}, lost runs {lost}").format(
        adopted=d.get("adopted") or "-", lost=d.get("lost") or "-"
    ),
    "journal.recovered": _recovered,
    "input.set": lambda d, _n: _("{name} is set to {value}").format(name=d.get("name"), value=d.get("value")),
    "input.revealed": lambda d, _n: _("the secret {name} was shown").format(name=d.get("name")),
    "mode.changed": lambda d, _n: _with_reason(_("mode: {mode}").format(mode=term(str(d.get("mode")))), d),
    "enforcement.found": lambda d, _n: (
        _("{target}: read-only is enforced by the server")
        if d.get("by") == "server"
        else _("{target}: read-only is enforced by this tool only")
    ).format(target=d.get("target")),
    "warning.raised": lambda d, _n: _("warning: {text}").format(text=d.get("text")),
    "approval.asked": lambda d, n: _("“{step}” waits for a second person").format(step=n.of(d)),
    "approval.given": lambda d, _n: _("approved by {name}").format(name=d.get("by")),
    "approval.denied": lambda d, _n: _("denied by {name}").format(name=d.get("by")),
    "target.changed": lambda d, _n: _("target: {target}").format(target=d.get("target")),
    "state.reset": lambda d, _n: _("the shell on {target} is begun afresh").format(target=d.get("target")),
    "severity.set": lambda d, _n: _with_reason(_("severity: {severity}").format(severity=d.get("severity")), d),
    "step.intent": _intent,
    "step.silent": lambda d, n: _("“{step}” has said nothing for {duration}").format(
        step=n.of(d), duration=duration(d.get("silence_s"))
    ),
    "step.finished": _finished,
    "target.finished": _target_finished,
    "step.answered": _answered,
    "step.reopened": lambda d, n: _with_reason(_("“{step}” is opened again").format(step=n.of(d)), d),
    "note.added": lambda d, _n: _("note: {text}").format(text=d.get("text")),
    "message.prepared": lambda d, n: _("message for “{step}”: {text}").format(step=n.of(d), text=d.get("text")),
    "probe.changed": _probe,
    "recommendation.raised": lambda d, _n: _("recommended: {text}").format(text=d.get("text") or d.get("section")),
    "recommendation.cleared": lambda d, _n: _("no longer recommended: {rule}").format(rule=d.get("rule")),
}
