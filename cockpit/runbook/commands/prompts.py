"""Prompts off, sample output apart: what of a block's lines is typed, and what a machine answered."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from cockpit.runbook.commands.vocabulary import is_command_word, looks_typed


def _prompt(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.MULTILINE)


# user@host:~$ , [root@host dir]# , sh-4.4# , bash-5.1$ , PS C:\> , PS>
_HOST = _prompt(
    r"^[ \t]{0,8}(?:\((?!\))[\w.-]{1,40}\)\s?)?"
    r"(?:\[[\w.-]{1,60}@[\w.-]{1,80}(?:[ :][^\]\n]{0,100})?\][$#%>]|"
    r"[\w.-]{1,60}@[\w.-]{1,80}[: ][^$#%>\n]{0,100}[$#%>]"
    r"|[\w.-]{1,60}@[\w.-]{1,80}[$#]|(?:sh|bash|ash)-[\d.]{1,8}[$#]|[~/]\s?[$#%❯]|❯|"
    r"(?:~|\$[A-Z_]{2,40}|)/[\w./+-]{1,100} [$❯](?=[ \t]+[a-z./]))(?:[ \t]+|$)"
)
_POWERSHELL = _prompt(r"^[ \t]{0,8}PS(?:\s+[A-Za-z]:[^>\n]{0,120}|\s+/[^>\n]{0,120})?>(?:[ \t]+|$)")
_DOLLAR = _prompt(r"^[ \t]{0,8}\$(?:[ \t]+|$|(?=\.{0,2}/))")
# "$docker ps": a prompt without its blank; nobody calls a variable after a program and never sets it.
_TIGHT = _prompt(r"^\$([a-z][\w-]{1,30})(?=[ \t])")
_TIGHT_DOLLAR = _prompt(r"^\$(?=[a-z])")
# "> go build": a file by that name would be emptied. "> access.log" empties one on purpose.
_ANGLE = _prompt(r"^[ \t]{0,8}>[ \t]+(?=(?:sudo )?(?:\./|[a-z])[\w./-]*[ \t]+[\w./$'\"-])")
_PERCENT = _prompt(r"^[ \t]{0,8}%[ \t]+(?=[a-z./])")
_ROOT = _prompt(r"^[ \t]{0,8}#[ \t]+(?=\S)")
_SQL = _prompt(
    r"^[ \t]{0,8}(?:(?:mysql|MariaDB \[[^\]\n]{0,60}\]|sqlite|SQL|cqlsh(?::\w+)?)>|[\w.-]{1,60}[=-](?:[#>]|"
    r"\(#)|#(?=[ \t]+\\))[ \t]+(?=\S)"
)
_SQL_SIGNS = ("sql> ", "SQL> ", "]> ", "ite> ", "cqlsh", "=> ", "-> ", "=# ", "-# ", "(# ", "# \\")
_DOLLAR_SIGN = re.compile(r"\$(?:[ \t./]|$)", re.MULTILINE)
_SQL_MORE = _prompt(r"^[ \t]{0,8}(?:->|\.\.\.>|[\w.-]{0,60}[-('\"](?:[#>]))[ \t]+")
_REDIS = _prompt(
    r"^[ \t]{0,8}(?:\d{1,3}(?:\.\d{1,3}){3}|localhost|"
    r"redis[\w.-]{0,60}):\d{1,5}(?:\[\d+\])?>[ \t]+(?=\S)"
)
_HOST_OR_DOLLAR = _prompt(f"{_HOST.pattern}|{_DOLLAR.pattern}")
_POWERSHELL_MORE = _prompt(r"^[ \t]{0,8}>>[ \t]?")
_HOST_SIGNS = ("@", "~", "❯", "sh-", " $ ", "/ #", "/#")
_CONTINUATION = _prompt(r"^[ \t]{0,8}>(?:[ \t]|$)")
_HEREDOC = re.compile(r"<<(-?)~?\s*[\"'\\]?([A-Za-z_]\w*)")
_QUIET = re.compile(r"\\.|\$'(?:\\.|[^'\\])*'|'[^']*'|\"(?:\\.|[^\"\\])*\"|(?:^|(?<=[\s;]))#[^\n]*", re.DOTALL)
_OPENERS = re.compile(r"(?:^|[;&|]\s*|\b(?:do|then|else)\s+)(?:for|while|until|if|case|select)\b")
_CLOSERS = re.compile(r"(?:^|[;&|]\s*|\s)(?:done|fi|esac)\b")
_DANGLING = re.compile(r"(?:\\|\||&&|\|\||\bdo|\bthen|\{|\()\s*$")


@dataclass(slots=True)
class Session:
    """A block without its prompts. `typed` and `answers` are (index of the line in the block, text).

    `starts` are the indices in `typed` at which a prompt stood (a new command); `language` is set when the prompt
    names another one ("mysql>").
    """

    typed: list[tuple[int, str]] = field(default_factory=list)
    answers: list[tuple[int, str]] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    language: str | None = None

    @property
    def code(self) -> str:
        """What is typed."""
        return "\n".join(text for _index, text in self.typed).strip("\n")

    @property
    def sample(self) -> str | None:
        """What was answered, None when nothing was."""
        text = "\n".join(text for _index, text in self.answers).strip("\n")
        return text if text.strip() else None


def session_of(text: str, language: str) -> Session | None:
    """The block as a session at a prompt, or None when no line has one."""
    lines = text.split("\n")
    kind = _prompt_kind(text, lines, language)
    if kind is None:
        return None
    prompt, more, spoken = kind
    session = Session(language=spoken)
    labels = _labels(lines, prompt) if "#" in text else set()
    pending: list[str] = []
    for index, line in enumerate(lines):
        match = prompt.match(line)
        if pending and match is None:
            rest = _take_more(session, index, line, more)
            pending = _still_open(pending, rest, spoken)
        elif match is not None:
            session.starts.append(len(session.typed))
            command = line[match.end() :]
            session.typed.append((index, command))
            pending = _still_open([], command, spoken)
        elif index in labels:
            session.starts.append(len(session.typed))
            session.typed.append((index, line))
        else:
            session.answers.append((index, line))
    return session


def _prompt_kind(
    text: str, lines: list[str], language: str
) -> tuple[re.Pattern[str], re.Pattern[str] | None, str | None] | None:
    # A look for what each prompt ends with spares most blocks the patterns.
    if "$" in text and _DOLLAR_SIGN.search(text) and _stands(_DOLLAR, text):
        return (_HOST_OR_DOLLAR if _stands(_HOST, text) else _DOLLAR), _CONTINUATION, None
    tight = _TIGHT.search(text) if text.startswith("$") or "\n$" in text else None
    if tight is not None and is_command_word(tight[1]) and f"{tight[1]}=" not in text:
        return _TIGHT_DOLLAR, _CONTINUATION, None
    if "> " in text:
        if "PS" in text and _stands(_POWERSHELL, text):
            return _POWERSHELL, _POWERSHELL_MORE, "powershell"
        if _stands(_REDIS, text):
            return _REDIS, None, "redis"
        if _is_angle_session(lines):
            return _ANGLE, None, None
    if (">" in text or "# " in text) and any(sign in text for sign in _SQL_SIGNS) and _stands(_SQL, text):
        return _SQL, _SQL_MORE, "sql"
    if any(sign in text for sign in _HOST_SIGNS) and _stands(_HOST, text):
        return _HOST, _CONTINUATION, None
    if "# " in text and _is_root_session(lines, language):
        return _ROOT, _CONTINUATION, None
    if "% " in text and _is_percent_session(lines, language):
        return _PERCENT, _CONTINUATION, None
    return None


def _stands(prompt: re.Pattern[str], text: str) -> bool:
    """Whether any line begins with the prompt."""
    return prompt.search(text) is not None


def _is_angle_session(lines: list[str]) -> bool:
    """A "> " in front of the first command, which a shell would take for a redirection."""
    first = next((line for line in lines if line.strip() and not line.lstrip().startswith("#")), "")
    return _ANGLE.match(first) is not None


def _is_percent_session(lines: list[str], language: str) -> bool:
    """A C shell's or zsh's "% " on every line, or in a console block on its first."""
    written = [line for line in lines if line.strip()]
    if language == "console":
        return _PERCENT.match(written[0]) is not None
    return language == "bash" and all(_PERCENT.match(line) for line in written)


def _is_root_session(lines: list[str], language: str) -> bool:
    """Root's "# " looks like a comment: it is a prompt when every line, or every line above output, has a command."""
    first = next((line for line in lines if line.strip()), "")
    if not _ROOT.match(first) or not looks_typed(_ROOT.sub("", first)):
        return False
    written = [line for line in lines if line.strip()]
    prompted = [line for line in written if _ROOT.match(line)]
    if not all(looks_typed(_ROOT.sub("", line)) for line in prompted):
        return False
    if len(prompted) == len(written):
        return True
    others = [line for line in written if not _ROOT.match(line)]
    return language != "bash" and not any(map(is_command_word, others))


def _take_more(session: Session, index: int, line: str, more: re.Pattern[str] | None) -> str:
    match = more.match(line) if more is not None else None
    text = line[match.end() :] if match else line
    session.typed.append((index, text))
    return text


def _labels(lines: list[str], prompt: re.Pattern[str]) -> set[int]:
    """The comments right above a prompted line, which label it; anywhere else in a session a comment is output."""
    found: set[int] = set()
    leads = False
    for index in range(len(lines) - 1, -1, -1):
        line = lines[index].lstrip()
        if line.startswith("#"):
            if leads:
                found.add(index)
        elif line:
            leads = prompt.match(lines[index]) is not None
    return found


def _still_open(pending: list[str], line: str, language: str | None) -> list[str]:
    """The lines of a command that goes on below `line`; empty when it is complete."""
    lines = [*pending, line]
    if len(lines) > 500:
        return []
    if language == "sql":
        text = "\n".join(lines).rstrip()
        return [] if text.endswith((";", "\\G", "\\g")) or text.startswith(("\\", "exit", "quit", "use ")) else lines
    return lines if is_open("\n".join(lines)) else []


def is_open(text: str) -> bool:
    """Whether a shell command goes on: a here-doc, quote, control structure, pipe or backslash is open at its end."""
    for dash, word in _HEREDOC.findall(text):
        indent = "[ \\t]*" if dash else ""
        if not re.search(f"^{indent}{re.escape(word)}\\s*$", text, re.MULTILINE):
            return True
        text = text[: text.find("<<")] + text[text.rfind(word) + len(word) :]
    bare = _QUIET.sub(lambda match: "\\" if match[0] == "\\" else " ", text.rstrip("\n"))
    if text.rstrip(" \t\n").endswith("\\") or "'" in bare or '"' in bare:
        return True
    if _DANGLING.search(bare):
        return True
    return len(_OPENERS.findall(bare)) > len(_CLOSERS.findall(bare))
