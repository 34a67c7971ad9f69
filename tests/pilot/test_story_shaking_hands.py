"""What somebody trips on at three in the morning: held keys, pastes, the wrong keyboard, a window of a few rows."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from textual import events

from tests.pilot.conftest import Opens
from tests.pilot.story import Story

CHECKS = "# Checks\n\n- [ ] one\n- [ ] two\n- [ ] three\n- [ ] four\n"


async def _pastes(story: Story, text: str) -> None:
    story.app.post_message(events.Paste(text))
    await story.pilot.pause()


def _sends(story: Story, text: str) -> None:
    """What a terminal without bracketed paste sends: keys, and Enter for each line's end."""
    for letter in text:
        name = {"\n": "enter", " ": "space", ":": "colon"}.get(letter, letter)
        story.app.post_message(events.Key(name, "\r" if letter == "\n" else letter))


@pytest.mark.parametrize("key", ["enter", "space"])
async def test_a_held_key_ticks_one_check_and_no_more(opens: Opens, key: str) -> None:
    async with opens(CHECKS) as story:
        story.at_machine_speed().pauses()
        for _repeat in range(30):
            # As slowly as keyboards repeat.
            story.presses(key).pauses(0.09)
        await story.sees("1/4 steps")
        assert story.passed == 1
        await story.pauses().presses("enter").sees("2/4 steps")


async def test_a_held_key_that_a_loaded_machine_takes_slowly_ticks_one_check_too(opens: Opens) -> None:
    async with opens(CHECKS) as story:
        at_s = time.monotonic()
        for n in range(30):
            press = events.Key("space", " ")
            press.time = at_s + n * 0.03 - story.clock.ahead_s
            story.app.post_message(press)
            # The cockpit comes to it a second late.
            await story.sees("1/4 steps").pauses()
        assert story.passed == 1


async def test_a_key_that_was_on_its_way_when_the_cursor_moved_is_not_taken_for_the_next_step(
    opens: Opens, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    text = f"# Wait\n\n```bash\nuntil [ -f {gate} ]; do sleep 0.05; done\n```\n\n- [ ] it is well\n"

    async def open_gate() -> None:
        gate.touch()

    async with opens(text) as story:
        await story.presses("enter").sees("running").does(open_gate).sees("1/2 steps", "[2/2]")
        story.viewer.main.pace.moved_on()
        await story.pilot.press("enter")
        await story.sees("the cursor has just moved on to this step: press Enter once more")
        assert story.passed == 1
        await story.presses("enter").sees("2/2 steps")


async def test_lines_pasted_without_a_mark_run_nothing_and_tick_nothing(opens: Opens, tmp_path: Path) -> None:
    made = tmp_path / "made"
    text = f"# Doc\n\n- [ ] one\n\n```bash\ntouch {made}\n```\n\n```bash\nls\n```\n"
    async with opens(text) as story:
        # A terminal without bracketed paste sends a pasted line as keys, and its end as Enter.
        _sends(story, "xj\nkh\n")
        await story.sees("too fast to be meant")
        assert story.state.steps == {}
        assert not made.exists()


@pytest.mark.parametrize(("key", "title"), [("n", "Note"), ("s", "Skip: why?"), ("colon", "Commands and sections")])
async def test_lines_sent_as_keys_into_a_dialog_are_not_taken(opens: Opens, key: str, title: str) -> None:
    async with opens(CHECKS) as story:
        await story.presses(key).sees(title)
        _sends(story, "end\n the\nsession\n")
        await story.sees("end thesession").presses("escape").sees_no(title)
        assert story.state.steps == {}
        assert story.state.notes == ()
        assert story.state.ended_t is None


@pytest.mark.parametrize(("key", "title"), [("n", "Note"), ("s", "Skip: why?"), ("slash", "Search")])
async def test_three_lines_pasted_into_a_field_are_all_there_to_see(opens: Opens, key: str, title: str) -> None:
    async with opens(CHECKS) as story:
        await story.presses(key).sees(title)
        await _pastes(story, "first  line\r  second\x1b[31m line\r\n\nthird\n")
        await story.sees("first  line second", "line third")
        assert "\x1b" not in story.screen
        await story.presses("escape").sees_no("first  line")
        assert story.state.steps == {}


async def test_a_pasted_line_end_takes_nothing_in_a_menu_and_edits_stay_lines(opens: Opens) -> None:
    async with opens("# Doc\n\n```bash\nls\n```\n") as story:
        await story.presses("colon").sees("Commands and sections")
        await _pastes(story, "end the\nsession\n")
        await story.sees("end the session").presses("escape").sees_no("Commands and sections")
        await story.presses("e").sees("Edit the command").presses("ctrl+end")
        await _pastes(story, "\necho two\necho three\n")
        await story.sees("echo two", "echo three").presses("escape").sees("[1/1]")
        assert story.state.runs == {}


@pytest.mark.parametrize(("key", "title"), [("n", "Note"), ("e", "Edit the command")])
async def test_a_frame_that_falls_between_a_dialogs_end_and_the_next_layout_is_painted(
    opens: Opens, key: str, title: str
) -> None:
    async with opens("# Doc\n\n```bash\nls\n```\n") as story:
        await story.presses(key).sees(title)
        screen = story.app.screen
        assert screen.focused is not None
        # It has to be painted anew, and where every widget stands is still as it was with the dialog.
        with story.app.batch_update():
            screen.focused.refresh()
            await screen.query_one("#dialog").remove()
            assert "[1/1]" in story.screen
        await story.sees_no(title)


async def test_a_paste_beside_any_field_does_nothing(opens: Opens) -> None:
    async with opens(CHECKS) as story:
        await _pastes(story, "q\ns\n\n\n")
        await story.sees("0/4 steps").sees_no("Skip: why?")
        assert story.state.steps == {}


async def test_a_paste_over_a_confirmation_says_neither_yes_nor_no(opens: Opens, tmp_path: Path) -> None:
    made = tmp_path / "made"
    async with opens(f"# Doc\n\n```bash\ntouch {made}\n```\n") as story:
        await story.presses("enter").sees("Run this?").pauses()
        await _pastes(story, "run\nyes\n\n")
        await story.sees("Run this?").presses("escape").sees("not run")
        assert not made.exists()


async def test_composed_hangul_is_told_from_keys(opens: Opens) -> None:
    async with opens(CHECKS) as story:
        await story.presses("부").sees("letters are composed to Hangul").presses("ㅓ").sees("[2/4]")
        assert story.cursor == 1


async def test_a_window_that_shrinks_to_nothing_and_grows_again_while_a_step_runs(opens: Opens, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    text = f"# Wait\n\n```bash\necho be''gun; until [ -f {gate} ]; do sleep 0.05; done\n```\n\n- [ ] then\n"

    async def open_gate() -> None:
        gate.touch()

    async with opens(text, size=(200, 50)) as story:
        await story.presses("enter").sees("begun", "running")
        for width, height in ((80, 24), (20, 5), (1, 1), (20, 5)):
            await story.pilot.resize_terminal(width, height)
            await story.pilot.pause()
        await story.sees("[1/2]", "echo")
        await story.presses("q").sees("Leave?", "> Leave").presses("escape").sees_no("Leave?")
        await story.presses("f").sees("begun").presses("escape")
        await story.does(open_gate).sees("1/2")
        await story.pilot.resize_terminal(200, 50)
        await story.sees("begun", "1/2 steps", "Timeline", "[OK]")
        assert story.passed == 1
