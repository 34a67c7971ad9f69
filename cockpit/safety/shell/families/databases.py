"""Databases, caches and queues from the command line: the statements go to the rules of their language."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote

from cockpit.safety.redis.judgement import judge_redis_command, judge_redis_lines
from cockpit.safety.shell.options import Reading, read_options
from cockpit.safety.shell.tool import Call, Tool, denied, plain, tree
from cockpit.safety.shell.words import Word, constants
from cockpit.safety.sql.judgement import judge_sql
from cockpit.safety.tables import names
from cockpit.safety.verdict import (
    DESTRUCTIVE,
    MUTATING,
    UNKNOWN,
    Judgement,
    mutating,
    of_verdict,
    reading,
    unknown,
    worst,
)
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

_ASKS = names("-V --version --help --help=commands --help=options --help=variables")


def _only_asks(call: Call, asks: frozenset[str]) -> bool:
    """Whether it is only asked for its version or help, which it gives without a look at anything else."""
    return len(call.args) == 1 and call.args[0].constant and call.args[0].text in asks


def _psql(call: Call, tool: Tool) -> Judgement:
    if _only_asks(call, _ASKS):
        return reading()
    found = read_options(call.args, _PSQL_VALUES)
    if found.unclear is not None:
        return unknown(_("psql: a word built when it runs could be an option"))
    for name, value in found.options:
        if name in ("-o", "--output", "-L", "--log-file"):
            return mutating(_("psql {option} writes a file").format(option=name), "local-write")
        if name not in _PSQL_HARMLESS or (name in ("-P", "--pset") and (value is None or "pager" in value.text)):
            return unknown(_("psql: what {option} leads to can't be seen").format(option=name))
    if any(_chooses_settings(word) for word in _places(found)):
        return unknown(_("psql: the options of a connection change what its statements mean"))
    if found.has("-l", "--list", "-V", "--version"):
        return reading()
    return _statements(call, found, "psql", ("-c", "--command"))


def _places(found: Reading) -> Iterator[Word]:
    """What says where psql connects to."""
    yield from found.operands
    yield from (value for name, value in found.options if name in ("-d", "--dbname") and value is not None)


def _chooses_settings(place: Word) -> bool:
    """Whether a connection string sets more than a place: with a search_path of its own, any name may be another's."""
    return re.search(r"options\s*=", unquote(place.text)) is not None


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
        --default-character-set --defaults-file --defaults-extra-file --defaults-group-suffix --login-path --protocol
        --ssl-mode --ssl-ca --ssl-cert --ssl-key --max-statement-time"""
)
_MYSQL_FLAGS = names(
    """-p --password -N --skip-column-names -B --batch -s --silent -t --table -E --vertical -G -A --ssl -v -r
        --raw -C --compress -q --quick -H --html -X --xml --no-auto-rehash --show-warnings --binary-as-hex -V --version
        --column-names --skip-ssl --no-defaults -w --wait"""
)


def _mysql(call: Call, tool: Tool) -> Judgement:
    if _only_asks(call, _ASKS):
        return reading()
    found = read_options([_mysql_password(word) for word in call.args], _MYSQL_VALUES)
    if found.unclear is not None or any(n not in _MYSQL_VALUES | _MYSQL_FLAGS for n, _v in found.options):
        return unknown(_("mysql: an option is not known to be harmless"))
    for word in [value for name, value in found.options if name in ("-e", "--execute") and value]:
        # MySQL reads backslashes, # and /*! in its own way, which the PostgreSQL lexer does not follow.
        if re.search(r"[\\#]|/\*[!+]|--(?! )", word.text.removesuffix("\\G")):
            return unknown(_("mysql: the statement is written in a way that is not judged"))
    if found.has("-V", "--version"):
        return reading()
    ended = [(name, value and Word(value.text.replace("\\G", ";"), value.kind)) for name, value in found.options]
    return _statements(call, Reading(ended, found.operands), "mysql", ("-e", "--execute"))


def _mysql_password(word: Word) -> Word:
    return Word("-p") if word.text.startswith("-p") and word.text[:2] == "-p" else word


_ADMIN_READS = names("status ping version processlist variables extended-status")
_ADMIN_LOSSES = re.compile(
    r"shutdown|kill|drop|flush-.*|create|password|start-.*|stop-.*|reload|refresh|old-password|debug"
)


def _mysqladmin(call: Call, tool: Tool) -> Judgement:
    """Mysqladmin does one after the other whatever stands behind its options."""
    values = names("-h -u -P -S -i -r -c --host --user --port --socket --sleep --count --connect-timeout")
    found = read_options([_mysql_password(word) for word in call.args], values)
    known = values | names("-p --password -s --silent -v --verbose -E --vertical -V --version --help")
    verbs = constants(found.operands)
    if found.unclear is not None or verbs is None or any(name not in known for name, _v in found.options):
        return unknown(_("{command}: an option is not known to be harmless").format(command=call.name))
    if any(_ADMIN_LOSSES.fullmatch(verb) for verb in verbs):
        return of_verdict(DESTRUCTIVE, f"{call.name} {' '.join(verbs)}")
    if all(verb in _ADMIN_READS for verb in verbs) and (verbs or found.has("-V", "--version", "--help")):
        return reading(*(("unbounded",) if found.has("-i", "--sleep") and not found.has("-c", "--count") else ()))
    return unknown(_("{command} with these commands is not known to be read-only").format(command=call.name))


def _clickhouse(call: Call, tool: Tool) -> Judgement:
    """ClickHouse's client: one constant query, judged as SQL whose functions must be known."""
    args = call.args[1:] if call.name == "clickhouse" and call.args[:1] == (Word("client"),) else call.args
    values = names("-h --host --port -u --user --password -d --database -q --query --format -f --max_execution_time")
    found = read_options(args, values)
    flags = names("-s --secure -t --time -E --vertical -m --multiline")
    if found.unclear is not None or any(name not in values | flags for name, _v in found.options):
        return unknown(_("{command}: an option is not known to be harmless").format(command=call.name))
    return _statements(call, found, call.name, ("-q", "--query"))


_REDIS_VALUES = names("-h -p -a -n -u -s --user --pass --sni --cacert --cert --key -r -i --tls-ciphers -t")
_REDIS_FLAGS = names(
    """--no-auth-warning --raw --no-raw --csv --json --tls -c -x --insecure -2 -3 --resp2 --resp3 --verbose
        --quoted-input -e"""
)
_REDIS_ASKS = names("-v --version -h --help")
_REDIS_SCANS = names("--bigkeys --memkeys --hotkeys --scan --pattern --count --type --quoted-pattern")
_REDIS_WATCHES = names("--latency --latency-history --latency-dist --stat --intrinsic-latency")


def _redis(call: Call, tool: Tool) -> Judgement:
    if _only_asks(call, _REDIS_ASKS):
        return reading()
    # Options end at the first operand: what follows is the command, whose own words may begin with a dash.
    values = _REDIS_VALUES | names("--cluster --pattern --count --type --quoted-pattern --intrinsic-latency")
    at = 0
    while at < len(call.args) and call.args[at].may_be_option:
        at += 2 if call.args[at].text in values else 1
    found = read_options(call.args[:at], values)
    if found.unclear is not None:
        return unknown(_("redis-cli: a word built when it runs could be an option"))
    given = {name for name, _value in found.options}
    if found.has("--cluster"):
        asked = constants(call.args[at - 1 : at])
        harmless = given <= _REDIS_VALUES | _REDIS_FLAGS | {"--cluster"}
        if harmless and len(call.args) <= at + 1 and asked and asked[0] in ("check", "info", "help"):
            return reading("heavy")
        return unknown(_("redis-cli --cluster may change the cluster"))
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


_SQLITE_ASKS = names("-version --version -help --help")


def _sqlite(call: Call, tool: Tool) -> Judgement:
    if _only_asks(call, _SQLITE_ASKS):
        return reading()
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


TOOLS: dict[str, Tool] = {
    "psql": Tool(special=_psql),
    **plain("mysql mariadb", Tool(special=_mysql)),
    "redis-cli": Tool(special=_redis),
    "valkey-cli": Tool(special=_redis),
    "sqlite3": Tool(special=_sqlite),
    **plain("clickhouse-client clickhouse", Tool(special=_clickhouse)),
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
    "pg_waldump": Tool(denied=denied("--save-fullpage")),
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
        read="list topology history show-config version dsn",
        mutating="reload pause resume edit-config",
        destructive="failover switchover restart reinit remove",
    ),
    **plain("mysqladmin mariadb-admin", Tool(special=_mysqladmin)),
    **plain(
        "mysqldump mariadb-dump",
        Tool(
            flags=names(
                """--single-transaction --quick --no-data --all-databases --routines --triggers --events -d -A -R -B
                --databases --no-create-info -t --skip-lock-tables --skip-triggers --hex-blob --no-tablespaces"""
            ),
            values=names("-h -P -u -p -S -w --where --host --port --user"),
            tags=("heavy", "sensitive-read"),
        ),
    ),
    **plain(
        """mongosh mongo cqlsh influx sqlcmd sqlplus pgcli mycli usql cockroach""",
        Tool(verdict=UNKNOWN),
    ),
    **plain("mongodump mongorestore mysqlimport", Tool(verdict=MUTATING)),
    **plain("mongostat mongotop", Tool(tags=("unbounded",))),
    "pgbouncer": Tool(verdict=UNKNOWN),
    "memcached-tool": Tool(verdict=UNKNOWN),
}
