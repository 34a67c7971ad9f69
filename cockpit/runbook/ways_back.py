"""The way back that a runbook names for a step: `# undo: …` at the command, "되돌리기: `…`" below it, a block under
"Rollback:". Only commands count: a sentence about going back is read where it stands."""

from __future__ import annotations

import re

from cockpit.runbook.commands.vocabulary import is_command_word, looks_like_powershell, looks_like_sql, looks_typed
from cockpit.runbook.document.markdown import Block
from cockpit.runbook.drafts import Draft

_WORD = (
    r"(?:undo|roll(?:ing)?[ -]?back|revert|back[ -]?out|way back|되돌리기|되돌리려면|롤백|원복|"
    r"回滚|回滾|撤销|撤銷|取り消し|ロールバック|切り戻し)"
)
_MORE = r"(?:\s*(?:command|with|by running|step|this|it|the change|명령어?|방법|하려면|시|절차|方法|命令|手順))*"
_COMMENT = re.compile(rf"^\s*(?:#|--|//)+\W*(?:to\s+)?{_WORD}{_MORE}\s*[:：]\s*(?P<what>\S.*?)\s*$", re.IGNORECASE)
_PROSE = re.compile(rf"^\W*(?:to\s+)?{_WORD}{_MORE}\W*[:：]\W*(?P<what>\S.*?)\s*$", re.IGNORECASE | re.DOTALL)
_LABEL = re.compile(rf"^\W*(?:(?:to|how to)\s+)?{_WORD}{_MORE}\W*$", re.IGNORECASE)
_LONGEST = 300


def way_back_in_comments(lines: list[tuple[int, str]]) -> str:
    """The command that a comment at a command names as its way back; "" when none does.

    Args:
        lines: (line in the file, text) of the command with its comments.
    """
    for _number, text in lines:
        match = _COMMENT.match(text) if len(text) <= _LONGEST else None
        if match is not None and _is_command(what := match["what"].strip("`")):
            return what
    return ""


def way_back_in_prose(block: Block) -> str:
    """The command that a paragraph or a list item names as the way back; "" when it names none."""
    if len(block.text) > _LONGEST:
        return ""
    match = _PROSE.match(block.text)
    if match is None:
        return ""
    codes = [text for text, style in block.spans if style == "code"]
    if len(codes) == 1:
        return codes[0].strip()
    return match["what"] if not codes and _is_command(match["what"]) else ""


def is_way_back(text: str) -> bool:
    """Whether a heading, or words in front of a block, say that what follows is the way back, and no more."""
    return len(text) <= _LONGEST and _LABEL.match(text.strip()) is not None


def _is_command(text: str) -> bool:
    typed = is_command_word(text) and looks_typed(text)
    return "\n" not in text and (typed or looks_like_sql(text) or looks_like_powershell(text))


class WaysBack:
    """Follows the steps while they are read, and gives those that have one their way back."""

    def __init__(self) -> None:
        self._here: list[Draft] = []
        self._left: Draft | None = None

    def heading(self, block: Block) -> None:
        """A heading: "Rollback" below a section that holds one command names the way back from that."""
        alone = self._here[0] if len(self._here) == 1 else None
        below = alone is not None and alone.section is not None and block.level > alone.section.level
        self._left = alone if below and is_way_back(block.text) else None
        self._here = []

    def command(self, draft: Draft, intro: str, before: Draft | None) -> None:
        """A command step was read.

        Args:
            intro: the words in front of it.
            before: the command that stands close above it.
        """
        if before is not None and is_way_back(intro):
            _give(before, draft)
            return
        if self._left is not None:
            _give(self._left, draft)
            self._left = None
            return
        self._here.append(draft)

    def named(self, drafts: list[Draft]) -> None:
        """Typed fences name their rollback: step … rollback="y" and rollback name="y"."""
        rollbacks = {
            str(draft.attributes.get("name")): draft
            for draft in drafts
            if draft.attributes.get("fence") == "rollback" and draft.attributes.get("name")
        }
        for draft in drafts:
            back = rollbacks.get(str(draft.attributes.get("rollback")))
            if back is not None and back is not draft:
                _give(draft, back)


def _give(draft: Draft, back: Draft) -> None:
    if not draft.undo:
        draft.undo = (back.code or "").strip()
