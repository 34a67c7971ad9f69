"""Secrets on the screen: masked wherever they come from, and shown to who typed them, on the record."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.pilot.conftest import Opens
from tests.planted import FORMS, folded, gives_away

TYPED = "Jw5.tYp3d.Gf4tNb7uQk9m"
IN_ENVIRONMENT = "Hy3-eWv-Zp8qLd6sVx1c"
RUNBOOK = """# Secrets

```bash {name=ask}
echo "token $API_TOKEN"
```
"""


async def test_a_typed_secret_is_shown_only_on_demand_and_that_is_recorded(opens: Opens) -> None:
    async with opens(RUNBOOK, size=(100, 30)) as story:
        await story.presses("enter").sees("API_TOKEN").types(TYPED).presses("enter").pauses().presses("enter")
        await story.sees("token [redacted:known-secret]").sees_no(TYPED)
        await story.presses("colon").types("reveal").presses("escape")
        await story.presses("colon").types("secret that was typed").presses("enter").sees("Show which secret?")
        await story.presses("enter").sees(TYPED, "the record says that you were shown this")
        await story.presses("escape").sees_no(TYPED)
        record = story.folder.journal.read_text()
        assert json.loads(record.splitlines()[-1])["kind"] == "input.revealed"
        assert gives_away(record, TYPED) == ""


async def test_a_secret_is_not_shown_where_none_was_typed(opens: Opens) -> None:
    async with opens(RUNBOOK) as story:
        await story.presses("colon").types("secret that was typed").presses("enter")
        await story.sees("no secret was typed into this session")
        assert not story.state.secret_inputs


async def test_a_followed_log_is_masked_with_what_the_host_knows(
    opens: Opens, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DB_PASSWORD", IN_ENVIRONMENT)
    log = tmp_path / "app.log"
    log.write_text("the log begins\n")
    config = f'[[tail]]\nname = "app"\npath = {json.dumps(str(log))}\n'
    async with opens(RUNBOOK, size=(160, 60), config=config) as story:
        await story.presses("enter").sees("API_TOKEN").types(TYPED).presses("enter").pauses().presses("enter")
        await story.sees("token [redacted:known-secret]")
        await story.presses("escape", "l").sees("the log begins")
        for secret in (IN_ENVIRONMENT, TYPED):
            with log.open("a") as file:
                for name, form in FORMS.items():
                    file.write(f"{name} | {form(secret)}\n")
                file.write(folded(secret, 76, 40) + f"\nend of {secret[:3]}\n")
            await story.sees(f"end of {secret[:3]}", "coloured | ")
            assert gives_away(story.screen, secret) == ""
        with log.open("a") as file:
            file.write(f"half a line {TYPED[:9]}")
        await story.sees("half a line")
        assert TYPED[:4] not in story.screen


async def test_a_document_s_own_secrets_are_masked_on_the_screen_and_run_as_written(opens: Opens) -> None:
    document = (
        "# Sign in\n\nThe password=hunter2hunter2 is for all.\n\n- use `token: abcdef123456` today\n\n"
        "```bash\ncurl -su kim:pa55word99 http://localhost:9/\n```\n"
    )
    async with opens(document, size=(120, 40)) as story:
        await story.sees("password=[redacted:secret]", "token: [redacted:secret]", "curl")
        assert not any(secret in story.screen for secret in ("hunter2", "abcdef", "pa55"))
        await story.presses("y").sees("copied")
        assert "pa55" not in story.app.clipboard
        assert "hunter2" in story.folder.runbook.read_text()


async def test_a_defect_ends_the_viewer_without_its_variables(
    opens: Opens, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DB_PASSWORD", IN_ENVIRONMENT)

    async def breaks() -> None:
        async with opens(RUNBOOK, host=False) as story:
            held = TYPED

            def broken() -> None:
                assert held
                raise ZeroDivisionError(f"because of {IN_ENVIRONMENT}\x1b[31m")

            story.app.call_later(broken)
            await story.sees("never")

    with pytest.raises(ZeroDivisionError):
        await breaks()
    told = capsys.readouterr().err
    assert "a defect of the cockpit itself" in told
    assert not any(secret in told for secret in (TYPED, IN_ENVIRONMENT, "\x1b[31m"))
    details = Path(told.split("details in ")[1].split()[0])
    assert "ZeroDivisionError" in details.read_text()
    assert not any(secret in details.read_text() for secret in (TYPED, IN_ENVIRONMENT, "\x1b"))
    details.unlink()
