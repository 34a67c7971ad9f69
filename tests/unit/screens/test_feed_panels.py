"""What a viewer makes of panel.json and the samples."""

from __future__ import annotations

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
