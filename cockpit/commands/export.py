"""`cockpit export`: a session as one archive, with a manifest of every file's sha256."""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cockpit import __version__
from cockpit.errors import UsageError
from cockpit.runs.kept import NotKept, open_kept, read_kept
from cockpit.safety.text import one_line
from cockpit.session.record.artefacts import sha256_of
from cockpit.session.record.folder import PRIVATE_FILE, SessionFolder, find_session
from cockpit.session.record.roots import state_roots
from cockpit.words import _

# Of this machine and this moment only: locks, sockets, and where a host once was.
_LEFT_OUT = frozenset({"lock", "host.json", "host.log", "host.error", "settings.json", "control"})
_REDACTED = "runbook.redacted.md"
_BLOCK_BYTES = 1 << 20


def run(options: argparse.Namespace) -> int:
    """Write the archive; what is still growing is taken up to where it stands now."""
    folder = find_session(state_roots(), options.session)
    output = Path(options.output)
    new = output.with_name(output.name + ".part")
    try:
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, PRIVATE_FILE)
        with os.fdopen(descriptor, "wb") as file:
            count = _write(folder, file)
        new.replace(output)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise UsageError(
            _("the archive can't be written: {error}").format(error=error.strerror), where=str(output)
        ) from error
    done = _("{count} files of {session} in {path}").format(count=count, session=folder.name, path=output)
    print(one_line(done))
    return 0


def _write(folder: SessionFolder, file: Any) -> int:
    rows, left_out = [], [_told(folder.settings, "of this machine only")]
    masked = _masked(folder.runbook)
    if masked is not None:
        left_out.append(_told(folder.runbook, f"its author wrote secrets into it; masked in {_REDACTED}"))
    with tarfile.open(fileobj=file, mode="w:gz", format=tarfile.PAX_FORMAT) as archive:
        for path in _files(folder.path):
            name = str(path.relative_to(folder.path))
            if masked is None or path != folder.runbook:
                rows.append({"file": name, **_add(archive, folder, name)})
        if masked is not None:
            rows.append({"file": _REDACTED, **_add_text(archive, masked, f"{folder.name}/{_REDACTED}")})
        manifest = {
            "session": folder.name,
            "exported": datetime.now(UTC).isoformat(),
            "version": __version__,
            "files": rows,
            "left_out": left_out,
        }
        text = json.dumps(manifest, ensure_ascii=False, indent=2).encode()
        _add_text(archive, text, f"{folder.name}/manifest.json")
    return len(rows)


def _told(path: Path, why: str) -> dict[str, str]:
    """A file that stays behind, with its hash: `cockpit verify` tells it from one that is missing."""
    kept = path.is_file() and not path.is_symlink()
    return {"file": path.name, "sha256": sha256_of(path.parent, path.name) if kept else "", "why": why}


def _masked(runbook: Path) -> bytes | None:
    """The runbook with what looks like a secret masked; None when there is nothing to mask.

    The session's own copy stays byte for byte what was run from; it is closed to everybody else.
    """
    from cockpit.runbook.document.decoding import decode
    from cockpit.safety.redaction.redactor import Redactor, secrets_of_environment

    try:
        text = decode(read_kept(runbook.parent, runbook.name), str(runbook)).text
    except (FileNotFoundError, NotKept):
        return None
    masked = Redactor(secrets_of_environment(os.environ)).redact(text)
    return None if masked == text else masked.encode("utf-8", "surrogateescape")


def _add_text(archive: tarfile.TarFile, text: bytes, name: str) -> dict[str, Any]:
    header = tarfile.TarInfo(name)
    header.size, header.mode = len(text), PRIVATE_FILE
    archive.addfile(header, io.BytesIO(text))
    return {"size_bytes": len(text), "sha256": hashlib.sha256(text).hexdigest()}


def _files(root: Path) -> Iterator[Path]:
    for path in sorted(root.rglob("*")):
        if path.name not in _LEFT_OUT and path.is_file() and not path.is_symlink():
            yield path


def _add(archive: tarfile.TarFile, folder: SessionFolder, name: str) -> dict[str, Any]:
    """Add a file as it stands now; returns its size and hash, of exactly the bytes that went in."""
    digest = hashlib.sha256()
    with os.fdopen(open_kept(folder.path, name), "rb") as source:
        about = os.fstat(source.fileno())
        left = size = about.st_size
        while left and (block := source.read(min(_BLOCK_BYTES, left))):
            digest.update(block)
            left -= len(block)
        size -= left
        source.seek(0)
        header = tarfile.TarInfo(f"{folder.name}/{name}")
        header.size, header.mode, header.mtime = size, PRIVATE_FILE, int(about.st_mtime)
        archive.addfile(header, source)
    return {"size_bytes": size, "sha256": digest.hexdigest()}
