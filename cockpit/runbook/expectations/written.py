"""What must come back, from what the author wrote: "# 기대 출력: "UP" (5번 모두)", "# expected: 200"."""

from __future__ import annotations

import json
import re

from msgspec import structs

from cockpit.runbook.expectations.figures import from_figure
from cockpit.runbook.expectations.phrases import is_pattern, phrase
from cockpit.runbook.expectations.repetition import repetition_of
from cockpit.runbook.model import Expectation, ExpectationKind
from cockpit.words import _

_LABEL = re.compile(
    r"(?:^|\s)(?:#|--|//|<!--|;)+\s*(?:[✅✓☑→-]+\s*)?"
    r"(?:기대(?:\s?(?:출력|결과|값))?|예상(?:\s?(?:출력|결과|값))?|정상(?:\s?(?:출력|결과))|"
    r"expected(?:\s+(?:output|result|results|value|response|status))?|"
    r"expect(?:s)?|should\s+(?:return|show|be|print|see|output)|returns?|预期(?:输出|结果)?|期望(?:输出|"
    r"结果)?|期待(?:値|結果|される出力)?|想定(?:結果)?|"
    r"(?:输出|返回|结果)应该?[为是]|应该?(?:返回|输出|显示)为?)"
    r"\s*(?:[:：]|(?<=[为是回出示])|(?<=return)|(?<=show)|(?<=\sbe)|(?<=print)|(?<=see)|(?<=output))\s*(.+?)\s*(?:-->)?$",
    re.IGNORECASE,
)
_LABEL_HINT = re.compile(r"기대|예상|정상|expect|should|return|预期|期望|期待|想定|应", re.IGNORECASE)
PROSE_LABEL = re.compile(
    r"^\W*(?:기대(?:\s?(?:출력|결과|값))?|예상\s?(?:출력|결과)|정상\s?출력|expected(?:\s+(?:output|result|results|"
    r"value|response))?|预期(?:输出|结果)?|期望(?:输出|结果)?|期待(?:値|結果))\W*[:：]\s*(?P<what>\S.{0,300})$",
    re.IGNORECASE | re.DOTALL,
)
_TO_CHECK = re.compile(
    r"^\s*(?:#|--)+\s*(?:확인\s*사항|출력에서\s*확인|확인할\s*것|check(?: that| for)?|verify|look for|检查|"
    r"确认|確認(?:事項)?)\s*[:：]\s*$",
    re.IGNORECASE,
)
_QUESTION = re.compile(r"^\s*(?:#|--)+\s*[-*•]\s*(.+?)\s*$")
_QUESTION_MARK = re.compile(r"^\s*(?:#|--)+\s*(?:[-*•]\s*)?([^?？]+[?？](?:\s*[(（][^()（）]*[)）])?)\s*$")
_ALL_TIMES = re.compile(
    r"(\d{1,3})\s*(?:번|회|次|回)\s*(?:모두|연속)|(?:all\s+)?(\d{1,3})\s+times|"
    r"(\d{1,3})\s*次(?:都|连续)",
    re.IGNORECASE,
)
_QUOTED = re.compile(
    r"\"([^\"\n]{1,200})\"|“([^”\n]{1,200})”|`([^`\n]{1,200})`|'([^'\n]{2,200})'(?!\w)|「([^」\n]{1,200})」"
)
_NOTHING = re.compile(
    r"^(?:새로운\s*)?(?:에러|오류|error|경고)\S*\s*(?:로그\s*)?없음|^\S*\s?없음$|^(?:no|zero|"
    r"without)\s+(?:new\s+)?(?:errors?|output|results?|rows?|lines?|matches|warnings?)\b|^(?:empty|nothing)\b|"
    r"^(?:无|没有)\S{0,8}$|^(?:エラー)?(?:なし|無し)",
    re.IGNORECASE,
)
_ZERO = re.compile(r"^(.{1,60}?)\s*[(（]?\s*(?:0\s*이어야|must be (?:0|zero)|should be (?:0|zero))", re.IGNORECASE)
_COMPARED = re.compile(
    r"([A-Za-z_가-힣][\w가-힣 /.-]{0,40}?)\s*[:：]?\s*(<=|>=|==|≤|≥|<|>|=)\s*(-?\d{1,12}(?:\.\d{1,6})?)\s*(%|"
    r"ms|초|s|분|건|회|개|MB|GB|MiB|GiB)?(?=\s|$|[),，。.;(])"
)
_COUNT_RANGE = re.compile(r"([A-Za-z_][\w-]{1,30})\s*:?\s*(\d{1,6})\s*[-~–]\s*(\d{1,6})\s*(회|번|times|개|건)")
_VERSION = re.compile(r"^(v?\d+(?:\.\d+){1,3}[\w.-]*)(?:\s*\(.*\))?$")
_STATUS = re.compile(
    r"^(?:HTTP(?:/[\d.]+)?\s+)?([1-5]\d\d)(?:\s+(OK|Created|No Content|Accepted|Found))?$|"
    r"^HTTP(?:/[\d.]+)?\s+([1-5]\d\d)\b"
)
_VERB = re.compile(r"^(?:returns?|shows?|prints?|返回|显示|输出|출력|반환)\s*[:：]?\s*", re.IGNORECASE)
_CURL_STATUS = re.compile(r"\s-\w*[wiIv]|--(?:write-out|include|head|verbose)")
_BARE = re.compile(r"^[A-Za-z0-9][\w.:/%+-]{0,40}$")
_LAST_GREP = re.compile(r"(?:^|[|;&]\s*)(?:sudo\s+)?(?:e|f|z)?grep\s[^|;&]*$")
_PROSY = re.compile(r"[가-힣ぁ-んァ-ヶ一-鿿]|\b(?:is|are|should|the|a|an|of|with|and|or)\b")

_SAMPLE_LABEL = re.compile(
    r"(?P<expected>\bexpected(?:\s+(?:output|results?|response|value))?\s*[:：*]*$|\bexpected\s+(?:output|results?|response)\b|"
    r"\bshould\s+(?:see|print|return|show|output|get|be)\b|기대\s?(?:출력|결과|값|하는)|예상\s?(?:출력|결과)|정상\s?(?:출력|결과)|"
    r"(?:预期|期望)(?:的)?(?:输出|结果)|期待(?:値|結果|される))|"
    r"\b(?:example|sample|typical)\s+(?:output|result|response)s?\b|\boutput\s+(?:example|sample)\b|출력\s?예|예시\s?출력|"
    r"输出示例|示例输出|出力例",
    re.IGNORECASE,
)
_ROUGHLY = re.compile(
    r"\b(?:similar|like|something|about|e\.g\.|for example)\b|비슷|유사|같은|类似|のような", re.IGNORECASE
)
_VARIES = re.compile(
    r"\S\s{2,}\S|\t|<[^>]*>|\[[^\]]*\]|\{|\}|\$\w|\.\.\.|…|[Xx]{3,}|\|.*\||^[+|=*-]{2,}|%|\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun|Jan|"
    r"Feb|Mar|Apr|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\b|@|^\W*$"
)
# A count, a status line, a version: what the author means as it stands.
_FIXED_NUMBER = re.compile(
    r"\d{1,3}|HTTP/[\d.]+ [1-5]\d\d(?: [A-Za-z ]+)?|[1-5]\d\d [A-Z][A-Za-z ]+|v?\d+(?:\.\d+){1,3}"
)


def expectations_of(lines: list[tuple[int, str]], code: str) -> tuple[Expectation, ...]:
    """The expectations in the comments of one command.

    Args:
        lines: (line in the file, text) of the command with its comments.
        code: the command; an empty output that is good news makes a final `grep` exit with 1.
    """
    if not any(mark in code for mark in ("#", "--", "//")):
        return ()
    found: list[Expectation] = []
    listing = False
    command: str | None = None
    for number, text in lines:
        if not ("#" in text or "--" in text or "//" in text):
            listing = listing and not text.strip()
            continue
        label = _LABEL.search(text) if _LABEL_HINT.search(text) else None
        if label is not None:
            if command is None:
                command = "\n".join(text for _number, text in lines if not text.lstrip().startswith(("#", "--")))
            found += from_words(label[1], number, command)
            listing = False
        elif _TO_CHECK.match(text):
            listing = True
        elif listing and (question := _QUESTION.match(text)):
            found += from_words(question[1], number, code)
        elif (asked := _QUESTION_MARK.match(text)) is not None:
            found.append(_manual(asked[1], number))
        elif text.strip():
            listing = False
    return tuple(found)


def from_words(words: str, line: int, code: str = "") -> list[Expectation]:
    """The expectations a phrase states; what no machine can hold against an output is asked, once."""
    text = words.strip()
    repeated = repetition_of(text)
    if repeated is not None:
        found = _stated(repeated.rest, line, code)
        if found and not any(expectation.kind is ExpectationKind.MANUAL for expectation in found):
            return [repeated.on(structs.replace(expectation, text=text)) for expectation in found]
    return _stated(text, line, code)


def _stated(text: str, line: int, code: str) -> list[Expectation]:
    """What is stated, how often it must hold aside."""
    times = _times(text)
    if (figure := from_figure(_VERB.sub("", text), line, code)) is not None:
        return [figure]
    if (found := _structured(text, line)) is not None:
        return [found]
    if (found := phrase(_VERB.sub("", text), line, code)) is not None:
        return [found]
    if _NOTHING.match(text):
        return _nothing(text, line, code)
    numbers = _numbers(text, line)
    quoted = [next(group for group in match if group) for match in _QUOTED.findall(text)]
    contains = [Expectation(ExpectationKind.CONTAINS, value, times, text, line) for value in quoted]
    if contains or numbers:
        return contains + numbers
    bare = _bare(_VERB.sub("", text), code)
    if bare is not None:
        return [Expectation(ExpectationKind.CONTAINS, bare, times, text, line)]
    return [_manual(text, line)]


def from_bullet(text: str, line: int) -> list[Expectation]:
    """The expectations of a bullet that stands below a command and says what to see."""
    return from_words(text.lstrip("✅✓☑ "), line)


def from_sample(said: str, sample: str, line: int) -> list[Expectation]:
    """The expectations of a block shown as what a command prints; none when nothing says that it must.

    Args:
        said: the words in front of the block.
        sample: the block.
        line: where its content begins.
    """
    label = _SAMPLE_LABEL.search(said.strip()) if len(said) <= 120 else None
    # An example is shown beside the output, and nobody is asked about it: only "expected" says that it must come back.
    if label is None or label["expected"] is None:
        return []
    roughly = _ROUGHLY.search(said) is not None
    lines = [(number, text.strip()) for number, text in enumerate(sample.split("\n"), line) if text.strip()]
    if 1 <= len(lines) <= 3 and not roughly and all(_is_stable(text) for _n, text in lines):
        return [Expectation(ExpectationKind.CONTAINS, text, text=text, line=number) for number, text in lines]
    if len(lines) == 1 and not roughly and (found := _structured(lines[0][1], line)) is not None:
        return [found]
    question = _("Does the output look like the sample?")
    return [Expectation(ExpectationKind.MANUAL, question, text=question, line=line)]


def _is_stable(text: str) -> bool:
    """Whether a line of a sample comes back as it is: no columns, blanks, JSON, and no number that may change."""
    if len(text) > 100 or _VARIES.search(text):
        return False
    return not any(map(str.isdigit, text)) or _FIXED_NUMBER.fullmatch(text) is not None


def similarity(value: str, line: int) -> Expectation:
    """An Innovation Engine comment: a regular expression to match, or a score that a person weighs."""
    try:
        float(value)
    except ValueError:
        if not is_pattern(value):
            return _manual(value, line)
        return Expectation(ExpectationKind.REGEX, value, text=value, line=line)
    return _manual(f"expected_similarity {value}", line)


def _manual(text: str, line: int) -> Expectation:
    return Expectation(ExpectationKind.MANUAL, text, _times(text), text, line)


def _times(text: str) -> int:
    found = _ALL_TIMES.search(text)
    return max(1, int(next(group for group in found.groups() if group))) if found else 1


def _structured(text: str, line: int) -> Expectation | None:
    """{"status": "UP"}: each plain value at its path; the first key is what the sentence is about."""
    if not text.startswith("{"):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or len(value) != 1:
        return None
    key, inner = next(iter(value.items()))
    if isinstance(inner, (dict, list)) or not key.isidentifier():
        return None
    return Expectation(ExpectationKind.JSON, {"path": f"$.{key}", "equals": inner}, text=text, line=line)


def _nothing(text: str, line: int, code: str) -> list[Expectation]:
    absent = Expectation(ExpectationKind.REGEX, r"\S", text=text, line=line, absent=True)
    if _LAST_GREP.search(code.rstrip()):
        return [absent, Expectation(ExpectationKind.EXIT, 1, text=text, line=line)]
    return [absent]


def _numbers(text: str, line: int) -> list[Expectation]:
    found = []
    zero = _ZERO.match(text)
    if zero is not None:
        found.append(_number(zero[1], "==", 0.0, "", text, line))
    for match in _COUNT_RANGE.finditer(text):
        found.append(_number(match[1], "<=", float(match[3]), match[4], text, line))
    for match in _COMPARED.finditer(text) if not found else ():
        operator = {"≤": "<=", "≥": ">=", "=": "=="}.get(match[2], match[2])
        found.append(_number(match[1], operator, float(match[3]), match[4] or "", text, line))
    return found


def _number(label: str, operator: str, bound: float, unit: str, text: str, line: int) -> Expectation:
    value = {"operator": operator, "bound": bound, "unit": unit, "label": label.strip(" -")}
    return Expectation(ExpectationKind.NUMBER, value, text=text, line=line)


def _bare(text: str, code: str) -> str | None:
    version = _VERSION.match(text)
    if version is not None:
        return version[1]
    status = _STATUS.match(text)
    if status is not None:
        # curl prints the body; the status only when it is asked to.
        return None if "curl" in code and not _CURL_STATUS.search(code) else status[1] or status[3]
    return (
        text if _BARE.match(text) and text.lower() not in ("none", "success", "successful", "ok.", "normal") else None
    )
