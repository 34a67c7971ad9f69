"""The journal's one writer: append-only, hash-chained, durable when asked, honest about what it could not save."""

from __future__ import annotations

import errno
import fcntl
import json
import os
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from cockpit.errors import JournalError
from cockpit.runs.process import boot_id
from cockpit.session.record.chain import MAX_RECORD_BYTES, TORN_END, sealed_line
from cockpit.session.record.clock import Clock, SystemClock, rfc3339
from cockpit.session.record.event import Event
from cockpit.session.record.folder import SessionFolder
from cockpit.session.record.recovery import Recovered, recover
from cockpit.session.record.secrets import redacted
from cockpit.session.record.writer_lock import WriterLock
from cockpit.words import _

_FLAGS = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW


class Disk(Protocol):
    """The calls that can fail under a journal, as a seam: tests make the n-th one fail."""

    def write(self, descriptor: int, data: bytes) -> int:
        """As os.write: how many bytes were taken."""

    def fsync(self, descriptor: int) -> None:
        """Put the file on the medium itself."""

    def ftruncate(self, descriptor: int, size: int) -> None:
        """As os.ftruncate."""


class SystemDisk:
    """The real calls."""

    def write(self, descriptor: int, data: bytes) -> int:
        """As os.write."""
        return os.write(descriptor, data)

    def fsync(self, descriptor: int) -> None:
        """fsync; on macOS F_FULLFSYNC, since fsync there leaves the bytes in the drive's cache."""
        full_sync: int | None = getattr(fcntl, "F_FULLFSYNC", None)
        if full_sync is None:
            os.fsync(descriptor)
        else:
            fcntl.fcntl(descriptor, full_sync)

    def ftruncate(self, descriptor: int, size: int) -> None:
        """As os.ftruncate."""
        os.ftruncate(descriptor, size)


class Journal:
    """The record of one session, held by one writer at a time. Made by `open`."""

    def __init__(
        self,
        folder: SessionFolder,
        lock: WriterLock,
        *,
        clock: Clock,
        disk: Disk,
        redact: Callable[[str], str] | None,
    ) -> None:
        self._folder = folder
        self._lock = lock
        self._clock = clock
        self._disk = disk
        self._redact = redact
        self._boot = boot_id()
        self._torn_from: int | None = None
        self._suspect = ""
        try:
            self._descriptor = os.open(folder.journal, _FLAGS, 0o600)
            self._head_file = os.open(
                folder.path / "journal.head", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
            )
        except OSError as error:
            raise _unwritable(folder, error) from error
        self._seq = 0
        self._hash = ""

    @classmethod
    def open(
        cls,
        folder: SessionFolder,
        clock: Clock | None = None,
        *,
        redact: Callable[[str], str] | None = None,
        disk: Disk | None = None,
    ) -> Journal:
        """Become the writer of the session and go on where its journal ends.

        An unterminated last line is moved to `journal.jsonl.torn-OFFSET`; that, or a damaged or missing end, is said
        in a `journal.recovered` record.

        Args:
            folder: the session.
            clock: the machine's own when None.
            redact: applied to every text inside `data`, by itself and as the value of its key, before it is hashed and
                written. Keys are left alone.
            disk: the real one when None.

        Raises:
            NotTheWriter: another host holds the session; says who.
            JournalError: the file can't be opened, read or written.
        """
        lock = WriterLock.take(folder)
        try:
            journal = cls(folder, lock, clock=clock or SystemClock(), disk=disk or SystemDisk(), redact=redact)
            journal._go_on()
        except BaseException:
            lock.release()
            raise
        return journal

    @property
    def head(self) -> tuple[int, str]:
        """The last record's seq and hash; (0, 64 zeros) of an empty journal."""
        return self._seq, self._hash

    @property
    def suspect(self) -> str:
        """Why records may not be on the disk although they were written; "" as long as all is well."""
        return self._suspect

    def append(self, kind: str, data: Mapping[str, Any], *, actor: str, durable: bool = False) -> Event:
        """Write one record.

        Args:
            kind: see `cockpit.session.record.event`.
            data: JSON values; texts are redacted first.
            actor: "operator:kim", "host" or "runner".
            durable: return only once it is on the medium.

        Raises:
            JournalError: it was not written (and the journal is as it was), or, for a durable one, written but perhaps
                not on the medium: see `suspect`.
        """
        shown = redacted(data, self._redact) if self._redact else data
        now = rfc3339(self._clock.now())
        event = Event(self._seq + 1, now, self._clock.monotonic_ns(), self._boot, actor, kind, shown)
        line, digest = self._sealed(event)
        self._write(line)
        self._seq, self._hash = event.seq, digest
        if durable:
            self.sync()
        self._note_head()
        return event

    def sync(self) -> None:
        """Put everything written so far on the medium.

        Raises:
            JournalError: the disk would not say so; `suspect` tells from where on.
        """
        try:
            self._disk.fsync(self._descriptor)
        except OSError as error:
            # A second fsync would succeed without having saved anything, so the doubt stays for good.
            self._suspect = self._suspect or _("record {seq} may not be on the disk: {error}").format(
                seq=self._seq, error=error.strerror
            )
            self._reopen()
            raise JournalError(
                _("the disk did not confirm the record: {error}").format(error=error.strerror),
                where=str(self._folder.journal),
                mend=_("check the disk; run nothing that changes anything until it is well"),
            ) from error

    def close(self) -> None:
        """Let go of the session. What was not durable is put on the medium first, if the disk lets it."""
        if self._descriptor < 0:
            return
        try:
            self._disk.fsync(self._descriptor)
        except OSError:
            pass
        os.close(self._descriptor)
        os.close(self._head_file)
        self._descriptor = -1
        self._lock.release()

    def _go_on(self) -> None:
        recovered = recover(self._folder.path, self._descriptor)
        self._seq, self._hash = recovered.seq, recovered.hash
        if recovered.anything:
            self.append("journal.recovered", _recovery_data(recovered), actor="host", durable=True)

    def _sealed(self, event: Event) -> tuple[bytes, str]:
        try:
            line, digest = sealed_line(event, event.data, self._hash)
        except (TypeError, ValueError) as error:
            raise JournalError(
                _("{kind} holds a value that JSON has no word for: {error}").format(kind=event.kind, error=error)
            ) from error
        if len(line) > MAX_RECORD_BYTES:
            raise JournalError(
                _("{kind} is too big for one record: {size} bytes, most of them in {field}").format(
                    kind=event.kind, size=len(line), field=_largest(event.data)
                ),
                mend=_("keep it in a file of the session and refer to it by its hash"),
            )
        return line, digest

    def _write(self, line: bytes) -> None:
        try:
            size = os.fstat(self._descriptor).st_size
        except OSError as error:
            raise _unwritable(self._folder, error) from error
        size, prefix = self._set_apart(size)
        try:
            written = self._disk.write(self._descriptor, prefix + line)
            if written != len(prefix) + len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            self._take_back(size)
            raise _unwritable(self._folder, error) from error
        self._torn_from = None

    def _take_back(self, size: int) -> None:
        """Cut a record that was written in part; if that fails too, the next one will set it apart."""
        try:
            if os.fstat(self._descriptor).st_size != size:
                self._disk.ftruncate(self._descriptor, size)
        except OSError:
            self._torn_from = size if self._torn_from is None else self._torn_from

    def _set_apart(self, size: int) -> tuple[int, bytes]:
        """Cut what an earlier record left behind, else the bytes that close it off as a line of its own."""
        if self._torn_from is None:
            return size, b""
        try:
            self._disk.ftruncate(self._descriptor, self._torn_from)
        except OSError:
            return size, TORN_END + b"\n"
        size, self._torn_from = self._torn_from, None
        return size, b""

    def _reopen(self) -> None:
        """A descriptor that has failed once reports nothing more: take a new one."""
        try:
            fresh = os.open(self._folder.journal, _FLAGS & ~os.O_CREAT)
        except OSError:
            return
        os.close(self._descriptor)
        self._descriptor = fresh

    def _note_head(self) -> None:
        """Keep the head beside the journal, so that a cut at the end is noticed. Losing it loses only that."""
        try:
            os.pwrite(self._head_file, json.dumps({"seq": self._seq, "h": self._hash}).encode().ljust(128) + b"\n", 0)
        except OSError:
            pass


def _largest(data: Mapping[str, Any]) -> str:
    return max(data, key=lambda key: len(json.dumps(data[key])), default="")


def _recovery_data(recovered: Recovered) -> dict[str, Any]:
    return {
        "bytes": recovered.torn_bytes,
        "sha256": recovered.torn_sha256,
        "file": recovered.torn_file,
        "damaged_bytes": recovered.damaged_bytes,
        "missing_records": recovered.missing_records,
    }


def _unwritable(folder: SessionFolder, error: OSError) -> JournalError:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    return JournalError(
        _("the journal can't be written: {error}").format(error=error.strerror),
        where=str(folder.journal),
        mend=_("free some space on this disk") if full else _("check the disk and the folder's permissions"),
    )
