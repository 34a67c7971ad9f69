"""Sections to offer when an output shows what they are about."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cockpit.runbook.commands.classify import SYMPTOM_HEADING
from cockpit.runbook.commands.vocabulary import is_command_word, looks_typed
from cockpit.runbook.document.markdown import Block, Document
from cockpit.runbook.document.outline import Outline
from cockpit.runbook.model import Phase, Section, Step, StepKind, Symptom

_SYMPTOM_WORDS = re.compile(r"증상|symptoms?|signs?|症状|现象|現象", re.IGNORECASE)
_OPENS_WITH_SYMPTOM = re.compile(r"\W*(?:증상|symptoms?|症状|现象|現象)\W*[:：]", re.IGNORECASE)
_TELLING = re.compile(
    r"[\"“`]([^\"”`\n]{4,120})[\"”`]|\b([A-Z][A-Za-z0-9]{2,}[A-Z][a-z]+[A-Za-z0-9]*)\b|"
    r"\b([45]\d\d)(?=\s*(?:에러|오류|error|응답|HTTP))"
)


def symptoms_of(document: Document, outline: Outline, steps: tuple[Step, ...]) -> Iterator[Symptom]:
    """The symptoms of a document, by section: lines of sample output, and words in quotes or code."""
    texts: dict[str, list[str]] = {}
    for step in steps:
        section = outline.get(step.section)
        if section is None or not _is_trouble(outline, section):
            continue
        pasted = SYMPTOM_HEADING.match(section.title) is not None
        shown = step.text if pasted and step.kind is StepKind.NOTE else step.sample_output
        if shown:
            lines = [line.strip() for line in shown.split("\n")[:20]]
            # Below "Symptoms" stands what the section around it is about.
            home = section.parent if pasted and section.parent else section.id
            texts.setdefault(home, []).extend(filter(_is_telling_line, lines))
    for block in document.blocks:
        section = outline.of_block[block.index]
        if section is not None and _tells_symptom(block, section, document.blocks):
            texts.setdefault(section.id, []).extend(_told(block))
    for section in outline.sections:
        if texts.get(section.id):
            yield Symptom(section.id, tuple(dict.fromkeys(texts[section.id])), section.line)


def _is_telling_line(line: str) -> bool:
    return 6 <= len(line) <= 200 and not line.startswith(("#", "$ ")) and not looks_typed(line)


def _told(block: Block) -> Iterator[str]:
    for groups in _TELLING.findall(block.text[:2000]):
        yield "".join(groups)
    for text, style in block.spans:
        # The name of a command or a path stands in most outputs, whatever is wrong.
        if style == "code" and 4 <= len(text) <= 120 and not text.startswith(("/", "--")) and not is_command_word(text):
            yield text


def _is_trouble(outline: Outline, section: Section) -> bool:
    return any(part.phase is Phase.TROUBLESHOOTING for part in outline.ancestors(section))


def _tells_symptom(block: Block, section: Section, blocks: list[Block]) -> bool:
    if block.kind == "heading":
        return section.phase is Phase.TROUBLESHOOTING
    if block.kind != "paragraph":
        return False
    if block.item is None:
        return _OPENS_WITH_SYMPTOM.match(block.text) is not None
    before = block.item.node.start - 1
    intro = blocks[before] if before >= 0 else None
    return intro is not None and len(intro.text) < 80 and _SYMPTOM_WORDS.search(intro.text) is not None
