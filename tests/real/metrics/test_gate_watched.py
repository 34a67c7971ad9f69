"""A canary gate from Enter to its proposal, over a real Prometheus and a whole host."""

from __future__ import annotations

from pathlib import Path

import pytest

from cockpit.errors import UsageError
from cockpit.session.host.host import Host
from cockpit.session.record.event import Status
from cockpit.session.record.opening import open_session
from cockpit.session.record.settings import SessionSettings
from tests.servers.prometheus import prometheus_server
from tests.waiting import until

pytestmark = pytest.mark.real
DOCUMENT = b"""# Canary

```yaml
canary_success_criteria:
  error_rate_max: 0.01
  duration_seconds: 1
```

```yaml
promotion_criteria:
  feedback_min: 4
```
"""
CONFIG = """
[[probe]]
name = "canary"
kind = "prometheus"
url = "{url}"
interval_s = 1
deadline_s = 20
[probe.queries]
error_rate = "share"
"""


async def test_a_gate_is_watched_and_proposed_and_a_person_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COCKPIT_STATE_DIR", str(tmp_path / "state"))
    with prometheus_server("share 0.001\n") as server:
        (tmp_path / "cockpit.toml").write_text(CONFIG.format(url=server.url))
        settings = SessionSettings(runbook_path="canary.md", config_path=str(tmp_path / "cockpit.toml"), mode="live")
        host = Host(open_session(settings, DOCUMENT))
        await host.begin()
        await host.watch()
        gate, other = (step.id for step in host.runbook.steps)

        with pytest.raises(UsageError, match="no configured metric"):
            host.watch_gate(other, "operator:kim")
        host.watch_gate(gate, "operator:kim")
        await until(lambda: host.engine.state.gates[gate]["phase"] == "held", "the gate holds")
        assert host.engine.state.step(gate).status is Status.TODO

        server.page.text = "share 0.2\n"
        await until(lambda: server.query("share")[0]["value"][1] == "0.2", "the bad value is scraped")
        host.watch_gate(gate, "operator:kim")
        await until(lambda: host.engine.state.gates[gate]["phase"] == "broken", "the gate is broken")

        said = host.engine.state.gates[gate]["criteria"][0]
        assert (said["held"], said["seen"], said["in_a_row"]) == (False, "0.2", 3)
        host.engine.tick(gate, False, "as proposed", "operator:kim")
        assert host.engine.state.step(gate).status is Status.FAILED
        host.end("", "host")
        await host.close()
