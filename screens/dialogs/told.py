"""What a person is told of a command before it runs: where, its effect, the exact text, with what, and the way back."""

from __future__ import annotations

from collections.abc import Sequence

from cockpit.safety.text import odd_characters, visible
from cockpit.session.record.fanout import FEW, some_of
from cockpit.session.steps.proposal import Proposal
from cockpit.words import _, plural
from screens.alerts import with_alert_word
from screens.marks import environment_style, verdict_word
from screens.paint import BLANK, Line, Span, pad, plain_rows, wrapped

_LABEL_CELLS = 10
_MOST_ODD = 6


def proposal_rows(proposal: Proposal, warning: str, width: int) -> list[Line]:
    """The rows of a confirmation. The place comes first: it is what people get wrong; nothing is ever cut off.

    Args:
        warning: what the runbook's author warns of at this step.
    """
    rows = _labelled(_("where"), [*_where(proposal)], width)
    rows += _targets(proposal, width)
    rows += _labelled(_("effect"), [verdict_word(proposal.verdict)], width)
    rows += _labelled(_("folder"), [(visible(proposal.cwd or ""), "")], width)
    rows += [BLANK, *_command(proposal.command, width)]
    rows += _oddities(proposal.command, width)
    if warning:
        rows += wrapped(with_alert_word([(warning, "warn")]), width - 1, first=" ! ", rest="   ")
    for number, reason in enumerate(proposal.reasons):
        rows += _labelled(_("because") if number == 0 else "", [(visible(reason), "")], width)
    for name, value in proposal.values.items():
        rows += _labelled(_("input"), [(f"{visible(name)} = {visible(value)}", "")], width)
    rows += _labelled(_("inside"), [(visible(proposal.inside or ""), "warn")], width)
    rows += _labelled(_("way back"), [(visible(proposal.undo), "code")], width)
    if proposal.edited:
        rows += wrapped([(_("edited: the difference goes into the record"), "warn")], width - 1, first=" ", rest=" ")
    if len(proposal.group) > FEW:
        rows += [BLANK, *_labelled(_("targets"), [(_named(proposal.group), "")], width)]
    return rows


def _where(proposal: Proposal) -> list[Span]:
    environment = visible(proposal.environment)
    place = f"  {visible(proposal.place)}" if proposal.place else ""
    target = [(visible(proposal.target), "strong"), (place, "")]
    return [(f" {environment} ", environment_style(environment)), ("  ", ""), *target] if environment else target


def _targets(proposal: Proposal, width: int) -> list[Line]:
    """How many targets a group has, and how they follow each other. The names of many come last, behind the command."""
    if not proposal.group:
        return []
    count = plural("{count} target", "{count} targets", len(proposal.group)).format(count=len(proposal.group))
    names = _named(proposal.group) if len(proposal.group) <= FEW else visible(some_of(proposal.group))
    rows = _labelled(_("targets"), [(f"{count}: ", "strong"), (names, "")], width)
    return [*rows, *_labelled(_("manner"), [(proposal.manner, "")], width)]


def _named(targets: Sequence[str]) -> str:
    return ", ".join(map(visible, targets))


def _labelled(label: str, spans: list[Span], width: int) -> list[Line]:
    """A label and what it is about, folded where it is long; nothing where there is nothing to tell."""
    if not any(text for text, _style in spans):
        return []
    return wrapped(spans, width - 1, first=pad(f" {label}", _LABEL_CELLS), rest=" " * _LABEL_CELLS)


def _command(command: str, width: int) -> list[Line]:
    """The exact text: $ before its first line, > before each further one, nothing before what is folded."""
    rows = []
    for number, each in enumerate(visible(command.rstrip("\n")).split("\n")):
        mark = " $ " if number == 0 else " > "
        for piece, row in enumerate(plain_rows(each, width - 4, "code")):
            rows.append(Line(((mark if piece == 0 else "   ", "key"), *row.spans)))
    return rows


def _oddities(command: str, width: int) -> list[Line]:
    """A loud word on letters that are not what they look like, and on what would not be seen at all.

    Comments aside, where dashes and quotes are a matter of taste; in the text above they are named there too.
    """
    found = odd_characters("\n".join(each for each in command.split("\n") if not each.lstrip().startswith("#")))
    if not found:
        return []
    more = " …" if len(found) > _MOST_ODD else ""
    told = _("not what they look like, or not to be seen: {characters}").format(
        characters="  ".join(found[:_MOST_ODD]) + more
    )
    return wrapped([(told, "bad")], width - 1, first=" ! ", rest="   ")
