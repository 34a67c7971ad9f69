"""What is said rather than run: ticks, decisions, messages, notes; and finding one's way."""

from __future__ import annotations

from cockpit.session.record.event import Status
from tests.pilot.conftest import Opens

CHECKS = "# Checks\n\n- [ ] health is fine\n- [ ] no errors\n"
WAYS = """# Ways

## Judge

- [ ] health fails
- [ ] errors in the log

**one or more of these: go to [Rollback](#rollback)**

## Watch

- [ ] still slow

## Rollback

```bash
echo ba''ck
```
"""
MESSAGE = """# Tell

**Post in #incidents:**

```
[P0] down since [time now]
We roll back. Next update in 10 minutes.
```
"""


async def test_a_check_is_ticked_and_taken_back(opens: Opens) -> None:
    async with opens(CHECKS) as story:
        await story.presses("enter").sees("[OK]", "1/2 steps").presses("k").presses("space").sees("0/2 steps")
        assert story.passed == 0


async def test_a_check_that_does_not_hold(opens: Opens) -> None:
    async with opens(CHECKS) as story:
        await story.presses("v").sees("Does it hold?").presses("right", "right", "enter").sees("[ x]", "failed")
        assert [step.status for step in story.state.steps.values()] == [Status.FAILED]


async def test_a_decision_shows_its_items_and_jumps(opens: Opens) -> None:
    async with opens(WAYS) as story:
        await story.presses("enter").sees("1 of 2 must hold").presses("space").sees("[yes] health fails")
        await story.sees("the runbook says so: 1 hold")
        await story.presses("down", "down").presses("enter").sees("[3/3] Rollback")
        step = story.state.step(story.viewer.view.rows[0].step.id)
        assert (step.status, dict(step.answers)) == (Status.PASSED, {"health fails": True})


async def test_wide_characters_of_a_dialog_are_whole_above_any_column(opens: Opens) -> None:
    item = "가나다라마바사아자차카타파하" * 2
    text = f"# Wide\n\n- [ ] {item}\n- [ ] a{item}\n\n**any of these → [Rollback](#rollback)**\n\n## Rollback\n\ntext\n"
    async with opens(text, size=(200, 50)) as story:
        await story.presses("enter").sees("1 of 2 must hold", f"[   ] {item}", f"[   ] a{item}")
        assert story.state.steps == {}


async def test_a_message_is_filled_copied_and_marked_as_sent(opens: Opens) -> None:
    async with opens(MESSAGE) as story:
        await story.presses("enter").sees("[P0] down since [time now]", "still to fill: [time now]").presses("enter")
        await story.sees("Inputs").types("15:07").presses("enter").sees("down since 15:07")
        await story.presses("enter").sees("copied", "down since 15:07")
        assert story.app.clipboard == "[P0] down since 15:07\nWe roll back. Next update in 10 minutes."
        await story.presses("right", "right", "enter").sees("[OK]", "1/1 steps")


async def test_skipping_takes_a_reason(opens: Opens) -> None:
    async with opens(CHECKS) as story:
        await story.presses("s").sees("Skip: why?").presses("enter").sees("is missing")
        await story.types("not ours").presses("enter").sees("[ -]")
        assert story.state.step(story.viewer.view.rows[0].step.id).reason == "not ours"


async def test_a_note_is_kept(opens: Opens) -> None:
    async with opens(CHECKS, size=(200, 50)) as story:
        await story.presses("n").sees("Note").types("db team called").presses("enter").sees("db team called")
        assert [note.text for note in story.state.notes] == ["db team called"]


async def test_search_palette_and_help(opens: Opens) -> None:
    async with opens(WAYS, size=(80, 24)) as story:
        await story.presses("slash").sees("Search").types("still slow").presses("enter").sees("[2/3]", "F3")
        await story.presses("colon").sees("Commands and sections").types("rollb").presses("enter").sees("[3/3]")
        await story.presses("question_mark").sees("Keys", "Space").presses("pagedown", "pagedown").sees("Ctrl-C")
        await story.presses("escape").sees_no("Ctrl-C")
        assert story.cursor == 2


async def test_a_korean_keyboard_does_the_same(opens: Opens) -> None:
    async with opens(CHECKS) as story:
        await story.presses("ㅓ").sees("[2/2]").presses("ㅏ").sees("[1/2]").presses("ㅜ").sees("Note")
        assert story.cursor == 0


async def test_leaving_lets_the_session_go_on(opens: Opens) -> None:
    async with opens(CHECKS) as story:
        await story.presses("q").sees("Leave?", "cockpit attach").presses("down", "down", "enter").sees_no("Leave?")
        await story.presses("ㅂ").sees("Leave?").presses("enter")
        assert story.app.return_value == 0
        assert story.state.ended_t is None


async def test_ending_the_session_is_another_choice(opens: Opens) -> None:
    async with opens(CHECKS) as story:
        await story.presses("q").sees("Leave?").presses("down", "enter").sees("how did it end?").types("fixed")
        await story.presses("enter").finds(lambda state: state.ended_t is not None, "end")
        assert story.app.return_value == 0


async def test_severity_and_mode_are_set_and_shown(opens: Opens) -> None:
    async with opens(CHECKS) as story:
        await story.presses("colon").types("severity").presses("enter").sees("Severity").presses("enter")
        await story.sees("why?").types("all down").presses("enter").sees(" P0 ")
        await story.presses("colon").types("read-only").presses("enter").sees("Mode").presses("down", "enter")
        await story.sees("[READ-ONLY")
        assert (story.state.severity, story.state.mode) == ("P0", "read-only")
