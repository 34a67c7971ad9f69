"""A run's output on its way to disk: redacted, capped, timed, never in the way of the command. Stdlib only.

`output` holds the bytes in the order they came, control bytes included: they are evidence, and views clean them.
`index` tells whose they are: records of FRAME, one a stretch. Words of the recorder itself ("… bytes are not kept
here") stand in `output` as a stretch of stream NOTE.
"""

from __future__ import annotations

import hashlib
import os
import struct
import time
from collections import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cockpit.safety.redaction.printed import PrintedSecrets
    from cockpit.safety.redaction.redactor import Redactor

STDOUT, STDERR, TERMINAL, NOTE = 1, 2, 3, 4
FRAME = struct.Struct("<QQIB3x")
"""Offset in `output`, monotonic ns, length, stream."""

TAIL_BYTES = 1 << 20
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW


class Recorder:
    """Writes one run's `output` and `index`.

    A full disk does not stop it: it goes on taking bytes, counts those it can't keep, and says so where they are
    missing.

    Args:
        folder: the run's folder.
        secrets: exact values to mask, besides what looks like a secret.
        printed: VALUES or ENVIRONMENT where secrets are what the command was run to print (see printed.py).
        cap_bytes: of more output than this the beginning is kept, and the last TAIL_BYTES (less under a small cap).

    Raises:
        OSError: the files can't be made.
    """

    def __init__(self, folder: str, secrets: Sequence[str], cap_bytes: int, printed: str = "") -> None:
        self._output = os.open(f"{folder}/output", _FLAGS, 0o600)
        self._index = os.open(f"{folder}/index", _FLAGS, 0o600)
        self._secrets = secrets
        self._printed = printed
        self._redactors: dict[int, Redactor | PrintedSecrets] = {}
        self._tail_bytes = min(TAIL_BYTES, cap_bytes // 2)
        self._head_bytes = cap_bytes - self._tail_bytes
        self._ring: deque[tuple[int, bytes]] = deque()
        self._ring_bytes = 0
        self._capped_bytes = 0
        self._lost_here = 0
        self._digest = hashlib.sha256()
        self._unsynced = False
        self.size = 0
        self.dropped_bytes = 0

    def take(self, stream: int, chunk: bytes) -> None:
        """Bytes of a stream as they came."""
        try:
            clean = self._redactor(stream).feed(chunk)
        except Exception:  # noqa: BLE001 - a fault in redaction may cost output, never the command or its status
            self._withhold(len(chunk))
            return
        self._keep(stream, clean)

    def warm_up(self) -> None:
        """Import what the first output will need, while there is nothing else to do."""
        try:
            self._redactor(STDOUT)
        except Exception:  # noqa: BLE001 - see take
            self._withhold(0)

    def idle(self) -> None:
        """Nothing has come for a moment: let go of partial lines."""
        self._release(lambda redactor: redactor.idle())

    def sync(self) -> None:
        """Put what was written on the medium, if anything was."""
        if self._unsynced:
            self._unsynced = False
            try:
                getattr(os, "fdatasync", os.fsync)(self._output)
            except OSError:
                pass  # what could not be saved shows when the file is checked against the hash in exit.json

    def finish(self) -> dict[str, object]:
        """Write what is held back and the tail; returns output_bytes, output_sha256, dropped_bytes."""
        self._release(lambda redactor: redactor.flush())
        if self._capped_bytes:
            self._lost_here += self._capped_bytes
            self.dropped_bytes += self._capped_bytes
        for stream, piece in self._ring:
            self._write(stream, piece)
        self._tell_of_loss()
        self.sync()
        os.close(self._output)
        os.close(self._index)
        return {
            "output_bytes": self.size,
            "output_sha256": self._digest.hexdigest(),
            "dropped_bytes": self.dropped_bytes,
        }

    def _release(self, let_go: Callable[[Redactor | PrintedSecrets], bytes]) -> None:
        for stream, redactor in self._redactors.items():
            try:
                clean = let_go(redactor)
            except Exception:  # noqa: BLE001 - see take
                self._withhold(0)
                continue
            self._keep(stream, clean)

    def _withhold(self, count: int) -> None:
        """What can't be cleaned is not kept."""
        self._lost_here += count
        self.dropped_bytes += count

    def _redactor(self, stream: int) -> Redactor | PrintedSecrets:
        if stream not in self._redactors:
            # Here and not above: its import takes longer than starting the command does.
            from cockpit.safety.redaction.redactor import Redactor

            redactor = Redactor(self._secrets)
            self._redactors[stream] = redactor
            if self._printed and stream != STDERR:  # what went wrong has to be read
                from cockpit.safety.redaction.printed import PrintedSecrets

                self._redactors[stream] = PrintedSecrets(redactor, self._printed)
        return self._redactors[stream]

    def _keep(self, stream: int, data: bytes) -> None:
        room = max(0, self._head_bytes - self.size) if not self._ring else 0
        if data[:room]:
            self._write(stream, data[:room])
        if data[room:]:
            self._ring.append((stream, data[room:]))
            self._ring_bytes += len(data) - room
        while self._ring_bytes > self._tail_bytes:
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        stream, piece = self._ring.popleft()
        surplus = self._ring_bytes - self._tail_bytes
        gone = min(surplus, len(piece))
        if gone < len(piece):
            self._ring.appendleft((stream, piece[gone:]))
        self._ring_bytes -= gone
        self._capped_bytes += gone

    def _write(self, stream: int, data: bytes) -> None:
        if self._tell_of_loss():
            written = self._append(stream, data)
            data = data[written:]
        self._withhold(len(data))

    def _tell_of_loss(self) -> bool:
        """Say in the output itself what is missing here. False while even that finds no room."""
        if not self._lost_here:
            return True
        note = f"\n[cockpit: {self._lost_here} bytes are not kept here]\n".encode("ascii")
        if self._append(NOTE, note) < len(note):
            return False
        self._lost_here = 0
        return True

    def _append(self, stream: int, data: bytes) -> int:
        """How many bytes the disk took."""
        taken = 0
        try:
            while taken < len(data):
                taken += os.write(self._output, data[taken:])
        except OSError:
            pass
        if taken:
            self._frame(stream, taken)
            self._digest.update(data[:taken])
            self.size += taken
            self._unsynced = True
        return taken

    def _frame(self, stream: int, length: int) -> None:
        record = FRAME.pack(self.size, time.monotonic_ns(), length, stream)
        try:
            if os.write(self._index, record) < len(record):
                whole = os.fstat(self._index).st_size // FRAME.size
                os.ftruncate(self._index, whole * FRAME.size)
        except OSError:
            pass  # a stretch without a frame is shown without its time
