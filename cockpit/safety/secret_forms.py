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


def wire_forms(secrets: Iterable[str]) -> dict[bytes, bool]:
    """Every byte string that gives a secret away, longest first, each with whether it is a piece of base64: then the
    letters around it hold bits of the secret too.

    A secret of several lines counts line by line, since streams are searched line by line.
    """
    forms: dict[bytes, bool] = {}
    for secret in secrets:
        for line in {secret.strip(), *(part.strip() for part in secret.splitlines())}:
            if _worth_masking(line) and "\n" not in line:
                forms |= dict.fromkeys(_base64_cores(line.encode("utf-8", "surrogatepass")), True)
                forms |= dict.fromkeys(_forms(line), False)
        if "\n" in secret.strip():
            forms |= dict.fromkeys(_base64_cores(secret.encode("utf-8", "surrogatepass")), True)
            forms[_in_json(secret, ascii_only=True)] = False
    return {form: forms[form] for form in sorted(forms, key=lambda form: (-len(form), form)) if len(form) >= SHORTEST}


def _forms(secret: str) -> Iterator[bytes]:
    from urllib.parse import quote, quote_plus

    raw = secret.encode("utf-8", "surrogatepass")
    yield raw
    yield raw.hex().encode()
    yield raw.hex().upper().encode()
    for ascii_only in (True, False):
        escaped = _in_json(secret, ascii_only=ascii_only)
        yield escaped
        yield escaped.replace(b"/", b"\\/")
    for safe in ("", "/"):
        yield _lower_hex(quote(raw, safe=safe)).encode()
        yield quote(raw, safe=safe).encode()
    yield quote_plus(raw).encode()
    yield raw.replace(b"'", b"'\\''")


def _in_json(secret: str, *, ascii_only: bool) -> bytes:
    import json

    return json.dumps(secret, ensure_ascii=ascii_only)[1:-1].encode("utf-8", "surrogatepass")


def _lower_hex(text: str) -> str:
    return re.sub(r"%[0-9A-F]{2}", lambda match: match[0].lower(), text)


def _base64_cores(raw: bytes) -> Iterator[bytes]:
    """The secret's own base64, and what stays the same of it wherever in longer encoded bytes the secret begins."""
    yield base64.b64encode(raw).rstrip(b"=")
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + raw)
        first = (shift * 8 + 5) // 6
        last = (shift + len(raw)) * 8 // 6
        core = encoded[first:last]
        if len(core) >= SHORTEST:
            yield core
            yield core.replace(b"+", b"-").replace(b"/", b"_")
