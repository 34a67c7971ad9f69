"""A code block -> the draft of a command step: prompts off, commands apart, what each expects and how it behaves."""

from __future__ import annotations

import re
from bisect import bisect_left
from itertools import pairwise
from typing import Any

from cockpit.runbook.commands.chunks import Chunk, chunks_of, symptoms_apart
from cockpit.runbook.commands.languages import TYPED, Info
from cockpit.runbook.commands.manners import Manners, closes, manners_of
from cockpit.runbook.commands.prompts import session_of
from cockpit.runbook.document.markdown import Block
from cockpit.runbook.drafts import Draft, PartDraft
from cockpit.runbook.expectations.repetition import throughout
from cockpit.runbook.expectations.written import expectations_of
from cockpit.runbook.model import ExpectationKind, Section, StepKind
from cockpit.runbook.ways_back import way_back_in_comments
from cockpit.words import shortened

_COMMENT_LINE = re.compile(r"^\s*(?:#|--)")
_DURATION = re.compile(r"^(\d{1,6}(?:\.\d+)?)\s*(ms|s|m|h)?$")
_DURATION_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, None: 1.0}
_HEADER_LINE = re.compile(r"^\s*([A-Za-z_][\w-]*)\s*:\s*(.*)$")
_CLIENT_SESSION = re.compile(r"\b(?:psql|mysql|mariadb|mongo(?:sh)?|redis-cli|sqlite3|cqlsh|sqlplus)\b")
_LONGEST_LABEL = 100


def command_draft(
    block: Block, section: Section | None, info: Info, language: str, inside: str | None
) -> tuple[Draft, str | None]:
    """The draft of a block of commands, and the session it leaves open for what follows.

    Args:
        block: the code block.
        section: where it stands.
        info: its info string, read.
        language: canonical.
        inside: the session an earlier block left open.
    """
    attributes = dict(info.attributes)
    text, header = (block.text, "") if info.language not in TYPED else _headed(block.text, attributes)
    text, pasted = symptoms_apart(text) if language == "bash" else (text, [])
    session = session_of(text, "console" if info.spelling not in ("bash", "sh", "shell", "zsh") else language)
    start = block.first_line + (header.count("\n") + 2 if header else 0)
    draft = Draft(StepKind.COMMAND, section, block.line, block.end_line, "", block.index, attributes=attributes)
    if session is not None:
        draft.language = session.language or language
        chunks, strays = chunks_of(session.typed, draft.language, session.starts)
        draft.code = session.code
        draft.sample = _lines(pasted + session.answers)
        _give_answers(draft, chunks, session.answers, start, inside)
    else:
        draft.language = language
        typed = list(enumerate(text.split("\n")))
        chunks, strays = chunks_of(typed, language)
        draft.code = _without(typed, strays + pasted).strip("\n") if pasted else _without(typed, strays)
        draft.sample = _lines(pasted + strays)
        draft.parts = [_part(chunk, start, draft.language) for chunk in chunks]
    draft.text = header or None
    left_open = _sessions(draft, inside if _fits(draft.language, inside) else None)
    _settle(draft)
    return draft, left_open if _fits(draft.language, inside) else left_open or inside


def _headed(text: str, attributes: dict[str, Any]) -> tuple[str, str]:
    """A typed fence (step, check, rollback): `key: value` lines above a `---` line are its attributes."""
    head, rule, body = text.partition("\n---\n")
    if not rule:
        return text, ""
    for line in head.split("\n"):
        match = _HEADER_LINE.match(line)
        if match is not None:
            attributes.setdefault(match[1], match[2].strip())
    return body, head


def _without(typed: list[tuple[int, str]], strays: list[tuple[int, str]]) -> str:
    if not strays:
        return "\n".join(line for _index, line in typed)
    gone = {index for index, _line in strays}
    return "\n".join(line for index, line in typed if index not in gone)


def _lines(shown: list[tuple[int, str]]) -> str | None:
    """What a block shows beside its commands, in order; of two lines of one place the one with words."""
    text = "\n".join(dict(sorted(shown)).values()).strip("\n")
    return text if text.strip() else None


def _part(chunk: Chunk, start: int, language: str) -> PartDraft:
    code = chunk.code
    numbered = [(index + start, text) for index, text in chunk.lines]
    manners = manners_of(code) if language in ("bash", "powershell") else Manners()
    return PartDraft(
        chunk.label or _first_command(code),
        numbered[0][0] if numbered else start,
        numbered[-1][0] if numbered else start,
        code,
        expectations_of(numbered, code),
        manners.interactive,
        manners.endless,
        alternative=chunk.alternative,
        undo=way_back_in_comments(numbered),
    )


def _give_answers(
    draft: Draft, chunks: list[Chunk], answers: list[tuple[int, str]], start: int, inside: str | None
) -> None:
    draft.parts = [_part(chunk, start, draft.language or "bash") for chunk in chunks]
    if len(chunks) < 2:
        return
    lines = [index for index, _text in answers]
    bounds = [bisect_left(lines, chunk.lines[0][0]) for chunk in chunks] + [len(lines)]
    for part, (begin, end) in zip(draft.parts, pairwise(bounds), strict=True):
        sample = "\n".join(text for _index, text in answers[begin:end]).strip("\n")
        part.sample = sample or None


def _fits(language: str | None, inside: str | None) -> bool:
    """Whether what a block speaks is typed in the session that is open."""
    if inside is None:
        return True
    if _CLIENT_SESSION.search(inside):
        return language in ("sql", "redis", "bash")
    return language == ("powershell" if "PSSession" in inside else "bash")


def _sessions(draft: Draft, inside: str | None) -> str | None:
    draft.inside = inside
    for part in draft.parts:
        part.inside = inside
        if inside is not None and closes(part.code):
            inside = None
        elif draft.language in ("bash", "powershell"):
            inside = manners_of(part.code).opens or inside
    return inside


def _settle(draft: Draft) -> None:
    last = len(draft.parts) - 1
    budget_s = draft.section.budget_s if draft.section is not None else None
    for position, part in enumerate(draft.parts):
        if budget_s is not None:
            part.expectations = tuple(throughout(held, float(budget_s)) for held in part.expectations)
        # Only the last command's exit status is the block's.
        draft.expectations += [
            held for held in part.expectations if position == last or held.kind is not ExpectationKind.EXIT
        ]
    # The last thing done is the first to be undone.
    draft.undo = "\n".join(part.undo for part in reversed(draft.parts) if part.undo)
    draft.interactive = any(part.interactive for part in draft.parts) or draft.attributes.get("interactive") is True
    draft.endless = any(part.endless for part in draft.parts)
    if draft.attributes.get("interactive") is False:
        draft.interactive = False
    draft.timeout_s = duration_s(draft.attributes.get("timeout"))
    draft.hint = _first_command(draft.code or "")
    draft.label = shortened(draft.parts[0].label if draft.parts else draft.hint, _LONGEST_LABEL)


def duration_s(value: object) -> float | None:
    """A length of time as attributes write it ("30s", "5m", 15), in seconds."""
    match = _DURATION.match(str(value).strip()) if isinstance(value, (str, int, float)) else None
    return float(match[1]) * _DURATION_S[match[2]] if match else None


def _first_command(code: str) -> str:
    for line in code.split("\n", 200):
        if line.strip() and not _COMMENT_LINE.match(line):
            return shortened(line.strip(), _LONGEST_LABEL)
    return shortened(code.strip("\n# -").split("\n", 1)[0], _LONGEST_LABEL)
