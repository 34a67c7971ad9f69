"""A real sshd on loopback, with a key of its own and a configuration that `ssh -F` takes."""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from cockpit.adapters.ssh.adapter import SshOptions
from tests.servers.server import free_port, require

_PATIENCE_S = 20.0


@dataclass
class SshServer:
    """Where it listens, and the files a client needs."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    ends_with_us: bool = False
    """Whether it stops by itself when this process is killed, where the system can do that."""
    _left: list[int] = field(default_factory=list)

    @property
    def config(self) -> Path:
        """The client's configuration: the host "far" is this server."""
        return self.folder / "ssh_config"

    @property
    def options(self) -> SshOptions:
        """A target's options that lead here."""
        return SshOptions(host="far", ssh_config=str(self.config))

    @property
    def known_hosts(self) -> Path:
        return self.folder / "known_hosts"

    @property
    def state(self) -> Path:
        """XDG_STATE_HOME of whoever logs in."""
        return self.folder / "state"

    @property
    def home(self) -> Path:
        """HOME of whoever logs in."""
        return self.folder / "home"

    def steps(self) -> list[Path]:
        """The folders of steps that the far side still keeps."""
        return sorted((self.state / "incident-cockpit" / "steps").glob("*"))

    def lead_to(self, port: int) -> None:
        """Have clients take another way here: by that port of loopback, which passes on."""
        for file in (self.config, self.known_hosts):
            file.write_text(file.read_text().replace(str(self.port), str(port)))

    def set(self, *lines: str) -> None:
        """Start anew with these lines in front of its configuration, where the first one counts."""
        self.stop()
        path = self.folder / "sshd_config"
        path.write_text("".join(f"{line}\n" for line in lines) + path.read_text())
        self.start()

    def give(self, **more: object) -> None:
        """Have whoever logs in find these variables; from the next `start` on, or through `set`.

        Home is a folder of its own: what the login files of whoever runs the tests do (take locks, and wait for them
        for a minute) is no part of them.
        """
        given = {"HOME": self.home, "XDG_STATE_HOME": self.state, "FAR": "yes", **more}
        path = self.folder / "sshd_config"
        # The first line of its kind counts.
        path.write_text(f"SetEnv {' '.join(f'{name}={value}' for name, value in given.items())}\n{path.read_text()}")

    def start(self) -> None:
        """Begin to listen; returns when it does."""
        # By its absolute path: it starts itself anew for each connection.
        argv = [shutil.which("sshd") or "/usr/sbin/sshd", "-D", "-e", "-f", str(self.folder / "sshd_config")]
        if self.ends_with_us and (setpriv := shutil.which("setpriv")):
            argv = [setpriv, "--pdeathsig", "TERM", *argv]
        with (self.folder / "sshd.log").open("ab") as log:
            self.process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                if self.process.poll() is not None:
                    break
                continue
            return
        raise RuntimeError((self.folder / "sshd.log").read_text())

    def stop(self) -> None:
        """Stop listening; sessions go on, until `cut_all`."""
        if self.process:
            self._left = self.sessions()
            self.process.terminate()
            self.process.wait(_PATIENCE_S)
            self.process = None

    def cut(self) -> None:
        """Kill every session's sshd, as a network that drops would, and leave what it started alone."""
        for pid in self.sessions():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def cut_all(self) -> None:
        """As `cut`, once it has stopped listening."""
        for pid in self._left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def sessions(self) -> list[int]:
        """The sshd processes that hold a connection."""
        assert self.process is not None
        found = []
        for child in psutil.Process(self.process.pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                if "sshd" in child.name():
                    found.append(child.pid)
        return found


@contextmanager
def ssh_server(folder: Path) -> Iterator[SshServer]:
    """A running one; the test skips where there is no sshd."""
    require("sshd", "ssh", "ssh-keygen", also_in=[Path("/usr/sbin")])
    server = prepared(folder)
    server.start()
    yield server
    server.stop()


def prepared(folder: Path) -> SshServer:
    """Keys and configuration of a server that is not yet started."""
    folder.mkdir(mode=0o700, exist_ok=True)
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # root's sshd refuses to start without it
    port = free_port()
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    (folder / "authorized_keys").write_text((folder / "user.pub").read_text())
    (folder / "state").mkdir()
    (folder / "home").mkdir()
    (folder / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nPidFile {folder}/sshd.pid\n"
        f"AuthorizedKeysFile {folder}/authorized_keys\nUsePAM no\nPasswordAuthentication no\n"
        f"KbdInteractiveAuthentication no\nStrictModes no\n"
    )
    server = SshServer(folder, port)
    server.give()
    kind, key = (folder / "host.pub").read_text().split()[:2]
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {kind} {key}\n")
    (folder / "ssh_config").write_text(
        f"Host far\n  HostName 127.0.0.1\n  Port {port}\n  User {getpass.getuser()}\n  IdentityFile {folder}/user\n"
        f"  IdentitiesOnly yes\n  IdentityAgent none\n  UserKnownHostsFile {folder}/known_hosts\n"
        f"  GlobalKnownHostsFile /dev/null\n"
    )
    return server
