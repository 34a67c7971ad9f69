"""What a document says of its inputs: a row of a table that begins with the name, or a sentence that holds it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from cockpit.runbook.document.markdown import Block
from cockpit.runbook.inputs.variables import Blank

_LONGEST_HELP = 300
# A name that can't be mistaken for a word of the prose.
_NAME_LIKE = re.compile(r"[A-Za-z0-9][_-][A-Za-z0-9]|[A-Z]{3}")
_DESCRIBES = re.compile(
    r"descri|meaning|explanation|purpose|what|notes?\b|comment|설명|의미|내용|용도|비고|뜻|"
    r"说明|描述|含义|説明|意味|内容",
    re.IGNORECASE,
)
_DEFAULTS = re.compile(r"\bdefaults?\b|기본\s?값?|디폴트|默认|預設|既定|デフォルト", re.IGNORECASE)
_ASIDE = re.compile(
    r"required|optional|mandatory|type|example|e\.g\.|sample|필수|선택|타입|유형|형식|예시?$|"
    r"必须|必填|类型|示例|必須|型|例",
    re.IGNORECASE,
)
# A value as it stands; "the last one that worked" tells where a value comes from.
_VALUE = re.compile(r"[\w@%+=:,./-]+\Z", re.ASCII)
_NO_VALUE = re.compile(r"(?:none|no|n/a|nil|null|empty|unset|required|mandatory|[-.]+)\Z", re.IGNORECASE)


class _Row(NamedTuple):
    told: str
    default: str | None


class Explanations:
    """Looks names up in the document, on first use."""

    def __init__(self, blocks: list[Block]) -> None:
        self._blocks = blocks
        self._prose: str | None = None
        self._rows: dict[str, _Row] | None = None

    def of(self, blank: Blank) -> str:
        """The text about a blank, "" when there is none."""
        row = self._row(blank)
        if row is not None and row.told:
            return row.told
        if self._prose is None:
            self._prose = "\0".join(block.text for block in self._blocks if _is_prose(block))
        names = [blank.written]
        if _NAME_LIKE.search(blank.name):
            names.append(blank.name)
        return next((told for name in names if (told := _sentence(name, self._prose))), "")

    def default(self, blank: Blank) -> str | None:
        """The value that a table gives a blank for a default, None when it gives none."""
        row = self._row(blank)
        return row.default if row is not None else None

    def _row(self, blank: Blank) -> _Row | None:
        if self._rows is None:
            self._rows = {name: row for block in self._blocks if block.kind == "table" for name, row in _rows(block)}
        return self._rows.get(blank.name)


def _is_prose(block: Block) -> bool:
    """A paragraph, unless it is a command and nothing more: the blank's own line explains nothing."""
    return block.kind == "paragraph" and not (len(block.spans) == 1 and block.spans[0][1] == "code")


def _sentence(name: str, prose: str) -> str:
    at = prose.find(name)
    if at < 0:
        return ""
    start, end = prose.rfind("\0", 0, at) + 1, prose.find("\0", at)
    return prose[start : end if end >= 0 else None].strip()[:_LONGEST_HELP]


def _rows(table: Block) -> Iterator[tuple[str, _Row]]:
    """Each row of a table by the name it begins with: the cell that describes it, and the one that is its default."""
    head = table.rows[0]
    others = range(1, len(head))
    default = next((column for column in others if _DEFAULTS.search(head[column])), None)
    described = next((column for column in others if column != default and _DESCRIBES.search(head[column])), None)
    for row in table.rows[1:]:
        cells = [cell.strip() for cell in row]
        name = cells[0].strip("$<>[]{} ") if cells else ""
        if not name:
            continue
        if described is not None:
            told = cells[described] if described < len(cells) else ""
        else:
            candidates = [cells[n] for n in others if n < len(cells) and n != default and not _ASIDE.search(head[n])]
            told = max(candidates, key=len, default="")
        value = cells[default] if default is not None and default < len(cells) else ""
        yield name, _Row(told[:_LONGEST_HELP], value if _VALUE.match(value) and not _NO_VALUE.match(value) else None)
