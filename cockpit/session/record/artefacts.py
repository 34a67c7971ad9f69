"""The files a record vouches for, by SHA-256: the runbook's copy, a run's files, and what grew with the session."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cockpit.runs.kept import NotKept, open_kept, read_kept
from cockpit.words import _

_RUN_FILES = (
    *("spec.json", "runner.json", "remote.json", "index", "carried.json", "exit.json"),
    *("abandoned", "runner-failed.json"),
)
_GROWING = ("panel.json", "samples.jsonl", "samples.1.jsonl", "logs/*", "evidence/*")
_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class BadArtefact:
    """A file that is not what record `seq` says. `path` is inside the session folder."""

    seq: int
    path: str
    why: str


@dataclass(frozen=True, slots=True)
class Checked:
    """What one record vouches for: how many files, which of them are not as it says, and which an export left out."""

    count: int = 0
    bad: tuple[BadArtefact, ...] = ()
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Claim:
    """`prefix`: of a file that may have grown since, its first `size_bytes` are meant."""

    path: str
    sha256: str
    size_bytes: int | None = None
    prefix: bool = False


def check_artefacts(folder: Path, record: Mapping[str, Any]) -> Checked:
    """Every file that one record vouches for, against what it says."""
    claims = list(_claims(record["kind"], record["data"]))
    away = _left_out(folder) if claims else {}
    gone = {
        claim.path for claim in claims if away.get(claim.path) == claim.sha256 and not (folder / claim.path).exists()
    }
    faults = [(claim, _fault(folder, claim)) for claim in claims if claim.path not in gone]
    bad = tuple(BadArtefact(record["seq"], claim.path, why) for claim, why in faults if why)
    return Checked(len(claims) - len(gone), bad, tuple(sorted(gone)))


def files_of_run(folder: Path) -> dict[str, str]:
    """The hashes of a run's files by name, its output aside, which has its own. They don't change once it is over."""
    found = {}
    for name in _RUN_FILES:
        try:
            found[name] = sha256_of(folder, name)
        except OSError:
            continue
    return found


def grown_files(folder: Path) -> dict[str, dict[str, Any]]:
    """What grew with the session, as far as it is now: {path: {bytes, sha256}}."""
    found = {}
    for path in sorted(path for pattern in _GROWING for path in folder.glob(pattern)):
        if path.is_file() and not path.is_symlink():
            size, name = path.stat().st_size, str(path.relative_to(folder))
            found[name] = {"bytes": size, "sha256": sha256_of(folder, name, size)}
    return found


def sha256_of(folder: Path, name: str, first_bytes: int | None = None) -> str:
    """The hash of a plain file of the folder, or of its first bytes, read in blocks.

    Raises:
        NotKept: it is none. OSError: it can't be read.
    """
    with os.fdopen(open_kept(folder, name), "rb") as file:
        if first_bytes is None:
            return hashlib.file_digest(file, "sha256").hexdigest()
        digest = hashlib.sha256()
        while first_bytes and (block := file.read(min(_BLOCK_BYTES, first_bytes))):
            digest.update(block)
            first_bytes -= len(block)
        return digest.hexdigest()


def _claims(kind: str, data: Mapping[str, Any]) -> Iterator[_Claim]:
    if kind == "session.started":
        if data.get("runbook", {}).get("sha256"):
            yield _Claim("runbook.md", data["runbook"]["sha256"])
        if data.get("settings_sha256"):
            yield _Claim("settings.json", data["settings_sha256"])
    if (
        kind in ("step.exited", "step.repeated", "step.finished", "target.finished")
        and data.get("output")
        and data.get("output_sha256")
    ):
        yield _Claim(data["output"], data["output_sha256"], data.get("output_bytes"))
        for name, digest in data.get("files", {}).items():
            yield _Claim(f"runs/{int(data['run']):04d}/{name}", digest)
    if kind == "session.ended":
        for path, told in data.get("files", {}).items():
            yield _Claim(path, told["sha256"], int(told["bytes"]), prefix=True)
    if kind == "journal.recovered" and data.get("file"):
        yield _Claim(data["file"], data["sha256"], int(data["bytes"]))


def _left_out(folder: Path) -> dict[str, str]:
    """What an export says it left out, with the hash it had: it is told as such, and is not missing."""
    try:
        told = json.loads(read_kept(folder, "manifest.json"))["left_out"]
        return {str(row["file"]): str(row["sha256"]) for row in told}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _fault(folder: Path, claim: _Claim) -> str:
    try:
        descriptor = open_kept(folder, claim.path)
        size = os.fstat(descriptor).st_size
        os.close(descriptor)
        if claim.size_bytes is not None and (size < claim.size_bytes if claim.prefix else size != claim.size_bytes):
            return _("{found} bytes, recorded {expected}").format(found=size, expected=claim.size_bytes)
        same = sha256_of(folder, claim.path, claim.size_bytes if claim.prefix else None) == claim.sha256
        return "" if same else _("its content is not what was recorded")
    except NotKept as error:
        outside = error.errno == errno.EXDEV
        return _("it lies outside the session folder") if outside else _("it is no plain file of the session folder")
    except OSError as error:
        return _("it can't be read: {error}").format(error=error.strerror)
