"""Hundreds of panels: what needs somebody is on the screen, and the others are counted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.pilot.recording import record, replayed, sample, shown

RUNBOOK = "# Doc\n\n```bash\nuptime\n```\n"


def samples() -> list[dict[str, Any]]:
    """Two hundred: one red, one yellow, one that failed."""
    levels = {149: "red", 77: "yellow"}
    made = [
        sample(f"host-{n}", 190 + n / 1000, text=f"CPU {n % 90}%", level=levels.get(n, "green")) for n in range(1, 201)
    ]
    made[122] |= {"outcome": "failed", "level": "red", "error": "no route to host-123", "readings": []}
    return made


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_of_two_hundred_panels_those_that_are_unwell_come_first_and_the_rest_is_counted(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    app = replayed(record(tmp_path, RUNBOOK, [], samples()))
    async with app.run_test(size=size) as pilot:
        await app.ready.wait()
        await pilot.press("0")
        screen = shown(app)
        for told in ("2 x", "1 !", "197 OK", "of 200 panels", "149", "host-123", "77"):
            assert told in screen, screen
        assert max(map(screen.index, ("host-123", "host-149", "host-77"))) < screen.index("host-1 ")
