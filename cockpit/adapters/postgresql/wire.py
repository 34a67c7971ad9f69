"""One statement at a time over psycopg's connection: extended protocol, text results, rows one by one, polite cancel.

The extended protocol is the point: the server itself refuses a second statement in the text. Values come as the text
that the server writes: a date that Python can't hold is shown all the same.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cockpit.errors import (
    AccessDenied,
    CockpitError,
    Declined,
    PolicyRefusal,
    TargetUnreachable,
    TimedOut,
    UsageError,
)
from cockpit.words import _

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.pq.abc import PGresult

_CANCEL_S = 3.0
QUIET_S = 1.0
"""After so long without a word, `meanwhile`."""
_NUMBERS = frozenset({20, 21, 23, 26, 700, 701, 790, 1700})
"""The types (by oid) whose columns are aligned to the right."""


@dataclass(slots=True)
class Answer:
    """What a statement gave: at most the rows asked for, of `seen`; `tag` is the server's word for it ("UPDATE 3")."""

    columns: list[str] = field(default_factory=list)
    right: set[int] = field(default_factory=set)
    rows: list[list[str | None]] = field(default_factory=list)
    seen: int = 0
    tag: str = ""

    @property
    def cut(self) -> bool:
        """Whether there were more rows than are here."""
        return self.seen > len(self.rows)


class Wire:
    """A connection, and what goes wrong on it in our words.

    `until_m`, once set, is the monotonic time at which a server that says nothing is given up, and the connection
    with it: a frozen one keeps its end of the connection open for ever. `meanwhile`, once set, is called again and
    again while nothing comes.
    """

    def __init__(self, connection: Connection[Any], where: str) -> None:
        self._connection = connection
        self._pg = connection.pgconn
        self._where = where
        self.until_m: float | None = None
        self.meanwhile: Callable[[], None] | None = None

    def ask(
        self,
        statement: str,
        values: Sequence[str] = (),
        *,
        most_rows: int = 1000,
        whole: bool = False,
        copied: Callable[[bytes], None] | None = None,
    ) -> Answer:
        """Run one statement.

        Args:
            values: of its parameters $1, $2 …
            whole: let it run to its end and count the rows; otherwise it is cancelled once it has too many.
            copied: takes what COPY … TO STDOUT gives.

        Raises:
            CockpitError: the server says no, that this is read-only, or is gone.
        """
        import psycopg

        try:
            self._pg.send_query_params(statement.encode("utf-8", "surrogatepass"), [v.encode() for v in values] or None)
            self._pg.set_single_row_mode()
            return self._collect(statement, most_rows, whole, copied)
        except psycopg.OperationalError as error:
            raise TargetUnreachable(
                _("the connection broke: {error}").format(error=" ".join(str(error).split())), where=self._where
            ) from error
        except KeyboardInterrupt:
            self._cancel()
            raise

    @property
    def in_transaction(self) -> bool:
        """Whether the server still holds the transaction open, failed or not."""
        from psycopg.pq import TransactionStatus

        return self._pg.transaction_status in (TransactionStatus.INTRANS, TransactionStatus.INERROR)

    @property
    def pid(self) -> int:
        """The server's process for this connection."""
        return int(self._pg.backend_pid)

    @property
    def usable(self) -> bool:
        """Whether another statement can be asked on this connection."""
        from psycopg.pq import ConnStatus, TransactionStatus

        return self._pg.status == ConnStatus.OK and self._pg.transaction_status == TransactionStatus.IDLE

    def setting(self, name: str) -> str:
        """One of the settings that the server tells by itself, such as standard_conforming_strings."""
        return (self._pg.parameter_status(name.encode()) or b"").decode()

    def _collect(self, statement: str, most_rows: int, whole: bool, copied: Callable[[bytes], None] | None) -> Answer:
        from psycopg.pq import ExecStatus

        answer = Answer()
        failure: CockpitError | None = None
        # Compared by value: the library's fast implementation gives plain integers.
        while (result := self._next_result()) is not None:
            if result.status in (ExecStatus.SINGLE_TUPLE, ExecStatus.TUPLES_OK):
                _take(result, answer, most_rows)
                if answer.cut and not whole:
                    self._cancel()
                    return answer
            elif result.status == ExecStatus.COPY_OUT:
                self._copy_out(copied or (lambda _data: None))
            elif result.status == ExecStatus.COPY_IN:
                self._pg.put_copy_end(b"no input")
                failure = UsageError(
                    _("a step has no input to copy from"), mend=_("write INSERT, or run psql in a bash step")
                )
            elif result.status == ExecStatus.FATAL_ERROR:
                failure = failure or self._failure(result, statement)
            answer.tag = (result.command_status or b"").decode() or answer.tag
        if failure:
            raise failure
        return answer

    def _next_result(self) -> PGresult | None:
        while self._pg.flush():
            self._wait(select.POLLIN | select.POLLOUT)
        while self._pg.is_busy():
            self._wait()
        return self._pg.get_result()

    def _wait(self, events: int = select.POLLIN) -> None:
        while not self._ready(self._patience_s(), events):
            if self.until_m is not None and time.monotonic() >= self.until_m:
                self._pg.finish()
                raise TimedOut(
                    _("it takes the connection, and does not answer"),
                    where=self._where,
                    mend=_("look at the server's load, and whether its process hangs"),
                )
            if self.meanwhile is not None:
                self.meanwhile()
        self._pg.consume_input()

    def _patience_s(self) -> float | None:
        """How long to wait for the server before looking at anything else."""
        left_s = None if self.until_m is None else max(0.0, self.until_m - time.monotonic())
        if self.meanwhile is None:
            return left_s
        return QUIET_S if left_s is None else min(QUIET_S, left_s)

    def _ready(self, within_s: float | None, events: int = select.POLLIN) -> bool:
        poll = select.poll()  # select() knows no file descriptor above 1023
        poll.register(self._pg.socket, events)
        return bool(poll.poll(None if within_s is None else within_s * 1000))

    def _copy_out(self, copied: Callable[[bytes], None]) -> None:
        while True:
            size, data = self._pg.get_copy_data(1)
            if size < 0:
                return
            if size:
                copied(bytes(data))
            else:
                self._wait()

    def _cancel(self) -> None:
        """Have the server give the statement up, and read what it still says of it."""
        import psycopg

        try:
            self._connection.cancel_safe(timeout=_CANCEL_S)
            while self._ready(_CANCEL_S):
                self._pg.consume_input()
                while not self._pg.is_busy():
                    if self._pg.get_result() is None:
                        return
        except (psycopg.Error, OSError):
            pass
        self._pg.finish()

    def _failure(self, result: PGresult, statement: str) -> CockpitError:
        """The error tree's word for a statement that failed."""
        from psycopg.pq import DiagnosticField as Field

        told = {key: _text(result.error_field(key)) or "" for key in Field}
        state = told[Field.SQLSTATE]
        words = (told[Field.MESSAGE_PRIMARY], told[Field.MESSAGE_DETAIL], told[Field.MESSAGE_HINT])
        what = ". ".join(word.rstrip(".") for word in words if word)
        where = self._where + _line_of(told[Field.STATEMENT_POSITION], statement)
        kinds = _kinds()
        kind, mend = kinds.get(state) or kinds.get(state[:2]) or (Declined, "")
        return kind(what, where=where, mend=mend)


def _kinds() -> dict[str, tuple[type[CockpitError], str]]:
    """What a code of PostgreSQL's (or its class) is in our tree, with the mend."""
    return {
        "25006": (PolicyRefusal, ""),
        "57014": (TimedOut, _("ask for less, or give the step more time")),
        "55P03": (TimedOut, _("look at who holds the lock: pg_locks, pg_blocking_pids()")),
        "25P03": (TimedOut, ""),
        "42501": (AccessDenied, _("grant it to this role, or use another role")),
        "28": (AccessDenied, _("check user and password")),
        "57P01": (TargetUnreachable, _("somebody ended this session; was it an administrator or a restart?")),
        "57P02": (TargetUnreachable, ""),
        "57P03": (TargetUnreachable, _("it is starting up or shutting down; try again in a moment")),
        "53": (Declined, _("the server is short of memory, disk or connections")),
        "0A000": (UsageError, ""),
    }


def _take(result: PGresult, answer: Answer, most_rows: int) -> None:
    if not answer.columns:
        answer.columns = [_text(result.fname(n)) or "" for n in range(result.nfields)]
        answer.right = {n for n in range(result.nfields) if result.ftype(n) in _NUMBERS}
    for row in range(result.ntuples):
        answer.seen += 1
        if len(answer.rows) < most_rows:
            answer.rows.append([_text(result.get_value(row, n)) for n in range(result.nfields)])


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("utf-8", "backslashreplace")


def _line_of(position: str, statement: str) -> str:
    if not position.isdigit() or "\n" not in statement.strip():
        return ""
    return _(", line {line}").format(line=statement.count("\n", 0, int(position) - 1) + 1)
