"""Text -> blocks in document order, through markdown-it: what stands where, without yet saying what it means."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

# Deeper than any runbook; keeps the parser's recursion and its work per line bounded.
_MAX_NESTING = 100
# Longer paragraphs are not prose, and inline rules are not all linear: they are taken as plain text.
_MAX_INLINE_CHARS = 20_000
_MARKUP = re.compile(r"[\\`*_\[\]<&!~]")
_SOFT_BREAK = re.compile(r" *\n *")
_TASK = re.compile(r"\[([ xX\u00a0])\](?:[ \t\u00a0\n]+|$)")
_STYLES = {"strong_open": "strong", "em_open": "em", "link_open": "link", "s_open": "strike"}
_CLOSERS = frozenset({"strong_close", "em_close", "link_close", "s_close"})


@dataclass(slots=True, eq=False)
class ListNode:
    """A list: its items, and the blocks it spans (`start` to `end`, indices into the document's blocks)."""

    ordered: bool
    depth: int
    start: int
    end: int = 0
    items: list[ListItem] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class ListItem:
    """An item of a list; `checked` is None unless it is a task item."""

    line: int
    node: ListNode
    parent: ListItem | None
    number: str
    checked: bool | None = None
    blocks: list[Block] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Block:
    """A leaf of the document.

    `kind`: heading, paragraph, code, table, html, rule. `text` is what a reader sees (code: the content; html: raw).
    `source` is the inline Markdown. Lines are 1-based and inclusive; `first_line` is where a code's content begins.
    """

    kind: str
    line: int
    end_line: int
    text: str = ""
    source: str = ""
    spans: list[tuple[str, str]] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)
    level: int = 0
    depth: int = 0
    quoted: bool = False
    item: ListItem | None = None
    info: str = ""
    fenced: bool = False
    closed: bool = True
    first_line: int = 0
    rows: list[list[str]] = field(default_factory=list)
    index: int = 0


@dataclass(slots=True, eq=False)
class Document:
    """The blocks of a text; `skipped` are lines the parser gave to none of them (nested too deep, link definitions)."""

    lines: list[str]
    blocks: list[Block]
    skipped: list[tuple[int, int]]


def blocks_of(text: str, first_line: int = 1) -> Document:
    """The document's blocks. `first_line` is where `text` begins in the file (below its front matter)."""
    walk = _Walk(text, first_line)
    walk.run(_parser().parse(text, walk.environment))
    return Document(walk.lines, walk.blocks, walk.skipped())


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"maxNesting": _MAX_NESTING}).enable("table")
    return parser.disable(["inline", "text_join"])


@cache
def _inline_parser() -> MarkdownIt:
    return MarkdownIt("commonmark").enable("strikethrough")


class _Walk:
    """One pass over the parser's tokens."""

    def __init__(self, text: str, first_line: int) -> None:
        self.lines = text.split("\n")
        self.offset = first_line
        self.blocks: list[Block] = []
        self.environment: dict[str, object] = {}
        self._lists: list[ListNode] = []
        self._items: list[ListItem] = []
        self._quotes = 0
        self._table: Block | None = None
        self._heading: Token | None = None

    def run(self, tokens: list[Token]) -> None:
        for token in tokens:
            act = _ACTIONS.get(token.type)
            if act is not None:
                act(self, token)

    def skipped(self) -> list[tuple[int, int]]:
        """Runs of lines with text that no block covers, 1-based in the file."""
        found: list[tuple[int, int]] = []
        at = self.offset
        for block in self.blocks:
            if block.line > at:
                found += self._written(at, block.line - 1)
            at = max(at, block.end_line + 1)
        found += self._written(at, self.offset + len(self.lines) - 1)
        return found

    def _written(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        numbers = [n for n in range(start, end + 1) if self.lines[n - self.offset].strip(" \t>")]
        if numbers and any(len(self.lines[n - self.offset].strip(" \t>-*+0123456789.)")) for n in numbers):
            yield numbers[0], numbers[-1]

    def _add(self, kind: str, token: Token) -> Block:
        first, end = token.map or (0, 1)
        depth = len(self._lists) + self._quotes
        item = self._items[-1] if self._items else None
        block = Block(kind, first + self.offset, max(end, first + 1) - 1 + self.offset, depth=depth, item=item)
        block.quoted = self._quotes > 0
        block.index = len(self.blocks)
        self.blocks.append(block)
        if item is not None:
            item.blocks.append(block)
        return block

    def list_open(self, token: Token) -> None:
        node = ListNode(token.type[0] == "o", len(self._lists) + 1, len(self.blocks))
        self._lists.append(node)

    def list_close(self, token: Token) -> None:
        self._lists.pop().end = len(self.blocks)

    def item_open(self, token: Token) -> None:
        first = token.map[0] if token.map else 0
        parent = self._items[-1] if self._items else None
        item = ListItem(first + self.offset, self._lists[-1], parent, token.info)
        self._lists[-1].items.append(item)
        self._items.append(item)

    def item_close(self, token: Token) -> None:
        self._items.pop()

    def quote_open(self, token: Token) -> None:
        self._quotes += 1

    def quote_close(self, token: Token) -> None:
        self._quotes -= 1

    def heading_open(self, token: Token) -> None:
        self._heading = token

    def heading_close(self, token: Token) -> None:
        self._heading = None

    def inline(self, token: Token) -> None:
        if self._table is not None:
            self._table.rows[-1].append(plain(spans_of(token.content, self.environment)[0]))
            return
        block = self._add("heading" if self._heading is not None else "paragraph", self._heading or token)
        block.source = token.content
        if self._heading is not None:
            block.level = int(self._heading.tag[1])
        elif block.item is not None and len(block.item.blocks) == 1:
            self._take_box(block, block.item)
        block.spans, block.links = spans_of(block.source, self.environment)
        block.text = plain(block.spans)

    def _take_box(self, block: Block, item: ListItem) -> None:
        box = _TASK.match(block.source)
        if box is not None:
            item.checked = box[1] in "xX"
            block.source = block.source[box.end() :]

    def fence(self, token: Token) -> None:
        block = self._code(token)
        block.info, block.fenced, block.first_line = token.info.strip(), True, block.line + 1
        last = self.lines[block.end_line - self.offset].lstrip(" \t>") if block.end_line > block.line else ""
        block.closed = last.startswith(token.markup) and not last.strip().strip(token.markup[0])

    def indented(self, token: Token) -> None:
        block = self._code(token)
        block.first_line = block.line
        # markdown-it counts the blank lines below into the block.
        block.end_line = block.line + token.content.rstrip("\n").count("\n")

    def _code(self, token: Token) -> Block:
        block = self._add("code", token)
        block.text = token.content[:-1] if token.content.endswith("\n") else token.content
        return block

    def html(self, token: Token) -> None:
        self._add("html", token).text = token.content.rstrip("\n")

    def rule(self, token: Token) -> None:
        self._add("rule", token)

    def table_open(self, token: Token) -> None:
        self._table = self._add("table", token)
        first, last = self._table.line - self.offset, self._table.end_line - self.offset
        self._table.text = "\n".join(self.lines[first : last + 1])

    def table_close(self, token: Token) -> None:
        self._table = None

    def row_open(self, token: Token) -> None:
        if self._table is not None:
            self._table.rows.append([])


_ACTIONS = {
    "bullet_list_open": _Walk.list_open,
    "ordered_list_open": _Walk.list_open,
    "bullet_list_close": _Walk.list_close,
    "ordered_list_close": _Walk.list_close,
    "list_item_open": _Walk.item_open,
    "list_item_close": _Walk.item_close,
    "blockquote_open": _Walk.quote_open,
    "blockquote_close": _Walk.quote_close,
    "heading_open": _Walk.heading_open,
    "heading_close": _Walk.heading_close,
    "inline": _Walk.inline,
    "fence": _Walk.fence,
    "code_block": _Walk.indented,
    "html_block": _Walk.html,
    "hr": _Walk.rule,
    "table_open": _Walk.table_open,
    "table_close": _Walk.table_close,
    "tr_open": _Walk.row_open,
}


def plain(spans: list[tuple[str, str]]) -> str:
    """The words of styled text."""
    return spans[0][0] if len(spans) == 1 else "".join(text for text, _style in spans)


def spans_of(source: str, environment: dict[str, object]) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Inline Markdown as (text, style) spans, and its links as (text, target)."""
    if len(source) > _MAX_INLINE_CHARS or not _MARKUP.search(source):
        text = _SOFT_BREAK.sub("\n", source) if "\n" in source else source
        return ([(text, "")] if text else []), []
    tokens: list[Token] = []
    parser = _inline_parser()
    parser.inline.parse(source, parser, environment, tokens)
    return _styled(tokens)


def _styled(tokens: list[Token]) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    spans: list[tuple[str, str]] = []
    links: list[tuple[str, str]] = []
    styles: list[str] = []
    target, link_text = "", ""
    for token in tokens:
        kind = token.type
        style = styles[-1] if styles else ""
        text = token.content
        if kind in _STYLES:
            styles.append(_STYLES[kind])
            if kind == "link_open":
                target, link_text = str(token.attrs.get("href", "")), ""
            continue
        if kind in _CLOSERS:
            if styles:
                styles.pop()
            if kind == "link_close":
                links.append((link_text, target))
            continue
        if kind in ("softbreak", "hardbreak"):
            text = "\n"
        elif kind == "code_inline":
            style = "code"
        link_text += text
        if spans and spans[-1][1] == style:
            spans[-1] = (spans[-1][0] + text, style)
        elif text:
            spans.append((text, style))
    return spans, links
