"""Every key, once. Bindings, help, footer and palette are all made from these tables.

What can't be done is not offered: a spectator's tables hold what looks, a recording's what goes about in it too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.binding import Binding

from cockpit.words import _
from screens.view import LinkState

if TYPE_CHECKING:
    from screens.view import View

# Where each letter lies on a two-set Korean keyboard: with the Hangul layout on, the same key does the same thing.
_HANGUL = dict(zip("qwertyuiopasdfghjklzxcvbnm", "ㅂㅈㄷㄱㅅㅛㅕㅑㅐㅔㅁㄴㅇㄹㅎㅗㅓㅏㅣㅋㅌㅊㅍㅠㅜㅡ", strict=True))
_HANGUL |= {"R": "ㄲ"}


@dataclass(frozen=True, slots=True)
class Key:
    """Keys of one action. `shown` is how they are written; `palette` puts the action into the command palette.

    `looks`: it changes nothing, neither the world nor the record.
    """

    action: str
    keys: tuple[str, ...]
    shown: str
    palette: bool = True
    looks: bool = False


KEYS: tuple[Key, ...] = (
    Key("enter", ("enter",), "Enter"),
    Key("tick", ("space",), "Space"),
    Key("down", ("down", "j"), "j ↓", palette=False, looks=True),
    Key("up", ("up", "k"), "k ↑", palette=False, looks=True),
    Key("first", ("g", "home"), "g", looks=True),
    Key("last", ("G", "end"), "G", looks=True),
    Key("page_down", ("pagedown", "ctrl+f"), "PgDn", palette=False, looks=True),
    Key("page_up", ("pageup", "ctrl+b"), "PgUp", palette=False, looks=True),
    Key("next_pane", ("tab",), "Tab", palette=False, looks=True),
    Key("previous_pane", ("shift+tab",), "S-Tab", palette=False, looks=True),
    Key("answer", ("v",), "v"),
    Key("edit", ("e",), "e"),
    Key("inputs", ("i",), "i"),
    Key("skip", ("s",), "s"),
    Key("reopen", ("u",), "u"),
    Key("note", ("n",), "n"),
    Key("message", ("m",), "m"),
    Key("advice", ("r",), "r", looks=True),
    Key("target", ("t",), "t"),
    Key("copy", ("y",), "y", looks=True),
    Key("block", ("b",), "b"),
    Key("output", ("f",), "f", looks=True),
    Key("logs", ("l",), "l", looks=True),
    Key("probe", ("p",), "p", looks=True),
    Key("search", ("slash",), "/", looks=True),
    Key("search_next", ("f3",), "F3", looks=True),
    Key("palette", ("colon", "ctrl+p"), ":", looks=True),
    Key("help", ("question_mark", "f1"), "?", looks=True),
    Key("revive", ("R",), "R"),
    Key("stop", ("ctrl+c",), "Ctrl-C"),
    Key("back", ("escape",), "Esc", palette=False, looks=True),
    Key("leave", ("q", "ctrl+q"), "q", looks=True),
    Key("reveal", (), ""),
    Key("severity", (), ""),
    Key("mode", (), ""),
    Key("theme", (), "", looks=True),
    Key("fresh_shell", (), ""),
    Key("end", (), ""),
)

KEPT_LOGS = Key("kept_logs", ("l",), "l", looks=True)
REPLAY_KEYS: tuple[Key, ...] = (
    Key("pause", ("space",), "Space", looks=True),
    Key("earlier", ("left",), "<-", looks=True),
    Key("later", ("right",), "->", looks=True),
    Key("event_before", ("left_square_bracket",), "[", looks=True),
    Key("event_after", ("right_square_bracket",), "]", looks=True),
    Key("slower", ("minus",), "-", looks=True),
    Key("faster", ("plus", "equals_sign"), "+", looks=True),
    Key("jump", ("t",), "t", looks=True),
    KEPT_LOGS,
)
"""Of a recording alone; where they share a key with another action, that one isn't there."""

# There is no service to ask in a recording, and the logs that were followed have gone on since.
_NOT_RECORDED = frozenset({"probe", "logs"})


def offered(view: View) -> tuple[Key, ...]:
    """The keys that do something for this viewer, at this moment."""
    if view.clock.recorded:
        return (*REPLAY_KEYS, *(key for key in KEYS if key.looks and key.action not in _NOT_RECORDED))
    if view.spectator or view.state.ended_t:
        looks = tuple(key for key in KEYS if key.looks)
        return looks if not view.state.ended_t else (*(k for k in looks if k.action not in _NOT_RECORDED), KEPT_LOGS)
    absent = {"revive"} if view.link is not LinkState.LOST else set()
    if view.refused:
        absent |= {"enter", "block"}
    return tuple(key for key in KEYS if key.action not in absent)


def about(action: str) -> str:
    """What an action does, for help and palette."""
    return {
        "enter": _("run the step under the cursor, asking first where that is due; tick a check"),
        "tick": _("tick a check, or take the tick back"),
        "down": _("next step; scroll in other panes"),
        "up": _("previous step; scroll in other panes"),
        "first": _("go to the first step"),
        "last": _("go to the last step"),
        "page_down": _("scroll a page down"),
        "page_up": _("scroll a page up"),
        "next_pane": _("next pane"),
        "previous_pane": _("previous pane"),
        "answer": _("say whether it holds: a check, a question about an output, a step done by hand"),
        "edit": _("edit the command before it runs; the difference is recorded"),
        "inputs": _("fill in the step's inputs"),
        "skip": _("skip the step, with a reason"),
        "reopen": _("take a tick or a skip back"),
        "note": _("write a note into the record"),
        "message": _("preview and copy the step's message"),
        "advice": _("go to the section that is recommended, or to an alert's runbook"),
        "target": _("choose where steps run"),
        "copy": _("copy the command, bare"),
        "block": _("run all commands of the block at once"),
        "output": _("show the output on the whole screen"),
        "logs": _("show the followed logs"),
        "probe": _("look at the open panel's service now"),
        "search": _("search in the runbook"),
        "search_next": _("next match"),
        "palette": _("commands, and every section to jump to"),
        "help": _("show the keys"),
        "revive": _("start the host again after it was lost"),
        "stop": _("stop the running step: press it twice; it never ends the screen"),
        "back": _("back; never confirms anything"),
        "leave": _("leave the screen; the session goes on"),
        "reveal": _("show a secret that was typed in; that is recorded"),
        "severity": _("set the incident's severity"),
        "mode": _("change between read-write and read-only"),
        "theme": _("next theme: dark, light, sixteen colours"),
        "fresh_shell": _("fresh shell: forget the folder and the variables that steps left"),
        "end": _("end the session"),
        "pause": _("hold the recording, or let it go on"),
        "earlier": _("ten seconds back"),
        "later": _("ten seconds on"),
        "event_before": _("back to what happened before"),
        "event_after": _("on to what happens next"),
        "slower": _("half as fast"),
        "faster": _("twice as fast"),
        "jump": _("go to a time of the incident"),
        "kept_logs": _("show the log lines that the record holds"),
    }[action]


def short(action: str) -> str:
    """What an action is called in the footer."""
    return {
        "enter": _("run"),
        "answer": _("answer"),
        "note": _("note"),
        "skip": _("skip"),
        "edit": _("edit"),
        "inputs": _("inputs"),
        "message": _("message"),
        "search": _("search"),
        "palette": _("menu"),
        "help": _("help"),
        "leave": _("leave"),
        "stop": _("stop"),
        "output": _("output"),
        "next_pane": _("pane"),
        "back": _("back"),
        "tick": _("tick"),
        "reopen": _("take back"),
    }[action]


def log_keys() -> list[tuple[str, str]]:
    """The keys of outputs and logs, as (key, word)."""
    return [
        ("Esc", _("back")),
        ("/", _("search")),
        ("f", _("only lines with")),
        ("s", _("severity")),
        ("Space", _("pause")),
        ("w", _("wrap")),
        ("[ ]", _("other log")),
        ("G", _("follow")),
    ]


def replay_keys() -> list[tuple[str, str]]:
    """The keys that go about in a recording, as (key, word)."""
    return [
        ("Space", _("hold")),
        ("<- ->", _("10 s")),
        ("[ ]", _("event")),
        ("- +", _("speed")),
        ("t", _("time")),
    ]


def shown(action: str) -> str:
    """How the action's key is written."""
    return BY_ACTION[action].shown


BY_ACTION: Mapping[str, Key] = {key.action: key for key in (*KEYS, *REPLAY_KEYS)}


def bindings() -> list[Binding]:
    """The table as Textual wants it: Hangul letters beside Latin ones, digits for panels."""
    digits = [Binding(str(digit), f"panel({digit})", show=False) for digit in range(10)]
    return [*_bound(KEYS), *digits]


def replay_bindings() -> list[Binding]:
    """What a recording has besides, in the place of what can't be done there."""
    return _bound(REPLAY_KEYS)


def _bound(keys: Iterable[Key]) -> list[Binding]:
    made = []
    for key in keys:
        for each in key.keys:
            made.append(Binding(each, key.action, show=False, priority=each in ("ctrl+c", "ctrl+q")))
            if each in _HANGUL:
                made.append(Binding(_HANGUL[each], key.action, show=False))
    return made
