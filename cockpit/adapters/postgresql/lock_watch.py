"""Who keeps a statement of ours waiting: asked over another connection, while it waits."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from cockpit.adapters.postgresql.connection import APPLICATION
from cockpit.adapters.postgresql.questions import HIDDEN_QUERY
from cockpit.adapters.postgresql.seal import reading
from cockpit.adapters.postgresql.statement_text import shown_statement
from cockpit.adapters.postgresql.wire import Wire
from cockpit.errors import CockpitError, TimedOut
from cockpit.words import _

_LOOK_S = 2.0
_FIRST_WAIT_S, _LONGEST_WAIT_S = 1.0, 15.0
_QUERY_CHARACTERS = 200
# A pooler in between may give the number of somebody else's session for ours: its name tells.
_HOLDERS = """
select h.pid, coalesce(a.usename, '') as usename, coalesce(a.application_name, '') as application,
  coalesce(a.state, '') as state, round(extract(epoch from now() - a.state_change))::text as age,
  left(coalesce(a.query, ''), $2::int) as query
from (select distinct unnest(pg_blocking_pids(pid)) as pid from pg_stat_activity
    where pid = $1::int and application_name = $3) h
left join pg_stat_activity a on a.pid = h.pid
order by 1 limit 5
"""


class LockWatch:
    """Looks now and then, and tells when somebody else holds the lock than the last time.

    Args:
        connected: another connection to the same server.
        tell: takes a line.
    """

    def __init__(
        self, pid: int, connected: Callable[[], AbstractContextManager[Wire]], tell: Callable[[str], None]
    ) -> None:
        self._pid = pid
        self._connected = connected
        self._tell = tell
        self._wait_s = _FIRST_WAIT_S
        self._again_m = time.monotonic()
        self.holders = ""
        """Who held it when it was last looked at, in words."""

    def look(self) -> None:
        """To be called while the statement does not answer. That nobody can be asked is no reason to end it."""
        if time.monotonic() < self._again_m:
            return
        try:
            with self._connected() as wire:
                wire.until_m = time.monotonic() + _LOOK_S
                with reading(wire, within_s=_LOOK_S):
                    rows = wire.ask(_HOLDERS, [str(self._pid), str(_QUERY_CHARACTERS), APPLICATION]).rows
        except CockpitError:
            rows = []
        holders = "; ".join(_holder([each or "" for each in row]) for row in rows)
        if holders and holders.split(",")[0] != self.holders.split(",")[0]:
            self._tell(_("-- it waits for a lock that {holders} holds").format(holders=holders))
        self.holders = holders or self.holders
        self._again_m = time.monotonic() + self._wait_s
        self._wait_s = min(_LONGEST_WAIT_S, self._wait_s * 2)


@contextmanager
def telling_who_holds_it(
    wire: Wire, connected: Callable[[], AbstractContextManager[Wire]], tell: Callable[[str], None]
) -> Iterator[None]:
    """Around a statement of the wire's: where it waits for a lock, whoever holds that is told, in its failure too."""
    watch = LockWatch(wire.pid, connected, tell)
    wire.meanwhile = watch.look
    try:
        yield
    except TimedOut as error:
        if not watch.holders:
            raise
        what = _("{error}; {holders} held the lock").format(error=error.what, holders=watch.holders)
        raise TimedOut(what, where=error.where, mend=_("wait, or see that whoever holds it ends")) from error
    finally:
        wire.meanwhile = None


def _holder(row: list[str]) -> str:
    """4702 postgres (nightly-job), idle in transaction 90 s: lock table notes."""
    pid, user, application, state, age, query = row
    if pid == "0":
        return _("a prepared transaction")
    who = " ".join(filter(None, (pid, user, f"({application})" if application else "")))
    doing = f"{state} {age} s" if state else ""
    text = "" if query in ("", HIDDEN_QUERY) else shown_statement(query, 0, cut_at_characters=_QUERY_CHARACTERS)
    return ": ".join(filter(None, (", ".join(filter(None, (who, doing))), " ".join(text.split()))))
