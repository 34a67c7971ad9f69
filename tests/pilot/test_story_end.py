"""What a viewer is told when there is nothing more to do, and what is not offered to who can't do it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from rich.cells import cell_len

from tests.pilot.conftest import Opens
from tests.pilot.recording import record
from tests.pilot.story import Story

DOC = "# Doc\n\n## Look\n\n```bash\necho he''llo\n```\n\n- [ ] a check\n"
CHANGING = ("run the step", "skip the step", "write a note", "end the session", "edit the command", "where steps run")


def _footer(story: Story) -> str:
    return story.screen.split("\n")[-1]


async def _offers_nothing_that_changes(story: Story) -> None:
    for word in (" run", " edit", " note", " skip", " it holds"):
        assert word not in _footer(story)
    for key in ("question_mark", "colon"):
        await story.presses(key).sees("next theme" if key == "colon" else "show the keys")
        for told in CHANGING:
            assert told not in story.screen, (key, told)
        await story.presses("escape").sees_no("show the keys")


@pytest.mark.parametrize("size", [(80, 24), (200, 60)])
async def test_an_end_by_somebody_else_is_told_on_the_screen(opens: Opens, size: tuple[int, int]) -> None:
    async with opens(DOC, size=size) as story:

        async def end() -> None:
            await story.viewer.feed.call("end", reason="all is well")

        await story.does(end).sees("THE SESSION IS OVER: ended by", "all is well", "q leaves", "next: `cockpit report")
        await story.presses("enter").sees("the session is over: nothing can be done in it any more")
        await story.sees_no("HOST LOST")
        if size[1] > 50:
            await _offers_nothing_that_changes(story)
        await story.presses("q")
        assert story.app.return_value == 0


async def test_a_dialog_that_is_answered_after_the_end_says_so(opens: Opens) -> None:
    async with opens(DOC) as story:

        async def end() -> None:
            await story.viewer.feed.call("end", reason="")

        await story.presses("n").sees("Note").types("too late").does(end).sees("THE SESSION IS OVER")
        await story.presses("enter").sees("the session is over: nothing can be done")
        assert story.state.notes == ()


async def test_the_hosts_own_end_is_told_with_its_reason(opens: Opens) -> None:
    async with opens(DOC, host=False) as story:
        ended = (9.0, "session.ended", {"session": "x", "counts": {}, "reason": "nobody came back"})
        text = record(story.folder.path / "made", DOC, [ended]).journal.read_text()

        async def end() -> None:
            story.folder.journal.write_text(text.replace('"operator:kim"', '"host"'))

        await story.does(end).sees("ended by its host", "nobody came back")
        assert story.state.ended_t is not None


async def test_a_spectator_is_offered_what_looks_and_nothing_else(opens: Opens) -> None:
    async with opens(DOC, spectator=True, size=(200, 60)) as story:
        await story.sees("SPECTATOR")
        await _offers_nothing_that_changes(story)
        await story.presses("j").sees("[2/2]")
        assert story.cursor == 1


async def test_a_spectator_of_a_lost_host_is_told_who_can_start_it(opens: Opens) -> None:
    async with opens(DOC, spectator=True) as story:
        await story.does(_stopped(story)).sees("HOST LOST: running steps go on", "`cockpit attach` starts it again")
        assert "R starts it again" not in story.screen


async def test_the_way_back_from_a_lost_host_stays_on_a_narrow_screen(opens: Opens) -> None:
    async def revive() -> None:
        """Not in this story."""

    async with opens(DOC, size=(80, 24), revive=revive) as story:
        await story.does(_stopped(story)).sees("HOST LOST", "R starts it again")
        assert all(cell_len(row) <= 80 for row in story.screen.split("\n"))


async def test_a_host_that_could_not_come_up_says_what_where_and_how_to_mend_it(opens: Opens) -> None:
    async with opens(DOC, size=(120, 24)) as story:
        word = {"what": "no adapter is called helmm", "where": "cockpit.toml: target.x", "mend": "did you mean helm?"}
        (story.folder.path / "host.error").write_text(json.dumps(word))

        await story.does(_stopped(story))

        await story.sees("NO HOST: no adapter is called helmm · cockpit.toml: target.x · did you mean helm?")
        assert "HOST LOST" not in story.screen


def _stopped(story: Story) -> Callable[[], Awaitable[None]]:
    async def stop() -> None:
        assert story.host is not None
        story.host.cancel()
        await asyncio.gather(story.host, return_exceptions=True)

    return stop


async def test_a_step_that_is_refused_is_not_offered_to_be_run(opens: Opens, tmp_path: Path) -> None:
    text = f"# Doc\n\n```bash\ntouch {tmp_path}/made\n```\n\n```bash\nuptime\n```\n"
    async with opens(text, mode="read-only", size=(100, 60)) as story:
        await story.sees("not provably read-only")
        assert " run" not in _footer(story)
        assert "v done by hand" in _footer(story)
        await story.presses("colon").sees("edit the command")
        assert "run the step" not in story.screen
        await story.presses("escape", "j").sees("[2/2]", "Enter run")
