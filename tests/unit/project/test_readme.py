"""README tells of the program as it is: every command, flag and key, and commands that are really there."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest

from cockpit import words
from cockpit.cli import COMMANDS, parser_of
from screens.keys import KEYS

ROOT = Path(__file__).resolve().parents[3]
README = (ROOT / "README.md").read_text(encoding="utf-8")
EVERYWHERE = {"--help", "--config", "--lang"}


def _section(title: str) -> str:
    return README.split(f"## {title}\n")[1].split("\n## ")[0]


def _options() -> dict[str, set[str]]:
    words.choose("en")
    found = {}
    for action in parser_of()._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, parser in action.choices.items():
                found[name] = {option for one in parser._actions for option in one.option_strings if option[:2] == "--"}
    return found


def _row(command: str) -> str:
    rows = [line for line in _section("Commands").split("\n") if line.startswith("| `cockpit")]
    return next((row for row in rows if f"`cockpit {command}" in row), "")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_row_with_its_flags(command: str) -> None:
    row = _row(command)
    assert row, f"README's table has no row for `cockpit {command}`"
    if command == "watch" or command == "open":
        return
    missing = [option for option in _options()[command] - EVERYWHERE if f"`{option}" not in row]
    assert missing == []


def test_readme_names_no_flag_that_is_not_there() -> None:
    known = EVERYWHERE.union(*_options().values())
    assert set(re.findall(r"(--[a-z][a-z-]+)", _section("Commands"))) - known == set()


def test_every_key_is_told() -> None:
    told = set(re.findall(r"`([^`]+)`", _section("Keys")))
    missing = [key.shown for key in KEYS for part in key.shown.split() if part not in told]
    assert missing == []


def test_the_example_configuration_is_read(tmp_path: Path) -> None:
    from cockpit.config import load

    path = tmp_path / "cockpit.toml"
    path.write_text(README.split("```toml\n")[1].split("```")[0], encoding="utf-8")
    config = load(path)
    assert [probe.name for probe in config.probes][:4] == ["health", "pm2", "cluster", "canary"]
    assert config.rules[0].conditions[0].times == 3


def test_links_lead_somewhere() -> None:
    for document in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md"):
        text = (ROOT / document).read_text(encoding="utf-8")
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
            assert (ROOT / target).exists(), f"{document}: {target}"


def test_the_rule_of_the_example_opens_a_section_of_the_shipped_runbook() -> None:
    from cockpit.runbook.reading import read

    section = README.split('section = "')[1].split('"')[0]
    runbook = read(ROOT / "runbooks" / "p0-rollback.en.md")
    assert runbook.section(section) is not None
