"""What a runner is told, and what of it may lie on disk."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cockpit.places import home_folder
from cockpit.runs.files import write_whole
from cockpit.runs.process import boot_id
from cockpit.safety.redaction.redactor import Redactor, secrets_of_environment

OUTPUT_CAP_BYTES = 256 << 20


def document_for(
    folder: Path,
    script: str,
    shell: str,
    environment: Mapping[str, str],
    *,
    carries: bool,
    brought: Mapping[str, str],
    cwd: str | None,
    secrets: Iterable[str],
    permit: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The runner's document of a shell script, without a deadline or a terminal (see runner.py for its fields).

    Args:
        permit: what was permitted: its sha256, language and target, and the names of its values.
        carries: the shell is bash and can hand its state on.
        brought: those variables of `environment` that earlier steps handed on.
        cwd: the operator's home when None.
        secrets: exact values to mask; those the environment holds are added.
    """
    document = _document(folder, script, shell, environment, cwd, secrets)
    return document | {
        "arguments": ["--noprofile", "--norc"] if carries else [],
        "command": script,
        "carries": carries,
        "permit": permit,
        "brought": {name: text for name, text in brought.items() if environment.get(name) == text},
    }


def program_document(
    folder: Path,
    task: str,
    argv: Sequence[str],
    environment: Mapping[str, str],
    *,
    command: str,
    secrets: Iterable[str],
) -> dict[str, Any]:
    """The runner's document of a program that reads its task from the file its last argument names.

    Args:
        task: the file's text. It may hold secrets: it never lies on disk, nor in an argv or environment.
        argv: the program and its arguments but for the last.
        command: what the record shows of the task.
    """
    document = _document(folder, task, argv[0], environment, None, secrets)
    return document | {"arguments": list(argv[1:]), "command": command, "carries": None, "brought": {}}


def _document(
    folder: Path,
    script: str,
    shell: str,
    environment: Mapping[str, str],
    cwd: str | None,
    secrets: Iterable[str],
) -> dict[str, Any]:
    return {
        "folder": str(folder.absolute()),
        "script": script,
        "sha256": hashlib.sha256(script.encode("utf-8", "surrogateescape")).hexdigest(),
        "shell": shell,
        "env": dict(environment),
        "cwd": cwd or str(home_folder()),
        "secrets": sorted({*secrets, *secrets_of_environment(environment)}),
        "timeout_s": None,
        "grace_s": 5.0,
        "terminal": None,
        "umask": None,
        "permit": None,
        "output_cap_bytes": OUTPUT_CAP_BYTES,
        "printed": "",
    }


def write_spec(document: Mapping[str, Any]) -> None:
    """Put on record what is about to run: the command redacted, of the environment the names alone.

    Raises:
        OSError: it can't be written, so nothing may run.
    """
    redact = Redactor(document["secrets"]).redact
    spec = {
        "v": 1,
        "boot_id": boot_id(),
        "command": redact(document["command"]),
        "sha256": document["sha256"],
        "shell": document["shell"],
        "environment": sorted(document["env"]),
        "cwd": redact(document["cwd"]),
        **{key: document[key] for key in ("timeout_s", "grace_s", "terminal", "output_cap_bytes")},
        "t": time.time(),
    }
    write_whole(document["folder"], "spec.json", spec, durable=True)
