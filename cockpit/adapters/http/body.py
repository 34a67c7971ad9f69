"""Reading an answer's body without letting it grow: raw bytes and what they unpack to are both capped."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from cockpit.errors import Malformed
from cockpit.words import _

if TYPE_CHECKING:
    import httpx

BODY_CAP_BYTES = 1 << 20
_ZLIB_OR_GZIP = 47


async def read_body(response: httpx.Response, cap_bytes: int = BODY_CAP_BYTES) -> tuple[bytes, bool]:
    """The decoded body, at most `cap_bytes` of it, and whether that is all of it.

    An encoding that was not asked for and is neither gzip nor deflate gives (b"", False).

    Raises:
        Malformed: it says gzip or deflate and is not.
    """
    raw = bytearray()
    whole = True
    async for chunk in response.aiter_raw():
        raw += chunk
        if len(raw) > cap_bytes:
            whole = False
            break
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding in ("", "identity"):
        return bytes(raw[:cap_bytes]), whole
    if encoding not in ("gzip", "x-gzip", "deflate"):
        return b"", False
    return _unpacked(bytes(raw), whole, str(response.url.host), cap_bytes)


def _unpacked(raw: bytes, whole: bool, where: str, cap_bytes: int) -> tuple[bytes, bool]:
    # httpx would unpack each chunk in full; a bomb's one chunk is a gigabyte. max_length stops it at the cap.
    unpacking = zlib.decompressobj(_ZLIB_OR_GZIP)
    try:
        body = unpacking.decompress(raw, cap_bytes)
    except zlib.error as error:
        raise Malformed(
            _("the answer is not packed as it says"), where=where, mend=_("look at what answers at this address")
        ) from error
    return body, whole and unpacking.eof
