"""Nothing that a runbook, a probe or a person wrote can become markup: the code never reaches for what reads any.

Textual and Rich read markup in many places and escape it in none that holds. So the screen paints rows of its own, and
what may be imported from either library is a list: everything on it was looked at, and reads no markup.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
FILES = sorted(path for folder in ("cockpit", "screens") for path in (ROOT / folder).rglob("*.py"))

IMPORTED = frozenset(
    [
        "rich.cells.cell_len",
        "rich.cells.chop_cells",
        "rich.cells.set_cell_size",
        "rich.segment.Segment",
        "rich.style.Style",
        "rich.text.Text",
        "textual._xterm_parser.XTermParser",
        "textual.drivers.linux_driver",
        "textual.events",
        "textual._compositor.Compositor",
        "textual.app.App",
        "textual.app.ComposeResult",
        "textual.app.SuspendNotSupported",
        "textual.binding.Binding",
        "textual.binding.BindingType",
        "textual.color.Color",
        "textual.containers.Horizontal",
        "textual.containers.Vertical",
        "textual.filter.LineFilter",
        "textual.geometry.Region",
        "textual.geometry.Size",
        "textual.geometry.Offset",
        "textual.message.Message",
        "textual.reactive.reactive",
        "textual.screen.ModalScreen",
        "textual.screen.Screen",
        "textual.strip.Strip",
        "textual.theme.Theme",
        "textual.timer.Timer",
        "textual.widget.Widget",
        "textual.widgets.Input",
        "textual.widgets.TextArea",
    ]
)
CALLED = frozenset(
    [
        "from_markup",
        "from_ansi",
        "render_markup",
        "notify",
        "assemble",
        "from_rich_text",
        "render_str",
        "post_notification",
        "push_screen_notification",
        "exit_with_message",
        "highlight_regex",
    ]
)
# Textual reads markup in what is assigned to these, or sends it to the terminal as it is.
ASSIGNED = frozenset(
    [
        "border_title",
        "border_subtitle",
        "tooltip",
        "title",
        "sub_title",
        "TITLE",
        "SUB_TITLE",
        "BORDER_TITLE",
        "BORDER_SUBTITLE",
    ]
)
GIVEN = frozenset(["markup", "tooltip", "border_title", "border_subtitle", "emoji"])


def findings(source: str, *, screen: bool = True) -> Iterator[str]:
    """What of a module could make markup of a value. `screen`: it may write to the terminal by the libraries at all."""
    for node in ast.walk(ast.parse(source)):
        yield from (
            f"{node.lineno}: {what}" for what in _found(node, screen=screen) if isinstance(node, ast.stmt | ast.expr)
        )


def _found(node: ast.AST, *, screen: bool) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (f"import {each.name}" for each in node.names if each.name.partition(".")[0] in ("rich", "textual"))
    elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in ("rich", "textual"):
        names = {f"{node.module}.{each.name}" for each in node.names}
        yield from sorted(
            names - IMPORTED if screen else {name for name in names if not name.startswith("rich.cells.")}
        )
    elif isinstance(node, ast.Call):
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        yield from (f"{called}()" for _once in [0] if called in CALLED and (screen or called != "notify"))
        yield from (f"{each.arg}=" for each in node.keywords if each.arg in GIVEN)
    elif screen and isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
        yield from _assigned(node)
    elif isinstance(node, ast.FunctionDef) and node.name in ("render", "__rich__", "__rich_console__") and screen:
        yield f"def {node.name}: a string it gives is read as markup; paint rows with render_line"


def _assigned(node: ast.Assign | ast.AnnAssign | ast.AugAssign) -> Iterator[str]:
    for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
        name = target.attr if isinstance(target, ast.Attribute) else getattr(target, "id", "")
        of_widget = isinstance(target, ast.Attribute) or name.isupper()
        if name in ASSIGNED and of_widget and not isinstance(node.value, ast.Constant):
            yield f"{name} ="


def test_no_value_reaches_what_reads_markup() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{what}"
        for path in FILES
        for what in findings(path.read_text("utf-8"), screen=path.is_relative_to(ROOT / "screens"))
    ]
    assert found == []


@pytest.mark.parametrize(
    "slip",
    [
        "from textual.widgets import Static",
        "from textual.widgets import Input, Label",
        "from textual.content import Content",
        "from rich.console import Console",
        "from rich import print",
        "import rich",
        "import textual.markup",
        "from rich.text import Text\nText.from_markup(x)",
        "self.app.notify(x)",
        "self.app.notify(x, markup=False)",
        "Text.from_ansi(x)",
        "self.border_title = name",
        "self.tooltip = f'{name}'",
        "self.app.sub_title = path",
        "Field(x, tooltip=name)",
        "class A:\n    def render(self) -> str:\n        return self.name",
    ],
)
def test_each_slip_is_found(slip: str) -> None:
    assert list(findings(slip)) != []


def test_the_headless_core_has_no_use_for_either_library() -> None:
    assert list(findings("from rich.text import Text", screen=False)) != []
    assert list(findings("from rich.cells import cell_len", screen=False)) == []
