"""Reading an answer's body without letting it grow: what it unpacks to is capped as it comes."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from cockpit.errors import Malformed
from cockpit.words import _

if TYPE_CHECKING:
    import httpx

BODY_CAP_BYTES = 1 << 20
_ZLIB_OR_GZIP = 47


class Body:
    """The body of a streamed answer, unpacked, at most `cap_bytes` of it.

    `size_bytes` is what came so far, unpacked. `whole`: that is all of it; known once the pieces are read. `packed` is
    the name of an encoding that was not asked for and is neither gzip nor deflate: such a body gives no pieces.
    """

    def __init__(self, response: httpx.Response, cap_bytes: int) -> None:
        self._response = response
        self._cap_bytes = cap_bytes
        self.size_bytes = 0
        self.whole = False
        encoding = response.headers.get("content-encoding", "identity").strip().lower()
        known = encoding in ("", "identity", "gzip", "x-gzip", "deflate")
        self.packed = "" if known else encoding
        # httpx would unpack each chunk in full; a bomb's one chunk is a gigabyte. max_length stops it at the cap.
        self._unpacking = None if encoding in ("", "identity") else zlib.decompressobj(_ZLIB_OR_GZIP)

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body as it comes.

        Raises:
            Malformed: it says gzip or deflate and is not.
        """
        if self.packed:
            return
        async for chunk in self._response.aiter_raw():
            piece = self._unpacked(chunk) if self._unpacking else chunk
            room = self._cap_bytes - self.size_bytes
            self.size_bytes += min(len(piece), room)
            yield piece[:room]
            if len(piece) > room:
                return
        self.whole = self._unpacking is None or self._unpacking.eof or self.size_bytes == 0

    def _unpacked(self, chunk: bytes) -> bytes:
        assert self._unpacking is not None
        try:
            # One more than there is room for tells that there is more.
            return self._unpacking.decompress(chunk, self._cap_bytes - self.size_bytes + 1)
        except zlib.error as error:
            raise Malformed(
                _("the answer is not packed as it says"),
                where=str(self._response.url.host),
                mend=_("look at what answers at this address"),
            ) from error


async def read_body(response: httpx.Response, cap_bytes: int = BODY_CAP_BYTES) -> tuple[bytes, bool]:
    """The decoded body, at most `cap_bytes` of it, and whether that is all of it.

    An encoding that was not asked for and is neither gzip nor deflate gives (b"", False).

    Raises:
        Malformed: it says gzip or deflate and is not.
    """
    body = Body(response, cap_bytes)
    held = bytearray()
    async for piece in body.pieces():
        held += piece
    return bytes(held), body.whole
