"""Text that is out to fool a terminal, a reader or a renderer, and what is left of it in bytes sent to a terminal.

Each piece says what a person must see of it where it is shown (`seen`). Written down by hand, from what terminals and
renderers act upon; `tests/pilot/test_paint.py` puts every piece through every source of the screen, and
`tests/unit/cli/test_hostile_commands.py` through every command.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple


class Hostile(NamedTuple):
    """One piece: its name, the text, and how it must be seen."""

    name: str
    text: str
    seen: str


_E = "\x1b"
_TAGGED = "".join(chr(0xE0000 + ord(letter)) for letter in "rm")

TEXTS: tuple[Hostile, ...] = (
    # What moves, hides or recolours.
    Hostile("conceal", f"{_E}[8;5mhidden", "hidden"),
    Hostile("clear", f"{_E}[2J{_E}[3J", "␛[2J␛[3J"),
    Hostile("move up and overwrite", f"{_E}[9A{_E}[2K", "␛[9A␛[2K"),
    Hostile("jump", f"{_E}[7;7f", "␛[7;7f"),
    Hostile("scroll region", f"{_E}[5;6r", "␛[5;6r"),
    Hostile("leave the screen", f"{_E}[?47l{_E}[?1047l", "␛[?47l␛[?1047l"),
    Hostile("mouse on", f"{_E}[?1005h", "␛[?1005h"),
    Hostile("reset", f"{_E}c", "␛c"),
    Hostile("index", f"{_E}M{_E}D", "␛M␛D"),
    Hostile("charset", f"{_E}(0lqk", "␛(0lqk"),
    Hostile("shift out", "\x0e\x0f", "␎␏"),
    Hostile("repeat", f"x{_E}[99b", "x␛[99b"),
    Hostile("window size", f"{_E}[8;1;1t", "␛[8;1;1t"),
    # Strings of control.
    Hostile("clipboard", f"{_E}]52;c;ZXZpbA==\x07", "␛]52;c;ZXZpbA==␇"),
    Hostile("clipboard, ST", f"{_E}]52;c;ZXZpbA=={_E}\\", "␛]52;c;ZXZpbA==␛\\"),
    Hostile("link", f"{_E}]8;;http://evil.invalid{_E}\\x{_E}]8;;{_E}\\", "␛]8;;http://evil.invalid␛\\x␛]8;;␛\\"),
    Hostile("title", f"{_E}]0;pwned\x07", "␛]0;pwned␇"),
    Hostile("title in C1", "\x9d2;pwned\x9c", "\\x9d2;pwned\\x9c"),
    Hostile("run a program", f"{_E}]9;7;cmd{_E}\\", "␛]9;7;cmd␛\\"),
    Hostile("notification", f"{_E}]777;notify;a;b\x07", "␛]777;notify;a;b␇"),
    Hostile("palette", f"{_E}]4;1;rgb:00/00/00\x07", "␛]4;1;rgb:00/00/00␇"),
    Hostile("file, iTerm2", f"{_E}]1337;File=inline=1:AAAA\x07", "␛]1337;File=inline=1:AAAA␇"),
    Hostile("sixel", f"{_E}Pq#0;2;0;0;0~-{_E}\\", "␛Pq#0;2;0;0;0~-␛\\"),
    Hostile("kitty picture", f"{_E}_Ga=T,f=24,s=1,v=1;AAAA{_E}\\", "␛_Ga=T,f=24,s=1,v=1;AAAA␛\\"),
    Hostile("privacy message", f"{_E}^secret{_E}\\", "␛^secret␛\\"),
    Hostile("start of string", f"{_E}Xsos{_E}\\", "␛Xsos␛\\"),
    Hostile("tmux passthrough", f"{_E}Ptmux;{_E}{_E}]52;c;eA==\x07{_E}\\", "␛Ptmux;␛␛]52;c;eA==␇␛\\"),
    # Questions that a terminal answers by typing.
    Hostile("device attributes", f"{_E}[c{_E}[>c{_E}Z", "␛[c␛[>c␛Z"),
    Hostile("where is the cursor", f"{_E}[6n{_E}[5n", "␛[6n␛[5n"),
    Hostile("report the title", f"{_E}[21t", "␛[21t"),
    Hostile("answerback", "\x05", "␅"),
    Hostile("request settings", f"{_E}P$qm{_E}\\", "␛P$qm␛\\"),
    Hostile("one-byte CSI", "\x9b2J\x9b6n", "\\x9b2J\\x9b6n"),
    # Never ended.
    Hostile("open OSC", f"{_E}]0;swallows", "␛]0;swallows"),
    Hostile("open DCS", f"{_E}Pswallows", "␛Pswallows"),
    Hostile("open CSI", f"{_E}[", "␛["),
    Hostile("lone escape", _E, "␛"),
    Hostile("escape twice", f"{_E}{_E}[2J", "␛␛[2J"),
    Hostile("bell at the end of nothing", "\x07", "␇"),
    # Overprinting, and what hides between letters.
    Hostile("backspaces", "rm\x08\x08ls", "rm␈␈ls"),
    Hostile("vertical tab and form feed", "a\x0bb\x0cc", "a␋b␌c"),
    Hostile("delete", "a\x7fb", "a\\x7fb"),
    Hostile("NUL", "a\x00b", "a␀b"),
    Hostile("override", "a\u202etxt.exe\u202c", "a<U+202E>txt.exe<U+202C>"),
    Hostile("isolates", "a\u2066b\u2067c\u2068d\u2069", "a<U+2066>b<U+2067>c<U+2068>d<U+2069>"),
    Hostile("marks", "a\u200eb\u200fc\u061cd", "a<U+200E>b<U+200F>c<U+061C>d"),
    Hostile("zero width", "a\u200bb\u200cc\u2060d\ufeffe", "a<U+200B>b<U+200C>c<U+2060>d<U+FEFF>e"),
    Hostile("soft hyphen", "a\u00adb\u034fc", "a<U+00AD>b<U+034F>c"),
    Hostile("tags", f"a{_TAGGED}b", "a<U+E0072><U+E006D>b"),
    Hostile("selectors", "a\ufe00b\U000e0100c", "a<U+FE00>b<U+E0100>c"),
    Hostile("line separators", "a\u2028b\u2029c\x85d", "a<U+2028>b<U+2029>c\\x85d"),
    Hostile("fillers", "a\u3164b\u115fc", "a<U+3164>b<U+115F>c"),
    Hostile("annotation", "a\ufff9b\ufffbc", "a<U+FFF9>b<U+FFFB>c"),
    # Markup, of the screen's library and of reports.
    Hostile("click", "[@click=app.quit]q[/]", "[@click=app.quit]q[/]"),
    Hostile("colour", "[red]r[/red][/]", "[red]r[/red][/]"),
    Hostile("level", "[ERROR] [/foo] [bold", "[ERROR] [/foo] [bold"),
    Hostile("link in markup", "[link=file:///x]l[/link]", "[link=file:///x]l[/link]"),
    Hostile("emoji code", ":smile: :warning:", ":smile: :warning:"),
    Hostile("markup escape", "\\[red]e\\\\[/]", "\\[red]e\\\\[/]"),
    Hostile("braces", "{0} {x!r} %s %(y)s", "{0} {x!r} %s %(y)s"),
)
"""What can stand in any text, a message in JSON as well."""

HIDDEN_LINES: tuple[Hostile, ...] = (
    Hostile("carriage return", "bad\rgood", "good"),
    Hostile("carriage returns at the end", "bad\r\r", "bad"),
)
"""What draws over a line. A stream's line tells its last drawing; a value shows the sign itself."""

RAW: tuple[tuple[str, bytes, str], ...] = (
    ("C1 in one byte", b"\x9b31;5m\x9d0;x\x9c", "\\x9b31;5m\\x9d0;x\\x9c"),
    ("C1 as UTF-8", b"\xc2\x9b31m\xc2\x9d0;x\xc2\x9c", "\\x9b31m\\x9d0;x\\x9c"),
    ("not UTF-8", b"a\xff\xfe\xc3(b", "a\\xff\\xfe\\xc3(b"),
    ("overlong", b"\xc0\xafa\xe0\x80\x9bb", "\\xc0\\xafa\\xe0\\x80\\x9bb"),
    ("surrogate as UTF-8", b"a\xed\xb2\x80b", "a\\xed\\xb2\\x80b"),
    ("broken off", b"a\xe2\x80", "a\\xe2\\x80"),
)
"""What only bytes can hold: name, bytes, what must be seen."""

RENDERED: tuple[str, ...] = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</td></table><h1>forged</h1>",
    "[click](javascript:alert(1))",
    "[click]: javascript:alert(1)",
    "![i](http://evil.invalid/x.png)",
    "<javascript:alert(1)>",
    "http://evil.invalid/",
    "www.evil.invalid",
    "a@evil.invalid",
    "a | b | c",
    "`code` ``` fence",
    "```\n# forged heading\n```",
    "\n# forged heading\n",
    "\nforged heading\n===\n",
    "\n- forged item\n1. forged\n> quoted\n",
    "\n| a | b |\n|---|---|\n| c | d |\n",
    "\n    code\n\ttabbed\n",
    "&lt;b&gt; &amp;#60; &copy;",
    "**b** __i__ ~~s~~ *e* _e_",
    "[^1] [^1]: note",
    "$x$ $$y$$",
    "<!-- comment --> <?php ?> <![CDATA[x]]>",
    "{% raw %} {{ facts.session }}",
    "=1+1\t@SUM(A1)\t+x\t-y",
)
"""What a report could be taken in by, besides all of TEXTS."""

# What the screen itself sends: places, colours, modes, and the keyboard and pointer it asks for.
_OURS = re.compile(
    rb"\x1b\[(?P<sgr>[\d;]*)m|\x1b\[\d+;\d+H|\x1b\[\?(?:7|25|1000|1002|1003|1004|1006|1015|1049|2004|2026|2048)[hl]"
    rb"|\x1b\[[>=]\d+u|\x1b\[<u|\x1b\[\?(?:2026|2048)\$p|\x1b\]22;(?:default|pointer|text)\x07|\r\n|\x07"
)
_CONTROL = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]|\n|\t")
_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
# Blinking, concealed: the screen never asks for them.
_NEVER = frozenset({5, 6, 8})


def marked(number: int, text: str) -> str:
    """The text between marks that tell where it begins and ends."""
    return f"Q{number:02d}{text}Z{number:02d}"


def quoted(text: str) -> str:
    """The text as a string of TOML or YAML: every character by its number, so that no reader stops at one."""
    return '"' + "".join(f"\\U{ord(char):08x}" for char in text) + '"'


def offences(sent: bytes) -> Iterator[str]:
    """What of the bytes that a terminal was sent is neither text nor one of the screen's own sequences."""
    at = 0
    for own in _OURS.finditer(sent):
        yield from _offences_of_text(sent[at : own.start()])
        if own["sgr"] is not None and _hides(own["sgr"]):
            yield repr(own[0])
        at = own.end()
    yield from _offences_of_text(sent[at:])


def in_text(text: str) -> Iterator[str]:
    """What of a text a terminal would act upon, or a reader not see. Line ends are not among it."""
    for char in text.replace("\n", ""):
        selector = 0xFE00 <= ord(char) <= 0xFE0E or 0xE0100 <= ord(char) <= 0xE01EF
        if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") or char in _UNSEEN or selector:
            yield repr(char)


def _offences_of_text(piece: bytes) -> Iterator[str]:
    for control in _CONTROL.finditer(piece):
        yield repr(piece[control.start() : control.start() + 24])
    yield from in_text(_CONTROL.sub(b"", piece).decode("utf-8", "surrogateescape"))


def _hides(parameters: bytes) -> bool:
    numbers = iter([int(each or 0) for each in parameters.split(b";")])
    for number in numbers:
        if number in (38, 48):
            for _skipped in range({2: 3, 5: 1}.get(next(numbers, 0), 0)):
                next(numbers, 0)
        elif number in _NEVER:
            return True
    return False
