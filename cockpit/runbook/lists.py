"""List items -> drafts: task items are checks or a decision; items under a procedure are manual steps."""

from __future__ import annotations

import re

from cockpit.runbook.commands.vocabulary import first_word, is_command_word, looks_typed
from cockpit.runbook.document.markdown import Block, ListItem, ListNode
from cockpit.runbook.document.outline import Outline, is_procedure, phase
from cockpit.runbook.drafts import Draft
from cockpit.runbook.model import Item, Link, Phase, Section, StepKind
from cockpit.words import shortened

_COUNT = re.compile(
    r"(\d{1,2})\s*(?:개|가지|건)\s*이상|at least\s+(\d{1,2}|one|two|three)|(\d{1,2})\s+or more|"
    r"(\d{1,2})\s*(?:个|項|项|つ)?以上|任意(\d|一|两)",
    re.IGNORECASE,
)
_ANY = re.compile(
    r"하나라도|어느 하나|하나 이상|any\s+(?:one\s+)?of|\bany\b.{0,20}\b(?:is|are|checked|true|apply|applies|"
    r"match)|either of|one or more|いずれか|任一|任意一|其中之一",
    re.IGNORECASE,
)
_ALL = re.compile(
    r"모두\s*(?:해당|충족|만족|체크|확인되|통과)|전부\s*(?:해당|충족)|\ball\s+(?:of|boxes|checked|true|items|"
    r"conditions)|すべて|全て|全部(?:满足|符合)|所有",
    re.IGNORECASE,
)
_CONDITION = re.compile(
    r"(?:조건|경우|기준)\S{0,3}\s*(?:[(（][^)）]*[)）])?\s*[:：]?$|\b(?:criteria|conditions?|"
    r"if)\b.{0,40}[:：]?$|\bwhen to\b.{0,40}$|(?:条件|情况|場合)\S{0,2}\s*[:：]?$",
    re.IGNORECASE,
)
# Criteria that something is done are ticked one by one: nothing is decided by them.
_DONE = re.compile(
    r"\b(?:success|acceptance|exit|completion|done|recovery)\s+(?:criteria|conditions?)|(?:성공|완료|종료|복구|통과)\s?(?:기준|조건)",
    re.IGNORECASE,
)
# Bullets below these state facts; nobody can do a cause.
_FACTS = re.compile(
    r"(?:causes?|reasons?|signals?|indicators?|fixes|reverts|changes|원인|이유|原因|理由)\W*$|^\W*(?:detection|alerts?)\W*$|"
    r"\bknown\s+(?:issues?|bugs?|problems?)|\b(?:one|any|some|either)\s+of\b.{0,20}\b(?:causes|reasons)",
    re.IGNORECASE,
)
# "Verify the cause" is a deed again.
_SEEKS = re.compile(
    r"\b(?:verify|find|identify|investigate|determine|analy[sz]e|check|confirm|diagnose|fix|remove|understand|look)\b|"
    r"查找|排查|确认|分析|調査|特定",
    re.IGNORECASE,
)
_WHEN = re.compile(r"\b(?:when|if)\b(?:\s+\w+){0,4}\s*[:：]\s*$|(?:때|경우)[^.]{0,6}[:：]\s*$", re.IGNORECASE)
_JUMP = re.compile(
    r"^\W*(?:→|⇒|->|➡|=>)|(?:이동|참조|진행|실행)\b|\b(?:go to|see|follow|proceed|jump|continue|escalate|"
    r"skip)\b|参照|跳转|转到|進む|へ移動",
    re.IGNORECASE,
)
_PROCEDURAL = frozenset(
    {Phase.FIX, Phase.ROLLBACK, Phase.VERIFY, Phase.DIAGNOSIS, Phase.PREREQUISITES, Phase.TROUBLESHOOTING}
)
_TOLD = frozenset({Phase.CONTACTS, Phase.REFERENCE, Phase.MEANING, Phase.IMPACT})
_DEEDS = frozenset({Phase.FIX, Phase.ROLLBACK})
_NEGATED = re.compile(
    r"\b(?:do not|don'?t|never|avoid|instead of|deprecated|no longer|without)\b|금지|하지\s?마|않도록|말 것|"
    r"不要|禁止|しない|避免",
    re.IGNORECASE,
)
_DEFINES = re.compile(r"\s*(?:[:：]|[-–—]\s)")
_KEY_VALUE = re.compile(r"[^\s:：]{1,30}(?: [^\s:：]+)?[:：] \S+(?: \S+)?$")
_LINK_ONLY = re.compile(r"^\W*$")
_WORDS = {"one": 1, "two": 2, "three": 3, "一": 1, "两": 2}
_LONGEST_LABEL = 100


def box_draft(block: Block, section: Section | None, outline: Outline) -> Draft:
    """The check of one task item."""
    label = short(block.text)
    return Draft(
        StepKind.CHECK,
        section,
        block.line,
        block.end_line,
        label,
        block.index,
        hint=label,
        text=block.text,
        links=outline.links(block.links),
        attributes={"checked": True} if block.item is not None and block.item.checked else {},
    )


def decision_draft(node: ListNode, blocks: list[Block], outline: Outline) -> Draft | None:
    """The decision a list of task items leads to, None when it is a list of checks and no more."""
    tasks = [item for item in node.items if item.checked is not None]
    first = tasks[0].blocks[0]
    section = outline.of_block[first.index]
    before = _neighbour(blocks, node.start - 1, section, outline)
    after = _neighbour(blocks, node.end, section, outline)
    said = " ".join(text for text in (_text(before), _text(after)) if text)
    # A jump below the list, or words about how many must hold, make it a question.
    jump = after is not None and after.kind == "paragraph" and bool(after.links) and bool(_JUMP.search(after.text))
    counted = _any_of(_text(after)) if _any_of(_text(after)) is not None else _any_of(_text(before))
    lead = _text(before).strip(" *:：")
    condition = _CONDITION.search(lead) is not None and _DONE.search(lead) is None
    if not jump and counted is None and not condition:
        return None
    links: list[Link] = []
    for neighbour in (before, after):
        if (
            neighbour is not None
            and neighbour.kind == "paragraph"
            and (neighbour is before or jump or counted is not None)
        ):
            links += outline.links(neighbour.links)
    items = tuple(Item(item.blocks[0].text, item.blocks[0].line, bool(item.checked)) for item in tasks)
    last = (
        after.end_line
        if after is not None and (jump or (counted is not None and _any_of(after.text) is not None))
        else tasks[-1].blocks[-1].end_line
    )
    label = short(before.text if before is not None else said)
    content = "\n".join(item.text for item in items)
    return Draft(
        StepKind.DECISION, section, items[0].line, last, label, first.index, hint=label, text=content,
        links=tuple(links), items=items, any_of=1 if counted is None else counted,
    )  # fmt: skip


def _text(block: Block | None) -> str:
    return block.text if block is not None else ""


def _neighbour(blocks: list[Block], index: int, section: Section | None, outline: Outline) -> Block | None:
    """The paragraph or heading beside a list, in the same section."""
    if not 0 <= index < len(blocks) or outline.of_block[index] is not section:
        return None
    block = blocks[index]
    return block if block.kind in ("paragraph", "heading") and len(block.text) < 500 else None


def _any_of(text: str) -> int | None:
    found = _COUNT.search(text)
    if found is not None:
        word = next(group for group in found.groups() if group).lower()
        return _WORDS.get(word) or int(word)
    if _ANY.search(text):
        return 1
    return 0 if _ALL.search(text) else None


def short(text: str) -> str:
    """A text as a label: its first line, without the colon that leads to what follows."""
    line = text.strip().split("\n", 1)[0].rstrip(":： ")
    return shortened(line, _LONGEST_LABEL)


class Procedures:
    """Tells which list items of a document are steps though they carry no code."""

    def __init__(self, blocks: list[Block], outline: Outline) -> None:
        self._blocks = blocks
        self._outline = outline
        self._served = self._sections_with_better_steps()
        self._procedural: dict[str, bool] = {}

    def is_step(self, block: Block) -> bool:
        """Whether the first paragraph of a list item is something to do by hand."""
        item = block.item
        if item is None or item.node.depth > 1 or block.quoted or not block.text.strip():
            return False
        if _LINK_ONLY.match(_without_links(block)) or self._has_code(item):
            return False
        section = self._outline.of_block[block.index]
        if section is None or not (
            self._is_procedural(section)
            or (item.node.ordered and section.phase in _DEEDS)  # "Overview > Actions: 1. ..."
        ):
            return False
        intro = self._intro(item)
        if intro and (phase(intro) in _TOLD or _WHEN.search(intro)):
            return False
        said = intro or section.title
        if _FACTS.search(said) and not _SEEKS.search(said):
            return False
        if item.node.ordered:
            return True
        # Bullets are steps only where nothing better is, below a heading or a lead that says so.
        acts = phase(said) in _PROCEDURAL
        return acts and section.id not in self._served and _is_instruction_list(item.node)

    def inline_command(self, block: Block) -> str | None:
        """The command that a list item without a block gives as inline code, when it is clearly one.

        Or that a paragraph gives that is nothing else: among other words it is spoken of, and not asked for.
        """
        item = block.item
        if not any(style == "code" for _text_, style in block.spans):
            return None
        if self._has_code(item) if item is not None else not self._stands_alone(block):
            return None
        section = self._outline.of_block[block.index]
        if (section is not None and section.phase in _TOLD) or _NEGATED.search(block.text):
            return None
        codes = [text.removeprefix("$ ") for text, style in block.spans if style == "code"]
        commands = [text for text in codes if is_inline_command(text)]
        return commands[0] if len(commands) == 1 else None

    def _stands_alone(self, block: Block) -> bool:
        """Whether a paragraph is one piece of inline code that the words above it, or its section, say to run."""
        if [style for text, style in block.spans if text.strip()] != ["code"] or block.source.lstrip()[:1] != "`":
            return False
        below = self._blocks[block.index + 1 : block.index + 2]
        if block.quoted or any(each.kind == "code" for each in below):  # a note, or a block that says it again
            return False
        before = self._blocks[block.index - 1] if block.index else None
        intro = before.text if before is not None and before.kind == "paragraph" else ""
        section = self._outline.of_block[block.index]
        asked = intro.rstrip().endswith((":", "：")) or (section is not None and self._is_procedural(section))
        return asked and not _NEGATED.search(intro)

    def _intro(self, item: ListItem) -> str:
        before = item.node.start - 1
        if before < 0 or self._blocks[before].kind != "paragraph":
            return ""
        text = self._blocks[before].text
        return (
            text
            if (len(text) < 80 and text.rstrip().endswith((":", "：")))
            or (self._blocks[before].spans[:1] and self._blocks[before].spans[0][1] == "strong")
            else ""
        )

    def _is_procedural(self, section: Section) -> bool:
        """Whether a section, or one close above it, gives a procedure and none of them only tells."""
        known = self._procedural.get(section.id)
        if known is None:
            near = [part for part in self._outline.ancestors(section)[:3] if part.level > 1 or part is section]
            known = not any(part.phase in _TOLD for part in near) and any(
                part.phase in _PROCEDURAL or is_procedure(part.title) for part in near
            )
            self._procedural[section.id] = known
        return known

    def _has_code(self, item: ListItem) -> bool:
        siblings = item.node.items
        start = item.blocks[0].index
        position = siblings.index(item) if len(siblings) < 50 else -1
        if position >= 0:
            later = next((other.blocks[0].index for other in siblings[position + 1 :] if other.blocks), item.node.end)
            return any(block.kind == "code" for block in self._blocks[start:later])
        return any(block.kind == "code" for block in item.blocks)

    def _sections_with_better_steps(self) -> set[str]:
        served = set()
        for block, section in zip(self._blocks, self._outline.of_block, strict=True):
            if section is None:
                continue
            item = block.item
            if block.kind == "code" or (item is not None and (item.checked is not None or item.node.ordered)):
                served.add(section.id)
        return served


def _is_instruction_list(node: ListNode) -> bool:
    """Bullets that are sentences to act on, rather than facts ("Region: eu-west-1") or single names."""
    blocks = [item.blocks[0] for item in node.items[:30] if item.blocks]
    acting = sum(len(block.text.split()) >= 3 and not _is_fact(block) for block in blocks)
    return bool(blocks) and acting * 2 >= len(blocks)


def _is_fact(block: Block) -> bool:
    """A bullet that defines something: "**Owner**: DevOps", "`/opt/x.sh` - what it does"."""
    if block.spans and block.spans[0][1] in ("strong", "code") and len(block.spans) > 1:
        return _DEFINES.match(block.spans[1][0]) is not None or block.spans[0][0].rstrip().endswith((":", "："))
    return _KEY_VALUE.match(block.text) is not None


def _without_links(block: Block) -> str:
    return "".join(text for text, style in block.spans if style != "link") if block.links else block.text


def is_inline_command(text: str) -> bool:
    """Whether inline code is clearly a command with arguments."""
    words = text.split()
    if len(words) < 2 or len(text) > 400 or any(sign in text for sign in ("\n", "...", "…", "::", "=>")):
        return False
    return (
        is_command_word(text)
        and looks_typed(text)
        and first_word(text) not in ("if", "for", "while", "case", "export", "kill")
    )
