"""Secrets come from the environment or from files that nobody else can read, and never from cockpit.toml."""

from __future__ import annotations

from pathlib import Path

import pytest

from cockpit.adapters.postgresql.adapter import PostgresqlAdapter, PostgresqlOptions
from cockpit.adapters.step_program.credentials import password_from
from cockpit.errors import ConfigError


def test_a_password_is_taken_from_where_the_options_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "password"
    file.write_text("from-a-file\n")
    file.chmod(0o600)
    monkeypatch.setenv("ORDERS", "from-the-environment")
    monkeypatch.setenv("TOOLS_OWN", "ambient")

    assert password_from("ORDERS", "") == {"password": "from-the-environment"}
    assert password_from("", str(file)) == {"password": "from-a-file"}
    assert password_from("", "", ambient="TOOLS_OWN") == {"password": "ambient"}
    assert password_from("", "") == {}


def test_what_is_not_there_is_said_with_how_to_mend_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="export it"):
        password_from("NOT_SET_ANYWHERE", "")
    with pytest.raises(ConfigError, match="password_file"):
        password_from("", str(tmp_path / "none"))
    with pytest.raises(ConfigError, match="one of"):
        password_from("A", "b")


def test_a_file_that_others_may_read_is_no_secret(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("x")
    file.chmod(0o640)

    with pytest.raises(ConfigError, match="chmod 600"):
        password_from("", str(file))


def test_the_passwords_of_pgpass_are_masked_though_libpq_reads_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "pgpass"
    file.write_text("# comment\n*:*:*:app:secret-one\nhost:5432:db:app:with\\:colon\n")
    monkeypatch.setenv("PGPASSFILE", str(file))

    assert set(PostgresqlAdapter(PostgresqlOptions()).secrets()) >= {"secret-one", "with:colon"}
    assert PostgresqlAdapter(PostgresqlOptions(), trusted=False).secrets() == ()
