"""What holds for every document: it is read, each block and task item is accounted for once, ids don't move."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from cockpit.errors import RunbookError
from cockpit.runbook.linting.document import lint
from cockpit.runbook.model import Runbook, StepKind
from cockpit.runbook.reading import parse, read
from cockpit.runbook.shown import as_json

BOX = re.compile(r"[\s>*+\-\d.)]*\[[ xX]\]")
PROMPT = re.compile(r"\$|(?:\S+ ?)?[$#%>](?: .*)?\s*|\S*(?:>|->)\s*")
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
        # Prompts, answers and files in their many shapes.
        "$ ls",
        "> go build x",
        "~/a $ make x",
        "user@host:~$ df",
        "mysql> show x;",
        "$./run",
        "Server running at x y",
        "x: command not found",
        "[Unit]",
        "After=x",
        '{"a": 1}',
        "{",
        "}",
        "--flag=x",
        "npm view [<name>]",
        'up{job="x"}',
        "make sure it works",
        "\\q",
        "[SITE]:x [5m] <a|b>",
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
    assert all(problem.message for problem in lint(parse(text)))


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
        found += _lines(step.sample_output)
        if step.attributes.get("inline"):
            continue
        found += _lines(step.code)
        if step.kind in (StepKind.NOTE, StepKind.MESSAGE):
            found += _lines(step.text)
    return found


def _unmatched(wanted: Counter[str], found: Counter[str]) -> tuple[list[str], list[str]]:
    """Lines of the document that are nowhere, and lines that are nowhere in the document; a prompt may be missing."""
    lost, made_up = list((wanted - found).elements()), list((found - wanted).elements())
    for line in list(lost):
        bare = next((rest for rest in made_up if line.endswith(rest) and PROMPT.fullmatch(line[: -len(rest)])), None)
        if bare is not None:
            lost.remove(line)
            made_up.remove(bare)
    return lost, made_up


@given(DOCUMENT)
@settings(max_examples=300, deadline=None)
def test_each_line_of_each_block_is_in_exactly_one_place(text: str) -> None:
    wanted: Counter[str] = Counter()
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        if token.type in ("fence", "code_block"):
            wanted += _lines(token.content)
    runbook = parse(text)
    if not runbook.front_matter and not text.startswith("---"):
        assert _unmatched(wanted, _accounted(runbook)) == ([], [])


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


@given(st.binary(max_size=600))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_read_or_refused_in_words(data: bytes) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "book.md"
        path.write_bytes(data)
        told = _told(path)
    assert told


def _told(path: Path) -> str:
    """The document as text for a program, or what its refusal says."""
    try:
        runbook = read(path)
    except RunbookError as error:
        return error.what
    lint(runbook)
    return json.dumps(as_json(runbook, lambda language, code: None))


@given(DOCUMENT, st.sampled_from(["utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp949", "latin-1"]), st.booleans())
@settings(max_examples=150, deadline=None)
def test_an_encoding_loses_no_step(text: str, encoding: str, carriage_returns: bool) -> None:
    text = f"# ascii first so that it is told apart\n\n{text}"
    with TemporaryDirectory() as folder:
        path = Path(folder) / "book.md"
        written = text.replace("\n", "\r\n") if carriage_returns else text
        path.write_bytes(written.encode(encoding, "replace"))
        found = read(path)
    if encoding not in ("cp949", "latin-1"):
        assert [(step.kind, step.code, step.line) for step in found.steps] == [
            (step.kind, step.code, step.line) for step in parse(text).steps
        ]


@given(DOCUMENT, st.lists(BLOCK, max_size=3), st.text(alphabet="ab롤 \n", max_size=40))
@settings(max_examples=150, deadline=None)
def test_ids_do_not_move_when_sections_are_put_above(text: str, blocks: list[str], words: str) -> None:
    """What stands above has steps of its own; none of them says what a step below says."""
    body = f"## Section\n\n{text}"
    others = [block.replace("name=x", "name=other") for block in blocks]
    above = "\n\n".join(["## Elsewhere", words, *others, "- [ ] another"])
    before = [step.id for step in parse(body).steps]
    after = [step.id for step in parse(f"{above}\n\n{body}").steps]
    assert after[len(after) - len(before) :] == before
