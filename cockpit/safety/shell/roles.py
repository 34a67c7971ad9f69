"""As whom a command acts: accounts that may do more than a person's own, wherever a command line names one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from cockpit.safety.shell.words import Word
from cockpit.safety.tables import names

PRIVILEGED = names("root 0 postgres mysql mongodb oracle elasticsearch redis etcd kafka rabbitmq admin sa sys system")
"""Accounts that may do anything to what they run."""
_PSQL = names("psql pg_dump pg_dumpall pg_restore pg_basebackup createdb dropdb createuser dropuser reindexdb vacuumdb")
_MYSQL = names("mysql mysqldump mysqladmin mariadb mariadb-dump mariadb-admin")
_KUBECTL = names("kubectl k kubecolor oc")
_OPTIONS: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(_PSQL, ("-U", "--username")),
    **dict.fromkeys(_MYSQL, ("-u", "--user")),
}
_IN_URL = re.compile(r"\w+://([^:@/\s]+)(?::[^@/\s]*)?@|(?:^|\s)user\s*=\s*'?([\w.-]+)")


# What clients take for the account where no option names one.
_VARIABLES = names("PGUSER")


def names_privileged(variable: str, value: str) -> bool:
    """Whether a variable makes clients act as an account that may do anything."""
    return variable in _VARIABLES and value in PRIVILEGED


def is_privileged(name: str, args: Sequence[Word]) -> bool:
    """Whether a command line says that it acts as an account that may do anything, or as somebody else by right."""
    if name in _KUBECTL:
        return any(re.match(r"--as(?:-group|-uid)?(?:=|$)", word.text) for word in args)
    options = _OPTIONS.get(name)
    return options is not None and any(account in PRIVILEGED for account in _accounts(args, *options))


def _accounts(args: Sequence[Word], short: str, long: str) -> list[str]:
    found = []
    for at, word in enumerate(args):
        text = word.text
        if (text == long or _is_last(text, short)) and at + 1 < len(args):
            found.append(args[at + 1].text)
        elif text.startswith(f"{long}="):
            found.append(text.partition("=")[2])
        elif text.startswith(short) and not text.startswith("--"):
            found.append(text[len(short) :])
        else:
            found += [url or plain for url, plain in _IN_URL.findall(text)]
    return found


def _is_last(text: str, short: str) -> bool:
    """Whether a word of short options ends in this one, whose value is the next word: `-AtU postgres`."""
    return re.fullmatch(f"-[A-Za-z]*{short[1]}", text) is not None
