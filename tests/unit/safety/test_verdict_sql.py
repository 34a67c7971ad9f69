"""SQL verdicts: what escapes a read-only session must not be called read-only."""

from __future__ import annotations

import pytest

from cockpit.safety.judge import judge

READS = [
    "SELECT 1",
    "select count(*) from t where created_at > now() - interval '1 hour';",
    "WITH a AS (SELECT * FROM t) SELECT * FROM a ORDER BY x DESC LIMIT 5",
    "SELECT status, COUNT(*) FROM t GROUP BY status HAVING COUNT(*) > 5",
    "SELECT pid, now() - query_start AS duration FROM pg_stat_activity",
    "SELECT relation::regclass, granted FROM pg_locks WHERE NOT granted",
    "EXPLAIN SELECT * FROM t",
    "EXPLAIN (ANALYZE, BUFFERS) SELECT * FROM t",
    "EXPLAIN DELETE FROM t",
    "SHOW max_connections; SELECT pg_is_in_recovery();",
    "TABLE t",
    "VALUES (1), (2)",
    "SELECT 'drop table x; -- it''s text'",
    "SELECT $$ drop table x; $$, $tag$ delete $$ from $tag$",
    "SELECT /* drop /* nested */ table */ 1 -- delete",
    'SELECT "update", t.delete FROM t',
    "SELECT x FROM t WHERE a IN (1,2) AND b = ANY (ARRAY[1,2])",
    "SELECT coalesce(a, 'x'), extract(epoch from b), left(c, 10), row_number() OVER (PARTITION BY d) FROM t",
    r"\dt",
    r"\d+ ai_requests",
    "\\x\nSELECT 1;",
    "SELECT E'it\\'s'",
]
CHANGES = [
    ("DELETE FROM t", "destructive"),
    ("UPDATE t SET a = 1", "destructive"),
    ("TRUNCATE t", "destructive"),
    ("DROP TABLE t", "destructive"),
    ("ALTER TABLE t DROP COLUMN a", "destructive"),
    ("SELECT pg_terminate_backend(1)", "destructive"),
    ("select PG_CATALOG.PG_Terminate_Backend /* x */ (1)", "destructive"),
    ('SELECT "pg_terminate_backend"(1)', "destructive"),
    ("SELECT pg_promote();", "destructive"),
    ("WITH a AS (DELETE FROM t RETURNING *) SELECT * FROM a", "destructive"),
    ("EXPLAIN ANALYZE DELETE FROM t", "destructive"),
    ("SELECT 1; DROP TABLE t", "destructive"),
    ("FLUSHALL", "destructive"),
    ("INSERT INTO t VALUES (1)", "mutating"),
    ("CREATE INDEX i ON t (a)", "mutating"),
    ("SELECT * INTO b FROM a", "mutating"),
    ("SELECT * FROM t FOR UPDATE", "mutating"),
    ("SELECT nextval('s')", "mutating"),
    ("SELECT set_config('default_transaction_read_only','off',false)", "mutating"),
    ("SELECT pg_advisory_lock(1)", "mutating"),
    ("SELECT lo_export(1, '/tmp/x')", "mutating"),
    ("SELECT * FROM dblink('x', 'delete from t') AS t(a int)", "mutating"),
    ("COPY t TO PROGRAM 'rm'", "mutating"),
    ("SET transaction_read_only = off", "mutating"),
    ("VACUUM ANALYZE", "mutating"),
    ("NOTIFY x", "mutating"),
    ("CALL p()", "mutating"),
]
UNKNOWNS = [
    "BEGIN; SELECT 1",
    "COMMIT",
    "ROLLBACK",
    "DO $$ begin delete from t; end $$",
    "EXECUTE q",
    "SELECT my_function(1)",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT U&'d\\0061ta'",
    "SELECT 'open",
    "SELECT $a$ open",
    "SELECT /* open",
    "/*! drop table t */ SELECT 1",
    "SELECT :name",
    "SELECT 1 \\gexec",
    r"\! rm x",
    r"\copy t to 'f'",
    r"\o f",
    r"\i f.sql",
    "SELECT * FROM t; \\! rm x",
    "",
    "-- nothing",
]


@pytest.mark.parametrize("statement", READS)
def test_queries_are_read_only(statement: str) -> None:
    judged = judge("sql", statement)
    assert judged.verdict == "read-only", judged.reasons


@pytest.mark.parametrize(("statement", "verdict"), CHANGES)
def test_changes_are_seen_wherever_they_stand(statement: str, verdict: str) -> None:
    assert judge("sql", statement).verdict == verdict


@pytest.mark.parametrize("statement", UNKNOWNS)
def test_the_rest_is_unknown(statement: str) -> None:
    judged = judge("sql", statement)
    assert judged.verdict == "unknown"
    assert judged.reasons
