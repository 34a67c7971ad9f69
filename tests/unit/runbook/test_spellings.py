"""A spelling that is an input in one command is that input in every command, wherever it stands there."""

from __future__ import annotations

import pytest

from cockpit.runbook.reading import parse


def block(code: str, info: str = "bash") -> str:
    return f"```{info}\n{code}\n```\n\n"


def asked(text: str) -> list[list[str]]:
    """For each step, the spellings of the inputs that it asks for."""
    runbook = parse(text)
    spelling = {blank.name: blank.written for blank in runbook.inputs}
    return [[spelling[name] for name in step.inputs] for step in runbook.steps]


@pytest.mark.parametrize(
    ("plain", "elsewhere", "spelling"),
    [
        ("./rollback.sh [이전_버전]", 'echo "[이전_버전]" && git checkout [이전_버전]', "[이전_버전]"),
        ("./rollback.sh [version]", 'echo "going back to [version]"', "[version]"),
        ("./rollback.sh [version]", "grep '[version]' deploy.log", "[version]"),
        ("./rollback.sh [버전]", 'sed -i "s/current/[버전]/" tags', "[버전]"),
        ("./rollback.sh [버전]", "ln -sfn releases/v[버전] current", "[버전]"),
        ("curl <url>", "echo '<x></x>' | curl -d @- '<url>'", "<url>"),
        ("drop <table>", "psql -c 'DROP TABLE \"<table>\"'", "<table>"),
        ("deploy {{ version }}", "docker inspect --format '{{.Name}}' app:{{ version }}", "{{ version }}"),
        ("curl http://x/{id}/y", 'curl -d \'{"id": "{id}"}\' http://x', "{id}"),
        ("kubectl delete pod POD_NAME", 'echo "deleting POD_NAME"', "POD_NAME"),
        ("kubectl delete pod POD_NAME", "psql -c \"DELETE FROM pods WHERE name = 'POD_NAME'\"", "POD_NAME"),
        ('curl -H "Authorization: Bearer TEST_TOKEN" x', "curl -H 'X-Token: TEST_TOKEN' x", "TEST_TOKEN"),
        ("aws ec2 stop-instances i-XXXXXXXX", "mktemp /tmp/a.XXXXXX\nssh i-XXXXXXXX ls", "i-XXXXXXXX"),
    ],
)
def test_what_is_an_input_once_is_one_everywhere(plain: str, elsewhere: str, spelling: str) -> None:
    for text in (block(plain) + block(elsewhere), block(elsewhere) + block(plain)):
        assert [spelling in step for step in asked(text)] == [True, True]


@pytest.mark.parametrize(
    ("code", "spellings"),
    [
        ('echo "[이전_버전]" && git checkout [이전_버전]', ["[이전_버전]"]),
        ('echo "version: [이전 버전]"', ["[이전 버전]"]),
        ('echo "[DB_HOST]" > /etc/app/host', ["[DB_HOST]"]),
        ("grep '[DB_HOST]' /etc/hosts", ["[DB_HOST]"]),
        ("curl http://[호스트]:8080/health", ["[호스트]"]),
        ("ls releases/v[버전]", ["[버전]"]),
        ("cat <<EOF\n<config>1</config>\nEOF\ncurl <server>", ["<server>"]),
        ("ssh <user@host>", ["<user@host>"]),
        ("kubectl apply -f <manifest.yaml>", ["<manifest.yaml>"]),
        ("git checkout <version (e.g. v1.2)>", ["<version (e.g. v1.2)>"]),
        ('curl -H "X-Note: # <ticket>" x', ["<ticket>"]),
        ("truncate <table>", ["<table>"]),
    ],
)
def test_a_plain_blank_is_found_inside_quotes_and_beside_other_things(code: str, spellings: list[str]) -> None:
    assert asked(block(code)) == [spellings]


def test_a_blank_that_plainly_is_one_is_found_in_queries_too() -> None:
    assert asked(block('up{namespace="<namespace>"}', "promql")) == [["<namespace>"]]
    assert asked(block("DELETE FROM <table>;", "sql")) == [["<table>"]]
    assert asked(block("Stop-Service [SERVICE_NAME]", "powershell")) == [["[SERVICE_NAME]"]]


@pytest.mark.parametrize(
    ("plain", "code"),
    [
        ("run [KEY_NAME]", "HOSTS[KEY_NAME]=x\necho ${HOSTS[KEY_NAME]}"),
        ("run <service>", 'echo "Usage: $0 <service>"'),
        ("run <name>", "echo '<name>x</name>'"),
        ("run http://x/{id}", "for id in a b; do echo ${id}; done"),
        ("kubectl delete pod POD_NAME", "kubectl set env deploy/x -e POD_NAME=x"),
        ("kubectl delete pod POD_NAME", "unset POD_NAME"),
        ("run [버전]", "ls # such as [버전]"),
        ("kubectl delete pod <pod>", "cat <<pod\nx\npod"),
    ],
)
def test_a_look_alike_of_an_input_is_not_it(plain: str, code: str) -> None:
    assert asked(block(plain) + block(code))[1:] == [[]]


@pytest.mark.parametrize(
    "code",
    [
        'echo "[정보] 백업 시작"',
        'echo "[INFO] started" && ls',
        "logger -t app '[백업] done'",
        "tr -dc [A-Z] < x",
        "sed 's/[년월일]//g' x",
        "grep '<title>' page.html",
        "cat > my.cnf <<EOF\n[DEFAULT]\na=1\nEOF",
        'git commit --author="A B <a@b.example>"',
        "mysql db <dump.sql",
        "sort <in.txt> out.txt",
        'echo "${CONFIG[DB_HOST]}"',
        "curl -d '{\n \"a\": 1\n}' x  # then <see above>",
    ],
)
def test_tags_classes_redirections_and_arrays_are_left_alone(code: str) -> None:
    assert asked(block(code)) == [[]]


def test_the_parts_of_a_block_ask_for_their_own() -> None:
    runbook = parse(block("# 1. say\necho 'to [version]'\n\n# 2. go\n./deploy.sh [version]\n\n# 3. look\nls"))
    assert [part.inputs for part in runbook.steps[0].parts] == [("version",), ("version",), ()]
    assert runbook.inputs[0].steps == (runbook.steps[0].id,)


def test_a_message_and_a_command_share_an_input() -> None:
    runbook = parse(
        "./x\n\n" + block("./rollback.sh [이전_버전]") + "공지:\n\n```\n[이전_버전] 롤백 완료\n시간: [시간]\n```\n"
    )
    assert [step.inputs for step in runbook.steps] == [("이전_버전",), ("시간", "이전_버전")]
    assert runbook.inputs[0].steps == tuple(step.id for step in runbook.steps)
