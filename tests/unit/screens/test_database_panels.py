"""The panels of databases with more to tell than there is room: what matters stays, and nothing runs over the edge."""

from __future__ import annotations

from typing import Any

import pytest
from rich.cells import cell_len

from cockpit.monitor.panel import fold_sample
from cockpit.monitor.sample import Level, Outcome, Reading, Sample
from screens.panels import detail_of
from screens.panels.readings import value_text


def shown(kind: str, rows: list[dict[str, Any]], width: int, *readings: Reading) -> list[str]:
    sample = Sample("it", kind, "2026-01-02T03:04:05+00:00", 1, Outcome.DATA, Level.RED, "x", readings, tuple(rows))
    return [line.text for line in detail_of(fold_sample(None, sample), width)]


def session(what: str, pid: int, **more: Any) -> dict[str, Any]:
    row = {"what": what, "pid": pid, "age_s": 12.0, "level": "yellow", "user": "app", "application": "웹 서버 " * 9}
    return {**row, "state": "active", "wait": "ShareLock 주문", "text": "update 주문 set 상태 = '확인' " * 20, **more}


@pytest.mark.parametrize("width", [32, 40, 79, 100, 200])
def test_of_a_crowd_that_waits_the_holder_stands_first_and_the_rest_is_counted(width: int) -> None:
    rows = [session("blocking", 1, holds_up=20), *(session("blocked", n, holders="1") for n in range(2, 22))]

    lines = shown("postgresql", rows, width, Reading("blocked", 20.0, "", Level.YELLOW))

    assert "1 holds up 20" in lines[0]
    assert any(f"{18 if width < 70 else 14} more wait" in line for line in lines)
    assert all(cell_len(line) <= width for line in lines)
    assert len(lines) < 20


@pytest.mark.parametrize("width", [32, 40, 100])
def test_a_cache_tells_its_troubles_first(width: int) -> None:
    rows: list[dict[str, Any]] = [
        {"what": "trouble", "text": "memory is full and nothing may be evicted", "level": "red"},
        {"what": "replica", "name": "10.0.0.9:6379", "state": "online", "age_s": 1.0, "bytes": 0.0, "level": "green"},
        {"what": "keyspace", "name": "db0", "keys": 30000.0, "expires": 5.0, "level": ""},
        {"what": "note", "text": "not encrypted", "level": ""},
    ]

    lines = shown("redis", rows, width, Reading("keys", 30000.0), Reading("clients_percent", 99.0, "%", Level.RED))

    assert lines[0].startswith("  x  memory")
    assert any("30000" in line for line in lines)
    assert all(cell_len(line) <= width for line in lines)


def test_great_counts_are_written_in_full() -> None:
    assert value_text(Reading("keys", 30000.0)) == "30000"
    assert value_text(Reading("ops", 1234567.8)) == "1234568"
    assert value_text(Reading("ping_ms", 0.3125, "ms")) == "0.3125 ms"
