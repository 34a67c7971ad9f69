"""The command line. Arguments are declared here; each command lives in its own file of `commands/`, imported when run.

Exit codes: 0 done and all passed · 1 something failed or a finding was reported · 2 wrong usage or unreadable input ·
3 refused by policy · 130 interrupted.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from functools import partial
from importlib import import_module

from cockpit import __version__
from cockpit.commands import INTERRUPTED
from cockpit.commands.streams import choose_encoding, cleaned_output, open_standard, print_json, silence
from cockpit.errors import CockpitError, UsageError
from cockpit.safety.memory import hide_arguments
from cockpit.safety.telling import told_defect
from cockpit.safety.text import one_line
from cockpit.words import _, choose

# As in the runner: typing is imported by nobody who only prints help.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

Declare = Callable[[argparse.ArgumentParser], None]


def _open(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("runbook", nargs="?", metavar="RUNBOOK", help=_("a Markdown file; none: a first look"))
    parser.add_argument("--read-only", action="store_true", help=_("refuse whatever is not provably read-only"))
    _session_options(parser)


def _watch(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("runbook", nargs="?", metavar="RUNBOOK", help=_("a Markdown file; none: a first look"))
    parser.set_defaults(read_only=True)
    _session_options(parser)


def _session_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help=_("fill an input of the runbook (repeatable)")
    )
    from_file = _("fill an input from a file, which no list of processes shows; - asks, or reads a line of input")
    parser.add_argument("--set-file", action="append", default=[], metavar="NAME=FILE", help=from_file)
    parser.add_argument("--target", metavar="NAME", help=_("where steps run: a target or group of the configuration"))


def _run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("runbook", metavar="RUNBOOK", help=_("a Markdown file"))
    parser.add_argument(
        "--section", metavar="SLUG", help=_("only the steps under this heading, by its anchor (p0-rollback)")
    )
    parser.add_argument(
        "--step",
        action="append",
        default=[],
        metavar="ID",
        help=_("only this step; `cockpit show` has their ids (repeatable)"),
    )
    _session_options(parser)
    of_group = _("of a group only this target (repeatable)")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help=of_group)
    parser.add_argument("--yes", action="store_true", help=_("confirm what asks once, and manual checks"))
    parser.add_argument("--allow-destructive", action="store_true", help=_("with --yes: also what can't be undone"))
    parser.add_argument("--reason", default="", metavar="TEXT", help=_("why, for the record of what is confirmed"))
    parser.add_argument("--dry-run", action="store_true", help=_("say what would run; run nothing"))
    parser.add_argument("--read-only", action="store_true", help=_("refuse whatever is not provably read-only"))
    parser.add_argument("--keep-going", action="store_true", help=_("go on after a step that did not pass"))
    parser.add_argument("--send", action="store_true", help=_("send messages instead of only printing them"))
    _json_option(parser)


def _json_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help=_("JSON on stdout, and nothing else there"))


def _show(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("runbook", metavar="RUNBOOK", help=_("a Markdown file"))
    _json_option(parser)


def _lint(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="+", metavar="PATH", help=_("Markdown files, or folders of them"))
    _json_option(parser)


def _verdict(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("command_text", nargs="?", metavar="COMMAND", help=_("the command; none: standard input"))
    parser.add_argument(
        "--language",
        default="bash",
        help=_("bash, sql, promql, redis, http, powershell, kubernetes, helm, aws, github, argocd"),
    )
    parser.add_argument("--batch", action="store_true", help=_("JSON lines in, one answer a line out"))
    _json_option(parser)


def _sessions(parser: argparse.ArgumentParser) -> None:
    _json_option(parser)


def _attach(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("session", nargs="?", metavar="SESSION", help=_("its id; none: the newest"))
    parser.add_argument("--spectate", action="store_true", help=_("only read"))


def _approve(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("session", nargs="?", metavar="SESSION", help=_("its id; none: whatever waits"))


def _replay(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("session", metavar="SESSION", help=_("its id (`cockpit sessions` lists them), or its folder"))
    parser.add_argument("--speed", type=float, default=1.0, metavar="N", help=_("N times as fast"))


def _export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("session", metavar="SESSION", help=_("its id (`cockpit sessions` lists them), or its folder"))
    parser.add_argument("--output", required=True, metavar="FILE.tar.gz", help=_("where to write it"))


def _verify(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("session", metavar="SESSION", help=_("its id (`cockpit sessions` lists them), or its folder"))
    _json_option(parser)


def _report(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("session", metavar="SESSION", help=_("its id (`cockpit sessions` lists them), or its folder"))
    parser.add_argument("--format", default="markdown", help=_("markdown, html or json"))
    parser.add_argument("--output", metavar="FILE", help=_("write there instead of standard output"))


def _rehearse(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("scenario", nargs="?", metavar="SCENARIO", help=_("its id; none: the P0 rollback"))
    parser.add_argument("--list", action="store_true", help=_("list the scenarios"))
    parser.add_argument("--headless", action="store_true", help=_("without a screen, by a script"))
    parser.add_argument("--script", metavar="FILE", help=_("what the trainee does, a line each"))
    parser.add_argument("--seed", type=int, default=1, metavar="N", help=_("the same seed gives the same world"))
    _json_option(parser)


def _doctor(parser: argparse.ArgumentParser) -> None:
    _json_option(parser)


_USUAL_COLUMNS = 80

COMMANDS: dict[str, tuple[Declare, Callable[[], str]]] = {
    "open": (_open, lambda: _("the screen: live panel and guided runbook (the default)")),
    "watch": (_watch, lambda: _("the screen in read-only mode")),
    "run": (_run, lambda: _("the same engine without a screen")),
    "show": (_show, lambda: _("what the reader made of a document")),
    "lint": (_lint, lambda: _("what a runbook's author should mend")),
    "verdict": (_verdict, lambda: _("what safety says of a command, and why")),
    "doctor": (_doctor, lambda: _("is this machine ready: tools, credentials, reach, permissions")),
    "sessions": (_sessions, lambda: _("recorded sessions, newest first")),
    "attach": (_attach, lambda: _("join a session again")),
    "approve": (_approve, lambda: _("as a second person, approve what another user wants to run")),
    "replay": (_replay, lambda: _("the screen, from a recorded session")),
    "verify": (_verify, lambda: _("check a session's record")),
    "report": (_report, lambda: _("the incident report of a session")),
    "export": (_export, lambda: _("a session as one archive, with its hashes")),
    "rehearse": (_rehearse, lambda: _("a GameDay rehearsal in a world of its own")),
}


class _Parser(argparse.ArgumentParser):
    """Says wrong usage in one line, like every other error, and knows the terminal's width without shutil."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(formatter_class=partial(argparse.HelpFormatter, width=_columns() - 2), **settings)

    def error(self, message: str) -> NoReturn:
        mend = _("`{prog} --help` says more").format(prog=self.prog)
        self.exit(UsageError.exit_code, f"cockpit: {one_line(message)} ({mend})\n")


def _columns() -> int:
    """As shutil says it, which imports three kinds of compression."""
    given = os.environ.get("COLUMNS", "")
    if given.isdecimal() and int(given):
        return int(given)
    try:
        return os.get_terminal_size(1).columns or _USUAL_COLUMNS
    except OSError:
        return _USUAL_COLUMNS


def parser_of(name: str | None = None) -> argparse.ArgumentParser:
    """The parser with every command's one-line help, and the arguments of `name` only (all of them when None)."""
    parser = _Parser(
        prog="cockpit",
        description=_("A Markdown runbook beside a live panel, run step by step, on the record."),
        epilog=_("`cockpit RUNBOOK` opens the screen. `cockpit COMMAND --help` says more."),
    )
    parser.add_argument("--version", action="version", version=f"cockpit {__version__}")
    parser.add_argument("--lang", choices=["en", "ko"], help=_("language of the interface"))
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command, (declare, about) in COMMANDS.items():
        sub = commands.add_parser(command, help=about(), description=about())
        if name in (None, command):
            sub.add_argument(
                "--config",
                metavar="FILE",
                help=_("the configuration, instead of cockpit.toml here or in ~/.config/cockpit"),
            )
            sub.add_argument("--lang", choices=["en", "ko"], default=argparse.SUPPRESS, help=argparse.SUPPRESS)
            declare(sub)
    return parser


def with_default_command(arguments: list[str]) -> list[str]:
    """`cockpit RUNBOOK` is `cockpit open RUNBOOK`; options before the command stay before it."""
    position = 0
    while position < len(arguments) and arguments[position].startswith("-"):
        if arguments[position] in ("-h", "--help", "--version"):
            return arguments
        if arguments[position] == "--lang":
            position += 1
        elif not arguments[position].startswith("--lang="):
            break
        position += 1
    if position < len(arguments) and arguments[position] in COMMANDS:
        return arguments
    return [*arguments[:position], "open", *arguments[position:]]


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns its exit code. Errors become one line on stderr, never a traceback."""
    open_standard()
    with cleaned_output():
        return _main(arguments)


def _main(arguments: list[str] | None) -> int:
    choose()
    given = with_default_command(list(sys.argv[1:] if arguments is None else arguments))
    if "--lang" in given[:-1]:
        choose(given[given.index("--lang") + 1])
    name = next((word for word in given if word in COMMANDS), None)
    options = parser_of(name).parse_args(given)
    if given_values := getattr(options, "set", None):
        hide_arguments(value.partition("=")[2] for value in given_values)
    as_json = getattr(options, "json", False) or getattr(options, "format", "") == "json"
    choose_encoding("utf-8" if as_json else None)
    if as_json or getattr(options, "batch", False):
        print_json()
    try:
        command = import_module(f"cockpit.commands.{options.command}")
        code: int = command.run(options)
        sys.stdout.flush()
    except CockpitError as error:
        print(f"cockpit: {one_line(str(error))}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        silence()  # the reader of our output went away, as `head` does: not an error of ours
        return 0
    except OSError as error:
        where = error.filename or _("standard output")
        print(f"cockpit: {one_line(str(where))}: {error.strerror}", file=sys.stderr)
        silence()
        return UsageError.exit_code
    except Exception as error:  # noqa: BLE001  # a defect of ours must not bury a responder in a traceback
        print(f"cockpit: {told_defect(error)}", file=sys.stderr)
        return 1
    return code


if __name__ == "__main__":
    sys.exit(main())
