"""A guide's own `aws …` lines, as they stand: run by the command line of this machine, against the emulator."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.moto import MotoServer, moto_server
from tests.servers.server import require

pytestmark = pytest.mark.real
PATIENCE_S = 180
BESIDE = Path(sys.executable).parent
GUIDE = """# Publish

## Sync

```bash
aws s3 sync out/ s3://site/ --delete
```

## List

```bash
aws s3api list-object-versions --bucket site --prefix index.html --max-items 5
```
"""


@pytest.fixture(scope="module")
def moto() -> Iterator[MotoServer]:
    require("aws", also_in=[BESIDE])
    with moto_server() as made:
        made.fill()
        yield made


def run(folder: Path, moto: MotoServer, *arguments: str) -> tuple[int, list[dict[str, object]], str]:
    (folder / "guide.md").write_text(GUIDE)
    signed = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "testing-Zq71")
    # Not in the environment, where a step has no word of another address: it would ask AWS itself.
    (folder / ".aws").mkdir(exist_ok=True)
    (folder / ".aws" / "config").write_text(f"[default]\nregion = us-east-1\nendpoint_url = {moto.url}\n")
    path = f"{BESIDE}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    # Whatever goes to AWS all the same goes nowhere.
    environment = os.environ | signed | {"PATH": path, "HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": "127.0.0.1"}
    environment |= {"AWS_EC2_METADATA_DISABLED": "true"}
    done = subprocess.run(
        [sys.executable, "-m", "cockpit.cli", "run", "guide.md", "--json", *arguments],
        cwd=folder,
        env=environment | {"COCKPIT_STATE_DIR": str(folder / "state"), "COCKPIT_CONFIG": "", "HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def test_a_sync_that_deletes_needs_to_be_allowed_and_then_does_it(moto: MotoServer, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "index.html").write_text("third")
    s3 = moto.client("s3")
    s3.put_object(Bucket="site", Key="left-over.js", Body=b"x")

    refused, _events, _told = run(tmp_path, moto, "--section", "sync", "--yes")
    before = s3.get_object(Bucket="site", Key="index.html")["Body"].read()
    allowed, events, told = run(tmp_path, moto, "--yes", "--allow-destructive", "--reason", "test")

    assert (refused, before) == (3, b"second")
    assert allowed == 0, (events, told)
    assert s3.get_object(Bucket="site", Key="index.html")["Body"].read() == b"third"
    assert [one["Key"] for one in s3.list_objects_v2(Bucket="site")["Contents"]] == ["index.html"]


def test_a_listing_reads_and_needs_no_leave(moto: MotoServer, tmp_path: Path) -> None:
    status, events, told = run(tmp_path, moto, "--section", "list", "--read-only")

    assert status == 0, (events, told)
