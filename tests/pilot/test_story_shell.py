"""A fresh shell: when the folder that steps led to is gone, and whenever somebody wants one."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.pilot.conftest import Opens


async def test_a_fresh_shell_is_in_the_menu(opens: Opens) -> None:
    text = "# Doc\n\n```bash\nexport WHERE=here\n```\n\n```bash\necho it is ${WHERE:-unset}\n```\n"
    async with opens(text) as story:
        await story.presses("enter").sees("1/2 steps").finds(lambda state: bool(state.variables["local"]), "variable")
        await story.presses("colon").types("fresh").sees("fresh shell").presses("enter").sees("a fresh shell on local")
        await story.presses("enter").sees("it is unset")
        assert not story.state.variables.get("local")


async def test_a_step_whose_folder_is_gone_offers_a_fresh_shell(opens: Opens, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()

    async def take_away() -> None:
        shutil.rmtree(gone)

    text = f"# Doc\n\n```bash\ncd {gone}\n```\n\n```bash\npwd\n```\n"
    async with opens(text, size=(80, 24)) as story:
        await story.presses("enter").sees("1/2 steps", "/gone").does(take_away).presses("enter")
        await story.sees("Not run: its folder is gone", "Fresh shell").presses("enter").sees_no("Not run")
        assert list(story.state.runs) == [1]
        await story.presses("enter").sees("Fresh shell").presses("down", "enter").sees("a fresh shell on local")
        await story.presses("enter").sees("2/2 steps")
