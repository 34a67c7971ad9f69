"""Variables of a command: which it sets, which it takes from outside, and which names the shell knows itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from cockpit.runbook.commands.languages import ACTIONS
from cockpit.runbook.commands.vocabulary import words

SHELL_NAMES = words(
    """
    HOME PATH PWD OLDPWD USER LOGNAME HOSTNAME HOST SHELL TERM LANG LC_ALL LC_CTYPE EDITOR VISUAL PAGER DISPLAY
    MAIL TZ TMPDIR TMP TEMP UID EUID GID GROUPS PPID RANDOM SECONDS LINENO IFS PS1 PS2 PS3 PS4 OPTARG OPTIND
    OPTERR REPLY BASH BASH_SOURCE BASH_VERSION BASH_REMATCH BASHPID FUNCNAME PIPESTATUS SHLVL HOSTTYPE OSTYPE
    MACHTYPE COLUMNS LINES EPOCHSECONDS SHELLOPTS DIRSTACK HISTFILE HISTSIZE SSH_CLIENT SSH_CONNECTION SSH_TTY
    SSH_AUTH_SOCK SUDO_USER XDG_RUNTIME_DIR XDG_CONFIG_HOME XDG_DATA_HOME XDG_STATE_HOME XDG_CACHE_HOME
    KUBECONFIG GOPATH GOROOT JAVA_HOME VIRTUAL_ENV CONDA_PREFIX PYTHONPATH LD_LIBRARY_PATH PGDATA CLOUD_SHELL
    ACC_CLOUD NF NR FS OFS RS ENV ERR STDERR EOF BASH_ENV COMP_WORDS MAILTO CI
    """
)
_POWERSHELL_NAMES = words(
    """
    _ null true false PSItem args env input this Host HOME PWD Error error PSScriptRoot PSCommandPath
    PSVersionTable MyInvocation LASTEXITCODE ErrorActionPreference matches Matches foreach switch
    ProgressPreference VerbosePreference profile PROFILE PID script global using OFS StackTrace
    PSBoundParameters ExecutionContext WarningPreference DebugPreference
    """
)
_POWERSHELL_LOWER = frozenset(name.lower() for name in _POWERSHELL_NAMES)
_SECRET = re.compile(
    r"pass(?:word|wd|phrase|code)?(?![a-z])|secret|token|credential|api[-_ ]?key|private[-_ ]?key|"
    r"access[-_ ]?key|(?:^|[-_])key$|(?:^|[-_])pw$|"
    r"database_url|db_url|dsn|connection[-_ ]?string|webhook|bearer|auth(?:orization)?$|비밀번호|암호|토큰|"
    r"시크릿|密码|密鑰|密钥|令牌|パスワード|トークン",
    re.IGNORECASE,
)
_NOT_SECRET = re.compile(
    r"(?:secret|key|token)[-_ ]?(?:name|id|path|file|store|namespace|vault|type|count|arn)|key[-_ ]?(?:vault|"
    r"pair)|public",
    re.IGNORECASE,
)

_QUOTE_OR_COMMENT = re.compile(r"\\.|\"(?:\\.|[^\"\\])*\"|'[^']*'|(?:^|(?<=\s))#[^\n]*", re.MULTILINE | re.DOTALL)
_HEREDOC = re.compile(
    r"<<[-~]?[ \t]*([\"'\\]?)([A-Za-z_]\w*)[\"']?[^\n]*\n(.*?)^[ \t]*\2[ \t]*$", re.DOTALL | re.MULTILINE
)

QUOTED = re.compile(r"\\.|\"(?:\\.|[^\"\\])*\"|'[^']*'", re.DOTALL)
_COMMAND_END = re.compile(r"[|;&\n]")
_SECOND_SHELL = re.compile(r"(?:^|[\s/(])(?:ssh\s|eval\s|(?:(?:ba|da|z|k|a)?sh|su|runuser)\s(?:.*\s)?-\w*c\s+$)")
_SECOND_SHELL_READS = re.compile(r"(?:^|[\s/(])(?:ssh\s|(?:ba|da|z|k|a)?sh\b)")
_DOLLAR = re.compile(
    r"(?<![\\$\w])\$(?!env:|Env:|ENV:)(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(\}|:?[-=?+][^{}\n]{0,200}\}))", re.ASCII
)
_POWERSHELL_DOLLAR = re.compile(r"(?<![`$\w])\$(?:([A-Za-z_]\w*)(?![\w:(])|\{([A-Za-z_]\w*)\})", re.ASCII)
_ASSIGNED = re.compile(
    r"(?:^|[\s;&|(`{\"'])(?:([A-Za-z_]\w*)(?:\[[^\]\n]{0,40}\])?\+?=(?!=)|for[ \t]+\(?\(?[ \t]*([A-Za-z_]\w*)|"
    r"select[ \t]+([A-Za-z_]\w*)[ \t]+in)",
    re.ASCII,
)
_READ = re.compile(
    r"(?:^|[\s;&|])(?:read(?:[ \t]+-(?:[pdnNtu][ \t]*(?:\"[^\"\n]*\"|'[^'\n]*'|\S+)|\w+))*|"
    r"mapfile(?:[ \t]+-\w+)*|readarray(?:[ \t]+-\w+)*|getopts[ \t]+\S+|"
    r"printf[ \t]+-v|declare(?:[ \t]+-\w+)*|local(?:[ \t]+-\w+)*|readonly|"
    r"typeset(?:[ \t]+-\w+)*)((?:[ \t]+[A-Za-z_]\w*)+)",
    re.ASCII,
)
_SET_DEFAULT = re.compile(r"\$\{([A-Za-z_]\w*):?=")
_POWERSHELL_ASSIGNED = re.compile(
    r"\$(?:global:|script:|env:)?([A-Za-z_]\w*)\s*(?:[-+*/]?=(?!=)|,\s*\$\w+\s*=)|foreach\s*\(\s*\$(\w+)\s+in|"
    r"-(?:Out|Error|Warning)Variable\s+(\w+)|\bparam\s*\([^)]*?\$(\w+)",
    re.IGNORECASE,
)
_ASKED = re.compile(
    r"^[ \t]*export[ \t]+([A-Za-z_]\w*)=([A-Za-z][^\s\"'$`=<>|&;]*(?:[ \t]+[A-Za-z][^\s\"'$`=<>|"
    r"&;]*){1,12})[ \t]*$",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Blank:
    """A blank as written. `style`: dollar, angle, square, brace, literal. `help` is the text that asks for it."""

    name: str
    written: str
    style: str
    at: int
    default: str | None = None
    help: str = ""
    secret: bool = False


def is_secret(name: str) -> bool:
    """Whether a name says that its value must not be shown."""
    return _SECRET.search(name) is not None and _NOT_SECRET.search(name) is None


def variables_in(code: str, language: str, assigned: set[str]) -> list[Blank]:
    """The variables a command takes from outside.

    Args:
        code: what would run.
        language: canonical.
        assigned: variables set earlier in the document; those this code sets are added to it.
    """
    if language == "powershell":
        assigned |= _assigned_powershell(code)
        # A name is the same in any case.
        known = {name.lower() for name in assigned}
        taken = _dollars(code, _POWERSHELL_DOLLAR, _POWERSHELL_NAMES, assigned)
        return [blank for blank in taken if blank.name.lower() not in known | _POWERSHELL_LOWER]
    if language == "http":
        return list(_dollars(code, _DOLLAR, frozenset(), set()))
    if language in ("promql", "logql"):
        # Grafana's own ($__interval) are no blanks, and what follows a backslash or a dollar is text.
        return [blank for blank in _dollars(code, _DOLLAR, frozenset(), set()) if not blank.name.startswith("__")]
    if language in ACTIONS:
        return list(_dollars(_with_shell_quotes_hidden(code), _DOLLAR, frozenset(), set()))
    if language != "bash":
        return []
    found = _asked(code)
    assigned |= assignments(code)
    if "$" in code:
        found += _dollars(_with_shell_quotes_hidden(code), _DOLLAR, SHELL_NAMES, assigned)
    return found


def assignments(code: str) -> set[str]:
    """The variables that shell code sets."""
    names: set[str] = set()
    if "=" in code or "for" in code or "select" in code:
        for groups in _ASSIGNED.findall(code):
            names.update(groups)
    if "${" in code:
        names.update(_SET_DEFAULT.findall(code))
    for listed in _READ.findall(code):
        names.update(listed.split())
    names.discard("")
    return names


def _assigned_powershell(code: str) -> set[str]:
    return {name for groups in _POWERSHELL_ASSIGNED.findall(code) for name in groups if name}


def _asked(code: str) -> list[Blank]:
    # "export NAME=Message without quotes": the shell would take the other words for names, so they ask for a value.
    return [
        Blank(match[1], match[2], "literal", match.start(2), help=match[2], secret=is_secret(match[1]))
        for match in (_ASKED.finditer(code) if "export" in code else ())
    ]


def names_for_a_second_shell(code: str) -> Iterator[str]:
    """Variables that single quotes keep for the shell behind `ssh`, `sh -c` and the like, which knows no value of ours.

    Those that the quoted text sets itself are not among them.
    """
    if "'" not in code or "$" not in code:
        return
    flat = code.replace("\\\n", "  ")
    quoted = [
        match[0][1:-1]
        for match in QUOTED.finditer(flat)
        if match[0][0] == "'" and _SECOND_SHELL.search(_COMMAND_END.split(flat[: match.start()])[-1])
    ]
    quoted += [
        match[3]
        for match in _HEREDOC.finditer(flat)
        if match[1] and _SECOND_SHELL_READS.search(flat[flat.rfind("\n", 0, match.start()) + 1 : match.start()])
    ]
    for text in quoted:
        own = assignments(text)
        yield from (match[1] or match[2] for match in _DOLLAR.finditer(text) if (match[1] or match[2]) not in own)


def without_heredocs(code: str) -> str:
    """Shell code with blanks in the place of what its here-documents hold."""

    def blanked(match: re.Match[str]) -> str:
        return (
            match[0][: match.start(3) - match.start()]
            + re.sub(r"[^\n]", " ", match[3])
            + code[match.end(3) : match.end()]
        )

    return _HEREDOC.sub(blanked, code) if "<<" in code else code


@lru_cache(maxsize=64)
def without_comments(code: str) -> str:
    """Shell code with blanks in the place of its comments; what stands elsewhere stays where it is."""
    return _QUOTE_OR_COMMENT.sub(lambda match: " " * len(match[0]) if match[0][0] == "#" else match[0], code)


def _with_shell_quotes_hidden(code: str) -> str:
    """The code with what the shell does not expand blanked out: single quotes, comments, quoted here-docs."""

    def hide_body(match: re.Match[str]) -> str:
        if not match[1]:
            return match[0].replace("'", " ")
        return code[match.start() : match.start(3)] + " " * (match.end() - match.start(3))

    text = _HEREDOC.sub(hide_body, code) if "<<" in code else code
    if "#" in text:
        text = without_comments(text)
    return _hide_single_quotes(text) if "'" in text else text


def _hide_single_quotes(text: str) -> str:
    return QUOTED.sub(lambda match: " " * len(match[0]) if match[0][0] == "'" else match[0], text)


def _dollars(code: str, pattern: re.Pattern[str], own: frozenset[str], assigned: set[str]) -> Iterator[Blank]:
    for match in pattern.finditer(code):
        name = match[1] or match[2]
        if name in own or name in assigned or name.startswith(("BASH_", "COMP_", "GITHUB_")):
            continue
        if match.lastindex == 3 and match[3] != "}":
            continue  # ${NAME:-default}: the shell has an answer of its own
        written = "${" + name + "}" if match[2] else "$" + name
        yield Blank(name, written, "dollar", match.start(), secret=is_secret(name))
