"""Whole documents: what two ordinary runbooks become, and that nothing broken ends in more than one clear line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cockpit.errors import RunbookError
from cockpit.runbook.document.decoding import LIMIT_BYTES
from cockpit.runbook.linting.document import lint
from cockpit.runbook.model import ExpectationKind, Runbook, StepKind
from cockpit.runbook.reading import parse, read
from cockpit.runbook.shown import as_json

DOCUMENTS = Path(__file__).parents[2] / "data" / "runbooks"


@pytest.fixture(scope="module")
def korean() -> Runbook:
    return read(DOCUMENTS / "rollback.ko.md")


@pytest.fixture(scope="module")
def english() -> Runbook:
    return read(DOCUMENTS / "api-down.en.md")


def test_a_korean_runbook_gives_its_facts(korean: Runbook) -> None:
    assert korean.title == "결제 서비스 롤백 런북"
    assert korean.language == "ko"
    assert [(contact.role, contact.fields["Slack"]) for contact in korean.contacts] == [
        ("1차 대응", "@oncall-pay"),
        ("최종 결정", "@head-pay"),
    ]
    bounds = [(t.metric, t.operator, t.bound, t.unit, t.level) for t in korean.thresholds]
    assert ("5xx 비율", ">", 50.0, "%", "P0") in bounds
    assert ("5xx 비율", ">=", 10.0, "%", "P1") in bounds
    assert {blank.written for blank in korean.inputs} == {"[현재 시간]", "[담당자 이름]", "[이전_버전]"}


def test_checks_that_lead_somewhere_are_a_decision(korean: Runbook) -> None:
    decision = next(step for step in korean.steps if step.kind is StepKind.DECISION)
    assert [item.text for item in decision.items] == ["헬스 체크 응답 없음", "승인 실패율 30% 이상"]
    assert decision.any_of == 1
    assert [link.section for link in decision.links] == ["-p0-롤백-전체-중단"]


def test_an_announcement_is_a_message_whose_tag_is_no_blank(korean: Runbook) -> None:
    message = next(step for step in korean.steps if step.kind is StepKind.MESSAGE)
    assert message.inputs == ("현재 시간", "담당자 이름")


def test_a_block_of_two_ways_is_one_step_with_alternative_parts(korean: Runbook) -> None:
    step = next(step for step in korean.steps if step.code and "rollback-remote" in step.code)
    assert [part.alternative for part in step.parts] == [True, True]
    assert step.parts[0].code.endswith("cd /srv/pay/bin\nsudo ./rollback.sh pay [이전_버전]")
    wanted = [(e.kind, e.value) for e in step.expectations]
    assert wanted == [
        (ExpectationKind.CONTAINS, "rollback started"),
        (ExpectationKind.MANUAL, "대시보드가 초록색인지 확인"),
    ]


def test_expectations_in_comments_stay_with_their_command(korean: Runbook) -> None:
    step = next(step for step in korean.steps if step.code and "for i in" in step.code)
    loop, logs = step.parts
    assert [(e.kind, e.value, e.times) for e in loop.expectations] == [(ExpectationKind.CONTAINS, "UP", 3)]
    assert [(e.kind, e.value, e.absent) for e in logs.expectations] == [
        (ExpectationKind.REGEX, r"\S", True),
        (ExpectationKind.EXIT, 1, False),
    ]


def test_a_symptom_is_kept_for_matching_and_never_run(korean: Runbook) -> None:
    step = next(step for step in korean.steps if "Error: release not found" in (step.sample_output or ""))
    assert step.code is not None
    assert "Error:" not in step.code
    assert [symptom.texts for symptom in korean.symptoms] == [("Error: release not found",)]


def test_boxes_in_a_text_block_are_checks_on_their_lines(korean: Runbook) -> None:
    checks = [
        (step.text, korean.text.split("\n")[step.line - 1]) for step in korean.steps if step.kind is StepKind.CHECK
    ]
    assert checks == [("백업 확인", "□ 백업 확인"), ("권한 확인", "□ 권한 확인")]


def test_an_english_alert_runbook_is_guided(english: Runbook) -> None:
    assert english.title == "ApiDown"
    assert english.front_matter == {"title": "API down", "severity": "P1", "owner_slack": "#api"}
    steps = [(step.kind, step.code or step.text) for step in english.steps]
    assert steps == [
        (StepKind.COMMAND, "kubectl get pods -n <namespace>"),
        (StepKind.CHECK, "Check that the database accepts connections."),
        (StepKind.COMMAND, "kubectl exec -it api-0 -n <namespace> -- sh"),
        (StepKind.COMMAND, "env | sort"),
        (StepKind.COMMAND, "kubectl rollout restart deployment/api -n <namespace>"),
        (StepKind.COMMAND, "kubectl rollout status deployment/api"),
    ]
    first, _check, shell, inside, restart, _status = english.steps
    assert first.sample_output is not None
    assert "<none>" in first.sample_output
    assert shell.interactive
    assert inside.inside == "kubectl exec -it api-0 -n <namespace> -- sh"
    assert restart.inside is None
    assert restart.warning == "Warning: this drops every open connection."
    assert restart.sample_output == "deployment.apps/api restarted"
    assert [(blank.written, len(blank.steps)) for blank in english.inputs] == [("<namespace>", 3)]
    assert english.inputs[0].help.startswith("Look at the pods.")


def test_passages_tell_the_whole_document_in_order(korean: Runbook) -> None:
    lines = [passage.line for passage in korean.passages]
    assert lines == sorted(lines)
    covered = {n for passage in korean.passages for n in range(passage.line, passage.end_line + 1)}
    written = {n for n, line in enumerate(korean.text.split("\n"), 1) if line.strip()}
    assert written <= covered


def test_show_json_is_plain_json_with_the_verdict_of_the_judge(korean: Runbook) -> None:
    shown = as_json(korean, lambda language, code: f"{language}:{len(code)}")
    again = json.loads(json.dumps(shown))
    command = next(step for step in again["steps"] if step["kind"] == "command")
    assert command["verdict"] == f"bash:{len(command['code'])}"
    assert {"title", "path", "language", "front_matter", "sections", "steps", "inputs", "contacts", "problems"} <= set(
        again
    )
    decision = next(step for step in again["steps"] if step["kind"] == "decision")
    assert decision["links"] == ["-p0-롤백-전체-중단"]
    assert decision["items"][0] == {"text": "헬스 체크 응답 없음", "line": decision["line"], "checked": False}


# --- broken input


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"```bash\nls\n",
        b"# a\0b\n",
        b"\xef\xbb\xbf# title\r\n\r\n```bash\r\nls\r\n```\r\n",
        b"# title\r\r```bash\rls\r```\r",
        "# 제목\n\n- [ ] 확인\n".encode("utf-16"),
        "# title\n\n```bash\nls\n```\n".encode("utf-16-le"),
        b"# caf\xe9\n\n```bash\nls\n```\n",
        b"---\na: &a [1, 2]\nb: [*a, *a]\n---\n# t\n",
        b"---\na: 1\na: 2\n---\n# t\n",
        b"---\na: [" + b"[" * 5000 + b"\n---\n# t\n",
        b"+++\na = 1\n+++\n# t\n",
        b'{\n"title": "x"\n}\n# t\n',
        b"---\nnever closed\n",
        b"> " * 1000 + b"deep\n",
        b"- " * 1000 + b"deep\n",
        b"[" * 20000 + b"\n",
        b"".join(b"  " * n + b"- item\n" for n in range(1000)),
        b"| a |\n|---|\n" + b"| x |\n" * 2000,
    ],
)
def test_nothing_written_can_break_the_reader(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "broken.md"
    path.write_bytes(data)
    runbook = read(path)
    assert runbook.path == str(path)
    assert json.dumps(as_json(runbook, lambda language, code: None))


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("# t\n\n```bash\nls\n", "unclosed-fence", 3),
        ("---\na: 1\nb: 2\na: 3\n---\n# t\n", "duplicate-key", 4),
        ("---\nx: &x [1]\ny: *x\n---\n", "yaml-alias", 3),
        ("---\nx: [1\n---\n", "broken-front-matter", 3),
        ("---\n: : [\n---\n# t\n", "broken-front-matter", 2),
        ("---\ntitle: x\na: : [\n---\n", "broken-front-matter", 3),
        ("---\ntitle: x\n\n# t\n", "broken-front-matter", 1),
        ("---\n[1, 2]\n---\n", "broken-front-matter", 2),
        ("+++\nx = \n+++\n", "broken-front-matter", 2),
        ('{\n"a": 1,,\n}\n', "broken-front-matter", 2),
        ("> " * 200 + "deep\n", "nested-too-deep", 1),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, code: str, line: int) -> None:
    assert [(problem.code, problem.line) for problem in parse(text).problems] == [(code, line)]


def test_bytes_that_are_not_utf8_are_named(tmp_path: Path) -> None:
    path = tmp_path / "latin.md"
    path.write_bytes(b"# ok\n\ncaf\xe9\n")
    assert [(problem.code, problem.line) for problem in read(path).problems] == [("broken-encoding", 3)]


@pytest.mark.parametrize("data", [b"\x7fELF" + bytes(range(32)) * 40, b"\x89PNG\r\n\x1a\n" + b"\0\1\2\3" * 50])
def test_a_binary_file_is_refused_in_one_line(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "program"
    path.write_bytes(data)
    with pytest.raises(RunbookError) as refusal:
        read(path)
    assert str(path) in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_file_that_no_one_wrote_by_hand_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "huge.md"
    with path.open("wb") as file:
        file.truncate(LIMIT_BYTES + 1)
    with pytest.raises(RunbookError, match="at most 16 MiB"):
        read(path)


def test_a_missing_file_and_a_folder_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(RunbookError, match="can't be read"):
        read(tmp_path / "none.md")
    with pytest.raises(RunbookError, match="folder"):
        read(tmp_path)


def test_front_matter_values_are_plain_json() -> None:
    values = parse("---\ntitle: T\nreviewed: 2024-01-27\nratio: .nan\n1: x\n---\n").front_matter
    assert values == {"title": "T", "reviewed": "2024-01-27", "ratio": "nan", "1": "x"}


def test_lines_count_from_the_top_of_the_file_not_of_the_body() -> None:
    runbook = parse("---\ntitle: t\n---\n\n# h\n\n```bash\nls\n```\n")
    assert (runbook.sections[0].line, runbook.steps[0].line, runbook.steps[0].end_line) == (5, 7, 9)


def test_a_template_expression_is_no_title() -> None:
    assert parse("---\ntitle: Real\n---\n# <%= current_page.data.title %>\n").title == "Real"


@pytest.mark.parametrize(
    ("body", "title"),
    [
        ("# The runbook\n", "The runbook"),
        ("## Overview\n\n# Part one\n", "Real"),
        ("## Overview\n", "Real"),
        ("{{ page.title }}\n\n## Overview\n", "Real"),
        ("# {{ page.title }}\n", "Real"),
        ("#\n", "Real"),
        ("words\n", "Real"),
    ],
)
def test_the_title_is_the_opening_h1_then_the_front_matters(body: str, title: str) -> None:
    assert parse(f"---\ntitle: Real\n---\n{body}").title == title


def test_without_front_matter_the_first_h1_then_any_heading_is_the_title() -> None:
    assert [parse(text).title for text in ("## A\n\n# B\n", "## A\n### B\n")] == ["B", "A"]
    assert parse("# {{ page.title }}\n", "x/api.md").title == "api"


def test_what_is_wrong_with_front_matter_is_said_with_a_hint_and_by_lint() -> None:
    runbook = parse("---\n: : [\n---\n\n## t\n")
    assert [bool(problem.hint) for problem in runbook.problems] == [True]
    assert runbook.problems[0] in lint(runbook)


def test_rules_around_prose_or_a_list_are_no_front_matter() -> None:
    for text in ("---\n- [ ] a\n---\n", "---\nSee below.\n---\n", "---\n[a](b)\n---\n", "---\n{% x %}\n---\n"):
        assert parse(text).problems == ()
        assert parse(text).front_matter == {}


def test_a_bound_behind_a_joining_word_is_of_nothing() -> None:
    text = "## Diagnosis\n\n- CPU sustains > 95 % for > 5 minutes\n- the primary is silent for > 60 s\n"
    assert [(t.metric, t.bound) for t in parse(text).thresholds] == [
        ("CPU sustains", 95.0),
        ("the primary is silent", 60.0),
    ]


def test_link_definitions_below_front_matter_are_not_taken_for_lost_lines() -> None:
    text = "---\ntitle: x\nowner: y\n---\n# x\n\n[there]\n\n> [deep]: #x\n\n[there]: https://example.org\n"
    assert parse(text).problems == ()
