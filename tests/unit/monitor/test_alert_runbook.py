"""From the address that an alert names to a runbook that is here."""

from __future__ import annotations

from pathlib import Path

import pytest

from cockpit.monitor.alert_runbook import Place, place_of
from cockpit.runbook.reading import parse

RUNBOOK = parse("# Judgment\n\n## Service down\n\ntext\n\n## KubePodCrashLooping\n\ntext\n")


@pytest.mark.parametrize(
    ("url", "section"),
    [
        ("https://git.example/acme/runbooks/blob/main/judgment.md#service-down", "service-down"),
        ("https://git.example/acme/runbooks/blob/main/judgment.md#gone", "judgment"),
        ("https://git.example/acme/runbooks/judgment/", "judgment"),
        ("#service-down", "service-down"),
        ("https://runbooks.example/runbooks/kubernetes/kubepodcrashlooping", "kubepodcrashlooping"),
    ],
)
def test_the_open_document_and_its_sections_are_known(tmp_path: Path, url: str, section: str) -> None:
    assert place_of(url, RUNBOOK, tmp_path / "judgment.md") == Place(section=section)


@pytest.mark.parametrize("url", ["https://git.example/x/redis.md#top", "https://r.example/redis", "file://{}/redis.md"])
def test_a_document_beside_it_is_known(tmp_path: Path, url: str) -> None:
    (tmp_path / "redis.md").write_text("# Redis\n")

    assert place_of(url.format(tmp_path), RUNBOOK, tmp_path / "judgment.md") == Place(file=tmp_path / "redis.md")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://r.example/elsewhere",
        "https://r.example/..",
        "/etc/passwd",
        "file:///etc/shadow",
        "https://[",
        "%00.md",
    ],
)
def test_what_is_not_here_is_not_offered(tmp_path: Path, url: str) -> None:
    assert place_of(url, RUNBOOK, tmp_path / "judgment.md") is None
