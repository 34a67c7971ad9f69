"""The identity of an action: what a confirmation names, a permit covers, and the runner looks at again. Stdlib only."""

from __future__ import annotations

import hashlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def action_sha256(language: str, target: str, body: str, values: Mapping[str, str]) -> str:
    """The hash over language, target, body and values (sorted by name), each with its length before it."""
    digest = hashlib.sha256()
    for part in (language, target, body, *(f"{name}={text}" for name, text in sorted(values.items()))):
        encoded = part.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "big"))
        digest.update(encoded)
    return digest.hexdigest()
