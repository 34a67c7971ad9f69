"""A Markdown document -> a Runbook. Ordinary documents, unmodified: annotations only add."""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType

from cockpit.runbook.document.decoding import check_size, decode, with_unix_line_ends
from cockpit.runbook.document.front_matter import FrontMatter, front_matter
from cockpit.runbook.document.markdown import Document, blocks_of
from cockpit.runbook.document.opened import document_at
from cockpit.runbook.document.outline import Outline
from cockpit.runbook.document.passages import passages_of
from cockpit.runbook.document.tables import Thresholds, contacts_of
from cockpit.runbook.identity import Ids
from cockpit.runbook.inputs.table import InputTable
from cockpit.runbook.model import Contact, Problem, Runbook
from cockpit.runbook.steps import StepPass
from cockpit.runbook.symptoms import symptoms_of
from cockpit.words import _

_LARGE_CHARS = 200_000
_TEMPLATE_TITLE = re.compile(r"<%|\{\{|\{%|\$\{")
_HANGUL = re.compile(r"[\uac00-\ud7a3]")
_KANA = re.compile(r"[\u3040-\u30ff]")
_HAN = re.compile(r"[\u4e00-\u9fff]")


def read(path: Path) -> Runbook:
    """The runbook in a file.

    Raises:
        RunbookError: the file can't be read, is larger than 16 MiB, or is not text.
    """
    return read_bytes(document_at(path), str(path))


def read_bytes(document: bytes, where: str) -> Runbook:
    """The runbook in a document's bytes. `where` is the path to keep, and to name in errors.

    Raises:
        RunbookError: it is larger than 16 MiB, or is not text.
    """
    decoded = decode(document, where)
    return _runbook(decoded.text, where, sha256(document).hexdigest(), list(decoded.problems))


def parse(text: str, path: str = "") -> Runbook:
    """The runbook in a text. `path` is only kept.

    Raises:
        RunbookError: it is larger than 16 MiB.
    """
    data = text.encode("utf-8", "surrogatepass")
    check_size(len(data), path)
    clean = with_unix_line_ends(text).removeprefix("\ufeff").replace("\0", "\ufffd")
    return _runbook(clean, path, sha256(data).hexdigest(), [])


def _runbook(text: str, path: str, digest: str, problems: list[Problem]) -> Runbook:
    with _collector_paused(len(text) > _LARGE_CHARS):
        return _assembled(text, path, digest, problems)


@contextmanager
def _collector_paused(wanted: bool) -> Iterator[None]:
    # Everything made here is kept: the collector would only walk it again and again, half of a large document's time.
    paused = wanted and gc.isenabled()
    if paused:
        gc.disable()
    try:
        yield
    finally:
        if paused:
            gc.enable()


def _assembled(text: str, path: str, digest: str, problems: list[Problem]) -> Runbook:
    front = front_matter(text)
    body, head = _body(text, front)
    document = blocks_of(body, front.lines + 1)
    outline = Outline(document.blocks)
    inputs = InputTable(front.values)
    found = StepPass(document, outline, inputs)
    found.run()
    ids = Ids()
    steps = tuple(draft.finished(ids) for draft in found.drafts)
    step_ids = {id(draft): step.id for draft, step in zip(found.drafts, steps, strict=True)}
    of_block: dict[int, str] = {}
    for draft, step in zip(found.drafts, steps, strict=True):
        of_block.setdefault(draft.block, step.id)
    thresholds = Thresholds(outline)
    for block, section in zip(document.blocks, outline.of_block, strict=True):
        thresholds.take(block, section)
    return Runbook(
        title=_title(front, outline, path),
        path=path,
        language=_language(front, text),
        text=text,
        sha256=digest,
        front_matter=MappingProxyType(dict(front.values)),
        sections=tuple(outline.sections),
        steps=steps,
        inputs=inputs.finished(step_ids, document.blocks),
        contacts=tuple(_contacts(document, outline)),
        thresholds=tuple(thresholds.found),
        symptoms=tuple(symptoms_of(document, outline, steps)),
        passages=passages_of(document, (head, front.lines), of_block, found.outputs),
        problems=tuple(
            sorted([*problems, *front.problems, *found.problems, *_skipped(document, front.lines)], key=_by_line)
        ),
    )


def _by_line(problem: Problem) -> int:
    return problem.line


def _body(text: str, front: FrontMatter) -> tuple[str, str]:
    if not front.lines:
        return text, ""
    lines = text.split("\n", front.lines)
    return (lines[front.lines] if len(lines) > front.lines else ""), "\n".join(lines[: front.lines])


def _skipped(document: Document, head: int) -> Iterator[Problem]:
    for start, end in document.skipped:
        # A link definition is in no block either.
        if not document.lines[start - 1 - head].lstrip(" \t>").startswith("["):
            yield Problem(
                start,
                "nested-too-deep",
                _("Lines {start}-{end} are nested too deep to be read").format(start=start, end=end),
            )


def _title(front: FrontMatter, outline: Outline, path: str) -> str:
    """The H1 that opens the document, else the front matter's title, else a later H1, any heading, or the file.

    The opening H1 is what a responder sees at the top; many front matter titles are only a site's menu entry. A
    template expression ("# {{ page.title }}") is no title.
    """
    headings = [section for section in outline.sections if _is_title(section.title)]
    first_is_h1 = bool(outline.sections) and outline.sections[0].level == 1
    if first_is_h1 and headings[:1] == outline.sections[:1]:
        return headings[0].title
    for key in ("title", "name"):
        value = front.values.get(key)
        if isinstance(value, str) and _is_title(value):
            return value.strip()
    chosen = next((section for section in headings if section.level == 1), next(iter(headings), None))
    return chosen.title if chosen is not None else Path(path).stem if path else ""


def _is_title(text: str) -> bool:
    return bool(text.strip()) and _TEMPLATE_TITLE.search(text) is None


def _language(front: FrontMatter, text: str) -> str:
    for key in ("lang", "language"):
        value = front.values.get(key)
        if isinstance(value, str) and re.match(r"[A-Za-z]{2}(?![A-Za-z])", value):
            return value[:2].lower()
    sample = text[:4000]
    if sample.isascii():
        return "en"
    ascii_chars = len(sample.encode("ascii", "ignore"))
    hangul, kana, han = (len(script.findall(sample)) for script in (_HANGUL, _KANA, _HAN))
    # A CJK character says as much as a few letters; commands in a CJK document are ASCII.
    if hangul + kana + han < max(4, ascii_chars / 40):
        return "en"
    if hangul >= kana and hangul * 2 >= han:
        return "ko"
    return "ja" if kana * 10 >= han else "zh"


def _contacts(document: Document, outline: Outline) -> Iterator[Contact]:
    for block in document.blocks:
        if block.kind == "table":
            yield from contacts_of(block, outline.of_block[block.index])
