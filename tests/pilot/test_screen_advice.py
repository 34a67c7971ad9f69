"""Recommendations, panels and their age, from recorded sessions."""

from __future__ import annotations

from pathlib import Path

import pytest

from screens.app import CockpitApp
from tests.pilot.recording import reading, record, replayed, sample, shown

RUNBOOK = "# Doc\n\n## Look\n\n```bash\nuptime\n```\n\n## Roll back\n\n```bash\nuname\n```\n"
RAISED = (3.0, "recommendation.raised", {"rule": "r", "section": "roll-back", "text": "err > 1 % 3x", "samples": []})


@pytest.fixture
def app(tmp_path: Path) -> CockpitApp:
    samples = [
        sample("api", 1, text="UP 200", readings=[reading("latency_ms", 12.0, "green", "< 500")]),
        sample("db", 1, kind="sql", outcome="failed", level="red", error="connection refused", mend="is it running?"),
        sample("queue", 1, outcome="none", level="grey", text="no messages"),
        sample("late", 1, text="42 open", interval_s=1.0),
        sample("api", 190, text="UP 200", readings=[reading("latency_ms", 700.0, "red", "> 500")], level="red"),
        sample("queue", 190, outcome="none", level="grey", text="no messages"),
    ]
    return replayed(record(tmp_path, RUNBOOK, [RAISED], samples))


async def test_one_key_goes_to_the_recommended_section(app: CockpitApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await app.ready.wait()
        await pilot.pause()
        assert "recommended > Roll back: err > 1 % 3x   r: go there" in shown(app)
        await pilot.press("r")
        assert "[2/2] Roll back" in shown(app)


async def test_the_key_stays_however_long_the_advice(tmp_path: Path) -> None:
    seconds, kind, data = RAISED
    app = replayed(record(tmp_path, RUNBOOK, [(seconds, kind, {**data, "text": "err > 1 % " * 20})]))
    async with app.run_test(size=(80, 24)) as pilot:
        await app.ready.wait()
        await pilot.pause()
        assert "…   r: go there" in shown(app)


async def test_panels_tell_data_none_failed_and_stale_apart(app: CockpitApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await app.ready.wait()
        await pilot.pause()
        folded = shown(app).split("\n")[2:5]
        told = " ".join(folded)
        assert "1 x  api UP 200" in told.replace("  ", " ").replace("x api", "x  api")
        assert "failed: connection refused" in told
        assert "- queue no messages" in told.replace("  ", " ")
        assert "~ late" in told.replace("  ", " ")
        assert "stale 3 min" in told


async def test_a_digit_opens_one_panel_with_its_details(app: CockpitApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await app.ready.wait()
        await pilot.press("2")
        assert "is it running?" in shown(app)
        assert "latency" not in shown(app)
        await pilot.press("1")
        assert "latency  " in shown(app)
        assert "> 500" in shown(app)
