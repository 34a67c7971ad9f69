"""A runbook read in another process is the runbook."""

from __future__ import annotations

from pathlib import Path

import pytest

from cockpit.errors import RunbookError
from cockpit.runbook.ahead import ReadAhead
from cockpit.runbook.reading import read
from cockpit.shipped import RUNBOOKS


@pytest.mark.parametrize("name", ["p0-rollback.ko.md", "p0-rollback.en.md", "first-look.en.md"])
def test_it_is_the_same_runbook(name: str) -> None:
    ahead, here = ReadAhead((RUNBOOKS / name).read_bytes(), RUNBOOKS / name).runbook(), read(RUNBOOKS / name)
    assert ahead.steps == here.steps
    assert ahead.sections == here.sections
    assert ahead.passages == here.passages
    assert ahead.inputs == here.inputs
    assert ahead.contacts == here.contacts
    assert dict(ahead.front_matter) == dict(here.front_matter)


def test_a_document_that_is_no_text_says_so(tmp_path: Path) -> None:
    with pytest.raises(RunbookError, match="not text"):
        ReadAhead(b"\x7fELF\x00\x01\x02" * 40, tmp_path / "none.md").runbook()
