"""Interface words, from one gettext catalogue: English in the source, Korean in locale/ko.

Runbook text never goes through here: it stays as its authors wrote it.
"""

from __future__ import annotations

import gettext
import os

LANGUAGES = ("en", "ko")
_catalogue: gettext.NullTranslations = gettext.NullTranslations()
_chosen = "en"


def choose(language: str | None = None) -> str:
    """Set the interface language and return it.

    Args:
        language: "en" or "ko"; None asks LC_ALL, LC_MESSAGES and LANG, in POSIX order. Anything else is English.
    """
    global _catalogue, _chosen
    wanted = language or next((os.environ[k] for k in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(k)), "")
    code = wanted.replace("-", "_").split("_")[0].split(".")[0].lower()
    _chosen = code if code in LANGUAGES else "en"
    folder = f"{__file__.rpartition(os.sep)[0]}{os.sep}locale"  # pathlib would be a tenth of what `--help` takes
    _catalogue = gettext.translation("cockpit", localedir=folder, languages=[_chosen], fallback=True)
    return _chosen


def chosen() -> str:
    """The language in force: "en" or "ko"."""
    return _chosen


def _(message: str) -> str:
    """The message in the chosen language."""
    return _catalogue.gettext(message)


def plural(one: str, many: str, n: int) -> str:
    """The message for a count, in the chosen language."""
    return _catalogue.ngettext(one, many, n)


def shortened(text: str, most: int) -> str:
    """The text, or its beginning and a `…`: by that the redactor knows that a secret may have been cut in two there.

    Text that may hold a secret, and has not been redacted, is cut in no other way.
    """
    return text if len(text) <= most else text[: most - 1] + "…"
