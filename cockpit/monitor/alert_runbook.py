"""Where the runbook is that an alert names: a section of the open one, or a file of this machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from cockpit.runbook.model import Runbook
from cockpit.shipped import RUNBOOKS

_ENDINGS = ("", ".md", ".markdown")


@dataclass(frozen=True, slots=True)
class Place:
    """A section of the open runbook, or another document."""

    section: str = ""
    file: Path | None = None


def place_of(url: str, runbook: Runbook, written: Path) -> Place | None:
    """What a `runbook_url` leads to, as far as it is here; nothing is fetched.

    The last name in the address is looked for: it may be the open document itself, one of its sections, or a document
    that lies beside it or was shipped.

    Args:
        written: where the open document lies.
    """
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return None
    path, anchor = unquote(parts.path), unquote(parts.fragment)
    name = path.rstrip("/").rpartition("/")[2]
    own = written.name.casefold() in {f"{name}{ending}".casefold() for ending in _ENDINGS if name}
    if own or (anchor and not name):
        return _section(runbook, anchor) or (_top(runbook) if own else None)
    if inside := _section(runbook, name.lower()):
        return inside
    return next(
        (Place(file=file) for file in _files(path, name, parts.scheme, written.parent) if _is_there(file)), None
    )


def _section(runbook: Runbook, slug: str) -> Place | None:
    return Place(section=slug) if slug and runbook.section(slug) else None


def _top(runbook: Runbook) -> Place | None:
    return Place(section=runbook.sections[0].id) if runbook.sections else None


def _files(path: str, name: str, scheme: str, folder: Path) -> Iterator[Path]:
    if scheme in ("", "file") and path.startswith("/"):
        yield Path(path)
    if name in ("", ".", "..") or "\0" in name:
        return
    for place in (folder, RUNBOOKS):
        yield from (place / f"{name}{ending}" for ending in _ENDINGS)


def _is_there(file: Path) -> bool:
    return "\0" not in str(file) and file.suffix in _ENDINGS[1:] and file.is_file()
