"""Inline code that is a paragraph by itself: a step where it is asked for, and else only words."""

from __future__ import annotations

import pytest

from cockpit.runbook.model import StepKind
from cockpit.runbook.reading import parse


@pytest.mark.parametrize(
    "text",
    [
        "## Fix\n\n`pm2 restart x`\n",
        "## Service X\n\nRestart it:\n\n`pm2 restart x`\n",
        "## 조치\n\n다시 시작합니다.\n\n`$ pm2 restart x`\n\n그 뒤를 봅니다.\n",
    ],
)
def test_a_paragraph_that_is_one_command_is_a_step_where_it_is_asked_for(text: str) -> None:
    assert [step.code for step in parse(text).steps if step.kind is StepKind.COMMAND] == ["pm2 restart x"]


@pytest.mark.parametrize(
    "text",
    [
        "## Service X\n\nIt was started with\n\n`pm2 start x`\n",
        "## Fix\n\nCall `pm2 restart x` where it helps.\n",
        "## Fix\n\n**`pm2 restart x`**\n\nThis restarts it.\n",
        "## Fix\n\n> `pm2 restart x`\n",
        "## Fix\n\nNever do this:\n\n`rm -rf /srv/app`\n",
        "## Overview\n\nUsage:\n\n`pm2 restart x`\n",
        "## Fix\n\n`application.log`\n",
        "## Fix\n\n`Connection refused: no route`\n",
    ],
)
def test_a_command_that_is_only_spoken_of_is_no_step(text: str) -> None:
    assert not [step.code for step in parse(text).steps if step.kind is StepKind.COMMAND]


def test_a_command_above_its_own_block_is_one_step() -> None:
    assert len(parse("## Fix\n\n`kubectl get pods`\n\n```bash\nkubectl get pods\n```\n").steps) == 1
