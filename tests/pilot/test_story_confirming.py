"""Confirming: what is shown before anything changes, and all the ways in which it is not said yes to."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual import events

from cockpit import words
from cockpit.safety.permit import Rung
from cockpit.session.line.client import HostClient
from cockpit.session.record.event import Status
from tests.pilot.conftest import Opens
from tests.pilot.story import Story
from tests.waiting import until


def change(made: Path) -> str:
    return f"# Change\n\n```bash\ntouch {made}\n```\n"


async def test_a_change_asks_first_and_enter_alone_never_says_yes(opens: Opens, tmp_path: Path) -> None:
    made = tmp_path / "made"
    async with opens(change(made)) as story:
        await story.presses("enter").sees("Run this? Nothing has run yet", f"touch {made}", "changes things")
        await story.pauses().presses("enter").sees("not run")
        assert not made.exists()
        await story.presses("enter").sees("Run this?").presses("escape").sees("not run")
        assert not made.exists()
        await story.presses("enter").confirms().sees("[OK]")
        assert made.exists()


async def test_keys_typed_before_it_was_shown_do_not_count(opens: Opens, tmp_path: Path) -> None:
    made = tmp_path / "made"
    async with opens(change(made)) as story:
        story.at_machine_speed().presses("enter").sees("Run this?")
        await story.presses("right", "enter", "enter", "right", "enter")
        await story.sees("do not count", "[> No <]")
        assert not made.exists()
        await story.pauses().presses("right").pauses().presses("enter").sees("[OK]")


async def test_a_held_key_says_nothing_however_long_it_is_held(opens: Opens, tmp_path: Path) -> None:
    made = tmp_path / "made"
    async with opens(change(made)) as story:
        await story.at_machine_speed().presses("enter").sees("Run this?")
        for _repeat in range(40):
            story.presses("enter").pauses(0.03)
        await story.sees("Run this?", "do not count")
        assert not made.exists()
        await story.pauses().presses("right", "enter").sees("came too fast", "[> No <]")
        assert not made.exists()


@pytest.mark.parametrize("pasted", ["\n", "y\n", "right\renter\r\n", "local\nreason\n", "x" * 1_000_000 + "\n"])
async def test_a_paste_says_nothing(opens: Opens, tmp_path: Path, pasted: str) -> None:
    made = tmp_path / "made"
    async with opens(change(made)) as story:
        await story.presses("enter").sees("Run this?").pauses()

        async def paste() -> None:
            story.app.post_message(events.Paste(pasted))

        await story.does(paste).does(paste).sees("Run this?", "[> No <]")
        assert not made.exists()


async def test_what_cannot_be_undone_takes_the_targets_name_a_reason_and_time(opens: Opens, tmp_path: Path) -> None:
    doomed = tmp_path / "doomed"
    doomed.mkdir()
    async with opens(f"# Clean\n\n```bash\nrm -rf {doomed}\n```\n") as story:
        await story.at_machine_speed().presses("enter").sees("type local to run it there")
        await story.pauses().types("local").presses("enter").types("full").presses("enter", "right").pauses()
        await story.presses("enter").sees("only just been shown", "[> No <]")
        assert doomed.exists()
        await story.pauses(3).presses("right").pauses().presses("enter").sees("[OK]")
        assert not doomed.exists()
        run = story.state.runs[1]
        assert (run.intent["typed"], run.intent["reason"], run.intent["confirmed"]) == ("local", "full", "type-target")


async def test_a_wrong_name_and_a_missing_reason_are_told(opens: Opens, tmp_path: Path) -> None:
    doomed = tmp_path / "doomed"
    doomed.mkdir()
    async with opens(f"# Clean\n\n```bash\nrm -rf {doomed}\n```\n") as story:
        await story.presses("enter").sees("type local to run it there").pauses(4)
        await story.types("lokal").presses("tab", "tab", "right").pauses().presses("enter")
        await story.sees("not the target's name")
        await story.presses("tab", "ctrl+u").types("local").presses("tab").types(" ").presses("tab").pauses()
        await story.presses("enter").sees("a reason is missing")
        assert doomed.exists()


async def test_the_targets_name_has_to_be_typed_not_pasted(opens: Opens, tmp_path: Path) -> None:
    async with opens(f"# Clean\n\n```bash\nrm -rf {tmp_path}/doomed\n```\n") as story:
        await story.presses("enter").sees("type local to run it there").pauses(4)

        async def paste() -> None:
            story.app.post_message(events.Paste("local\n"))

        await story.does(paste).presses("tab").types("why").presses("tab", "right").pauses().presses("enter")
        await story.sees("not the target's name")
        assert not story.state.runs


HEREDOC = "# Write\n\n```bash\ncat > {made} <<'END'\n" + "".join(f"line {n}\n" for n in range(60)) + "END\n```\n"


async def test_a_long_command_is_read_to_its_end_before_it_runs(opens: Opens, tmp_path: Path) -> None:
    made = tmp_path / "made"
    async with opens(HEREDOC.format(made=made), size=(80, 24)) as story:
        await story.presses("enter").sees("Run this?", "where    local", "line 1", "[> No <]").sees_no("line 59")
        await story.pauses().presses("right").pauses().presses("enter").sees("read it to its end first")
        assert not made.exists()
        for _page in range(5):
            story.presses("pagedown").pauses()
        await story.sees("line 59", "> END").presses("right").pauses().presses("enter").sees("[OK]")
        assert made.read_text().endswith("line 59\n")


async def test_nothing_of_a_command_is_cut_off(opens: Opens, tmp_path: Path) -> None:
    folders = [f"a-long-folder-name-number-{n}" for n in range(12)]
    async with opens(f"# Many\n\n```bash\nmkdir {' '.join(folders)}\n```\n", size=(80, 24)) as story:
        await story.presses("enter").sees("Run this?")
        joined = "".join(line.strip() for line in story.screen.split("\n")).replace(" ", "")
        assert all(folder in joined for folder in folders)


async def test_what_can_t_be_seen_and_what_only_looks_alike_is_told_loudly(opens: Opens) -> None:
    hidden = "# Odd\n\n```bash\ntouch pr\u043ed\u200b-\u202ecod\ufe0f\n```\n"
    async with opens(hidden) as story:
        await story.presses("enter").sees("touch pr\u043e<U+043E>d<U+200B>-<U+202E>cod<U+FE0F>")
        await story.sees("not what they look like, or not to be seen: \u043e<U+043E>  <U+200B>  <U+202E>  <U+FE0F>")
        assert not any(unseen in story.screen for unseen in "\u200b\u202e\ufe0f")


async def test_a_dash_in_a_comment_is_no_alarm(opens: Opens, tmp_path: Path) -> None:
    async with opens(f"# Odd\n\n```bash\n# first \u2014 the file\ntouch {tmp_path}/made\n```\n") as story:
        await story.presses("enter").sees("Run this?", "<U+2014>").sees_no("not what they look like")
        assert not (tmp_path / "made").exists()


async def test_a_target_is_told_with_where_it_is_and_not_by_its_name_alone(opens: Opens) -> None:
    config = '[cockpit]\nenvironment = "production"\n[target.cache]\nkind = "redis"\nhost = "127.0.0.1"\nport = 9\n'
    async with opens("# Go\n\n```redis\nSET greeting changed\n```\n", config=config) as story:
        await story.presses("enter").sees("Run this?", "where     production   cache  127.0.0.1, port 9")
        await story.presses("escape").sees_no("Run this?")
        assert story.state.runs == {}


async def test_place_values_and_the_way_back_are_told(opens: Opens, tmp_path: Path) -> None:
    text = (
        "---\ncockpit:\n  cockpit: {environment: production}\n---\n# Go\n\n"
        f'```bash\ntouch {tmp_path}/<name> && test -n "$API_TOKEN"\n```\n'
    )
    async with opens(text) as story:
        await story.presses("enter").sees("Inputs, asked once").types("made").presses("enter").types("hunter2-hunter2")
        await story.presses("enter").sees("where     production   local", f"touch {tmp_path}/made", "name = made")
        await story.sees("API_TOKEN = ", f"folder   {tmp_path}").sees_no("hunter2")
        assert story.state.runs == {}


async def test_two_who_confirm_at_once_run_it_once(opens: Opens, tmp_path: Path) -> None:
    made = tmp_path / "made"
    async with opens(f"# Count\n\n```bash {{name=count}}\necho once >> {made}\n```\n") as story:
        await story.presses("enter").sees("Run this?").pauses().presses("right").pauses()
        await story.does(lambda: elsewhere(story)).presses("enter").sees("somebody else just ran this step")
        assert made.read_text() == "once\n"
        assert list(story.state.runs) == [1]


async def elsewhere(story: Story) -> None:
    """Another viewer runs the step, to its end."""
    client = HostClient(story.folder)
    await client.connect()
    await client.run(await client.propose("count"), rung=Rung.CONFIRM)
    await until(lambda: story.state.step("count").status is Status.PASSED, "it passed")
    await client.close()


async def test_another_folder_since_it_was_shown_is_looked_at_again(opens: Opens, tmp_path: Path) -> None:
    (tmp_path / "else").mkdir()
    text = f"# Two\n\n```bash\ntouch ./made\n```\n\n```bash {{name=count}}\ncd {tmp_path}/else\n```\n"
    async with opens(text) as story:
        await story.presses("enter").sees("Run this?").pauses().presses("right").pauses()
        await story.does(lambda: elsewhere(story)).presses("enter").sees("changed after it was shown")
        assert list(story.state.runs) == [1]


async def test_in_korean_it_asks_the_same(opens: Opens, tmp_path: Path) -> None:
    made = tmp_path / "made"
    async with opens(change(made), size=(80, 24)) as story:
        words.choose("ko")
        try:
            await story.presses("enter").sees("[> 아니요 <]").presses("escape")
            assert not made.exists()
        finally:
            words.choose("en")
