"""Message steps from the runbook to the channel: filled, previewed, sent once, and kept as they were sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cockpit.cli import main
from tests.pilot.conftest import Opens, opens
from tests.servers.receiver import Receiver, Reply, receiver

__all__ = ["opens"]
pytestmark = pytest.mark.real

RUNBOOK = """# Doc

## Announce

Post in #incident-response:

```text
[P0] AI chat is down
Lead: [담당자]
```

## Look

```bash
echo looked
```
"""
CONFIG = """
[target.incident-response]
kind = "webhook"
flavour = "slack"
url_env = "TEAM_WEBHOOK"
"""
TEXT = "[P0] AI chat is down\nLead: kim"


@pytest.fixture
def channel(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with receiver() as made:
        monkeypatch.setenv("TEAM_WEBHOOK", made.url())
        yield made


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COCKPIT_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cockpit.toml").write_text(CONFIG)
    (tmp_path / "doc.md").write_text(RUNBOOK)
    return tmp_path


def told(desk: Path, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, list[dict[str, Any]]]:
    code = main(["run", str(desk / "doc.md"), "--section", "announce", "--json", *options])
    return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_message_is_sent_and_kept_as_it_was_sent(
    channel: Receiver, desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, events = told(desk, capsys, "--set", "담당자=kim", "--send")

    assert code == 0
    assert channel.texts == [TEXT]
    (intent,) = [event["data"] for event in events if event["kind"] == "step.intent"]
    assert (intent["command"], intent["target"], intent["language"]) == (TEXT, "incident-response", "message")
    sent = [event["data"] for event in events if event["kind"] == "message.prepared" and event["data"]["sent"]]
    assert [(each["text"], each["channel"]) for each in sent] == [(TEXT, "incident-response")]
    held = [path.read_bytes() for path in (desk / "state").rglob("*") if path.is_file()]
    assert not [each for each in held if b"Xk3-hook-path" in each]


def test_without_the_word_it_is_printed_and_not_sent(
    channel: Receiver, desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _events = told(desk, capsys, "--set", "담당자=kim", "--yes")

    assert code == 0
    assert channel.posted == []


@pytest.mark.parametrize("options", [("--send",), ("--set", "담당자=kim", "--send", "--read-only")])
def test_with_a_blank_or_in_read_only_mode_nothing_is_sent(
    channel: Receiver, desk: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...]
) -> None:
    code, _events = told(desk, capsys, *options)

    assert code == 3
    assert channel.posted == []


def test_what_is_secret_is_not_sent(channel: Receiver, desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, events = told(desk, capsys, "--set", "담당자=kim password=Zq8-very-secret-71", "--send")

    assert code == 3
    assert channel.posted == []
    assert any("secret" in str(event["data"].get("reason")) for event in events)


def test_whether_it_was_sent_is_not_guessed(channel: Receiver, desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    channel.replies = [Reply(0)]

    code, events = told(desk, capsys, "--set", "담당자=kim", "--send")

    assert code == 1
    assert len(channel.posted) == 1
    (ended,) = [event["data"] for event in events if event["kind"] == "step.finished"]
    assert ended["status"] == "unknown"


async def test_on_the_screen_it_is_previewed_confirmed_and_never_sent_twice_unasked(
    channel: Receiver, opens: Opens
) -> None:
    async with opens(RUNBOOK, config=CONFIG) as story:
        await story.presses("enter").sees("[P0] AI chat is down", "Send to incident-response", "still to fill")
        await story.presses("enter").sees("Inputs").types("kim").presses("enter")
        await story.sees("Send to incident-response", "Lead: kim").presses("enter")
        await story.sees("Run this?", "incident-response", "Lead: kim").confirms().sees("[OK]", "sent to 127.0.0.1")
        assert channel.texts == [TEXT]

        await story.presses("g", "enter").sees("Send to incident-response").presses("enter")
        await story.sees("Run this?", "sent before")
        assert channel.texts == [TEXT]


async def test_of_several_channels_one_is_picked(channel: Receiver, opens: Opens) -> None:
    another = '[target.team]\nkind = "webhook"\nurl_env = "TEAM_WEBHOOK"\n'
    text = RUNBOOK.replace("[담당자]", "kim")

    async with opens(text, config=CONFIG + another) as story:
        await story.presses("enter").sees("Send to a channel").presses("enter").sees("incident-response", "team")
        await story.presses("down", "enter").sees("Run this?", "where", "team").confirms().sees("[OK]")

    assert channel.texts == ["[P0] AI chat is down\nLead: kim"]


async def test_in_read_only_mode_there_is_nothing_to_send_with(channel: Receiver, opens: Opens) -> None:
    async with opens(RUNBOOK, config=CONFIG, mode="read-only") as story:
        await story.presses("enter").sees("[P0] AI chat is down", "still to fill").sees_no("Send to")

    assert channel.posted == []
