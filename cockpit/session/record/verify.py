"""Is the record whole? The journal's chain from its first byte, its end, and every file it vouches for.

Reads in blocks and decodes only the records it must, so a journal of any size fits in little memory.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from cockpit.errors import JournalError
from cockpit.runs.kept import open_kept
from cockpit.session.record.artefacts import BadArtefact, check_artefacts
from cockpit.session.record.chain import GENESIS, MAX_RECORD_BYTES, TORN_END, Link, kind_of, link_of
from cockpit.session.record.folder import SessionFolder
from cockpit.session.record.recovery import kept_head
from cockpit.words import _

_BLOCK_BYTES = 1 << 20
_VOUCHING = frozenset(
    {
        *("session.started", "session.ended", "host.recovered", "journal.recovered"),
        *("step.exited", "step.repeated", "step.finished", "target.finished"),
    }
)


@dataclass(frozen=True, slots=True)
class BadRecord:
    """Where trust ends: `seq` the record expected there, `line` 1-based, `offset` in bytes."""

    seq: int
    line: int
    offset: int
    why: str


@dataclass(frozen=True, slots=True)
class Gap:
    """Something the journal itself says is missing: `bytes` set aside or damaged, `records` lost at the end."""

    seq: int
    bytes: int
    records: int
    file: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found. `ok`: the chain holds to the head and every artefact is as recorded.

    `torn` are offsets of lines or tails that were written in part and never counted. `gaps` are owned up to in the
    journal, so they leave `ok` alone; so do files that an export says it left out.
    """

    ok: bool
    records: int
    head_seq: int
    head: str
    first_bad: BadRecord | None = None
    torn: tuple[int, ...] = ()
    gaps: tuple[Gap, ...] = ()
    artefacts_checked: int = 0
    bad_artefacts: tuple[BadArtefact, ...] = ()
    left_out: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)


def verify(folder: SessionFolder) -> Verification:
    """Check one session from its folder alone; no host is needed, and one may be writing.

    Raises:
        JournalError: there is no journal, or it can't be read.
    """
    walk = _Walk(folder)
    try:
        walk.all_lines()
    except OSError as error:
        raise JournalError(
            _("the journal can't be read: {error}").format(error=error.strerror), where=str(folder.journal)
        ) from error
    return walk.result()


class _Walk:
    """One pass over the lines. After the first bad record it goes on counting, and trusts nothing."""

    def __init__(self, folder: SessionFolder) -> None:
        self._folder = folder
        self._kept_seq, self._kept_hash = kept_head(folder.path)
        self._seq = 0
        self._hash = GENESIS
        self._line = 0
        self._offset = 0
        self._records = 0
        self._bad: BadRecord | None = None
        self._torn: list[int] = []
        self._gaps: list[Gap] = []
        self._artefacts = 0
        self._bad_artefacts: list[BadArtefact] = []
        self._left_out: list[str] = []
        self._ended: dict[str, Any] | None = None

    def all_lines(self) -> None:
        for line, terminated in _lines(self._folder):
            self._line += 1
            if terminated:
                self._take(line)
            else:
                self._torn.append(self._offset)
            self._offset += len(line) + terminated
        self._check_end()
        if self._ended is not None:
            self._check_files(self._ended)

    def result(self) -> Verification:
        return Verification(
            self._bad is None and not self._bad_artefacts,
            self._records,
            self._seq,
            self._hash,
            self._bad,
            tuple(self._torn),
            tuple(self._gaps),
            self._artefacts,
            tuple(self._bad_artefacts),
            tuple(self._left_out),
        )

    def _take(self, line: bytes) -> None:
        if line.endswith(TORN_END):
            self._torn.append(self._offset)
            return
        self._records += 1
        if self._bad is not None:
            return
        link = link_of(line)
        why = self._fault(link)
        if why or link is None:
            self._distrust(why)
            return
        self._seq, self._hash = link.seq, link.hash
        if link.seq == self._kept_seq and link.hash != self._kept_hash:
            self._distrust(_("it is not the record that the head kept beside the journal names"))
        if kind_of(line) in _VOUCHING:
            self._vouched_for(json.loads(line))

    def _fault(self, link: Link | None) -> str:
        """Why the line can't be the next record; "" when it is."""
        if link is None:
            return _("not a record")
        if link.seq != self._seq + 1:
            return _("record {found} stands where {expected} was expected").format(
                found=link.seq, expected=self._seq + 1
            )
        if not link.sound:
            return _("its bytes are not those that were sealed")
        if link.prev != self._hash:
            return _("it does not follow the record before it")
        return ""

    def _distrust(self, why: str) -> None:
        expected = self._seq + 1
        self._bad = self._bad or BadRecord(expected, self._line, self._offset, why)

    def _check_end(self) -> None:
        if self._bad is None and self._seq < self._kept_seq:
            self._line += 1
            missing = self._kept_seq - self._seq
            self._distrust(_("{count} records are missing at the end").format(count=missing))

    def _vouched_for(self, record: dict[str, Any]) -> None:
        if record["kind"] == "journal.recovered":
            self._gaps.append(_gap(record))
        if record["kind"] in ("session.ended", "host.recovered"):
            # What grew with the session goes on growing, in new files too, when it is taken up again after its end.
            self._ended = record if record["kind"] == "session.ended" else None
            return
        self._check_files(record)

    def _check_files(self, record: dict[str, Any]) -> None:
        checked = check_artefacts(self._folder.path, record)
        self._artefacts += checked.count
        self._bad_artefacts += checked.bad
        self._left_out += checked.left_out


def _gap(record: dict[str, Any]) -> Gap:
    data = record["data"]
    lost = int(data.get("bytes", 0)) + int(data.get("damaged_bytes", 0))
    return Gap(record["seq"], lost, int(data.get("missing_records", 0)), str(data.get("file", "")))


def _lines(folder: SessionFolder) -> Iterator[tuple[bytes, bool]]:
    """Each line without its newline, and whether it had one. A line beyond any record's size comes cut in pieces."""
    pending = b""
    with os.fdopen(open_kept(folder.path, folder.journal.name), "rb", buffering=0) as file:
        while block := file.read(_BLOCK_BYTES):
            *complete, pending = (pending + block).split(b"\n")
            for line in complete:
                yield line, True
            if len(pending) > 2 * _BLOCK_BYTES + MAX_RECORD_BYTES:
                yield pending, False
                pending = b""
    if pending:
        yield pending, False
