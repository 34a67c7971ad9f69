"""Values for inputs from the command line: plain ones as they stand there, secret ones from a file or the keyboard."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cockpit.errors import UsageError
from cockpit.safety.text import one_line
from cockpit.words import _

if TYPE_CHECKING:
    from cockpit.runbook.model import Runbook

_ASKED = "-"


def given_values(options: argparse.Namespace) -> dict[str, str]:
    """Every value that was given, by input name.

    Raises:
        UsageError: not NAME=VALUE or NAME=FILE, a file that can't be read, or a value that no command could take.
    """
    return assignments(options.set) | {name: _read(name, file) for name, file in _pairs(options.set_file, "--set-file")}


def assignments(given: Sequence[str]) -> dict[str, str]:
    """`--set NAME=VALUE` arguments as a mapping.

    Raises:
        UsageError: one without a name or an equals sign, or whose value no command could take.
    """
    return {name: _checked(name, value) for name, value in _pairs(given, "--set")}


def tell_of_secrets(runbook: Runbook, given: Sequence[str]) -> None:
    """Of `--set` arguments that fill secret inputs: on stderr, how that is done without everybody seeing them."""
    for name in assignments(given):
        blank = runbook.input(name)
        if blank is not None and blank.secret:
            told = _("{name} is secret, and lists of processes showed it: --set-file {name}=FILE keeps it from them")
            print(f"cockpit: {one_line(told.format(name=name))}", file=sys.stderr)


def _pairs(given: Sequence[str], option: str) -> Iterable[tuple[str, str]]:
    for text in given:
        name, equals, value = text.partition("=")
        if not name or not equals:
            shape = "NAME=VALUE" if option == "--set" else "NAME=FILE"
            raise UsageError(_("not {shape}: {text}").format(shape=shape, text=text), where=option)
        yield name, value


def _read(name: str, file: str) -> str:
    """What a file holds, but for the line end that editors put there."""
    if file == _ASKED:
        return _checked(name, _asked(name))
    try:
        text = Path(file).expanduser().read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or _("it is not text")
        raise UsageError(
            _("{file} can't be read: {reason}").format(file=file, reason=reason), where=f"--set-file {name}"
        ) from error
    return _checked(name, text.removesuffix("\n").removesuffix("\r"))


def _asked(name: str) -> str:
    """From the keyboard, which does not show it; where input comes from elsewhere, its next line."""
    if sys.stdin.isatty():
        from getpass import getpass

        return getpass(f"{name}: ")
    line = sys.stdin.readline()
    if not line:
        raise UsageError(_("there is no input to read {name} from").format(name=name), where="--set-file")
    return line.removesuffix("\n").removesuffix("\r")


def _checked(name: str, value: str) -> str:
    from cockpit.session.record.inputs import check_value

    check_value(name, value)
    return value
