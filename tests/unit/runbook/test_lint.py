"""What an author is told to mend."""

from __future__ import annotations

from pathlib import Path

import pytest

from cockpit.runbook.linting.document import lint
from cockpit.runbook.reading import parse, read


def codes(text: str) -> list[tuple[int, str]]:
    return [(problem.line, problem.code) for problem in lint(parse(text))]


@pytest.mark.parametrize(
    ("block", "line", "code"),
    [
        ("```sql\nSELECT 1;\nFLUSHALL\n```", 5, "wrong-language"),
        ("```python\n# env\nkubectl set env deploy/x A=b\n```", 5, "wrong-language"),
        ("```bash\n# file\nrestore_command = 'cp %f %p'\n```", 5, "wrong-language"),
        ("```bash\nSELECT * FROM t;\n```", 3, "wrong-language"),
        ('```bash\nsum(rate(x{a="b"}[5m]))\n```', 3, "wrong-language"),
        ('```powershell\ngcloud logging read "x" \\\n  --limit 5\n```', 4, "backslash-continuation"),
        ('```bash\n#!/bin/bash\nhelm rollback x 1\n# ...\n\necho "Rollback successful!"\n```', 6, "stub"),
        ('```bash\n#!/bin/bash\nhelm rollback x 1\n\necho "Rollback successful!"\n```', 7, "unchecked-success"),
        ("```bash\ntail x | grep ERROR\n# expected: no errors\n```", 4, "empty-is-good"),
        ("```bash\nwatch -n 5 ls\n```", 4, "never-ends"),
        (
            '```bash\njq ".items[] | select(.creationTimestamp < \\"30 days ago\\")" a.json\n```',
            4,
            "date-as-text",
        ),
        ("```bash\nterraform destroy\n```", 4, "destructive-unwarned"),
        ("```bash\n# only words\n```", 3, "no-command"),
        ("```bash\n# TODO: command needed\nls\n```", 4, "stub"),
        ("```\nkubectl get pods\n```", 3, "no-language"),
        ("```bash\nNAME=$1\necho $NAME\n```", 4, "needs-arguments"),
        ("```bach\nls\n```", 3, "misspelt-language"),
        ("```bsah\nls\n```", 3, "misspelt-language"),
        ("```bash { interactiv=false }\nls\n```", 3, "near-miss-annotation"),
        ("<!-- expected_results=0.8 -->", 3, "near-miss-annotation"),
        ("```bash\nls $DB_HOST\n```", 3, "unexplained-input"),
        ("```bash\nls <id>\n```", 3, "unexplained-input"),
        ("```bash\n[Unit]\nAfter=x\n```", 3, "wrong-language"),
        ("```console\nListening on port 80\n```", 3, "wrong-language"),
        ("```bash\nls", 3, "unclosed-fence"),
        ("[there](#nowhere)", 3, "dangling-anchor"),
        ("```bash\n# Option A\nls\n\n# Option B\npwd\n```", 7, "alternatives-in-one-block"),
        ("```bash\n./x.sh\nError: not found\n```", 3, "output-among-commands"),
    ],
)
def test_a_fault_is_named_with_its_line(block: str, line: int, code: str) -> None:
    assert (line, code) in codes(f"# Title\n\n{block}\n")


@pytest.mark.parametrize(
    "block",
    [
        "```bash\nkubectl get pods\n```",
        "```bash\n#!/bin/sh\nset -e\n./x\necho 'all successful'\n```",
        "```bash\ntail x | grep ERROR || true\n# expected: no errors\n```",
        "```bash\ntail -n 5 x\n```",
        "> **Warning**: everything is lost\n\n```bash\nrm -rf /srv/x\n```",
        "Put your pod in for `<pod>`.\n\n```bash\nls <pod>\n```",
        "[title](#title)",
        "```yaml\na: b\n```",
        "```dockerfile\nFROM x\n```",
        "```bash\nA=1\nB='2 3'\necho $A $B\n```",
        "```bash { name=x interactive=false }\nls\n```",
        "```bash\nRANGE=${1:-1h}\nls $RANGE\n```",
        "```bash\n$ ls\nsrv\n```",
        "```bash\nls <service-name>\n```",
        "```go\ndocker = connect(ctx)\nkubectl := command()\n```",
        "```bash\ntruncate -s 0 x.log\n```",
        "```bash\ngit push --force-with-lease\n```",
    ],
)
def test_a_sound_runbook_is_left_in_peace(block: str) -> None:
    assert codes(f"# Title\n\n{block}\n") == []


def test_relative_links_are_looked_up_the_way_sites_write_them(tmp_path: Path) -> None:
    for name in ("exact.md", "short.md", "page.html.md.erb", "folder/README.md"):
        target = tmp_path / name
        target.parent.mkdir(exist_ok=True)
        target.write_text("# x\n")
    links = [
        "exact.md#x",
        "short",
        "page",
        "folder/",
        "short.html",
        "https://example.org",
        "mailto:a@b",
        "/abs",
        "gone.md",
    ]
    book = tmp_path / "book.md"
    book.write_text("# t\n\n" + "\n".join(f"- [l]({link})" for link in links) + "\n")
    assert [(problem.line, problem.code) for problem in lint(read(book))] == [(11, "missing-file")]


def test_problems_come_by_line_and_each_once() -> None:
    text = "# t\n\n[a](#no) [b](#no)\n\n```bash\nwatch ls\n```\n\n```bash\nls\n"
    found = codes(text)
    assert found == [(3, "dangling-anchor"), (6, "never-ends"), (9, "unclosed-fence")]
