"""A step on a group of targets, on the screen: chosen, confirmed, followed line by line, stopped, taken up again."""

from __future__ import annotations

from pathlib import Path

import pytest

from cockpit.session.record.event import Status
from cockpit.session.record.state import SessionState
from screens.app import CockpitApp
from screens.replay import Replay, ReplayClock
from tests.pilot.conftest import Opens
from tests.pilot.recording import Told, record, shown
from tests.pilot.story import Story
from tests.waiting import until


def config(count: int, policy: str = "") -> str:
    names = [f"web-{number:02d}" for number in range(1, count + 1)]
    targets = "\n".join(f'{name} = {{ kind = "local" }}' for name in names)
    probe = '[[probe]]\nname = "here"\nkind = "machine"\ninterval_s = 3600\n'
    return f"[target]\n{targets}\n[group.web]\ntargets = {names}\n{policy}\n{probe}"


def document(*commands: str) -> str:
    return "# Web\n\n" + "\n".join(f"```bash\n{command}\n```\n" for command in commands)


HELLO = document("echo hello")


async def on_the_group(story: Story) -> Story:
    """Choose the group as where steps run."""
    await story.presses("t").sees("Where steps run", "web")
    menu = story.app.screen.query_one("Menu")
    names = [option.id for option in menu.options]  # type: ignore[attr-defined]
    for _row in range(names.index("web")):
        await story.presses("down")
    await story.pauses().presses("enter")
    await story.finds(lambda state: state.target == "web", "the group is chosen")
    return story


async def test_twenty_targets_have_a_line_each_on_the_smallest_terminal(opens: Opens) -> None:
    async with opens(HELLO, size=(80, 24), config=config(20)) as story:
        await on_the_group(story)
        await story.sees("on web (20 targets)", "Enter: 10 at a time: web-01, web-02")
        await story.presses("enter").sees("20 of 20 passed").presses("f")
        await story.sees(*[f"web-{number:02d}  passed" for number in range(1, 21)])


async def test_the_output_of_each_target_is_one_key_away(opens: Opens) -> None:
    async with opens(document("echo I am one of them"), config=config(3)) as story:
        await on_the_group(story)
        await story.presses("enter").sees("3 of 3 passed").presses("f").sees("web-03  passed")
        for key, name in (("k", "web-01"), ("j", "web-02"), ("j", "web-03")):
            await story.presses(key).pauses().presses("enter").sees(f"{name}: ", "I am one of them").presses("escape")
            await story.sees("3 of 3 passed", "web-01  passed")
        await story.presses("escape").sees("# Web")


async def test_a_failure_is_told_with_its_target_and_its_words(opens: Opens, tmp_path: Path) -> None:
    fails = f"[ -e {tmp_path}/first ] && {{ echo 'port 8080 is in use'; exit 7; }}; touch {tmp_path}/first; echo fine"
    async with opens(document(fails), size=(100, 40), config=config(3, "rolling = 1")) as story:
        await on_the_group(story)
        await story.sees("one after the other; the first that does not pass stops the rest")
        await story.presses("enter").sees("where", "web", "3 targets: web-01, web-02, web-03", "one after the other")
        await story.confirms()
        await story.sees("x web-02  exit 7  port 8080 is in use", "1 failed", "1 of 3 passed", "web-03  not begun")
        (step,) = story.state.steps.values()
        assert step.status is Status.FAILED


async def test_what_failed_is_run_again_only_where_it_has_not_passed(opens: Opens, tmp_path: Path) -> None:
    fails = f"echo x >> {tmp_path}/ran; [ $(wc -l < {tmp_path}/ran) = 2 ] && exit 7; true"
    async with opens(document(fails), size=(100, 40), config=config(3, "rolling = 1")) as story:
        await on_the_group(story)
        await story.presses("enter").confirms().sees("1 of 3 passed", "only where it has not passed (2 of 3)")
        await story.presses("enter").sees("passed on some of them before", "web-02, web-03").pauses().presses("enter")
        await story.sees("2 targets: web-02, web-03").confirms().sees("2 of 2 passed")
        assert (tmp_path / "ran").read_text() == "x\n" * 4
        (step,) = story.state.steps.values()
        assert step.status is Status.PASSED


async def test_what_cannot_be_undone_takes_the_groups_name(opens: Opens, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    async with opens(document(f"rm -rf {gone}"), size=(100, 40), config=config(2)) as story:
        await on_the_group(story)
        await story.presses("enter").sees("type web to run it there", "2 targets: web-01, web-02")
        await story.pauses(4).types("web-01").presses("tab").types("full").presses("tab").presses("right")
        await story.pauses().presses("enter").sees("what was typed is not the target's name")
        assert gone.exists()
        await story.presses("escape").sees_no("Run this?")


async def test_ctrl_c_twice_stops_all_and_begins_no_further_one(opens: Opens, tmp_path: Path) -> None:
    waits = f"until [ -e {tmp_path}/go ]; do sleep 0.05; done"
    async with opens(document(waits), size=(100, 40), config=config(5, "at_once = 2")) as story:
        await on_the_group(story)

        def two_run(state: SessionState) -> bool:
            return sum(run.started_t is not None for run in state.running) == 2

        await story.presses("enter").finds(two_run, "two run").sees("2 running", "waiting")
        await story.presses("ctrl+c").sees("again stops").presses("ctrl+c")
        await story.sees("2 cancelled", "0 of 5 passed", "web-05  not begun")
        assert len(story.state.runs) == 2


async def test_a_person_judges_once_for_all_targets(opens: Opens) -> None:
    asks = document("date\n# expected: a person finds it plausible")
    async with opens(asks, size=(100, 40), config=config(3)) as story:
        await on_the_group(story)
        await story.presses("enter").sees("3 to judge").presses("v").sees("Does the output show this?")
        await story.presses("right").pauses().presses("enter").sees("3 of 3 passed")


# -- told again ------------------------------------------------------------------------------------------------------


def recorded(root: Path, count: int) -> list[Told]:
    """A step on so many targets, at 10 s, the second of which failed at 12 s."""
    from cockpit.runbook.reading import read

    (root / "doc.md").write_text(HELLO)
    step = read(root / "doc.md").steps[0].id
    names = [f"web-{number:02d}" for number in range(1, count + 1)]
    told: list[Told] = []
    group = {"name": "web", "first": 1, "of": count}
    policy = {"targets": names, "at_once": count, "stop_at_first_failure": False}
    for run, name in enumerate(names, 1):
        about = {"step": step, "part": None, "run": run, "target": name, "command": "echo hello", "language": "bash"}
        told.append((10.0, "step.intent", {**about, "group": {**group, "place": run, **(policy if run == 1 else {})}}))
        failed = {"exit_code": 3, "told": "no space left on device", "status": "failed"}
        end = failed if run == 2 else {"exit_code": 0, "status": "passed"}
        told.append((12.0, "target.finished", {**about, "duration_s": 2.0, "expectations": [], **end}))
    told.append((13.0, "step.finished", {"step": step, "part": None, "status": "failed", "group": group}))
    return sorted(told, key=lambda each: each[0])


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_a_recording_tells_the_lines_of_a_group_as_the_session_did(tmp_path: Path, size: tuple[int, int]) -> None:
    folder = record(tmp_path, HELLO, recorded(tmp_path, 4))
    clock = ReplayClock(1000.0)
    app = CockpitApp(folder, folder.runbook, spectator=True, source=Replay(folder, clock), clock=clock)
    async with app.run_test(size=size) as pilot:
        await app.ready.wait()

        async def tells() -> bool:
            assert app.viewer is not None
            app.viewer.feed.read()
            app.viewer.ticked()
            await pilot.pause()
            return "1 failed" in shown(app) and "3 of 4 passed" in shown(app)

        await until(tells, "the lines are told")
        assert "no space left on device" in shown(app)
        await pilot.press("f")
        await pilot.pause()
        assert "web-04  passed" in shown(app)


async def test_fifty_targets_leave_the_screen_quick(opens: Opens) -> None:
    async with opens(HELLO, size=(200, 50), config=config(50)) as story:
        await on_the_group(story)
        await story.presses("enter").sees("50 of 50 passed")
        targets = story.app.screen.query_one("#targets")
        painted = 0

        def paint_seen(regions: object) -> None:
            nonlocal painted
            painted += len(list(regions))  # type: ignore[call-overload]

        targets.paint_seen = paint_seen  # type: ignore[attr-defined]
        story.viewer.main.sync(("targets",))
        assert painted == 0, "what has not changed is not sent again"
