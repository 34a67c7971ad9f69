"""The way back from a step: found where the author names one for it, and nowhere else."""

from __future__ import annotations

import pytest

from cockpit.runbook.model import StepKind
from cockpit.runbook.reading import parse

CHANGE = "```bash\nhelm upgrade api ./api\n```\n"


def undone(text: str) -> list[str]:
    return [step.undo for step in parse(f"# t\n\n{text}").steps if step.kind is StepKind.COMMAND]


@pytest.mark.parametrize(
    "comment",
    [
        "# undo: helm rollback api",
        "# Rollback: helm rollback api",
        "# roll back with: `helm rollback api`",
        "# 되돌리기: helm rollback api",
        "# 롤백: helm rollback api",
        "# 롤백 명령: helm rollback api",
        "# 回滚: helm rollback api",
    ],
)
def test_a_comment_at_the_command_names_it(comment: str) -> None:
    assert undone(f"```bash\nhelm upgrade api ./api\n{comment}\n```\n") == ["helm rollback api"]
    assert undone(f"```bash\n{comment}\nhelm upgrade api ./api\n```\n") == ["helm rollback api"]


@pytest.mark.parametrize(
    "line",
    [
        "Rollback: `helm rollback api`",
        "**되돌리기**: `helm rollback api`",
        "- undo: `helm rollback api`",
        "- 롤백: helm rollback api",
        "To undo this: `helm rollback api`",
    ],
)
def test_a_line_below_the_command_names_it(line: str) -> None:
    assert undone(f"{CHANGE}\n{line}\n")[0] == "helm rollback api"


@pytest.mark.parametrize("lead", ["Rollback:", "**되돌리기:**", "To undo:", "롤백 방법:"])
def test_a_block_led_by_the_word_is_the_way_back_and_a_step_of_its_own(lead: str) -> None:
    assert undone(f"{CHANGE}\n{lead}\n\n```bash\nhelm rollback api\n```\n") == ["helm rollback api", ""]


@pytest.mark.parametrize("heading", ["### Rollback", "### 되돌리기", "### How to undo"])
def test_a_section_below_the_only_command_is_the_way_back(heading: str) -> None:
    assert undone(f"## Deploy\n\n{CHANGE}\n{heading}\n\n```bash\nhelm rollback api\n```\n") == ["helm rollback api", ""]


def test_a_typed_fence_names_its_rollback() -> None:
    text = '```step name="a" rollback="b"\nmake deploy\n```\n\n```rollback name="b"\nmake revert\n```\n'
    assert undone(text) == ["make revert", ""]


def test_a_block_is_undone_from_its_end() -> None:
    code = "scale up\nkubectl scale deploy/a --replicas=3\n# undo: kubectl scale deploy/a --replicas=1\n\n"
    code += "kubectl rollout restart deploy/a\n# undo: kubectl rollout undo deploy/a\n"
    step = parse(f"# t\n\n```bash\n# {code}```\n").steps[0]
    assert [part.undo for part in step.parts] == [
        "kubectl scale deploy/a --replicas=1",
        "kubectl rollout undo deploy/a",
    ]
    assert step.undo == "kubectl rollout undo deploy/a\nkubectl scale deploy/a --replicas=1"


@pytest.mark.parametrize(
    "text",
    [
        "```bash\n# 롤백: 이전 버전으로 되돌린다\nhelm rollback api\n```\n",
        "```bash\n# Rollback to the previous version\nhelm rollback api\n```\n",
        "```bash\nhelm upgrade api ./api\n# rollback: ask the database team first\n```\n",
        f"{CHANGE}\nRollback is decided by the lead.\n",
        f"## Deploy\n\n{CHANGE}\n{CHANGE}\n{CHANGE}\n### Rollback\n\n```bash\nhelm rollback api\n```\n",
        f"## Deploy\n\n{CHANGE}\n## Rollback\n\n```bash\nhelm rollback api\n```\n",
        f"## Deploy\n\n{CHANGE}\nSee.\n\nThen.\n\nWait.\n\nRollback: `helm rollback api`\n",
    ],
)
def test_nothing_else_is_taken_for_one(text: str) -> None:
    assert not any(undone(text))
