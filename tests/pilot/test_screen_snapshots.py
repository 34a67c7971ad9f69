"""How it looks, held still: three sizes, a Korean document, no colour, a light theme, a confirmation."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from cockpit import words
from screens.app import CockpitApp
from tests.pilot.recording import Told, reading, record, replayed, sample, shown

RUNBOOK = """# 채팅 서비스 롤백

> **목적**: 장애가 나면 이전 버전으로 되돌린다

| 역할 | 담당 | 연락처 |
|---|---|---|
| 1차 대응 | 김하나 | @devops-oncall |

## 1. 감지 (2분)

```bash
curl -s http://localhost:8080/actuator/health
# 기대 출력: "UP"
```

```bash
pm2 status
```

- [ ] 알림 채널에 공지했다
- [ ] 오류 로그를 확인했다

## 2. 롤백 (2분)

```bash
# 1. 버전 확인
ls -lht /opt/app/releases/

# 2. 되돌리기
sudo /opt/scripts/rollback.sh backend [이전_버전]
```
"""


def _ids(runbook: Path) -> list[str]:
    from cockpit.runbook.reading import read

    return [step.id for step in read(runbook).steps]


def _told(ids: list[str]) -> list[Told]:
    intent = {"step": ids[0], "part": None, "run": 1, "command": "curl -s http://localhost:8080/actuator/health"}
    finding = {"kind": "contains", "text": '"UP"', "held": False, "seen": '{"status":"DOWN"}'}
    end = {"step": ids[0], "run": 1, "status": "failed", "exit_code": 0, "duration_s": 0.2, "expectations": [finding]}
    return [
        (5.0, "severity.set", {"severity": "P0", "reason": "5xx"}),
        (60.0, "step.intent", intent),
        (60.2, "step.finished", end),
        (90.0, "step.finished", {"step": ids[2], "status": "passed", "by_hand": True}),
        (100.0, "note.added", {"text": "DB 담당자에게 전화함", "step": None, "by": "kim"}),
        (120.0, "recommendation.raised", {"rule": "r", "section": "2-롤백-2분", "text": "err > 50 %", "samples": []}),
    ]


SAMPLES = [
    sample(
        "health",
        190,
        level="red",
        text="DOWN 503 12 ms",
        readings=[reading("status", "DOWN", "red", "= UP"), reading("latency_ms", 12.0, "green", "< 500", "ms")],
    ),
    sample(
        "pm2",
        190,
        kind="pm2",
        level="red",
        text="0/1 online",
        rows=[{"name": "backend", "status": "errored", "restarts": 5, "restarts_change": 3, "level": "red"}],
    ),
    sample("machine", 190, kind="machine", text="CPU 12 %", readings=[reading("cpu_percent", 12.0, "green", unit="%")]),
]


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., CockpitApp]:
    """The same moment of the same session, on whatever terminal is asked for."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    words.choose("en")

    def make(**environment: str) -> CockpitApp:
        for name in ("NO_COLOR", "COCKPIT_THEME"):
            monkeypatch.delenv(name, raising=False)
        for name, value in {"COLORTERM": "truecolor", **environment}.items():
            monkeypatch.setenv(name, value)
        folder = record(tmp_path, RUNBOOK)
        ids = _ids(folder.runbook)
        told = tmp_path / "told"
        told.mkdir()
        folder = record(told, RUNBOOK, _told(ids), SAMPLES)
        (folder.run(1)).mkdir()
        (folder.run(1) / "output").write_text('{"status":"DOWN","components":{"db":{"status":"UP"}}}\n')
        return replayed(folder)

    return make


async def _settled(pilot: Pilot[int]) -> None:
    app = pilot.app
    assert isinstance(app, CockpitApp)
    await app.ready.wait()
    while not (app.viewer and app.viewer.view.state.recommendations):
        await pilot.pause()
    await pilot.press("g")
    while "components" not in shown(app):
        await pilot.pause()
    # What the window shows depends on where it came from: come from the end.
    await pilot.press("G", "g")
    await pilot.pause()


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_sizes(recorded: Callable[..., CockpitApp], snap_compare: Any, size: tuple[int, int]) -> None:
    assert snap_compare(recorded(), terminal_size=size, run_before=_settled)


def test_without_colour(recorded: Callable[..., CockpitApp], snap_compare: Any) -> None:
    assert snap_compare(recorded(NO_COLOR="1"), terminal_size=(80, 24), run_before=_settled)


def test_light(recorded: Callable[..., CockpitApp], snap_compare: Any) -> None:
    assert snap_compare(recorded(COCKPIT_THEME="light"), terminal_size=(120, 40), run_before=_settled)


def test_sixteen_colours(recorded: Callable[..., CockpitApp], snap_compare: Any) -> None:
    assert snap_compare(recorded(COCKPIT_THEME="ansi"), terminal_size=(80, 24), run_before=_settled)
