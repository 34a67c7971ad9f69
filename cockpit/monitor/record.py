"""samples.jsonl: what probes found, a JSON object a line, 0600, appended, bounded.

A line without a "probe" is a mark: {"mark": "rotated", "t", "file"} heads a file that goes on from an older one,
{"mark": "lost", "t", "samples": n} says how many samples could not be written before it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from cockpit.monitor.probe import now
from cockpit.monitor.sample import Sample

BOUND_BYTES = 64 << 20
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW


def sample_of(record: Mapping[str, Any]) -> Sample | None:
    """The sample that a line's object holds; None for a mark or anything else."""
    try:
        return msgspec.convert(record, Sample)
    except msgspec.ValidationError:
        return None


class SampleLog:
    """Appends samples to a file. A disk that is full loses samples, and never stops the monitor.

    Args:
        path: samples.jsonl; an earlier host's lines are kept.
        bound_bytes: beyond it the file becomes `samples.1.jsonl` (replacing an older one) and a new one begins.
    """

    def __init__(self, path: Path, bound_bytes: int = BOUND_BYTES) -> None:
        self._path = path
        self._bound_bytes = bound_bytes
        self._descriptor: int | None = None
        self._torn = False
        self._lost = 0

    @property
    def lost(self) -> int:
        """Samples that could not be written since the last one that could."""
        return self._lost

    def append(self, sample: Sample) -> None:
        """Write one line; on failure count it as lost."""
        try:
            descriptor = self._open()
            if self._lost:
                self._write(descriptor, {"mark": "lost", "t": now()[0], "samples": self._lost})
                self._lost = 0
            self._write(descriptor, sample)
        except OSError:
            self._lost += 1

    def close(self) -> None:
        """Close the file; a later append opens it again."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _open(self) -> int:
        if self._descriptor is not None and os.fstat(self._descriptor).st_size >= self._bound_bytes:
            self._rotate()
        if self._descriptor is None:
            self._descriptor = os.open(self._path, _FLAGS, 0o600)
            self._torn = _ends_torn(self._path)
        return self._descriptor

    def _rotate(self) -> None:
        self.close()
        older = self._path.with_suffix(".1.jsonl")
        self._path.replace(older)
        self._descriptor = os.open(self._path, _FLAGS, 0o600)
        self._torn = False
        self._write(self._descriptor, {"mark": "rotated", "t": now()[0], "file": older.name})

    def _write(self, descriptor: int, record: object) -> None:
        line = msgspec.json.encode(record) + b"\n"
        if self._torn:
            line = b"\n" + line
        written = os.write(descriptor, line)
        self._torn = written < len(line)
        if self._torn:
            raise OSError("the line was written in part only")


def _ends_torn(path: Path) -> bool:
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        if not size:
            return False
        file.seek(size - 1)
        return file.read(1) != b"\n"
