"""The report in Markdown, through a template. Every value is escaped unless it is known to be markup of our own."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

from cockpit.report.gathering import Gathered, gather
from cockpit.report.wording import both_times, duration, result, sentence, status_word, term, utc
from cockpit.safety.text import escape_markdown, sanitise
from cockpit.session.record.folder import SessionFolder
from cockpit.words import _, choose

_BACKTICKS = re.compile(r"`+")


class Markup(str):
    """Text that is Markdown already and is put in as it is."""

    __slots__ = ()


def render(folder: SessionFolder, language: str | None = None) -> str:
    """The report of a session as it stands.

    Args:
        language: "en" or "ko"; None keeps the one chosen already.

    Raises:
        JournalError: there is no journal, or it can't be read.
    """
    if language is not None:
        choose(language)
    return rendered(gather(folder))


def rendered(gathered: Gathered) -> str:
    """The report of what was gathered."""
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    environment = Environment(
        loader=PackageLoader("cockpit.report"),
        # HTML's escapes are not Markdown's: `finalize` escapes instead, whatever the template forgets.
        autoescape=select_autoescape(()),
        finalize=_escaped,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals |= {
        "_": lambda message: Markup(_(message)),
        "both_times": both_times,
        "utc": utc,
        "duration": duration,
        "result": result,
        "status_word": status_word,
        "term": term,
        "sentence": partial(sentence, facts=gathered.facts),
    }
    environment.filters |= {"fence": fence, "cell": cell, "code": code}
    text = environment.get_template("report.md.j2").render(
        facts=gathered.facts, verification=gathered.verification, tails=gathered.tails
    )
    return text.strip() + "\n"


def fence(text: str, language: str = "") -> Markup:
    """A code block that its content can't close."""
    clean = sanitise(text).strip("\n")
    longest = max((len(run) for run in _BACKTICKS.findall(clean)), default=0)
    mark = "`" * max(3, longest + 1)
    return Markup(f"{mark}{re.sub('[^A-Za-z0-9+-]', '', language)}\n{clean}\n{mark}")


def cell(text: object) -> Markup:
    """A value inside a line: of one line itself, and with no care for what means something at a line's start only."""
    return Markup(escape_markdown(f"x{_on_one_line(text)}")[1:])


def code(text: object) -> Markup:
    """A short value in a code span that its content can't close."""
    clean = " ".join(sanitise(str(text)).split())
    if not clean:
        return Markup("")
    longest = max((len(run) for run in _BACKTICKS.findall(clean)), default=0)
    mark = "`" * (longest + 1)
    pad = " " if clean.startswith("`") or clean.endswith("`") else ""
    # Tables are cut at every bare bar, even one in a code span.
    return Markup(f"{mark}{pad}{clean}{pad}{mark}".replace("|", "\\|"))


def _escaped(value: Any) -> str:
    if isinstance(value, Markup):
        return value
    return "" if value is None else escape_markdown(_on_one_line(value))


def _on_one_line(value: object) -> str:
    return sanitise(str(value)).replace("\n", " ⏎ ")
