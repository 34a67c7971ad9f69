"""The whole document in order, as stretches a screen can paint; nothing of it is left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cockpit.runbook.document.markdown import Block, Document
from cockpit.runbook.model import Passage


def passages_of(
    document: Document, front: tuple[str, int], steps: Mapping[int, str], outputs: set[int]
) -> tuple[Passage, ...]:
    """The passages of a document.

    Args:
        document: its blocks.
        front: the front matter's text and number of lines ("" and 0: none).
        steps: the step of a block, by the block's index.
        outputs: indices of blocks that are sample output.
    """
    found = list(_head(front))
    blocks = [_passage(block, steps.get(block.index), block.index in outputs) for block in document.blocks]
    offset = front[1] + 1
    extra = [
        Passage("paragraph", start, end, (("\n".join(document.lines[start - offset : end - offset + 1]), ""),))
        for start, end in document.skipped
    ]
    found += sorted([*blocks, *extra], key=lambda passage: passage.line) if extra else blocks
    return tuple(found)


def _head(front: tuple[str, int]) -> Iterator[Passage]:
    text, lines = front
    if lines:
        yield Passage("front-matter", 1, lines, ((text, ""),))


def _passage(block: Block, step: str | None, is_output: bool) -> Passage:
    kind = block.kind
    spans = tuple(block.spans) if block.spans else ((block.text, ""),) if block.text else ()
    marker = ""
    if kind == "code":
        kind = "output" if is_output else "code"
        marker = block.info
    elif kind == "paragraph":
        kind, marker = _paragraph_kind(block)
    return Passage(kind, block.line, block.end_line, spans, block.depth, block.level, step, marker)


def _paragraph_kind(block: Block) -> tuple[str, str]:
    item = block.item
    if item is not None and item.blocks[0] is block:
        if item.checked is not None:
            return "item", "[x]" if item.checked else "[ ]"
        return "item", f"{item.number}." if item.node.ordered else "-"
    return ("quote" if block.quoted else "paragraph"), ""
