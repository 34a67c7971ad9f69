"""Verdicts of real runbooks' commands, of every family of tools, and of tricks that fooled other parsers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cockpit.safety.judge import judge
from cockpit.safety.verdict import Verdict

FOLDER = Path(__file__).parents[2] / "data" / "verdicts"


def shell_commands() -> list[tuple[str, str]]:
    """(verdict, command); a newline in a command is written as ⏎.

    `quoting.tsv` holds what a grammar and bash may read in two ways; `touch P` there is what must not hide.
    """
    lines = [line for name in ("shell", "quoting") for line in (FOLDER / f"{name}.tsv").read_text("utf-8").split("\n")]
    rows = (line.split("\t", 1) for line in lines if line)
    return [(verdict, command.replace("⏎", "\n")) for verdict, command in rows]


def runbook_commands() -> list[dict[str, str]]:
    lines = (FOLDER / "runbook_commands.jsonl").read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines if line]


def test_every_command_of_the_real_runbooks_stands_on_its_rung() -> None:
    wrong = [
        (row["command"], row["verdict"], str(judge(row["language"], row["command"]).verdict))
        for row in runbook_commands()
        if judge(row["language"], row["command"]).verdict != row["verdict"]
    ]
    assert wrong == []


def test_every_command_of_the_corpus_gets_its_verdict() -> None:
    wrong = [(c, v, str(judge("bash", c).verdict)) for v, c in shell_commands() if judge("bash", c).verdict != v]
    assert wrong == []


def test_every_verdict_says_why_and_a_harmless_one_in_a_few_words() -> None:
    judged = [(command, judge("bash", command)) for _verdict, command in shell_commands()]
    assert [command for command, judgement in judged if not all(judgement.reasons) or not judgement.reasons] == []
    assert [c for c, j in judged if j.verdict == "read-only" and len(set(j.reasons)) not in range(1, 6)] == []


def test_a_read_only_verdict_names_each_command_once() -> None:
    judged = judge("bash", "kubectl get pods | grep api; sudo systemctl status nginx; kubectl get svc")
    assert judged.reasons == ("kubectl get only reads", "grep only reads", "systemctl status only reads")
    assert judge("sql", "select 1").reasons
    assert judge("promql", "up").reasons


def test_the_corpus_is_large_enough_to_mean_something() -> None:
    assert len(shell_commands()) >= 600
    assert sum(verdict == "read-only" for verdict, _c in shell_commands()) >= 240


@pytest.mark.parametrize(
    ("command", "tag"),
    [
        ("sudo systemctl status nginx", "needs-sudo"),
        ("tail -f app.log", "unbounded"),
        ("watch df", "unbounded"),
        ("pm2 logs api", "unbounded"),
        ("while true; do date; done", "unbounded"),
        ("kubectl get secret x -o yaml", "sensitive-read"),
        ("cat /opt/app/.env", "sensitive-read"),
        ("env", "sensitive-read"),
        ("aws secretsmanager get-secret-value --secret-id x", "sensitive-read"),
        ("ssh web1 uptime", "exec-remote"),
        ("kubectl exec p -- ls", "exec-remote"),
        ("curl http://localhost/", "network-egress"),
        ("redis-cli KEYS '*'", "heavy"),
        ("ls > out", "local-write"),
    ],
)
def test_tags_say_what_a_verdict_does_not(command: str, tag: str) -> None:
    assert tag in judge("bash", command).tags


def test_a_bounded_command_is_not_called_endless() -> None:
    assert "unbounded" not in judge("bash", "tail -n 50 app.log").tags
    assert "unbounded" not in judge("bash", "top -b -n 1").tags
    assert "unbounded" not in judge("bash", "pm2 logs api --nostream").tags


def test_commands_are_listed_in_the_order_they_start() -> None:
    judged = judge("bash", "cat f | grep x | sort; sudo rm y")
    assert judged.commands == ("cat", "grep", "sort", "sudo", "rm")


def test_a_line_that_does_not_parse_hides_no_worse_one() -> None:
    judged = judge("bash", "curl: (7) Failed to connect\npm2 delete backend\n")
    assert judged.verdict == "destructive"


@pytest.mark.parametrize("language", ["bash", "sh", "Shell", "zsh", "console", " BASH "])
def test_shells_go_by_many_names(language: str) -> None:
    assert judge(language, "ls").verdict == "read-only"


@pytest.mark.parametrize("language", ["python", "", "yaml", "cmd", "brainfuck"])
def test_other_languages_are_unknown(language: str) -> None:
    judged = judge(language, "ls")
    assert judged.verdict == "unknown"
    assert judged.reasons


@pytest.mark.parametrize(
    "command",
    [
        "",
        "   \n",
        "# only a comment",
        "ls\r\ntouch x",
        "ls \x00",
        "ls \x1b[2J",
        "ls \u202e gpj",
        "ls\u00a0-la",
        "l\u0455 -la",
        "ls \ud800",
        "echo " + "a" * 70_000,
        "$(" * 20_000 + "ls" + ")" * 20_000,
        "(" * 500 + "ls" + ")" * 500,
        "ls &&" * 30_000,
        "ls " + "{a,b}" * 3_000 + " >x",
    ],
    ids=range(15),
)
def test_hostile_text_is_unknown_and_never_raises(command: str) -> None:
    assert judge("bash", command).verdict in ("unknown", "mutating")


@pytest.mark.parametrize("hidden", ["\u200b", "\u202e", "\x1b", "\r", "\ufeff"])
def test_a_hidden_character_hides_no_harm(hidden: str) -> None:
    for command in (f"kubectl delete namespace shop{hidden}", f"kub{hidden}ectl delete namespace shop  # all of it"):
        judged = judge("bash", command)
        assert judged.verdict == "destructive"
        assert any("invisible" in reason for reason in judged.reasons)


def test_korean_text_is_data() -> None:
    assert judge("bash", "grep 오류 app.log | tail -5  # 최근 오류").verdict == "read-only"
    assert judge("bash", 'echo "점검: $(date +%F)"').verdict == "read-only"


def test_known_values_make_the_judgement_exact() -> None:
    command = "find $DIR -name x"
    assert judge("bash", command, values={"DIR": "/var/log"}).verdict == "read-only"
    assert judge("bash", command, values={"DIR": "/var -delete"}).verdict == "unknown"
    assert judge("bash", 'find "$DIR" -name x', values={"DIR": "-delete"}).verdict == "destructive"
    assert judge("bash", 'psql -c "$Q"', values={"Q": "drop table x"}).verdict == "destructive"
    assert judge("bash", 'psql -c "$Q"', values={"Q": "select 1"}).verdict == "read-only"


def test_quotes_do_not_keep_a_value_of_which_nothing_is_known_from_being_an_option() -> None:
    for command in ("curl $X", 'curl "$X"', 'find "$OPTS" /var', 'sort "$ARGS" f', 'sed -n 1p "$EXTRA"'):
        assert judge("bash", command).verdict == "unknown", command
    for command in ('curl -s -- "$X"', 'curl -s "$SERVICE_URL/health"', 'kubectl get pods -n "$NS"', 'cat "$LOG"'):
        assert judge("bash", command).verdict == "read-only", command
    assert judge("bash", 'curl "$X"', values={"X": "http://localhost/health"}).verdict == "read-only"
    assert judge("bash", 'curl "$X"', values={"X": "-o/etc/passwd"}).verdict == "mutating"


def test_the_script_s_own_assignments_count() -> None:
    assert judge("bash", 'verb=delete; kubectl "$verb" pod x').verdict == "mutating"
    assert judge("bash", "NS=prod; kubectl get pods -n $NS").verdict == "read-only"
    assert judge("bash", 'if true; then d=-delete; fi; find . "$d"').verdict == "unknown"


@pytest.mark.parametrize(
    ("language", "text", "verdict"),
    [
        ("promql", "rate(http_requests_total[5m]) > 10", "read-only"),
        ("logql", '{app="x"} |= "error"', "read-only"),
        ("redis", "INFO memory\nDBSIZE", "read-only"),
        ("redis", "SLOWLOG GET 10", "read-only"),
        ("redis", "CONFIG SET maxmemory 1", "mutating"),
        ("redis", "GET a\nFLUSHALL", "destructive"),
        ("redis", "EVAL 'x' 0", "unknown"),
        ("redis", "SORT a STORE b", "mutating"),
        ("http", "GET http://localhost:8080/health\nAccept: */*", "read-only"),
        ("http", 'POST http://x/a\nContent-Type: application/json\n\n{"a": 1}', "mutating"),
        ("http", "DELETE http://x/a/1", "destructive"),
        ("http", "GET http://x/shutdown", "unknown"),
        ("http", "GET http://x/\n\nDELETE http://x/", "unknown"),
        ("http", "http://x/", "unknown"),
        ("powershell", "Get-Service | Where-Object Status -eq Running | Format-Table", "read-only"),
        ("powershell", "Test-NetConnection db -Port 5432", "read-only"),
        ("powershell", "gcloud run services describe api --region us-central1", "read-only"),
        ("powershell", "Get-Process | Stop-Process", "mutating"),
        ("powershell", "Restart-Service nginx", "mutating"),
        ("powershell", "Get-ChildItem | Remove-Item -Recurse", "destructive"),
        ("powershell", "Format-Volume -DriveLetter C", "destructive"),
        ("powershell", "Get-Content (Remove-Item x)", "unknown"),
        ("powershell", "Get-Content x > y", "mutating"),
        ("powershell", "& $cmd", "unknown"),
        ("powershell", r".\rollback.ps1 -Force", "mutating"),
        ("powershell", r".\check.ps1", "unknown"),
        ("powershell", "Invoke-RestMethod http://x/health", "read-only"),
        ("powershell", "Invoke-RestMethod http://x -Method Post", "mutating"),
    ],
)
def test_other_languages_have_their_own_rules(language: str, text: str, verdict: str) -> None:
    assert judge(language, text).verdict == verdict


def test_queries_of_several_lines_may_follow_one_another() -> None:
    text = "# the share\nrate(a[7d]) /\n(rate(b[7d]) + rate(a[7d]))\n\nsum(c)\n  by (code)\nup"

    assert judge("promql", text).verdict is Verdict.READ_ONLY
    assert judge("promql", text + "\ncurl http://x | sh").verdict is Verdict.UNKNOWN
    assert judge("promql", "up\ncurl http://x | sh\nup").verdict is Verdict.UNKNOWN
