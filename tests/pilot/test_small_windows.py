"""Dialogs in windows of a few rows: what can be chosen is always in sight, and every field can be reached."""

from __future__ import annotations

import pytest

from tests.pilot.conftest import Opens

GONE = "# D\n\n```bash\nrm -rf ./gone && echo " + "a long line " * 12 + "\n```\n"
MANY = "# D\n\n```bash\necho " + " ".join(f"<first-{n}>" for n in range(14)) + "\n```\n"


@pytest.mark.parametrize("size", [(80, 24), (60, 15), (40, 12), (40, 10), (30, 8)])
async def test_the_choices_of_a_confirmation_are_in_sight(opens: Opens, size: tuple[int, int]) -> None:
    async with opens(GONE, size=size) as story:
        await story.presses("enter").sees("[> No <]", "Run").pauses(2)
        for _page in range(20):
            await story.presses("pagedown")
        await story.pauses(3).types("local").sees("local").presses("tab").types("it is old").sees("it is old")
        await story.presses("tab", "right").sees("[> Run <]").pauses().presses("enter")
        await story.finds(lambda state: any(run.intent["reason"] == "it is old" for run in state.runs.values()))
        assert list(story.state.runs) == [1]


@pytest.mark.parametrize("size", [(80, 24), (40, 10), (30, 7)])
async def test_every_field_of_a_long_form_can_be_reached_and_says_what_it_is(
    opens: Opens, size: tuple[int, int]
) -> None:
    async with opens(MANY, size=size) as story:
        await story.presses("i").sees("[> Done <]")
        for number in range(14):
            await story.types(f"v{number}").sees(f"v{number}", "Done").presses("down")
        await story.presses("up").sees("v13").presses("down").pauses().presses("enter")
        await story.finds(lambda state: state.inputs.get("first-13") == "v13")
        assert story.state.inputs["first-0"] == "v0"
