"""What a PostgreSQL role may do, asked of the catalog: whether the server itself would keep it from changing things."""

from __future__ import annotations

from cockpit.adapters.base import Enforcement
from cockpit.adapters.postgresql.wire import Wire
from cockpit.words import _

_POWERS = """
select r.rolsuper,
       pg_has_role(current_user, 'pg_write_server_files', 'member'),
       pg_has_role(current_user, 'pg_execute_server_program', 'member')
from pg_roles r where r.rolname = current_user
"""

# Every role this one is or may become, and the first thing of each sort that one of them may do.
_GRANTS = """
with me as (select oid from pg_roles where pg_has_role(current_user, oid, 'member')),
tables as (
    select c.oid, c.oid::regclass::text as name, c.relkind, c.relowner
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
)
select pg_is_in_recovery()::text,
  (select min(t.name) from tables t, me where t.relkind in ('r', 'p', 'v', 'f')
    and has_table_privilege(me.oid, t.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')),
  (select min(t.name) from tables t, me where t.relkind in ('r', 'p', 'v', 'f')
    and has_any_column_privilege(me.oid, t.oid, 'INSERT, UPDATE')),
  (select min(t.name) from tables t, me where t.relowner = me.oid),
  (select min(t.name) from tables t, me where t.relkind = 'S'
    and has_sequence_privilege(me.oid, t.oid, 'USAGE, UPDATE')),
  (select min(n.nspname::text) from pg_namespace n, me where has_schema_privilege(me.oid, n.oid, 'CREATE')),
  (select min(d.datname::text) from pg_database d, me
    where d.datname = current_database() and has_database_privilege(me.oid, d.oid, 'CREATE')),
  (select min(p.oid::regprocedure::text) from pg_proc p, me
    where p.prosecdef and p.provolatile = 'v' and p.proowner <> me.oid and p.oid >= 16384
    and has_function_privilege(me.oid, p.oid, 'EXECUTE')),
  (select min(r.rolname::text) from pg_roles r join me on me.oid = r.oid
    where r.rolcreaterole or r.rolcreatedb or r.rolreplication or r.rolname in
      ('pg_write_all_data', 'pg_signal_backend', 'pg_checkpoint', 'pg_create_subscription', 'pg_maintain'))
"""


def powers_of(wire: Wire) -> list[str]:
    """What of the role reaches beyond transactions, in words; empty when nothing does."""
    ((superuser, writes_files, runs_programs),) = wire.ask(_POWERS).rows
    if superuser == "t":
        return [_("is a superuser")]
    told = ((writes_files, _("may write the server's files")), (runs_programs, _("may run programs on the server")))
    return [words for holds, words in told if holds == "t"]


def enforcement_of(wire: Wire) -> Enforcement:
    """Whether the role, or a standby, could change anything at all; asked in a read-only transaction."""
    wire.ask("BEGIN TRANSACTION READ ONLY")
    powers = powers_of(wire)
    if powers:
        return Enforcement("tool", _("the role {powers}").format(powers=", ".join(powers)))
    (row,) = wire.ask(_GRANTS).rows
    standby, *grants = row
    if standby == "true":
        return Enforcement("server", _("it is a standby, which takes no writes"))
    sorts = (
        _("the role may write to {name}"),
        _("the role may write to {name}"),
        _("the role owns {name}"),
        _("the role may advance {name}"),
        _("the role may create things in {name}"),
        _("the role may create things in {name}"),
        _("the role may call {name}, which acts as its owner"),
        _("the role is or may become {name}"),
    )
    for sort, name in zip(sorts, grants, strict=True):
        if name is not None:
            return Enforcement("tool", sort.format(name=name))
    return Enforcement("server", _("the role may write nothing"))
