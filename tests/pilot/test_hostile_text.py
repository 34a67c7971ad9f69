"""Nothing that a runbook, a probe or a person wrote reaches the terminal as anything but text."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from tests.pilot.conftest import Opens
from tests.pilot.recording import Told, reading, record, replayed, sample, shown

HOSTILE = "a\x1b]0;pwned\x07b\x9b31mc\u202edcba\u2066e\x00f[/foo] [@click=app.quit]g[/] [ERROR] [bold]h \x1b[2Jz"
RUNBOOK = f"""# Title {HOSTILE}

A paragraph {HOSTILE}

| {HOSTILE} | x |
|---|---|
| [link={HOSTILE}]y[/link] | z |

- [ ] check {HOSTILE}

```bash
echo '{HOSTILE.replace(chr(0), "")}'
```
"""


def harmless(text: str) -> bool:
    """Whether it holds nothing that a terminal acts upon or that turns text around."""
    return not any(unicodedata.category(char) in ("Cc", "Cf", "Cs") for char in text.replace("\n", ""))


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_recorded_text_is_shown_and_never_obeyed(tmp_path: Path, size: tuple[int, int]) -> None:
    told: list[Told] = [
        (1.0, "note.added", {"text": HOSTILE, "step": None, "by": HOSTILE}),
        (2.0, "severity.set", {"severity": HOSTILE, "reason": ""}),
        (3.0, "recommendation.raised", {"rule": "r", "section": "x", "text": HOSTILE, "samples": []}),
        (4.0, "probe.changed", {"probe": HOSTILE, "outcome": "data", "level": "red", "text": HOSTILE}),
        (5.0, "target.changed", {"target": HOSTILE}),
    ]
    samples = [
        sample("web", 1, text=HOSTILE, readings=[reading(HOSTILE, HOSTILE, "red", HOSTILE, HOSTILE)]),
        sample("pm2", 1, kind="pm2", text=HOSTILE, rows=[{"name": HOSTILE, "status": HOSTILE, "level": HOSTILE}]),
        sample(HOSTILE, 2, outcome="failed", level="red", error=HOSTILE, mend=HOSTILE),
    ]
    app = replayed(record(tmp_path, RUNBOOK, told, samples))
    async with app.run_test(size=size) as pilot:
        await app.ready.wait()
        for key in ("j", "tab", "tab", "tab", "tab", "1", "3", "0", "escape", "question_mark", "escape", "colon"):
            await pilot.press(key)
            await pilot.pause()
            assert harmless(shown(app)), key
            assert "pwned" in shown(app) or key in ("question_mark", "tab", "colon")


async def test_a_hostile_command_is_confirmed_with_all_of_it_visible(opens: Opens) -> None:
    hostile = "touch /tmp/x\u202efdp.exe\x1b[8m hidden"
    async with opens(f"# Do\n\n```bash\n{hostile}\n```\n", size=(120, 40)) as story:
        await story.presses("enter").sees("Run this?", "<U+202E>", "␛[8m hidden")
        assert harmless(story.screen)
