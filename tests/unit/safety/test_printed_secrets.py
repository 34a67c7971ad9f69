"""A command that was run to read secrets: no value of what it prints is recorded, and what is no secret can be read."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.runs.recording import STDERR, STDOUT, Recorder
from cockpit.safety.judge import judge
from cockpit.safety.printing import printed_secrets
from cockpit.safety.redaction.printed import ENVIRONMENT, VALUES, PrintedSecrets
from cockpit.safety.redaction.redactor import Redactor
from tests.planted import AWKWARD, PLAIN, WORDY, gives_away

SECRETS = (PLAIN, AWKWARD, WORDY, "correct horse battery staple", "letmein-please", "73550194826")


def packed(secret: str) -> str:
    return base64.b64encode(secret.encode()).decode()


def masked(text: str, kind: str = VALUES) -> str:
    stream = PrintedSecrets(Redactor(), kind)
    return (stream.feed(text.encode()) + stream.flush()).decode()


OUTPUTS: Mapping[str, Callable[[str], str]] = {
    "kubectl get secret app -o jsonpath='{.data.p}'": packed,
    "kubectl get secret app -o jsonpath='{.data.p}' | base64 -d": str,
    "P=$(kubectl get secret app -o jsonpath='{.data.p}' | base64 -d); echo \"$P\"": str,
    "kubectl get secret app -o yaml": lambda s: (
        f"apiVersion: v1\ndata:\n  pin: {packed(s)}\n  user: {packed('kim-the-operator')}\nkind: Secret\nmetadata:\n"
        "  name: orders-database\n  namespace: production\ntype: Opaque\n"
    ),
    "kubectl get secret app -o json": lambda s: json.dumps({"data": {"pin": packed(s)}, "kind": "Secret"}, indent=2),
    "kubectl get secret app -o json | jq -c .data": lambda s: json.dumps({"pin": packed(s)}),
    "kubectl get secret app -o json | jq -r '.data | map(@base64d)'": lambda s: json.dumps([s], indent=2),
    "aws secretsmanager get-secret-value --secret-id app": lambda s: json.dumps(
        {"Name": "orders-database", "SecretString": json.dumps({"pin": s}), "VersionStages": ["AWSCURRENT"]}, indent=4
    ),
    "aws ssm get-parameter --name /app/pin --with-decryption --query Parameter.Value --output text": str,
    "vault kv get secret/app": lambda s: (
        f"====== Data ======\nKey                  Value\n---                  -----\npin                  {s}\n"
    ),
    "vault kv get -field=pin secret/app": str,
    "gcloud secrets versions access latest --secret=app": str,
}  # fmt: skip


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("command", OUTPUTS)
def test_what_a_command_reads_out_of_a_vault_is_not_recorded(command: str, secret: str) -> None:
    kind = printed_secrets("bash", command, judge("bash", command))
    assert kind == VALUES, command

    shown = masked(OUTPUTS[command](secret), kind)

    assert gives_away(shown, secret) == ""
    assert packed(secret) not in shown
    assert "[redacted:" in shown


@pytest.mark.parametrize("name", ["orders-database", "apiVersion: v1", "kind: Secret", "pin:", "namespace: production"])
def test_names_and_what_is_told_of_an_object_stay_readable(name: str) -> None:
    assert name in masked(OUTPUTS["kubectl get secret app -o yaml"](PLAIN))


VARIABLES = """PATH=/usr/local/sbin:/usr/bin:/bin
HOME=/home/kim
NODE_ENV=production
DATABASE_HOST=db-1.prod.example.com:5432
APP_URL=https://orders.example.com/health
SPRING_PROFILES_ACTIVE=production,metrics
JAVA_OPTS=-Xmx2048m -XX:MaxMetaspaceSize=256m
SSH_CONNECTION=10.0.0.4 52144 10.0.0.5 22
CONTACT=oncall@example.com
LANG=ko_KR.UTF-8
"""


@pytest.mark.parametrize("line", VARIABLES.splitlines())
def test_an_environment_s_plain_values_stay_readable(line: str) -> None:
    assert masked(line + "\n", ENVIRONMENT) == line + "\n"


@pytest.mark.parametrize(
    "secret", [PLAIN, "aB3dE6gH9jK2mN5p", packed("letmein-please"), "9f86d081884c7d659a2feaa0c55ad015"]
)
@pytest.mark.parametrize(
    "line", ["SEED={}\n", "seed: {}\n", "  SEED: '{}',\n", '"SEED": "{}",\n', "{}\n", "A=b\0SEED={}\0C=d"]
)
def test_an_environment_s_opaque_values_are_masked_whatever_they_are_called(line: str, secret: str) -> None:
    assert gives_away(masked(line.format(secret), ENVIRONMENT), secret) == ""


@settings(deadline=None)
@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=4))
def test_where_the_chunks_are_cut_makes_no_difference(data: bytes, cuts: list[int]) -> None:
    whole, cut = (PrintedSecrets(Redactor(), VALUES) for _ in range(2))
    edges = sorted({0, len(data), *(at for at in cuts if at < len(data))})

    pieces = [cut.feed(data[a:b]) for a, b in pairwise(edges)]

    assert b"".join(pieces) + cut.flush() == whole.feed(data) + whole.flush()


def test_a_secret_at_every_split_with_a_pause_is_masked() -> None:
    line = f"{packed(PLAIN)}\n".encode()
    for at in range(len(line)):
        stream = PrintedSecrets(Redactor(), VALUES)
        shown = stream.feed(line[:at]) + stream.idle() + stream.feed(line[at:]) + stream.flush()
        assert shown == b"[redacted:printed-secret]\n", at


def test_a_line_without_end_is_let_go_of_and_its_rest_too() -> None:
    stream = PrintedSecrets(Redactor(), VALUES)
    shown = b"".join(stream.feed(b"x7Q-" * 100_000) for _ in range(8))
    shown += stream.feed(b"tail\nshort\n") + stream.flush()

    assert b"x7Q-" not in shown
    assert shown.endswith(b"short\n")


def test_a_prompt_is_seen_before_its_line_ends() -> None:
    stream = PrintedSecrets(Redactor(), VALUES)

    assert stream.feed(b"Token: ") + stream.idle() == b"Token: "


def test_the_recorder_masks_what_was_printed_and_leaves_errors_readable(tmp_path: Path) -> None:
    recorder = Recorder(str(tmp_path), (), 1 << 20, VALUES)
    recorder.take(STDOUT, packed(PLAIN).encode())
    recorder.take(STDERR, b'Error from server (NotFound): secrets "app" not found\n')
    recorder.finish()

    recorded = (tmp_path / "output").read_text()
    assert packed(PLAIN) not in recorded
    assert 'secrets "app" not found' in recorded


@pytest.mark.parametrize(
    "command",
    [
        "PGPASSWORD=$(kubectl get secret app -o jsonpath='{.data.p}' | base64 -d) psql -c 'select 1'",
        'curl -sH "Authorization: Bearer $(gcloud auth print-access-token)" https://api.example.com/v1/things',
        "kubectl get secrets",
        "kubectl get pods -o wide",
        "docker inspect web",
        "P=$(vault kv get -field=p secret/app)",
    ],
)
def test_a_secret_that_only_goes_into_another_command_masks_nothing_else(command: str) -> None:
    assert printed_secrets("bash", command, judge("bash", command)) == ""


@pytest.mark.parametrize(
    "command", ["printenv", "env | sort", "pm2 env 0", "cat /proc/1/environ", "kubectl exec p -- env"]
)
def test_what_prints_variables_is_told_from_what_prints_secrets_alone(command: str) -> None:
    assert printed_secrets("bash", command, judge("bash", command)) == ENVIRONMENT
