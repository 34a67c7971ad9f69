"""A log on another machine: looked at by position with the few tools that every system has, one question a poll.

A file is known by its inode, and by the bytes before the place that was read to. When the path leads to another one
that file is looked for beside it by its inode, so that nothing of it is lost however it is called by now; so are those
that came and went in between, while the machine was away.
"""

from __future__ import annotations

import errno
import os
import time
from dataclasses import dataclass
from shlex import quote

from cockpit.adapters.far import Far
from cockpit.errors import CockpitError, Malformed, TimedOut
from cockpit.monitor.logs.left import Left, sha256
from cockpit.monitor.logs.opened import FINGERPRINT_BYTES, REMEMBERED_BYTES, FileKey, Memory, NotAFile
from cockpit.monitor.logs.place import OpenLog
from cockpit.words import _

CONTEXT_BYTES = 64 * 1024
_LEAST_BYTES, _FIRST_BYTES, _MOST_BYTES = 16 * 1024, 256 * 1024, 1024 * 1024
"""How much a poll brings: what a slow link brings in time, and no more than can be cleaned at leisure."""
_QUICK_S = 0.5
_AROUND_BYTES = 64 * 1024
_COMPRESSED = (".gz", ".bz2", ".xz", ".zst", ".lz4", ".Z", ".zip")

# st: "INODE MODE SIZE" of a path (`r` would be an alias where /bin/sh is a Korn shell). w: how a path stands, and what
# it is without links. l: a range of the file with that inode, with what it is before and after, since it may be moved
# meanwhile. `ls` and `dd` find sizes and places without reading; `stat` has other options on each system, and not every
# `wc` or `tail` skips what it need not read.
_WORDS = """s() {{ printf '\\n%s\\n' {mark}; }}
st() {{ set -f; set -- "$1" $(ls -Lldni -- "$1"); set +f; printf '%s %s %s\\n' "${{2:-0}}" "${{3:--}}" "${{7:-0}}"; }}
w() (
  f=$1; n=0
  while :; do
    case $f in */*) cd -P -- "${{f%/*}}/" || {{ [ -d "${{f%/*}}" ] && printf 'u' || printf 'm'; exit; }};; esac
    b=${{f##*/}}
    [ -L "./$b" ] && [ "$n" -lt 40 ] && f=$(readlink -- "./$b") || break
    n=$((n+1))
  done
  k=r; [ -r "./$b" ] || k=u; [ -e "./$b" ] || k=m
  printf '%s ' "$k"; st "./$b"; printf '%s/%s' "${{PWD%/}}" "$b"
)
l() (
  cd -- "$1" || {{ printf 'g'; s; exit; }}
  q=./$2; v=$(st "$q")
  case $v in "$3 "*) ;; *)
    q=./$(ls -1iA | while read -r i x; do [ "$i" = "$3" ] && {{ printf '%s' "$x"; break; }}; done)
    v=$(st "$q");;
  esac
  case $v in "$3 "*) ;; *) printf 'g'; s; exit;; esac
  z=${{v##* }}; e=$(($4+$5)); [ "$z" -lt "$e" ] && e=$z
  b=512; [ $((e-$4)) -gt 65536 ] && b=16384
  printf '%s %s %s\\n' "$z" "$b" "${{q#./}}"
  [ "$e" -gt "$4" ] && dd if="$q" bs="$b" skip=$(($4/b)) count=$(((e-$4/b*b+b-1)/b))
  s; st "$q"
)
"""


@dataclass(slots=True)
class Snapshot:
    """What a poll brought of one file: `data` from `start` on, of a file that was `size_bytes` long."""

    size_bytes: int = 0
    start: int = 0
    data: bytes = b""


class FarLog:
    """One file over there. See `OpenLog`. What is read comes out of the place's last poll."""

    def __init__(self, place: FarPlace, folder: str, name: str, inode: int, size_bytes: int) -> None:
        self.key: FileKey = (0, inode)
        self.offset = 0
        self.folder = folder
        self.name = name
        self.gone = False
        self.brought = Snapshot(size_bytes)
        self._place = place
        self._head = b""
        self._tail = b""

    @property
    def inode(self) -> int:
        """What it is known by."""
        return self.key[1]

    @property
    def memory(self) -> Memory:
        """What was read so far."""
        return Memory(self.offset, self._head, self._tail)

    @property
    def behind(self) -> bool:
        """Whether there is more than the poll brought."""
        return not self.gone and bool(self.brought.data) and self.brought.size_bytes > self.offset

    @property
    def remembered_from(self) -> int:
        """Where the bytes begin that tell whether it is still the same."""
        return max(0, self.offset - REMEMBERED_BYTES)

    def size_bytes(self) -> int:
        """How long it was at the last poll."""
        return self.brought.size_bytes

    def pread(self, size_bytes: int, at: int) -> bytes:
        """So many bytes from there, asked for now; empty when they can't be had."""
        try:
            found = self._place.slice_of(self, at, size_bytes)
        except CockpitError:
            return b""
        return found.data[at - found.start :][:size_bytes] if found else b""

    def to_last_line(self) -> None:
        """Go to the beginning of the line that is being written; what stands before it is the place's `context`."""
        start = max(0, self.size_bytes() - CONTEXT_BYTES)
        found = self._place.slice_of(self, start, CONTEXT_BYTES)
        if found is None:
            return
        data = found.data[start - found.start :]
        end = start + data.rfind(b"\n") + 1
        first = data.find(b"\n") + 1 if start else 0
        self._place.context = data[first : end - start]
        self.offset = end if end > start or not start else start + len(data)
        self._tail = data[: self.offset - start][-REMEMBERED_BYTES:]
        self.brought = found

    def resume(self, offset: int) -> None:
        """Go on from there, taking what stands before it as known."""
        self.offset = offset
        self._head = self.pread(min(FINGERPRINT_BYTES, offset), 0) if offset else b""
        self._tail = self.pread(min(REMEMBERED_BYTES, offset), self.remembered_from) if offset else b""

    def go_on(self, left: Left, before: bytes) -> None:
        """Go to where it was left, given what stands before that place now."""
        tail = before[len(before) - left.tail_bytes :] if left.tail_bytes <= len(before) else b""
        self.offset = left.offset
        # Other bytes than those that were read there are noticed as a file that was written anew is.
        self._tail = tail if left.follows(tail) else b"\xff" * REMEMBERED_BYTES

    def tail_before(self, offset: int) -> bytes:
        """What is remembered of the bytes before that place, which is where reading stopped or shortly before."""
        surplus = self.offset - offset
        return self._tail[: len(self._tail) - surplus] if surplus < len(self._tail) else b""

    def is_same(self) -> bool:
        """Whether what was read still stands where it was, as far as the last poll tells."""
        if self.gone or not self.offset:
            return True
        if self.brought.size_bytes < self.offset:
            return False
        at = self.offset - len(self._tail) - self.brought.start
        seen = self.brought.data[at : at + len(self._tail)] if at >= 0 else b""
        return not seen or seen == self._tail

    def read(self, limit_bytes: int) -> bytes:
        """The next bytes that the last poll brought."""
        at = self.offset - self.brought.start
        data = self.brought.data[at : at + limit_bytes] if at >= 0 else b""
        if data:
            if len(self._head) < FINGERPRINT_BYTES and self.offset == len(self._head):
                self._head = (self._head + data)[:FINGERPRINT_BYTES]
            self._tail = (self._tail + data[-REMEMBERED_BYTES:])[-REMEMBERED_BYTES:]
            self.offset += len(data)
        return data

    def close(self) -> None:
        """It is not asked for any more."""
        self._place.forget(self)


class FarPlace:
    """A path on another machine. See `LogPlace`.

    Args:
        path: begins with "/" or "~/".
        deadline_s: of one question.
        left: where an earlier tail of it stopped.
    """

    def __init__(self, far: Far, path: str, deadline_s: float, left: Left | None = None) -> None:
        self._far = far
        self._left = left
        self._path = f'"$HOME"/{quote(path[2:])}' if path.startswith("~/") else quote(path)
        self._deadline_s = deadline_s
        self._open: list[FarLog] = []
        self._next: tuple[str, str, int, int] = ("", "", 0, 0)
        self._real = ""
        self._slice_bytes = _FIRST_BYTES
        self.context = b""
        """The lines before the place where reading began."""

    def left_off(self) -> tuple[FarLog, bytes] | None:
        """The file that was being read when the tail before this one stopped, at its place. See `LogPlace`."""
        left = self._left
        if left is None:
            return None
        log = FarLog(self, left.folder, left.name, left.inode, left.offset)
        found = self.slice_of(log, max(0, left.offset - CONTEXT_BYTES), min(left.offset, CONTEXT_BYTES))
        self._left, self._real = None, left.real
        before = found.data[max(0, left.offset - CONTEXT_BYTES) - found.start :] if found else b""
        before = before[: min(left.offset, CONTEXT_BYTES)]
        log.go_on(left, before)
        self._open.append(log)
        return log, before

    def standing_at(self, log: OpenLog | None, offset: int) -> Left | None:
        """That place in the file being read, for the record; None where there is none to note."""
        if not isinstance(log, FarLog) or log.gone:
            return None
        tail = log.tail_before(offset)
        return Left(log.folder, log.name, log.inode, offset, len(tail), sha256(tail), self._real)

    def look(self) -> FileKey:
        """How the path stands, and whatever was added to the files that are open. See `LogPlace`."""
        wanted = [(log, log.remembered_from) for log in self._open]
        ranges = [_range_of(log, at, self._slice_bytes) for log, at in wanted]
        parts = self._ask("; s; ".join([f"w {self._path}", *ranges]))
        for (log, at), said, after in zip(wanted, parts[1::2], parts[2::2], strict=False):
            log.brought = _brought(log, at, said, after) or log.brought
        folder, name, inode, size_bytes = self._standing(parts[0])
        if self._open and inode != self._open[-1].inode:
            folder, name, inode, size_bytes = self._between(folder, name) or (folder, name, inode, size_bytes)
        self._next = folder, name, inode, size_bytes
        return 0, inode

    def open(self) -> FarLog:
        """The file that was looked at. See `LogPlace`."""
        log = FarLog(self, *self._next)
        self._open.append(log)
        return log

    def require_readable(self) -> None:
        """Looking tells."""

    def real_path(self) -> str:
        """The path without links, as it was looked at."""
        return self._real

    def forget(self, log: FarLog) -> None:
        """Do not ask for that file any more."""
        if log in self._open:
            self._open.remove(log)

    def slice_of(self, log: FarLog, at: int, size_bytes: int) -> Snapshot | None:
        """A range of a file, asked for now; None when it is gone."""
        parts = self._ask(_range_of(log, at, size_bytes))
        return _brought(log, at, parts[0], parts[1]) if len(parts) > 1 else None

    def _ask(self, script: str) -> list[bytes]:
        mark = os.urandom(12).hex()
        begun_s = time.monotonic()
        most = len(self._open) * (self._slice_bytes + _AROUND_BYTES) + 4 * _AROUND_BYTES
        try:
            said = self._far.ask(f"{_WORDS.format(mark=mark)}{script}", deadline_s=self._deadline_s, most_bytes=most)
        except TimedOut:
            self._slice_bytes = max(_LEAST_BYTES, self._slice_bytes // 2)
            raise
        if time.monotonic() - begun_s < _QUICK_S:
            self._slice_bytes = min(_MOST_BYTES, self._slice_bytes * 2)
        return said.split(b"\n%s\n" % mark.encode())

    def _standing(self, said: bytes) -> tuple[str, str, int, int]:
        """The folder, name, inode and size of what the path leads to now."""
        head, _newline, real = said.partition(b"\n")
        words = head.split()
        if words[:1] == [b"m"]:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        if words[:1] == [b"u"]:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        if len(words) != 4 or not words[1].isdigit():
            raise Malformed(_("the machine's answer can't be understood"), where=self._far.name)
        if not words[2].startswith(b"-") or not words[3].isdigit():
            raise NotAFile(errno.EINVAL, "not a regular file")
        self._real = real.decode("utf-8", "surrogateescape")
        folder, _slash, name = self._real.rpartition("/")
        return folder or "/", name, int(words[1]), int(words[3])

    def _between(self, folder: str, name: str) -> tuple[str, str, int, int] | None:
        """The file that came right after the newest that is open, and has been moved aside as well."""
        newest = self._open[-1]
        said = self._far.ask(f"ls -1triA -- {quote(folder)}", deadline_s=self._deadline_s)
        lines = (line.split(maxsplit=1) for line in said.decode("utf-8", "surrogateescape").split("\n"))
        listed = [(int(line[0]), line[1]) for line in lines if len(line) == 2 and line[0].isdigit()]
        at = next((index for index, (inode, _name) in enumerate(listed) if inode == newest.inode), None)
        if at is None:
            return None
        for inode, other in listed[at + 1 :]:
            if other != name and other.startswith(name) and not other.endswith(_COMPRESSED):
                return folder, other, inode, 0
        return None


def _range_of(log: FarLog, at: int, size_bytes: int) -> str:
    # What tells whether the file is the same comes along.
    return f"l {quote(log.folder)} {quote(log.name)} {log.inode} {at} {size_bytes + REMEMBERED_BYTES}"


def _brought(log: FarLog, at: int, said: bytes, after: bytes) -> Snapshot | None:
    """What was said of a file from that place on; None when it is gone, or was moved meanwhile."""
    head, _newline, data = said.partition(b"\n")
    words = head.split(b" ", 2)
    log.gone = head == b"g"
    if log.gone or len(words) < 3 or after.split(b" ")[0] != str(log.inode).encode():
        return None
    size_bytes, block_bytes = int(words[0]), int(words[1])
    log.name = words[2].decode("utf-8", "surrogateescape")
    return Snapshot(size_bytes, at // block_bytes * block_bytes, data)
