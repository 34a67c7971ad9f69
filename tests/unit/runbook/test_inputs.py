"""Blanks to fill: found in every spelling, and the look-alikes left alone."""

from __future__ import annotations

import pytest

from cockpit.runbook.reading import parse


def written(code: str, info: str = "bash") -> list[str]:
    return [blank.written for blank in parse(f"# t\n\n```{info}\n{code}\n```\n").inputs]


@pytest.mark.parametrize(
    ("code", "blanks"),
    [
        ("psql -h $DB_HOST", ["$DB_HOST"]),
        ('curl -H "Authorization: Bearer $TOKEN"', ["$TOKEN"]),
        ("git checkout ${COMMIT_SHA}", ["${COMMIT_SHA}"]),
        (
            "kubectl logs <pod-name> -n <value of namespace label from alert>",
            ["<pod-name>", "<value of namespace label from alert>"],
        ),
        ("NODE=<instance label from alert>", ["<instance label from alert>"]),
        ('echo "$MSG" > <output-file>', ["$MSG", "<output-file>"]),
        ("ssh <사용자>@<호스트>", ["<사용자>", "<호스트>"]),
        ("./rollback.sh [이전_버전]", ["[이전_버전]"]),
        ("curl -X POST [AI_MODEL_API_URL]", ["[AI_MODEL_API_URL]"]),
        ("./deploy.sh [service name]", ["[service name]"]),
        ("deploy {{ version }}", ["{{ version }}"]),
        ("curl https://x/api/{id}/y", ["{id}"]),
        ("ssh ec2-user@your-server-ip", ["your-server-ip"]),
        ("export KEY=YOUR_API_KEY", ["YOUR_API_KEY"]),
        ('curl -H "Authorization: Bearer TEST_TOKEN"', ["TEST_TOKEN"]),
        ("aws ec2 stop-instances --instance-ids i-XXXXXXXX", ["i-XXXXXXXX"]),
        ("kubectl delete pod POD_NAME", ["POD_NAME"]),
        ("git node release --prepare x.y.z", ["x.y.z"]),
        ("gh workflow run x -f release-date=YYYY-MM-DD", ["YYYY-MM-DD"]),
        ("export REGION=Which region is it", ["Which region is it"]),
        ("cat <<EOF\nhost: $HOST_NAME\nEOF", ["$HOST_NAME"]),
    ],
)
def test_blanks_are_found(code: str, blanks: list[str]) -> None:
    assert written(code) == blanks


@pytest.mark.parametrize(
    "code",
    [
        "echo $(date) $HOME ${PATH} $1 $? $@ $# $$",
        "awk '{print $NF}' x",
        "awk '{ sum += $value } END { print sum }' x",
        "kubectl get po -o jsonpath='{.items[*].metadata.name}'",
        "kubectl get po -o go-template='{{range .items}}{{.metadata.name}}{{end}}'",
        "docker ps --format '{{.Names}}'",
        "[ -f x ] && [[ $UID == 0 ]]",
        "grep '[a-z]' x",
        "grep '[가-힣]' x",
        'grep -E "[ERROR]|WARN" x',
        "mysql db < dump.sql",
        "sort <in.txt >out.txt",
        "cat <<EOF\nx\nEOF",
        "cat <<'EOF'\n$NOT_A_BLANK\nEOF",
        "echo <none>",
        "echo [1,2] [0] x[3]",
        "for i in {1..5}; do echo $i; done",
        "A=1\necho $A ${A}",
        "read -r NAME\necho $NAME",
        "while read -r a b; do echo $a $b; done",
        'echo "${LIST[@]} ${X:-default}"',
        'echo "[INFO] done"',
        "echo '<html><b>x</b></html>'",
        "jq '.[] | select(.a) | .[KEY]' x",
        "git stash pop stash@{0}",
        "curl -w '%{http_code}' x",
        "diff <(ls a) <(ls b)",
        "mktemp /tmp/a.XXXXXX",
        'echo "Usage: $0 <service> <version>"',
        "kill -SIGTERM 1",
        "docker run -e DB_HOST=x image",
        "# see <the-wiki>",
        "ls # $NOT_READ",
        "echo \\$NOT_READ",
        "xargs -I{} echo {}",
        "npm doctor [connection] [registry] [environment]",
        "date +YYYY-MM-DD",
        "psql -c \"SELECT to_char(now(), 'YYYY-MM-DD')\"",
    ],
)
def test_look_alikes_are_not_asked_for(code: str) -> None:
    assert written(code) == []


@pytest.mark.parametrize(
    ("info", "code"),
    [
        ("promql", 'rate(http_requests_total{job="x"}[5m])'),
        ("logql", '{app="x"} |= "error" | line_format "{{.msg}}"'),
        ("sql", "SELECT a FROM t WHERE a < b AND c > d"),
        ("sql", "SELECT [dbo].[Table]"),
        ("powershell", "[string]$x = 'a'\nForEach-Object { $_.Name } | Where { $x }"),
        ("powershell", "$env:PATH"),
    ],
)
def test_other_languages_have_look_alikes_of_their_own(info: str, code: str) -> None:
    assert written(code, info) == []


def test_a_variable_set_in_an_earlier_block_is_not_asked_for() -> None:
    runbook = parse("```bash\nPOD=$(kubectl get po -o name | head -1)\n```\n\n```bash\nkubectl logs $POD -n $NS\n```\n")
    assert [blank.name for blank in runbook.inputs] == ["NS"]


def test_an_input_is_one_for_the_whole_document_and_knows_its_steps() -> None:
    runbook = parse("Replace `<ns>` with the namespace.\n\n```bash\nls <ns>\n```\n\n```bash\ncat <ns>\n```\n")
    blank = runbook.inputs[0]
    assert (blank.name, blank.style, blank.steps) == ("ns", "angle", tuple(step.id for step in runbook.steps))
    assert blank.help == "Replace <ns> with the namespace."


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("DATABASE_URL", True),
        ("DB_PASSWORD", True),
        ("API_TOKEN", True),
        ("api-key", True),
        ("SECRET_NAME", False),
        ("KEY_VAULT", False),
        ("REGION", False),
    ],
)
def test_a_secret_is_known_by_its_name(name: str, secret: bool) -> None:
    assert parse(f"```bash\nrun <{name}>\n```\n").inputs[0].secret is secret


def test_front_matter_and_variables_comments_give_defaults() -> None:
    front = "---\ninputs:\n  NS: production\n---\n"
    comment = '<!-- ```variables\nexport REGION="eu"\n``` -->\n\n'
    text = f"{front}{comment}```bash\nrun $NS $REGION $ZONE\n```\n"
    assert [(blank.name, blank.default) for blank in parse(text).inputs] == [
        ("NS", "production"),
        ("REGION", "eu"),
        ("ZONE", None),
    ]


def test_two_spellings_of_one_name_are_two_inputs() -> None:
    assert [blank.name for blank in parse("```bash\nrun $ns <ns>\n```\n").inputs] == ["ns", "ns-2"]


def test_sample_output_and_prose_ask_for_nothing() -> None:
    text = "# <Title>\n\nuse <name>\n\n```console\n$ ls\n<timestamp> $FOO [이름]\n```\n"
    assert parse(text).inputs == ()


def test_a_table_of_values_explains_them() -> None:
    table = "| Name | Meaning |\n|---|---|\n| `TOKEN` | of the test account |\n\n"
    text = f"{table}```bash\nrun $TOKEN [이름]\n```\n\n이름을 적는다\n"
    assert [(blank.written, blank.help) for blank in parse(text).inputs] == [
        ("$TOKEN", "of the test account"),
        ("[이름]", ""),
    ]


def test_a_table_gives_its_description_for_help_and_its_default() -> None:
    table = (
        "| Input | Default | What it is |\n|---|---|---|\n| `$PREVIOUS` | (none) | the version to go back to |\n"
        "| `$NS` | `prod` | the namespace |\n| `$API_TOKEN` | abc | of the account |\n\n"
    )
    runbook = parse(f"{table}```bash\nrun $PREVIOUS $NS $API_TOKEN\n```\n")
    assert [(blank.name, blank.default, blank.help) for blank in runbook.inputs] == [
        ("PREVIOUS", None, "the version to go back to"),
        ("NS", "prod", "the namespace"),
        ("API_TOKEN", None, "of the account"),
    ]


@pytest.mark.parametrize("none", ["none", "(none)", "-", "없음", "필수", "", "N/A", "the last good one", "<version>"])
def test_a_cell_that_says_none_is_no_default(none: str) -> None:
    text = f"| 변수 | 설명 | 기본값 |\n|---|---|---|\n| VERSION | 배포 버전 | {none} |\n\n```bash\nrun $VERSION\n```\n"
    assert [(blank.default, blank.help) for blank in parse(text).inputs] == [(None, "배포 버전")]


def test_front_matter_may_list_inputs_and_say_what_is_secret_and_what_to_put_in() -> None:
    listed = "  - {name: NS, default: production, help: where it runs}\n  - {name: WORD, secret: true}\n"
    front = f"---\ninputs:\n{listed}---\n"
    namespace, word = parse(front + "```bash\nrun $NS $WORD\n```\n").inputs
    assert (namespace.default, namespace.help, namespace.secret) == ("production", "where it runs", False)
    assert (word.default, word.secret) == (None, True)


def test_front_matter_wins_over_a_table() -> None:
    text = "---\ninputs:\n  NS: a\n---\n| x | default |\n|---|---|\n| NS | b |\n\n```bash\nrun $NS\n```\n"
    assert parse(text).inputs[0].default == "a"


def test_without_a_heading_that_says_so_the_longest_cell_explains() -> None:
    text = "| x | Type | y |\n|---|---|---|\n| NS | a very long type | where it runs |\n\n```bash\nrun $NS\n```\n"
    assert parse(text).inputs[0].help == "where it runs"


def test_a_command_alone_does_not_explain_its_own_blank() -> None:
    assert [blank.help for blank in parse("## Fix\n\n1. `helm rollback <release>`\n").inputs] == [""]


@pytest.mark.parametrize(
    ("code", "name", "forms"),
    [
        ("deploy {{ version }}\n\ncheck {{version}}", "version", {"{{ version }}", "{{version}}"}),
        ("kubectl logs <pod name>\n\nkubectl describe pod <pod-name>", "pod name", {"<pod name>", "<pod-name>"}),
        ("./a [SERVICE_NAME]\n\n./b [SERVICE NAME]", "SERVICE_NAME", {"[SERVICE_NAME]", "[SERVICE NAME]"}),
    ],
)
def test_two_ways_of_joining_the_same_words_are_one_input(code: str, name: str, forms: set[str]) -> None:
    runbook = parse(f"# t\n\n```bash\n{code}\n```\n")
    (blank,) = runbook.inputs
    assert blank.name == name
    assert set(blank.forms) == forms
    assert all(part.inputs == (name,) for part in runbook.steps[0].parts)
    assert runbook.input(name.replace(" ", "_")) == blank


@pytest.mark.parametrize("code", ["a {{x}}\n\nb {x}", "a <pod>\n\nb [pod]", "a <podname>\n\nb <pod-name>"])
def test_what_is_spelt_or_set_off_otherwise_stays_another_input(code: str) -> None:
    assert len(parse(f"# t\n\n```bash\n{code}\n```\n").inputs) == 2


def test_powershell_knows_a_variable_in_any_case() -> None:
    assert written("$Service = 'a'\nGet-Service $service -Host $args[0]\nStop-Service $Other", "powershell") == [
        "$Other"
    ]


@pytest.mark.parametrize(
    ("code", "blanks"),
    [
        ("firebase hosting:clone [SITE]:prev [BETA]:live", ["[SITE]", "[BETA]"]),
        ("nc [HOST]:8080", ["[HOST]"]),
        ("curl https://yourdomain.com/health", ["yourdomain"]),
        ("ssh yourusername@shop", []),
        ("mail yourname@yourdomain.com", []),
        ("echo [TODO]: later", []),
        ("tr -d '[:UPPER:]'", []),
    ],
)
def test_blanks_that_stand_close(code: str, blanks: list[str]) -> None:
    assert written(code) == blanks
