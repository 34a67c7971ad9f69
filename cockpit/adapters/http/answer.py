"""An answer on the page: its status line, the headers that tell something, its body, and a last line about it all.

    > GET http://localhost:8080/actuator/health
    < HTTP/1.1 200 OK
    < content-type: application/json

    {
      "status": "UP"
    }
    -- 200 OK, latency 12 ms, 15 bytes

The last line is always ours, whatever the body says: that is where `answer_in` (status.py) takes the status from.
"""

from __future__ import annotations

import codecs
import hashlib
import re
import time
from typing import TYPE_CHECKING

from cockpit.adapters.http.body import Body
from cockpit.adapters.step_program.page import Page
from cockpit.words import _

if TYPE_CHECKING:
    import httpx

_PRETTY_BYTES = 1 << 20
_SHOWN_HEADERS = ("content-type", "content-encoding", "location", "retry-after", "www-authenticate", "x-request-id")
_BINARY = re.compile(
    r"(?:image|audio|video|font)/(?!svg)|application/(?:octet-stream|zip|gzip|x-gzip|pdf|x-tar|wasm|x-protobuf|grpc)"
)
_CHARSET = re.compile(r"charset=\"?([\w.:-]+)", re.IGNORECASE)


class Printer:
    """Prints one answer, and knows the line that ends it."""

    def __init__(self, page: Page, cap_bytes: int) -> None:
        self._page = page
        self._cap_bytes = cap_bytes
        self._begun_m = time.perf_counter()
        self._notes: list[str] = []
        self._status = ""
        self._body: Body | None = None
        self._at_line_start = True
        self._done = False

    def begin(self) -> None:
        """The request goes out now."""
        self._begun_m = time.perf_counter()

    def head(self, response: httpx.Response) -> None:
        """The status line and some headers."""
        self._status = f"{response.status_code} {response.reason_phrase}".strip()
        self._page.line(f"< {response.http_version} {self._status}")
        for name in _SHOWN_HEADERS:
            for value in response.headers.get_list(name):
                self._page.line(f"< {name}: {value}")

    async def body(self, response: httpx.Response) -> None:
        """The body as it comes: JSON laid out, text in its own bytes, anything else by its size and hash.

        Raises:
            Malformed: it is not packed as it says. httpx.HTTPError: the connection broke.
        """
        self._page.line()
        self._body = body = Body(response, self._cap_bytes)
        kind = response.headers.get("content-type", "").lower()
        if _BINARY.match(kind) or body.packed:
            await self._binary(body, body.packed or kind.partition(";")[0])
        else:
            await self._text(body, kind)
        self._done = True
        if not body.whole:
            total = response.headers.get("content-length", "")
            self._notes.append(
                _("cut: {cut} more bytes are not shown").format(cut=int(total) - body.size_bytes)
                if total.isdecimal() and int(total) > body.size_bytes
                else _("cut: there is more, how much is not known")
            )

    def foot(self) -> None:
        """The line that ends an answer, and tells when there is none."""
        if not self._at_line_start:
            self._page.write(b"\n")
        latency_ms = (time.perf_counter() - self._begun_m) * 1000
        size_bytes = self._body.size_bytes if self._body else 0
        if not self._done:
            self._page.line("-- " + _("no whole answer after {ms:.0f} ms").format(ms=latency_ms))
            return
        told = _("latency {ms:.0f} ms, {size} bytes").format(ms=latency_ms, size=size_bytes)
        self._page.line("-- " + ", ".join([self._status, told, *self._notes]))

    async def _text(self, body: Body, kind: str) -> None:
        """Text; what has a NUL byte in its beginning is none, whatever it says."""
        held = bytearray()
        decoder = self._decoder(kind)
        holding = "json" in kind
        first = True
        async for piece in body.pieces():
            if first and b"\0" in piece[:8192]:
                await self._binary(body, kind.partition(";")[0], piece)
                return
            if first and not kind:
                holding = piece.lstrip()[:1] in (b"{", b"[")
            first = False
            held += piece
            if not holding or len(held) > _PRETTY_BYTES:
                holding = False
                self._write(decoder.decode(bytes(held)).encode() if decoder else bytes(held))
                held.clear()
        data = decoder.decode(bytes(held), True).encode() if decoder else bytes(held)
        self._write(self._laid_out(data, "json" in kind) if holding else data)

    def _decoder(self, kind: str) -> codecs.IncrementalDecoder | None:
        """What makes UTF-8 of a body in another character set; None where its bytes are shown as they are."""
        named = _CHARSET.search(kind)
        try:
            "".encode(named[1] if named else "utf-8")  # of the codecs, those that are about text
            name = codecs.lookup(named[1] if named else "utf-8").name
        except (LookupError, ValueError):
            self._notes.append(_("in a character set that nobody knows"))
            return None
        if name in ("utf-8", "ascii"):
            return None
        self._notes.append(_("read as {charset}").format(charset=name))
        return codecs.getincrementaldecoder(name)("backslashreplace")

    def _laid_out(self, data: bytes, claimed: bool) -> bytes:
        """JSON with a line for each value: names, order and digits as they came."""
        import json

        import msgspec

        try:
            json.loads(data)  # the next one lets a few things pass that are no JSON
            return msgspec.json.format(data, indent=2)
        except (ValueError, RecursionError, msgspec.DecodeError):
            if claimed and data:
                self._notes.append(_("it says that it is JSON and is not"))
            return data

    async def _binary(self, body: Body, kind: str, first: bytes = b"") -> None:
        digest = hashlib.sha256(first)
        async for piece in body.pieces():
            digest.update(piece)
        if body.size_bytes:
            self._page.line(
                _("(not text: {kind}, sha256 {digest})").format(kind=kind or "?", digest=digest.hexdigest())
            )

    def _write(self, data: bytes) -> None:
        if data:
            self._page.write(data)
            self._at_line_start = data.endswith(b"\n")
