"""Following one command to its end: output, deadline, orders from the control pipe, who is left. Stdlib only."""

from __future__ import annotations

import binascii
import errno
import json
import os
import resource
import select
import signal
import time

from cockpit.runs.child import Child, set_size
from cockpit.runs.process import process_table, relatives
from cockpit.runs.recording import Recorder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_READ_BYTES = 1 << 16
_SYNC_S = 1.0
_DRAIN_S = 0.5
"""How long output may still come once the command itself is over: others may hold its pipe for days."""
_AFTER_KILL_S = 2.0
_REPORT_LIMIT_BYTES = 16 << 20
_ORDER_LIMIT_BYTES = 1 << 16
_SIGNALS = ("TERM", "INT", "KILL", "HUP", "QUIT")
_WARM_UP_S = 0.005
"""A command that is over before this pays for no import it does not need."""
_NEVER = float("inf")


class Supervisor:
    """One command under way.

    Signals go to the command's process group, and only while its leader is not yet reaped: until then its number can
    belong to nobody else.
    """

    def __init__(self, child: Child, recorder: Recorder, control: int, document: Mapping[str, Any]) -> None:
        self._child = child
        self._recorder = recorder
        self._control = control
        self._orders = b""
        self._input = b""
        self._grace_s: float = document["grace_s"]
        self._marker = f"COCKPIT_RUN={document['folder']}"
        self._idle_s = 0.02 if child.terminal is not None else 0.2
        self.report = b""
        self._began = time.monotonic()
        self._deadline = self._began + document["timeout_s"] if document["timeout_s"] else _NEVER
        self._kill_at = self._give_up_at = self._drain_until = self._idle_at = _NEVER
        self._warm_up_at = self._began + _WARM_UP_S
        self._sync_at = _NEVER
        self._stopping = ""
        self._exited = False
        self._status: int | None = None
        self._usage: resource.struct_rusage | None = None
        self._wake, self._wake_end = os.pipe()
        os.set_blocking(self._wake_end, False)

    def follow(self) -> dict[str, Any]:
        """To the end. Returns what exit.json says, but for the shell's state."""
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        signal.signal(signal.SIGTERM, lambda _number, _frame: self._stop("cancelled"))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGTERM,))
        signal.set_wakeup_fd(self._wake_end, warn_on_full_buffer=False)
        self._look_for_exit()
        while not self._over():
            self._turn()
        return self._end()

    # -- one turn of the loop --------------------------------------------------------------------------------------

    def _turn(self) -> None:
        reading = [self._control, self._wake, *self._child.streams]
        if self._child.report >= 0:
            reading.append(self._child.report)
        writing = [self._child.terminal] if self._input and self._child.terminal is not None else []
        readable, writable, _errors = select.select(reading, writing, [], self._patience_s())
        for descriptor in readable:
            self._read(descriptor)
        if writable:
            self._type()
        self._keep_time()

    def _patience_s(self) -> float | None:
        now = time.monotonic()
        soonest = min(
            self._deadline,
            self._kill_at,
            self._give_up_at,
            self._drain_until,
            self._idle_at,
            self._sync_at,
            self._warm_up_at,
        )
        if self._exited and self._stopping:
            soonest = min(soonest, now + 0.05)  # the group's other members tell nobody when they end
        return max(0.0, soonest - now) if soonest < _NEVER else None

    def _read(self, descriptor: int) -> None:
        try:
            chunk = os.read(descriptor, _READ_BYTES)
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.EINTR):
                return
            chunk = b""  # a terminal whose last user has gone answers EIO
        if descriptor == self._wake:
            self._look_for_exit()
        elif descriptor == self._control:
            self._obey(chunk)
        elif descriptor == self._child.report:
            self._take_report(chunk)
        elif chunk:
            self._recorder.take(self._child.streams[descriptor], chunk)
            now = time.monotonic()
            self._idle_at = now + self._idle_s
            self._sync_at = min(self._sync_at, now + _SYNC_S)
        else:
            self._close(descriptor)

    def _close(self, descriptor: int) -> None:
        del self._child.streams[descriptor]
        os.close(descriptor)
        if descriptor == self._child.terminal:
            self._child.terminal = None

    def _take_report(self, chunk: bytes) -> None:
        self.report += chunk
        if not chunk or len(self.report) > _REPORT_LIMIT_BYTES:
            os.close(self._child.report)
            self._child.report = -1

    def _keep_time(self) -> None:
        now = time.monotonic()
        if now >= self._warm_up_at:
            self._warm_up_at = _NEVER
            self._recorder.warm_up()
        if now >= self._idle_at:
            self._idle_at = _NEVER
            self._recorder.idle()
        if now >= self._sync_at:
            self._sync_at = _NEVER
            self._recorder.sync()
        if now >= self._deadline:
            self._deadline = _NEVER
            self._stop("timed-out")
        if now >= self._kill_at:
            self._kill_at = _NEVER
            self._give_up_at = now + _AFTER_KILL_S
            self._signal(signal.SIGKILL)

    # -- orders ----------------------------------------------------------------------------------------------------

    def _obey(self, chunk: bytes) -> None:
        *lines, rest = (self._orders + chunk).split(b"\n")
        self._orders = rest[-_ORDER_LIMIT_BYTES:]
        for line in lines:
            try:
                order = json.loads(line)
                self._carry_out(order)
            except (ValueError, TypeError, AttributeError, OSError):
                continue  # an order that can't be understood is no reason to leave the command alone

    def _carry_out(self, order: Mapping[str, Any]) -> None:
        if order.get("cancel"):
            self._stop("cancelled")
        if order.get("signal") in _SIGNALS:
            self._signal(getattr(signal, f"SIG{order['signal']}"))
        if "input" in order and self._child.terminal is not None:
            self._input += binascii.a2b_base64(order["input"])
        if "resize" in order and self._child.terminal is not None:
            rows, columns = order["resize"]
            set_size(self._child.terminal, int(rows), int(columns))

    def _type(self) -> None:
        if self._child.terminal is None:
            return
        try:
            self._input = self._input[os.write(self._child.terminal, self._input[:_READ_BYTES]) :]
        except BlockingIOError:
            pass  # its reader is slow; select tells when there is room
        except OSError:
            self._input = b""

    def _stop(self, why: str) -> None:
        """TERM now, KILL after the grace. A second order changes nothing."""
        if self._stopping or self._exited:
            return
        self._stopping = why
        self._kill_at = time.monotonic() + self._grace_s
        self._signal(signal.SIGTERM)
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        if self._status is not None and not self._group():
            return
        try:
            os.killpg(self._child.pid, number)
        except OSError:
            pass

    # -- the end ---------------------------------------------------------------------------------------------------

    def _look_for_exit(self) -> None:
        """Notice the command's end without reaping it, where the system can."""
        if self._exited:
            return
        if hasattr(os, "waitid"):
            options = os.WEXITED | os.WNOHANG | os.WNOWAIT
            self._exited = os.waitid(os.P_PID, self._child.pid, options) is not None
        else:
            self._exited = self._reap(os.WNOHANG)
        if self._exited:
            self._drain_until = time.monotonic() + _DRAIN_S

    def _reap(self, options: int) -> bool:
        if self._status is None:
            pid, status, usage = os.wait4(self._child.pid, options)
            if pid:
                self._status, self._usage = status, usage
        return self._status is not None

    def _over(self) -> bool:
        now = time.monotonic()
        if now >= self._give_up_at:
            return True
        if not self._exited:
            return False
        if self._stopping and self._group():
            return False
        return not self._child.streams or now >= self._drain_until

    def _group(self) -> list[int]:
        """Members of the command's group that are alive."""
        leader = self._child.pid
        return [p.pid for p in process_table() if p.group == leader and p.session == leader and p.state != "Z"]

    def _end(self) -> dict[str, Any]:
        self._take_what_is_left()
        duration_s = time.monotonic() - self._began
        reaped = self._reap(os.WNOHANG)
        end = self._recorder.finish()
        held_open = bool(self._child.streams)
        return {
            "ending": self._stopping or self._ending(),
            **_how(self._status),
            "duration_s": duration_s,
            **end,
            "held_open": held_open,
            "survivors": self._survivors(held_open, reaped),
            "rusage": _used(self._usage),
        }

    def _take_what_is_left(self) -> None:
        """What is in the pipes at this moment, and no waiting for more."""
        for _round in range(64):
            fds = [fd for fd in (*self._child.streams, self._child.report) if fd >= 0]
            readable = select.select(fds, [], [], 0)[0]
            if not readable:
                return
            for descriptor in readable:
                self._read(descriptor)

    def _ending(self) -> str:
        return "signalled" if self._status is not None and os.WIFSIGNALED(self._status) else "exited"

    def _survivors(self, held_open: bool, reaped: bool) -> list[int]:
        if reaped and not held_open and not self._stopping:
            try:
                os.killpg(self._child.pid, 0)
            except ProcessLookupError:
                return []  # the usual case, without a look at every process of the machine
            except PermissionError:
                pass
        left = relatives(self._child.pid, self._marker)
        return left if reaped else [self._child.pid, *left]


def _how(status: int | None) -> dict[str, Any]:
    if status is None:
        return {"exit_code": None, "signal": None, "core": False}
    if os.WIFSIGNALED(status):
        return {"exit_code": None, "signal": os.WTERMSIG(status), "core": os.WCOREDUMP(status)}
    return {"exit_code": os.WEXITSTATUS(status), "signal": None, "core": False}


def _used(usage: resource.struct_rusage | None) -> dict[str, float]:
    if usage is None:
        return {}
    return {"user_s": usage.ru_utime, "system_s": usage.ru_stime, "max_rss": usage.ru_maxrss}
