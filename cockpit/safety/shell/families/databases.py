"""Databases, caches and queues from the command line: the statements go to the rules of their language."""

from __future__ import annotations

import re

from cockpit.safety.redis import judge_redis_command, judge_redis_lines
from cockpit.safety.shell.options import Reading, read_options
from cockpit.safety.shell.tool import (
    DESTRUCTIVE,
    MUTATING,
    UNKNOWN,
    Call,
    Tool,
    denied,
    mutating,
    names,
    of_verdict,
    plain,
    reading,
    tree,
    unknown,
)
from cockpit.safety.shell.words import Word, constants
from cockpit.safety.sql import judge_sql
from cockpit.safety.verdict import Judgement, worst
from cockpit.words import _

_PSQL_VALUES = names(
    """-c --command -d --dbname -f --file -h --host -p --port -U --username -v --set --variable -o --output -L
    --log-file -P --pset -F --field-separator -R --record-separator -T --table-attr"""
)
_PSQL_HARMLESS = names(
    """-c --command -d --dbname -h --host -p --port -U --username -P --pset -F --field-separator -R
    --record-separator -A --no-align -t --tuples-only -x --expanded -X --no-psqlrc -q --quiet -w --no-password
    -W --password -1 --single-transaction -e --echo-queries -E --echo-hidden -a --echo-all -b --echo-errors -z
    -0 -H --html --csv -n --no-readline -v --set --variable -l --list -V --version"""
)


def _psql(call: Call, tool: Tool) -> Judgement:
    found = read_options(call.args, _PSQL_VALUES)
    if found.unclear is not None:
        return unknown(_("psql: a word built when it runs could be an option"))
    for name, value in found.options:
        if name in ("-o", "--output", "-L", "--log-file"):
            return mutating(_("psql {option} writes a file").format(option=name), "local-write")
        if name not in _PSQL_HARMLESS or (name in ("-P", "--pset") and (value is None or "pager" in value.text)):
            return unknown(_("psql: what {option} leads to can't be seen").format(option=name))
    if found.has("-l", "--list", "-V", "--version"):
        return reading()
    return _statements(call, found, "psql", ("-c", "--command"))


def _statements(call: Call, found: Reading, label: str, options: tuple[str, ...]) -> Judgement:
    commands = [value for name, value in found.options if name in options and value is not None]
    if not commands and call.stdin.text is not None:
        commands = [call.stdin.text]
    if not commands:
        return unknown(_("{command} reads statements that can't be seen").format(command=label))
    return worst(_sql_word(word, label) for word in commands)


def _sql_word(word: Word, label: str) -> Judgement:
    if not word.constant:
        return unknown(_("{command}: the statement is only known when it runs").format(command=label))
    return judge_sql(word.text, psql=label == "psql")


_MYSQL_VALUES = names(
    """-e --execute -h --host -P --port -u --user -D --database -S --socket --connect-timeout
        --default-character-set"""
)
_MYSQL_FLAGS = names(
    """-p --password -N --skip-column-names -B --batch -s --silent -t --table -E --vertical -G -A --ssl -v -r
        --raw -C"""
)


def _mysql(call: Call, tool: Tool) -> Judgement:
    found = read_options([_mysql_password(word) for word in call.args], _MYSQL_VALUES)
    if found.unclear is not None or any(n not in _MYSQL_VALUES | _MYSQL_FLAGS for n, _v in found.options):
        return unknown(_("mysql: an option is not known to be harmless"))
    for word in [value for name, value in found.options if name in ("-e", "--execute") and value]:
        # MySQL reads backslashes, # and /*! in its own way, which the PostgreSQL lexer does not follow.
        if re.search(r"[\\#]|/\*[!+]|--(?! )", word.text.removesuffix("\\G")):
            return unknown(_("mysql: the statement is written in a way that is not judged"))
    ended = [(name, value and Word(value.text.replace("\\G", ";"), value.kind)) for name, value in found.options]
    return _statements(call, Reading(ended, found.operands), "mysql", ("-e", "--execute"))


def _mysql_password(word: Word) -> Word:
    return Word("-p") if word.text.startswith("-p") and word.text[:2] == "-p" else word


_REDIS_VALUES = names("-h -p -a -n -u -s --user --pass --sni --cacert --cert --key -r -i --tls-ciphers -t")
_REDIS_FLAGS = names(
    """--no-auth-warning --raw --no-raw --csv --json --tls -c -x --insecure -2 -3 --resp2 --resp3 --verbose
        --quoted-input -e"""
)
_REDIS_SCANS = names("--bigkeys --memkeys --hotkeys --scan --pattern --count --type --quoted-pattern")
_REDIS_WATCHES = names("--latency --latency-history --latency-dist --stat --intrinsic-latency")


def _redis(call: Call, tool: Tool) -> Judgement:
    # Options end at the first operand: what follows is the command, whose own words may begin with a dash.
    values = _REDIS_VALUES | names("--pattern --count --type --quoted-pattern --intrinsic-latency")
    at = 0
    while at < len(call.args) and call.args[at].may_be_option:
        at += 2 if call.args[at].text in values else 1
    found = read_options(call.args[:at], values)
    if found.unclear is not None:
        return unknown(_("redis-cli: a word built when it runs could be an option"))
    given = {name for name, _value in found.options}
    if given - _REDIS_VALUES - _REDIS_FLAGS - _REDIS_SCANS - _REDIS_WATCHES:
        return unknown(_("redis-cli: an option is not known to be harmless"))
    command = call.args[at:]
    if command:
        texts = constants(command[:2])
        if texts is None:
            return unknown(_("redis-cli: the command is only known when it runs"))
        return judge_redis_command([word.text for word in command])
    if given & _REDIS_SCANS:
        return reading("heavy")
    if given & _REDIS_WATCHES:
        return reading("unbounded")
    if call.stdin.text is not None and call.stdin.text.constant:
        return judge_redis_lines(call.stdin.text.text)
    return unknown(_("redis-cli reads commands that can't be seen"))


def _sqlite(call: Call, tool: Tool) -> Judgement:
    found = read_options(call.args, names("-separator -cmd -init"), long_single=True)
    if found.unclear is not None or not found.has("-readonly") or len(found.operands) != 2:
        return unknown(_("sqlite3 is judged with -readonly and one constant statement only"))
    if any(
        name not in names("-readonly -header -csv -json -column -line -separator -list") for name, _v in found.options
    ):
        return unknown(_("sqlite3: an option is not known to be harmless"))
    statement = found.operands[1]
    if not statement.constant or statement.text.lstrip().startswith("."):
        return unknown(_("sqlite3: the statement is only known when it runs"))
    return judge_sql(statement.text)


def _pg_restore(call: Call, tool: Tool) -> Judgement:
    found = read_options(
        call.args, names("-d -f -h -p -U -n -t -j -F -L -S -T -P -I --dbname --file --host --port --username")
    )
    if found.has("-l", "--list") and not found.has("-f", "--file"):
        return reading()
    if found.has("-c", "--clean"):
        return of_verdict(DESTRUCTIVE, "pg_restore --clean")
    return of_verdict(MUTATING, "pg_restore")


def _listing(values: str) -> Tool:
    """Kafka's scripts: read-only with --list or --describe and nothing that changes."""

    def judge(call: Call, tool: Tool) -> Judgement:
        texts = [word.text for word in call.args if word.may_be_option]
        known = names(values) | names(
            """--list --describe --bootstrap-server --zookeeper --version --command-config --state --members
                --verbose"""
        )
        if any(text.startswith("--delete") for text in texts):
            return of_verdict(DESTRUCTIVE, call.name)
        if any(text in ("--list", "--describe", "--version") for text in texts) and all(
            text in known for text in texts
        ):
            return reading()
        return of_verdict(
            MUTATING if any(re.match(r"--(?:alter|create|reset|execute|add)", t) for t in texts) else UNKNOWN, call.name
        )

    return Tool(special=judge)


TOOLS: dict[str, Tool] = {
    "psql": Tool(special=_psql),
    **plain("mysql mariadb", Tool(special=_mysql)),
    "redis-cli": Tool(special=_redis),
    "valkey-cli": Tool(special=_redis),
    "sqlite3": Tool(special=_sqlite),
    "pg_isready": Tool(),
    "pg_restore": Tool(special=_pg_restore),
    "pg_dump": Tool(
        denied=denied("-f --file -j --jobs"),
        tags=("heavy", "sensitive-read"),
        values=names("-h -p -U -d -t -n -T -N -F -E -Z"),
    ),
    "pg_dumpall": Tool(denied=denied("-f --file"), tags=("heavy", "sensitive-read"), values=names("-h -p -U -l -d")),
    "pg_controldata": Tool(),
    "pg_lsclusters": Tool(),
    "pg_waldump": Tool(),
    "pg_config": Tool(),
    "pg_ctl": tree(
        values="-D --pgdata",
        read="status",
        mutating="start reload logrotate",
        destructive="stop restart promote kill init initdb",
    ),
    "pg_ctlcluster": Tool(verdict=DESTRUCTIVE),
    **plain(
        """vacuumdb reindexdb clusterdb createdb createuser pgbench pg_basebackup pgbackrest initdb pg_repack
            barman wal-g""",
        Tool(verdict=MUTATING, tags=("heavy",)),
    ),
    **plain("dropdb dropuser pg_resetwal pg_rewind pg_upgrade", Tool(verdict=DESTRUCTIVE)),
    "patronictl": tree(
        values="-c -d",
        read="list topology history show-config version query",
        mutating="reload pause resume edit-config",
        destructive="failover switchover restart reinit remove",
    ),
    "mysqladmin": tree(
        values="-h -u -P -S",
        flags="-p",
        read="status ping version processlist variables extended-status",
        destructive="shutdown kill drop flush-all",
    ),
    "mysqldump": Tool(denied=denied("-r --result-file --tab"), tags=("heavy", "sensitive-read")),
    **plain(
        """mongosh mongo cqlsh clickhouse-client influx sqlcmd sqlplus pgcli mycli usql cockroach""",
        Tool(verdict=UNKNOWN),
    ),
    **plain("mongodump mongorestore mysqlimport", Tool(verdict=MUTATING)),
    **plain("mongostat mongotop", Tool(tags=("unbounded",))),
    "etcdctl": tree(
        values="--endpoints --cacert --cert --key --user -w --write-out --dial-timeout --command-timeout",
        read="""get endpoint/health endpoint/status endpoint/hashkv member/list alarm/list version check/perf
            user/list role/list""",
        mutating="""put compaction defrag alarm/disarm member/add member/update snapshot/save move-leader
            lease/grant""",
        destructive="del member/remove snapshot/restore lease/revoke",
    ),
    "rabbitmqctl": tree(
        values="-n --node -t --timeout -p --vhost --formatter",
        flags="-q --quiet -s --silent -l --longnames",
        read="""status list_queues list_exchanges list_bindings list_connections list_channels list_consumers
        list_users list_vhosts list_permissions list_policies list_parameters cluster_status node_health_check
        environment report version ping list_unresponsive_queues""",
        mutating="""start_app set_policy add_user set_permissions set_user_tags add_vhost enable_feature_flag
            sync_queue close_connection close_all_connections rotate_logs set_parameter join_cluster
            change_password""",
        destructive="""stop_app stop reset force_reset delete_queue purge_queue delete_user delete_vhost
            forget_cluster_node shutdown clear_policy""",
    ),
    "rabbitmq-diagnostics": tree(
        values="-n -t",
        flags="-q",
        read="""status ping check_running check_local_alarms check_port_connectivity alarms memory_breakdown
            listeners""",
    ),
    **{
        f"{name}{ending}": _listing(
            """--topic --group --entity-type --entity-name --all-groups --all-topics
                --under-replicated-partitions --unavailable-partitions --offsets --topics-with-overrides"""
        )
        for name in (
            "kafka-topics",
            "kafka-consumer-groups",
            "kafka-configs",
            "kafka-acls",
            "kafka-broker-api-versions",
        )
        for ending in ("", ".sh")
    },
    "pgbouncer": Tool(verdict=UNKNOWN),
    "memcached-tool": Tool(verdict=UNKNOWN),
}
