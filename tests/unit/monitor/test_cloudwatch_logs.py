"""A log group of CloudWatch followed: every line once, late ones too, and none missing without a word."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterator
from typing import Any

import pytest

from cockpit.adapters.probing import Brought, Finding
from cockpit.config import Config, ProbeConfig
from cockpit.config.bound import parse_bound
from cockpit.errors import TimedOut
from cockpit.monitor.logs import cloudwatch
from cockpit.monitor.panel import fold_sample
from cockpit.monitor.probe import WatchedProbe
from cockpit.monitor.registry import build
from cockpit.monitor.sample import Level, Outcome
from cockpit.monitor.watch import Watch
from cockpit.runbook.reading import parse
from cockpit.safety.permit import Mode, grant
from cockpit.session.record.folder import SessionFolder
from screens.feed import Feed
from screens.panels import detail_of
from tests.servers.aws import AwsStandIn, LogGroup, aws_stand_in, refusal, sign_in
from tests.waiting import until


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsStandIn]:
    sign_in(monkeypatch)
    with aws_stand_in() as made:
        yield made


@pytest.fixture
def group(server: AwsStandIn) -> LogGroup:
    made = LogGroup()
    server.says("logs:FilterLogEvents", made.answer)
    return made


def config(server: AwsStandIn, **more: Any) -> ProbeConfig:
    options = {"region": "us-east-1", "endpoint_url": server.url, "group": "/ecs/api", **more}
    bound = parse_bound("errors_per_min > 1 red", "test")
    return ProbeConfig(
        name="api", kind="cloudwatch-logs", interval_s=0.1, deadline_s=30.0, thresholds=(bound,), options=options
    )


def made(server: AwsStandIn, **more: Any) -> WatchedProbe:
    return build(config(server, **more), lambda text: text)


async def looked(probe: WatchedProbe) -> Finding:
    it = probe.watchable
    return await it.look(grant(it.action, it.judgement, Mode.READ_ONLY, by="test"))


async def brought(probe: WatchedProbe) -> Brought:
    return (await looked(probe)).brought


async def looked_ago(probe: WatchedProbe, seconds: float) -> Brought:
    """A look as it was so long ago, or with less than 0 as it will be."""
    it: Any = probe.watchable
    clock = it.clock
    it.clock = lambda: clock() - seconds
    try:
        return await brought(probe)
    finally:
        it.clock = clock


def words(found: Brought) -> list[str]:
    return [line.partition(" ")[2] for line in found.lines]


async def test_errors_a_minute_are_counted_and_held_against_bounds(server: AwsStandIn, group: LogGroup) -> None:
    for text in ("INFO begun", "ERROR no model answers", "ERROR again"):
        group.push(text)
    group.push("ERROR long ago", age_s=400)

    sample = await made(server).sample()

    values = {reading.name: reading.value for reading in sample.readings}
    assert values == {"errors_per_min": 2.0, "lines_per_min": 3.0}
    assert (sample.outcome, sample.level) == (Outcome.DATA, Level.RED)
    assert [row["text"] for row in sample.rows] == ["INFO begun", "ERROR no model answers", "ERROR again"]


async def test_a_quiet_log_is_an_answer(server: AwsStandIn, group: LogGroup) -> None:
    sample = await made(server).sample()

    assert (sample.outcome, sample.level, group.events) == (Outcome.DATA, Level.GREEN, [])


async def test_no_line_comes_twice_and_late_ones_come(server: AwsStandIn, group: LogGroup) -> None:
    probe = made(server)
    group.push("old", age_s=200)
    group.push("first")
    found = [await brought(probe)]
    group.push("second")
    group.push("late", age_s=30)
    found.append(await brought(probe))
    found.append(await brought(probe))

    assert [words(each) for each in found] == [["first"], ["late", "second"], []]
    assert not any(each.gap for each in found)


async def test_a_line_that_comes_minutes_late_is_found(server: AwsStandIn, group: LogGroup) -> None:
    probe = made(server)
    await looked_ago(probe, 600)
    group.push("at once")
    await brought(probe)
    group.push("four minutes late", age_s=240)

    assert words(await brought(probe)) == ["four minutes late"]


async def test_a_line_that_comes_half_an_hour_late_is_found_once(server: AwsStandIn, group: LogGroup) -> None:
    probe = made(server)
    await looked_ago(probe, 3000)
    for ago_s in range(2500, 0, -500):
        await looked_ago(probe, ago_s)
    group.push("half an hour late", age_s=1800)
    found = words(await brought(probe))
    group.push("later still", age_s=1700)
    later = [words(await looked_ago(probe, -after_s)) for after_s in (30, 65, 130)]

    assert found == ["half an hour late"]
    assert later == [[], ["later still"], []]


async def test_what_was_there_before_the_watch_is_not_late(server: AwsStandIn, group: LogGroup) -> None:
    group.push("before", age_s=1800)
    probe = made(server)

    assert [words(await looked_ago(probe, -after_s)) for after_s in (0, 90, 180, 270, 360, 450)] == [[]] * 6


async def test_late_lines_are_fetched_a_page_a_look_and_new_ones_do_not_wait_for_them(
    server: AwsStandIn, group: LogGroup
) -> None:
    probe = made(server)
    for ago_s in range(1800, 0, -300):
        await looked_ago(probe, ago_s)
    group.page_events = 2
    for number in range(5):
        group.push(f"late {number}", age_s=900 - number)
    group.push("new")

    assert [words(await brought(probe)) for _look in range(4)] == [
        ["new", "late 0", "late 1"],
        ["late 2", "late 3"],
        ["late 4"],
        [],
    ]


async def test_a_log_that_is_too_busy_for_late_lines_says_how_late_they_may_be(
    server: AwsStandIn, group: LogGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cloudwatch, "_MOST_KNOWN", 20)
    monkeypatch.setattr(cloudwatch, "_MOST_AGAIN", 10)
    probe = made(server)
    await looked_ago(probe, 600)
    for number in range(60):
        group.push(f"line {number}", age_s=600 - 10 * number)
    told: list[tuple[int, str]] = []
    for ago_s in (0, -70, -140):
        told += (await looked_ago(probe, ago_s)).told

    assert [text for _at, text in told] == ["a busy log: lines that come more than 3 min late are not shown"]


async def test_late_lines_that_can_not_be_looked_for_are_told_and_cost_nothing_else(
    server: AwsStandIn, group: LogGroup
) -> None:
    probe = made(server)
    for ago_s in (900, 600, 300):
        await looked_ago(probe, ago_s)
    group.push("new")

    def refuse_late(asked: dict[str, Any]) -> Any:
        return refusal("AccessDeniedException", "not so far back") if "endTime" in asked else group.answer(asked)

    server.says("logs:FilterLogEvents", refuse_late)
    found = await brought(probe)

    assert words(found) == ["new"]
    assert [text for _at, text in found.told] == [
        "lines that came minutes late could not be looked for: not so far back"
    ]


async def test_a_host_that_comes_back_brings_no_line_twice_and_says_where_it_began_again(
    server: AwsStandIn, group: LogGroup, folder: SessionFolder
) -> None:
    async def host(word: str) -> None:
        watch = Watch(Config(probes=(config(server),)), parse("# T\n"), folder)
        await watch.start()
        await until(lambda: kept.exists() and word in kept.read_text(), word)
        await watch.stop()

    kept = folder.logs / "api.lines"
    group.push("same")
    group.events.append(group.events[0] | {"eventId": "another", "message": "same"})
    group.push("first password=hunter2hunter2")
    await host("first")
    group.push("second")
    await host("second")

    lines = kept.read_text().splitlines()
    assert [line.rpartition(" ")[2] for line in lines if not line.startswith("---")].count("same") == 2
    assert [len([line for line in lines if word in line]) for word in ("first", "second", "began again")] == [1, 1, 1]
    assert "began again" in lines[-2]


async def test_pages_are_read_to_the_end(server: AwsStandIn, group: LogGroup) -> None:
    group.page_events = 3
    for number in range(10):
        group.push(f"line {number}", age_s=10 - number)

    assert words(await brought(made(server))) == [f"line {number}" for number in range(10)]


async def test_more_than_one_look_can_read_is_gone_on_with_and_nothing_is_lost(
    server: AwsStandIn, group: LogGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cloudwatch, "_MOST_EVENTS", 50)
    monkeypatch.setattr(cloudwatch, "_MOST_AGAIN", 20)
    group.page_events = 20
    probe = made(server)
    found: list[str] = []
    told = []
    for batch in range(20):
        for number in range(90 if batch < 4 else 0):
            group.push(f"{batch} {number}")
        finding = await looked(probe)
        told.append(finding.text)
        found += words(finding.brought)
        assert not finding.brought.gap

    assert "still reading" in told[0]
    assert sorted(found) == sorted(f"{batch} {number}" for batch in range(4) for number in range(90))


async def test_a_walk_that_the_server_has_forgotten_begins_anew_without_a_line_twice(
    server: AwsStandIn, group: LogGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cloudwatch, "_MOST_EVENTS", 40)
    group.page_events = 20
    for number in range(100):
        group.push(f"line {number}")
    probe = made(server)
    found = words(await brought(probe))
    group.forget_tokens()
    failed = await probe.sample()
    for _look in range(5):
        found += words(await brought(probe))

    assert (failed.outcome, "nextToken" in failed.error) == (Outcome.FAILED, True)
    assert sorted(found) == sorted(f"line {number}" for number in range(100))


async def test_what_was_fetched_before_a_refusal_is_not_lost(server: AwsStandIn, group: LogGroup) -> None:
    group.page_events = 2
    for number in range(5):
        group.push(f"line {number}")
    answers = [group.answer, refusal("ThrottlingException", "Rate exceeded"), refusal("ThrottlingException")]
    server.says("logs:FilterLogEvents", *answers, group.answer)
    probe = made(server)

    first = words(await brought(probe))
    refused = await probe.sample()

    assert first == ["line 0", "line 1"]
    assert (refused.outcome, refused.level) == (Outcome.FAILED, Level.YELLOW)


async def test_after_a_long_time_away_the_gap_is_told(server: AwsStandIn, group: LogGroup) -> None:
    probe = made(server)
    await looked_ago(probe, 3600)
    group.push("meanwhile", age_s=1800)
    group.push("now")

    after, later = await brought(probe), await brought(probe)

    assert (words(after), after.gap) == (["now"], True)
    assert (later.lines, later.gap) == ((), False)


async def test_a_short_time_away_loses_nothing(server: AwsStandIn, group: LogGroup) -> None:
    probe = made(server)
    await looked_ago(probe, 500)
    group.push("meanwhile", age_s=300)

    found = await brought(probe)

    assert (words(found), found.gap) == (["meanwhile"], False)


async def test_lines_of_a_look_that_was_cancelled_come_with_the_next(server: AwsStandIn, group: LogGroup) -> None:
    probe = made(server)
    group.push("first")
    server.held.add("logs:FilterLogEvents")
    look = asyncio.create_task(probe.sample())
    await until(lambda: server.times("logs:FilterLogEvents") == 1, "the question")
    look.cancel()
    await asyncio.wait([look])
    server.held.clear()
    server.over.set()
    found: list[str] = []

    async def come() -> bool:
        with contextlib.suppress(TimedOut):  # while the cancelled look still hangs
            found.extend(words(await brought(probe)))
        return bool(found)

    await until(come, "the line")
    assert found == ["first"]


async def test_patterns_and_streams_choose_lines(server: AwsStandIn, group: LogGroup) -> None:
    group.push('{"level": "error", "it": "a"}', stream="api/1")
    group.push('{"level": "info", "it": "b"}', stream="api/1")
    group.push('{"level": "error", "it": "c"}', stream="worker/1")

    found = await brought(made(server, filter='{ $.level = "error" }', streams="api/"))

    assert [json.loads(line)["it"] for line in words(found)] == ["a"]


async def test_every_line_comes_once_into_the_file_that_viewers_follow(
    server: AwsStandIn, group: LogGroup, folder: SessionFolder
) -> None:
    group.push("first password=hunter2hunter2 \x1b]0;x\x07")
    watch = Watch(Config(probes=(config(server),)), parse("# T\n"), folder)
    await watch.start()
    kept = folder.logs / "api.lines"
    await until(lambda: kept.exists() and "first" in kept.read_text(), "the first line")
    group.push("two\nlines")
    await until(lambda: "two␊lines" in kept.read_text(), "the later line")
    shown = Feed(folder, listener=None)  # type: ignore[arg-type]
    shown._read_description()
    state = fold_sample(shown.panels["api"], await made(server).sample())
    assert any("first" in line.text for line in detail_of(state, 80))
    looks = server.times("logs:FilterLogEvents")
    await until(lambda: server.times("logs:FilterLogEvents") > looks + 2, "more looks")
    server.says("logs:FilterLogEvents", refusal("AccessDeniedException", "not you"))
    await until(lambda: "--- not you" in kept.read_text(), "the refusal")
    await watch.stop()

    text = kept.read_text()
    assert (text.count("first"), text.count("two␊lines")) == (1, 1)
    assert "hunter2" not in text
    assert "\x1b" not in text


async def test_what_was_written_more_than_a_minute_ago_is_no_rate_of_now(server: AwsStandIn, group: LogGroup) -> None:
    probe = made(server)
    await looked_ago(probe, 300)
    group.push("ERROR meanwhile", age_s=90)

    found = await looked(probe)

    assert {value.name: value.value for value in found.values} == {"errors_per_min": 0.0, "lines_per_min": 0.0}
    assert words(found.brought) == ["ERROR meanwhile"]
