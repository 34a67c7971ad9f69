"""Messages to people and symptoms of trouble: told from logs, notes and commands."""

from __future__ import annotations

import pytest

from cockpit.runbook.model import StepKind
from cockpit.runbook.reading import parse


@pytest.mark.parametrize(
    ("intro", "text"),
    [
        ("Tell people:", "[공지] 점검을 시작합니다"),
        ("Tell people:", "[P0] AI down"),
        ("Let the team know:", "[P1] slow answers\nfrom [시간]"),
        ("", "[긴급] 서비스 장애"),
        ("", "Subject: outage\n\nWe are working on it."),
        ("팀에 알립니다:", "제목: 복구 완료\n시각: 10:00"),
        # Blanks behind keys are a form, whatever stands above it.
        ("", "SEV1 declared\nImpact: [who]\nLead: @[name]\nRoom: [link]"),
    ],
)
def test_what_is_said_to_people_is_a_message(intro: str, text: str) -> None:
    step = parse(f"## Fix\n\n{intro}\n\n```text\n{text}\n```\n").steps[0]
    assert (step.kind, step.text) == (StepKind.MESSAGE, text)


@pytest.mark.parametrize(
    ("intro", "text"),
    [
        ("", "[ERROR] connection refused"),
        ("", "[14:05] 배포 후 5분"),
        ("알림 예시:", "[P0] High Error Rate"),
        ("An alert looks like this.", "[P0] High Error Rate\nTime: 10:00"),
        ("경보는 이런 모양입니다.", "[P0] High Error Rate\nTime: 10:00"),
        ("This tells you:", "app is fine"),
        ("", "before: [a b]\nwithin: [a b]\nafter: [a b]"),
        ("", "one: [f{x: 1}]\ntwo: [g(y)]\nthree: [h=2]"),
        ("The notification holds:", '{\n  "id": string,\n  "state": string\n}'),
        ("The message then reads:", "I0102 03:04:05.000000 1 x.go:4] one two three four five six seven eight nine ten"),
        ("Message formats:", "shopctl expand --json   # one two three four five six seven eight nine ten eleven"),
        (
            "Files of the template:",
            "a.c      the source code of the first\nb.xml    the template of it, with all that it needs",
        ),
        ("You can use task lists, e.g. in a template:", "- [x] Complete\n- [ ] Todo"),
        ("Change the commit message:", "reword 6928fc1 add a\nfixup 8120c4c add test for a and for b and c and d"),
    ],
)
def test_logs_and_examples_are_none(intro: str, text: str) -> None:
    assert parse(f"## Fix\n\n{intro}\n\n```text\n{text}\n```\n").steps[0].kind is StepKind.NOTE


def test_the_heading_around_a_section_says_that_its_blocks_are_messages() -> None:
    text = "## 沟通模板\n\n### 状态更新\n\n```\n状态：缓解中\n影响：约 5%\n```\n"
    assert parse(text).steps[0].kind is StepKind.MESSAGE


@pytest.mark.parametrize("text", ["rate(x[5m])", "map[string]string", "latency[30s:5s]"])
def test_a_range_or_an_index_in_a_message_is_no_blank(text: str) -> None:
    assert parse(f"Tell people:\n\n```text\n[공지] {text} [시간]\n```\n").steps[0].inputs == ("시간",)


def test_what_a_command_printed_is_its_output_though_it_looks_like_a_message() -> None:
    step = parse("```bash\n./notify.sh\n```\n\n```\n[P0] sent\n```\n").steps[0]
    assert step.sample_output == "[P0] sent"


def test_a_message_takes_its_id_from_its_fence() -> None:
    step = parse("Tell people:\n\n```text {name=first-word}\n[P0] down\n```\n").steps[0]
    assert (step.id, step.attributes["name"]) == ("first-word", "first-word")


def test_words_in_quotes_or_code_are_symptoms_and_commands_and_paths_are_not() -> None:
    text = (
        '## API\n\nSymptoms:\n\n- "connection refused" in the log\n'
        "- `ECONNRESET by peer` from `kubectl` for `/health`\n\n"
        "## DB\n\n**증상**: `too many clients` 가 보인다\n\n## Other\n\nRun `too many words`.\n"
    )
    assert [(symptom.section, symptom.texts) for symptom in parse(text).symptoms] == [
        ("api", ("connection refused", "ECONNRESET by peer")),
        ("db", ("too many clients",)),
    ]


def test_who_sends_a_message_is_asked_for_and_those_who_are_mentioned_are_not() -> None:
    runbook = parse("# R\n\n**Discord에 공지**:\n```\n🚨 장애\n담당자: @본인이름\n참조: @devops-oncall @cto\n```\n")

    assert [(one.kind, one.inputs) for one in runbook.steps] == [(StepKind.MESSAGE, ("본인이름",))]
