"""How often, how far apart and until when something must hold: "5번 모두", "3 in a row", "every 30 s", "2분 이내"."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from msgspec import structs

from cockpit.runbook.model import Expectation

_UNITS_S = {
    "ms": 0.001, "s": 1, "sec": 1, "secs": 1, "second": 1, "seconds": 1, "초": 1, "秒": 1,
    "m": 60, "min": 60, "mins": 60, "minute": 60, "minutes": 60, "분": 60, "分": 60, "分钟": 60, "分鐘": 60,
    "h": 3600, "hr": 3600, "hrs": 3600, "hour": 3600, "hours": 3600, "시간": 3600, "小时": 3600, "時間": 3600,
}  # fmt: skip
_UNIT = "|".join(sorted(_UNITS_S, key=len, reverse=True))
_WORDS = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10}
_COUNT = rf"(?<![\d.~–-])(?P<n>\d{{1,3}}|{'|'.join(_WORDS)})"
_TIME = rf"(?<![\d.~–<>≤≥-])(?P<t>\d{{1,4}}(?:\.\d{{1,3}})?)[ -]?(?P<u>{_UNIT})(?![A-Za-z])"
_OCCASIONS = r"(?:번|회|차례|次|回)"


def _patterns(*forms: str) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(form, re.IGNORECASE) for form in forms)


# "3회 이하" bounds a number; it is no order to do something three times.
_NO_BOUND = r"(?!\s*(?:이상|이하|미만|초과|以上|以下|未満|未满|or (?:more|less|fewer)))"

_IN_A_ROW = _patterns(
    rf"{_COUNT}\s*{_OCCASIONS}\s*(?:모두|연속(?:으로)?|연이어|전부|都|连续|全部|とも|連続|すべて)",
    rf"(?:연속|连续|連続)(?:으로)?\s*{_COUNT}\s*{_OCCASIONS}",
    rf"(?:all|each of)\s+{_COUNT}\s+(?:times|checks|tries|attempts)",
    rf"{_COUNT}\s+(?:times\s+|checks\s+|tries\s+)?(?:in a row|in succession|consecutively)",
    rf"{_COUNT}\s+(?:consecutive|successive)(?:\s+(?:times|checks|tries))?",
    rf"{_COUNT}\s+times\s+out\s+of\s+(?P=n)",
    # "3/3 Running" counts pods: it is an order to repeat only where the word says so.
    rf"{_COUNT}\s*(?:/|(?:out )?of)\s*(?P=n)\s*(?:times|checks|tries|{_OCCASIONS})",
)
_PLAIN_TIMES = _patterns(rf"{_COUNT}\s*(?:{_OCCASIONS}|times\b){_NO_BOUND}")
_EVERY = _patterns(
    rf"\bevery\s+{_TIME}",
    rf"{_TIME}\s*(?:마다|간격(?:으로)?|間隔(?:で)?|ごとに?|毎に?|apart|intervals?)",
    rf"每(?:隔)?\s*{_TIME}",
)
_WITHIN = _patterns(
    rf"\bwithin\s+(?:the\s+(?:first|next)\s+)?{_TIME}",
    rf"\b(?:wait|poll|retry|try)(?:ing)?(?:\s+for)?(?:\s+up\s+to)?\s+{_TIME}",
    rf"\b(?:for\s+)?up\s+to\s+{_TIME}",
    rf"{_TIME}\s*(?:이내(?:에)?|안에|내(?:에|로)?(?=\s|$|[),])|以内に?|之内|内に)",
)
_THROUGHOUT = _patterns(
    rf"\bfor\s+(?:at\s+least\s+)?{_TIME}", rf"{_TIME}\s*(?:동안|간(?=\s|$|[),]))", rf"持续\s*{_TIME}"
)

_HINT = re.compile(rf"\d|\b(?:{'|'.join(_WORDS)})\b", re.IGNORECASE)
_FILLER = re.compile(
    r"[(（](?:[\s,;:·、，]|and|then|must hold|checked|repeated|polled|repeat|check|poll|확인|반복|실행|총)*[)）]|"
    r"(?:[\s,;:·、，]|\b(?:checked|repeated|polled|and)\b)+$|^[\s,;:·、，]+",
    re.IGNORECASE,
)
_COMMENTS = re.compile(r"(?:^|\s)#[#\s]*(\S[^\n]*)")
_LONGEST = 300
_APART_S, _POLL_S, _WATCH_S, _CLOSEST_S = 2.0, 5.0, 30.0, 0.5
_MOST = 500
"""Runs of one expectation at most: beyond it they are further apart than was asked, and not more of them."""


@dataclass(frozen=True, slots=True)
class Repetition:
    """What the words say of repeating, and `rest`: the words without it.

    `in_a_row`: they leave no doubt that it is done `times` times, one after the other; "3 times" alone may also count
    lines of one output. `every_s` with neither `times` nor `within_s` names no end.
    """

    rest: str
    times: int = 1
    in_a_row: bool = False
    every_s: float | None = None
    within_s: float | None = None

    def on(self, expectation: Expectation) -> Expectation:
        """The expectation with this repetition."""
        return structs.replace(
            expectation, times=self.times, in_a_row=self.in_a_row, every_s=self.every_s, within_s=self.within_s
        )


def repetition_of(text: str) -> Repetition | None:
    """The repetition that an expectation's words state; None when they state none."""
    if len(text) > _LONGEST or _HINT.search(text) is None:
        return None
    rest, lasts_s = _span(text, _THROUGHOUT)
    rest, within_s = _span(rest, _WITHIN)
    rest, every_s = _span(rest, _EVERY)
    rest, sure = _count(rest, _IN_A_ROW)
    rest, times = (rest, sure) if sure else _count(rest, _PLAIN_TIMES)
    if rest == text:
        return None
    found = Repetition(_clean(rest), max(times, 1), bool(sure or every_s or within_s), every_s, within_s)
    return _lasting(found, lasts_s) if lasts_s is not None and times < 2 else _bounded(found)


def lasting_s(label: str, code: str) -> float | None:
    """How long the author wants a command to go on, in seconds: "(10분간)", "for 10 minutes"; None where nobody says.

    Args:
        label: what the step is called; one that is the command itself says nothing.
        code: the command, whose comments are the author's words too.
    """
    said = [] if label in code else [label]
    for text in (*said, *_COMMENTS.findall(code)):
        _rest, lasts_s = _span(text[:_LONGEST], _THROUGHOUT)
        if lasts_s:
            return lasts_s
    return None


def throughout(expectation: Expectation, budget_s: float) -> Expectation:
    """An expectation of "every 30 s" that names no end, held for as long as its section takes."""
    if expectation.every_s is None or expectation.times > 1 or expectation.within_s is not None:
        return expectation
    return _lasting(Repetition("", every_s=expectation.every_s), budget_s).on(expectation)


def _lasting(found: Repetition, lasts_s: float) -> Repetition:
    """The same, done again and again for a length of time."""
    every_s = min(found.every_s or _WATCH_S, lasts_s)
    times = int(lasts_s / every_s) + 1
    return _bounded(replace(found, times=times, in_a_row=True, every_s=every_s))


def _bounded(found: Repetition) -> Repetition:
    """With a default distance where none is stated, and none so small that nobody could read the record."""
    if found.times < 2 and found.within_s is None:
        return found
    every_s = found.every_s or (_POLL_S if found.times < 2 else _APART_S)
    if found.every_s is None and found.within_s is not None:
        every_s = min(every_s, max(_CLOSEST_S, found.within_s / 10))
    span_s = max(found.within_s or 0.0, (found.times - 1) * every_s)
    fewest_s = span_s / _MOST
    times = found.times if every_s >= fewest_s else min(found.times, _MOST + 1)
    return replace(found, every_s=max(every_s, fewest_s), times=times)


def _span(text: str, patterns: tuple[re.Pattern[str], ...]) -> tuple[str, float | None]:
    """The text without the first of the patterns' stretches of time, and that in seconds."""
    for pattern in patterns:
        match = pattern.search(text)
        if match is not None:
            return _without(text, match), float(match["t"]) * _UNITS_S[match["u"].lower()]
    return text, None


def _count(text: str, patterns: tuple[re.Pattern[str], ...]) -> tuple[str, int]:
    """The text without the first of the patterns' counts, and that; 0 for none, or for one that repeats nothing."""
    for pattern in patterns:
        match = pattern.search(text)
        if match is not None:
            word = match["n"].lower()
            times = _WORDS.get(word) or int(word)
            if times >= 2:
                return _without(text, match), times
    return text, 0


def _without(text: str, match: re.Match[str]) -> str:
    return text[: match.start()] + " " + text[match.end() :]


def _clean(text: str) -> str:
    """The rest without what only held the repetition: empty brackets, commas at its ends."""
    before = ""
    while before != text:
        before, text = text, _FILLER.sub("", text).strip()
    return text
