"""Tables and lists that hold facts about an incident: who to call, which bounds matter."""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import MappingProxyType

from cockpit.runbook.document.markdown import Block
from cockpit.runbook.document.outline import Outline
from cockpit.runbook.model import Contact, Phase, Section, StatedThreshold

_ROLE = re.compile(
    r"역할|담당|직책|role|team|responsib|position|角色|职责|職責|役割|"
    r"担当|负责|チーム",
    re.IGNORECASE,
)
_REACH = re.compile(
    r"연락|전화|슬랙|slack|discord|e-?mail|메일|phone|contact|telegram|pager|채널|channel|联系|电话|電話|連絡|"
    r"邮箱|メール|handle|이름|name|담당자|용도|책임",
    re.IGNORECASE,
)
_CONTACT_HEADING = re.compile(r"연락|contact|escalat|on-?call|联系|聯絡|連絡|에스컬레이션", re.IGNORECASE)
_REACH_STRICT = re.compile(
    r"연락|전화|slack|discord|e-?mail|phone|contact|pager|联系|"
    r"电话|電話|連絡",
    re.IGNORECASE,
)

_OPERATORS = {"≥": ">=", "≤": "<=", "＞": ">", "＜": "<"}
_UNITS = (
    r"%|ms|밀리초|초|s(?:ec(?:onds?)?)?|분|min(?:utes?)?|시간|h(?:ours?)?|GB|MB|GiB|MiB|건|회|개|req/s|"
    r"rps|QPS|秒|分钟|分|小时|時間"
)
_METRIC = r"(?P<metric>\d{0,3}[A-Za-z가-힣一-鿿ぁ-んァ-ヶ_][\w /.@-]{0,50}?)"
_BOUND = re.compile(
    _METRIC + r"\s*[:：]?\s*(?P<operator>>=|<=|[><≥≤＞＜])\s*(?P<bound>\d{1,12}(?:\.\d{1,6})?)\s*"
    rf"(?P<unit>(?:{_UNITS})(?![A-Za-z]))?"
)
_RANGE = re.compile(
    _METRIC + r"\s*[(（]?\s*(?P<low>\d{1,9}(?:\.\d{1,6})?)\s*[-~–]\s*(?P<high>\d{1,9}(?:\.\d{1,6})?)\s*"
    r"(?P<unit>%|ms|초|s)(?!\w)"
)
# "캐시 적중률 확인 (목표 > 40%)": what is bounded stands before the bracket.
_GENERIC = re.compile(r"목표|기준|임계값?|target|goal|threshold|limit|目标|目標|閾値|阈值", re.IGNORECASE)
_JOINING = re.compile(r"(?:for|of|in|at|with|and|or|than|to|from|over|per)\Z", re.IGNORECASE)
_TRAILING = re.compile(r"\s+(?:for|of|in|at|is|are|and|or|than)\Z", re.IGNORECASE)
_CLAUSES = re.compile(r"[,;、，；]\s*")
_IN_A_ROW = re.compile(
    r"(\d{1,3})\s*(?:회|번|次|回|times|x)\s*(?:연속|in a row|consecutive|连续|連続)|연속\s*(\d{1,3})\s*(?:회|"
    r"번)|(\d{1,3})\s+consecutive",
    re.IGNORECASE,
)
_FLAGS = {"🔴": "red", "🟡": "yellow", "🟠": "orange", "🟢": "green"}
_LEVEL_WORDS = re.compile(
    r"\b(red|yellow|green|orange|critical|warning|high|medium|low|P[0-4]|SEV-?[0-5])\b", re.IGNORECASE
)
_LEVEL_CELL = re.compile(
    r"주의|위험|위기|경고|정상|심각|critical|warning|danger|ok|info|高|低|警告|严重|危険|注意", re.IGNORECASE
)
_OPERATOR = re.compile(r"[<>≥≤＞＜]")
_DASHED = re.compile(r"\d\s*[-~–]\s*\d")
_DIGIT = re.compile(r"\d")
_LONGEST_LINE = 400


def contacts_of(block: Block, section: Section | None) -> Iterator[Contact]:
    """The rows of a contacts table: one with a column of roles and a way to reach them."""
    if len(block.rows) < 2:
        return
    head = block.rows[0]
    role = next((index for index, cell in enumerate(head) if _ROLE.search(cell)), None)
    titled = section is not None and _CONTACT_HEADING.search(section.title) is not None
    others = [cell for index, cell in enumerate(head) if index != role]
    if role is None and titled and len(head) > 1:
        role = 0
    if role is None or not any((_REACH if titled else _REACH_STRICT).search(cell) for cell in others):
        return
    for offset, row in enumerate(block.rows[1:], 2):
        if len(row) <= role or not row[role].strip():
            continue
        fields = {name: cell for index, (name, cell) in enumerate(zip(head, row, strict=False)) if index != role}
        yield Contact(row[role], MappingProxyType(fields), section.id if section else "", block.line + offset)


class Thresholds:
    """Collects the bounds a document states, with the level they stand under."""

    def __init__(self, outline: Outline) -> None:
        self._outline = outline
        self.found: list[StatedThreshold] = []

    def take(self, block: Block, section: Section | None) -> None:
        """Look for bounds in a block: table rows, list items, and lines of text blocks."""
        if block.kind == "table":
            for offset, row in enumerate(block.rows[1:], 2):
                level = next((cell for cell in row[1:] if _LEVEL_CELL.search(cell)), "")
                self._line(
                    " | ".join(row)[:_LONGEST_LINE],
                    row[0][:_LONGEST_LINE] if row else "",
                    block.line + offset,
                    section,
                    level,
                )
        elif block.kind == "paragraph" and block.item is not None:
            self._line(block.text, block.text[:_LONGEST_LINE], block.line, section, "")
        elif block.kind == "code" and block.info in ("", "text") and ("%" in block.text or "ms" in block.text):
            for offset, line in enumerate(block.text.split("\n")):
                if line.lstrip()[:1] in _FLAGS:
                    self._line(
                        line.strip()[:_LONGEST_LINE], line[:_LONGEST_LINE], block.first_line + offset, section, ""
                    )

    def _line(self, sentence: str, text: str, line: int, section: Section | None, level: str) -> None:
        if not _DIGIT.search(text):
            return
        ranks = self._ranks(text, section) or level
        if not ranks and not self._about_bounds(section):
            return
        row = _IN_A_ROW.search(text)
        times = int(next(group for group in row.groups() if group)) if row else 1
        for metric, operator, bound, unit in _bounds(text):
            self.found.append(
                StatedThreshold(
                    metric, operator, bound, unit, ranks, sentence, section.id if section else "", line, times
                )
            )

    def _ranks(self, text: str, section: Section | None) -> str:
        flag = next((name for sign, name in _FLAGS.items() if sign in text[:4]), "")
        if flag:
            return flag
        title = section.title if section else ""
        word = _LEVEL_WORDS.search(title)
        if word is not None:
            return word[1].upper() if word[1][0] in "pPsS" and word[1][-1].isdigit() else word[1].lower()
        return section.severity or "" if section else ""

    def _about_bounds(self, section: Section | None) -> bool:
        return any(
            part.phase in (Phase.IMPACT, Phase.DIAGNOSIS, Phase.MEANING, Phase.FIX, Phase.VERIFY)
            for part in self._outline.ancestors(section)[:2]
        )


def _bounds(text: str) -> Iterator[tuple[str, str, float, str]]:
    clean = text.lstrip("".join(_FLAGS) + " -*✓✅|")
    for clause in _CLAUSES.split(clean):
        compared = False
        for match in _BOUND.finditer(clause) if _OPERATOR.search(clause) else ():
            compared = True
            operator = _OPERATORS.get(match["operator"], match["operator"])
            metric = _TRAILING.sub("", match["metric"].strip(" (-"))
            if not metric or _JOINING.fullmatch(metric):
                continue
            if _GENERIC.fullmatch(metric):
                metric = clause[: match.start()].strip(" (-:：") or metric
            yield metric, operator, float(match["bound"]), match["unit"] or ""
        for match in _RANGE.finditer(clause) if not compared and _DASHED.search(clause) else ():
            metric = match["metric"].strip(" (-")
            yield metric, ">=", float(match["low"]), match["unit"]
            yield metric, "<=", float(match["high"]), match["unit"]
