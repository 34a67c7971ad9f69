"""Expectations that name a figure of a known tool: "p95 < 500 ms", "실패 0", "revision is abc123"."""

from __future__ import annotations

import re
from functools import lru_cache

from cockpit.runbook.expectations.phrases import comparison
from cockpit.runbook.figures.registry import spellings, tools_in
from cockpit.runbook.model import Expectation, ExpectationKind

_IS = r"\s*(?:[:：]|==?|\b(?:is|are|be|must be|should be)\b|은|는|이|가)?\s*"
# A word ends here, but for a Korean particle: 실패는 0, and not 실패율.
_ENDS = r"(?:\s?(?:수|건수|개수))?(?![A-Za-z0-9_])(?=\Z|[^가-힣]|[은는이가](?![가-힣]))"
_NOTHING = re.compile(r"(?:zero|none|no|없음|없다)\Z", re.IGNORECASE)
_TEXT = re.compile(r"[`\"']?([\w./-]{1,100})[`\"']?(?:\s*\((?:head|effective head)\))?\Z")
# "revision is unchanged" and "branch is protected" name none.
_NAMES_SOMETHING = re.compile(r"\d|/|-|_|\A(?:main|master|develop|dev|trunk|staging|production)\Z")
_AT_HEAD = re.compile(
    r"(?:(?:revision|리비전)" + _IS + r")?(?:is\s+)?(?:at\s+)?\(?head\)?\Z|최신\s?리비전\Z", re.IGNORECASE
)
_HEADED = re.compile(r"[0-9A-Za-z_]{4,} \(head\)\Z")
_COUNTED = re.compile(r"(?:found\s+)?(?P<bound>\d{1,12}|no|zero)\s+(?P<label>.+)\Z", re.IGNORECASE)


def from_figure(text: str, line: int, code: str) -> Expectation | None:
    """The expectation about a figure of a tool that the command calls; None when it is about none.

    Args:
        code: the command.
    """
    tools = tools_in(code)
    if not tools:
        return None
    if any("head" in tool.texts for tool in tools):
        if _AT_HEAD.match(text):
            return _equals("head", "head", text, line)
        if _HEADED.match(text):
            return Expectation(ExpectationKind.CONTAINS, text, text=text, line=line)
    counted = _COUNTED.match(text)
    for pattern, name, is_text in _patterns(code):
        if (match := pattern.match(text)) is not None and (found := _about(name, match[1], is_text, text, line)):
            return found
        if counted is not None and not is_text and pattern.match(f"{counted['label']} 0"):
            return _about(name, counted["bound"], False, text, line)
    return None


@lru_cache(maxsize=64)
def _patterns(code: str) -> tuple[tuple[re.Pattern[str], str, bool], ...]:
    return tuple(
        (re.compile(rf"(?:the\s+)?{re.escape(way)}{_ENDS}{_IS}(\S.*)\Z", re.IGNORECASE), name, is_text)
        for way, name, is_text in spellings(tools_in(code))
    )


def _about(name: str, rest: str, is_text: bool, text: str, line: int) -> Expectation | None:
    if is_text:
        word = _TEXT.match(rest)
        return _equals(name, word[1], text, line) if word and _NAMES_SOMETHING.search(word[1]) else None
    if _NOTHING.match(rest):
        rest = "0"
    compared = comparison(rest)
    if compared is None:
        return None
    operator, bound, unit = compared
    value = {"operator": operator, "bound": bound, "unit": unit, "label": name}
    return Expectation(ExpectationKind.NUMBER, value, text=text, line=line)


def _equals(name: str, wanted: str, text: str, line: int) -> Expectation:
    return Expectation(ExpectationKind.FIGURE, {"name": name, "equals": wanted}, text=text, line=line)
