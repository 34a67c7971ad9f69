"""Where a target is: what a person has to see of its configuration beside its name, before anything is sent there."""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from cockpit.words import _

# In the order in which they are told. No path of a credential and no name of a variable is among them.
_TELLING = ("host", "port", "socket", "url", "base_url", "repo", "context", "namespace", "profile", "region")
_TELLING_TOO = ("database", "user")
_SPEAK_FOR_THEMSELVES = frozenset({"host", "url", "base_url", "repo", "socket"})


def place_of(adapter: Any) -> str:
    """ "context shop-prod, namespace shop"; "" for this machine, and for what says nothing of where it is."""
    options = getattr(adapter, "options", None)
    if not isinstance(options, Struct):
        return ""
    values = asdict(options)
    told = [_told(name, values[name]) for name in (*_TELLING, *_TELLING_TOO) if values.get(name)]
    if "context" in values and not values["context"]:
        told.insert(0, _("the context that is current"))
    if "profile" in values and not (values["profile"] or values["region"]):
        told.insert(0, _("the profile that is current"))
    return ", ".join(told)


def _told(name: str, value: object) -> str:
    return str(value) if name in _SPEAK_FOR_THEMSELVES else f"{name} {value}"
