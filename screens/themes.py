"""Colours, last of all: every status has its glyph and word first, so each of these may be missing.

A palette maps style names to rich style definitions. `ansi` uses the terminal's own sixteen colours.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

_COMMON = {
    "strong": "bold",
    "em": "italic",
    "dim": "dim",
    "key": "bold",
    "reverse": "reverse",
    "alarm": "bold reverse",
}

_DARK = {
    **_COMMON,
    "dim": "#8a93a5",
    "ok": "#7bd88f",
    "warn": "#f5c56b",
    "bad": "bold #ff7a7a",
    "info": "#7db7ff",
    "heading": "bold #9cc9ff",
    "code": "#d8cfa8",
    "link": "underline #7db7ff",
    "bar": "on #1c2430",
    "bar-active": "bold on #2f4a6d",
    "cursor": "on #27364a",
    "header": "on #1c2430",
    "header-live": "bold #ffffff on #8c2f39",
    "header-read-only": "bold #ffffff on #1f5f8b",
    "header-rehearsal": "bold #101010 on #e0b040",
    "alarm": "bold #ffffff on #a3273a",
    "advice": "bold #101010 on #e0b040",
    "key": "bold #9cc9ff",
}

_LIGHT = {
    **_COMMON,
    "dim": "#5c6675",
    "ok": "#17702f",
    "warn": "#8a5a00",
    "bad": "bold #b3202f",
    "info": "#1259a8",
    "heading": "bold #0d4a8f",
    "code": "#5b4a12",
    "link": "underline #1259a8",
    "bar": "on #d9e0ea",
    "bar-active": "bold on #b4cdf0",
    "cursor": "on #cfe0f7",
    "header": "on #d9e0ea",
    "header-live": "bold #ffffff on #b3202f",
    "header-read-only": "bold #ffffff on #1259a8",
    "header-rehearsal": "bold #101010 on #e8b93c",
    "alarm": "bold #ffffff on #b3202f",
    "advice": "bold #101010 on #e8b93c",
    "key": "bold #0d4a8f",
}

_ANSI = {
    **_COMMON,
    "ok": "green",
    "warn": "yellow",
    "bad": "bold red",
    "info": "cyan",
    "heading": "bold",
    "code": "",
    "link": "underline",
    "bar": "reverse",
    "bar-active": "bold reverse",
    "cursor": "reverse",
    "header": "",
    "header-live": "bold reverse",
    "header-read-only": "bold reverse",
    "header-rehearsal": "bold reverse",
    "advice": "bold reverse",
}

PALETTES: Mapping[str, Mapping[str, str]] = {
    "textual-dark": _DARK,
    "textual-light": _LIGHT,
    "ansi-dark": _ANSI,
}
THEMES = tuple(PALETTES)


def first_theme(environment: Mapping[str, str] = os.environ) -> str:
    """The theme to begin with: COCKPIT_THEME (dark, light, ansi), else ansi where colours are few or not wanted."""
    asked = {"dark": "textual-dark", "light": "textual-light", "ansi": "ansi-dark"}.get(
        environment.get("COCKPIT_THEME", "")
    )
    if "NO_COLOR" in environment:
        return "ansi-dark"
    if asked:
        return asked
    rich_colours = environment.get("COLORTERM", "") in ("truecolor", "24bit") or "256" in environment.get("TERM", "")
    return "textual-dark" if rich_colours else "ansi-dark"


def palette_of(theme: str) -> Mapping[str, str]:
    """The palette that goes with a theme; unknown ones get the sixteen colours."""
    return PALETTES.get(theme, _ANSI)
