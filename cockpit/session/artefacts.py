"""The files a record vouches for: the runbook's copy and the outputs of runs, by length and SHA-256."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cockpit.words import _


@dataclass(frozen=True, slots=True)
class BadArtefact:
    """A file that is not what record `seq` says. `path` is inside the session folder."""

    seq: int
    path: str
    why: str


@dataclass(frozen=True, slots=True)
class _Claim:
    path: str
    sha256: str
    size_bytes: int | None = None


def check_artefacts(folder: Path, record: Mapping[str, Any]) -> tuple[int, list[BadArtefact]]:
    """How many files one record vouches for, and which of them are not as it says."""
    claims = list(_claims(record["kind"], record["data"]))
    faults = [(claim, _fault(folder, claim)) for claim in claims]
    return len(claims), [BadArtefact(record["seq"], claim.path, why) for claim, why in faults if why]


def sha256_of(path: Path) -> str:
    """The file's hash, read in blocks.

    Raises:
        OSError: it can't be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _claims(kind: str, data: Mapping[str, Any]) -> Iterator[_Claim]:
    if kind == "session.started" and data.get("runbook", {}).get("sha256"):
        yield _Claim("runbook.md", data["runbook"]["sha256"])
    if kind in ("step.exited", "step.repeated", "step.finished") and data.get("output") and data.get("output_sha256"):
        yield _Claim(data["output"], data["output_sha256"], data.get("output_bytes"))


def _fault(folder: Path, claim: _Claim) -> str:
    path = folder / claim.path
    try:
        if not path.resolve().is_relative_to(folder.resolve()):
            return _("it lies outside the session folder")
        size = path.stat().st_size
        if claim.size_bytes is not None and size != claim.size_bytes:
            return _("{found} bytes, recorded {expected}").format(found=size, expected=claim.size_bytes)
        return "" if sha256_of(path) == claim.sha256 else _("its content is not what was recorded")
    except OSError as error:
        return _("it can't be read: {error}").format(error=error.strerror)
