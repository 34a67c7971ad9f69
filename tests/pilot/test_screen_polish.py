"""What narrow screens still have room for, and what is loud."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.cells import cell_len

from cockpit.monitor.sample import Level, Outcome, PanelState, Reading, Sample
from screens.paint import fit_path
from screens.panels import detail_of
from tests.pilot.conftest import Opens
from tests.pilot.recording import record, replayed, sample, shown

GIB = 1 << 30


def _panel(kind: str, readings: tuple[Reading, ...] = (), rows: tuple[dict[str, object], ...] = ()) -> PanelState:
    last = Sample("p", kind, "", 1, Outcome.DATA, Level.GREEN, "", readings, rows)
    return PanelState("p", kind, "p", last=last, last_data=last)


MACHINE = _panel(
    "machine",
    (
        Reading("cpu_percent", 12.0, "%"),
        Reading("load1", 0.5),
        Reading("cores", 4.0),
        Reading("memory_bytes", 2.3 * GIB, "bytes"),
    ),
)


def test_a_narrow_machine_panel_leaves_out_what_seldom_changes() -> None:
    narrow = "\n".join(row.text for row in detail_of(MACHINE, 45))
    assert "12 %" in narrow
    assert "cores" not in narrow
    wide = "\n".join(row.text for row in detail_of(MACHINE, 80))
    assert "cores" in wide
    assert "2.3 GB" in wide
    assert "_" not in wide


@pytest.mark.parametrize("width", [45, 46, 55, 80])
def test_processes_keep_their_memory_however_narrow(width: int) -> None:
    row = {"name": "결제-서버-운영-1", "status": "launching", "restarts": 12, "restarts_change": 3}
    rows = detail_of(_panel("pm2", rows=({**row, "cpu_percent": 100.0, "memory_bytes": 1.5 * GIB},)), width)
    assert all(each.width <= width for each in rows)
    assert rows[0].text.endswith("memory")
    assert rows[1].text.endswith("1.5 GB")


@pytest.mark.parametrize("width", range(12, 60))
def test_a_path_keeps_its_beginning_and_its_last_folders(width: int) -> None:
    path = "/root/.local/state/리허설-세계/worlds/p0-rollback-20240127/opt/app/current"
    cut = fit_path(path, width)
    assert cell_len(cut) <= width
    assert cut.startswith("/ro")
    assert cut.endswith("current"[-5:])
    assert fit_path("/opt/app", width) == "/opt/app"


async def test_a_record_that_cannot_be_written_is_loud_until_it_can(opens: Opens) -> None:
    async with opens("# Doc\n\n- [ ] check\n", size=(80, 24)) as story:
        host_says = story.viewer.feed.client.on_wake

        async def fail() -> None:
            host_says("record-failed")

        await story.sees_no("NOT RECORDED").does(fail).sees("the record can't be written: disk full?")
        await story.presses("enter").sees("[OK]").sees_no("NOT RECORDED")
        assert story.passed == 1


async def test_a_card_says_what_enter_leads_to(opens: Opens, tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_text("one\n")
    text = f"# Doc\n\n```bash\ntail -f {log}\n```\n\n```bash\nless {log}\n```\n"
    async with opens(text, size=(80, 24)) as story:
        await story.sees("it runs until stopped: Ctrl-C twice")
        await story.presses("down").sees("it takes the terminal; Ctrl-] leaves it running")
        assert story.state.runs == {}


async def test_a_readable_size_and_no_underscore_on_the_screen(tmp_path: Path) -> None:
    readings = [{"name": "heap_bytes", "value": 2.5 * GIB, "unit": "bytes", "level": "green", "bound": ""}]
    folder = record(tmp_path, "# Doc\n", samples=[sample("api", 190, readings=readings)])
    app = replayed(folder)
    async with app.run_test(size=(120, 40)) as pilot:
        await app.ready.wait()
        assert app.viewer is not None
        app.viewer.feed.read()
        await pilot.pause()
        assert "2.5 GB" in shown(app)
        assert "heap_bytes" not in shown(app)


@pytest.mark.parametrize("width", [40, 45, 60, 80, 110])
def test_what_runs_on_a_cluster_keeps_its_counts_and_its_reason_however_narrow(width: int) -> None:
    pod = {"what": "pod", "name": "결제-서버-7b7d658678-8qxz8", "ready": "12/12", "level": "red", "since_s": 720}
    pod |= {"status": "CrashLoopBackOff (OOMKilled)", "restarts": 34, "restarts_change": 2, "memory_bytes": 2**27}
    warning = {
        "what": "warning",
        "name": "pod/결제",
        "status": "BackOff",
        "count": 12,
        "since_s": 60,
        "note": "back-off",
    }
    rows = detail_of(_panel("kubernetes", rows=(pod, warning)), width)
    assert all(each.width <= width for each in rows)
    assert rows[1].text.endswith("34 +2")
    assert "12/12" in rows[1].text
    shown = " ".join(row.text for row in rows)
    assert "CrashLoopBackOff (OOMKilled)" in shown
    assert "12 min" in shown
    assert "BackOff x12 pod/결제" in shown
    assert rows[-1].text.strip() == "back-off"
    assert ("128 MB" in shown) is (width >= 100)


def test_a_healthy_row_takes_one_line_and_a_note_stands_last() -> None:
    healthy: dict[str, object] = {
        "what": "autoscaler",
        "name": "api",
        "ready": "2/2",
        "status": "scales",
        "level": "green",
        "note": "2 to 9",
    }
    note: dict[str, object] = {"what": "note", "name": "can't be had here: nodes", "level": ""}
    rows = detail_of(_panel("kubernetes", rows=(healthy, note)), 80)
    assert [row.text.split() for row in rows[1:]] == [
        ["OK", "hpa", "api", "2/2", "scales,", "2", "to", "9"],
        ["can't", "be", "had", "here:", "nodes"],
    ]
    assert "hpa/api " in detail_of(_panel("kubernetes", rows=(healthy,)), 40)[1].text


@pytest.mark.parametrize("width", [40, 80, 120])
def test_what_a_busy_pod_uses_is_told_at_any_width(width: int) -> None:
    busy: dict[str, object] = {"what": "pod", "name": "api-0", "ready": "1/1", "status": "busiest", "level": ""}
    rows = detail_of(_panel("kubernetes", rows=(busy | {"cpu_cores": 0.25, "memory_bytes": 100 << 20},)), width)
    shown = " ".join(row.text for row in rows)
    assert all(each.width <= width for each in rows)
    assert "0.25" in shown
    assert "100 MB" in shown
