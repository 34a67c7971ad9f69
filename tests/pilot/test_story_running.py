"""Running steps: at once, asked for, typed for, stopped, in a terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from cockpit.session.record.event import Status
from screens.terminal_relay import RelayEnd
from tests.pilot.conftest import Opens

READ = "# Health\n\n## Look (2 min)\n\n```bash\necho he''llo\n```\n\nExpected: `hello`\n"


async def test_a_read_only_step_runs_at_once_and_is_ticked(opens: Opens) -> None:
    async with opens(READ) as story:
        await story.sees("[1/1] Look", "read-only").presses("enter").sees("[OK]", "hello", "1/1 steps")
        assert story.passed == 1


async def test_a_step_that_must_hold_several_times_says_how_far_it_is(opens: Opens) -> None:
    code = 'echo "seen-$((40+2)) UP"\n# expected: UP (3 times in a row, every 300 s)'
    async with opens(f"# Health\n\n```bash\n{code}\n```\n") as story:
        await story.sees("Enter: 3 runs, 300 s apart; all must hold").presses("enter").sees("running 2/3", "seen-42 UP")
        await story.presses("ctrl+c").sees("Ctrl-C again stops").presses("ctrl+c").sees("[^C]")
        assert story.state.runs[2].status is Status.CANCELLED
        assert 3 not in story.state.runs


async def test_a_letter_moves_nothing_in_the_world(opens: Opens, tmp_path: Path) -> None:
    made = tmp_path / "made"
    async with opens(f"# Change\n\n```bash\ntouch {made}\n```\n") as story:
        for letter in "abcdefghijklmnoprtuvwxyzABCDEFGHIJKLMNOPSTUVWXYZ":
            await story.presses(letter).presses("escape").presses("escape")
        assert not made.exists()
        assert story.state.runs == {}


async def test_missing_inputs_are_asked_for_and_remembered(opens: Opens) -> None:
    text = "# Ask\n\n```bash\necho to <pod-name>\n```\n\n```bash\necho again <pod-name>\n```\n"
    async with opens(text) as story:
        await story.sees("to fill first").presses("enter").sees("Inputs, asked once").types("web-1").presses("enter")
        await story.sees("[OK]", "to web-1").presses("enter").sees("again web-1")
        assert list(story.state.inputs.values()) == ["web-1"]


async def test_a_secret_is_never_on_the_screen(opens: Opens) -> None:
    async with opens('# Ask\n\n```bash\nprintf "$API_TOKEN" | wc -c\n```\n') as story:
        await story.sees("to fill first").presses("enter").sees("API_TOKEN").types("hunter2").presses("enter")
        await story.finds(lambda state: bool(state.inputs), "input").sees("7")
        assert "hunter2" not in story.screen
        assert "hunter2" not in story.folder.journal.read_text()


async def test_what_is_typed_into_the_inputs_fills_the_one_that_is_missing(opens: Opens) -> None:
    inputs = "---\ninputs:\n  PLACE:\n    default: /srv\n  VERSION: {}\n---\n"
    async with opens(f"{inputs}# Doc\n\n```bash\necho at $PLACE $VERSION\n```\n") as story:
        await story.sees("to fill first: VERSION").presses("i").sees("Inputs, asked once").types("v7").presses("enter")
        await story.sees("with PLACE = /srv   VERSION = v7")
        assert story.state.inputs["PLACE"] == "/srv"


async def test_ctrl_c_tells_once_stops_twice_and_never_leaves(opens: Opens) -> None:
    async with opens("# Long\n\n```bash\nsleep 1000\n```\n") as story:
        await story.presses("ctrl+c").sees("nothing is running")
        await story.presses("enter").sees("running").presses("ctrl+c").sees("Ctrl-C again stops: sleep 1000")
        assert story.state.runs[1].status is Status.RUNNING
        await story.presses("ctrl+c").sees("cancelled", "[^C]")


async def test_one_command_of_a_block_is_skipped_and_the_next_one_is_reached(opens: Opens) -> None:
    block = "# Doc\n\n```bash\n# First\necho one\n\n# Second\necho two\n```\n"
    async with opens(block) as story:
        await story.presses("j", "s").sees("Skip: why?").types("known").pauses().presses("enter")
        await story.sees("[ -]", "Doc - Second", "0/1 steps").presses("enter").sees("1/1 steps")
        await story.finds(lambda state: [step.status for step in state.steps.values()] == [Status.PASSED])
        await story.presses("k").sees("Doc - First", "known")
        assert story.passed == 1


async def test_a_block_is_run_command_by_command(opens: Opens) -> None:
    text = "# Block\n\n```bash\n# 1. first\necho o''ne\n\n# 2. second\necho t''wo\n```\n"
    async with opens(text) as story:
        await story.sees("2 commands").presses("enter").sees("1. first").presses("enter").sees("one", "[OK]")
        await story.presses("enter").sees("two").finds(lambda state: list(state.runs) == [1, 2], "two runs")
        assert [run.intent["part"].rsplit(".")[-1] for run in story.state.runs.values()] == ["1", "2"]


async def test_an_edited_command_runs_with_its_difference_on_record(opens: Opens) -> None:
    async with opens(READ) as story:
        await story.presses("e").sees("Edit the command").presses("ctrl+end").types(" edited").presses("ctrl+s")
        await story.sees("hello edited")
        assert story.state.runs[1].intent["original"].strip() == "echo he''llo"


async def test_a_person_answers_what_a_machine_cannot(opens: Opens) -> None:
    text = "# Look\n\n```bash\necho al''l\n# expected: the list looks complete\n```\n"
    async with opens(text) as story:
        await story.presses("enter").sees("your answer?", "??").presses("v").sees("Does the output show this?")
        await story.presses("right").presses("enter").sees("[OK]", "passed")
        assert story.passed == 1


async def test_read_only_refuses_and_says_what_to_do(opens: Opens, tmp_path: Path) -> None:
    made = tmp_path / "made"
    async with opens(f"# Change\n\n```bash\ntouch {made}\n```\n", mode="read-only") as story:
        await story.sees("[READ-ONLY enforced by this tool only]").presses("enter").sees("not provably read-only")
        assert not made.exists()


async def test_an_interactive_step_gets_the_terminal(opens: Opens) -> None:
    lent: list[Path] = []

    def lend(run: Path, _offset: int) -> RelayEnd:
        lent.append(run)
        return RelayEnd.LEFT

    async with opens("# Shell\n\n```bash\nvi /dev/null\n```\n", foreground=lend) as story:
        await story.presses("enter").sees("Run this?").confirms().sees("left the terminal")
        assert lent == [story.folder.run(1)]
        await story.presses("ctrl+c").sees("again").presses("ctrl+c").sees("cancelled")


async def test_the_cursor_goes_on_after_a_pass_and_stays_after_a_failure(opens: Opens) -> None:
    async with opens("# Two\n\n```bash\nfalse\n```\n\n```bash\necho ne''xt\n```\n") as story:
        await story.presses("enter").sees("failed").sees("[1/2]")
        await story.presses("j").sees("[2/2]").presses("enter").sees("next", "[OK]")
        assert story.viewer.view.cursor == 1


async def test_after_a_run_the_guide_has_the_keys_again(opens: Opens, tmp_path: Path) -> None:
    text = f"# Two\n\n```bash\ntouch {tmp_path}/a\n```\n\n```bash\ntouch {tmp_path}/b\n```\n"
    async with opens(text, size=(80, 24)) as story:
        await story.presses("enter").confirms().sees("1/2 steps")
        await story.presses("enter").confirms().sees("2/2 steps")
        await story.presses("up").presses("enter").confirms().finds(lambda state: len(state.runs) == 3, "third run")
        await story.sees_no("Run this?").sees("Enter run")
        assert story.viewer.view.active == "guide"
        await story.presses("s").sees("Skip: why?")


async def test_what_is_told_of_a_run_goes_with_it(opens: Opens, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    gate.mkdir()
    text = f"# Wait\n\n```bash\nuntil [ -f {gate}/open ]; do sleep 0.05; done\n```\n\n- [ ] then\n"

    async def opened() -> None:
        (gate / "open").touch()

    async with opens(text) as story:
        await story.presses("enter").sees("running").presses("enter").sees("it is running; Ctrl-C twice stops it")
        await story.does(opened).sees("1/2 steps").sees_no("it is running")
        assert story.passed == 1


async def test_a_notice_goes_by_itself_after_a_while(opens: Opens) -> None:
    async with opens(READ) as story:
        await story.presses("x", "l").sees("no logs are followed").pauses(5).sees("no logs are followed")
        await story.pauses(6).sees_no("no logs are followed")
        assert story.viewer.view.notice[0] == ""


async def test_the_timeline_tells_commands_rather_than_their_comments(opens: Opens) -> None:
    async with opens("# Look\n\n```bash\n# First, look closely\necho he''llo\n```\n", size=(170, 40)) as story:
        await story.presses("enter").sees("[OK]", "$ echo he''llo").sees_no("$ # First")
        assert story.passed == 1


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_what_changed_beneath_a_dialog_is_there_when_it_closes(
    opens: Opens, tmp_path: Path, size: tuple[int, int]
) -> None:
    gate = tmp_path / "gate"
    text = f"# Wait\n\n```bash\nuntil [ -f {gate} ]; do sleep 0.05; done; echo at la''st\n```\n\n- [ ] it is well\n"

    async def open_gate() -> None:
        gate.touch()

    async with opens(text, size=size) as story:
        await story.presses("enter").sees("running").presses("question_mark").sees("Keys")
        await story.does(open_gate).finds(lambda state: not state.running, "end").pauses()
        await story.presses("escape").sees("[OK]", "at last", "1/2 steps", "[2/2]").sees_no("running")
        assert story.cursor == 1
