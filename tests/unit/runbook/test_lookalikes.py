"""What stands in a shell block and is no command, and commands that stand where nothing says so."""

from __future__ import annotations

import pytest

from cockpit.runbook.linting.document import lint
from cockpit.runbook.model import Runbook, Step, StepKind
from cockpit.runbook.reading import parse


def block(code: str, info: str = "bash") -> str:
    return f"```{info}\n{code}\n```\n"


def only(text: str) -> Step:
    """The one step of a document."""
    steps = parse(f"## Fix\n\n{text}").steps
    assert len(steps) == 1, [(step.kind, step.code or step.text) for step in steps]
    return steps[0]


def told(runbook: Runbook) -> list[str]:
    return [problem.code for problem in lint(runbook)]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (
            "# /etc/systemd/system/shop.service\n[Service]\nUser=shop\nExecStop=/bin/kill -15 $MAINPID\nRestart=always",
            "ini",
        ),
        ('{\n  "scripts": {"start": "next start"}\n}', "json"),
        ("# ci.yml\nsteps:\n  - run: npm ci\n  - run: npm test", "yaml"),
        ("--retry-budget=3\n--trace", "text"),
    ],
)
def test_a_file_shown_in_a_shell_block_is_not_run(text: str, language: str) -> None:
    step = only(block(text))
    assert (step.kind, step.language, step.text, step.inputs) == (StepKind.NOTE, language, text, ())


@pytest.mark.parametrize(
    "text",
    [
        "Listening on http://127.0.0.1:9000/",
        "Unpacking objects: 7, done.\nResolving deltas: 40% (2/5), done.",
        "WORKER(3): began: 1 of 4\nWORKER(4): began: 2 of 4",
        "Summary {\n  ok: 3\n}",
        "+-- child\n+-- other",
        "shopctl: command not found",
        "E0412 09:15:00.120000  1 queue.go:44] lost lease",
    ],
)
@pytest.mark.parametrize("info", ["bash", "console"])
def test_what_a_program_said_is_not_run(text: str, info: str) -> None:
    assert (only(block(text, info)).kind, only(block(text, info)).text) == (StepKind.NOTE, text)


@pytest.mark.parametrize("text", ["Rscript report.R", "Docker ps", "Xvfb :99", "NAME=$(hostname)", "A=1 ./run"])
def test_a_capital_at_the_start_is_no_sentence_by_itself(text: str) -> None:
    assert only(block(text)).kind is StepKind.COMMAND


@pytest.mark.parametrize(
    "text",
    [
        "shopctl scale [--wait] <service>",
        "shopctl get [<name> [<name> ...]]",
        "kubectl shop [options] restart",
        "./configure [FLAGS]\nmake",
    ],
)
@pytest.mark.parametrize("info", ["bash", ""])
def test_a_synopsis_is_not_run_and_asks_for_nothing(text: str, info: str) -> None:
    runbook = parse(block(text, info))
    assert [(step.kind, step.inputs) for step in runbook.steps] == [(StepKind.NOTE, ())]


@pytest.mark.parametrize("text", ["[ -f /srv/x ] && ls /srv", "ls [a-f]*", "[[ $A == b ]] && ls", "[ --help ]"])
def test_a_test_in_brackets_is_no_synopsis(text: str) -> None:
    assert only(block(text)).kind is StepKind.COMMAND


@pytest.mark.parametrize(
    "query",
    [
        "(queue_size_bytes / queue_limit_bytes) * 100",
        'up{job="shop"}',
        "sum by (pod) (rate(orders_total[5m]))",
        'http_errors_total{code=~"5.."} / http_requests_total > 0.05',
    ],
)
@pytest.mark.parametrize("info", ["bash", "console"])
def test_a_query_marked_as_shell_is_still_a_query(query: str, info: str) -> None:
    runbook = parse(f"# t\n\n{block(query, info)}")
    assert [(step.kind, step.language) for step in runbook.steps] == [(StepKind.COMMAND, "promql")]
    assert told(runbook) == ["wrong-language"]


@pytest.mark.parametrize("text", ["my_tool --all", "(cd /srv && ls)", "time_it{a,b}"])
def test_a_command_is_no_query(text: str) -> None:
    assert only(block(text)).language == "bash"


@pytest.mark.parametrize(
    ("text", "code", "sample"),
    [
        ("> shopctl restart api\n> shopctl status\nok", "shopctl restart api\nshopctl status", "ok"),
        ("~/shop $ shopctl status\nok", "shopctl status", "ok"),
        ("$SHOP_HOME/src $ make build", "make build", None),
        ("/ # ls /srv\ndata", "ls /srv", "data"),
        ("$./run.sh all\ndone.", "./run.sh all", "done."),
        ("$docker ps\nCONTAINER ID", "docker ps", "CONTAINER ID"),
    ],
)
def test_rarer_prompts_go_as_well(text: str, code: str, sample: str | None) -> None:
    step = only(block(text))
    assert (step.kind, step.code, step.sample_output) == (StepKind.COMMAND, code, sample)


@pytest.mark.parametrize(
    "text",
    ["> /var/log/shop.log", "> access.log", "/opt/shop/run # at night", "docker='docker -H x'\n$docker ps", "$tool ps"],
)
def test_what_only_begins_like_a_prompt_stays_as_it_is(text: str) -> None:
    assert only(block(text)).code == text


def test_what_npm_says_before_it_starts_is_not_run() -> None:
    """A shell would empty a file for each of these lines."""
    step = only(block("npm start\n\n> shop@1.2.0 start\n> node server.js"))
    assert ((step.code or "").strip(), step.sample_output) == ("npm start", "> shop@1.2.0 start\n> node server.js")


def test_an_answer_below_a_blank_line_is_no_command() -> None:
    step = only(
        block("wget -q https://shop.example.org\n\nResolving shop (shop)... 10.0.0.1\nConnecting to shop|10.0.0.1|:443")
    )
    assert (step.code or "").strip() == "wget -q https://shop.example.org"
    assert step.sample_output == "Resolving shop (shop)... 10.0.0.1\nConnecting to shop|10.0.0.1|:443"


def test_text_in_a_here_document_stays_in_it() -> None:
    code = "cat > note.txt <<EOF\nDear all\n\nWorking on it now\n\nYours\nEOF"
    assert only(block(code)).code == code


def test_json_among_commands_is_shown_and_not_run() -> None:
    step = only(block('export A=1\n\n# package.json\n{\n  "name": "shop"\n}\n\nnpm start'))
    assert [part.code.split("\n")[-1] for part in step.parts] == ["export A=1", "npm start"]
    assert step.sample_output == '{\n  "name": "shop"\n}'


def test_a_symptom_pasted_from_a_terminal_is_no_step_and_leads_to_its_cure() -> None:
    runbook = parse(
        "# Troubleshooting\n\n## Port in use\n\n### Symptoms\n\n"
        + block("$ npm start\nlisten EADDRINUSE :::3000")
        + "\n### Solution\n\n"
        + block("kill 1")
    )
    assert [step.kind for step in runbook.steps] == [StepKind.NOTE, StepKind.COMMAND]
    assert [(symptom.section, symptom.texts) for symptom in runbook.symptoms] == [
        ("port-in-use", ("listen EADDRINUSE :::3000",))
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Run the following command:\n\n```\nshopctl drain --node 3\n```",
        "다음 명령을 실행한다:\n\n```\nshopctl drain node-3\n```",
        "To build it, run:\n\n    shopbuild all",
        "```\n$ shopctl drain\n```",
        "```\ntop\ndf -h\n```",
        "```\nmake install\n```",
        "```\nsudo shopctl drain\n```",
        "```\ngo get example.org/shop/...\n```",
    ],
)
def test_commands_without_a_language_are_known_by_what_stands_around_them(text: str) -> None:
    step = only(text)
    assert (step.kind, step.language) == (StepKind.COMMAND, "bash")


@pytest.mark.parametrize(
    "text",
    [
        "Run the following checks:\n\n```\napi\nworker\nqueue\n```",
        "The command prints the following:\n\n```\nshop ready\n```",
        "Run it with this setting:\n\n```\nshop.mode = safe\n```",
        "Use the following values:\n\n```\nshop mode safe\n```",
        "Run the following:\n\n```\nthe pods are restarted and you wait.\n```",
        "Run:\n\n```\n2018/03/12 19:39:33 hello shop\n```",
        "```\nmake sure it works\n```",
        "```\nsudo is required here\n```",
        "```\n$ 5 for the first\n```",
    ],
)
def test_what_the_words_around_it_do_not_make_a_command_is_not_run(text: str) -> None:
    assert only(text).kind is StepKind.NOTE


@pytest.mark.parametrize("language", ["yaml", "hcl"])
def test_a_file_below_a_command_is_no_answer_unless_the_words_say_so(language: str) -> None:
    book = f"## Fix\n\n{block('shopctl apply')}\nThis example shows a limit:\n\n{block('limit: 1', language)}"
    assert [step.kind for step in parse(book).steps] == [StepKind.COMMAND, StepKind.NOTE]


@pytest.mark.parametrize(
    "heading", ["Cause", "Possible causes", "원인", "Detection Signals", "Bug fixes", "Known issues"]
)
def test_bullets_of_facts_are_no_steps(heading: str) -> None:
    book = parse(f"## Fix\n\n### {heading}\n\n- The secret has expired.\n- Nobody renewed it in time\n")
    assert book.steps == ()


@pytest.mark.parametrize("heading", ["Causes", "Possible causes", "원인"])
def test_numbered_facts_are_no_steps(heading: str) -> None:
    assert parse(f"## Fix\n\n### {heading}\n\n1. The disk is full\n2. The lease ran out\n").steps == ()


@pytest.mark.parametrize("heading", ["Verify the cause", "Find the reason", "원인 조사"])
def test_looking_for_a_cause_is_a_deed(heading: str) -> None:
    book = parse(f"## Fix\n\n### {heading}\n\n1. Look at the disk\n2. Ask who deployed last\n")
    assert [step.label for step in book.steps] == ["Look at the disk", "Ask who deployed last"]


def test_a_list_of_changes_made_is_no_procedure() -> None:
    book = parse("## 주요 변경 사항\n\n### 3. 모니터링 추가\n\n- 대시보드를 새로 만들었습니다\n- 알람을 추가\n")
    assert book.steps == ()


def test_conditions_in_a_numbered_list_are_no_steps() -> None:
    assert parse("## Fix\n\nFail over when:\n\n1. the primary is silent\n2. the lag grows\n").steps == ()


def test_numbered_actions_below_an_overview_are_steps() -> None:
    book = parse("## Overview\n\n### Required actions\n\n1. Look at the namespace\n2. Block the user\n")
    assert [step.label for step in book.steps] == ["Look at the namespace", "Block the user"]


@pytest.mark.parametrize("heading", ["Success Criteria", "완료 조건", "Exit criteria"])
def test_criteria_of_success_are_ticked_one_by_one(heading: str) -> None:
    assert [step.kind for step in parse(f"## {heading}\n\n- [ ] a\n- [ ] b\n").steps] == [StepKind.CHECK] * 2


def test_when_to_roll_back_is_a_decision() -> None:
    assert [step.kind for step in parse("## When to roll back\n\n- [ ] a\n- [ ] b\n").steps] == [StepKind.DECISION]


def test_inline_code_that_ends_in_a_lone_dot_is_a_command() -> None:
    (step,) = parse("## Verify\n\n1. Look for anomalies: `tail -100 audit.log | jq .`\n").steps
    assert (step.kind, step.code) == (StepKind.COMMAND, "tail -100 audit.log | jq .")


@pytest.mark.parametrize("text", ["use std::fs::File", "type Made = make!() => x"])
def test_inline_code_of_another_language_is_no_command(text: str) -> None:
    assert [step.kind for step in parse(f"## Fix\n\n1. Write `{text}`\n").steps] == [StepKind.CHECK]
