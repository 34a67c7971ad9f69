"""How a PostgreSQL server stands, made of what it answered: what is not as it should be comes first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cockpit.adapters.postgresql.questions import HIDDEN_QUERY
from cockpit.adapters.postgresql.statement_text import shown_statement
from cockpit.adapters.probing import TEXT_CHARACTERS, Finding, Value
from cockpit.errors import Malformed
from cockpit.words import _, shortened

Row = Mapping[str, str | None]

_FULL_PERCENT, _FILLING_PERCENT = 95.0, 85.0
_IDLE_TOO_LONG_S = 300.0
_TRANSACTIONS_TO_JUDGE = 20
"""With fewer in an interval, one that was rolled back would be a great share."""


@dataclass(frozen=True, slots=True)
class Told:
    """The answers of one look, row by row, by column.

    `holders` says who keeps whom waiting, by pid; `waited` what for. `replay` is a standby's own. `unseen` says what
    could not be seen, and `doubt` what is not safe about the connection.
    """

    server: Row
    states: Sequence[Row] = ()
    sessions: Sequence[Row] = ()
    holders: Mapping[int, Sequence[int]] = field(default_factory=dict)
    waited: Mapping[int, Row] = field(default_factory=dict)
    standbys: Sequence[Row] = ()
    replay: Row | None = None
    statements: Sequence[Row] = ()
    unseen: Sequence[str] = ()
    doubt: str = ""


class Standing:
    """Makes findings of looks, and remembers the counters between them."""

    def __init__(self) -> None:
        self._counted: dict[str, float] = {}
        self._first_deadlocks: float | None = None

    def finding(self, told: Told) -> Finding:
        """What one look found."""
        unseen = [*_hidden(told), *told.unseen]
        values = [
            *_connections(told),
            *_waiting(told),
            *self._counters(told),
            *_replication(told),
        ]
        if told.server["statements_schema"]:
            slow = _number(told.statements[0], "slow") if told.statements else 0.0
            values.append(Value("slow_statements", slow))
        rows = [
            *_blocking_rows(told),
            *_blocked_rows(told),
            *_standby_rows(told, well=False),
            *({"what": "note", "text": each, "level": "yellow"} for each in unseen),
            *_idle_rows(told),
            *_query_rows(told),
            *_statement_rows(told),
            *_standby_rows(told, well=True),
            *({"what": "note", "text": each, "level": ""} for each in filter(None, (told.doubt,))),
        ]
        text = " · ".join(_words(told, values))
        return Finding(
            text, tuple(values), tuple(map(_bounded, rows)), mend="; ".join(filter(None, (*unseen, told.doubt)))
        )

    def _counters(self, told: Told) -> Iterator[Value]:
        """What happened between the last look and this one; nothing is known at the first."""
        names = ("commits", "rollbacks", "hits", "reads", "deadlocks")
        now = {name: _number(told.server, name) or 0.0 for name in names}
        before, self._counted = self._counted, now
        again = not before or any(now[name] < before[name] for name in names)  # the server's counters were reset
        rise = {name: 0.0 if again else now[name] - before[name] for name in names}
        blocks, ended = rise["hits"] + rise["reads"], rise["commits"] + rise["rollbacks"]
        if self._first_deadlocks is None or again:
            self._first_deadlocks = now["deadlocks"]
        yield Value("cache_hit_percent", _share(rise["hits"], blocks), "%")
        enough = ended >= _TRANSACTIONS_TO_JUDGE
        yield Value("rollback_percent", _share(rise["rollbacks"], ended) if enough else None, "%")
        level = "yellow" if rise["deadlocks"] else ""
        yield Value("deadlocks_change", now["deadlocks"] - self._first_deadlocks, "", level)


def _share(part: float, whole: float) -> float | None:
    return round(100.0 * part / whole, 1) if whole else None


def _number(row: Row, name: str) -> float | None:
    text = row[name]
    try:
        return None if text is None else float(text)
    except ValueError as error:
        raise Malformed(
            _("{name} is no number: {text}").format(name=name, text=shortened(text or "", 80)),
            mend=_("is it PostgreSQL, and not something that only speaks like it?"),
        ) from error


def _age(row: Row, name: str) -> float | None:
    age = _number(row, name)
    return None if age is None else round(max(0.0, age), 1)


def _count_hidden(told: Told) -> int:
    return sum(int(_number(each, "sessions") or 0) for each in told.states if each["state"] is None)


def _hidden(told: Told) -> Iterator[str]:
    hidden = _count_hidden(told)
    if told.server["sees_all"] != "t":
        role = told.server["role"]
        what = _("{n} sessions of others are hidden").format(n=hidden) if hidden else _("others' sessions are hidden")
        yield f"{what}: GRANT pg_monitor TO {role}"


def _connections(told: Told) -> Iterator[Value]:
    by_state = {each["state"]: _number(each, "sessions") or 0.0 for each in told.states}
    used, most = sum(by_state.values(), 1.0), _number(told.server, "most_connections") or 0.0  # with our own
    percent = _share(used, most) or 0.0
    level = "red" if percent >= _FULL_PERCENT else "yellow" if percent >= _FILLING_PERCENT else "green"
    yield Value("connections", used)
    yield Value("connections_percent", percent, "%", level)
    if not _count_hidden(told):
        yield Value("active", by_state.get("active", 0.0))
        yield Value("idle", by_state.get("idle", 0.0))
        idle = sum((n for state, n in by_state.items() if state and state.startswith("idle in")), 0.0)
        yield Value("idle_in_transaction", idle)


def _waiting(told: Told) -> Iterator[Value]:
    """Of sessions that may be hidden nothing is said: less than there is would look well."""
    hidden = bool(_count_hidden(told))
    running = [_age(each, "query_age") or 0.0 for each in told.sessions if _is_client(each, "active")]
    oldest = [_age(each, "oldest") or 0.0 for each in told.states]
    oldest.append(_age(told.server, "prepared_age") or 0.0)
    waits = [_wait_s(told, pid) for pid in told.holders]
    blocked = float(len(told.holders))
    unknown = hidden and not blocked
    yield Value("blocked", None if unknown else blocked, "", "yellow" if blocked else "" if unknown else "green")
    yield Value("blocked_s", None if unknown else max(waits, default=0.0), "s")
    yield Value("longest_query_s", None if hidden else max(running, default=0.0), "s")
    yield Value("oldest_transaction_s", None if hidden else max(oldest), "s")


def _replication(told: Told) -> Iterator[Value]:
    if told.replay is not None:
        streams = bool(_number(told.replay, "receivers"))
        yield Value("in_recovery", True)
        yield Value("streaming", streams, "", "green" if streams else "yellow")
        paused = told.replay["paused"] == "t"
        yield Value("replay_paused", paused, "", "yellow" if paused else "")
        yield Value("replay_lag_s", _replay_lag_s(told.replay), "s")
        yield Value("replay_lag_bytes", _number(told.replay, "behind_bytes"), "bytes")
    if told.standbys or told.replay is None:
        yield Value("standbys", float(len(told.standbys)))
    if told.standbys:
        yield Value("standby_lag_s", _worst(_standby_lag_s(each) for each in told.standbys), "s")
        yield Value("standby_lag_bytes", _worst(_number(each, "behind_bytes") for each in told.standbys), "bytes")


def _worst(lags: Iterator[float | None]) -> float | None:
    """The greatest; None when one of them is not known."""
    known = list(lags)
    return None if None in known else max(each or 0.0 for each in known)


def _replay_lag_s(replay: Row) -> float | None:
    """Nothing is late where all that came is replayed, and more would come if there were more."""
    if _number(replay, "behind_bytes") == 0 and _number(replay, "receivers"):
        return 0.0
    return _age(replay, "since_replayed")


def _standby_lag_s(standby: Row) -> float | None:
    """The server measures none while nothing is written."""
    lag = _age(standby, "behind")
    return 0.0 if lag is None and _number(standby, "behind_bytes") == 0 else lag


def _standby_rows(told: Told, *, well: bool) -> Iterator[dict[str, Any]]:
    for each in told.standbys:
        if (each["state"] in ("streaming", None)) is well:  # None: this role may not see it
            yield {
                "what": "standby",
                "name": each["application_name"] or "",
                "client": each["client"] or "",
                "state": " ".join(filter(None, (each["state"] or "?", each["sync_state"]))),
                "age_s": _standby_lag_s(each),
                "bytes": _number(each, "behind_bytes"),
                "level": "yellow" if not well else "green" if each["state"] else "",
            }


def _blocking_rows(told: Told) -> Iterator[dict[str, Any]]:
    """Who holds others up and waits for nobody: there the knot is undone."""
    victims: dict[int, int] = {}
    for pid in told.holders:
        for root in _roots(told.holders, pid):
            victims[root] = victims.get(root, 0) + 1
    for root, count in sorted(victims.items(), key=lambda item: -item[1]):
        known = _session(told, root)
        row = _row("blocking", root, known, told, _age(known, "transaction_age") if known else None, "yellow")
        yield row | {"holds_up": count}


def _roots(holders: Mapping[int, Sequence[int]], pid: int) -> set[int]:
    roots, seen, waiting = set(), {pid}, list(holders[pid])
    while waiting:
        one = waiting.pop()
        if one in seen:
            continue
        seen.add(one)
        if one in holders:
            waiting += holders[one]
        else:
            roots.add(one)
    return roots


def _blocked_rows(told: Told) -> Iterator[dict[str, Any]]:
    for pid, holders in told.holders.items():
        waited = told.waited.get(pid)
        lock = " ".join(filter(None, (waited["mode"], waited["relname"] or waited["locktype"]))) if waited else ""
        row = _row("blocked", pid, _session(told, pid), told, _wait_s(told, pid), "yellow")
        yield row | {"wait": lock or row["wait"], "holders": " ".join(map(str, holders))}


def _wait_s(told: Told, pid: int) -> float:
    waited, known = told.waited.get(pid), _session(told, pid)
    since = _age(waited, "waits") if waited else None
    return since if since is not None else (_age(known, "query_age") or 0.0) if known else 0.0


def _idle_rows(told: Told) -> Iterator[dict[str, Any]]:
    roots = {root for pid in told.holders for root in _roots(told.holders, pid)}
    for each in told.sessions:
        pid, age = int(each["pid"] or 0), _age(each, "state_age") or 0.0
        if _is_client(each, "idle in transaction") and pid not in roots:
            yield _row("idle", pid, each, told, age, "yellow" if age >= _IDLE_TOO_LONG_S else "")


def _query_rows(told: Told) -> Iterator[dict[str, Any]]:
    """The longest running; those that wait for a lock are told of already."""
    for each in told.sessions:
        pid = int(each["pid"] or 0)
        if _is_client(each, "active") and pid not in told.holders:
            yield _row("query", pid, each, told, _age(each, "query_age"), "")


def _is_client(session: Row, state: str) -> bool:
    return session["backend_type"] == "client backend" and (session["state"] or "").startswith(state)


def _session(told: Told, pid: int) -> Row | None:
    return next((each for each in told.sessions if each["pid"] == str(pid)), None)


def _row(what: str, pid: int, session: Row | None, told: Told, age_s: float | None, level: str) -> dict[str, Any]:
    """A session's row. One that is gone since, or a prepared transaction (pid 0), is known by its number only."""
    row: dict[str, Any] = {"what": what, "pid": pid, "age_s": age_s, "level": level}
    if session is None:
        return (
            row
            | dict.fromkeys(("user", "application", "client", "wait", "text"), "")
            | {"state": "" if pid else "prepared"}
        )
    query, limit = session["query"] or "", int(_number(told.server, "query_bytes") or 0)
    text = "" if query == HIDDEN_QUERY else shown_statement(query, int(_number(session, "octets") or 0), limit)
    waits = (session["wait_event_type"], session["wait_event"])
    return row | {
        "user": session["usename"] or "",
        "application": session["application_name"] or "",
        "client": session["client"] or "",
        "state": session["state"] or session["backend_type"] or "",
        "wait": "/".join(filter(None, waits)) if session["state"] == "active" else "",
        "text": text,
    }


def _statement_rows(told: Told) -> Iterator[dict[str, Any]]:
    for each in told.statements:
        query = each["query"] or ""
        yield {
            "what": "statement",
            "mean_ms": round(_number(each, "mean_ms") or 0.0, 1),
            "calls": _number(each, "calls"),
            "text": "" if query == HIDDEN_QUERY else shown_statement(query, 0),
            "level": "",
        }


def _words(told: Told, values: Sequence[Value]) -> Iterator[str]:
    """One line for a folded row: the worst first."""
    number = {value.name: value.value for value in values}
    if told.holders:
        roots = sorted({root for pid in told.holders for root in _roots(told.holders, pid)})
        by = ", ".join(map(str, roots[:3])) or "?"
        yield _("{n} blocked by {pids}").format(n=len(told.holders), pids=by)
    if told.replay is not None:
        yield _behind(number["replay_lag_s"], number["replay_lag_bytes"])
        if number["replay_paused"]:
            yield _("its replay is paused")
        if not number["streaming"]:
            yield _("it receives nothing")
    used, most = number["connections"], _number(told.server, "most_connections") or 0.0
    yield _("{used:.0f} of {most:.0f} connections").format(used=used, most=most)
    longest = number["longest_query_s"]
    if isinstance(longest, float) and longest >= 1:
        yield _("longest query {n:g} s").format(n=longest)
    if hidden := _count_hidden(told):
        yield _("{n} hidden").format(n=hidden)


def _behind(lag_s: object, lag_bytes: object) -> str:
    """A standby that has replayed nothing since it began knows by how many bytes only."""
    if isinstance(lag_s, float):
        return _("standby, {n} s behind").format(n=f"{lag_s:g}")
    if isinstance(lag_bytes, float):
        return _("standby, {n} KB behind").format(n=f"{lag_bytes / 1024:.0f}")
    return _("standby")


def _bounded(row: Mapping[str, Any]) -> Mapping[str, Any]:
    return {key: shortened(value, TEXT_CHARACTERS) if isinstance(value, str) else value for key, value in row.items()}
