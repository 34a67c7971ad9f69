"""Another machine on the screen: what it asks before it lets anybody in, and what leaving that costs."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pilot.conftest import Opens
from tests.servers.ssh import SshServer, ssh_server

PLAIN = "# Deploy\n\n```bash\necho hello\n```\n"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SshServer]:
    with ssh_server(tmp_path / "server") as made:
        yield made


def config_of(server: SshServer, log: Path) -> str:
    return (
        f'[target.web]\nkind = "ssh"\nhost = "far"\nssh_config = {json.dumps(str(server.config))}\n'
        f'[[tail]]\nname = "app"\npath = {json.dumps(str(log))}\ntarget = "web"\ninterval_s = 0.5\n'
    )


async def test_a_passphrase_is_asked_for_once_and_stands_nowhere_afterwards(
    opens: Opens, server: SshServer, tmp_path: Path
) -> None:
    subprocess.run(
        ["ssh-keygen", "-q", "-p", "-P", "", "-N", "opensesame", "-f", str(server.folder / "user")], check=True
    )
    log = tmp_path / "app.log"
    log.write_text("INFO all is well\n")
    async with opens(PLAIN, size=(110, 30), config=config_of(server, log)) as story:
        await story.sees("passphrase of", "is not kept").types("opensesame")
        assert "opensesame" not in story.screen
        await story.presses("enter").sees_no("passphrase of").sees("app (web)", "errors/min")
        await story.presses("l").sees("INFO all is well")
        written = [path for path in story.folder.path.rglob("*") if path.is_file()]
        assert [path for path in written if b"opensesame" in path.read_bytes()] == []


async def test_leaving_the_question_costs_the_panel_and_nothing_else(
    opens: Opens, server: SshServer, tmp_path: Path
) -> None:
    subprocess.run(
        ["ssh-keygen", "-q", "-p", "-P", "", "-N", "opensesame", "-f", str(server.folder / "user")], check=True
    )
    async with opens(PLAIN, size=(110, 30), config=config_of(server, tmp_path / "app.log")) as story:
        await story.sees("passphrase of").presses("escape").sees_no("passphrase of").sees("failed: it lets")
        await story.presses("enter").sees("passed")


@pytest.mark.parametrize("begun", [False, True])
async def test_a_question_that_another_viewer_answers_is_closed_but_not_under_typing_hands(
    opens: Opens, server: SshServer, tmp_path: Path, begun: bool
) -> None:
    subprocess.run(
        ["ssh-keygen", "-q", "-p", "-P", "", "-N", "opensesame", "-f", str(server.folder / "user")], check=True
    )
    log = tmp_path / "app.log"
    log.write_text("INFO all is well\n")
    async with opens(PLAIN, size=(110, 30), config=config_of(server, log)) as story:

        async def answered() -> None:
            feed = story.viewer.feed
            asked = await feed.call("question")
            await feed.call("reply", number=asked["number"], answers=["opensesame"])

        await story.sees("passphrase of")
        if begun:
            await story.types("opens").does(answered).sees("somebody else has answered").presses("escape")
        else:
            await story.does(answered)
        await story.sees_no("passphrase of").sees("app (web)", "errors/min")
