"""Commands that never end by themselves, with the time their author wants for them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cockpit.session.record.clock import moment
from cockpit.session.record.event import Status
from cockpit.session.record.state import SessionState
from tests.pilot.conftest import Opens


def document(log: Path, span: str) -> str:
    log.write_text("it is well\n")
    return f"# Watch\n\n```bash\n# Follow the log ({span})\ntail -f {log}\n```\n"


def has_run_for_two_seconds(state: SessionState) -> bool:
    began = moment(state.runs[1].started_t)
    # The story's own clock runs ahead of the machine's, by which the run is measured.
    return began is not None and datetime.now(UTC) - began > timedelta(seconds=2)


@pytest.mark.parametrize("span", ["for 2 seconds", "2초간"])
async def test_stopped_after_its_time_it_is_done(opens: Opens, tmp_path: Path, span: str) -> None:
    async with opens(document(tmp_path / "app.log", span)) as story:
        await story.sees("it runs until stopped, for 00:02 says the runbook: Ctrl-C twice")
        await story.presses("enter").sees("it is well", "of 00:02", "the time is over: Ctrl-C twice, and it is done")
        await story.finds(has_run_for_two_seconds)
        await story.presses("ctrl+c").sees("again stops").presses("ctrl+c")
        await story.finds(lambda state: [run.status for run in state.runs.values()] == [Status.PASSED])
        assert "the runbook asks for 2 s" in story.state.runs[1].result["reason"]


async def test_stopped_before_its_time_it_was_cancelled(opens: Opens, tmp_path: Path) -> None:
    async with opens(document(tmp_path / "app.log", "for 10 minutes")) as story:
        await story.sees("Enter: it runs until stopped")
        await story.presses("enter").sees("it is well", "of 10:00").sees_no("the time is over")
        await story.sees_no("Enter: it runs until stopped")
        await story.presses("ctrl+c").sees("again stops").presses("ctrl+c")
        await story.finds(lambda state: bool(state.runs) and not state.running, "its end")
        assert [run.status for run in story.state.runs.values()] == [Status.CANCELLED]
