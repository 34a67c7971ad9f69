"""Messages to channels, against a local receiver: what people read, who is told twice, and what is never shown."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from cockpit.adapters.base import Outcome, RunRequest
from cockpit.adapters.step_program.adapter import Task
from cockpit.adapters.step_program.page import Page
from cockpit.adapters.webhook.adapter import WebhookAdapter, WebhookOptions
from cockpit.errors import (
    AccessDenied,
    CockpitError,
    ConfigError,
    Declined,
    OutcomeUnknown,
    PolicyRefusal,
    TargetUnreachable,
    UsageError,
)
from cockpit.runs.files import RECALLED
from cockpit.safety.judge import judge
from cockpit.safety.permit import Action, Confirmation, Mode, Rung, grant
from tests.servers.receiver import Receiver, Reply, receiver
from tests.servers.server import free_port

pytestmark = pytest.mark.real

TEXT = "[P0] 결제 장애\nroll back <api> & wait"


@pytest.fixture
def channel() -> Iterator[Receiver]:
    with receiver() as made:
        yield made


def send(url: str, text: str = TEXT, *, read_only: bool = False, **options: Any) -> str:
    out = BytesIO()
    adapter = WebhookAdapter(WebhookOptions(url_env="HOOK", **options))
    task = Task(language="message", body=text, read_only=read_only, mode=Mode.LIVE, credentials={"url": url})
    adapter.perform(task, Page(out))
    return out.getvalue().decode()


async def run(tmp_path: Path, text: str = TEXT, *, recalled: bool = False, **request: Any) -> tuple[Outcome, bytes]:
    """Through the runner, as the engine does it; also all that is then in the run's folder."""
    action = Action("message", text, "team")
    confirmed = Confirmation(action.sha256, Rung.CONFIRM, "kim")
    permit = grant(action, judge("message", text), Mode.LIVE, by="kim", confirmation=confirmed)
    if recalled:
        (tmp_path / RECALLED).touch()
    running = await WebhookAdapter(WebhookOptions(url_env="HOOK")).start(permit, RunRequest(tmp_path, **request))
    outcome = await running.wait()
    return outcome, b"\n".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())


def test_people_read_what_was_previewed(channel: Receiver) -> None:
    send(channel.url())
    send(channel.url("/api/webhooks/1/secret-of-discord"), flavour="discord")
    send(channel.url(), flavour="slack")

    assert channel.posted == [
        ("/services/T0001/B0002/Xk3-hook-path-secret", {"text": TEXT}),
        ("/api/webhooks/1/secret-of-discord?wait=true", {"content": TEXT}),
        ("/services/T0001/B0002/Xk3-hook-path-secret", {"text": "[P0] 결제 장애\nroll back &lt;api&gt; &amp; wait"}),
    ]


def test_mentions_and_links_that_the_author_wrote_for_slack_stay(channel: Receiver) -> None:
    text = "<!here> <@U123> <#C42|incident> <https://x/y|board> <!evil> a<b"

    send(channel.url(), text, flavour="slack")

    kept = "<!here> <@U123> <#C42|incident> <https://x/y|board> &lt;!evil&gt; a&lt;b"
    assert channel.texts == [kept]


def test_nothing_is_sent_by_a_step_that_reads(channel: Receiver) -> None:
    with pytest.raises(PolicyRefusal):
        send(channel.url(), read_only=True)

    assert judge("message", TEXT).verdict == "mutating"
    assert channel.posted == []


def test_asked_to_wait_it_waits_and_people_are_told_once(channel: Receiver) -> None:
    channel.replies = [Reply(429, headers={"retry-after": "0.01"})]

    said = send(channel.url())

    assert len(channel.posted) == 2  # the first of which was taken by nobody
    assert "asked to wait" in said
    assert said.rstrip().split("\n")[-1].endswith("200 OK")


@pytest.mark.parametrize("wait", ["3600", "0.01"])
def test_it_does_not_wait_for_ever(channel: Receiver, wait: str) -> None:
    channel.replies = [Reply(429, headers={"retry-after": wait})] * 5

    with pytest.raises(Declined, match="429"):
        send(channel.url())

    assert len(channel.posted) == (1 if wait == "3600" else 3)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(0), OutcomeUnknown),
        (Reply(500), OutcomeUnknown),
        (Reply(503, headers={"retry-after": "0"}), OutcomeUnknown),
        (Reply(400, b"invalid_payload"), Declined),
        (Reply(404, b"no_service"), AccessDenied),
        (Reply(302, headers={"location": "/elsewhere"}), Declined),
    ],
)
def test_what_is_not_a_plain_no_is_never_sent_again_by_itself(
    channel: Receiver, reply: Reply, kind: type[CockpitError]
) -> None:
    channel.replies = [reply]

    with pytest.raises(kind) as told:
        send(channel.url())

    assert len(channel.posted) == 1
    assert reply.body.decode() in str(told.value) or not reply.code or reply.code >= 500
    assert "Xk3" not in str(told.value)


def test_nobody_there_means_that_nothing_was_sent() -> None:
    with pytest.raises(TargetUnreachable):
        send(f"http://127.0.0.1:{free_port()}/hook")


def test_the_address_is_not_given_away_over_plain_http() -> None:
    with pytest.raises(ConfigError, match="secret"):
        send("http://hooks.example.com/services/T/B/X")


@pytest.mark.parametrize(("flavour", "size"), [("discord", 2_001), ("slack", 40_001)])
def test_a_message_that_would_be_cut_is_not_sent(channel: Receiver, flavour: str, size: int) -> None:
    with pytest.raises(UsageError, match="characters"):
        send(channel.url(), "x" * size, flavour=flavour)

    assert channel.posted == []


def test_an_address_comes_from_one_place() -> None:
    given: tuple[dict[str, Any], ...] = ({}, {"url_env": "A", "url_file": "B"})
    for options in given:
        with pytest.raises(ConfigError, match="url_env"):
            WebhookAdapter(WebhookOptions(**options))


async def test_the_address_is_nowhere_to_be_seen(
    channel: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK", channel.url())
    channel.replies = [Reply(400, f"unknown hook {channel.url()}".encode())]

    outcome, kept = await run(tmp_path)

    assert (outcome.ending, outcome.exit_code) == ("exited", 1)
    assert b"unknown hook" in kept
    assert b"Xk3-hook-path" not in kept


async def test_whether_people_were_told_is_not_known_when_the_answer_is_lost(
    channel: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK", channel.url())
    channel.replies = [Reply(0)]

    outcome, _kept = await run(tmp_path)

    assert (outcome.ending, outcome.exit_code) == ("lost", None)
    assert channel.texts == [TEXT]


async def test_a_session_that_became_read_only_on_the_way_sends_nothing(
    channel: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK", channel.url())

    outcome, _kept = await run(tmp_path, recalled=True)

    assert outcome.ending == "refused"
    assert channel.posted == []


async def test_asking_who_enforces_sends_nothing(channel: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK", channel.url())

    told = await WebhookAdapter(WebhookOptions(url_env="HOOK")).enforcement()

    assert told.by == "tool"
    assert (channel.posted, channel.other) == ([], ["HEAD"])
