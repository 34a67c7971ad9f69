"""The card under the runbook: on a small screen what matters most is there, and prose is not."""

from __future__ import annotations

from pathlib import Path

from tests.pilot.conftest import Opens
from tests.pilot.story import Story

ROLLBACK = """# Roll back

## Back

> [!WARNING]
> The service restarts. Read target and version aloud.

```bash
cd "{place}"
touch rolled-back-to-"$PREVIOUS_VERSION"
```

Expected:

- `one`
- `two`
- `three`
"""


def _card(story: Story) -> str:
    """The rows from the card's title on."""
    rows = story.screen.split("\n")
    return "\n".join(rows[next(n for n, row in enumerate(rows) if row.startswith(" [1/1]")) :])


async def test_on_a_small_card_the_command_its_verdict_and_its_blanks_come_before_prose(
    opens: Opens, tmp_path: Path
) -> None:
    async with opens(ROLLBACK.format(place=tmp_path), size=(80, 24)) as story:
        await story.sees("to fill first: PREVIOUS_VERSION", "more")
        card = _card(story)
        assert card.index("rolled-back-to") < card.index("on local") < card.index("to fill first")
        assert "Read target and version aloud" not in card
        await story.presses("enter").sees("Inputs").types("v7").presses("enter").sees("Run this?")
        await story.sees("! Warning: The service restarts. Read target and version aloud.").presses("escape")
        await story.sees("! changes things", "with PREVIOUS_VERSION = v7").sees_no("to fill first")


async def test_a_tall_card_has_room_for_the_authors_warning_too(opens: Opens, tmp_path: Path) -> None:
    async with opens(ROLLBACK.format(place=tmp_path), size=(120, 40)) as story:
        await story.sees("to fill first", "! Warning: The service restarts").sees_no("[!WARNING]")
        assert "Read target and version aloud" in story.screen


async def test_a_long_command_gives_way_to_why_it_is_refused(opens: Opens, tmp_path: Path) -> None:
    lines = "\n".join(f"touch {tmp_path}/{number}" for number in range(9))
    text = f"# Many\n\n```bash\nif true; then\n{lines}\nfi\n```\n"
    async with opens(text, size=(80, 24), mode="read-only") as story:
        await story.sees("not provably read-only", "more")
        assert "if true; then" in _card(story)


async def test_alerts_are_told_by_their_word(opens: Opens) -> None:
    text = "# Doc\n\n> [!NOTE]\n> Useful.\n\n> [!Caution]\n> Mind **this**.\n\n> [!ODD]\n> kept\n"
    async with opens(text) as story:
        await story.sees("| Note: Useful.", "| Caution: Mind this.", "[!ODD]").sees_no("[!NOTE]").sees_no("[!Caution]")
        assert "**" not in story.screen
