"""A key with a passphrase, and a server that asks for a code: put to a person, once."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import paramiko
import pytest
from paramiko.common import AUTH_FAILED, AUTH_SUCCESSFUL, OPEN_SUCCEEDED
from paramiko.server import InteractiveQuery

from cockpit.adapters.ssh.adapter import SshAdapter
from cockpit.adapters.ssh.address import SshAddress
from cockpit.adapters.ssh.link import SshLink
from cockpit.errors import AccessDenied
from tests.servers.ssh import SshServer, ssh_server
from tests.waiting import wait_until

Fields = Sequence[tuple[str, bool]]


class Person:
    """Answers the same to everything, and remembers what was asked."""

    def __init__(self, *answers: str) -> None:
        self._answers = answers
        self.asked: list[tuple[str, list[tuple[str, bool]]]] = []

    def __call__(self, about: str, fields: Fields) -> list[str]:
        self.asked.append((about, [(text, bool(seen)) for text, seen in fields]))
        return list(self._answers)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SshServer]:
    with ssh_server(tmp_path / "server") as made:
        key = made.folder / "user"
        subprocess.run(["ssh-keygen", "-q", "-p", "-P", "", "-N", "open sesame", "-f", str(key)], check=True)
        yield made


def said(server: SshServer, person: Person | None) -> bytes:
    adapter = SshAdapter(server.options)
    if person is not None:
        adapter.ask_through(person, lambda: True)
    return adapter.far("far").ask("echo in", deadline_s=60)


def test_the_passphrase_of_a_key_is_asked_for(server: SshServer) -> None:
    person = Person("open sesame")

    assert said(server, person) == b"in\n"
    assert [fields for _about, fields in person.asked] == [[(f"passphrase of {server.folder}/user", False)]]


def test_a_wrong_passphrase_and_no_answer_are_told_and_not_asked_for_again_and_again(server: SshServer) -> None:
    for answers, told in ((["guess"], "not the right passphrase"), ([], "add it to your agent")):
        person = Person(*answers)
        adapter = SshAdapter(server.options)
        adapter.ask_through(person, lambda: True)
        far = adapter.far("far")
        for _look in range(3):
            with pytest.raises(AccessDenied, match=told):
                far.ask("echo in", deadline_s=60)
        assert len(person.asked) == 1


def test_who_comes_later_is_asked_then(server: SshServer) -> None:
    person, come = Person("open sesame"), threading.Event()
    adapter = SshAdapter(server.options)
    adapter.ask_through(person, come.is_set)
    far = adapter.far("far")
    with pytest.raises(AccessDenied, match="has a passphrase"):
        far.ask("echo in", deadline_s=60)
    assert person.asked == []
    come.set()

    def let_in() -> bool:
        with contextlib.suppress(AccessDenied):
            return far.ask("echo in", deadline_s=60) == b"in\n"
        return False

    wait_until(let_in)
    assert len(person.asked) == 1


def test_without_a_person_nothing_is_waited_for(server: SshServer) -> None:
    with pytest.raises(AccessDenied, match="has a passphrase"):
        said(server, None)


class Asks(paramiko.ServerInterface):
    """Lets in whoever knows the code."""

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return OPEN_SUCCEEDED

    def get_allowed_auths(self, username: str) -> str:
        return "keyboard-interactive"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        return AUTH_FAILED

    def check_auth_interactive(self, username: str, submethods: str) -> InteractiveQuery:
        return InteractiveQuery("", "", ("Verification code: ", False))

    def check_auth_interactive_response(self, responses: list[str]) -> int:
        return AUTH_SUCCESSFUL if responses == ["123456"] else AUTH_FAILED


@contextmanager
def asking_server(folder: Path, kind: type[Asks] = Asks) -> Iterator[SshAddress]:
    key = paramiko.Ed25519Key.from_private_key_file(str(folder / "host"))
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    (folder / "known").write_text(f"[127.0.0.1]:{port} {key.get_name()} {key.get_base64()}\n")

    def serve() -> None:
        while True:
            try:
                near, _peer = listener.accept()
            except OSError:
                return
            transport = paramiko.Transport(near)
            transport.add_server_key(key)
            transport.start_server(server=kind())

    threading.Thread(target=serve, daemon=True).start()
    yield SshAddress(host="127.0.0.1", port=port, user="deploy", known_hosts=(str(folder / "known"),))
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def test_a_code_is_asked_for_and_a_wrong_one_is_refused(server: SshServer) -> None:
    with asking_server(server.folder) as address:
        right, wrong, nobody = Person("123456"), Person("000000"), Person()
        SshLink(address, ask=right).connect()
        for person in (wrong, nobody):
            with pytest.raises(AccessDenied, match="refused"):
                SshLink(address, ask=person).connect()

    assert right.asked == [(str(address), [("Verification code: ", False)])]
    assert len(nobody.asked) == 1
