"""What cockpit.toml and front matter say is what the screen does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.pilot.conftest import Opens

PLAIN = "# Deploy\n\n```bash\necho hello\n```\n"


async def test_a_log_opens_with_its_configured_filter(opens: Opens, tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_text("INFO all is well\nERROR it broke\nINFO all is well again\n")
    config = f'[[tail]]\nname = "app"\npath = {json.dumps(str(log))}\nfilter = "ERROR|FATAL"\n'
    async with opens(PLAIN, size=(110, 30), config=config) as story:
        await (
            story.sees("errors/min").presses("l").sees("ERROR it broke", "only “ERROR|FATAL”, as configured (Esc: all)")
        )
        assert "all is well" not in story.screen
        await story.presses("escape").sees("INFO all is well again").sees_no("as configured")


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_the_screen_is_headed_with_the_configured_title(opens: Opens, size: tuple[int, int]) -> None:
    config = '[cockpit]\ntitle = "AI chat"\n\n[[probe]]\nname = "m"\nkind = "machine"\n'
    async with opens(PLAIN, size=size, config=config) as story:
        await story.sees("AI chat · Deploy")
        assert story.state.title == "AI chat"


async def test_what_of_the_front_matter_is_left_out_is_said_on_the_screen(opens: Opens) -> None:
    front = (
        "---\ntargets:\n  web: {kind: telnet}\nprobes:\n  - {name: a, kind: http, ulr: 'http://localhost:1/'}\n---\n"
    )
    config = '[[probe]]\nname = "m"\nkind = "machine"\n'
    async with opens(front + PLAIN, size=(200, 50), config=config) as story:
        await story.finds(lambda state: any("telnet" in warning for warning in state.warnings))
        await story.sees("front matter: target.web: no adapter is called telnet")
        assert story.state.runs == {}
