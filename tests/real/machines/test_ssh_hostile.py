"""What a machine says of its own accord (banner, login, questions, refusals): never an answer, never obeyed."""

from __future__ import annotations

from pathlib import Path

import paramiko
import pytest
from paramiko.common import AUTH_FAILED
from paramiko.server import InteractiveQuery

from cockpit.adapters.ssh import link
from cockpit.adapters.ssh.address import SshAddress
from cockpit.adapters.ssh.link import SshLink
from cockpit.errors import AccessDenied, CockpitError, ToolMissing
from cockpit.monitor.sample import Outcome
from tests.hostile import RAW, TEXTS, Hostile, in_text
from tests.real.machines.test_ssh_questions import Asks, Person, asking_server
from tests.servers.far import DEADLINE_S, Desk, machines_of, probe_of, sample_of, sample_until
from tests.servers.ssh import SshServer

EVERYTHING = "\n".join(piece.text for piece in TEXTS)


def said_everywhere(server: SshServer) -> None:
    """The banner before signing in, and what every shell over there prints before it does anything."""
    folder = server.folder
    hostile = EVERYTHING.encode("utf-8", "surrogatepass") + b"\n" + b"\n".join(raw for _name, raw, _seen in RAW)
    (folder / "banner").write_bytes(hostile)
    (folder / "login").write_text(f"cat {folder}/banner; cat {folder}/banner >&2\n")
    server.give(BASH_ENV=folder / "login")
    server.set(f"Banner {folder}/banner")


async def test_a_banner_and_a_talkative_login_are_no_output_and_no_answer(desk: Desk) -> None:
    said_everywhere(desk.server)

    outcome, output = await desk.run("echo in; exit 3")
    looked = desk.adapter.far("far").ask("printf well", deadline_s=DEADLINE_S)
    sample = await sample_until(probe_of(machines_of(desk.server), "machine"), lambda one: one.outcome is Outcome.DATA)

    assert (outcome.exit_code, output) == (3, "in\n")
    assert looked == b"well"
    assert list(in_text(repr(sample))) == []


async def test_a_banner_is_no_part_of_what_is_told_when_nobody_is_let_in(desk: Desk) -> None:
    said_everywhere(desk.server)
    (desk.server.folder / "authorized_keys").write_text("")

    with pytest.raises(AccessDenied) as refused:
        await desk.start("true")
    sample = await sample_of(probe_of(machines_of(desk.server), "machine"))

    assert list(in_text(str(refused.value))) == []
    assert list(in_text(f"{sample.text} {sample.error} {sample.mend}")) == []


class HostileServer(Asks):
    """Asks and refuses in words that are out to fool."""

    def check_auth_interactive(self, username: str, submethods: str) -> InteractiveQuery:
        return InteractiveQuery(EVERYTHING, EVERYTHING, *((piece.text, False) for piece in TEXTS))

    def check_auth_interactive_response(self, responses: list[str]) -> int:
        return AUTH_FAILED if responses == ["no"] * len(TEXTS) else super().check_auth_interactive_response(["123456"])


def test_what_a_server_asks_is_cleaned_before_anybody_sees_it(server: SshServer) -> None:
    with asking_server(server.folder, HostileServer) as address:
        person = Person(*("no" for _piece in TEXTS))
        with pytest.raises(AccessDenied) as refused:
            SshLink(address, ask=person).connect()

    ((_about, fields),) = person.asked
    assert len(fields) == len(TEXTS)
    assert [list(in_text(text)) for text, _seen in fields] == [[]] * len(fields)
    assert list(in_text(str(refused.value))) == []


@pytest.mark.parametrize("piece", TEXTS, ids=lambda piece: piece.name)
def test_a_refusal_in_a_servers_own_words_is_cleaned(piece: Hostile, monkeypatch: pytest.MonkeyPatch) -> None:
    error = paramiko.ChannelException(1, piece.text)
    monkeypatch.setattr(link, "socket_channel", lambda *_given: (_ for _ in ()).throw(error))
    here = SshLink(SshAddress(host="far", user="deploy"))
    monkeypatch.setattr(here, "_transport", lambda: None)

    with pytest.raises(CockpitError) as refused:
        here.socket("/a", timeout_s=1.0)

    assert isinstance(refused.value, ToolMissing)
    assert list(in_text(str(refused.value))) == []
    assert Path(refused.value.where) == Path("/a")
