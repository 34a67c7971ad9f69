"""Secrets to plant, and every form in which they travel. For tests that look whether one got out."""

from __future__ import annotations

import base64
import html
import json
import shlex
from collections.abc import Callable, Iterator, Mapping
from itertools import product
from urllib.parse import quote, quote_plus

AWKWARD = "wJalr/XUtn+FEMI=K7\"MD'EN&G$x@y\\z"
"""Holds a character for every way of escaping."""
PLAIN = "Zm9vYmFy-tangerine-42"
WORDY = "비밀번호 tangerine 사과 42"

FORMS: Mapping[str, Callable[[str], str]] = {
    "raw": str,
    "base64": lambda secret: base64.b64encode(secret.encode()).decode(),
    "base64, second alignment": lambda secret: base64.b64encode(f"x{secret}yy".encode()).decode(),
    "base64, third alignment": lambda secret: base64.b64encode(f"xy{secret}z".encode()).decode(),
    "base64 for urls": lambda secret: base64.urlsafe_b64encode(f"user:{secret}\n".encode()).decode(),
    "url": lambda secret: quote(secret, safe=""),
    "url path": quote,
    "form": quote_plus,
    "url in a url": lambda secret: quote(quote(secret, safe=""), safe=""),
    "hex": lambda secret: secret.encode().hex(),
    "HEX": lambda secret: secret.encode().hex().upper(),
    "json": lambda secret: json.dumps(secret)[1:-1],
    "json as it is": lambda secret: json.dumps(secret, ensure_ascii=False)[1:-1],
    "json in json": lambda secret: json.dumps(json.dumps(secret))[1:-1],
    "json for html": lambda secret: json.dumps(secret)[1:-1].replace("&", "\\u0026"),
    "json with slashes": lambda secret: json.dumps(secret)[1:-1].replace("/", "\\/"),
    "shell": shlex.quote,
    "shell, backslashes": lambda secret: "".join(c if c.isalnum() else f"\\{c}" for c in secret),
    "shell, double quotes": lambda secret: "".join(f"\\{c}" if c in '"\\$`' else c for c in secret),
    "python": repr,
    "html": html.escape,
    "sql": lambda secret: secret.replace("'", "''"),
    "utf-16": lambda secret: "".join(f"{letter}\0" for letter in secret),
    "utf-16, the other way": lambda secret: "".join(f"\0{letter}" for letter in secret),
    "base64 of utf-16": lambda secret: base64.b64encode(secret.encode("utf-16-le")).decode(),
    "coloured": lambda secret: f"{secret[:3]}\x1b[01;31m\x1b[K{secret[3:8]}\x1b[m\x1b[K{secret[8:]}",
}


def folded(secret: str, width: int, before: int, line_end: str = "\n") -> str:
    """Base64 folded at a width, with so many bytes before the secret and some after it."""
    packed = base64.b64encode(b"A" * before + secret.encode() + b"what comes after it in the same file" * 2).decode()
    return line_end.join(packed[at : at + width] for at in range(0, len(packed), width))


def cores(secret: str) -> Iterator[str]:
    """What all base64 of the secret has in common, by alignment."""
    for raw, (shift, first) in product((secret.encode(), secret.encode("utf-16-le")), ((0, 0), (1, 2), (2, 3))):
        yield base64.b64encode(b"\0" * shift + raw).decode()[first : (shift + len(raw)) * 8 // 6]


def gives_away(text: str, secret: str) -> str:
    """The first stretch of a text that gives the secret away, whatever is between its letters; "" when none does."""
    bare = "".join(text.replace("\\r", "").replace("\\n", "").replace("\0", "").split())
    # Six digits of hex stand in many a hash.
    for piece, least in ((secret, 6), *((core, 6) for core in cores(secret)), (secret.encode().hex(), 14)):
        wanted = "".join(piece.split())
        for at in range(max(1, len(wanted) - least + 1)):
            if wanted[at : at + least] in bare:
                return wanted[at : at + least]
    return ""
