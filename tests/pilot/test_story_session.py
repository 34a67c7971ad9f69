"""The screen beside the host: not there yet, gone, back; several viewers; every size."""

from __future__ import annotations

import asyncio

import pytest

from cockpit.commands.host import serve
from screens.app import CockpitApp
from tests.pilot.conftest import Opens
from tests.pilot.story import Story

READ = "# Health\n\n## Look (2 min)\n\n```bash\necho he''llo\n```\n\n- [ ] and a check\n"


async def test_the_document_shows_before_any_host(opens: Opens) -> None:
    async with opens(READ, host=False) as story:
        await story.sees("Look (2 min)", "connecting", "echo he''llo").presses("enter").sees("no line to the host")
        await story.presses("j").sees("[2/2]")
        assert story.state.runs == {}


async def test_a_lost_host_is_loud_and_comes_back(opens: Opens) -> None:
    started: list[asyncio.Task[None]] = []

    async def revive() -> None:
        started.append(asyncio.create_task(serve(story.folder, {})))

    async with opens(READ, revive=revive) as story:
        await story.presses("enter").sees("[OK]")
        assert story.host is not None
        story.host.cancel()
        await asyncio.gather(story.host, return_exceptions=True)
        await story.sees("HOST LOST", "hello").presses("enter").sees("no line to the host")
        await story.presses("R").sees_no("HOST LOST").presses("enter").sees("2/2 steps")
        started[0].cancel()
        await asyncio.gather(*started, return_exceptions=True)


async def test_two_viewers_see_the_same(opens: Opens) -> None:
    async with opens(READ) as story:
        second = CockpitApp(story.folder, story.folder.runbook, clock=story.clock, spectator=True)
        async with second.run_test(size=(80, 24)) as pilot:
            other = Story(second, pilot, story.clock, story.folder)
            await second.ready.wait()
            await other.sees("SPECTATOR")
            await story.presses("enter").sees("[OK]")
            await other.sees("[OK]", "hello", "1/2 steps").presses("enter").sees("a spectator only reads")
            assert list(story.state.runs) == [1]


@pytest.mark.parametrize("size", [(20, 5), (40, 12), (60, 20), (80, 24), (120, 40), (200, 50), (400, 120)])
async def test_every_size_shows_the_mode_and_the_step(opens: Opens, size: tuple[int, int]) -> None:
    async with opens(READ, size=size) as story:
        await story.sees("[READ-WRITE]").presses("tab", "tab", "tab", "tab", "escape")
        if size[1] >= 12:
            await (
                story.sees("[1/2]", "echo")
                .presses("enter", "f")
                .sees("hello")
                .presses("escape", "question_mark")
                .sees("Keys")
            )
        assert "[READ-WRITE]" in story.screen


async def test_a_size_that_changes_changes_the_columns(opens: Opens) -> None:
    async with opens(READ, size=(80, 24)) as story:
        await story.sees("Runbook").sees_no("Timeline")
        await story.pilot.resize_terminal(200, 50)
        await story.sees("Timeline", "Steps  0/2", "Live")
        await story.pilot.resize_terminal(80, 24)
        await story.sees_no("Timeline").presses("tab").sees("Steps  0/2")
        assert "Timeline" not in story.screen


async def test_only_the_host_may_be_told_by_one_who_is_not_a_spectator(opens: Opens) -> None:
    async with opens(READ, spectator=True) as story:
        await story.sees("SPECTATOR").presses("n").sees("a spectator only reads").presses("q")
        assert story.app.return_value == 0
