"""What holds for every document: it is read, each block and task item is accounted for once, ids don't move."""

from __future__ import annotations

import json
import re
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from cockpit.runbook.lint import lint
from cockpit.runbook.model import Runbook, StepKind
from cockpit.runbook.reading import parse
from cockpit.runbook.shown import as_json

BOX = re.compile(r"[\s>*+\-\d.)]*\[[ xX]\]")
WORDS = st.text(alphabet="abc 롤백$<>[]{}`*_#|-:'\"\\&!~.1\t", max_size=30)
INFO = st.sampled_from(
    ["", "bash", "sh", "console", "sql", "text", "powershell", "promql", "yaml", "output", "sh {name=x}", "```"]
)
COMMAND = st.sampled_from(
    [
        "ls -l",
        "kubectl get pods -n <ns>",
        "cat <<EOF",
        "EOF",
        "for i in 1 2; do",
        "done",
        "# a comment",
        "",
        "SELECT 1;",
        "'",
        "a |",
        "echo $X \\",
        "Error: x",
        "NAME  READY",
        "□ box",
        "https://x",
        "tail -f x",
        "# expected: ok",
        "# 증상",
        "key: value",
        "롤백한다",
        "$$",
    ]
)
BLOCK = st.builds(
    lambda info, lines: "```" + info.replace("`", "") + "\n" + "\n".join(lines) + "\n```",
    INFO,
    st.lists(COMMAND, max_size=6),
)
PIECE = st.one_of(
    BLOCK,
    WORDS,
    st.builds(lambda level, words: "#" * level + " " + words, st.integers(1, 6), WORDS),
    st.builds(lambda box, words: f"- [{box}] {words}x", st.sampled_from(" xX"), WORDS),
    st.builds(lambda words: f"1. {words}", WORDS),
    st.builds(lambda block: "\n".join("   " + line for line in ("- item\n\n" + block).split("\n")), BLOCK),
    st.builds(lambda block: "\n".join("> " + line for line in block.split("\n")), BLOCK),
    st.sampled_from(
        [
            "---",
            "| a | b |\n|---|---|\n| 1 | 2 |",
            "<details>",
            "</details>",
            "any of these:",
            "공지:",
            "    ls -l",
            "***",
        ]
    ),
)
DOCUMENT = st.lists(PIECE, max_size=12).map("\n\n".join)


@given(st.text(max_size=400))
@settings(max_examples=200, deadline=None)
def test_any_text_is_read(text: str) -> None:
    lint(parse(text))


@given(DOCUMENT)
@settings(max_examples=200, deadline=None)
def test_any_markdown_is_read_and_shown(text: str) -> None:
    runbook = parse(text)
    lint(runbook)
    json.dumps(as_json(runbook, lambda language, code: None))
    last = text.count("\n") + 1
    for step in runbook.steps:
        assert 1 <= step.line <= step.end_line <= last
        assert not step.section or runbook.section(step.section) is not None
    assert len({step.id for step in runbook.steps}) == len(runbook.steps)


def _lines(text: str | None) -> Counter[str]:
    return Counter(line.strip() for line in (text or "").split("\n") if line.strip())


def _accounted(runbook: Runbook) -> Counter[str]:
    found: Counter[str] = Counter()
    for step in runbook.steps:
        if step.attributes.get("inline"):
            continue
        found += _lines(step.code) + _lines(step.sample_output)
        if step.kind in (StepKind.NOTE, StepKind.MESSAGE):
            found += _lines(step.text)
    return found


@given(DOCUMENT)
@settings(max_examples=300, deadline=None)
def test_each_line_of_each_block_is_in_exactly_one_place(text: str) -> None:
    wanted: Counter[str] = Counter()
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        if token.type in ("fence", "code_block"):
            wanted += _lines(token.content)
    runbook = parse(text)
    if not runbook.front_matter and not text.startswith("---"):
        assert _accounted(runbook) == wanted


@given(DOCUMENT)
@settings(max_examples=200, deadline=None)
def test_each_task_item_is_one_check_or_one_item_of_a_decision(text: str) -> None:
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    items = [
        token
        for at, token in enumerate(tokens)
        if token.type == "inline"
        and tokens[at - 2].type == "list_item_open"
        and token.content[:3] in ("[ ]", "[x]", "[X]")
        and token.content[3:4] in ("", " ", "\t", "\n")
    ]
    runbook = parse(text)
    if text.startswith("---"):
        return
    lines = text.split("\n")
    checks = [s for s in runbook.steps if s.kind is StepKind.CHECK and BOX.match(lines[s.line - 1])]
    decided = sum(len(step.items) for step in runbook.steps)
    assert len(checks) + decided == len(items)


@given(st.text(alphabet="ab롤 \n", max_size=60), DOCUMENT)
@settings(max_examples=150, deadline=None)
def test_ids_do_not_move_when_text_is_put_above(above: str, text: str) -> None:
    body = f"## Section\n\n{text}"
    before = [step.id for step in parse(body).steps]
    after = [step.id for step in parse(f"{above}\n\n```bash\necho something new\n```\n\n{body}").steps]
    assert after[len(after) - len(before) :] == before
