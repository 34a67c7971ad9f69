"""Headings -> sections: GitHub anchors, time budgets, severities, phases; and which section a link means."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from urllib.parse import unquote

from cockpit.runbook.document.markdown import Block
from cockpit.runbook.model import Link, Phase, Section

_EXPLICIT_ID = re.compile(r"[ \t]*\{:?[ \t]*#([\w.:-]+)[^{}]*\}[ \t]*$")
_HTML_ID = re.compile(r"<[a-zA-Z]\w{0,10}\s[^<>]{0,200}?\b(?:id|name)\s*=\s*[\"']?([^\"'\s>]+)")
# Real tags only: in "### <Service name> is down" the brackets are words.
_HTML_TAG = re.compile(
    r"</?(?:a|abbr|b|big|br|code|del|div|em|font|i|img|ins|kbd|mark|p|q|s|samp|small|span|strong|sub|sup|tt|u|var)"
    r"(?:\s[^<>]{0,300})?/?>",
    re.IGNORECASE,
)
_BOX = re.compile(r"^[\s\u2610\u25a1\u2b1c]*[\u2610\u25a1\u2b1c]\s*")
_NOT_SLUG = re.compile(r"[^\w\- ]")
_NOT_WORD = re.compile(r"[\W_]+")
_SEVERITY = re.compile(r"(?<![A-Za-z0-9])(?:(P[0-4])|SEV(?:ERITY)?[ -]?([0-5]))(?![A-Za-z0-9])", re.IGNORECASE)

_UNITS_S = {
    "s": 1, "sec": 1, "secs": 1, "second": 1, "seconds": 1, "초": 1, "秒": 1,
    "m": 60, "min": 60, "mins": 60, "minute": 60, "minutes": 60, "분": 60, "分": 60, "分钟": 60, "分鐘": 60,
    "h": 3600, "hr": 3600, "hrs": 3600, "hour": 3600, "hours": 3600, "시간": 3600,
    "小时": 3600, "小時": 3600, "時間": 3600,
    "d": 86400, "day": 86400, "days": 86400, "일": 86400, "天": 86400, "日": 86400,
    "week": 604800, "weeks": 604800, "주": 604800, "주일": 604800, "周": 604800, "週間": 604800,
}  # fmt: skip
_UNIT = "|".join(sorted(_UNITS_S, key=len, reverse=True))
_AMOUNT = re.compile(
    rf"(?<![\d.:<>≤≥=])(\d{{1,5}}(?:\.\d)?)(?:(?:\s?(?:{_UNIT}))?\s?[~\-–—〜～]\s?(\d{{1,5}}(?:\.\d)?))?\s?({_UNIT})"
    r"(?![A-Za-z\d가-힣](?<!간))",
    re.IGNORECASE,
)
_DIGIT = re.compile(r"\d")
_BRACKETED = re.compile(r"[(（\[【]([^()（）\[\]【】]{1,60})[)）\]】]")
_AFTER_DASH = re.compile(r"\s[-–—:]\s*(?:~|약\s*|about\s*|up to\s*)?(\d[^()]{0,30})$", re.IGNORECASE)
_AROUND_AMOUNT = re.compile(
    r"(?:약|최대|총|목표|예상|소요|시간|이내|내|간|동안|about|around|approx\.?|ca\.?|max\.?|maximum|up to|"
    r"within|under|total|first|<=?|≤|첫|처음|최초|前|"
    r"estimated|time|budget|target|each|≈|~|예정|以内|以內|约|約|程度|[\s:,+.+])*",
    re.IGNORECASE,
)

_PHASE_WORDS: tuple[tuple[Phase, str], ...] = (
    (
        Phase.CONTACTS,
        (
            r"contacts?|escalations?|escalate|on-?call|연락|에스컬레이션|联系|聯絡|连絡|連絡先|升级|"
            r"エスカレーション"
        ),
    ),
    (
        Phase.TROUBLESHOOTING,
        (
            r"troubleshoot\w*|known issues?|common (?:issues|problems|errors)|faq|"
            r"트러블\s?슈팅|문제\s?해결|❌|故障排[查除]|トラブル"
        ),
    ),
    (Phase.ROLLBACK, (r"roll(?:ing)?[ -]?backs?|revert\w*|롤백|되돌리|回滚|回滾|ロールバック|切り戻し")),
    (
        Phase.VERIFY,
        (
            r"verif\w+|validat\w+|tests?|testing|confirm\w*|post-?checks?|검증|복구 확인|확인|모니터링|"
            r"验证|驗證|検証|動作確認"
        ),
    ),
    (
        Phase.PREREQUISITES,
        (
            r"pre-?requisites?|requirements?|before you begin|access|setup|preparation|사전|"
            r"준비|전제|前提|事前|准备|準備"
        ),
    ),
    (
        Phase.DIAGNOSIS,
        (
            r"diagnos\w+|investigat\w+|triage|debug\w*|check\w*|causes?|analy[sz]\w+|detect\w*|"
            r"identify|inspect\w*|진단|감지|"
            r"판단|점검|원인|증상 확인|파악|诊断|診斷|排查|检查|檢查|原因|調査|診断|切り分け"
        ),
    ),
    (
        Phase.FIX,
        (
            r"mitigat\w+|fix(?:es|ing)?|resol\w+|recover\w*|remediat\w+|actions?|restor\w+|"
            r"failover|respon[sd]\w*|workarounds?|deploy\w*|조치|대응|복구|해결|배포|재시작|处理|處理|恢复|"
            r"恢復|修复|操作|"
            r"対応|対処|復旧|解決"
        ),
    ),
    (Phase.IMPACT, (r"impacts?|severit\w+|영향|심각도|影响|影響|严重|重大度")),
    (
        Phase.REFERENCE,
        (
            r"references?|links?|see also|related|resources|appendix|glossary|table of contents|"
            r"contents|changelog|history|revision|"
            r"변경 ?사항(?=\W*$)|참조|참고|관련 문서|목차|이력|업데이트|부록|参考|目录|目錄|附录|関連|目次|履歴"
        ),
    ),
    (
        Phase.MEANING,
        (
            r"meaning|overview|symptoms?|summary|description|background|introduction|about|purpose|"
            r"goals?|alerts?|"
            r"개요|목적|목표|증상|소개|의미|배경|알림|概述|症状|现象|背景|说明|概要|目的|説明"
        ),
    ),
)
_WEAK_FIX = re.compile(
    r"(?<![A-Za-z])(?:steps?|procedures?|how to|instructions?)(?![A-Za-z])|절차|실행|단계|방법|步骤|"
    r"步驟|手順|ステップ",
    re.IGNORECASE,
)
_PHASES = re.compile(
    "(?<![a-z])(?:" + "|".join(f"(?P<{phase.value}>{words})" for phase, words in _PHASE_WORDS) + ")(?![a-z])"
)
# What is done once a rollback is over, or before it begins, is not the rollback.
_AFTER_ROLLBACK = re.compile(
    r"(?:롤백|복구)\s*(?:직후|이후|후(?=에|의|\s|[)）\]:,]|$))|(?<![a-z])(?:after\s+(?:the\s+|a\s+)?|post-?\s?)"
    r"(?:roll(?:ing)?[ -]?backs?|revert\w*)|(?:回滚|回滾)(?:之)?[后後]|ロールバック後"
)
_BEFORE_ROLLBACK = re.compile(
    r"롤백\s*(?:직전|전(?=에|의|\s|[)）\]:,]|$))|(?<![a-z])(?:before\s+(?:the\s+|a\s+|you\s+)?|pre-?\s?)"
    r"(?:roll(?:ing)?[ -]?backs?|revert\w*)|(?:回滚|回滾)(?:之)?前|ロールバック前"
)
_PROCEDURE = re.compile(
    r"^\W*(?:\d+(?:[.)-]\d+)*[.)단:]?\s|step\b|phase\s?\d|단계|stage\s?\d|第?\s?\d+\s?[步章]|步骤|手順|"
    r"ステップ|how to\b)"
    r"|\d\s?단계|\bstep\s?\d|(?<![A-Za-z])(?:runbook|playbook|checklist|procedure)s?\b|절차|체크리스트|"
    r"플레이북|런북|手順|步骤",
    re.IGNORECASE,
)


class Outline:
    """The sections of a document, found by line order and by anchor."""

    def __init__(self, blocks: list[Block]) -> None:
        self.sections: list[Section] = []
        self.of_block: list[Section | None] = []
        self._anchors: dict[str, str] = {}
        self._loose: dict[str, str] = {}
        self._taken: dict[str, int] = {}
        self._by_id: dict[str, Section] = {}
        self._read(blocks)

    def get(self, section_id: str) -> Section | None:
        """The section of that id."""
        return self._by_id.get(section_id)

    def ancestors(self, section: Section | None) -> list[Section]:
        """The section itself, then what it stands in, innermost first."""
        found = []
        while section is not None:
            found.append(section)
            section = self._by_id.get(section.parent) if section.parent else None
        return found

    def resolve(self, target: str) -> str | None:
        """The section a "#fragment" means: GitHub anchor, then explicit ids, then without case and punctuation."""
        if not target.startswith("#"):
            return None
        fragment = unquote(target[1:])
        if fragment in self._by_id:
            return fragment
        return self._anchors.get(fragment) or self._loose.get(_loosely(fragment))

    def links(self, pairs: list[tuple[str, str]]) -> tuple[Link, ...]:
        """Links with the sections they jump to."""
        return tuple(Link(text, target, self.resolve(target)) for text, target in pairs)

    def _read(self, blocks: list[Block]) -> None:
        open_sections: list[Section] = []
        waiting: list[str] = []
        current: Section | None = None
        for block in blocks:
            if block.kind == "heading":
                while open_sections and open_sections[-1].level >= block.level:
                    open_sections.pop()
                current = self._section(block, open_sections[-1] if open_sections else None)
                self._alias(waiting, current)
                waiting = []
                open_sections.append(current)
            if "<" in block.source or block.kind == "html":
                waiting += _HTML_ID.findall(block.source or block.text)
                if block.kind == "heading" and current is not None:
                    self._alias(waiting, current)
                    waiting = []
            self.of_block.append(current)
        if current is not None:
            self._alias(waiting, current)

    def _section(self, block: Block, parent: Section | None) -> Section:
        title = block.text.strip()
        explicit = _EXPLICIT_ID.search(title) if title.endswith("}") else None
        if explicit:
            title = title[: explicit.start()]
        anchor = self._unique(explicit[1] if explicit else slug(title))
        shown = _BOX.sub("", _HTML_TAG.sub("", title) if "<" in title else title).strip()
        section = Section(
            id=anchor,
            title=shown,
            level=block.level,
            line=block.line,
            budget_s=budget_s(shown),
            severity=severity(shown) or (parent.severity if parent else None),
            phase=phase(shown),
            parent=parent.id if parent else None,
        )
        self.sections.append(section)
        self._by_id[anchor] = section
        self._loose.setdefault(_loosely(anchor), anchor)
        if explicit:
            self._anchors.setdefault(slug(title), anchor)
        return section

    def _unique(self, base: str) -> str:
        # GitHub's rule: "-1" for the second, and on while that is taken itself.
        anchor = base
        while anchor in self._taken:
            self._taken[base] += 1
            anchor = f"{base}-{self._taken[base]}"
        self._taken[anchor] = 0
        return anchor

    def _alias(self, names: list[str], section: Section) -> None:
        for name in names:
            self._anchors.setdefault(name, section.id)


def slug(title: str) -> str:
    """The anchor GitHub gives a heading, before it is made unique."""
    text = _HTML_TAG.sub("", title) if "<" in title else title
    return _NOT_SLUG.sub(_kept_mark, text.strip().lower()).replace(" ", "-")


def _kept_mark(match: re.Match[str]) -> str:
    return match[0] if unicodedata.category(match[0])[0] == "M" else ""


def _loosely(anchor: str) -> str:
    return _NOT_WORD.sub("", unquote(anchor)).casefold()


def budget_s(title: str) -> int | None:
    """The time a heading grants, in seconds: "(2분)" 120, "(1~2시간)" 7200 (the upper end), None when it says none."""
    if not _DIGIT.search(title):
        return None
    candidates = [match[1] for match in _BRACKETED.finditer(title)]
    dashed = _AFTER_DASH.search(title)
    if dashed:
        candidates.append(dashed[1])
    for candidate in candidates:
        found = _duration_s(candidate)
        if found:
            return found
    return None


def _duration_s(text: str) -> int | None:
    total, at = 0.0, 0
    for match in _AMOUNT.finditer(text):
        if not _AROUND_AMOUNT.fullmatch(text, at, match.start()):
            return None
        total += float(match[2] or match[1]) * _UNITS_S[match[3].lower()]
        at = match.end()
    if not total or not _AROUND_AMOUNT.fullmatch(text, at):
        return None
    return round(total)


def severity(title: str) -> str | None:
    """P0 to P4 or SEV0 to SEV5, when the heading names one."""
    found = _SEVERITY.search(title)
    if found is None:
        return None
    return found[1].upper() if found[1] else f"SEV{found[2]}"


@lru_cache(maxsize=32)
def phase(title: str) -> Phase:
    """What a section is for, by the first word that says so. The words above a list are asked for at each item."""
    lowered = title.lower()
    found = _PHASES.search(lowered)
    if found is None or found.lastgroup is None:
        return Phase.FIX if _WEAK_FIX.search(title) else Phase.NEUTRAL
    if found.lastgroup == Phase.ROLLBACK:
        return _around_rollback(lowered)
    return Phase(found.lastgroup)


def _around_rollback(lowered: str) -> Phase:
    for around, instead in ((_AFTER_ROLLBACK, Phase.VERIFY), (_BEFORE_ROLLBACK, Phase.PREREQUISITES)):
        if around.search(lowered):
            other = _PHASES.search(around.sub(" ", lowered))
            return Phase(other.lastgroup) if other is not None and other.lastgroup is not None else instead
    return Phase.ROLLBACK


def is_procedure(title: str) -> bool:
    """Whether a heading announces steps: numbered, "Step 2", "절차", "checklist"."""
    return _PROCEDURE.search(title) is not None
