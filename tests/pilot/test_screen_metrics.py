"""Alerts that lead to their runbook, and a gate's way to its proposal, from recorded sessions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cockpit.runbook.reading import parse
from tests.pilot.recording import record, replayed, sample, shown

RUNBOOK = """# Doc

## Look

```bash
uptime
```

## Service down

```bash
uname
```

## Canary

```yaml
canary_success_criteria:
  error_rate_max: 0.01
  duration_minutes: 20
```
"""
GATE = parse(RUNBOOK).steps[-1].id


def alerts(url: str) -> dict[str, Any]:
    rows = (
        {
            "name": "ServiceDown",
            "severity": "critical",
            "level": "red",
            "since": "",
            "summary": "503",
            "runbook_url": url,
        },
        {"name": "DiskFilling", "severity": "warning", "level": "yellow", "since": "", "summary": "디스크 91 %"},
    )
    return sample("alerts", 1, kind="alertmanager", text="2 alerts", rows=rows, level="red")


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_one_key_goes_to_the_section_that_an_alert_names(tmp_path: Path, size: tuple[int, int]) -> None:
    app = replayed(record(tmp_path, RUNBOOK, [], [alerts("https://runbooks.example/service-down")]))
    async with app.run_test(size=size) as pilot:
        await app.ready.wait()
        await pilot.press("1")
        assert "ServiceDown" in shown(app)
        assert "디스크 91 %" in shown(app)
        assert "r runbook: https://runbooks.example" in shown(app)
        await pilot.press("r")
        assert "[2/3] Service down" in shown(app)


async def test_a_runbook_that_is_not_here_is_told(tmp_path: Path) -> None:
    app = replayed(record(tmp_path, RUNBOOK, [], [alerts("https://git.example/r/elsewhere.md")]))
    async with app.run_test(size=(80, 24)) as pilot:
        await app.ready.wait()
        await pilot.press("r")
        assert "is not here: https://git.example/r/elsewhere.md" in shown(app)


def changed(phase: str, held: bool | None, seen: str, **more: Any) -> tuple[float, str, dict[str, Any]]:
    one = {"text": "error_rate_max: 0.01", "probe": "canary", "metric": "error_rate", "held": held, "seen": seen}
    data = {"step": GATE, "phase": phase, "needed_s": 1200.0, "since_t": None, "unmatched": ["feedback_min: 4"]}
    return 3.0, "gate.changed", {**data, "criteria": [{**one, "in_a_row": 3}], **more}


@pytest.mark.parametrize(
    ("event", "told", "criterion"),
    [
        (changed("waiting", None, ""), "waits for the first values", "?? error_rate_max"),
        (changed("broken", False, "0.2"), "proposed: it does not hold", "x error_rate_max: 0.01   0.2, 3 in a row"),
        (changed("held", True, "0.001"), "proposed: it holds", "OK error_rate_max: 0.01   0.001  (canary)"),
        (changed("blind", None, "no data"), "a criterion can't be told", "?? error_rate_max: 0.01   no data"),
    ],
)
async def test_a_watched_gate_shows_each_criterion_and_what_is_proposed(
    tmp_path: Path, event: tuple[float, str, dict[str, Any]], told: str, criterion: str
) -> None:
    app = replayed(record(tmp_path, RUNBOOK, [event]))
    async with app.run_test(size=(120, 40)) as pilot:
        await app.ready.wait()
        await pilot.press("G")
        await pilot.pause()
        assert told in shown(app)
        assert criterion in shown(app)
        assert "feedback_min: 4   no metric of that name" in shown(app)


async def test_a_probe_that_brings_log_lines_shows_the_newest_below_its_rates(tmp_path: Path) -> None:
    lines = ({"at": "2026-11-21T13:00:01.000Z", "text": "api-0 ERROR payment failed"},)
    folder = record(tmp_path, RUNBOOK, [], [sample("api-log", 1, kind="kubernetes-logs", text="1", rows=lines)])
    tail = {"name": "api-log", "title": "api-log", "path": str(tmp_path / "api-log.lines"), "fetched": True}
    probe = {"name": "api-log", "kind": "kubernetes-logs", "title": "api-log"}
    (folder.path / "panel.json").write_text(json.dumps({"probes": [probe], "tails": [tail]}))
    app = replayed(folder)
    async with app.run_test(size=(120, 40)) as pilot:
        await app.ready.wait()
        await pilot.press("1")
        assert "13:00:01 api-0 ERROR payment failed" in shown(app)
