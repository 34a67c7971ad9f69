"""The words of the project, and what must not stand in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
FOLDERS = ("cockpit", "screens", "runbooks", ".ci")
KINDS = {".py", ".md", ".toml", ".sh", ".script", ".txt", ".po"}
FILES = sorted(
    [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in KINDS and path.is_file()]
    + [path for path in ROOT.iterdir() if path.suffix in KINDS]
)
PYTHON = [path for path in FILES if path.suffix == ".py" and "tests" not in path.parts]
EMPTY_NAMES = re.compile(r"(^|_)(utils?|helpers?|managers?|misc|common|stuff|base_?class)(_|$)", re.IGNORECASE)


LATER = re.compile(r"#\s*(TODO|FIXME|XXX|HACK)\b")
SILENCED = re.compile(r"#\s*(?:noqa|type: ignore)\S*(.*)")
ELSEWHERE = re.compile(
    r"(?:files|test)\.pythonhosted|pypi\.org/simple|--(?:extra-)?index-url|registry\.npmjs|(?<![\w.])/(?:work|Users)/\w"
)


def _lines(paths: list[Path]) -> Iterator[tuple[str, str]]:
    """(place, line) of every line of the files."""
    for path in paths:
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            yield f"{path.relative_to(ROOT)}:{number}", line


def test_nothing_has_a_name_that_says_nothing() -> None:
    classes = [(place, found[1]) for place, line in _lines(PYTHON) if (found := re.match(r"class (\w+)", line))]
    words = [(path.name, path.stem) for path in PYTHON]
    words += [(place, re.sub(r"(?<!^)(?=[A-Z])", "_", name)) for place, name in classes]
    assert [place for place, word in words if EMPTY_NAMES.search(word)] == []


def test_no_wait_may_swallow_that_it_was_cancelled() -> None:
    """asyncio.wait_for of 3.11 does, where what it waits for comes at that moment; asyncio.timeout does not."""
    tests = sorted((ROOT / "tests").rglob("*.py"))
    wait = "asyncio." + "wait_for("
    assert [place for place, line in _lines([*PYTHON, *tests]) if wait in line] == []


def test_nothing_is_left_for_later() -> None:
    assert [place for place, line in _lines(PYTHON) if LATER.search(line)] == []


def test_no_check_is_silenced_without_a_reason() -> None:
    silenced = [(place, found[1]) for place, line in _lines(PYTHON) if (found := SILENCED.search(line))]
    assert [place for place, reason in silenced if len(reason.strip(" #")) < 10] == []


def test_no_package_index_and_no_folder_of_somebodys_machine_is_named() -> None:
    assert [place for place, line in _lines(FILES) if ELSEWHERE.search(line)] == []
