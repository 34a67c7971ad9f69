"""Commands below an `ssh` of the same block: asked about where they would run on a machine that nobody meant."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from cockpit.runbook.reading import parse
from cockpit.safety.permit import Mode, Rung
from cockpit.session.steps.drafting import draft

OPEN = "# R\n\n```bash\n# 1. 서버 접속\nssh ec2-user@your-server-ip\n\n# 2. 상태\nuptime\n```\n"
NAMED = OPEN.replace("your-server-ip", "db-1")


@pytest.mark.parametrize(
    ("document", "target", "values", "rung"),
    [
        (OPEN, "local", {}, Rung.CONFIRM),
        (OPEN, "backend", {}, Rung.NONE),
        (OPEN, "backend", {"your-server-ip": "10.0.0.9"}, Rung.CONFIRM),
        (NAMED, "backend", {}, Rung.CONFIRM),
    ],
)
def test_a_chosen_machine_is_the_one_that_the_document_leaves_open_and_no_other(
    document: str, target: str, values: Mapping[str, str], rung: Rung
) -> None:
    runbook = parse(document)
    (step,) = runbook.steps
    made = draft(
        runbook, step.id, part_id=step.parts[1].id, target=target, mode=Mode.LIVE, values=values, environment={}
    )

    assert (made.action.body.endswith("uptime"), made.inside is None, made.rung) == (True, False, rung)
