"""A block of several commands as the pieces its author laid out: by comments, blank lines and prompts."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import pairwise

from cockpit.runbook.commands.languages import ACTIONS
from cockpit.runbook.commands.manners import manners_of
from cockpit.runbook.commands.printed import is_answer, is_json
from cockpit.runbook.commands.statements import Row, is_comment, rows_of
from cockpit.runbook.commands.vocabulary import looks_typed
from cockpit.words import shortened

_EXPECTS = re.compile(
    r"\s*(?:#|--)+\s*(?:[✅✓☑→=>-]+\s*)?(?:기대|예상|expect|should|output|result|returns?\b|출력|결과|예시|"
    r"预期|期望|输出|結果|期待|出力|→|=>|->)",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"\s*(?:#|--)+\s*(?:\d+[-.)\d]*\s|\S{1,12}(?: \S{1,12})? \d+\s*[:.)])")
_ALTERNATIVE = re.compile(
    r"^(?:방법|대안|해결(?:책|\s?방법)?|method|option|alternative|solution|選択肢|方法|解决方案|解決策)\s*[#]?[\dA-Z]\b|^(?:or|또는|或|或者|または|"
    r"alternatively)\b",
    re.IGNORECASE,
)
# A statement of these is a question of its own, whatever stands around it.
_ONE_BY_ONE = ACTIONS | {"promql", "logql", "redis", "http"}
_MARK = re.compile(r"^\s*(?:#|--)+!?\s*")
_STRAY = re.compile(
    r"\s*https?://\S+\s*$|> \S+[ \t]+\S|(?:[A-Za-z][\w.-]*(?: \([^)]*\))?:(?:\s|$)(?!\s*[>|&])|"
    r"[\u1100-\u11ff\u3040-\u30ff\u3130-\u318f\u4e00-\u9fff\uac00-\ud7a3])"
)


_SYMPTOM = re.compile(
    r"[ \t]*#+[ \t]*(?:증상|현상|오류\s?메시지|에러\s?메시지|symptoms?|error(?:\s+messages?)?|症状|现象|現象)"
    r"[ \t]*\d{0,2}[ \t]*[:：.]?[ \t]*\Z",
    re.IGNORECASE,
)
_SYMPTOM_HINTS = ("증상", "현상", "메시지", "symptom", "error", "症状", "现象", "現象")
_PROMPTED = re.compile(r"[ \t]*[$%>]\s")


@dataclass(slots=True)
class Chunk:
    """A piece of a block: `lines` are (index in the block, text); `label` is the comment above it."""

    lines: list[tuple[int, str]] = field(default_factory=list)
    label: str = ""
    alternative: bool = False
    has_code: bool = False
    solitary: bool = False

    @property
    def code(self) -> str:
        """The piece as it runs."""
        return "\n".join(text for _index, text in self.lines).strip("\n")


def symptoms_apart(text: str) -> tuple[str, list[tuple[int, str]]]:
    """A block without the symptoms pasted into it, and their lines: index in the block, text.

    "# 증상" above a command and what a machine answered shows what went wrong; nobody is to run it again. Their place
    stays as blank lines.
    """
    lowered = text.lower()
    if "#" not in text or not any(hint in lowered for hint in _SYMPTOM_HINTS):
        return text, []
    lines = text.split("\n")
    pasted: list[tuple[int, str]] = []
    for index, line in enumerate(lines):
        if _SYMPTOM.match(line):
            below = _paragraph(lines, index + 1)
            if _shows_answer(below):
                pasted += enumerate([line, *below], index)
    gone = {index for index, _line in pasted}
    return "\n".join("" if index in gone else line for index, line in enumerate(lines)), pasted


def _paragraph(lines: list[str], start: int) -> list[str]:
    """The lines from `start` to the next blank line or comment."""
    end = start
    while end < len(lines) and lines[end].strip() and not lines[end].lstrip().startswith("#"):
        end += 1
    return lines[start:end]


def _shows_answer(lines: list[str]) -> bool:
    prompted = [line for line in lines if _PROMPTED.match(line)]
    if prompted:
        return len(prompted) < len(lines)
    return any(_STRAY.match(line) for line in lines)


def chunks_of(
    typed: list[tuple[int, str]], language: str, starts: list[int] | None = None
) -> tuple[list[Chunk], list[tuple[int, str]]]:
    """The pieces of what is typed, and the lines in between that are a machine's words rather than commands.

    Args:
        typed: (index in the block, line).
        language: canonical.
        starts: the positions in `typed` at which a prompt stood; None when the block has none.
    """
    lines = [text for _index, text in typed]
    if starts is not None:
        return _by_prompt(typed, starts, language), []
    if lines and lines[0].startswith("#!"):
        return [_finished(Chunk(list(typed), has_code=True), language)], []
    written = [line for line in lines if line.strip() and not is_comment(line, language)]
    if len(written) == 1 and not _STRAY.match(written[0]):
        return [_finished(Chunk(list(typed), has_code=True), language)], []
    rows = rows_of(lines, language)
    strays = _strays(lines, rows) if language == "bash" else set()
    groups = _Groups(typed, language)
    below = _kinds_below(rows)
    for row, kind_below in zip(rows, below, strict=True):
        if row.start not in strays:
            groups.add(row, kind_below)
    return groups.finished(), [
        typed[index] for row in rows if row.start in strays for index in range(row.start, row.end + 1)
    ]


def _strays(lines: list[str], rows: list[Row]) -> set[int]:
    """Rows in a block of commands that are none: a machine's answer, a sentence, a file's content in JSON."""
    found: set[int] = set()
    typed = gap = answering = False
    for row in rows:
        if row.kind != "code":
            gap, answering = row.kind == "blank", False
            continue
        head = lines[row.start]
        if _STRAY.match(head) if row.start == row.end else _shows_json(lines, row):
            found.add(row.start)
        elif (answering or (typed and gap and is_answer(head))) and not looks_typed(head):
            found.add(row.start)
            answering = True
        else:
            typed, answering = True, False
        gap = False
    return found


def _shows_json(lines: list[str], row: Row) -> bool:
    return lines[row.start].lstrip()[:1] in "{[" and is_json("\n".join(lines[row.start : row.end + 1]))


def _kinds_below(rows: list[Row]) -> list[str]:
    """For each row, what follows the comments below it: code, blank, or nothing at all."""
    kinds, below = [], ""
    for row in reversed(rows):
        kinds.append(below)
        below = row.kind if row.kind != "comment" else below
    return kinds[::-1]


def _by_prompt(typed: list[tuple[int, str]], starts: list[int], language: str) -> list[Chunk]:
    chunks: list[Chunk] = []
    bounds = [*starts, len(typed)]
    held: list[tuple[int, str]] = []
    for begin, end in pairwise(bounds):
        lines = held + typed[begin:end]
        held = []
        if not any(text.strip() for _index, text in lines):
            continue
        if all(is_comment(text, language) or not text.strip() for _index, text in lines):
            held = lines
        else:
            chunks.append(_finished(Chunk(lines, has_code=True), language))
    if held and chunks:
        chunks[-1].lines += held
    return chunks


class _Groups:
    """Grows the pieces row by row."""

    def __init__(self, typed: list[tuple[int, str]], language: str) -> None:
        self._typed = typed
        self._language = language
        self._chunks: list[Chunk] = []
        self._current = Chunk()
        self._gap = False

    def add(self, row: Row, kind_below: str) -> None:
        lines = self._typed[row.start : row.end + 1]
        if row.kind == "blank":
            self._gap = True
            if self._current.lines:
                self._current.lines += lines
        elif row.kind == "comment":
            self._comment(lines, kind_below)
        else:
            self._code(lines)

    def _comment(self, lines: list[tuple[int, str]], kind_below: str) -> None:
        if self._current.has_code:
            if _EXPECTS.match(lines[0][1]) or (kind_below != "code" and not self._gap):
                self._current.lines += lines
                return
            self._close()
        elif self._gap and self._current.lines:
            self._close()
        self._current.lines += lines
        self._gap = False

    def _code(self, lines: list[tuple[int, str]]) -> None:
        manners = manners_of("\n".join(text for _index, text in lines))
        alone = self._language in _ONE_BY_ONE or manners.interactive or manners.endless
        if self._current.has_code and (self._gap or alone or self._current.solitary) and not self._is_cd():
            self._close()
        self._current.lines += lines
        self._current.has_code = True
        self._current.solitary = alone
        self._gap = False

    def _is_cd(self) -> bool:
        last = next((text for _index, text in reversed(self._current.lines) if text.strip()), "")
        return last.lstrip().startswith(("cd ", "pushd ", "Set-Location ")) and not self._gap

    def _close(self) -> None:
        self._chunks.append(self._current)
        self._current = Chunk()
        self._gap = False

    def finished(self) -> list[Chunk]:
        """The pieces; comments without a command go with the piece above them, or below when there is none."""
        found: list[Chunk] = []
        held: list[tuple[int, str]] = []
        for chunk in [*self._chunks, self._current]:
            if not chunk.has_code:
                if found:
                    found[-1].lines += chunk.lines
                else:
                    held += chunk.lines
                continue
            chunk.lines = held + chunk.lines
            held = []
            found.append(chunk)
        return [_finished(chunk, self._language) for chunk in found]


def _finished(chunk: Chunk, language: str) -> Chunk:
    while chunk.lines and not chunk.lines[-1][1].strip():
        chunk.lines.pop()
    comments: list[str] = []
    for _index, text in chunk.lines:
        if not text.strip():
            continue
        if not is_comment(text, language) or text.startswith("#!"):
            break
        comments.append(text)
    told = [text for text in comments if _MARK.sub("", text).strip(" =-#*")]
    numbered = [text for text in told if _NUMBERED.match(text)]
    chosen = numbered[-1] if numbered else told[0] if told else ""
    chunk.label = shortened(_MARK.sub("", chosen).strip(" =-#*"), 120)
    chunk.alternative = _ALTERNATIVE.match(chunk.label) is not None
    return chunk
