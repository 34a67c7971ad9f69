"""A tampered session folder, or one from elsewhere: nothing outside of it is opened, and nothing is waited for."""

from __future__ import annotations

import hashlib
import os
import socket
import tarfile
from argparse import Namespace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cockpit.commands import export
from cockpit.errors import FolderRefused
from cockpit.report.markdown import render
from cockpit.runs.kept import NotKept, open_kept, read_kept
from cockpit.session.record.folder import SessionFolder
from cockpit.session.record.journal import Journal
from cockpit.session.record.reader import SessionReader
from cockpit.session.record.verify import verify

OUTSIDE = "what lies outside of the session\n"


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    path = tmp_path / "private.txt"
    path.write_text(OUTSIDE)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> SessionFolder:
    return SessionFolder.create(tmp_path, datetime(2026, 11, 21, tzinfo=UTC))


def recorded(folder: SessionFolder, output: str) -> None:
    """A session whose journal says that its one output lies there; the hash is that of what lies outside."""
    journal = Journal.open(folder)
    about = {"title": "t", "path": "/srv/p0.md", "sha256": "", "language": "en"}
    started = {"session": folder.name, "runbook": about, "mode": "live", "user": "kim"}
    journal.append("session.started", started, actor="host")
    intent = {"step": "look", "run": 1, "command": "uptime", "language": "bash", "target": "local"}
    journal.append("step.intent", intent | {"verdict": "read-only"}, actor="operator:kim")
    digest = hashlib.sha256(OUTSIDE.encode()).hexdigest()
    evidence = {"output": output, "output_bytes": len(OUTSIDE), "output_sha256": digest}
    end = {"step": "look", "run": 1, "status": "passed", "exit_code": 0, "duration_s": 1.0}
    journal.append("step.finished", end | evidence, actor="host")
    journal.close()
    folder.run(1).mkdir()


@pytest.mark.parametrize("named", ["../private.txt", "{outside}", "runs/0001/../../../private.txt", "runs/0001/output"])
def test_a_record_that_names_a_file_elsewhere_gets_nothing_of_it_into_the_report(
    folder: SessionFolder, outside: Path, named: str
) -> None:
    recorded(folder, named.format(outside=outside))
    (folder.run(1) / "output").symlink_to(outside)

    assert OUTSIDE.strip() not in render(folder)
    assert not verify(folder).ok


def test_a_link_among_the_folders_is_not_followed_either(folder: SessionFolder, outside: Path) -> None:
    recorded(folder, "runs/0001/private.txt")
    folder.run(1).rmdir()
    folder.run(1).symlink_to(outside.parent)

    assert OUTSIDE.strip() not in render(folder)
    assert not verify(folder).ok
    assert SessionReader(folder).output(1, 0) == b""


def test_a_pipe_a_socket_or_a_device_in_place_of_a_file_is_not_waited_for(folder: SessionFolder) -> None:
    recorded(folder, "runs/0001/output")
    os.mkfifo(folder.run(1) / "output")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(folder.path / "s"))

        for name in ("runs/0001/output", "s"):
            with pytest.raises(NotKept):
                open_kept(folder.path, name)
    (folder.path / "s").unlink()
    assert not verify(folder).ok
    assert "uptime" in render(folder)


def test_a_linked_document_gives_a_report_no_titles_and_an_export_nothing_of_it(
    folder: SessionFolder, outside: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded(folder, "runs/0001/output")
    (folder.run(1) / "output").symlink_to(outside)
    outside.write_text("# Look\n\n```bash {name=look}\nuptime\n```\n\n" + OUTSIDE)
    folder.runbook.symlink_to(outside)
    monkeypatch.setenv("COCKPIT_STATE_DIR", str(tmp_path / "state"))

    assert OUTSIDE.strip() not in render(folder)
    export.run(Namespace(session=str(folder.path), output=str(tmp_path / "bundle.tar.gz")))
    with tarfile.open(tmp_path / "bundle.tar.gz") as archive:
        for member in archive.getmembers():
            held = archive.extractfile(member)
            assert held is not None, member.name
            assert OUTSIDE.encode() not in held.read(), member.name


def test_a_screen_is_not_opened_on_a_session_that_holds_a_link(folder: SessionFolder, outside: Path) -> None:
    folder.run(1).mkdir()
    os.mkfifo(folder.run(1) / "control")
    (folder.run(1) / "output").write_text("fine\n")
    folder.require_its_own()

    (folder.logs / "app.log").symlink_to(outside)

    with pytest.raises(FolderRefused):
        folder.require_its_own()


@pytest.mark.parametrize("name", ["", "/", ".", "..", "a//b", "a/../a", "./a", "a/", "a\0b"])
def test_only_a_plain_relative_name_is_a_name(tmp_path: Path, name: str) -> None:
    (tmp_path / "a").write_text("a")

    with pytest.raises(NotKept):
        open_kept(tmp_path, name)
    assert read_kept(tmp_path, "a") == b"a"
