"""A Loki query followed: its rates in a panel, and every line once in the file that viewers follow."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cockpit.config import Config, ProbeConfig
from cockpit.config.bound import parse_bound
from cockpit.monitor.registry import build
from cockpit.monitor.sample import Level, Outcome
from cockpit.monitor.watch import Watch
from cockpit.runbook.reading import parse
from cockpit.session.record.folder import SessionFolder
from tests.servers.loki import LokiServer, loki_server
from tests.waiting import until


@pytest.fixture
def server() -> Iterator[LokiServer]:
    with loki_server() as made:
        yield made


def config(server: LokiServer) -> ProbeConfig:
    bound = parse_bound("errors_per_min > 1 red", "test")
    options = {"url": server.url, "query": '{app="chat"}', "tenant": "shop"}
    return ProbeConfig(name="chat", kind="loki", interval_s=0.1, thresholds=(bound,), options=options)


async def test_errors_a_minute_are_counted_and_held_against_bounds(server: LokiServer) -> None:
    server.push("INFO started", app="chat")
    server.push("ERROR no model answers", app="chat")
    server.push("ERROR again", app="chat")
    server.push("ERROR long ago", age_s=300, app="chat")
    server.push("ERROR elsewhere", app="other")
    probe = build(config(server), lambda text: text)

    sample = await probe.sample()
    await probe.close()

    assert {reading.name: reading.value for reading in sample.readings} == {"errors_per_min": 2.0, "lines_per_min": 3.0}
    assert (sample.outcome, sample.level) == (Outcome.DATA, Level.RED)
    assert [row["text"] for row in sample.rows] == ["INFO started", "ERROR no model answers", "ERROR again"]
    assert set(server.tenants) == {"shop"}


async def test_a_quiet_log_is_an_answer(server: LokiServer) -> None:
    probe = build(config(server), lambda text: text)

    sample = await probe.sample()
    await probe.close()

    assert (sample.outcome, sample.level) == (Outcome.DATA, Level.GREEN)


async def test_a_query_for_numbers_is_told(server: LokiServer) -> None:
    options = {"url": server.url, "query": 'count_over_time({app="chat"}[1m])'}
    probe = build(ProbeConfig(name="chat", kind="loki", options=options), lambda text: text)

    sample = await probe.sample()
    await probe.close()

    assert sample.outcome is Outcome.FAILED
    assert "numbers" in sample.error


async def test_every_line_comes_once_into_the_file_that_viewers_follow(
    server: LokiServer, folder: SessionFolder
) -> None:
    server.push("first password=hunter2hunter2 \x1b]0;x\x07", app="chat")
    watch = Watch(Config(probes=(config(server),)), parse("# T\n"), folder)
    await watch.start()
    (told,) = json.loads(folder.panel.read_text())["tails"]
    kept = Path(told["path"])
    assert (told["name"], told["fetched"], kept.parent) == ("chat", True, folder.logs)
    await until(lambda: "first" in kept.read_text(), "the first line")

    server.push("late", age_s=20, app="chat")
    server.push("two\nlines", app="chat")
    await until(lambda: "late" in kept.read_text() and "two␊lines" in kept.read_text(), "the later lines")
    looks = len(server.asked)
    await until(lambda: len(server.asked) > looks + 2, "more looks")
    await watch.stop()

    text = kept.read_text()
    assert (text.count("first"), text.count("late"), text.count("two␊lines")) == (1, 1, 1)
    assert "hunter2" not in text
    assert "\x1b" not in text
    assert kept.stat().st_mode & 0o077 == 0


async def test_a_server_that_goes_is_told_in_the_log_and_in_the_panel(folder: SessionFolder) -> None:
    with loki_server() as server:
        server.push("first", app="chat")
        watch = Watch(Config(probes=(config(server),)), parse("# T\n"), folder)
        await watch.start()
        kept = folder.logs / "chat.lines"
        await until(lambda: kept.exists() and "first" in kept.read_text(), "the first line")
    await until(lambda: "--- " in kept.read_text(), "the server is told to be away")
    await watch.stop()
    assert kept.read_text().index("first") < kept.read_text().index("--- ")


async def test_more_lines_than_are_fetched_leave_a_mark(server: LokiServer) -> None:
    probe = build(config(server), lambda text: text)
    look = probe.watchable
    brought = []
    from cockpit.safety.permit import Mode, grant

    for batch in range(2):
        for number in range(2500):
            server.push(f"{batch} {number}", app="chat")
        permit = grant(look.action, look.judgement, Mode.READ_ONLY, by="test")
        brought.append((await look.look(permit)).brought)
    await probe.close()

    assert [(len(each.lines), each.gap) for each in brought] == [(2000, False), (2000, True)]


async def test_of_a_flood_the_rates_are_those_of_the_time_that_the_fetched_lines_cover(server: LokiServer) -> None:
    now_ns = time.time_ns() - 1_000_000_000
    server.lines = [(now_ns - number * 10_000_000, {"app": "chat"}, "ERROR again") for number in range(2500)]
    probe = build(config(server), lambda text: text)
    sample = await probe.sample()
    await probe.close()

    # The newest 2,000 of them came within 20 s.
    values = {reading.name: reading.value for reading in sample.readings}
    assert values == {"errors_per_min": pytest.approx(6000, rel=0.01), "lines_per_min": pytest.approx(6000, rel=0.01)}
