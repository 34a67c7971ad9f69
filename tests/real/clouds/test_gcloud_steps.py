"""Steps that call gcloud: the real one, against a stand-in for Google Cloud behind its proxy settings."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cockpit.adapters.google.gcloud import token_of_gcloud
from cockpit.cli import main
from tests.servers.google import PROJECT, REGION, SERVICE, TOKEN, GoogleServer, google_server

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(
        shutil.which("gcloud") is None, reason="there is no gcloud on this machine, nor a Debian package"
    ),
]
OLD = f"{SERVICE}-00041-kap"
RUNBOOK = f"""# Canary is down

```bash {{name=describe}}
gcloud run services describe {SERVICE} --region {REGION}
# expected: {SERVICE}
```

```bash {{name=revisions}}
gcloud run revisions list --service {SERVICE} --region {REGION}
# expected: {OLD}
```

```bash {{name=logs}}
gcloud logging read "resource.type=cloud_run_revision AND severity=ERROR" --limit 50
# expected: "the model does not answer"
```

```bash {{name=traffic}}
gcloud run services update-traffic {SERVICE} --to-revisions {OLD}=100 --region {REGION}
# expected: 100%
```

```bash {{name=missing}}
gcloud run services describe no-such --region {REGION}
```
"""


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GoogleServer]:
    with google_server() as made:
        settings = {
            "CLOUDSDK_CONFIG": str(tmp_path / "gcloud"),
            "CLOUDSDK_AUTH_ACCESS_TOKEN": TOKEN,
            "CLOUDSDK_CORE_PROJECT": PROJECT,
            "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
            "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "1",
            "CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN": "http://run.example.test/",
            "CLOUDSDK_API_ENDPOINT_OVERRIDES_LOGGING": "http://logging.example.test/",
            "CLOUDSDK_PROXY_TYPE": "http",
            "CLOUDSDK_PROXY_ADDRESS": "127.0.0.1",
            "CLOUDSDK_PROXY_PORT": str(made.port),
        }
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        yield made


@pytest.fixture
def runbook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COCKPIT_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "canary.md"
    path.write_text(RUNBOOK)
    return path


def finished(capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, Any]]:
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return {event["data"]["step"]: event["data"] for event in events if event["kind"] == "step.finished"}


def test_what_reads_runs_in_read_only_mode_and_what_changes_is_refused(
    server: GoogleServer, runbook: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.write("the model does not answer", "ERROR")

    code = main(["run", str(runbook), "--read-only", "--keep-going", "--json"])

    done = finished(capsys)
    assert {name: one["status"] for name, one in done.items()} == {
        "describe": "passed",
        "revisions": "passed",
        "logs": "passed",
        "traffic": "refused",
        "missing": "failed",
    }
    assert code != 0
    assert {method for method, _path in server.asked} == {"GET", "POST"}
    assert {path for method, path in server.asked if method == "POST"} == {"/v2/entries:list"}


def test_traffic_goes_back_once_that_is_confirmed(
    server: GoogleServer, runbook: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["run", str(runbook), "--step", "traffic", "--yes", "--json"]) == 0

    assert finished(capsys)["traffic"]["status"] == "passed"
    assert server.traffic == [(OLD, 100, "")]
    assert "PUT" in {method for method, _path in server.asked}
    kept = [path.read_bytes() for path in (tmp_path / "state").rglob("*") if path.is_file()]
    assert kept
    assert not [held for held in kept if TOKEN.encode() in held]


async def test_gcloud_gives_a_token_to_probes(server: GoogleServer) -> None:
    program = shutil.which("gcloud")
    assert program

    assert (await token_of_gcloud(program)).text == TOKEN
