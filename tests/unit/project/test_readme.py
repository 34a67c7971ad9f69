"""README tells of the program as it is: every command, flag and key, and commands that are really there."""

from __future__ import annotations

import argparse
import re
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

from cockpit import words
from cockpit.cli import COMMANDS, parser_of
from cockpit.config.model import General, GroupConfig, ProbeConfig, Safety, TailConfig
from cockpit.monitor.machines import Machines
from cockpit.monitor.registry import FAR_KINDS, KINDS, build
from cockpit.session.steps.targets import targets_of
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
    assert [probe.name for probe in config.probes] == ["health", "canary"]
    assert config.rules[0].conditions[0].times == 3


def test_every_sample_of_the_configuration_is_read(tmp_path: Path) -> None:
    from cockpit.config import load

    samples = re.findall(
        r"^```toml\n(.*?)^```", _section("Configuration") + _section("How to …"), re.MULTILINE | re.DOTALL
    )
    web = '[target.web]\nkind = "ssh"\nhost = "web"\n'
    for number, sample in enumerate(samples):
        path = tmp_path / f"{number}.toml"
        path.write_text(sample if "[target" in sample or '"web"' not in sample else sample + web, encoding="utf-8")
        config = load(path)
        for probe in config.probes:
            build(probe, str, machines=Machines(targets_of(config.targets)))
    assert len(samples) > 5


def _rows(*heads: str) -> list[list[str]]:
    """The cells of the table with this head."""
    lines = README.split("| " + " | ".join(heads) + " |\n")[1].split("\n\n")[0].split("\n")[1:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def _words(text: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", text))


def _keys(cell: str) -> set[str]:
    """The keys that a cell names, those of a shared word included."""
    shared = dict(re.findall(r"^- \*([a-z-]+)\*: ((?:.|\n  )*)", _section("Configuration"), re.MULTILINE))
    return _words(cell).union(*(_words(shared[word]) for word in re.findall(r"\*([a-z-]+)\*", cell)))


def _class(name: str) -> Any:
    module, _colon, word = name.partition(":")
    return getattr(import_module(module), word)


def test_every_kind_of_probe_is_told_with_its_keys_and_no_others() -> None:
    rows = {_words(kind).pop(): keys for kind, keys in _rows("probe", "its keys")}
    assert set(rows) == set(KINDS)
    everything = {key for name in KINDS.values() for key in _class(name).Options.__struct_fields__}
    for kind, cell in rows.items():
        fields = set(_class(KINDS[kind]).Options.__struct_fields__)
        assert fields - _keys(cell) == set(), kind
        assert (_words(cell) & everything) - fields == set(), kind
        assert ("target" in _words(cell)) == (kind in FAR_KINDS), kind


def test_every_kind_of_target_is_told_with_its_blocks_and_keys() -> None:
    rows = {_words(kind).pop(): (blocks, keys) for kind, blocks, keys in _rows("target", "blocks", "its keys")}
    ours = {point.name: point.load() for point in entry_points(group="cockpit.adapters") if "cockpit." in point.value}
    assert set(rows) == set(ours)
    for kind, adapter in ours.items():
        blocks, keys = rows[kind]
        assert set(adapter.languages) - {"message"} <= _words(blocks), kind
        fields = set(adapter.Options.__struct_fields__) if hasattr(adapter, "Options") else set()
        assert fields - _keys(keys) == set(), kind


def test_the_support_table_names_every_probe_and_every_language() -> None:
    told = [_words(" ".join(row)) for row in _rows("system", "steps", "panel and tails")]
    assert set(KINDS) - set().union(*told) == set()
    languages = {word for point in entry_points(group="cockpit.adapters") for word in point.load().languages}
    shells = {"bash", "sh", "zsh"}  # "shell blocks"; a message is no block
    assert languages - shells - {"message"} - set().union(*told) == set()


@pytest.mark.parametrize(
    ("table", "made"),
    [
        ("[cockpit]", General),
        ("[safety]", Safety),
        ("[[probe]]", ProbeConfig),
        ("[[tail]]", TailConfig),
        ("[group.NAME]", GroupConfig),
    ],
)
def test_every_key_that_tables_share_is_told(table: str, made: Any) -> None:
    told = next(keys for name, keys in _rows("table", "keys") if name == f"`{table}`")
    assert (
        set(made.__struct_fields__) - {"options"} - (_words(told) | ({"name"} if "NAME" in table else set())) == set()
    )


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
