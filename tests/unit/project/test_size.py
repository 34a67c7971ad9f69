"""Short functions in short files, in the product and in its tests."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
FILES = sorted(path for folder in ("cockpit", "screens", "tests") for path in (ROOT / folder).rglob("*.py"))


def _too_long(path: Path) -> Iterator[str]:
    text = path.read_text(encoding="utf-8")
    if len(text.splitlines()) > 400:
        yield f"{path.relative_to(ROOT)} has {len(text.splitlines())} lines"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > 60:
                yield f"{path.relative_to(ROOT)}: {node.name} has {lines} lines"


def test_files_and_functions_are_short() -> None:
    assert [finding for path in FILES for finding in _too_long(path)] == []
