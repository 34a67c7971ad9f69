"""PostgreSQL statements: a lexer that reads quotes and comments as the server does, and a default of unknown.
Nothing is read-only but a query made of known words: every function called must be on a list, and no word
that writes, locks, calls or leaves the transaction may stand anywhere outside quotes. That asks for no
grammar of SQL, and so leaves no difference between two grammars for a statement to hide in."""

from __future__ import annotations

import re

from cockpit.safety.sql.functions import HEAVY, KEYWORDS_BEFORE_PARENTHESIS, LOSSES, READS, SENSITIVE, WRITES
from cockpit.safety.sql.lexer import Token, statements
from cockpit.safety.tables import names
from cockpit.safety.verdict import Judgement, destructive, mutating, reading, unknown, worst
from cockpit.words import _

_STARTS = {
    **dict.fromkeys(names("select with values table show describe desc"), "read"),
    "explain": "explain",
    **dict.fromkeys(names("drop truncate delete update merge"), "loss"),
    **dict.fromkeys(names("flushall flushdb"), "redis"),
    **dict.fromkeys(
        names("""insert create alter grant revoke comment vacuum analyze analyse reindex cluster refresh notify
        reassign security import replace rename optimize checkpoint load lock copy call set reset discard
        listen unlisten prepare kill"""),
        "change",
    ),
    **dict.fromkeys(names("begin start commit end rollback abort savepoint release"), "transaction"),
}
_NEVER = names(
    """insert update delete merge truncate drop alter create grant revoke into copy call do vacuum reindex
    refresh lock notify listen execute prepare deallocate commit rollback begin set reset discard outfile
    dumpfile load returning nowait skip share procedure"""
)
_SENSITIVE_TABLES = names("pg_shadow pg_authid pg_user_mapping pg_user_mappings")
_TELLING = _NEVER | _SENSITIVE_TABLES
# Words that may stand in a query although a statement of that name writes.
_COLUMN_LIKE = names(
    "share set begin execute reset load do call lock notify prepare skip listen procedure discard copy"
)
_OWN_SCHEMAS = frozenset({"pg_catalog", '"pg_catalog"'})


def judge_sql(text: str, *, psql: bool = False) -> Judgement:
    """Judge SQL text, of one or several statements. `psql` allows its describing meta commands."""
    if psql and text.lstrip().startswith("\\"):
        lines = [line for line in text.split("\n") if line.strip()]
        metas = all(line.lstrip().startswith("\\") for line in lines)
        return worst(_meta(line) for line in lines) if metas else _mixed_with_meta(text)
    try:
        found = list(statements(text))
    except ValueError as error:
        return unknown(str(error))
    if psql and any(token == ("backslash", "\\") for statement in found for token in statement.tokens):
        return _mixed_with_meta(text)
    if not found:
        return unknown(_("nothing to judge"))
    return worst(_judge_statement(statement.tokens) for statement in found)


def _mixed_with_meta(text: str) -> Judgement:
    """Statements and meta commands, each meta command on a line of its own."""
    meta = [line for line in text.split("\n") if line.lstrip().startswith("\\")]
    rest = "\n".join(line for line in text.split("\n") if not line.lstrip().startswith("\\"))
    if not meta or "\\" in rest or "'" in rest or "$" in rest or '"' in rest or "/*" in rest:
        return unknown(_("it mixes SQL with psql's own commands"))
    return worst([judge_sql(rest), *(_meta(line) for line in meta)])


_META_READS = re.compile(
    r"\\(?:d[a-zA-Z]{0,4}[S+]*|l\+?|z|conninfo|timing|x|pset|encoding|sf\+?|sv\+?|echo|q|\?|h|a|t|du\+?|errverbose)(?:\s+(?:on|off|auto|[\w.*?\"$-]+))*\s*;?"
)


def _meta(line: str) -> Judgement:
    if _META_READS.fullmatch(line.strip()) and "pager" not in line and "`" not in line:
        return reading()
    return unknown(_("psql's {command} is not known to be read-only").format(command=line.split(maxsplit=1)[0]))


def _judge_statement(tokens: list[Token]) -> Judgement:
    first = next((text for kind, text in tokens if kind == "word"), "")
    if tokens[0][1] not in (first, "("):
        return unknown(_("it does not begin like a statement"))
    role = _STARTS.get(first, "")
    if role == "redis":
        return destructive(_("{word} is a Redis command, and can't be undone").format(word=first.upper()))
    if role == "loss":
        return destructive(_("{word} can't be undone").format(word=first.upper()))
    if role == "change":
        return _judge_change(first, tokens)
    if role == "transaction":
        return unknown(_("{word} leaves the transaction that holds it").format(word=first.upper()))
    if role == "explain":
        return _judge_explain(tokens)
    if role == "read":
        return _judge_query(tokens)
    return unknown(_("{word} is not known to be read-only").format(word=first.upper() or _("this statement")))


def _judge_change(first: str, tokens: list[Token]) -> Judgement:
    words = [text for kind, text in tokens if kind == "word"]
    if (first == "alter" and "drop" in words) or (first == "create" and "replace" in words):
        return destructive(_("{word} can't be undone").format(word=" ".join(words[:3]).upper()))
    return mutating(_("{word} makes changes").format(word=first.upper()))


def _judge_explain(tokens: list[Token]) -> Judgement:
    """EXPLAIN plans; with ANALYZE it runs, so what it explains is judged."""
    at = next(
        (i for i, (_k, t) in enumerate(tokens) if t in _STARTS and t not in ("explain", "analyze", "analyse")), None
    )
    if at is None:
        return unknown(_("it is not certain what EXPLAIN explains"))
    runs = any(text in ("analyze", "analyse") for _kind, text in tokens[:at])
    inner = _judge_statement(tokens[at:])
    if runs or inner.verdict.rank == 0:
        return inner
    return (
        reading()
        if _STARTS[tokens[at][1]] in ("loss", "change") and tokens[at][1] in names("insert update delete merge")
        else inner
    )


def _judge_query(tokens: list[Token]) -> Judgement:
    parts = [reading()]
    for at, (kind, text) in enumerate(tokens):
        after = tokens[at + 1][1] if at + 1 < len(tokens) else ""
        before = tokens[at - 1] if at else ("", "")
        if kind == "backslash":
            return unknown(_("a backslash stands outside of quotes"))
        if kind == "parameter" and not text.startswith("$"):
            return unknown(_("a psql variable is pasted into the statement"))
        if text == ")" and after == "(":
            return unknown(_("what is called is not certain"))
        if kind in ("word", "quoted") and after == "(" and not _is_alias(before, tokens, at):
            if before[1] == "." and tokens[at - 2][1] not in _OWN_SCHEMAS:
                return unknown(_("a function of the schema {schema} may do anything").format(schema=tokens[at - 2][1]))
            parts.append(_judge_call(text.strip('"') if kind == "quoted" else text, quoted=kind == "quoted"))
        if kind == "word" and text in _TELLING:
            parts.append(_judge_word(text, before, after))
    return worst(parts)


def _is_alias(before: Token, tokens: list[Token], at: int) -> bool:
    """Whether a name in front of a parenthesis names columns, or a way of sampling, and calls nothing."""
    if before == ("word", "as"):
        return True
    if before == ("word", "tablesample"):
        return tokens[at][1] in ("system", "bernoulli")
    return before in (("word", "with"), ("word", "recursive"))


def _judge_word(text: str, before: Token, after: str) -> Judgement:
    if text in _SENSITIVE_TABLES:
        return reading("sensitive-read")
    if text == "create" and before[1] == "show":
        return reading()
    if before[1] in (".", "as") or after == ".":
        return reading()
    if text in ("update", "share") and before[1] in ("for", "key"):
        return mutating(_("FOR {word} locks rows").format(word=text.upper()))
    if text in ("delete", "truncate", "drop", "update", "merge"):
        return destructive(_("{word} can't be undone").format(word=text.upper()))
    if text in ("insert", "into", "alter", "create"):
        return mutating(_("{word} makes changes").format(word=text.upper()))
    if text in _COLUMN_LIKE and before[1] in (",", "select", "(", "=", "and", "or", "by", "where", "on"):
        return reading()
    return unknown(_("{word} does not belong into a query").format(word=text.upper()))


def _judge_call(name: str, *, quoted: bool) -> Judgement:
    if name in LOSSES:
        return destructive(_("{function}() can't be undone").format(function=name))
    if name in WRITES:
        return mutating(_("{function}() makes changes").format(function=name))
    if name in READS or name.startswith("pg_stat_get_"):
        tags = [tag for tag, listed in (("heavy", HEAVY), ("sensitive-read", SENSITIVE)) if name in listed]
        return reading(*tags)
    if name in KEYWORDS_BEFORE_PARENTHESIS and not quoted:
        return reading()
    return unknown(_("the function {function}() is not known to be read-only").format(function=name))
