"""Extensions whose functions a sealed step may reach without anybody reading them.

What comes with PostgreSQL itself and only computes or looks. Not among them is what runs a text that it is given
(tablefunc's crosstab, xml2's xpath_table), opens connections (dblink, postgres_fdw), or is there to change things
(adminpack, lo, pg_prewarm, pg_surgery).
"""

from __future__ import annotations

from cockpit.safety.tables import names

HARMLESS = names(
    """amcheck bloom btree_gin btree_gist citext cube dict_int dict_xsyn earthdistance fuzzystrmatch hstore intagg
    intarray isn ltree old_snapshot pageinspect pg_buffercache pg_freespacemap pg_stat_statements pg_trgm pg_visibility
    pg_walinspect pgcrypto pgrowlocks pgstattuple plpgsql seg sslinfo tsm_system_rows tsm_system_time unaccent
    uuid-ossp"""
)
