"""Short forms of an expectation that a machine can check: ">= 3", "3 이상", "/ok.*/", "UP x3", "exit 0"."""

from __future__ import annotations

import json
import re
import warnings
from functools import lru_cache

from cockpit.runbook.model import Expectation, ExpectationKind

_EXIT = re.compile(
    r"(?:exit(?:s|ed)?(?:[ -]?(?:code|status|value))?|return(?:ed)?[ -]code|rc|종료\s?(?:코드|상태)(?:는|가)?|"
    r"退出(?:码|代码|状态)|終了(?:コード|ステータス))\s*(?:[:：=]{1,2}|is|with|of)?\s*(\d{1,3})(?:\s*(?:이다|임))?\Z",
    re.IGNORECASE,
)
_SLASHES = re.compile(r"/((?:\\.|[^/\\\n])+)/(i?)\Z")
_NAMED_PATTERN = re.compile(
    r"(?:regexp?|정규\s?(?:식|표현식)|正则(?:表达式)?|正規表現)\s*[:：]?\s*([/`\"']?)(.+?)\1\Z", re.IGNORECASE
)
_PATH = re.compile(r"\$?((?:\.[A-Za-z_][\w-]*|\[\d+\])+)\s*(==?|:|is|<=|>=|<|>)\s*(\S.*)\Z")
_UNIT = r"(?P<unit>%|ms|초|s|秒|분|MB|GB|MiB|GiB)?"
_COUNTED = r"(?P<counted>개|건|회|번|대|명|줄|个|個|条|件|台|行|次|回|lines?|rows?|pods?|items?|times)?"
_NUMBER = rf"(?P<bound>-?\d{{1,12}}(?:\.\d{{1,6}})?)\s*{_UNIT}\s*{_COUNTED}"
_SIGNED = re.compile(rf"(?P<sign><=|>=|==?|≤|≥|<|>)\s*{_NUMBER}\Z")
_BEFORE_NUMBER = re.compile(
    r"(?:(?P<ge>at least|not less than|no (?:less|fewer) than|최소|적어도|至少|不少于|不低于|大于等于)|"
    r"(?P<le>at most|no more than|not more than|up to|최대|最多|不超过|不多于|小于等于)|"
    r"(?P<gt>more than|greater than|over|above|大于|超过|多于)|"
    rf"(?P<lt>less than|fewer than|under|below|小于|少于|低于))\s*{_NUMBER}\Z",
    re.IGNORECASE,
)
_AFTER_NUMBER = re.compile(
    rf"{_NUMBER}\s*(?:(?P<ge>이상|以上|or (?:more|greater|higher))|(?P<le>이하|以下|or (?:less|fewer|lower))|"
    r"(?P<gt>초과|超)|(?P<lt>미만|未満|未满))\Z",
    re.IGNORECASE,
)
_PLAIN_NUMBER = re.compile(rf"{_NUMBER}\Z")
_REPEATED = re.compile(
    r"(?P<what>[A-Za-z0-9][\w.:/%+-]{0,40}|\"[^\"\n]{1,200}\"|'[^'\n]{1,200}'|`[^`\n]{1,200}`|“[^”\n]{1,200}”)"
    r"\s*[(（]?(?:(?<=[\s\"'`”(（])[x×*]\s?(?P<x>\d{1,3})|(?<=[\s\"'`”(（])(?P<n>\d{1,3})\s?(?:번|회|次|回|times))"
    r"(?:\s*(?:모두|연속|in a row))?[)）]?\Z"
)
# What these print is a number, or begins with one.
_COUNTS = re.compile(
    r"\bwc\s|\bgrep\s+(?:-\w+\s+)*-\w*c\b|--count\b|\bcount\s*\(|\blength\b|\bnproc\b|\bLLEN\b|\bDBSIZE\b",
    re.IGNORECASE,
)
_SHORT_FORM = re.compile(r"\d|/|==|^\$?\.|regex|정규|正[则規]", re.IGNORECASE)


def phrase(text: str, line: int, code: str) -> Expectation | None:
    """The expectation a short form states; None when it is none of them.

    Args:
        text: the author's words.
        line: where they stand.
        code: the command; a bare count is compared only where the command counts.
    """
    if _SHORT_FORM.search(text) is None:
        return None
    exited = _EXIT.match(text)
    if exited is not None:
        return Expectation(ExpectationKind.EXIT, int(exited[1]), text=text, line=line)
    pattern = _pattern(text)
    if pattern is not None:
        return Expectation(ExpectationKind.REGEX, pattern, text=text, line=line)
    repeated = _REPEATED.match(text)
    if repeated is not None:
        times = int(repeated["x"] or repeated["n"])
        if times:
            return Expectation(ExpectationKind.CONTAINS, repeated["what"].strip("\"'`“”"), times, text, line)
    return _at_path(text, line) or _compared(text, line, code)


def is_pattern(text: str) -> bool:
    """Whether a text is a regular expression that can be matched."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # "[[:alpha:]]" is right where the output is searched
            re.compile(text)
    except (re.error, OverflowError, RecursionError):
        return False
    return True


def _pattern(text: str) -> str | None:
    slashes = _SLASHES.match(text)
    named = _NAMED_PATTERN.match(text) if slashes is None else None
    if slashes is not None:
        found = f"(?i:{slashes[1]})" if slashes[2] else slashes[1]
    elif named is not None:
        found = named[2]
    else:
        return None
    return found if is_pattern(found) else None


def _at_path(text: str, line: int) -> Expectation | None:
    match = _PATH.match(text)
    if match is None:
        return None
    path, operator, written = match.groups()
    if operator in ("<", "<=", ">", ">="):
        number = _PLAIN_NUMBER.match(written)
        if number is None or path.count(".") != 1 or "[" in path:
            return None
        return _number(operator, float(number["bound"]), number["unit"] or "", f'"{path[1:]}"', text, line)
    try:
        wanted = json.loads(written)
    except (ValueError, RecursionError):
        wanted = written.strip("'`") if re.fullmatch(r"'[^']*'|`[^`]*`|[\w.-]+", written) else None
    if isinstance(wanted, (dict, list)) or wanted is None:
        return None
    return Expectation(ExpectationKind.JSON, {"path": f"${path}", "equals": wanted}, text=text, line=line)


@lru_cache(maxsize=4)
def _does_count(code: str) -> bool:
    return _COUNTS.search(code) is not None


def _compared(text: str, line: int, code: str) -> Expectation | None:
    counts = _does_count(code)
    match = _worded(text) or (_PLAIN_NUMBER.match(text) if counts else None)
    # "3개 이상" below a list of things counts its lines, which are no number to compare.
    if match is None or (match["counted"] and not counts):
        return None
    operator, bound, unit = _compares(match)
    return _number(operator, bound, unit, "", text, line)


def comparison(text: str) -> tuple[str, float, str] | None:
    """The operator, bound and unit of a comparison with what was named before: "< 500 ms", "0", "500ms 이하"."""
    match = _worded(text) or _PLAIN_NUMBER.match(text)
    return _compares(match) if match is not None else None


def _worded(text: str) -> re.Match[str] | None:
    return _SIGNED.match(text) or _BEFORE_NUMBER.match(text) or _AFTER_NUMBER.match(text)


def _compares(match: re.Match[str]) -> tuple[str, float, str]:
    groups = match.groupdict()
    sign = {"≤": "<=", "≥": ">=", "=": "=="}.get(groups.get("sign") or "==", groups.get("sign") or "==")
    operator = next((sign for name, sign in _WORDED.items() if groups.get(name)), sign)
    return operator, float(match["bound"]), match["unit"] or match["counted"] or ""


_WORDED = {"ge": ">=", "le": "<=", "gt": ">", "lt": "<"}


def _number(operator: str, bound: float, unit: str, label: str, text: str, line: int) -> Expectation:
    value = {"operator": operator, "bound": bound, "unit": unit, "label": label}
    return Expectation(ExpectationKind.NUMBER, value, text=text, line=line)
