"""The message catalogue is whole, and text is never formatted into markup."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parents[3]
FILES = sorted(path for folder in ("cockpit", "screens") for path in (ROOT / folder).rglob("*.py"))
TEMPLATES = sorted((ROOT / "cockpit" / "report" / "templates").glob("*.j2"))
TOLD = re.compile(r'\b_\("([^"]+)"\)')
# The templates' words come through here; they are looked for in the templates themselves.
TEMPLATE_DOOR = ROOT / "cockpit" / "report" / "markdown.py"
KOREAN = ROOT / "cockpit" / "locale" / "ko" / "LC_MESSAGES"


def _calls(path: Path, names: set[str]) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if name in names:
                yield node


def _messages() -> set[str]:
    """Every message of the source and of the report's templates; a plural by its singular."""
    written = {text for path in TEMPLATES for text in TOLD.findall(path.read_text(encoding="utf-8"))}
    return written | {
        node.args[0].value
        for path in FILES
        for node in _calls(path, {"_", "plural"})
        if node.args and isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str)
    }


def _fields(text: str) -> set[str]:
    try:
        return {name for _text, name, _spec, _conversion in string.Formatter().parse(text) if name is not None}
    except ValueError:
        return set()  # braces that are meant as they stand: such a message is never formatted


def _forms(of: object) -> list[str]:
    return [str(form) for form in (of if isinstance(of, list | tuple) else [of])]


@pytest.fixture(scope="module")
def korean() -> Catalog:
    with (KOREAN / "cockpit.po").open("rb") as file:
        return read_po(file, locale="ko")


def _place(path: Path, call: ast.Call) -> str:
    return f"{path.relative_to(ROOT)}:{call.lineno}"


def test_messages_are_plain_texts_that_can_be_found() -> None:
    hidden = [
        _place(path, call)
        for path in FILES
        for call in _calls(path, {"_"})
        if not isinstance(call.args[0], ast.Constant) and path != TEMPLATE_DOOR
    ]
    assert hidden == []


def test_every_message_is_in_korean(korean: Catalog) -> None:
    translated = {_forms(message.id)[0] for message in korean if message.id and all(_forms(message.string))}
    assert sorted(_messages() - translated) == []


def test_translations_keep_their_blanks(korean: Catalog) -> None:
    wrong = [
        message.id
        for message in korean
        if message.id and any(_fields(form) - _fields(" ".join(_forms(message.id))) for form in _forms(message.string))
    ]
    assert wrong == []


def test_the_compiled_catalogue_is_the_written_one(korean: Catalog) -> None:
    with (KOREAN / "cockpit.mo").open("rb") as file:
        compiled = read_mo(file)
    wanted = {_forms(message.id)[0]: _forms(message.string) for message in korean if message.id}
    assert {_forms(message.id)[0]: _forms(message.string) for message in compiled if message.id} == wanted


BANNED = {"from_markup", "render_markup", "escape_markup"}


def _reads_markup(call: ast.Call) -> bool:
    name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
    if name in BANNED:
        return True
    return any(
        keyword.arg == "markup" and not (isinstance(keyword.value, ast.Constant) and keyword.value.value is False)
        for keyword in call.keywords
    )


def test_text_is_never_read_as_markup() -> None:
    named = BANNED | {"Static", "Label", "Button", "notify", "Content", "RichLog", "Console", "print"}
    assert [_place(path, call) for path in FILES for call in _calls(path, named) if _reads_markup(call)] == []
