"""What a look asks of a PostgreSQL server (13 or later): fixed statements over the system's own views, nothing else.

Each gives the columns that `standing.py` reads by name. Ages are in seconds, sizes in bytes. What a role may not see of
another's session comes as NULL, and its statement as "<insufficient privilege>".
"""

from __future__ import annotations

HIDDEN_QUERY = "<insufficient privilege>"

SERVER = """
select current_setting('server_version_num') as version, current_setting('max_connections') as most_connections,
  pg_size_bytes(current_setting('track_activity_query_size')) as query_bytes,
  pg_is_in_recovery() as in_recovery, pg_has_role(current_user, 'pg_read_all_stats', 'usage') as sees_all,
  current_user as role, sum(d.xact_commit) as commits, sum(d.xact_rollback) as rollbacks, sum(d.blks_hit) as hits,
  sum(d.blks_read) as reads, sum(d.deadlocks) as deadlocks,
  (select extract(epoch from max(now() - p.prepared)) from pg_prepared_xacts p) as prepared_age,
  (select n.nspname from pg_extension e join pg_namespace n on n.oid = e.extnamespace
    where e.extname = 'pg_stat_statements') as statements_schema
from pg_stat_database d
"""

STATES = """
select state, count(*) as sessions, extract(epoch from max(now() - xact_start)) as oldest
from pg_stat_activity
where pid <> pg_backend_pid() and (backend_type = 'client backend' or backend_type is null and usesysid is not null)
group by state
"""

# pg_blocking_pids() stops the lock table for a moment: it is asked only of those who wait, and of so many.
BLOCKED = """
select pid, array_to_string(pg_blocking_pids(pid), ' ') as holders
from pg_stat_activity where wait_event_type = 'Lock' order by query_start limit 20
"""

# The sessions of $1, the longest running, and those that hold a transaction open and do nothing.
SESSIONS = """
with clients as (
  select * from pg_stat_activity where pid <> pg_backend_pid() and backend_type = 'client backend'
)
select pid, usename, application_name, client_addr::text as client, backend_type, state, wait_event_type, wait_event,
  extract(epoch from now() - query_start) as query_age, extract(epoch from now() - xact_start) as transaction_age,
  extract(epoch from now() - state_change) as state_age, left(query, 4000) as query, octet_length(query) as octets
from pg_stat_activity
where pid = any($1::int[])
  or pid in (select pid from clients where state = 'active' order by query_start limit 5)
  or pid in (select pid from clients where state like 'idle in transaction%' order by state_change limit 3)
order by query_start
"""

# What those of $1 wait for; a relation has a name in its own database only.
WAITED_FOR = """
select l.pid, l.mode, l.locktype, c.relname, extract(epoch from now() - l.waitstart) as waits
from pg_locks l
left join pg_class c on c.oid = l.relation
  and l.database = (select d.oid from pg_database d where d.datname = current_database())
where not l.granted and l.pid = any($1::int[])
"""
WAITED_FOR_BEFORE_14 = WAITED_FOR.replace("extract(epoch from now() - l.waitstart)", "null")

STANDBYS = """
select application_name, client_addr::text as client, state, sync_state,
  pg_wal_lsn_diff(case when pg_is_in_recovery() then pg_last_wal_receive_lsn() else pg_current_wal_lsn() end,
    replay_lsn) as behind_bytes, extract(epoch from replay_lag) as behind
from pg_stat_replication where state is distinct from 'backup' order by 5 desc nulls first limit 50
"""

# Only asked of a standby: elsewhere the server refuses.
REPLAY = """
select pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) as behind_bytes,
  extract(epoch from now() - pg_last_xact_replay_timestamp()) as since_replayed,
  pg_is_wal_replay_paused() as paused, (select count(*) from pg_stat_wal_receiver) as receivers
"""

# $1 is a mean in ms. The extension's view stands in whatever schema its administrator chose.
STATEMENTS = """
select left(query, 4000) as query, octet_length(query) as octets, calls, mean_exec_time as mean_ms,
  total_exec_time as total_ms, count(*) over () as slow
from pg_stat_statements
where mean_exec_time > $1::float8 and dbid = (select oid from pg_database where datname = current_database())
order by total_exec_time desc limit 5
"""

ALL = ";\n".join(each.strip() for each in (SERVER, STATES, BLOCKED, SESSIONS, WAITED_FOR, STANDBYS, REPLAY, STATEMENTS))


def statements_in(schema: str) -> str:
    """STATEMENTS, with the view looked for in that schema and nowhere else."""
    quoted = schema.replace('"', '""')
    return STATEMENTS.replace("from pg_stat_statements", f'from "{quoted}".pg_stat_statements')
