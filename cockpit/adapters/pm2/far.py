"""PM2's processes on another machine. See `probe` for what is taken out of its answer.

The daemon's socket is spoken to through the connection, which starts nothing over there; `pm2 jlist`, which starts node
each time, is for servers that let nobody through to a socket, and for daemons that speak otherwise.
"""

from __future__ import annotations

import time
from shlex import quote
from typing import Any, ClassVar

from msgspec import Struct

from cockpit.adapters.far import Far, ReachesSockets
from cockpit.adapters.own_thread import OwnThread
from cockpit.adapters.pm2.daemon import (
    CAP_BYTES,
    PROCESSES,
    argument_of,
    is_whole,
    listing_of,
    printed_listing,
    request_for,
)
from cockpit.adapters.pm2.probe import Pm2Options, Pm2Probe
from cockpit.errors import Malformed, ToolMissing
from cockpit.safety.permit import Action
from cockpit.words import _

_SHARE_OF_DEADLINE = 0.85
_MOST_REFUSALS = 3
"""So often a socket that can't be had is tried: sshd writes a line for each into its log."""

# `pm2 jlist` starts a daemon where there is none: so only once the process is seen that wrote pm2.pid, as PM2's.
_LIST = """(
PM2_HOME={home}; export PM2_HOME
[ -S "$PM2_HOME/rpc.sock" ] && p=$(cat "$PM2_HOME/pm2.pid") || {{ printf 'none %s\\n' "$PM2_HOME"; exit; }}
case $(tr '\\0' ' ' <"/proc/$p/cmdline" || ps -p "$p" -o args=) in
  *PM2*|*pm2*) ;; *) printf 'none %s\\n' "$PM2_HOME"; exit;;
esac
{path}
command -v {program} >/dev/null || {{ printf 'missing\\n'; exit; }}
{program} jlist
)"""


class FarPm2Options(Pm2Options, frozen=True, kw_only=True):
    """Those of a pm2 probe, over there. `program` is pm2's path where a login by SSH does not find it (nvm)."""

    program: str = "pm2"


class FarPm2Probe(Pm2Probe):
    """Every process of one PM2 daemon on a target."""

    Options: ClassVar[type[Struct]] = FarPm2Options

    def __init__(self, options: FarPm2Options, deadline_s: float, far: Far) -> None:
        super().__init__(options, deadline_s)
        self._far = far
        self._program = options.program
        self._wait_s = deadline_s * _SHARE_OF_DEADLINE
        self._thread = OwnThread[list[Any]](f"look at PM2 on {far.name}")
        home = _home(options.home)
        self._home_script = f"printf %s {home}"
        self._script = _LIST.format(home=home, program=quote(options.program), path=_with_node(options.program))
        self._socket = ""
        self._refusals = 0
        self._absent = False

    @property
    def action(self) -> Action:
        """The daemon's own listing."""
        return Action("pm2", "pm2 jlist", self._far.name)

    async def _listing(self) -> list[Any]:
        return await self._thread.run(self._listed)

    def _listed(self) -> list[Any]:
        until_s = time.monotonic() + self._wait_s
        refused = False
        if isinstance(self._far, ReachesSockets) and not self._absent and self._refusals < _MOST_REFUSALS:
            try:
                return self._from_socket(self._far, until_s)
            except (ToolMissing, Malformed):
                refused, self._socket = True, ""
        try:
            listing = self._from_tool(until_s)
        except FileNotFoundError:
            self._absent = True
            raise
        except ToolMissing:
            if not self._absent:
                raise
            self._absent = False  # a daemon has begun meanwhile, and its socket may be had
            return self._listed()
        self._absent = False
        self._refusals += refused
        return listing

    def _from_socket(self, far: ReachesSockets, until_s: float) -> list[Any]:
        if not self._socket:
            home = far.ask(self._home_script, deadline_s=until_s - time.monotonic())
            self._socket = f"{home.decode('utf-8', 'surrogateescape')}/rpc.sock"
        said = far.exchange(
            self._socket,
            request_for(PROCESSES),
            is_whole,
            deadline_s=until_s - time.monotonic(),
            most_bytes=CAP_BYTES + 1024,
        )
        listing = listing_of(argument_of(said), f"{far.name}:{self._socket}")
        self._refusals = 0
        return listing

    def _from_tool(self, until_s: float) -> list[Any]:
        said = self._far.ask(self._script, deadline_s=until_s - time.monotonic(), most_bytes=CAP_BYTES)
        word, _space, rest = said.partition(b"\n")[0].partition(b" ")
        if word == b"none":
            raise FileNotFoundError(f"{self._far.name}:{rest.decode('utf-8', 'replace')}/rpc.sock")
        if word == b"missing":
            raise ToolMissing(
                _("{program} is not found there").format(program=self._program),
                where=self._far.name,
                mend=_('give its path, as `command -v pm2` says it there: program = "/…/bin/pm2"'),
            )
        return printed_listing(said, self._far.name)


def _home(configured: str) -> str:
    """PM2's folder over there, as the shell is to take it: as configured, else $PM2_HOME, else ~/.pm2."""
    if configured.startswith("~/"):
        return f'"$HOME"/{quote(configured[2:])}'
    return quote(configured) if configured else '"${PM2_HOME:-$HOME/.pm2}"'


def _with_node(program: str) -> str:
    """pm2 is a script of node, which mostly lies beside it."""
    folder = program.rpartition("/")[0]
    return f"PATH={quote(folder)}:$PATH" if folder else ""
