"""How a value is written at each kind of place in a command, so that it stays one value; or refused."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping

from cockpit.errors import UsageError
from cockpit.words import _

_SQL_BARE = re.compile(r"[A-Za-z0-9_.]+")
_POWERSHELL_PLAIN = re.compile(r"[\w./:][\w./:-]*")
_SINGLE_QUOTES = re.compile("['\u2018\u2019\u201a\u201b]")
_PLAIN = re.compile(r"[\w@%+=:,./-]+")


def is_plain(value: str) -> bool:
    """Whether a value means the same with quotes and without, however often a shell reads it."""
    return _PLAIN.fullmatch(value) is not None


def _refuse(value: str) -> str:
    raise UsageError(
        _("the place of {value} in the command is not understood").format(value=repr(value)),
        mend=_("edit the command by hand"),
    )


def _double(value: str) -> str:
    return re.sub(r'([\\"$`])', r"\\\1", value)


def _single(value: str) -> str:
    return value.replace("'", "'\\''")


def _raw_heredoc(value: str) -> str:
    if "\n" in value:
        raise UsageError(_("a value of several lines can't stand in a here-document"))
    return value


def _heredoc(value: str) -> str:
    return re.sub(r"([\\$`])", r"\\\1", _raw_heredoc(value))


def _sql_bare(value: str) -> str:
    if not _SQL_BARE.fullmatch(value):
        raise UsageError(_("{value} can't stand in SQL without quotes").format(value=repr(value)))
    return value


def _query_bare(value: str) -> str:
    from cockpit.adapters.prometheus.question import bare

    return bare(value)


def _query_quoted(quote: str) -> Callable[[str], str]:
    def quoted(value: str) -> str:
        from cockpit.adapters.prometheus.question import in_quotes

        return in_quotes(value, quote)

    return quoted


def _comment(value: str) -> str:
    return value.replace("\n", " ")


def _sql_string(value: str) -> str:
    return value.replace("'", "''")


def _sql_name(value: str) -> str:
    return value.replace('"', '""')


def _redis_word(value: str) -> str:
    return value if is_plain(value) else f'"{_redis_double(value)}"'


def _redis_double(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _redis_part(value: str) -> str:
    return value if is_plain(value) else _refuse(value)


def _powershell_string(value: str) -> str:
    return _SINGLE_QUOTES.sub(lambda found: found[0] * 2, value)  # curly ones end a string as well


def _powershell_word(value: str) -> str:
    return f"'{_powershell_string(value)}'"


def _powershell_part(value: str) -> str:
    return value if _POWERSHELL_PLAIN.fullmatch(value) else _refuse(value)


def _as_it_is(value: str) -> str:
    if not is_plain(value):
        raise UsageError(
            _("{value} would be read a second time, by what the command starts").format(value=repr(value)),
            mend=_("edit the command by hand"),
        )
    return value


QUOTE: Mapping[str, Callable[[str], str]] = {
    "word": shlex.quote,
    "double": _double,
    "single": _single,
    "heredoc": _heredoc,
    "raw-heredoc": _raw_heredoc,
    "comment": _comment,
    "sql-bare": _sql_bare,
    "sql-string": _sql_string,
    "sql-name": _sql_name,
    "redis-word": _redis_word,
    "redis-double": _redis_double,
    "redis-part": _redis_part,
    "query-bare": _query_bare,
    'query-"': _query_quoted('"'),
    "query-'": _query_quoted("'"),
    "query-`": _query_quoted("`"),
    "powershell-word": _powershell_word,
    "powershell-string": _powershell_string,
    "powershell-part": _powershell_part,
    "read-again": _as_it_is,
    "text": str,
    "unknown": _refuse,
}
"""By the kind of place."""
