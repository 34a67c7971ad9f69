"""The runner: `python -I -S runner.py`, one JSON document on stdin, a line to the starter on stdout.

It outlives its starter. Three processes: the keeper (leader of a session of its own), the runner (records, keeps time,
obeys `control`), and the command (leader of another session, so that signals for it reach nobody else).

    starter ── keeper ── runner ── command
                  └ holds the command's pipes and never reads them while the runner lives

The keeper is why the command survives a runner that is killed: redaction means the command cannot write to the file
itself, and a pipe without a reader would kill it at its next word. When the runner is gone the keeper reads on and
throws away, so the command ends as it would have; only its status and its later words are lost, and the folder says
so (`runner.json` without `exit.json`). The same holds for a server that a step left behind, with the step's pipe in
its hands.

Document: {folder, script, sha256, shell, arguments, command, carries, env, brought, cwd, secrets, timeout_s, grace_s,
terminal, umask, permit, output_cap_bytes, printed}. `shell` is run with `arguments` and a file that holds `script`;
`carries` is null where it is no shell and has no state to hand on. `umask` null is that of this process. `permit`
{sha256, language, target, values} is what was confirmed, null where the program looks at that itself. Secrets are in
the document alone: never in an argv, in this process's environment, or on disk.
Lines to the starter: {"started": {pid, child}} or {"failed": {kind, detail}}; at the end {"carried": {cwd, variables,
lost}}; then end of file, whatever happened.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time

# The starter gives the absolute path. Last in line, so that nothing beside the package hides the standard library.
sys.path.append(__file__.rsplit("/", 3)[0])

from cockpit.runs.child import Child, NotStarted
from cockpit.runs.files import ABANDONED, reserve, write_whole
from cockpit.runs.process import boot_id, process_start_time
from cockpit.runs.recording import Recorder
from cockpit.runs.shell_state import carried, reported, without_secrets
from cockpit.runs.supervision import Supervisor
from cockpit.safety.memory import no_core_dumps

# typing.TYPE_CHECKING would cost the import of typing, which is a tenth of the time a step takes to start.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_HELD_OPEN = 3
"""The runner's exit code when somebody still holds the command's pipes."""
_STARTER_PATIENCE_S = 5.0
_AHEAD_S = 0.1
"""Who has something to run writes it down sooner than this."""


def main() -> int:
    """Read the document, step out of the starter's way, and run it. Returns the exit code of whichever process."""
    umask = os.umask(0o077)
    no_core_dumps()  # and no more: hosts look this process up in /proc
    _warm_up_while_nothing_comes()
    told = sys.stdin.buffer.read()
    if not told:
        return 0  # its starter needs it no more, or is gone
    document = json.loads(told)
    if document["umask"] is not None:
        umask = document["umask"]
    starter = _Starter(os.dup(1))
    _let_go_of_the_terminal()
    try:
        child = Child(document, umask)
    except NotStarted as error:
        return starter.failed(error.kind, error.detail)
    except OSError as error:
        return starter.failed("system", str(error.strerror))
    if os.fork():
        return 0
    os.setsid()
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP):
        signal.signal(number, signal.SIG_IGN)
    runner = os.fork()
    if runner:
        starter.close()
        return _keep(child, runner)
    return _run(document, child, starter)


def _warm_up_while_nothing_comes() -> None:
    """A runner that was started ahead has time to import what the first output will need."""
    if not select.select([0], [], [], _AHEAD_S)[0]:
        import cockpit.safety.redaction.redactor  # noqa: F401 - for the recorder, which asks for it again


def _let_go_of_the_terminal() -> None:
    os.chdir("/")
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    os.close(nothing)


def _keep(child: Child, runner: int) -> int:
    """The keeper: hold the pipes; once the runner is gone, read on for as long as anybody writes."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    child.close_command_ends()
    _pid, status = os.waitpid(runner, 0)
    if status == 0:
        return 0
    held = [*child.streams, child.report]
    while held:
        for descriptor in select.select(held, [], [])[0]:
            try:
                chunk = os.read(descriptor, 1 << 16)
            except OSError:
                chunk = b""
            if not chunk:
                held.remove(descriptor)
    return 0


def _run(document: Mapping[str, Any], child: Child, starter: _Starter) -> int:
    """The runner itself: begin on the record, follow to the end, write the end down."""
    folder = document["folder"]
    try:
        reserve(folder, "exit.json")
        recorder = Recorder(folder, document["secrets"], document["output_cap_bytes"], document["printed"])
        os.mkfifo(f"{folder}/control", 0o600)
        # For reading and writing: with no writer left it would otherwise report an end of file for ever.
        control = os.open(f"{folder}/control", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        child.fork()
        # A TERM that comes before the supervisor can answer it must wait, and not be the end of the record.
        signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM,))
        identity = _identity(child)
        write_whole(folder, "runner.json", identity, durable=False)
        if os.access(f"{folder}/{ABANDONED}", os.F_OK):
            child.give_up()
            raise NotStarted("system", "it was given up before it began")
        child.let_go()
    except NotStarted as error:
        write_whole(folder, "exit.json", _never_began(error.detail), durable=True)
        return starter.failed(error.kind, error.detail)
    except OSError as error:
        return starter.failed("system", f"{error.filename or folder}: {error.strerror}")
    starter.tell({"started": identity})
    try:
        return _follow(document, Supervisor(child, recorder, control, document), starter)
    except BaseException:
        _say_why(folder)
        raise


def _follow(document: Mapping[str, Any], supervisor: Supervisor, starter: _Starter) -> int:
    end = supervisor.follow()
    state, passed_on = _passed_on(document, supervisor.report)
    end |= state
    _write_end(document, end, passed_on)
    starter.tell({"ended": end})
    starter.tell({"carried": passed_on})
    starter.close()
    return _HELD_OPEN if end["held_open"] else 0


def _identity(child: Child) -> dict[str, Any]:
    return {
        "pid": os.getpid(),
        "start_time": process_start_time(os.getpid()),
        "boot_id": boot_id(),
        "child": child.pid,
        "child_start_time": process_start_time(child.pid),
        "pgid": child.pid,
        "keeper": os.getppid(),
        "m": time.monotonic_ns(),
        "t": time.time(),
    }


def _never_began(detail: str) -> dict[str, Any]:
    return {"ending": "lost", "exit_code": None, "signal": None, "never_began": detail, "t": time.time()}


def _passed_on(document: Mapping[str, Any], report: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """What exit.json says of the shell, and what the next step gets."""
    if document["carries"] is None:
        return {"pipe_status": [], "cwd": document["cwd"]}, {}
    state = reported(report) if document["carries"] else None
    if state is None:
        said = {"state_reported": False, "pipe_status": [], "cwd": document["cwd"]}
        return said, {"cwd": document["cwd"], "variables": document["brought"], "lost": []}
    variables, refused = carried(state, document["env"], document["brought"])
    said = {"state_reported": True, "pipe_status": state.pipe_status, "cwd": state.cwd}
    return said, {"cwd": state.cwd, "variables": variables, "lost": refused}


def _write_end(document: Mapping[str, Any], end: dict[str, Any], passed_on: Mapping[str, Any]) -> None:
    """carried.json without secrets, then exit.json: who sees the second finds the first."""
    folder = document["folder"]
    end |= {"t": time.time(), "m": time.monotonic_ns()}
    kept = passed_on
    if passed_on.get("variables") or end["cwd"] != document["cwd"]:
        kept = without_secrets(passed_on, document["secrets"])
        end["cwd"] = kept["cwd"]
    for name, content, durable in (("carried.json", kept, False), ("exit.json", end, True)):
        try:
            write_whole(folder, name, content, durable=durable)
        except OSError:
            continue  # the starter, if it is still there, hears the end through the pipe


class _Starter:
    """The line to whoever started this. It may be gone, or slow; neither may hold anything up for long."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        os.set_blocking(descriptor, False)

    def tell(self, message: object) -> None:
        left = json.dumps(message).encode("ascii") + b"\n"
        try:
            while left and select.select([], [self._descriptor], [], _STARTER_PATIENCE_S)[1]:
                left = left[os.write(self._descriptor, left) :]
        except OSError:
            pass

    def failed(self, kind: str, detail: str) -> int:
        self.tell({"failed": {"kind": kind, "detail": detail}})
        self.close()
        return 1

    def close(self) -> None:
        os.close(self._descriptor)


def _say_why(folder: str) -> None:
    """Leave the traceback in the run's folder: there is nobody else to tell. It names lines of code, never values."""
    import traceback

    text = "".join(traceback.format_tb(sys.exc_info()[2])) + repr(sys.exc_info()[0])
    write_whole(folder, "runner-failed.json", {"traceback": text}, durable=False)


if __name__ == "__main__":
    # Neither exit handlers nor buffers are shared between the three processes.
    os._exit(main())
