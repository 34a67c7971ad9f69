"""What a session on a world watches: written by `prepare`, read by the configuration as anybody's own file would be."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cockpit.config import load
from cockpit.rehearsal.run import prepare
from cockpit.rehearsal.scenario import find_scenario
from cockpit.runbook.reading import read

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(shutil.which("curl") is None or shutil.which("bash") is None, reason="needs bash and curl"),
]


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_panel_watches_the_world_and_recommends_the_rollback(tmp_path: Path, language: str) -> None:
    prepared = prepare(find_scenario(None), tmp_path / "world", language=language)
    try:
        settings = prepared.settings
        assert settings.config_path is not None
        runbook = read(Path(settings.runbook_path))
        config = load(Path(settings.config_path), runbook)
        assert {probe.name for probe in config.probes} == {"health", "pm2", "machine"}
        assert [tail.path for tail in config.tails] == [str(prepared.world.layout.app_log)]
        (rule,) = config.rules
        section = runbook.section(rule.section)
        assert section is not None
        assert section.budget_s == 600
        assert {blank.name for blank in runbook.inputs} >= set(settings.inputs)
        assert settings.mode == "rehearsal"
        # A scenario's title names what is broken: the trainee has to find out.
        assert prepared.scenario.title.in_language(language) not in Path(settings.config_path).read_text("utf-8")
        assert prepared.world.health() == "DOWN"
    finally:
        prepared.world.stop()
