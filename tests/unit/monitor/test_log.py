"""A log as a probe: a rate of errors, and the bad lines kept as evidence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cockpit.config import TailConfig
from cockpit.config.bound import parse_bound
from cockpit.monitor.logs.probe import Evidence, LogProbe
from cockpit.monitor.logs.tail import FileTail
from cockpit.monitor.sample import Level, Outcome, Sample


def log_probe(path: Path, evidence: Path, *thresholds: str) -> LogProbe:

    bounds = tuple(parse_bound(text, "test") for text in thresholds)
    return LogProbe(TailConfig(name="app", path=str(path), thresholds=bounds), evidence, lambda text: text)


def values(sample: Sample) -> dict[str, Any]:
    return {reading.name: reading.value for reading in sample.readings}


async def test_a_log_is_a_rate_and_its_bad_lines_are_kept_with_their_traces(tmp_path: Path) -> None:
    path, evidence = tmp_path / "app.log", tmp_path / "kept.log"
    path.write_text("ERROR from before the watch\n")
    probe = log_probe(path, evidence, "errors_per_min > 1 red")
    assert values(await probe.sample())["errors_per_min"] == 0
    with path.open("a") as log:
        log.write(
            "INFO fine\nERROR boom\n\tat a.b.C(D.java:1)\nCaused by: x\nINFO fine again\nWARN careful\nERROR 둘\n"
        )
    sample = await probe.sample()
    await probe.close()
    assert (values(sample)["errors_per_min"], values(sample)["warnings_per_min"]) == (2, 1)
    assert sample.level is Level.RED
    assert evidence.read_text() == ("ERROR boom\n\tat a.b.C(D.java:1)\nCaused by: x\nWARN careful\nERROR 둘\n")
    assert evidence.stat().st_mode & 0o777 == 0o600


async def test_a_log_that_is_not_there_is_none_until_it_is(tmp_path: Path) -> None:
    path = tmp_path / "late.log"
    probe = log_probe(path, tmp_path / "kept.log")
    first = await probe.sample()
    assert (first.outcome, first.level) == (Outcome.NONE, Level.GREY)
    assert first.mend
    path.write_text("ERROR at last\n")
    second = await probe.sample()
    await probe.close()
    assert second.outcome is Outcome.DATA
    assert values(second)["errors_per_min"] == 1


async def test_a_folder_is_no_log(tmp_path: Path) -> None:
    probe = log_probe(tmp_path, tmp_path / "kept.log")
    sample = await probe.sample()
    await probe.close()
    assert (sample.outcome, sample.level) == (Outcome.FAILED, Level.YELLOW)


def test_evidence_is_bounded_and_says_when_it_is_full(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    path.write_text("")
    tail = FileTail(path)
    tail.poll()
    evidence = Evidence(tmp_path / "kept.log", bound_bytes=1000)
    for number in range(100):
        with path.open("a") as log:
            log.write(f"ERROR number {number}\n")
        evidence.keep(tail.poll(), lambda text: text)
    evidence.close()
    tail.close()
    lines = (tmp_path / "kept.log").read_text().splitlines()
    assert lines[0] == "ERROR number 0"
    assert lines[-1].startswith("--- full")
    assert sum(line.startswith("--- full") for line in lines) == 1
    assert lines[:-1] == [f"ERROR number {number}" for number in range(len(lines) - 1)]
