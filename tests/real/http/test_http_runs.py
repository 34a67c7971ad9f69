"""Requests of a runbook as whole steps: asked again until they hold, with the target's secrets, and on the record."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cockpit.cli import main
from tests.servers.web import TOKEN, WebServer, web_server

pytestmark = pytest.mark.real


@pytest.fixture
def server() -> Iterator[WebServer]:
    with web_server() as made:
        yield made


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COCKPIT_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(
    desk: Path, capsys: pytest.CaptureFixture[str], request: str, *options: str
) -> tuple[int, dict[str, Any], list[dict[str, Any]]]:
    """The exit code, the end of the one step, and all events."""
    (desk / "doc.md").write_text(f"# Doc\n\n```http\n{request}\n```\n")
    code = main(["run", str(desk / "doc.md"), "--json", *options])
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (ended,) = [event["data"] for event in events if event["kind"] == "step.finished"]
    return code, ended, events


def test_a_service_is_asked_until_it_is_ready(
    server: WebServer, desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, ended, events = run(desk, capsys, f"GET {server.url}/ready\n# expected: 200 within 1 minute, every 1 s")

    assert (code, ended["status"]) == (0, "passed")
    assert len([event for event in events if event["kind"] == "step.repeated"]) == 2
    assert len(server.asked) == 3


def test_a_json_path_is_asked_for_several_times_in_a_row(
    server: WebServer, desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    request = f'GET {server.url}/json\n# expected: .status == "UP" (2 times in a row, every 1 s)'

    code, ended, _events = run(desk, capsys, request)

    assert (code, ended["status"], len(server.asked)) == (0, "passed", 2)


def test_an_expected_refusal_passes_and_another_status_fails(
    server: WebServer, desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    refused, _ended, _events = run(desk, capsys, f"GET {server.url}/status?code=401\n# expected: 401 or 403")
    broken, ended, _events = run(desk, capsys, f"GET {server.url}/broken")

    assert refused == 0
    assert (broken, ended["status"]) == (1, "failed")


def test_a_targets_token_is_sent_and_nowhere_kept(
    server: WebServer, desk: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("API_TOKEN", TOKEN)
    (desk / "cockpit.toml").write_text(
        f'[target.api]\nkind = "http"\nbase_url = "{server.url}"\ntoken_env = "API_TOKEN"\n'
    )

    code, _ended, events = run(desk, capsys, "GET /headers", "--read-only")

    assert code == 0
    assert server.asked[-1][2]["authorization"] == f"Bearer {TOKEN}"
    assert [event["data"]["target"] for event in events if event["kind"] == "step.intent"] == ["api"]
    held = [path.read_bytes() for path in (desk / "state").rglob("*") if path.is_file()]
    assert not [each for each in held if TOKEN.encode() in each]


def test_what_changes_needs_a_word_and_is_then_sent_as_it_was_shown(
    server: WebServer, desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    request = f'POST {server.url}/order\nContent-Type: application/json\n\n{{"who": "{{{{who}}}}"}}'

    refused, _ended, _events = run(desk, capsys, request, "--set", 'who=kim "x"')
    before = server.fingerprint()
    done, _ended, events = run(desk, capsys, request, "--set", 'who=kim "x"', "--yes")

    assert (refused, before, done) == (3, (), 0)
    assert server.asked[-1][3] == b'{"who": "kim \\"x\\""}'
    (intent,) = [event["data"] for event in events if event["kind"] == "step.intent"]
    assert intent["command"].endswith('{"who": "kim \\"x\\""}')
