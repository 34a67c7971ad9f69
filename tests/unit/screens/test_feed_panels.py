"""What a viewer makes of panel.json and the samples."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import cast
from unittest.mock import MagicMock

import msgspec

from cockpit.config import Config, ProbeConfig
from cockpit.monitor.watch import Watch
from cockpit.runbook.reading import parse
from cockpit.session.record.folder import SessionFolder
from screens.feed import Feed, Listener
from screens.panels import detail_of
from tests.servers.loki import loki_server
from tests.waiting import until


def has_data(feed: Feed) -> bool:
    feed.read()
    return feed.panels["chat"].last_data is not None


async def test_a_probe_that_brings_lines_shows_the_last_of_them_in_its_panel(tmp_path: Path) -> None:
    folder = SessionFolder.create(tmp_path, datetime(2026, 11, 21, tzinfo=UTC))
    feed = Feed(folder, cast(Listener, MagicMock()))
    with loki_server() as server:
        server.push("the model does not answer", app="chat")
        options = {"url": server.url, "query": '{app="chat"}'}
        probe = ProbeConfig(name="chat", kind="loki", title="chat log", interval_s=0.1, options=options)
        watch = Watch(msgspec.structs.replace(Config(), probes=(probe,)), parse("# T\n"), folder)
        await watch.start()
        feed.read()
        await until(lambda: has_data(feed), "a sample")
        await watch.stop()

    rows = ["".join(text for text, _style in row.spans) for row in detail_of(feed.panels["chat"], 80)]
    assert (feed.panels["chat"].kind, feed.panels["chat"].title) == ("loki", "chat log")
    assert [tail["name"] for tail in feed.tails] == ["chat"]
    assert "the model does not answer" in rows[-1]


def _panel_after(tmp_path: Path, **told: float) -> tuple[Feed, dict[str, object]]:
    folder = SessionFolder.create(tmp_path, datetime(2026, 11, 21, tzinfo=UTC))
    stamp = datetime.now(UTC).isoformat()
    one = {"probe": "api", "kind": "http", "t": stamp, "outcome": "data", "level": "green", "text": "UP", **told}
    folder.samples.write_text(json.dumps(one) + "\n")
    return Feed(folder, cast(Listener, MagicMock())), one


def test_a_panel_that_was_sampled_before_the_machine_started_anew_is_stale(tmp_path: Path) -> None:
    feed, one = _panel_after(tmp_path, m=time.monotonic_ns() + 10**15)
    feed.read()
    assert feed.panels["api"].stale_since_t == one["t"]


def test_panels_of_a_session_that_is_over_are_of_then(tmp_path: Path) -> None:
    feed, one = _panel_after(tmp_path, m=time.monotonic_ns())
    feed.read()
    assert feed.panels["api"].stale_since_t is None
    end = {"seq": 1, "t": one["t"], "m": 1, "boot": "b", "actor": "operator:kim", "kind": "session.ended", "data": {}}
    feed.folder.journal.write_text(json.dumps(end | {"data": {"session": "x", "counts": {}}}) + "\n")
    feed.read()
    feed.read()
    assert feed.panels["api"].stale_since_t == one["t"]
