"""Secrets masked before disk and screen: in every form, at every split, and nothing else touched."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.safety.redaction.redactor import Redactor, secrets_of_environment

SECRET = "wJalr/XUtn+FEMI=K7\"MD'ENG"
PLAIN = "Zm9vYmFy-tangerine-42"


def in_pieces(data: bytes, cuts: list[int], secrets: list[str]) -> bytes:
    redactor = Redactor(secrets)
    out = b""
    for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
        out += redactor.feed(data[start:end])
    return out + redactor.flush()


FORMS = {
    "raw": SECRET,
    "base64": base64.b64encode(SECRET.encode()).decode(),
    "base64 inside more": base64.b64encode(b"user:" + SECRET.encode() + b"\n").decode(),
    "base64 inside more, next alignment": base64.b64encode(b"admin:" + SECRET.encode() + b"!!").decode(),
    "base64 for urls": base64.urlsafe_b64encode(SECRET.encode()).decode(),
    "url": quote(SECRET, safe=""),
    "form": quote_plus(SECRET),
    "hex": SECRET.encode().hex(),
    "HEX": SECRET.encode().hex().upper(),
    "json": json.dumps(SECRET)[1:-1],
    "json with slashes": json.dumps(SECRET)[1:-1].replace("/", "\\/"),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_known_secret_is_masked_in_every_form_at_every_split(form: str) -> None:
    line = f"first line\n2026-01-01 value is {form} here\nlast".encode()
    for cut in range(len(line) + 1):
        out = in_pieces(line, [cut], [SECRET])
        assert form.encode() not in out
        assert form[4:-4].encode() not in out
        assert out.startswith(b"first line\n2026-01-01 value is ")
        assert out.endswith(b" here\nlast")


@pytest.mark.parametrize("before", ["", "x", "xy", "xyz", "user:"])
@pytest.mark.parametrize("after", ["", "\n", "!", "!!", "!!!\n"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_base64_leaves_no_letter_of_what_it_encodes(before: str, after: str, encode: Callable[[bytes], bytes]) -> None:
    form = encode(f"{before}{SECRET}{after}".encode())
    assert in_pieces(b"a " + form + b" z\n", [], [SECRET]) == b"a [redacted:known-secret] z\n"
    assert in_pieces(form, [], [SECRET]) == b"[redacted:known-secret]"


def test_base64_masks_no_neighbour_of_a_plain_secret() -> None:
    assert Redactor([PLAIN]).redact(f"/srv/{PLAIN}/log") == "/srv/[redacted:known-secret]/log"


def test_a_known_secret_is_masked_when_it_comes_byte_by_byte_with_pauses() -> None:
    redactor = Redactor([PLAIN])
    out = b""
    for byte in f"prompt> {PLAIN} and on\n".encode():
        out += redactor.feed(bytes([byte])) + redactor.idle()
    out += redactor.flush()
    assert out == b"prompt> [redacted:known-secret] and on\n"


def test_a_partial_line_is_shown_when_idle_save_for_a_secret_s_beginning() -> None:
    redactor = Redactor([PLAIN])
    assert redactor.feed(b"Continue? [y/N] ") == b""
    assert redactor.idle() == b"Continue? [y/N] "
    assert redactor.idle() == b""
    assert redactor.feed(b"yes " + PLAIN[:7].encode()) == b""
    assert redactor.idle() == b"yes "
    assert redactor.feed(PLAIN[7:].encode() + b" done\n") == b"[redacted:known-secret] done\n"


def test_what_was_shown_still_counts_as_the_name_of_what_follows() -> None:
    redactor = Redactor()
    redactor.feed(b"password: ")
    assert redactor.idle() == b"password: "
    assert redactor.feed(b"hunter2hunter2\n") == b"[redacted:secret]\n"


def test_short_and_common_values_are_left_alone() -> None:
    redactor = Redactor(["a", "root", "12345", "password", "production", ""])
    text = "a root in production wrote 12345 and asked for a password"
    assert redactor.redact(text) == text


def test_a_secret_of_several_lines_is_masked_line_by_line() -> None:
    secret = "first-part-of-it\nsecond-part-of-it"
    out = Redactor([secret]).redact("x first-part-of-it y\nsecond-part-of-it z\n")
    assert "part-of-it" not in out


SHAPES = [
    ("Authorization: Bearer abc123def456", "abc123def456"),
    ("authorization: Basic dXNlcjpwYXNzd29yZA==", "dXNlcjpwYXNzd29yZA"),
    ('-H "Authorization: token 0123456789abcdef"', "0123456789abcdef"),
    ("Proxy-Authorization: Basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
    ('{"Authorization": "Bearer xyzzy-plugh-99"}', "xyzzy-plugh-99"),
    ("Cookie: session=s3cr3tvalue; theme=dark", "s3cr3tvalue"),
    ("Set-Cookie: sid=abcdef123456; Path=/", "abcdef123456"),
    ("X-Api-Key: 0a1b2c3d4e5f", "0a1b2c3d4e5f"),
    ("postgres://app:s3cr3t@db:5432/x", "s3cr3t"),
    ("redis://:pa55@cache/0", "pa55"),
    ("GET /x?a=1&access_token=abcdef12345&b=2", "abcdef12345"),
    ("https://b.s3.amazonaws.com/k?X-Amz-Signature=0123456789abcdef0123", "0123456789abcdef0123"),
    ("https://x/callback?code=4/0AX4XfWh-abc", "4/0AX4XfWh"),
    ("key AKIAIOSFODNN7EXAMPLE found", "AKIAIOSFODNN7EXAMPLE"),
    ("ghp_0123456789abcdefghijABCDEFGHIJ012345", "0123456789abcdef"),
    ("xoxb-123456789012-abcdefghijkl", "123456789012-abcdefghijkl"),
    ("glpat-abcdEFGH1234ijklMNOP", "abcdEFGH1234"),
    ("sk-proj-abcdefghij0123456789", "abcdefghij0123456789"),
    ("AIzaSyA-1234567890abcdefghijklmnopqrstu", "1234567890abcdef"),
    ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w", "eyJzdWIiOiIx"),
    ("DB_PASSWORD=hunter22", "hunter22"),
    ("DB_PWD=hunter22", "hunter22"),
    ("MYSQL_PWD=/hunter22", "hunter22"),
    ("PASSWD=/hunter22", "hunter22"),
    ("Server=db;Uid=sa;Pwd=hunter22;", "hunter22"),
    ("export API_TOKEN='abc def ghi'", "abc def ghi"),
    ("SECRET_KEY_BASE=0f1e2d3c4b5a", "0f1e2d3c4b5a"),
    ("AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG", "wJalrXUtnFEMI"),
    ('{"password": "correct horse"}', "correct horse"),
    ('{\\"password\\":\\"correcthorse\\"}', "correcthorse"),
    ("  password: hunter2hunter2", "hunter2hunter2"),
    ("client-key-data: LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tLQ==", "LS0tLS1CRUdJTiBSU0E"),
    ("mysqldump --password=hunter22 db", "hunter22"),
    ("tool --api-key abcdef123 run", "abcdef123"),
    ("mysql -u root -phunter22 db", "hunter22"),
    ("redis-cli -a hunter22 ping", "hunter22"),
    ("curl -s -u admin:hunter22 http://x", "hunter22"),
    ("curl --user 'admin:hunter22' http://x", "hunter22"),
    ("https://hooks.slack.com/services/T00/B00/XyZ123abc", "XyZ123abc"),
    ("https://discord.com/api/webhooks/123456/abc-DEF_ghi", "abc-DEF_ghi"),
    ("-----BEGIN RSA PRIVATE KEY-----\nMIIEow+abc/def=\n-----END RSA PRIVATE KEY-----\n", "MIIEow"),
    ('"-----BEGIN PRIVATE KEY-----\\nMIIEvQ+abc\\n-----END PRIVATE KEY-----\\n"', "MIIEvQ"),
    ("DB_PASS=hunter22", "hunter22"),
    ("export DB_PASSWORD=ab,cd(ef;gh", "cd(ef;gh"),
    ('"password": "ab\\\\cd\\"efgh"', "efgh"),
    ('{"SecretAccessKey": "wJalrXUtnFEMI"}', "wJalrXUtnFEMI"),
    ('"secretKey":"a1b2c3d4e5"', "a1b2c3d4e5"),
    ("DefaultEndpointsProtocol=https;AccountKey=Zm9vYmFyYmF6cXV4==;", "Zm9vYmFyYmF6cXV4"),
    ("REDISCLI_AUTH=hunter22", "hunter22"),
    ("headers=[authorization:[Bearer abc123def456]]", "abc123def456"),
    ('"cookie": "session=s3cr3tvalue"', "s3cr3tvalue"),
    ("https://0123456789abcdef0123@sentry.example.com/1", "0123456789abcdef0123"),
    ('["mysql", "--password", "hunter22"]', "hunter22"),
    ("kubectl create secret generic x --from-literal=foo=hunter22", "hunter22"),
    ("openssl rsa -in k.pem -passin pass:hunter22", "hunter22"),
    ("keytool -list -storepass hunter22", "hunter22"),
    ("docker login -u me -p hunter22 registry.example.com", "hunter22"),
    ("sshpass -p hunter22 ssh host", "hunter22"),
    ("curl -sSu admin:hunter22 http://x", "hunter22"),
    ("vault login hvs.CAESIJ0123456789abcdefghij", "CAESIJ0123456789"),
    ("GOCSPX-abcdefghij0123456789klmnop", "abcdefghij0123456789"),
    ("https://contoso.webhook.office.com/webhookb2/11111111-2222/IncomingWebhook/abc", "11111111-2222"),
    ("https://api.telegram.org/bot123456:ABC-DEF1234ghIkl/sendMessage", "ABC-DEF1234ghIkl"),
    ("\x1b[01;31m\x1b[Kpassword\x1b[m\x1b[K=hunter2hunter2", "hunter2hunter2"),
    ('\x1b[34;1m"password"\x1b[0m: \x1b[32m"hunter2hunter2"\x1b[0m', "hunter2hunter2"),
]


@pytest.mark.parametrize(("text", "hidden"), SHAPES)
def test_secrets_are_known_by_their_shape(text: str, hidden: str) -> None:
    masked = Redactor().redact(text)
    assert hidden not in masked
    assert "[redacted:" in masked
    for cut in range(len(text) + 1):
        assert in_pieces(text.encode(), [cut], []).decode() == masked


@pytest.mark.parametrize(
    "text",
    [
        'curl -H "Authorization: Bearer TEST_TOKEN" http://x',
        'curl -H "Authorization: Bearer $TOKEN" http://x',
        'curl -H "Authorization: Bearer ${API_TOKEN}" http://x',
        "Authorization: Bearer <token>",
        "export DB_PASSWORD=<your-password>",
        "PASSWORD=********",
        "PWD=/home/deploy/app",
        "OLDPWD=/home/deploy",
        'declare -x PWD="/srv/app"',
        '{"PWD": "/srv/app", "cwd": "/srv/app"}',
        "pwd: /var/www/html",
        "api_key: {{ api_key }}",
        "password=[redacted:secret]",
        "psql $DATABASE_URL -c 'select 1'",
        "tokens_used: 1234567, max_tokens=409600",
        "secretName: my-tls-certificate",
        "error: invalid token: expired",
        "the secret to success is patience",
        "kubectl get secret db-credentials -o yaml",
        "http://localhost:8080/actuator/health",
        "git@github.com:owner/repo.git",
        "2026-01-01 12:00:00 INFO request id=7f3a9bc2 took 12 ms",
        "disk-usage-monitor-service-12345678 is up",
        "SELECT password FROM users",
        "routing_key=orders.created.v2",
        "primary_key: customer_identifier",
        "gpg: default-key: Simply don't limit by capabilities",
        "password = read_password(prompt)",
        "docker run -p 127.0.0.1:8080:80 -u 1000:1000 image",
        "mysql -h db -P 330611 -u app -p",
        "redis-cli -h cache -p 637911 info",
        "  Type: kubernetes.io/service-account-token   Data: 3",
        "--sign-key option was added, --api-key explained below",
        "Mounts:  /var/run/secrets/kubernetes.io/serviceaccount from kube-api-access-x7k2p (ro)",
        "2026-01-01 INFO [nio-8080-exec-3] c.e.c.security.JwtTokenProvider : token valid for 3600 s",
        "3f2504e0-4f89-11d3-9a0c-0305e82c3301 finished, sha256:9f86d081884c7d659a2feaa0c55ad015",
        "cache_key=user:1234:profile",
        "docker run -u 1000:1000 image",
        "비밀번호: 문서 참조",
    ],
)
def test_what_is_no_secret_stays_readable(text: str) -> None:
    assert Redactor().redact(text) == text


def test_a_private_key_over_many_chunks_leaves_one_mask_and_what_follows_it() -> None:
    body = "\n".join("MIIE" + "Ab3+/" * 12 for _ in range(20))
    text = f"before\n-----BEGIN OPENSSH PRIVATE KEY-----\n{body}\n-----END OPENSSH PRIVATE KEY-----\nafter\n"
    for size in (1, 7, 64, 333):
        redactor = Redactor()
        data = text.encode()
        out = b"".join(redactor.feed(data[at : at + size]) for at in range(0, len(data), size)) + redactor.flush()
        assert out == b"before\n[redacted:pem]\nafter\n"


def test_a_private_key_that_never_ends_does_not_swallow_the_log() -> None:
    out = Redactor().redact("-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n2026-01-01 ERROR it went wrong\nnext\n")
    assert out == "[redacted:pem]\n2026-01-01 ERROR it went wrong\nnext\n"


def test_a_line_without_end_is_let_go_and_its_secrets_masked() -> None:
    redactor = Redactor([PLAIN])
    piece = b"x" * 1000 + b" " + PLAIN.encode() + b" "
    out = b"".join(redactor.feed(piece) for _ in range(500))
    assert len(out) > 300_000
    out += redactor.flush()
    assert PLAIN.encode() not in out
    assert out.count(b"[redacted:known-secret]") == 500
    assert out.count(b"x") == 500_000


def test_one_endless_secret_is_dropped_not_leaked() -> None:
    redactor = Redactor()
    out = redactor.feed(b"password=") + b"".join(redactor.feed(b"Abc123" * 100) for _ in range(500))
    out += redactor.feed(b" and then\n")
    assert b"Abc123" not in out
    assert out.startswith(b"password=[redacted:secret]")
    assert out.endswith(b" and then\n")


@settings(deadline=None)
@given(
    lines=st.lists(
        st.sampled_from(
            [
                "plain text",
                f"a {PLAIN} b",
                "token=abc123def",
                "",
                "한국어 로그",
                "-----BEGIN RSA PRIVATE KEY-----",
                "MIIEowIBAAKCAQEA",
                "-----END RSA PRIVATE KEY-----",
                "Cookie: a=bcdefg",
                "x" * 300,
            ]
        ),
        max_size=12,
    ),
    cuts=st.lists(st.integers(0, 2000), max_size=8),
)
def test_where_the_chunks_are_cut_makes_no_difference(lines: list[str], cuts: list[int]) -> None:
    data = "\n".join(lines).encode()
    places = sorted(min(cut, len(data)) for cut in cuts)
    assert in_pieces(data, places, [PLAIN]) == Redactor([PLAIN]).redact(data.decode()).encode()


@settings(deadline=None)
@given(st.binary(max_size=400), st.lists(st.integers(0, 400), max_size=5))
def test_any_bytes_without_secrets_pass_unchanged(data: bytes, cuts: list[int]) -> None:
    if b"[redacted:" not in (
        out := in_pieces(data, sorted(min(cut, len(data)) for cut in cuts), ["not-in-there-at-all"])
    ):
        assert out == data


def test_the_environment_s_secrets_are_found() -> None:
    found = secrets_of_environment(
        {
            "API_TOKEN": "abcdef123",
            "DB_PASSWORD": "hunter22",
            "DATABASE_URL": "postgres://u:p%40ssword@h/d",
            "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI",
            "SSH_AUTH_SOCK": "/tmp/agent",
            "PWD": "/home/x",
            "TOKEN_FILE": "/run/token",
            "HOME": "/root",
            "PASSWORD": "password",
            "LANG": "ko_KR.UTF-8",
        }
    )
    assert found == ["abcdef123", "hunter22", "p%40ssword", "p@ssword", "wJalrXUtnFEMI"]


def test_a_bare_python_can_redact() -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parents[3])!r}); "
        "from cockpit.safety.redaction.redactor import Redactor; from cockpit.safety.text import Lines; "
        "print(Redactor(['hunter2hunter2']).redact('a hunter2hunter2 b'))"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "a [redacted:known-secret] b\n"


def test_a_bare_python_imports_nothing_slow_until_there_is_something_to_mask() -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parents[3])!r}); "
        "from cockpit.safety.redaction.redactor import Redactor; Redactor().feed(b'a plain line\\n'); "
        "print(sorted({'typing', 'urllib.parse', 'json', 'ipaddress'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
