"""Blocks and lists -> steps: which are commands, what is typed and what answered, where one command ends."""

from __future__ import annotations

import pytest

from cockpit.runbook.model import Runbook, Step, StepKind
from cockpit.runbook.reading import parse


def only(text: str) -> Step:
    """The one step of a document."""
    steps = parse(text).steps
    assert len(steps) == 1, [(step.kind, step.code or step.text) for step in steps]
    return steps[0]


def fence(code: str, info: str = "bash") -> str:
    return f"## Fix\n\n```{info}\n{code}\n```\n"


@pytest.mark.parametrize(
    "info",
    [
        "bash",
        "sh",
        "Shell",
        "ZSH",
        "console",
        "terminal",
        "commands",
        "cmd",
        "/bin/sh",
        "bach",
        "8sh",
        "{.bash}",
        "shell-session",
    ],
)
def test_every_spelling_of_shell_is_shell(info: str) -> None:
    step = only(fence("kubectl get pods", info))
    assert (step.kind, step.language, step.code) == (StepKind.COMMAND, "bash", "kubectl get pods")


@pytest.mark.parametrize(
    ("info", "language"),
    [
        ("PowerShell", "powershell"),
        ("pwsh", "powershell"),
        ("postgresql", "sql"),
        ("PromQL", "promql"),
        ("logql", "logql"),
        ("http", "http"),
    ],
)
def test_other_languages_that_run(info: str, language: str) -> None:
    step = only(fence("x", info))
    assert (step.kind, step.language) == (StepKind.COMMAND, language)


@pytest.mark.parametrize(
    ("code", "language"),
    [
        ("kubectl get pods -A", "bash"),
        ("$ systemctl status nginx\nactive (running)", "bash"),
        ("./run.sh --all", "bash"),
        ("curl -s localhost:80 \\\n  -H 'a: b' | jq .", "bash"),
        ("SELECT count(*) FROM t;", "sql"),
        ("Get-Service -Name W32Time", "powershell"),
    ],
)
def test_commands_without_a_language_are_recognised(code: str, language: str) -> None:
    step = only(fence(code, ""))
    assert (step.kind, step.language) == (StepKind.COMMAND, language)


@pytest.mark.parametrize(
    "code",
    [
        "find the pod and restart it",
        "make sure that the backup exists.",
        "NAME   READY   STATUS\napi-0  1/1     Running",
        "2024-01-27 10:00:00 ERROR connection refused",
        "apiVersion: v1\nkind: Pod",
        '{"status": "UP"}',
        "https://grafana.example.org/d/abc",
        "/srv/app/          # root\n/srv/app/current   # link",
        "[commit] → [CI] → [deploy]",
        "app\n├── bin\n└── etc",
        "대시보드를 확인한다",
    ],
)
def test_what_is_not_clearly_a_command_is_never_run(code: str) -> None:
    step = only(fence(code, ""))
    assert (step.kind, step.text) == (StepKind.NOTE, code)


@pytest.mark.parametrize(
    ("block", "code", "sample"),
    [
        ("$ ls\na b\n$ pwd\n/x", "ls\npwd", "a b\n/x"),
        ("# ls -l /srv\n# df -h", "ls -l /srv\ndf -h", None),
        ("root@web-1:~# uptime\n 10:00 up 3 days", "uptime", " 10:00 up 3 days"),
        ("[core@node ~]$ sudo crictl ps", "sudo crictl ps", None),
        ("sh-4.4# chroot /host", "chroot /host", None),
        (
            "$ cat <<EOF | kubectl apply -f -\nkind: Pod\nEOF\npod/x created",
            "cat <<EOF | kubectl apply -f -\nkind: Pod\nEOF",
            "pod/x created",
        ),
        ("$ echo a \\\n>   b\na b", "echo a \\\n  b", "a b"),
        ("$ for i in 1 2; do\n  echo $i\ndone\n1\n2", "for i in 1 2; do\n  echo $i\ndone", "1\n2"),
        ("$ curl x # it's fine\nok", "curl x # it's fine", "ok"),
        ("$ echo 'two\nlines'\ntwo\nlines", "echo 'two\nlines'", "two\nlines"),
    ],
)
def test_prompts_go_and_answers_are_kept_apart(block: str, code: str, sample: str | None) -> None:
    step = only(fence(block, "console"))
    assert (step.code, step.sample_output) == (code, sample)


@pytest.mark.parametrize(
    "text",
    [
        "==4174== 997,000 bytes are lost\n==4174==    at 0x9794979: Method(env) (in /home/x)",
        'Traceback (most recent call last):\n  File "a.py", line 1\nValueError: x',
        "# Checking ...\nEnter passphrase for key '/Users/<user>/.ssh/id_rsa':",
        "┌────┬─────┐\n│ id │ name│\n└────┴─────┘",
        "2024-01-27 10:00:00 ERROR refused\n2024-01-27 10:00:01 ERROR refused",
    ],
)
@pytest.mark.parametrize("info", ["bash", "console"])
def test_what_a_machine_wrote_is_not_run_though_it_is_marked_as_shell(text: str, info: str) -> None:
    step = only(fence(text, info))
    assert (step.kind, step.text, step.inputs) == (StepKind.NOTE, text, ())


def test_a_percent_prompt_with_output_below_is_a_session() -> None:
    step = only(fence("% perl -v\n\nThis is perl 5", "console"))
    assert (step.code, step.sample_output) == ("perl -v", "This is perl 5")


def test_comments_alone_are_no_root_session() -> None:
    step = only(fence("# see the wiki\n# make sure you are allowed"))
    assert step.kind is StepKind.NOTE


def test_a_repl_prompt_names_the_language() -> None:
    step = only(fence("mysql> SELECT 1;\n+---+\n| 1 |", "console"))
    assert (step.language, step.code) == ("sql", "SELECT 1;")


def parts(code: str, info: str = "bash") -> list[str]:
    step = only(fence(code, info))
    assert step.code is not None
    return [part.code for part in step.parts] or [step.code]


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        ("# 1. a\nls\n\n# 2. b\npwd", ["# 1. a\nls", "# 2. b\npwd"]),
        ("ls\n# expected: x\n# next\npwd", ["ls\n# expected: x", "# next\npwd"]),
        ("cd /srv\n./run.sh", ["cd /srv\n./run.sh"]),
        ("a='x\n\ny'\necho $a", ["a='x\n\ny'\necho $a"]),
        ("cat <<EOF\n\n# not a comment\nEOF\n\nls", ["cat <<EOF\n\n# not a comment\nEOF", "ls"]),
        ("if true; then\n\n  # inside\n  ls\nfi\n\npwd", ["if true; then\n\n  # inside\n  ls\nfi", "pwd"]),
        ("ls |\n\n  wc -l", ["ls |\n\n  wc -l"]),
        ("f() {\n\n  ls\n}\n\nf", ["f() {\n\n  ls\n}", "f"]),
        ("kubectl logs <pod>\n\nkubectl get pods", ["kubectl logs <pod>", "kubectl get pods"]),
        ("pm2 status\npm2 monit", ["pm2 status", "pm2 monit"]),
        ("#!/bin/sh\nls\n\npwd", ["#!/bin/sh\nls\n\npwd"]),
        (
            "ls\n\n# to look at:\n# - is it big?\n\n# 2. next\npwd",
            ["ls\n\n# to look at:\n# - is it big?", "# 2. next\npwd"],
        ),
    ],
)
def test_a_block_is_split_where_its_author_split_it(code: str, wanted: list[str]) -> None:
    assert parts(code) == wanted


def test_other_languages_are_split_by_their_own_grammar() -> None:
    assert parts("SELECT 1\n\nFROM t;\n\n-- 2\nSELECT 2;", "sql") == ["SELECT 1\n\nFROM t;", "-- 2\nSELECT 2;"]
    assert parts("rate(a[5m]) /\n(b + c)\nincrease(d[1h])", "promql") == ["rate(a[5m]) /\n(b + c)", "increase(d[1h])"]
    assert parts("Get-Foo `\n  -Bar\n\n# b\nGet-Baz", "powershell") == ["Get-Foo `\n  -Bar", "# b\nGet-Baz"]


@pytest.mark.parametrize(
    ("pasted", "info"),
    [
        ("# 증상\n./rollback.sh 1\nError: Version not found", "bash"),
        ("# Symptom:\ncurl: (7) Failed to connect", "bash"),
        ("# 증상\n대화 조회 시 404 에러", "bash"),
        ("# symptom\n$ ./rollback.sh 1\n502 Bad Gateway", "console"),
    ],
)
def test_a_pasted_symptom_is_shown_and_is_no_command(pasted: str, info: str) -> None:
    prompt = "$ " if "$ " in pasted else ""
    step = only(fence(f"{pasted}\n\n# 해결 1: look\n{prompt}ls\n\n# 해결 2: go\n{prompt}pm2 restart api", info))
    assert step.sample_output == pasted
    assert step.code is not None
    assert [part.label for part in step.parts] == ["해결 1: look", "해결 2: go"]
    assert "rollback" not in step.code
    assert all(part.alternative for part in step.parts)


@pytest.mark.parametrize("code", ["# 증상\ntop -b -n 1", "# 증상 확인\ncurl x\nError: y", "# symptom\n$ curl x"])
def test_a_command_that_looks_for_symptoms_is_run(code: str) -> None:
    step = only(fence(code))
    assert step.code is not None
    assert code.replace("$ ", "").split("\n")[1] in step.code


def test_a_symptom_alone_is_a_note() -> None:
    step = only(fence("# symptom\ncurl x\ncurl: (7) Failed"))
    assert (step.kind, step.text) == (StepKind.NOTE, "# symptom\ncurl x\ncurl: (7) Failed")


def test_the_parts_know_their_lines_and_labels() -> None:
    step = only("# t\n\n```bash\n# 1. Disk\ndf -h\n\n# 2. Memory\nfree -m\n# expected: some\n```\n")
    assert [(part.label, part.line, part.end_line) for part in step.parts] == [("1. Disk", 4, 5), ("2. Memory", 7, 9)]
    assert [part.id for part in step.parts] == [f"{step.id}.1", f"{step.id}.2"]


@pytest.mark.parametrize(
    "text",
    [
        "1. Do\n\n   ```bash\n   ls\n   ```\n",
        "- a\n  - b\n    - c\n\n      ```bash\n      ls\n      ```\n",
        "> ```bash\n> ls\n> ```\n",
        "1. Do\n\n       ls -l\n",
        "~~~~sh\nls\n~~~~\n",
    ],
)
def test_code_is_found_at_any_depth(text: str) -> None:
    steps = [step for step in parse(text).steps if step.kind is StepKind.COMMAND]
    assert [step.code for step in steps] in (["ls"], ["ls -l"])


@pytest.mark.parametrize(
    "info",
    [
        'sh {"id":"01HX","interactive":"false","name":"warm-up"}',
        "sh { name=warm-up interactive=false }",
        "sh{name=warm-up}",
    ],
)
def test_runme_attributes_are_read(info: str) -> None:
    step = only(fence("vim x", info))
    assert step.attributes["name"] == "warm-up"
    assert step.id in ("warm-up", "01hx")


def test_a_typed_fence_keeps_its_header_apart_from_its_command() -> None:
    step = only(fence("timeout: 30s\nconfirm: production\n---\n./deploy.sh", 'step name="deploy"'))
    assert (step.id, step.code, step.timeout_s) == ("deploy", "./deploy.sh", 30.0)
    assert step.attributes["confirm"] == "production"


def test_an_output_block_belongs_to_the_command_above() -> None:
    step = only("```bash\nls\n```\n\nThe output looks like this:\n\n```\na  b\n```\n")
    assert step.sample_output == "a  b"


@pytest.mark.parametrize(
    ("below", "kinds"),
    [
        ("    kubectl get pods -n prod", ["command", "command"]),
        ("    restart-everything --now", ["command", "note"]),
        ("    NAME      READY   STATUS\n    api-0     1/1     Running", ["command"]),
        ("Output:\n\n    all is well", ["command"]),
    ],
)
def test_an_indented_block_is_output_only_when_it_looks_like_it(below: str, kinds: list[str]) -> None:
    assert [step.kind for step in parse(f"```bash\nls\n```\n\n{below}\n").steps] == kinds


def test_a_similarity_comment_makes_the_next_block_what_is_expected() -> None:
    step = only('```bash\nls\n```\n\n<!-- expected_similarity="a.*b" -->\n\n```text\na b\n```\n')
    assert (step.sample_output, step.expectations[0].kind, step.expectations[0].value) == ("a b", "regex", "a.*b")


def test_code_that_can_not_run_here_is_a_note_with_all_its_text() -> None:
    step = only(fence("# env\nkubectl set env x", "python"))
    assert (step.kind, step.language, step.text) == (StepKind.NOTE, "python", "# env\nkubectl set env x")


def test_criteria_in_yaml_are_a_gate() -> None:
    step = only(
        fence("success_criteria:\n  error_rate_max: 0.01  # 1%\n  latency_max_ms: 250\n  duration_minutes: 20", "yaml")
    )
    assert (step.kind, step.timeout_s) == (StepKind.GATE, 1200.0)
    assert [(e.value["label"], e.value["operator"], e.value["bound"], e.value["unit"]) for e in step.expectations] == [
        ("error_rate", "<=", 0.01, ""),
        ("latency", "<=", 250.0, "ms"),
    ]


# --- lists


def checks(runbook: Runbook) -> list[str]:
    return [step.text or "" for step in runbook.steps if step.kind is StepKind.CHECK]


def test_task_items_are_checks_wherever_they_stand() -> None:
    text = "# t\n- [ ] a\n  - [x] b\n> * [ ] c\n\n1. [ ] d\n\n```\n- [ ] not e\n```\n"
    runbook = parse(text)
    assert checks(runbook) == ["a", "b", "c", "d"]
    assert [bool(step.attributes.get("checked")) for step in runbook.steps if step.kind is StepKind.CHECK] == [
        False,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("before", "after", "any_of"),
    [
        ("Roll back if any of these is true:", "", 1),
        ("**즉시 롤백 조건** (하나라도 해당 시):", "", 1),
        ("", "**→ 체크박스 2개 이상이면 [여기](#there)**", 2),
        ("All of these must hold:", "", 0),
        ("", "→ [there](#there)", 1),
        ("롤백이 필요한 경우:", "", 1),
    ],
)
def test_a_list_with_a_condition_is_a_decision(before: str, after: str, any_of: int) -> None:
    runbook = parse(f"## Decide\n\n{before}\n\n- [ ] a\n- [ ] b\n\n{after}\n\n## There\n")
    decision = runbook.steps[0]
    assert (decision.kind, decision.any_of, [item.text for item in decision.items]) == (
        StepKind.DECISION,
        any_of,
        ["a", "b"],
    )
    assert checks(runbook) == []


def test_ordered_items_of_a_procedure_are_done_by_hand_and_facts_are_not() -> None:
    text = (
        "## Recovery steps\n\n1. Call the owner\n2. Look at the pods\n\n   ```bash\n   kubectl get pods\n   ```\n"
        "\n## Overview\n\n1. It is red\n2. It is big\n\n- a fact\n"
    )
    assert checks(parse(text)) == ["Call the owner"]


def test_a_table_of_contents_is_not_a_procedure() -> None:
    assert parse("# Steps\n\n1. [One](#one)\n2. [Two](#two)\n\n## One\n\n## Two\n").steps == ()


def test_inline_code_with_arguments_is_a_command_and_a_name_is_not() -> None:
    text = (
        "## Fix\n\n1. Run `kubectl rollout restart deploy/api`\n2. Look into `/etc/hosts`\n3. Never run `rm -rf /srv`\n"
    )
    assert [step.code for step in parse(text).steps if step.kind is StepKind.COMMAND] == [
        "kubectl rollout restart deploy/api"
    ]


# --- identity


def test_ids_stay_when_text_and_steps_are_put_above() -> None:
    body = "## Rollback\n\n```bash\nls\n```\n\n- [ ] done\n\n## Verify\n\n```bash\nls\n```\n\n"
    body += "공지:\n\n```\n[P0] x\n시간: [시간]\n```\n"
    above = "# New\n\nwords\n\n```bash\necho new\n```\n\n- [ ] new check\n\n"
    old = [step.id for step in parse(body).steps]
    new = [step.id for step in parse(above + body).steps]
    assert new[-len(old) :] == old
    assert len(set(old)) == len(old) == 4


def test_ids_are_plain_ascii() -> None:
    for step in parse("# 롤백\n\n- [ ] 서비스 확인\n\n```bash\n./롤백.sh\n```\n").steps:
        assert step.id.isascii()
        assert step.id == step.id.lower()
        assert " " not in step.id
