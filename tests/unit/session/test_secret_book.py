"""What a session knows to be secret, and what it does with it."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path

import pytest

from cockpit.config import load
from cockpit.errors import UsageError
from cockpit.runbook.model import Input
from cockpit.session.record.inputs import InputBook
from cockpit.session.record.journal import Journal
from cockpit.session.record.secrets import SecretBook, redacted, secrets_of_config
from cockpit.session.record.state import SessionState

TOKEN = "Kx7cfgTq9Wm2vBz4Rn"


def configured(tmp_path: Path, toml: str) -> tuple[str, ...]:
    path = tmp_path / "cockpit.toml"
    path.write_text(toml)
    return secrets_of_config(load(path))


def test_secret_header_values_of_the_configuration_are_known_and_plain_ones_are_not(tmp_path: Path) -> None:
    basic = base64.b64encode(f"kim:{TOKEN}".encode()).decode()
    known = configured(
        tmp_path,
        f"""
[[probe]]
name = "a"
kind = "http"
url = "http://kim:pa55word-1@localhost/health?access_token=abcdef123456"

[probe.headers]
Authorization = "Basic {basic}"
X-Api-Key = "k-{TOKEN}"
Accept = "application/json"
X-Team = "payments"
""",
    )
    assert {basic, TOKEN, f"k-{TOKEN}", "pa55word-1", "abcdef123456"} <= set(known)
    assert not {"application/json", "payments", "a", "http"} & set(known)


def test_a_header_filled_from_the_environment_is_known_by_its_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVICE_KEY", TOKEN)
    known = configured(
        tmp_path,
        '[probe.a]\nkind = "http"\nurl = "http://x"\nheaders = { Authorization = "Bearer ${SERVICE_KEY}" }\n',
    )
    assert known == (TOKEN,)


def test_what_only_names_a_secret_is_none(tmp_path: Path) -> None:
    known = configured(
        tmp_path,
        '[target.cache]\nkind = "redis"\npassword_env = "CACHE_PASSWORD"\n[target.db]\nkind = "redis"\n'
        'password_file = "/run/secrets/db-password"\n',
    )
    assert known == ()


def test_values_below_a_telling_key_are_masked_in_the_record(tmp_path: Path) -> None:
    told = redacted({"inputs": {"db_password": "hunter22", "region": "eu-west-1"}, "n": 1}, SecretBook({}).redact)
    assert told == {"inputs": {"db_password": "[redacted:secret]", "region": "eu-west-1"}, "n": 1}


def inputs(book: SecretBook) -> InputBook:
    return InputBook([Input("URL", "<url>", "angle"), Input("TOKEN", "$TOKEN", "dollar", secret=True)], book)


def test_a_value_that_holds_a_secret_is_one_and_runs_as_it_was_typed() -> None:
    book = SecretBook({"DB_PASSWORD": TOKEN})
    held = inputs(book)
    for value in (f"https://kim:{TOKEN}@db/", "https://kim:pa55word@db/", TOKEN):
        assert held.fill("URL", value) == ("[secret]", True)
        assert held.values(SessionState(secret_inputs=frozenset({"URL"})), {})["URL"] == value
    assert held.fill("URL", "https://db/") == ("https://db/", False)
    assert "URL" not in held.values(SessionState(), {})


def test_an_address_from_the_environment_is_shown_without_its_password() -> None:
    held = InputBook([Input("DATABASE_URL", "$DATABASE_URL", "dollar")], SecretBook({}))
    assert held.shown("DATABASE_URL", "postgres://app:hunter22@db/x") == "postgres://app:[redacted:url-userinfo]@db/x"


def test_only_a_typed_secret_can_be_revealed() -> None:
    held = inputs(SecretBook({}))
    held.fill("TOKEN", TOKEN)
    assert held.typed("TOKEN") == TOKEN
    for name in ("URL", "never heard of"):
        with pytest.raises(UsageError, match="no secret value"):
            held.typed(name)


def test_who_wants_to_know_hears_of_new_secrets() -> None:
    book, heard = SecretBook({}), []
    book.on_new = lambda: heard.append(book.values)
    book.learn([TOKEN, "", TOKEN])
    book.learn([TOKEN])
    assert heard == [(TOKEN,)]
    assert book.redact(f"it is {TOKEN}") == "it is [redacted:known-secret]"


def test_the_journal_has_neither(tmp_path: Path) -> None:
    from datetime import UTC, datetime

    from cockpit.session.record.folder import SessionFolder

    folder = SessionFolder.create(tmp_path, datetime.now(UTC))
    journal = Journal.open(folder, redact=SecretBook({"A_TOKEN": TOKEN}).redact)
    journal.append("note.added", {"text": TOKEN, "inputs": {"api_key": "a1b2c3d4e5"}}, actor="host", durable=True)
    journal.close()
    record = json.loads(folder.journal.read_text())
    assert record["data"] == {"text": "[redacted:known-secret]", "inputs": {"api_key": "[redacted:secret]"}}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="arguments can't be hidden elsewhere")
def test_values_given_on_the_command_line_are_gone_from_the_process_table() -> None:
    program = (
        "import sys; from pathlib import Path; from cockpit.safety.memory import hide_arguments; "
        "hide_arguments(sys.argv[1:]); print(Path('/proc/self/cmdline').read_bytes()[-9:], sys.argv[1])"
    )
    done = subprocess.run([sys.executable, "-c", program, "hunter22"], capture_output=True, text=True, check=True)
    assert done.stdout == "b'********\\x00' hunter22\n"
