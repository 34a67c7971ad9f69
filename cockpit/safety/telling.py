"""Words of our own and of documents on their way to a terminal: masked, sanitised, on one line."""

from __future__ import annotations

import os

from cockpit.safety.text import one_line, sanitise
from cockpit.words import _


def shown(text: str) -> str:
    """A document's words on one line, as a terminal may have them: its own secrets masked."""
    from cockpit.safety.redaction.redactor import Redactor

    return one_line(Redactor().redact(text))


def told(text: str) -> str:
    """A message as a terminal may have it: no secret that the environment holds or a pattern tells, no control."""
    if not text.strip():
        return text
    # Imported here: most commands have nothing to complain of, and it takes a while.
    from cockpit.safety.redaction.redactor import Redactor, secrets_of_environment

    return sanitise(Redactor(secrets_of_environment(os.environ)).redact(text))


def told_defect(error: BaseException | None) -> str:
    """One line about an error that nobody expected, with its traceback in a private file, without variables."""
    import tempfile
    import traceback

    with tempfile.NamedTemporaryFile("w", prefix="cockpit-defect-", suffix=".txt", delete=False) as file:
        file.write(told("".join(traceback.format_exception(error))))
    what = _("a defect of the cockpit itself: {error}; details in {path}").format(error=repr(error), path=file.name)
    return one_line(told(what))
