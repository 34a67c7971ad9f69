"""The forms a known secret takes on its way through programs, and where this process learns of secrets. Stdlib only."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Mapping

SHORTEST = 6
"""Values shorter than this many characters are never masked by value: masking "a" or "root" would destroy a log."""

_TOO_COMMON = re.compile(
    r"password|passwd|secrets?|token|default|changeme|production|staging|development|localhost|postgres|admin"
    r"|administrator|example|testing|enabled|disabled|username|undefined",
    re.IGNORECASE,
)
_SECRET_NAME = re.compile(
    r"(?:^|_)(?:TOKEN|KEY|PAT|PWD|AUTH|DSN)(?:_\d+)?$|SECRET|PASSW|CREDENTIAL|APIKEY|PRIVATE_KEY|WEBHOOK", re.IGNORECASE
)
_WRITTEN_AS_IT_IS = re.compile(r"[A-Za-z0-9]*")
_HARMLESS_NAME = re.compile(r"(?:_FILE|_PATH|_DIR|_NAME|_ARN|_TYPE|_TTL|_URI|_HOST|^SSH_AUTH_SOCK)$|^PWD$|^OLDPWD$")
_URL_PASSWORD = re.compile(r"^[a-z][a-z0-9+.-]*://[^/\s]*@", re.IGNORECASE)


def secrets_of_environment(env: Mapping[str, str]) -> list[str]:
    """The values in an environment whose names say that they are secret, and passwords inside URLs; sorted."""
    found: set[str] = set()
    for name, value in env.items():
        if _URL_PASSWORD.match(value):
            found.update(_password_of(value))
        elif _SECRET_NAME.search(name) and not _HARMLESS_NAME.search(name) and not value.startswith("/"):
            found.add(value)
    return sorted(value for value in found if _worth_masking(value))


def _password_of(url: str) -> Iterator[str]:
    from urllib.parse import unquote, urlsplit

    try:
        password = urlsplit(url).password
    except ValueError:
        return
    if password:
        yield password
        yield unquote(password)


def _worth_masking(value: str) -> bool:
    return len(value) >= SHORTEST and not _TOO_COMMON.fullmatch(value) and not value.isspace()


class Forms:
    """How known secrets look on their way through programs. All are byte strings, longest first.

    `plain`: as they are, in hex, and in quotes that double or rename a character. `packed`: what base64 keeps of them,
    and of their UTF-16, wherever in longer encoded bytes they begin; `cores` is the same with its first and last
    letters, where a fold may come. `unslashed`: to be looked for in a text whose `\\u0026` are decoded and whose other
    backslashes are gone. `unquoted`: in one whose `%40` are decoded. The last two are empty for secrets that nobody
    needs to escape.

    A secret of several lines counts line by line, since streams are searched line by line.
    """

    __slots__ = ("cores", "packed", "plain", "unquoted", "unslashed")

    def __init__(self, secrets: Iterable[str]) -> None:
        plain: set[bytes] = set()
        cores: set[bytes] = set()
        special: set[str] = set()
        for secret in secrets:
            whole = secret.strip()
            for line in {whole, *(part.strip() for part in secret.splitlines())}:
                if _worth_masking(line):
                    raw = _bytes(line)
                    plain |= {raw, raw.hex().encode(), raw.hex().upper().encode(), *map(_bytes, _in_quotes(line))}
                    cores |= set(_base64_cores(raw)) | set(_base64_cores(line.encode("utf-16-le", "surrogatepass")))
                    special |= set() if _WRITTEN_AS_IT_IS.fullmatch(line) else {line}
        self.plain = _sorted(form for form in plain if b"\n" not in form)
        self.cores = _sorted(cores)
        self.packed = _sorted(core[2:-2] if len(core) >= _TRIMMED_FROM else core for core in cores)
        self.unslashed = _sorted(_bytes(secret.replace("\\", "")) for secret in special)
        self.unquoted = _sorted(_bytes(form) for secret in special for form in (secret, secret.replace(" ", "+")))


_TRIMMED_FROM = 16


def _sorted(forms: Iterable[bytes]) -> tuple[bytes, ...]:
    found = {form for form in forms if len(form) >= SHORTEST}
    return tuple(sorted(found, key=lambda form: (-len(form), form)))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _in_quotes(secret: str) -> Iterator[str]:
    """Where a quote is written in another way than with a backslash: SQL, YAML, CSV, shells, HTML."""
    if "'" in secret:
        yield secret.replace("'", "''")
        yield secret.replace("'", "'\\''")
        yield secret.replace("'", "'\"'\"'")
    if '"' in secret:
        yield secret.replace('"', '""')
    shown = secret.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for double, single in (("&quot;", "&#x27;"), ("&#34;", "&#39;"), ("&quot;", "&apos;"), ('"', "'")):
        yield shown.replace('"', double).replace("'", single)


def _base64_cores(raw: bytes) -> Iterator[bytes]:
    """What stays the same of a secret's base64, wherever in longer encoded bytes the secret begins."""
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + raw)
        first = (shift * 8 + 5) // 6
        last = (shift + len(raw)) * 8 // 6
        core = encoded[first:last]
        if len(core) >= SHORTEST:
            yield core
            yield core.replace(b"+", b"-").replace(b"/", b"_")
