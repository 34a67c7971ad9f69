"""What a session leaves behind: every file is vouched for, and none goes out with a secret that its author wrote."""

from __future__ import annotations

import json
import stat
import tarfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cockpit.cli import main
from cockpit.session.record.artefacts import grown_files
from cockpit.session.record.folder import SessionFolder, find_session
from cockpit.session.record.journal import Journal
from cockpit.session.record.roots import state_root
from cockpit.session.record.verify import verify

RUNBOOK = """# Evidence

```bash {name=look}
export SEEN=1
echo looked
```

```bash {name=twice}
echo UP
# expected: UP (2 times in a row, every 0.01 s)
```
"""
SECRET = "Zq8vX2mP0aK7"
WITH_SECRET = f"""{RUNBOOK}
```bash {{name=login}}
echo 'Authorization: Bearer {SECRET}' | wc -l
```
"""


@pytest.fixture
def document(own_state: Path) -> Path:
    path = own_state / "evidence.md"
    path.write_text(RUNBOOK)
    return path


def session(document: Path) -> SessionFolder:
    assert main(["run", str(document), "--yes"]) == 0
    return find_session([state_root()], None)


EVIDENCE = [
    "runbook.md",
    "settings.json",
    *(f"runs/0001/{name}" for name in ("spec.json", "runner.json", "output", "index", "carried.json", "exit.json")),
    *(f"runs/{run}/{name}" for run in ("0002", "0003") for name in ("spec.json", "output", "exit.json")),
]


@pytest.mark.parametrize("name", EVIDENCE)
def test_no_file_of_a_session_can_be_changed_or_removed_unseen(document: Path, name: str) -> None:
    folder = session(document)
    assert verify(folder).ok
    held = (folder.path / name).read_bytes()
    for changed in (held + b" ", held.replace(b"0", b"1", 1) if b"0" in held else b"x" + held[1:], None):
        if changed is None:
            (folder.path / name).unlink()
        else:
            (folder.path / name).write_bytes(changed)
        found = verify(folder)
        assert not found.ok
        assert {bad.path for bad in found.bad_artefacts} == {name}
        (folder.path / name).write_bytes(held)
    assert verify(folder).ok


@pytest.fixture
def ended(tmp_path: Path) -> SessionFolder:
    """A session with samples, logs and a panel that has ended."""
    folder = SessionFolder.create(tmp_path, datetime(2026, 11, 21, tzinfo=UTC))
    folder.samples.write_bytes(b'{"probe":"api"}\n')
    folder.older_samples.write_bytes(b'{"probe":"older"}\n')
    folder.panel.write_bytes(b"{}")
    (folder.logs / "app.log").write_bytes(b"ERROR x\n")
    told(folder, "session.ended", files=grown_files(folder.path))
    return folder


def told(folder: SessionFolder, kind: str, **data: object) -> None:
    journal = Journal.open(folder)
    journal.append(kind, data, actor="host")
    journal.close()


@pytest.mark.parametrize("name", ["samples.jsonl", "samples.1.jsonl", "panel.json", "logs/app.log"])
def test_what_grew_with_the_session_is_vouched_for_when_it_ends(ended: SessionFolder, name: str) -> None:
    path = ended.path / name
    held = path.read_bytes()
    assert verify(ended).artefacts_checked == 4
    path.write_bytes(held + b"one more line\n")
    assert verify(ended).ok
    for changed in (b"#" + held[1:], held[:-1]):
        path.write_bytes(changed)
        assert {bad.path for bad in verify(ended).bad_artefacts} == {name}


def test_a_session_taken_up_again_after_its_end_goes_on_growing(ended: SessionFolder) -> None:
    told(ended, "host.recovered", pid=1, adopted=[], lost=[])
    ended.samples.replace(ended.older_samples)
    ended.samples.write_bytes(b'{"mark":"rotated"}\n')
    assert verify(ended).ok
    told(ended, "session.ended", files=grown_files(ended.path))
    assert verify(ended).ok
    ended.samples.write_bytes(b"")
    assert not verify(ended).ok


def test_bytes_set_aside_from_the_journal_are_vouched_for(ended: SessionFolder) -> None:
    with ended.journal.open("ab") as file:
        file.write(b'{"v":1,"seq":2,"t":"torn')
    told(ended, "note.added", text="after", step=None, by="kim")
    torn = next(ended.path.glob("journal.jsonl.torn-*"))
    assert verify(ended).ok
    torn.write_bytes(b"other")
    assert {bad.path for bad in verify(ended).bad_artefacts} == {torn.name}


def unpacked(folder: SessionFolder, tmp_path: Path) -> SessionFolder:
    archive = tmp_path / "bundle.tar.gz"
    assert main(["export", folder.name, "--output", str(archive)]) == 0
    with tarfile.open(archive) as bundle:
        # Python 3.11.2 has no filters, 3.12 warns where there is none.
        bundle.extraction_filter = getattr(tarfile, "data_filter", None)
        bundle.extractall(tmp_path / "unpacked")
    return SessionFolder(tmp_path / "unpacked" / folder.name)


def test_secrets_that_the_author_wrote_stay_in_the_sessions_own_copy(document: Path, tmp_path: Path) -> None:
    document.write_text(WITH_SECRET)
    folder = session(document)
    holding = [path for path in folder.path.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]
    assert holding == [folder.runbook]
    assert stat.S_IMODE(folder.runbook.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    bundle = unpacked(folder, tmp_path)
    assert not any(SECRET.encode() in path.read_bytes() for path in bundle.path.rglob("*") if path.is_file())
    assert "[redacted" in (bundle.path / "runbook.redacted.md").read_text()


def test_a_report_holds_no_secret_that_the_author_wrote(document: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document.write_text(WITH_SECRET)
    folder = session(document)
    for form in ("markdown", "json"):
        capsys.readouterr()
        assert main(["report", folder.name, "--format", form]) == 0
        assert SECRET not in (said := capsys.readouterr().out)
        assert "login" in said


def test_an_unpacked_bundle_is_verified_and_says_what_it_left_out(document: Path, tmp_path: Path) -> None:
    document.write_text(WITH_SECRET)
    bundle = unpacked(session(document), tmp_path)
    found = verify(bundle)
    assert found.ok
    assert found.left_out == ("runbook.md", "settings.json")
    manifest = bundle.path / "manifest.json"
    told = json.loads(manifest.read_text())
    told["left_out"][1]["sha256"] = "0" * 64
    manifest.write_text(json.dumps(told))
    assert {bad.path for bad in verify(bundle).bad_artefacts} == {"runbook.md"}


def test_a_runbook_without_secrets_goes_into_the_bundle_as_it_is(document: Path, tmp_path: Path) -> None:
    bundle = unpacked(session(document), tmp_path)
    assert bundle.runbook.read_text() == RUNBOOK
    assert verify(bundle).left_out == ("settings.json",)
