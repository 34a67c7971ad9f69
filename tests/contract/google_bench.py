"""Google Cloud's probes for the contract suite."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from tests.contract.probe_bench import HOSTILE, Bench, api_bench
from tests.servers.google import written


def google_token(folder: Path) -> dict[str, str]:
    path = folder / "token"
    path.write_text("ya29.Zq71Zq71Zq71Zq71Zq71")
    path.chmod(0o600)
    return {"project": "my-project", "token_file": str(path)}


def cloud_run_bench(folder: Path) -> contextlib.AbstractAsyncContextManager[Bench]:
    ready = {"type": "Ready", "state": HOSTILE, "reason": HOSTILE, "message": HOSTILE}
    share = {"type": HOSTILE, "revision": HOSTILE, "percent": 100, "tag": HOSTILE}
    revision = {"name": HOSTILE, "createTime": HOSTILE, "conditions": [ready], "containers": [{"image": HOSTILE}]}
    path = "/v2/projects/my-project/locations/us-central1/services/api"
    service = {"terminalCondition": ready, "trafficStatuses": [share], "latestCreatedRevision": HOSTILE}
    answers = {path: service, f"{path}/revisions": {"revisions": [revision]}}
    return api_bench(answers, region="us-central1", service="api", **google_token(folder))


def cloud_logging_bench(folder: Path) -> contextlib.AbstractAsyncContextManager[Bench]:
    entry: dict[str, Any] = {"insertId": HOSTILE, "logName": HOSTILE, "timestamp": written(), "severity": HOSTILE}
    entry |= {"textPayload": HOSTILE, "resource": {"labels": {HOSTILE: HOSTILE, "revision_name": HOSTILE}}}
    return api_bench({"/v2/entries:list": {"entries": [entry]}}, filter="severity>=ERROR", **google_token(folder))


def cloud_monitoring_bench(folder: Path) -> contextlib.AbstractAsyncContextManager[Bench]:
    data = {"resultType": "vector", "result": [{"metric": {"job": HOSTILE}, "value": [1, "0.5"]}]}
    path = "/v1/projects/my-project/location/global/prometheus/api/v1/query"
    answers = {path: {"status": "success", "data": data}}
    return api_bench(answers, queries={"한글": "up"}, **google_token(folder))
