"""Read-only PostgreSQL: one statement, sealed into a transaction that can't write, over a connection nobody uses again.

A session that is merely set to read-only lets itself be set back, by the very text it runs. What holds is this: the
transaction begins read-only and has run a query, so it can't be made writable; the statement goes through the extended
protocol, so there is only one; it is none of those that end the transaction or outlive it; the transaction is then
looked at, rolled back, and its connection closed. What a read-only transaction lets through all the same (locks,
notifications, files, other connections) is done by functions, so every function reached is asked for: those the text
calls, and those that views, row policies, operators, casts and domains call behind its back. What such a function says
of itself (STABLE) is its author's word: its body is read as well, and one that can't be read, or has another's rights,
is refused. So are an extension's, but for those of `extensions.HARMLESS`; its operators and casts are taken at their
word, for no statement could be told from one that uses them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress

from cockpit.adapters.postgresql.extensions import HARMLESS
from cockpit.adapters.postgresql.role import powers_of
from cockpit.adapters.postgresql.wire import Answer, Wire
from cockpit.adapters.step_program.adapter import Task
from cockpit.errors import CockpitError, PolicyRefusal
from cockpit.safety.permit import Mode
from cockpit.safety.sql.functions import LOSSES, READS, WRITES
from cockpit.safety.sql.judgement import judge_sql
from cockpit.safety.sql.lexer import Statement, statements
from cockpit.safety.verdict import Verdict
from cockpit.words import _

_LOCK_S, _IDLE_S, _LONGEST_S = 5, 30, 600
_MOST_VIEWS = 100_000
Rows = Sequence[Sequence[str | None]]

_OWN_PATH = """
select pg_catalog.current_setting('search_path'), pg_catalog.set_config('search_path', 'pg_catalog', true)
"""
_LIMITS = """
select set_config('search_path', $1, true), set_config('statement_timeout', $2, true),
  set_config('lock_timeout', $3, true), set_config('idle_in_transaction_session_timeout', $4, true),
  set_config('standard_conforming_strings', 'on', true),
  case when version() ~ 'linux' and current_setting('server_version_num')::int >= 140000
    then set_config('client_connection_check_interval', '2s', true) end
"""

# Functions and aggregates by name: volatile, themselves or in what an aggregate calls; or neither the system's nor of
# an extension in $2, and with rights of their owner's or in a language that can do anything.
_CHANGING = """
select distinct p.proname::text, n.nspname::text,
  coalesce(x.extname::text = any($2::text[]) or p.provolatile <> 'v', false) and x.oid is not null
from pg_proc p
join pg_namespace n on n.oid = p.pronamespace
left join pg_aggregate a on a.aggfnoid = p.oid
left join pg_proc t on t.oid in (a.aggtransfn, a.aggfinalfn, a.aggcombinefn)
left join pg_language l on l.oid = coalesce(t.prolang, p.prolang)
left join pg_depend e on e.classid = 'pg_proc'::regclass and e.objid = p.oid and e.deptype = 'e'
left join pg_extension x on x.oid = e.refobjid
where p.proname = any($1::text[]) and (p.provolatile = 'v' or t.provolatile = 'v'
  or coalesce(t.oid, p.oid) >= 16384 and (x.oid is null or x.extname::text <> all($2::text[]))
    and (p.prosecdef or coalesce(t.prosecdef, false) or not l.lanpltrusted))
"""

# Of such functions, also of extensions that are not in $2: what is in them.
_BODIES = """
select f.oid::regprocedure::text, coalesce(nullif(f.prosrc, ''), pg_get_functiondef(f.oid))
from pg_proc f
join pg_language l on l.oid = f.prolang
left join pg_depend e on e.classid = 'pg_proc'::regclass and e.objid = f.oid and e.deptype = 'e'
left join pg_extension x on x.oid = e.refobjid
where f.oid >= 16384 and (x.oid is null or x.extname::text <> all($2::text[])) and l.lanpltrusted
  and (f.proname = any($1::text[]) or f.oid in (
    select unnest(array[a.aggtransfn, a.aggfinalfn, a.aggcombinefn])
    from pg_aggregate a join pg_proc p on p.oid = a.aggfnoid where p.proname = any($1::text[])))
"""

# Every relation that the words may mean, and those that views among them read, to any depth; with what runs unseen.
_BEHIND = """
with recursive reached(oid) as (
    select c.oid from pg_class c where c.relname = any($1::text[]) and c.relkind in ('r', 'v', 'p', 'f', 'm')
  union
    select d.refobjid
    from reached r
    join pg_class c on c.oid = r.oid and c.relkind = 'v'
    join pg_rewrite w on w.ev_class = r.oid
    join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = w.oid
    where d.refclassid = 'pg_class'::regclass
)
select c.oid::regclass::text, pg_get_viewdef(c.oid)
from reached r join pg_class c on c.oid = r.oid join pg_namespace n on n.oid = c.relnamespace
left join pg_depend e on e.classid = 'pg_class'::regclass and e.objid = c.oid and e.deptype = 'e'
left join pg_extension x on x.oid = e.refobjid
where c.relkind = 'v' and n.nspname not in ('pg_catalog', 'information_schema')
  and (x.oid is null or x.extname::text <> all($2::text[]))
union all
select p.polrelid::regclass::text, 'select ' || pg_get_expr(p.polqual, p.polrelid)
from reached r join pg_policy p on p.polrelid = r.oid where p.polqual is not null
union all
select f.ftrelid::regclass::text, 'select a_program(' || quote_literal(f.ftoptions::text) || ')'
from reached r join pg_foreign_table f on f.ftrelid = r.oid
where exists (select from unnest(f.ftoptions) o where o like 'program=%')
union all
select t.typname::text, 'select ' || pg_get_constraintdef(k.oid)
from pg_constraint k join pg_type t on t.oid = k.contypid where t.typname = any($1::text[])
"""

# Operators and casts of somebody's own making, with the function that each calls.
_CALLED_UNNAMED = """
select o.oprname::text, '', '', p.proname::text, p.provolatile = 'v' from pg_operator o
join pg_proc p on p.oid = o.oprcode
left join pg_depend e on e.classid = 'pg_proc'::regclass and e.objid = p.oid and e.deptype = 'e'
where o.oid >= 16384 and (e.objid is null or p.provolatile = 'v')
union all
select case c.castcontext when 'i' then '' else '::' end, s.typname::text, t.typname::text, p.proname::text,
  p.provolatile = 'v'
from pg_cast c join pg_proc p on p.oid = c.castfunc
join pg_type s on s.oid = c.castsource join pg_type t on t.oid = c.casttarget
left join pg_depend e on e.classid = 'pg_proc'::regclass and e.objid = p.oid and e.deptype = 'e'
where c.oid >= 16384 and (e.objid is null or p.provolatile = 'v')
"""


def sealed(wire: Wire, text: str, values: Sequence[str], task: Task, *, most_rows: int) -> Answer:
    """Run one statement that can't change anything. The connection is fit for nothing afterwards.

    Raises:
        PolicyRefusal: it may change something, or (in read-only mode) the role may do what no transaction holds back.
        CockpitError: see Wire.ask.
    """
    judged = judge_sql(text)
    found = list(statements(text)) if judged.verdict is Verdict.READ_ONLY else []
    if len(found) != 1:
        raise _refused("; ".join(judged.reasons) or _("it is more than one statement"))
    wire.ask("BEGIN TRANSACTION READ ONLY")
    try:
        # The query that fixes the transaction as read-only; and ours below mean the system's functions, nobody else's.
        ((path, _set),) = wire.ask(_OWN_PATH).rows
        if task.mode is Mode.READ_ONLY:
            _require_a_bound_role(wire)
        _require_harmless(wire, found[0])
        limits_s = ((task.timeout_s or _LONGEST_S) + 1, _LOCK_S, _IDLE_S)
        wire.ask(_LIMITS, [path or "", *(f"{round(limit_s * 1000)}ms" for limit_s in limits_s)])
        answer = wire.ask(text, values, most_rows=most_rows)
        if not wire.in_transaction:
            raise PolicyRefusal(_("the statement got out of its read-only transaction"), mend=_("tell its author"))
        return answer
    finally:
        _roll_back(wire)


@contextmanager
def reading(wire: Wire, *, within_s: float) -> Iterator[None]:
    """A read-only transaction for fixed questions of our own, in which every name is the system's.

    It is sealed as a step's is, and then committed: there is nothing to take back, and servers count what is rolled
    back as a sign of trouble.
    """
    wire.ask("BEGIN TRANSACTION READ ONLY")
    try:
        wire.ask(_OWN_PATH)
        wire.ask(_LIMITS, ["pg_catalog", *(f"{max(1, round(within_s * 1000))}ms" for _limit in range(3))])
        yield
    finally:
        with suppress(CockpitError):
            wire.ask("COMMIT")


def _roll_back(wire: Wire) -> None:
    with suppress(CockpitError):  # the connection is closed next, and that rolls back too
        wire.ask("ROLLBACK")


def _refused(why: str) -> PolicyRefusal:
    return PolicyRefusal(
        _("PostgreSQL can't be kept from changes here: {why}").format(why=why),
        mend=_("run it in a live session, with a confirmation"),
    )


def _require_a_bound_role(wire: Wire) -> None:
    """Such roles write files and start programs from inside of any transaction."""
    powers = powers_of(wire)
    if powers:
        raise PolicyRefusal(
            _("the role {powers}, which no read-only transaction holds back").format(powers=", ".join(powers)),
            mend=_("give the target a role with pg_read_all_data and pg_monitor alone"),
        )


def _require_harmless(wire: Wire, statement: Statement) -> None:
    """Refuse what calls something that may change things, seen or unseen."""
    words = {statement.name(at) for at, (kind, _t) in enumerate(statement.tokens) if kind in ("word", "quoted")}
    parts = [("", statement)]
    for place, definition in wire.ask(_BEHIND, [_array(words), _array(HARMLESS)], most_rows=_MOST_VIEWS).rows:
        parts += _parts(place, definition)
    unnamed = wire.ask(_CALLED_UNNAMED, most_rows=_MOST_VIEWS).rows
    used = [row for row in unnamed if any(_may_use(part, row) for _place, part in parts)]
    named = _with_bodies(wire, parts, {function or "" for *_what, function, _volatile in used})
    changing = wire.ask(_CHANGING, [_array(named), _array(HARMLESS)], most_rows=_MOST_VIEWS).rows
    for place, part in parts:
        _require_settled_calls(part.called(), changing, place)
        _require_settled_operators(part, unnamed, changing, place)


def _parts(place: str | None, text: str | None) -> list[tuple[str, Statement]]:
    try:
        return [(place or "?", part) for part in statements(text or "", strict=False)]
    except ValueError as error:
        raise _refused(_("{place} can't be read: {error}").format(place=place, error=error)) from error


def _with_bodies(wire: Wire, parts: list[tuple[str, Statement]], named: set[str]) -> set[str]:
    """The names of all functions that the parts call, `named`, and what these call; their bodies join the parts."""
    named = named.union(*(part.called() for _place, part in parts))
    known: set[str] = set()
    while new := named - known:
        known |= new
        for place, body in wire.ask(_BODIES, [_array(new), _array(HARMLESS)], most_rows=_MOST_VIEWS).rows:
            inside = _parts(place, body)
            if any("execute" in part.words for _place, part in inside):
                raise _refused(_("{place} runs a text that it makes itself").format(place=place))
            parts += inside
            named = named.union(*(part.called() for _place, part in inside))
    return named


def _require_settled_calls(called: frozenset[str], changing: Rows, place: str) -> None:
    """Every function of these names, in whatever schema, must leave things alone.

    Args:
        changing: those that may not: name, schema, whether it came with an extension, and that one is known or the
            function at least says of itself that it changes nothing.
        place: the view, policy or domain that calls them; "" for the statement, whose every name is known to read.
    """
    caller = place or _("the statement")
    refused = sorted(called & (WRITES | LOSSES)) if place else []
    for name, schema, extended in changing:
        known = name in READS and (schema == "pg_catalog" or extended == "t")
        refused += [f"{schema}.{name}"] if name in called and not known else []
    if refused:
        raise _refused(_("{place} calls {function}()").format(place=caller, function=refused[0]))


def _require_settled_operators(statement: Statement, unnamed: Rows, changing: Rows, place: str) -> None:
    refused = {name for name, _schema, _extended in changing}
    for row in unnamed:
        operator, source, onto, function, volatile = row
        if (volatile == "t" or function in refused) and _may_use(statement, row):
            what = f"{source} -> {onto}" if source else operator
            caller = place or _("the statement")
            raise _refused(_("{place} may use {what}, which calls something").format(place=caller, what=what))


def _may_use(statement: Statement, unnamed: Sequence[str | None]) -> bool:
    """Whether it may use an operator, or a cast from `source`."""
    operator, source, onto, *_function = unnamed
    if not source:
        symbols = "".join(text if kind == "symbol" else " " for kind, text in statement.tokens)
        return (operator or "") in symbols
    words = set(statement.words)
    return not operator or source in words or onto in words


def _array(names: Iterable[str]) -> str:
    """The names as PostgreSQL writes an array of text."""
    quoted = (name.replace("\\", "\\\\").replace('"', '\\"') for name in names)
    return "{" + ",".join(f'"{name}"' for name in quoted) + "}"
