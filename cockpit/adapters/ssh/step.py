"""A step on another machine, from start to end, through as many connections as it takes."""

from __future__ import annotations

import json
import math
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from cockpit.adapters.ssh import script
from cockpit.adapters.ssh.far_end import ending_of, passed_on, refusal_of
from cockpit.adapters.ssh.frames import Broken, Frame, frames
from cockpit.adapters.ssh.link import SshLink
from cockpit.adapters.ssh.sessions import Shell
from cockpit.adapters.ssh.streams import Streams
from cockpit.adapters.ssh.talk import Talk
from cockpit.errors import AccessDenied, AdapterError, CockpitError, TargetUnreachable
from cockpit.runs.files import write_whole
from cockpit.runs.recording import NOTE, Recorder
from cockpit.runs.shell_state import without_secrets
from cockpit.words import _

if TYPE_CHECKING:
    from paramiko import Channel

_BLOCK_BYTES = 1 << 17
_QUIET_S, _SEND_S, _ROOM_S = 0.2, 10.0, 2.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 15.0
_DENIED_PAUSE_S, _LONGEST_DENIED_PAUSE_S = 60.0, 300.0
"""Servers lock out whoever is refused again and again."""
_BEGIN_S = 30.0
_LOST: dict[str, Any] = {"ending": "lost", "exit_code": None, "signal": None}
_PAST_DEADLINE_S = 60.0
"""So long a link that is gone is waited for where the step's deadline has passed meanwhile, as where groups wait."""


class RemotePlace(Struct, frozen=True):
    """What remote.json keeps of a step, so that any later host can collect it.

    `folder` is its name over there; `brought` are variables that earlier steps exported, secrets left out; `printed` is
    as of `RunRequest`.
    """

    folder: str
    cwd: str | None
    timeout_s: float | None
    began: float
    brought: dict[str, str]
    printed: str = ""


class RemoteStep:
    """Follows one step in a thread of its own. What it says is recorded as a local run's is.

    Standard output and error go to one file over there, so that their order is true; which is which is noted beside it.

    Args:
        folder: the run's folder here.
        secrets: exact values to mask.
        ended: called in that thread, once `end` and `passed_on` are known.
    """

    def __init__(
        self,
        link: SshLink,
        folder: Path,
        place: RemotePlace,
        secrets: Sequence[str],
        *,
        output_cap_bytes: int,
        grace_s: float,
        ended: Callable[[], None],
    ) -> None:
        self.link = link
        self.folder = folder
        self.place = place
        self.pid: int | None = None
        self.end: dict[str, Any] = {}
        self.passed_on: dict[str, Any] = {}
        self._secrets = secrets
        self._recorder = Recorder(str(folder), secrets, output_cap_bytes, place.printed)
        self._output = (folder / "output").stat().st_ino
        self._grace_s = grace_s
        self._ended = ended
        self._streams = Streams()
        self._said: dict[str, bytes] = {}
        self._nonce = os.urandom(12).hex()
        self._seen = False
        self._begun = threading.Event()
        self._refused: CockpitError | None = None
        self._out_of_time = False
        self._survivors: list[int] = []
        self._given_up = threading.Event()
        self._gone_m: float | None = None
        self._told = ""
        self._noted: dict[str, bool] = {}
        self._shell: Shell | None = None
        self._following: Shell | None = None
        self._aside = False

    def start(self, text: str, environment: Mapping[str, str], still: Callable[[], None]) -> None:
        """Start it over there; returns once it runs, or once it is not known whether it does.

        Args:
            still: looks once more whether it may run, when the connection is there; raises what is against it.

        Raises:
            CockpitError: it did not start, and will not.
        """
        sent = script.start(self.place.folder, self._nonce, text, environment=environment, cwd=self.place.cwd)
        try:
            shell = self.link.shell(still=still)
        except CockpitError:
            self._recorder.finish()
            raise
        self._follow_from(shell, sent)
        if not self._begun.wait(_BEGIN_S):
            self._begun.set()  # its home may hang; under way it can be cancelled, and is followed to its end
        if self._refused:
            raise self._refused

    def start_talking(
        self, text: str, environment: Mapping[str, str], size: tuple[int, int], still: Callable[[], None]
    ) -> None:
        """Start it over there on a terminal of (rows, columns). `still`: see `start`.

        Raises:
            CockpitError: it did not start, and will not.
        """
        name = self.place.folder
        try:
            said = self.link.say(
                script.prepare(name, self._nonce, text, environment=environment, cwd=self.place.cwd)
            ).decode("utf-8", "replace")
            if not said.endswith("ready\n"):
                why = said.rpartition("\ne ")[2].strip() if "\ne " in said else "never"
                raise refusal_of(why, str(self.link.address))
            channel = self.link.terminal(script.enter(name), *size, still)
        except CockpitError:
            self._recorder.finish()
            raise
        self._seen = True
        self._begun.set()
        talk = Talk(self.folder, channel, self._recorder, self._cancel_soon)
        threading.Thread(target=self._talk, args=(talk, channel), name=f"ssh-{self.folder.name}", daemon=True).start()

    def adopt(self) -> None:
        """Go on following one that another host started; its output is fetched again from its first byte."""
        self._seen = True
        self._begun.set()
        self._follow_from(None, b"")

    @property
    def out_of_touch_s(self) -> float:
        """For how long the link has been gone; 0 while it is there."""
        gone_m = self._gone_m
        return 0.0 if gone_m is None else time.monotonic() - gone_m

    def give_up(self) -> None:
        """Wait for the link no longer: how it ends is then not known."""
        self._given_up.set()

    def cancel(self, why: str) -> None:
        """Ask it to end. `why` is cancelled or timed-out. Blocks until it was told, or the far side is given up.

        A far side that can't be reached is not waited for: the end is then not known, and the record says so.

        Raises:
            TargetUnreachable: it could not be told, and is still followed.
        """
        order = script.cancel(self.place.folder, why, self._grace_s)
        try:
            said = self._said_in_spite(order)
        except AdapterError:
            if self._following is not None and self.link.up:
                raise
            self._given_up.set()
            return
        _word, _space, pids = said.decode("ascii", "replace").partition("survivors ")
        self._survivors = [int(pid) for pid in pids.split() if pid.isdigit()]

    def _said_in_spite(self, order: bytes) -> bytes:
        """What the far side says to it. Where the server gives no further session, what follows the step makes room."""
        following = self._following
        try:
            return self.link.say(order, timeout_s=_ROOM_S)
        except TargetUnreachable:
            if following is None or not self.link.up:
                raise
        self._aside = True
        following.channel.close()
        return self.link.say(order)

    # -- following, in the thread ------------------------------------------------------------------------------------

    def _follow_from(self, shell: Shell | None, sent: bytes) -> None:
        name = f"ssh-{self.folder.name}"
        threading.Thread(target=self._follow, args=(shell, sent), name=name, daemon=True).start()

    def _talk(self, talk: Talk, channel: Channel) -> None:
        """To the end of the talk, then collect how it ended."""
        try:
            talk.until_over(self.link.heard)
        except (OSError, EOFError) as error:
            self._say(_("the link is gone ({error}); the step ends with its terminal"), error)
        finally:
            self.link.done(channel)
        self._follow(None, b"")

    def _cancel_soon(self) -> None:
        threading.Thread(target=self._cancel_aside, args=("cancelled",), daemon=True).start()

    def _cancel_aside(self, why: str) -> None:
        try:
            self.cancel(why)
        except AdapterError:
            self._out_of_time = False  # it is tried again

    def _follow(self, shell: Shell | None, sent: bytes) -> None:
        """To its end. `shell`, if there is one, is sent the first order; later ones only ask how it goes on."""
        pause_s = _FIRST_PAUSE_S
        try:
            while not self._given_up.is_set():
                try:
                    self._read(shell or self.link.shell(), sent or self._rest())
                    return
                except (Broken, TargetUnreachable, OSError) as error:
                    if not self._aside:
                        self._lose_touch(_("the link is gone ({error}); the step may go on there; trying again"), error)
                    self._aside = False
                except AccessDenied as error:
                    # Until a person has answered, a key is in the agent again, or what is known of it was mended.
                    self._lose_touch(_("the step may go on there, but nobody is let in: {error}; trying again"), error)
                    pause_s = min(max(_DENIED_PAUSE_S, pause_s), _LONGEST_DENIED_PAUSE_S)
                except AdapterError as error:
                    # Trying again helps as little as waiting.
                    self._say(_("the step may go on there, and can't be followed: {error}"), error)
                    return
                shell, sent = None, b""
                self._begun.set()
                if self._overdue and self.out_of_touch_s > _PAST_DEADLINE_S:
                    self._note(_("its deadline has passed, and it is not known whether it still runs"))
                    return
                self._given_up.wait(pause_s)
                longest_s = _LONGEST_DENIED_PAUSE_S if pause_s >= _DENIED_PAUSE_S else _LONGEST_PAUSE_S
                pause_s = min(pause_s * 2, longest_s)
        finally:
            self._finish()

    def _rest(self) -> bytes:
        name, streams = self.place.folder, self._streams
        if not self._seen:
            return script.claim(name, self._nonce)
        return script.follow(name, self._nonce, streams.offset, streams.marked)

    def _read(self, shell: Shell, order: bytes) -> None:
        sound, self._following = False, shell
        try:
            shell.channel.settimeout(_SEND_S)
            shell.send(order)
            self._gone_m, self._told = None, ""
            shell.channel.settimeout(_QUIET_S)
            for frame in frames(lambda: self._next(shell.channel), self._nonce):
                self._take(frame)
            sound = True
        finally:
            self._following = None
            if sound:
                self._shell = shell  # to clear up behind the step
            else:
                self.link.give_back(shell, sound=False)

    def _next(self, channel: Channel) -> bytes:
        while True:
            try:
                piece: bytes = channel.recv(_BLOCK_BYTES)
            except TimeoutError:
                self._recorder.idle()
                self._mind_the_deadline()
                continue
            if piece:
                self.link.heard()
            self._mind_the_deadline()
            return piece

    @property
    def _overdue(self) -> bool:
        return time.time() > self.place.began + (self.place.timeout_s or math.inf)

    def _mind_the_deadline(self) -> None:
        if self._overdue and not self._out_of_time:
            self._out_of_time = True
            threading.Thread(target=self._cancel_aside, args=("timed-out",), daemon=True).start()

    def _take(self, frame: Frame) -> None:
        if frame.kind == "o":
            for stream, part in self._streams.parted(frame.data):
                self._recorder.take(stream, part)
        elif frame.kind == "m":
            self._streams.mark(frame.data)
        elif frame.kind in ("given", "report"):
            self._said[frame.kind] = frame.data
        elif frame.kind == "s":
            self.pid = int(frame.text) if frame.text.isdigit() else None
        elif frame.kind == "h":
            self._recorder.sync()
        else:
            self._end_with(frame)
        if frame.kind in ("s", "o", "x", "l"):
            self._seen = True
        if frame.kind == "s":
            self._begun.set()

    def _end_with(self, frame: Frame) -> None:
        if frame.kind == "f":
            self._noted["disk_full"] = True
        elif frame.kind == "x" and frame.text.startswith("cwd"):
            self._refused = refusal_of(f"cwd {self.place.cwd}", str(self.link.address))
        elif frame.kind == "x":
            self.end = ending_of(frame.text, reported=bool(self._said.get("report")))
        elif frame.kind == "l":
            self.end = {**_LOST, "rebooted": frame.text == "rebooted"}
        elif frame.kind == "e" and not self._collected_meanwhile():
            refused = refusal_of(frame.text, str(self.link.address))
            if frame.text == "vanished":
                self.end = {**_LOST, "gone": refused.what}
            else:
                self._refused = refused

    def _collected_meanwhile(self) -> bool:
        """Whether its end is on record here already, by another that followed it too."""
        try:
            self.end = json.loads((self.folder / "exit.json").read_bytes())
        except (OSError, ValueError):
            return False
        return True

    def _lose_touch(self, text: str, error: Exception) -> None:
        """Told once for each reason: a night without a link is not thousands of lines."""
        self._gone_m = self._gone_m or time.monotonic()
        if str(error) != self._told:
            self._told = str(error)
            self._say(text, error)

    def _say(self, text: str, error: Exception) -> None:
        self._note(text.format(error=error))

    def _note(self, text: str) -> None:
        self._recorder.take(NOTE, f"\n[cockpit: {text}]\n".encode())
        self._recorder.idle()

    def _finish(self) -> None:
        kept = self._recorder.finish()
        lost = {**_LOST, "elsewhere": str(self.link.address), "kept_at": script.usual_place(self.place.folder)}
        if self._refused and self._begun.is_set():
            lost["never_began"] = self._refused.what
        self.end = {**(self.end or lost), **kept, **self._noted, "survivors": self._survivors, "t": time.time()}
        self.end["duration_s"] = max(0.0, self.end["t"] - self.place.began)
        self.passed_on = passed_on(self._said, self.place.cwd, self.place.brought, self.end)
        kept_here = self._is_ours() and (self._begun.is_set() or not self._refused) and self._write_down()
        self._begun.set()
        self._ended()
        self._clear_up(forget=kept_here and (self.end["ending"] != "lost" or bool(self.end.get("never_began"))))

    def _is_ours(self) -> bool:
        """Whether nobody has taken the run over meanwhile; who did writes its end down."""
        try:
            return (self.folder / "output").stat().st_ino == self._output
        except OSError:
            return False

    def _write_down(self) -> bool:
        """Whether the end is on record here. If not, the host hears of it all the same, and what is there is kept."""
        folder = str(self.folder)
        try:
            write_whole(folder, "carried.json", without_secrets(self.passed_on, self._secrets), durable=False)
            write_whole(folder, "exit.json", self.end, durable=True)
        except OSError:
            return False
        return True

    def _clear_up(self, *, forget: bool) -> None:
        """Have its folder removed, once all of it is on record here; else it stays, for its operator alone to read."""
        shell, self._shell = self._shell, None
        if shell is None:
            return
        try:
            if forget:
                shell.send(script.forget(self.place.folder))
        except (OSError, EOFError):
            self.link.give_back(shell, sound=False)
        else:
            self.link.give_back(shell, sound=True)
