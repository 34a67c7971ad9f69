"""`cockpit report`: the incident report of a session."""

from __future__ import annotations

import argparse
from importlib import import_module
from pathlib import Path

from cockpit.errors import UsageError
from cockpit.session.record.folder import find_session
from cockpit.session.record.roots import state_roots
from cockpit.words import _


def run(options: argparse.Namespace) -> int:
    """Write the report in the chosen format."""
    from cockpit.report import FORMATS

    if options.format not in FORMATS:
        raise UsageError(
            _("no report format is called {name}").format(name=options.format),
            mend=_("known ones: {names}").format(names=", ".join(sorted(FORMATS))),
        )
    module, _colon, function = FORMATS[options.format].partition(":")
    render = getattr(import_module(module), function)
    text = render(find_session(state_roots(), options.session))
    if not options.output:
        print(text, end="" if text.endswith("\n") else "\n")
        return 0
    try:
        Path(options.output).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(_("the report can't be written: {error}").format(error=error), where=options.output) from error
    return 0
