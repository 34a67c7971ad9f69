"""What AWS answered, as text: without secret values, which nobody has to see to get a service going again."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

from cockpit.adapters.step_program.page import Page

_SECRET_MEMBER = re.compile(
    r"(?:secret(?:string|binary|accesskey|key)|sessiontoken|.*password|authorizationtoken|.*accesstoken|authtoken"
    r"|privatekey.*|.*apikey|keymaterial|plaintext(?:blob)?|oauthtoken|clientsecret|passworddata)",
    re.IGNORECASE,
)
_SECRET_NAME = re.compile(r"pass|secret|token|credential|(?:^|[_-])key|dsn|database_url|private", re.IGNORECASE)
_LARGEST_BODY_BYTES = 10 << 20
HIDDEN = "[hidden]"


def show(answer: dict[str, Any], shape: Any, page: Page) -> None:
    """Print an answer as JSON, and behind it the content of a stream (an object's body, a function's payload)."""
    told = {key: value for key, value in answer.items() if key != "ResponseMetadata"}
    streams = [told.pop(key) for key in list(told) if hasattr(told[key], "iter_chunks")]
    shown = masked(told, shape)
    if shown:
        page.line(json.dumps(shown, ensure_ascii=False, indent=2, default=_plain))
    for stream in streams:
        _copy(stream, page)


def _copy(stream: Any, page: Page) -> None:
    size = 0
    for chunk in stream.iter_chunks(1 << 16):
        page.write(chunk)
        size += len(chunk)
        if size >= _LARGEST_BODY_BYTES:
            # On the same line: what was cut in two there is told by it.
            page.line(f"… more than {_LARGEST_BODY_BYTES >> 20} MiB")
            break
    stream.close()


def masked(value: Any, shape: Any, name: str = "") -> Any:
    """An answer with `[hidden]` in place of whatever its model calls sensitive, or its name says is a secret."""
    if isinstance(value, dict):
        members = getattr(shape, "members", {})
        inner = getattr(shape, "value", None)
        shown = {key: masked(one, members.get(key, inner), key) for key, one in value.items()}
        return _without_named_secret(shown)
    if isinstance(value, list):
        return [masked(one, getattr(shape, "member", None), name) for one in value]
    sensitive = bool(shape is not None and shape.metadata.get("sensitive")) and name != "Value"
    if value and (sensitive or _SECRET_MEMBER.fullmatch(name)) and not name.lower().startswith("next"):
        return HIDDEN
    return value


def _without_named_secret(shown: dict[str, Any]) -> dict[str, Any]:
    """A parameter's secure value, and {"name": "DB_PASSWORD", "value": …} of a container's environment."""
    for name, value in (("Name", "Value"), ("name", "value")):
        secret = shown.get("Type") == "SecureString" or _SECRET_NAME.search(str(shown.get(name, "")))
        if isinstance(shown.get(value), str) and secret:
            shown[value] = HIDDEN
    return shown


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)
