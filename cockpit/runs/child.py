"""Starting the command itself: its own session, no input, clean signals, the exact bytes. Stdlib only.

The child waits between fork and exec until the runner has written down who it is, so that no script ever begins
unrecorded. The script is never a file that others could change: it lies in memory, or in a file without a name.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import resource
import signal
import struct
import termios

from cockpit.runs.files import in_memory, write_all
from cockpit.runs.recording import STDERR, STDOUT, TERMINAL
from cockpit.runs.shell_state import prelude
from cockpit.safety.identity import action_sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_RESET = ("SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGPIPE", "SIGXFSZ", "SIGCHLD", "SIGTSTP", "SIGTTIN", "SIGTTOU")


class NotStarted(Exception):
    """The command could not be started: `kind` is cwd, shell, bytes or system."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail


class Child:
    """The command's process, and this side of its pipes. Nothing runs before `fork`, and no script before `let_go`.

    `streams` maps descriptors to STDOUT, STDERR or TERMINAL; `terminal` is the descriptor that takes input, if any;
    `report` is where its shell tells of its end.

    Raises:
        NotStarted: the script's bytes are not those that were permitted.
        OSError: no pipe or terminal is to be had.
    """

    def __init__(self, document: Mapping[str, Any], umask: int) -> None:
        self.streams: dict[int, int] = {}
        self.terminal: int | None = None
        self.pid = 0
        self._umask = umask
        self._document = document
        self._script = in_memory(document["script"].encode("utf-8", "surrogateescape"))
        if _sha256(self._script) != document["sha256"] or not _permitted(document):
            raise NotStarted("bytes", "the script is not the one that was permitted")
        self.report, self._report_end = os.pipe()
        self._outputs = self._terminal_pair() if document["terminal"] else self._pipe_pair()

    def fork(self) -> None:
        """Make the process, and hold it back."""
        gate, self._gate_end = os.pipe()
        self._failure, failure_end = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._gate_end)
            self._become(gate, failure_end)
        os.close(gate)
        os.close(failure_end)
        self.close_command_ends()

    def close_command_ends(self) -> None:
        """Let go of the ends that are the command's, so that its own end is noticed."""
        for descriptor in {*self._outputs, self._report_end, self._script}:
            os.close(descriptor)

    def let_go(self) -> None:
        """Let the command begin.

        Raises:
            NotStarted: the system would not; nothing ran, and the child is gone.
        """
        os.write(self._gate_end, b"!")
        os.close(self._gate_end)
        failure = b""
        while piece := os.read(self._failure, 4096):
            failure += piece
        os.close(self._failure)
        if failure:
            os.waitpid(self.pid, 0)
            kind, _colon, detail = failure.decode("utf-8", "replace").partition(":")
            raise NotStarted(kind, detail)

    def give_up(self) -> None:
        """End it before it began."""
        os.close(self._gate_end)
        os.waitpid(self.pid, 0)

    def _pipe_pair(self) -> tuple[int, int]:
        (out, out_end), (err, err_end) = os.pipe(), os.pipe()
        self.streams = {out: STDOUT, err: STDERR}
        return out_end, err_end

    def _terminal_pair(self) -> tuple[int, int]:
        ours, theirs = os.openpty()
        rows, columns = self._document["terminal"]
        set_size(ours, rows, columns)
        os.set_blocking(ours, False)
        self.streams = {ours: TERMINAL}
        self.terminal = ours
        return theirs, theirs

    def _become(self, gate: int, failure: int) -> None:
        """In the child: turn into the command, or say why not. Never returns."""
        kind = "system"
        try:
            self._settle()
            if os.read(gate, 1) != b"!":
                os._exit(125)  # the runner died before it could write down who this is
            kind = "cwd"
            os.chdir(self._document["cwd"])
            kind = "shell"
            self._exec()
        except OSError as error:
            where = self._document["cwd" if kind == "cwd" else "shell"]
            write_all(failure, f"{kind}:{where}: {error.strerror}".encode("utf-8", "surrogateescape"))
        except ValueError as error:
            write_all(failure, f"system:{error}".encode("utf-8", "backslashreplace"))
        finally:
            os._exit(126)

    def _settle(self) -> None:
        """A session of its own, its own descriptors, default signals, the operator's umask, no core dumps."""
        out, err = self._outputs
        os.setsid()
        if self.terminal is None:
            stdin = os.open(os.devnull, os.O_RDONLY)
        else:
            stdin = out
            fcntl.ioctl(out, termios.TIOCSCTTY, 0)
        for source, target in ((stdin, 0), (out, 1), (err, 2)):
            os.dup2(source, target)
        for name in _RESET:
            signal.signal(getattr(signal, name), signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        os.umask(self._umask)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    def _exec(self) -> None:
        document = self._document
        environment = dict(document["env"])
        script, first, report = _high_descriptors()
        os.dup2(self._script, script)
        argv = [document["shell"], *document["arguments"]]
        if document["carries"]:
            os.dup2(in_memory(prelude(report)), first)
            os.dup2(self._report_end, report)
            environment["BASH_ENV"] = f"/dev/fd/{first}"
        os.execve(document["shell"], [*argv, f"/dev/fd/{script}"], environment)  # noqa: S606 - the permitted script is what this is for


def _permitted(document: Mapping[str, Any]) -> bool:
    """Whether the script and the values it will find are those that were confirmed, as far as the document says."""
    permit = document["permit"]
    if permit is None:
        return True
    values = {name: document["env"].get(name, "") for name in permit["values"]}
    identity = action_sha256(permit["language"], permit["target"], document["script"], values)
    return bool(identity == permit["sha256"])


def set_size(terminal: int, rows: int, columns: int) -> None:
    """Tell a terminal its size; whatever runs in it gets SIGWINCH.

    Raises:
        OSError: as ioctl.
    """
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def _high_descriptors() -> tuple[int, int, int]:
    """Three numbers that a script will hardly use itself, below the limit on open files."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    first = 210 if limit == resource.RLIM_INFINITY or limit > 220 else limit - 6
    return first, first + 1, first + 2


def _sha256(descriptor: int) -> str:
    """The hash of the bytes that the descriptor really holds."""
    digest = hashlib.sha256()
    offset = 0
    while block := os.pread(descriptor, 1 << 20, offset):
        digest.update(block)
        offset += len(block)
    return digest.hexdigest()
