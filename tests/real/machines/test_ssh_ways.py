"""How a machine is found and who is let in: agent, ssh_config, hops, hashed names, a key and a code besides."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import paramiko
import pytest
from msgspec import structs
from paramiko.common import AUTH_FAILED, AUTH_PARTIALLY_SUCCESSFUL, AUTH_SUCCESSFUL

from cockpit.adapters.ssh.adapter import SshOptions
from cockpit.adapters.ssh.link import SshLink
from cockpit.errors import AccessDenied
from tests.real.machines.test_ssh_questions import Asks, Person, asking_server
from tests.servers.far import Desk
from tests.servers.ssh import prepared


@contextmanager
def agent(folder: Path, *keys: Path) -> Iterator[Path]:
    """A real ssh-agent that holds these keys."""
    path = folder / "agent"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", str(path)], stdout=subprocess.DEVNULL)
    try:
        for key in keys:
            add = ["ssh-add", "-q", str(key)]
            while subprocess.run(add, env=os.environ | {"SSH_AUTH_SOCK": str(path)}, check=False).returncode == 2:
                assert process.poll() is None  # 2: nobody listens there yet
        yield path
    finally:
        process.terminate()
        process.wait()


def point(desk: Desk, **settings: str) -> None:
    """Change what the client's configuration says, and forget what was known of it."""
    text = desk.server.config.read_text()
    for name, value in settings.items():
        text = re.sub(rf"(?m)^  {name} .*$", f"  {name} {value}", text)
    desk.server.config.write_text(text)
    desk.anew()


async def test_the_agents_key_lets_in_where_no_file_holds_it(desk: Desk, tmp_path: Path) -> None:
    with agent(tmp_path, desk.server.folder / "user") as path:
        (desk.server.folder / "user").unlink()
        point(desk, IdentityAgent=str(path), IdentityFile="/none", IdentitiesOnly="no")
        assert (await desk.run("echo in"))[1] == "in\n"


async def test_of_many_keys_in_the_agent_only_those_that_are_named_are_offered(desk: Desk, tmp_path: Path) -> None:
    """A server hangs up on who offers too many."""
    others = [tmp_path / f"key{number}" for number in range(7)]
    for key in others:
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    with agent(tmp_path, *others, desk.server.folder / "user") as path:
        (desk.server.folder / "user").write_text("the private half lies elsewhere")
        point(desk, IdentityAgent=str(path))
        assert (await desk.run("echo in"))[1] == "in\n"


async def test_the_configuration_is_what_ssh_itself_makes_of_it(desk: Desk, tmp_path: Path) -> None:
    included = tmp_path / "included"
    included.write_text(desk.server.config.read_text().replace("Host far", "Host by-inclusion"))
    matched = desk.server.config.read_text().replace("Host far", "Match originalhost by-match user *")
    never = "Match exec false\n  ProxyJump nowhere.invalid\n"
    desk.server.config.write_text(f"Include {included}\n{never}{matched}")

    for name in ("by-inclusion", "by-match"):
        here = Desk(desk.server, tmp_path / name)
        (tmp_path / name).mkdir()
        here.adapter = type(desk.adapter)(SshOptions(host=name, ssh_config=str(desk.server.config)))
        assert (await here.run("echo $FAR"))[1] == "yes\n", name


async def test_names_that_ssh_keygen_hashed_are_found(desk: Desk) -> None:
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(desk.server.known_hosts)], check=True, capture_output=True)
    assert desk.server.known_hosts.read_text().startswith("|1|")

    assert (await desk.run("echo in"))[1] == "in\n"


async def test_two_hops_are_gone_through_in_turn_each_with_its_own_key_on_file(desk: Desk, tmp_path: Path) -> None:
    middle, inner = prepared(tmp_path / "middle"), prepared(tmp_path / "inner")
    middle.start()
    inner.start()
    try:
        hops = desk.server.config.read_text().replace("Host far", "Host first")
        hops += middle.config.read_text().replace("Host far", "Host second")
        target = inner.config.read_text().replace("Host far", "Host far\n  ProxyJump first,second")
        desk.server.config.write_text(target + hops)
        assert (await desk.run("echo $SSH_CONNECTION"))[1].split()[-1] == str(inner.port)
        logs = [(one.folder / "sshd.log").read_text() for one in (desk.server, middle, inner)]
        assert [log.count("Accepted publickey") for log in logs] == [1, 1, 1]

        middle.known_hosts.write_text("")
        desk.anew()
        with pytest.raises(AccessDenied, match="not a known host"):
            await desk.start("true")
    finally:
        middle.stop()
        inner.stop()


class KeyAndCode(Asks):
    """Wants a key first and a code then, as a bastion with a second factor does."""

    key = b""
    further = "publickey"

    def get_allowed_auths(self, username: str) -> str:
        return self.further

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        if key.asbytes() != self.key:
            return AUTH_FAILED
        self.further = "keyboard-interactive"
        return AUTH_PARTIALLY_SUCCESSFUL

    def check_auth_interactive_response(self, responses: list[str]) -> int:
        return AUTH_SUCCESSFUL if responses == ["123456"] else AUTH_FAILED


def test_a_key_and_a_code_besides_let_in_and_the_key_alone_is_told_to_be_too_little(desk: Desk) -> None:
    key = desk.server.folder / "user"
    KeyAndCode.key = paramiko.Ed25519Key.from_private_key_file(str(key)).asbytes()
    with asking_server(desk.server.folder, KeyAndCode) as plain:
        address = structs.replace(plain, identities=(str(key),))
        person = Person("123456")
        link = SshLink(address, ask=person)
        link.connect()
        link.close()
        assert person.asked == [(str(address), [("Verification code: ", False)])]

        with pytest.raises(AccessDenied, match=r"accepted, and more is asked for.*nobody is here"):
            SshLink(address).connect()
