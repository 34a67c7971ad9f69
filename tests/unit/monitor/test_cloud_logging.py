"""A filter of Cloud Logging followed: its rates in a panel, and every line once in the file that viewers follow."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cockpit.adapters.google.entries import Entry, Lately, moment_ns, stamp
from cockpit.adapters.probing import Brought
from cockpit.config import Config, ProbeConfig
from cockpit.config.bound import parse_bound
from cockpit.errors import ConfigError
from cockpit.monitor.logs import cloud_logging
from cockpit.monitor.probe import WatchedProbe
from cockpit.monitor.registry import build
from cockpit.monitor.sample import Level, Outcome
from cockpit.monitor.watch import Watch
from cockpit.runbook.reading import parse
from cockpit.safety.permit import Mode, grant
from cockpit.session.record.folder import SessionFolder
from tests.servers.google import PROJECT, TOKEN, GoogleServer, google_server
from tests.waiting import until

FILTER = 'resource.type="cloud_run_revision"'


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[GoogleServer]:
    monkeypatch.setenv("CANARY_TOKEN", TOKEN)
    with google_server() as made:
        yield made


def config(server: GoogleServer, **given: Any) -> ProbeConfig:
    options = {"project": PROJECT, "url": server.url, "token_env": "CANARY_TOKEN", "filter": FILTER, **given}
    bound = parse_bound("errors_per_min > 1 red", "test")
    return ProbeConfig(
        name="canary", kind="cloud-logging", interval_s=0.1, deadline_s=30.0, thresholds=(bound,), options=options
    )


async def looked(probe: WatchedProbe) -> Brought:
    look = probe.watchable
    return (await look.look(grant(look.action, look.judgement, Mode.READ_ONLY, by="test"))).brought


async def test_errors_a_minute_are_counted_by_what_their_writer_said(server: GoogleServer) -> None:
    server.write("started", "INFO")
    server.write("error: said an info line", "INFO")
    server.write("the model does not answer", "ERROR")
    server.write("ERROR nobody said how severe")
    server.write("ERROR long ago", "ERROR", age_s=300)
    probe = build(config(server), lambda text: text)

    sample = await probe.sample()
    await probe.close()

    assert {reading.name: reading.value for reading in sample.readings} == {"errors_per_min": 2.0, "lines_per_min": 4.0}
    assert (sample.outcome, sample.level) == (Outcome.DATA, Level.RED)
    assert sample.rows[2]["text"] == "ERROR the model does not answer"
    assert server.filters[0].startswith(f"({FILTER}\n) AND timestamp>=")


async def test_a_quiet_log_is_an_answer(server: GoogleServer) -> None:
    probe = build(config(server), lambda text: text)
    sample = await probe.sample()
    await probe.close()
    assert (sample.outcome, sample.level) == (Outcome.DATA, Level.GREEN)


async def test_every_line_comes_once_into_the_file_that_viewers_follow(
    server: GoogleServer, folder: SessionFolder
) -> None:
    server.write("first password=hunter2hunter2 \x1b]0;x\x07")
    watch = Watch(Config(probes=(config(server),)), parse("# T\n"), folder)
    await watch.start()
    (told,) = json.loads(folder.panel.read_text())["tails"]
    kept = Path(told["path"])
    await until(lambda: "first" in kept.read_text(), "the first line")

    server.write("late", age_s=30)
    server.write("two\nlines")
    await until(lambda: "late" in kept.read_text() and "two␊lines" in kept.read_text(), "the later lines")
    looks = len(server.asked)
    await until(lambda: len(server.asked) > looks + 2, "more looks")
    await watch.stop()

    text = kept.read_text()
    assert (text.count("first"), text.count("late"), text.count("two␊lines")) == (1, 1, 1)
    assert "hunter2" not in text
    assert "\x1b" not in text


async def test_pages_are_read_to_the_end(server: GoogleServer) -> None:
    server.page = 10
    for number in range(25):
        server.write(f"line {number:02d}")
    probe = build(config(server), lambda text: text)

    brought = await looked(probe)
    again = await looked(probe)
    await probe.close()

    assert [line.rpartition(" ")[2] for line in brought.lines] == [f"{number:02d}" for number in range(25)]
    assert (brought.gap, again) == (False, Brought())


async def test_more_lines_than_are_fetched_leave_a_mark(server: GoogleServer) -> None:
    server.page = 10
    probe = build(config(server), lambda text: text)
    brought = []
    for batch in range(3):
        for number in range(25 if batch < 2 else 50):
            server.write(f"{batch} {number}")
        brought.append(await looked(probe))
    await probe.close()

    assert [(len(each.lines), each.gap) for each in brought] == [(25, False), (25, False), (30, True)]


async def test_a_burst_after_silence_leaves_a_mark_too(server: GoogleServer) -> None:
    server.page = 10
    probe = build(config(server), lambda text: text)
    silent = await looked(probe)
    for number in range(50):
        server.write(str(number))
    burst = await looked(probe)
    await probe.close()

    assert (silent, len(burst.lines), burst.gap) == (Brought(), 30, True)


async def test_what_was_written_while_nobody_could_ask_is_brought_afterwards(
    server: GoogleServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_ns = moment_ns("2026-11-21T12:00:00Z")
    monkeypatch.setattr("cockpit.monitor.logs.cloud_logging.time.time_ns", lambda: now_ns)
    server.entries = [entry("a", "2026-11-21T11:59:50Z")]
    probe = build(config(server), lambda text: text)
    first = await looked(probe)
    server.refuse = (503, "unavailable", "UNAVAILABLE")
    assert (await probe.sample()).outcome is Outcome.FAILED

    server.refuse = None
    server.entries += [entry("b", "2026-11-21T12:20:00Z"), entry("c", "2026-11-21T12:49:00Z")]
    now_ns = moment_ns("2026-11-21T12:50:00Z")
    after = await looked(probe)
    server.entries.append(entry("late", "2026-11-21T12:47:30Z"))
    last = await looked(probe)
    await probe.close()

    assert [[line[-1] for line in each.lines] for each in (first, after, last)] == [["a"], ["b", "c"], ["e"]]
    assert not after.gap


async def test_an_entry_that_comes_many_minutes_late_is_brought_once(
    server: GoogleServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cloud_logging, "_LATE_EVERY_S", 0.0)
    probe = build(config(server), lambda text: text)
    probe.watchable._began_ns = 1  # type: ignore[attr-defined]  # it has watched for long
    server.write("before", age_s=50)
    brought = [await looked(probe)]
    server.write("late", age_s=1800)
    server.write("new")
    brought += [await looked(probe), await looked(probe)]
    server.write("too late", age_s=3700)
    brought.append(await looked(probe))
    await probe.close()

    assert [[line.partition(" ")[2] for line in each.lines] for each in brought] == [
        ["before"],
        ["new", "late"],
        [],
        [],
    ]
    assert not any(each.told for each in brought)


async def test_late_entries_that_can_not_be_asked_for_are_told_and_cost_nothing_else(
    server: GoogleServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    probe = build(config(server), lambda text: text)
    server.write("first")
    await looked(probe)
    monkeypatch.setattr(cloud_logging, "_LATE_EVERY_S", 0.0)
    probe.watchable._late_due_m = 0.0  # type: ignore[attr-defined]
    server.refuse_words = ("receiveTimestamp", 400, "no such field")
    server.write("new")
    found = await looked(probe)
    await probe.close()

    assert [line.partition(" ")[2] for line in found.lines] == ["new"]
    assert [text for _at, text in found.told] == ["lines that came minutes late could not be looked for: no such field"]


def test_of_many_entries_those_received_last_are_known_again() -> None:
    lately = Lately(4)
    made = [received(f"2026-11-21T12:0{minute}:00Z") for minute in range(6)]
    lately.add(made[:2])
    assert lately.since_ns == made[0].received_ns
    lately.add(made[2:])

    known = [entry for entry in made if entry in lately]
    assert known == made[-len(known) :]
    assert all(entry in known for entry in made if entry.received_ns >= lately.since_ns)


def received(at: str) -> Entry:
    return Entry(insert_id=at, timestamp="2026-11-21T11:00:00Z", receive_timestamp=at)


async def test_two_entries_of_one_moment_are_two_lines_and_one_that_comes_twice_is_one(server: GoogleServer) -> None:
    server.write("same")
    server.entries.append(server.entries[0] | {"insertId": "other"})
    server.entries.append(dict(server.entries[0]))
    probe = build(config(server), lambda text: text)

    brought = await looked(probe)
    await probe.close()

    assert len(brought.lines) == 2


def entry(text: str, timestamp: str) -> dict[str, Any]:
    return {"insertId": text, "logName": "l", "timestamp": timestamp, "severity": "INFO", "textPayload": text}


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"textPayload": "plain"}, "plain"),
        ({"jsonPayload": {"message": "slow", "latency_ms": 812}}, 'slow {"latency_ms":812}'),
        ({"jsonPayload": {"a": 1}}, '{"a":1}'),
        ({"protoPayload": {"@type": "audit", "methodName": "Replace"}}, '{"methodName":"Replace"}'),
        (
            {"httpRequest": {"requestMethod": "GET", "status": 503, "requestUrl": "https://x/h", "latency": "0.8s"}},
            "GET 503 https://x/h 0.8s",
        ),
        ({}, ""),
    ],
)
def test_every_kind_of_payload_is_a_line(given: dict[str, Any], line: str) -> None:
    import msgspec

    held = msgspec.convert({"timestamp": "2026-11-21T12:00:00.123456789Z", "severity": "WARNING", **given}, Entry)
    assert held.text == line
    assert held.line.rstrip() == f"2026-11-21T12:00:00.123Z WARNING {line}".rstrip()


def test_no_nanosecond_is_lost() -> None:
    for written in ("2026-11-21T12:00:00.123456789Z", "2026-11-21T12:00:00.100000000Z"):
        assert stamp(moment_ns(written)) == written
    assert moment_ns("2026-11-21T12:00:00+09:00") == moment_ns("2026-11-21T03:00:00Z")
    assert moment_ns("soon") == 0


@pytest.mark.parametrize("text", ["", "  ", "x" * 30_000])
def test_what_is_no_filter_is_refused(server: GoogleServer, text: str) -> None:
    with pytest.raises(ConfigError, match="filter"):
        build(config(server, filter=text), lambda text: text)


@pytest.mark.parametrize("text", ["severity>=ERROR", "a='b' OR $(rm -rf /)", "x\ny", "`id`", 'text:"it\'s"'])
def test_whatever_a_filter_says_a_look_only_reads(server: GoogleServer, text: str) -> None:
    assert build(config(server, filter=text), lambda text: text).watchable.judgement.verdict == "read-only"


async def test_a_filter_that_google_does_not_understand_is_told(server: GoogleServer) -> None:
    sample = await build(config(server, filter="(severity"), lambda text: text).sample()
    assert (sample.outcome, "Unparseable filter" in sample.error) == (Outcome.FAILED, True)


class Hands:
    """The time of day as the probe reads it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.at("12:00:00")
        monkeypatch.setattr("cockpit.monitor.logs.cloud_logging.time.time_ns", lambda: self.now_ns)

    def at(self, shown: str) -> None:
        self.now_ns = moment_ns(f"2026-11-21T{shown}Z")


@pytest.fixture
def hands(monkeypatch: pytest.MonkeyPatch) -> Hands:
    return Hands(monkeypatch)


async def rates(probe: WatchedProbe) -> dict[str, object]:
    return {reading.name: reading.value for reading in (await probe.sample()).readings}


async def test_what_was_written_more_than_a_minute_ago_is_no_rate_of_now(server: GoogleServer, hands: Hands) -> None:
    server.entries = [entry("ERROR", "2026-11-21T11:59:30Z") | {"severity": "ERROR"}]
    probe = build(config(server), lambda text: text)
    first = await rates(probe)
    hands.at("12:01:00")
    second = await rates(probe)
    await probe.close()

    assert first == {"errors_per_min": 1.0, "lines_per_min": 1.0}
    assert second == {"errors_per_min": 0.0, "lines_per_min": 0.0}


async def test_of_a_flood_the_rates_are_those_of_the_time_that_the_fetched_entries_cover(
    server: GoogleServer, hands: Hands
) -> None:
    server.page = 10  # and three of them are fetched: those of the last 29 s
    server.entries = [entry(str(second), f"2026-11-21T11:59:{second:02d}Z") for second in range(1, 60)]
    hands.at("12:00:00")
    probe = build(config(server), lambda text: text)
    found = await rates(probe)
    await probe.close()

    assert found == {"errors_per_min": 0.0, "lines_per_min": 60.0}


async def test_an_entry_of_a_clock_that_is_fast_hides_no_later_one(server: GoogleServer, hands: Hands) -> None:
    server.entries = [entry("fast", "2026-11-21T12:10:00Z")]
    probe = build(config(server), lambda text: text)
    first = await looked(probe)
    hands.at("12:01:00")
    server.entries.append(entry("right", "2026-11-21T12:00:30Z"))
    second = await looked(probe)
    await probe.close()

    assert [[line.rpartition(" ")[2] for line in each.lines] for each in (first, second)] == [["fast"], ["right"]]


async def test_where_nothing_is_written_for_long_no_more_than_a_quarter_of_an_hour_is_asked_for(
    server: GoogleServer, hands: Hands
) -> None:
    probe = build(config(server), lambda text: text)
    for now in ("12:00:00", "13:00:00", "13:00:10"):
        hands.at(now)
        await looked(probe)
    await probe.close()

    assert server.filters[-1].endswith('timestamp>="2026-11-21T12:45:00.000000000Z"')
