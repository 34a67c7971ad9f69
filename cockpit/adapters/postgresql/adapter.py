"""PostgreSQL: SQL as steps, through psycopg 3. Steps that only read run sealed (see postgresql_seal).

[target.orders]
kind = "postgresql"
host = "10.0.0.7"                  # a folder is a unix socket's; else $PGHOST
port = 5432
database = "orders"                # else $PGDATABASE, then the user's name
user = "oncall"
password_env = "ORDERS_PASSWORD"   # or password_file; else ~/.pgpass, $PGPASSWORD
ca_file = "/etc/ssl/orders.pem"    # who vouches for the server; cert_file and key_file where it wants a certificate
sslmode = "verify-full"            # which ca_file implies; without either, libpq's "prefer"
most_rows = 1000                   # of a result this many are shown
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import ClassVar

from msgspec import Struct

from cockpit.adapters.base import Enforcement
from cockpit.adapters.checking import Check
from cockpit.adapters.postgresql.connection import ServerOptions, check_options, connect, how_to_verify, unverified
from cockpit.adapters.postgresql.lock_watch import telling_who_holds_it
from cockpit.adapters.postgresql.role import enforcement_of
from cockpit.adapters.postgresql.seal import sealed
from cockpit.adapters.postgresql.wire import Answer, Wire
from cockpit.adapters.step_program.adapter import StepProgram, Task
from cockpit.adapters.step_program.credentials import password_from
from cockpit.adapters.step_program.page import Page
from cockpit.errors import (
    CockpitError,
    Declined,
    OutcomeUnknown,
    TargetUnreachable,
    UsageError,
)
from cockpit.safety.sql.lexer import Statement, statements
from cockpit.words import _

_META = re.compile(r"^[ \t]*\\(\w+)[^\n]*", re.MULTILINE)
_ONLY_FOR_SHOW = frozenset({"x", "timing", "pset", "a", "t", "encoding", "set"})


class PostgresqlOptions(ServerOptions, frozen=True, kw_only=True):
    """Keys of a target of kind "postgresql"."""

    most_rows: int = 1000


class PostgresqlAdapter(StepProgram[PostgresqlOptions]):
    """Runs SQL, one statement after the other; the first that fails ends the step."""

    name = "postgresql"
    languages = frozenset({"sql"})
    Options: ClassVar[type[Struct]] = PostgresqlOptions

    def __init__(self, options: PostgresqlOptions, *, trusted: bool = True) -> None:
        check_options(options)
        super().__init__(options, trusted=trusted)

    def credentials(self) -> dict[str, str]:
        """The password. See `StepProgram.credentials`."""
        ambient = "PGPASSWORD" if self.trusted else ""
        return password_from(self.options.password_env, self.options.password_file, ambient=ambient)

    def other_secrets(self) -> Sequence[str]:
        """The passwords of ~/.pgpass, of which libpq takes the one that fits."""
        path = Path(os.environ.get("PGPASSFILE") or Path.home() / ".pgpass")
        try:
            lines = path.read_text("utf-8").splitlines() if self.trusted else []
        except (OSError, UnicodeDecodeError):
            return ()
        last = (re.split(r"(?<!\\):", line)[-1] for line in lines if not line.startswith("#"))
        return [re.sub(r"\\(.)", r"\1", field) for field in last]

    def perform(self, task: Task, page: Page) -> None:
        """Run the statements. See `StepProgram.perform`."""
        found = _statements(task.body)
        if task.read_only:
            self._run_sealed(found, task, page)
        else:
            self._run_open(found, task, page)

    def enforced(self, task: Task) -> Enforcement:
        """What the role may do. See `StepProgram.enforced`."""
        with self._connected(task) as wire:
            return enforcement_of(wire)

    async def checks(self) -> Sequence[Check]:
        """Whether it can be reached, and whether that is verified. See `ChecksItself`."""
        doubt = unverified(self.options)
        told = [Check(text=doubt, standing="warning", mend=how_to_verify())] if doubt else []
        return [*await super().checks(), *told]

    def _run_sealed(self, found: Sequence[Statement], task: Task, page: Page) -> None:
        for number, statement in enumerate(found, 1):
            text, values = _with_parameters(statement, task.values)
            with _place(number, len(found)), self._connected(task) as wire, self._lock_told(wire, task, page):
                answer = sealed(wire, text, values, task, most_rows=self.options.most_rows)
            self._show(answer, page)

    def _run_open(self, found: Sequence[Statement], task: Task, page: Page) -> None:
        """As they stand, each on its own unless they open a transaction."""
        with self._connected(task, page) as wire:
            task.require_still_permitted()
            for number, statement in enumerate(found, 1):
                text, values = _with_parameters(statement, task.values)
                with _place(number, len(found)), self._lock_told(wire, task, page):
                    answer = self._one_open(wire, text, values, page)
                self._show(answer, page)
            if wire.in_transaction:
                raise Declined(
                    _("the transaction was not committed, and is rolled back"), mend=_("end the step with COMMIT")
                )

    def _lock_told(self, wire: Wire, task: Task, page: Page) -> AbstractContextManager[None]:
        return telling_who_holds_it(wire, partial(self._connected, task), page.line)

    def _one_open(self, wire: Wire, text: str, values: Sequence[str], page: Page) -> Answer:
        if wire.setting("standard_conforming_strings") == "off":
            raise UsageError(
                _("this server reads backslashes in quotes as escapes, and the step was not judged so"),
                where=self.options.where,
                mend=_("switch standard_conforming_strings on for the role"),
            )
        try:
            return wire.ask(text, values, most_rows=self.options.most_rows, whole=True, copied=page.write)
        except TargetUnreachable as error:
            raise OutcomeUnknown(
                error.what, where=error.where, mend=_("look what it has done before you run it again")
            ) from error

    def _show(self, answer: Answer, page: Page) -> None:
        if not answer.columns:
            page.line(answer.tag)
            return
        page.table(answer.columns, answer.rows, answer.right)
        shown, seen = len(answer.rows), answer.seen
        if not answer.cut:
            page.line(f"({seen} row{'' if seen == 1 else 's'})")
        elif answer.tag:
            page.line(_("({shown} of {seen} rows shown)").format(shown=shown, seen=seen))
        else:
            page.line(_("(the first {shown} rows; there are more)").format(shown=shown))

    @contextmanager
    def _connected(self, task: Task, page: Page | None = None) -> Iterator[Wire]:
        """A new connection, thrown away afterwards.

        Args:
            page: where notices go, if anywhere.

        Raises:
            ToolMissing, TargetUnreachable, AccessDenied.
        """
        connection = connect(self.options, task.credentials.get("password"), trusted=self.trusted)
        if page is not None:
            connection.add_notice_handler(lambda told: page.line(f"{told.severity}:  {told.message_primary}"))
        try:
            yield Wire(connection, self.options.where)
        finally:
            connection.close()


@contextmanager
def _place(number: int, total: int) -> Iterator[None]:
    """Say of an error which statement it is about, where there are several."""
    try:
        yield
    except CockpitError as error:
        if total == 1:
            raise
        where = _("statement {number} of {total}").format(number=number, total=total)
        where = f"{where}, {error.where}" if error.where else where
        raise type(error)(error.what, where=where, mend=error.mend) from error


def _statements(body: str) -> list[Statement]:
    """The statements, without what only tells psql how to show them.

    Raises:
        UsageError: a quote without an end, or one of psql's own commands.
    """
    try:
        found = list(statements(body, strict=False))
        if any(("backslash", "\\") in statement.tokens for statement in found):
            found = list(statements(_META.sub(_left_out, body), strict=False))
    except ValueError as error:
        raise UsageError(str(error)) from error
    return found


def _left_out(match: re.Match[str]) -> str:
    if match[1] in _ONLY_FOR_SHOW:
        return ""
    raise UsageError(
        _("\\{name} is a command of psql's own").format(name=match[1]),
        mend=_("write it as a bash step: psql -c '\\{name} …'").format(name=match[1]),
    )


def _with_parameters(statement: Statement, values: Mapping[str, str]) -> tuple[str, list[str]]:
    """The statement with $NAME as $1, $2 …, and the values in that order: they never become part of the text."""
    text, order, places = statement.text, list[str](), list[tuple[int, int, str]]()
    for at, token in enumerate(statement.tokens[:-1]):
        (start, end), (next_start, next_end) = statement.spans[at : at + 2]
        name = text[next_start:next_end]
        if token == ("symbol", "$") and end == next_start and name in values:
            places.append((start, next_end, name))
            order += [name] if name not in order else []
    for start, end, name in reversed(places):
        text = f"{text[:start]}${order.index(name) + 1}{text[end:]}"
    return text, [values[name] for name in order]
