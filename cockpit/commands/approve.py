"""`cockpit approve`: a second person looks at what another user wants to run, and says yes or no."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cockpit.errors import CockpitError, PolicyRefusal, UsageError
from cockpit.places import user_name
from cockpit.safety.text import odd_characters, visible
from cockpit.session.host.second_person import ask_line, lines
from cockpit.session.steps.approvals import digest_of
from cockpit.words import _

_LABELS = ("environment", "target", "place", "cwd", "verdict", "by", "reason")


def run(options: argparse.Namespace) -> int:
    """Show each thing that waits, and take a word on it: 0 all approved, 1 nothing waits or something was left out."""
    if not sys.stdin.isatty():
        raise UsageError(_("a second person has to read this: it needs a terminal"))
    words = [_decide(*waiting) for waiting in _waiting(options.session)]
    if not words:
        print(_("nothing waits for a second person"))
    return 0 if words and all(words) else 1


def _waiting(session: str | None) -> Iterator[tuple[Path, str, str, dict[str, Any]]]:
    """(line, whose session, number, what is shown) of all that waits on every line that can be reached."""
    for line in lines():
        if session and not line.name.startswith(f"{session}-"):
            continue
        try:
            answer, uid = ask_line(line, {"do": "look"})
        except PolicyRefusal:
            raise
        except (OSError, ValueError, CockpitError):
            continue  # a host that is gone leaves its line behind
        for each in answer.get("waiting", ()):
            whose = f"{answer.get('session')} ({user_name(uid)})"
            yield line, whose, str(each["approval"]), dict(each["shown"])


def _decide(line: Path, whose: str, number: str, shown: dict[str, Any]) -> bool:
    """Show one, take a word, and send it. True when it was approved."""
    _print(whose, shown)
    target = str(shown["target"])
    said = input(_("type {target} to approve, no to deny, nothing to leave it: ").format(target=visible(target)))
    if said not in (target, "no"):
        print(_("left as it is"))
        return False
    word = "approve" if said == target else "deny"
    ask_line(line, {"do": word, "approval": number, "digest": digest_of(shown)})
    print(_("approved, for one run within ten minutes") if said == target else _("denied"))
    return said == target


def _print(whose: str, shown: dict[str, Any]) -> None:
    """All of it, with nothing hidden in it: the text comes from another user."""
    print(f"\n== {visible(whose)}: {_one_line(shown['step'])}")
    for label in _LABELS:
        if shown.get(label):
            print(f"   {label:<12} {_one_line(shown[label])}")
    if shown.get("targets"):
        print(f"   {'targets':<12} {_one_line(', '.join(map(str, shown['targets'])))}")
    for number, each in enumerate(visible(str(shown["command"]).rstrip("\n")).split("\n")):
        print(f"{' $' if number == 0 else ' >'} {each}")
    if odd := odd_characters(str(shown["command"])):
        print(" ! " + _("not what they look like, or not to be seen: {characters}").format(characters="  ".join(odd)))
    for name, value in dict(shown.get("inputs", {})).items():
        print(f"   {_one_line(name)} = {_one_line(value)}")
    for reason in shown.get("reasons", ()):
        print(f"   - {_one_line(reason)}")
    if shown.get("undo"):
        print(f"   {_('way back')}: {_one_line(shown['undo'])}")


def _one_line(text: object) -> str:
    return visible(str(text)).replace("\n", "<U+000A>")
