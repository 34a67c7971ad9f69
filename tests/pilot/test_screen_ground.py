"""What the screen always says of where it stands: production, training, read-only and who enforces it."""

from __future__ import annotations

import pytest

from cockpit.adapters.base import Enforcement
from cockpit.adapters.local import LocalAdapter
from cockpit.errors import CockpitError, TargetUnreachable
from cockpit.session.host import ground, host
from cockpit.session.host.footing import Weakness
from screens.panes.frame import Edge
from tests.pilot.conftest import Opens
from tests.pilot.story import Story

PLAIN = "# Change\n\n```bash\ntouch ./made\n```\n"
PRODUCTION = f"---\ncockpit:\n  cockpit: {{environment: production}}\n---\n{PLAIN}"


def edges(story: Story) -> list[str]:
    """The styles of the left side of the screen, row by row; [] without a frame."""
    left = next(iter(story.viewer.main.query(Edge)))
    if not left.display:
        return []
    return [left.row_at(row).spans[0][1] if left.row_at(row).spans else "" for row in range(left.count())]


@pytest.mark.parametrize("size", [(80, 24), (200, 50), (40, 12)])
async def test_production_says_so_in_a_solid_frame(opens: Opens, size: tuple[int, int]) -> None:
    async with opens(PRODUCTION, size=size) as story:
        await story.sees("production")
        assert edges(story) == ["header-live"] * size[1]
        await story.presses("enter").sees("Run this?")
        dialog = story.viewer.main.dialog
        assert dialog is not None
        assert (dialog.region.x, dialog.region.right) == (1, size[0] - 1)


async def test_a_rehearsal_says_training_in_a_dashed_frame_everywhere(opens: Opens) -> None:
    text = PLAIN + "\n## Tell\n\n```text\n[공지] 장애가 발생했습니다. 담당자: 김하나\n```\n"
    async with opens(text, mode="rehearsal") as story:
        await story.sees("[TRAINING]")
        assert edges(story)[:4] == ["header-rehearsal", "", "header-rehearsal", ""]
        await story.presses("enter").sees("Run this?", "[TRAINING]").presses("escape")
        await story.presses("j", "enter").sees("[TRAINING] [공지]").presses("escape")
        await story.presses("colon").sees("[TRAINING]").presses("escape").presses("question_mark").sees("[TRAINING]")


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_a_trainee_reads_what_happened_until_the_first_step(opens: Opens, size: tuple[int, int]) -> None:
    brief = "5xx above half of all requests since the deployment two minutes ago. You are on call: bring it back."
    async with opens("# R\n\n```bash\ntrue\n```\n", mode="rehearsal", brief=brief, size=size) as story:
        await story.sees("5xx above half of all requests").sees("bring it back.")
        await story.presses("enter").sees("1/1 steps").sees_no("5xx above half")


async def test_the_key_bar_names_the_keys_that_go_through_a_list(opens: Opens) -> None:
    async with opens(PLAIN) as story:
        await story.presses("enter").sees("Run this?", "<- -> choose").presses("escape")
        await story.presses("q").sees("Leave?", "↑ ↓ choose").sees_no("<- ->").presses("escape")


async def test_elsewhere_there_is_no_frame(opens: Opens) -> None:
    async with opens(PLAIN) as story:
        await story.sees("[READ-WRITE]")
        assert edges(story) == []


class Guarded(LocalAdapter):
    """This machine, behind something that can be asked."""

    def __init__(self, found: Enforcement | CockpitError) -> None:
        super().__init__()
        self.found = found

    async def enforcement(self) -> Enforcement:
        if isinstance(self.found, CockpitError):
            raise self.found
        return self.found


TOOL = Enforcement("tool", "the role owns tables")
SERVER = Enforcement("server", "the role may only read")


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ({"local": TOOL}, ("[READ-ONLY enforced by this tool only]", "the role owns tables")),
        ({"local": SERVER}, ("[READ-ONLY enforced by the server]", "the role may only read")),
        (
            {"local": TOOL, "db": SERVER},
            ("[READ-ONLY enforced in part by this tool only]", "by the server, the role"),
        ),
        (
            {"local": TargetUnreachable("no route to host")},
            ("[READ-ONLY enforced by this tool only]", "no route to host"),
        ),
    ],
)
async def test_read_only_says_who_enforces_it(
    opens: Opens,
    monkeypatch: pytest.MonkeyPatch,
    found: dict[str, Enforcement | CockpitError],
    words: tuple[str, str],
) -> None:
    targets = {name: Guarded(answer) for name, answer in found.items()}
    monkeypatch.setattr(host, "targets_of", lambda *_given, **_also: targets)
    async with opens(PLAIN, mode="read-only", size=(250, 40)) as story:
        await story.sees(words[0]).presses("t").sees(*words)
        assert story.state.enforcement.keys() == found.keys()


async def test_who_enforces_is_asked_when_read_only_is_entered_later(opens: Opens) -> None:
    async with opens(PLAIN) as story:
        await story.sees("[READ-WRITE]")
        assert not story.state.enforcement
        await story.does(lambda: story.viewer.feed.call("set_mode", mode="read-only"))
        await story.sees("[READ-ONLY enforced by this tool only]")


async def test_a_narrow_screen_keeps_the_clock_before_the_long_word(opens: Opens) -> None:
    async with opens(PRODUCTION, mode="read-only", size=(50, 24)) as story:
        await story.finds(lambda state: bool(state.enforcement)).sees("[READ-ONLY]", "00:0")
        assert "enforced" not in story.screen


async def test_weak_ground_is_told_at_once(opens: Opens, monkeypatch: pytest.MonkeyPatch) -> None:
    weak = Weakness("logind", "this machine kills what is left running", "loginctl enable-linger")
    monkeypatch.setattr(ground, "weaknesses", lambda _folder: [weak])
    async with opens(PLAIN, size=(170, 40)) as story:
        await story.sees("this machine kills what is left running", "loginctl enable-linger")
        assert story.state.runs == {}
