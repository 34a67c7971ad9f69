"""Several machines over real sshds, each on a port of its own, and a configuration that calls them web together."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.servers.ssh import SshServer, ssh_server


class Farm:
    """`servers` by target name. A step's `$XDG_STATE_HOME/..` is the folder of the machine it runs on."""

    def __init__(self, servers: dict[str, SshServer]) -> None:
        self.servers = servers

    def config(self, policy: str = "", names: Sequence[str] = ()) -> str:
        """cockpit.toml: a target each, and the group with this policy. `names`: many targets on the first machine."""
        targets = {name: self.servers.get(name) or self.first for name in names or self.servers}
        lines = ["[target]"]
        for name, server in targets.items():
            lines.append(f'{name} = {{ kind = "ssh", host = "far", ssh_config = {json.dumps(str(server.config))} }}')
        return "\n".join([*lines, "[group.web]", f"targets = {json.dumps(list(targets))}", policy, ""])

    @property
    def first(self) -> SshServer:
        return next(iter(self.servers.values()))

    def said(self, name: str) -> dict[str, list[str]]:
        """The lines of a file of that name on every machine."""
        files = {target: server.folder / name for target, server in self.servers.items()}
        return {target: file.read_text().split("\n")[:-1] if file.exists() else [] for target, file in files.items()}

    def let_go(self, name: str) -> None:
        """Make a file on one machine that a step waits for."""
        (self.servers[name].folder / "go").touch()


@contextmanager
def farm(folder: Path, count: int = 3) -> Iterator[Farm]:
    """So many machines, called web-1 and so on; the test skips where there is no sshd."""
    with ExitStack() as stack:
        names = [f"web-{number}" for number in range(1, count + 1)]
        yield Farm({name: stack.enter_context(ssh_server(folder / name)) for name in names})
