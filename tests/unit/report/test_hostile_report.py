"""A report of hostile text has the same shape as one of plain text: nothing in it is forged, and nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from cockpit.report import FORMATS
from tests.hostile import RENDERED, TEXTS, in_text, marked
from tests.unit.report.test_report import Story

PIECES = (*RENDERED, *(piece.text for piece in TEXTS))
GROUPS = [PIECES[at : at + 12] for at in range(0, len(PIECES), 12)]


def report(root: Path, name: str, text: str) -> str:
    """A report with the text in every place that somebody else fills."""
    root.mkdir()
    story = Story(root)
    finding = {"kind": "contains", "text": text, "held": True, "seen": text, "by": text}
    inputs = {"A": text} if "\n" in text else {f"A{text}": text}
    about = {"command": text, "cwd": text, "inputs": inputs, "target": text, "undo": text, "reason": text}
    about |= {"original": text, "difference": text, "reasons": [text], "language": text, "confirmed": text}
    story.tell("severity.set", actor=text, severity=text, reason=text)
    story.tell("note.added", text=text, step=None, by=text)
    story.tell("input.set", name=text, value=text)
    story.tell("target.changed", target=text)
    story.tell("probe.changed", probe=text, outcome=text, level=text, was=text, text=text)
    story.tell("recommendation.raised", rule=text, section=text, text=text, samples=[])
    story.tell("warning.raised", text=text, mend=text)
    story.tell("approval.given", by=text, step=text)
    story.tell("mode.changed", mode=text, reason=text)
    story.tell("message.prepared", step=text, text=text)
    story.tell("step.answered", step=story.steps[0], question=text, held=True)
    story.run(
        0, f"{text}\n{text}\n".encode("utf-8", "surrogatepass"), intent=about, expectations=[finding], reason=text
    )
    story.tell("step.finished", actor=text, step=story.steps[1], status="skipped", reason=text)
    story.tell("session.ended", actor=text, reason=text)
    story.journal.close()
    module, _colon, function = FORMATS[name].partition(":")
    written: str = getattr(import_module(module), function)(story.folder, "en")
    return written


def shape_of_markdown(text: str) -> list[str]:
    parser = MarkdownIt("gfm-like", {"linkify": False, "html": True})
    shape = []
    for token in parser.parse(text):
        shape.append(f"{token.type} {token.tag} {token.level}")
        if token.type == "inline":
            # A row of several lines is text, a value of several lines may hold breaks.
            kinds = [child.type for child in token.children or () if child.type not in ("text", "softbreak")]
            shape += [kind for kind in kinds if kind not in ("text_special", "code_inline")]
    return shape


def shape_of_html(text: str) -> list[str]:
    found: list[str] = []

    class Tags(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.append(f"<{tag} {sorted(name for name, _value in attrs)}>")
            found.extend("javascript" for _name, value in attrs if "javascript:" in (value or ""))

        def handle_endtag(self, tag: str) -> None:
            found.append(f"</{tag}>")

        def handle_comment(self, data: str) -> None:
            found.append("comment")

    Tags(convert_charrefs=True).feed(text)
    return found


def shape_of_json(text: str) -> list[str]:
    return sorted(json.loads(text))


SHAPES: Mapping[str, Callable[[str], list[str]]] = {
    "markdown": shape_of_markdown,
    "html": shape_of_html,
    "json": shape_of_json,
}


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_nothing_in_a_report_is_forged(tmp_path: Path, name: str) -> None:
    shape = SHAPES[name]
    plain = shape(report(tmp_path / "plain", name, "x"))
    for number, group in enumerate(GROUPS):
        hostile = report(tmp_path / str(number), name, "".join(group))
        if shape(hostile) != plain:
            alone = {piece: shape(report(tmp_path / f"{number}-{n}", name, piece)) for n, piece in enumerate(group)}
            pytest.fail(f"the shape changes with {[piece for piece in group if alone[piece] != plain] or group}")
        if name != "json":
            assert list(in_text(hostile.replace("\t", ""))) == []


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_nothing_of_a_text_is_lost_in_a_report(tmp_path: Path, name: str) -> None:
    for number, group in enumerate(GROUPS):
        text = report(tmp_path / str(number), name, " ".join(marked(n, piece) for n, piece in enumerate(group)))
        for n, _piece in enumerate(group):
            assert text.count(f"Q{n:02d}") >= 15
            assert text.count(f"Q{n:02d}") - text.count(f"Z{n:02d}") <= 1
