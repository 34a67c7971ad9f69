"""Status by shape, then word, then colour."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from cockpit.monitor.sample import Level, Outcome, PanelState
from cockpit.safety.verdict import Verdict
from cockpit.session.record.event import Status
from cockpit.session.record.fanout import TargetLine
from cockpit.session.record.state import RunRecord
from cockpit.words import _

STATUS_MARKS: dict[Status, tuple[str, str]] = {
    Status.TODO: ("[  ]", "dim"),
    Status.RUNNING: ("[>>]", "info"),
    Status.AWAITING: ("[??]", "warn"),
    Status.PASSED: ("[OK]", "ok"),
    Status.FAILED: ("[ x]", "bad"),
    Status.REFUSED: ("[ !]", "warn"),
    Status.SKIPPED: ("[ -]", "dim"),
    Status.CANCELLED: ("[^C]", "warn"),
    Status.TIMED_OUT: ("[ t]", "bad"),
    Status.UNKNOWN: ("[ ?]", "warn"),
}
MARK_WIDTH = 4
_WORDS = re.compile(r"[a-z]+|[가-힣]+")
_REAL = frozenset({"production", "prod", "prd", "live", "운영", "운영계", "프로덕션", "상용", "실서비스"})
_NOT_REAL = frozenset({"non", "not", "no", "pre", "like", "copy", "test", "비운영", "모의"})


def status_word(status: Status) -> str:
    """The status in the reader's language; "" for one that nothing has happened to."""
    return {
        Status.TODO: "",
        Status.RUNNING: _("running"),
        Status.AWAITING: _("your answer?"),
        Status.PASSED: _("passed"),
        Status.FAILED: _("failed"),
        Status.REFUSED: _("refused"),
        Status.SKIPPED: _("skipped"),
        Status.CANCELLED: _("cancelled"),
        Status.TIMED_OUT: _("timed out"),
        Status.UNKNOWN: _("unknown"),
    }[status]


def standing_word(status: Status, run: RunRecord | None, lines: Sequence[TargetLine] = ()) -> str:
    """The status, and of a step that is run several times how far it is: "running 3/5", "running, run 7".

    Args:
        lines: of a step on a group how each of its targets stands; it is as far as so many have ended.
    """
    if status is Status.RUNNING and lines:
        over = sum(each.status.over or each.status is Status.AWAITING for each in lines)
        return _("{status} {number}/{of}").format(status=status_word(status), number=over, of=len(lines))
    if status is not Status.RUNNING or run is None or run.repetition is None:
        return status_word(status)
    number, of = run.repetition
    told = _("{status} {number}/{of}") if of else _("{status}, run {number}")
    return told.format(status=status_word(status), number=number, of=of)


def verdict_word(verdict: Verdict) -> tuple[str, str]:
    """A verdict as (words, style)."""
    return {
        Verdict.READ_ONLY: (_("read-only"), "ok"),
        Verdict.UNKNOWN: (_("effect unknown"), "warn"),
        Verdict.MUTATING: (_("! changes things"), "warn"),
        Verdict.DESTRUCTIVE: (_("!! can't be undone"), "bad"),
    }[verdict]


def panel_mark(panel: PanelState) -> tuple[str, str]:
    """A panel's state as (glyph, style): stale before failed before level."""
    if panel.last is None:
        return "?", "dim"
    if panel.last.outcome is Outcome.FAILED:
        return "x", "bad"
    if panel.stale_since_t:
        return "~", "warn"
    if panel.last.outcome is Outcome.NONE:
        return "-", "dim"
    return {
        Level.GREEN: ("OK", "ok"),
        Level.YELLOW: ("!", "warn"),
        Level.RED: ("x", "bad"),
        Level.GREY: ("i", "info"),
    }[panel.last.level]


def is_production(environment: str) -> bool:
    """Whether an environment's name says that this is the real thing."""
    words = set(_WORDS.findall(environment.casefold()))
    return bool(words & _REAL) and not words & _NOT_REAL


def environment_style(environment: str) -> str:
    """How an environment's name is painted."""
    return "header-live" if is_production(environment) else "strong"


def mode_word(mode: str, enforcement: Iterable[str] = ()) -> tuple[str, str]:
    """The session's mode as (label, style).

    Args:
        enforcement: who keeps each target from being changed in read-only mode ("server", "tool"), as far as is known.
    """
    by = set(enforcement)
    if mode == "read-only" and by:
        label = _("[READ-ONLY enforced by the server]")
        if "tool" in by:
            told = _("[READ-ONLY enforced by this tool only]"), _("[READ-ONLY enforced in part by this tool only]")
            label = told["server" in by]
        return label, "header-read-only"
    return {
        "live": (_("[READ-WRITE]"), "header-live"),
        "read-only": (_("[READ-ONLY]"), "header-read-only"),
        "rehearsal": (_("[TRAINING]"), "header-rehearsal"),
    }.get(mode, (f"[{mode}]", "header-live"))
