"""JSON among other text."""

from __future__ import annotations

import json
import re
from typing import Any

_BEGINS = re.compile(r"[{\[]")


def documents(text: str) -> list[Any]:
    """The JSON documents in an output, in order; other text between them is passed over."""
    decoder, found, position = json.JSONDecoder(), [], 0
    while (start := _BEGINS.search(text, position)) is not None:
        try:
            document, position = decoder.raw_decode(text, start.start())
            found.append(document)
        except (ValueError, RecursionError):
            position = start.start() + 1
    return found
