"""Blanks in a command or message: what a responder must fill in, and the many things that only look like it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_FLAGS = re.ASCII


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


SHELL_NAMES = frozenset(
    "HOME PATH PWD OLDPWD USER LOGNAME HOSTNAME HOST SHELL TERM LANG LC_ALL LC_CTYPE EDITOR VISUAL PAGER DISPLAY MAIL TZ TMPDIR TMP TEMP UID EUID GID "
    "GROUPS PPID RANDOM SECONDS LINENO IFS PS1 PS2 PS3 PS4 OPTARG OPTIND OPTERR REPLY BASH BASH_SOURCE BASH_VERSION BASH_REMATCH BASHPID "
    "FUNCNAME PIPESTATUS SHLVL HOSTTYPE OSTYPE MACHTYPE COLUMNS LINES EPOCHSECONDS SHELLOPTS DIRSTACK HISTFILE HISTSIZE SSH_CLIENT "
    "SSH_CONNECTION SSH_TTY SSH_AUTH_SOCK SUDO_USER XDG_RUNTIME_DIR XDG_CONFIG_HOME XDG_DATA_HOME XDG_STATE_HOME XDG_CACHE_HOME "
    "KUBECONFIG GOPATH GOROOT JAVA_HOME VIRTUAL_ENV CONDA_PREFIX PYTHONPATH LD_LIBRARY_PATH PGDATA CLOUD_SHELL ACC_CLOUD NF NR FS OFS RS "
    "ENV ERR STDERR EOF BASH_ENV COMP_WORDS MAILTO CI".split()
)
_POWERSHELL_NAMES = frozenset(
    "_ null true false PSItem args env input this Host HOME PWD Error error PSScriptRoot PSCommandPath PSVersionTable MyInvocation "
    "LASTEXITCODE ErrorActionPreference matches Matches foreach switch ProgressPreference VerbosePreference profile PROFILE PID script global "
    "using OFS StackTrace PSBoundParameters ExecutionContext WarningPreference DebugPreference".split()
)
_SECRET = re.compile(
    r"pass(?:word|wd|phrase|code)?(?![a-z])|secret|token|credential|api[-_ ]?key|private[-_ ]?key|access[-_ ]?key|(?:^|[-_])key$|(?:^|[-_])pw$|"
    r"database_url|db_url|dsn|connection[-_ ]?string|webhook|bearer|auth(?:orization)?$|비밀번호|암호|토큰|시크릿|密码|密鑰|密钥|令牌|パスワード|トークン",
    re.IGNORECASE,
)
_NOT_SECRET = re.compile(
    r"(?:secret|key|token)[-_ ]?(?:name|id|path|file|store|namespace|vault|type|count|arn)|key[-_ ]?(?:vault|pair)|public",
    re.IGNORECASE,
)

# --- what hides text from the search
_SINGLE_QUOTED = re.compile(r"(?<!\\)'[^']*'")
_COMMENT = re.compile(r"(?:^|(?<=\s))#.*$", re.MULTILINE)
_HEREDOC = re.compile(
    r"<<[-~]?[ \t]*([\"'\\]?)([A-Za-z_]\w*)[\"']?[^\n]*\n(.*?)^[ \t]*\2[ \t]*$", re.DOTALL | re.MULTILINE
)

# --- dollar
_DOLLAR = re.compile(r"(?<![\\$\w])\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(\}|:?[-=?+][^{}\n]{0,200}\}))", _FLAGS)
_POWERSHELL_DOLLAR = re.compile(r"(?<![`$\w])\$(?:([A-Za-z_]\w*)(?![\w:(])|\{([A-Za-z_]\w*)\})", _FLAGS)
_ASSIGNED = re.compile(
    r"(?:^|[\s;&|(`{\"'])(?:([A-Za-z_]\w*)(?:\[[^\]\n]{0,40}\])?\+?=(?!=)|for[ \t]+\(?\(?[ \t]*([A-Za-z_]\w*)|select[ \t]+([A-Za-z_]\w*)[ \t]+in)",
    re.ASCII,
)
_READ = re.compile(
    r"(?:^|[\s;&|])(?:read(?:[ \t]+-(?:[pdnNtu][ \t]*(?:\"[^\"\n]*\"|'[^'\n]*'|\S+)|\w+))*|mapfile(?:[ \t]+-\w+)*|readarray(?:[ \t]+-\w+)*|getopts[ \t]+\S+|"
    r"printf[ \t]+-v|declare(?:[ \t]+-\w+)*|local(?:[ \t]+-\w+)*|readonly|typeset(?:[ \t]+-\w+)*)((?:[ \t]+[A-Za-z_]\w*)+)",
    re.ASCII,
)
_SET_DEFAULT = re.compile(r"\$\{([A-Za-z_]\w*):?=")
_POWERSHELL_ASSIGNED = re.compile(
    r"\$(?:global:|script:|env:)?([A-Za-z_]\w*)\s*(?:[-+*/]?=(?!=)|,\s*\$\w+\s*=)|foreach\s*\(\s*\$(\w+)\s+in|-(?:Out|Error|Warning)Variable\s+(\w+)|\bparam\s*\([^)]*?\$(\w+)",
    re.IGNORECASE,
)
_ASKED = re.compile(
    r"^[ \t]*export[ \t]+([A-Za-z_]\w*)=([A-Za-z][^\s\"'$`=<>|&;]*(?:[ \t]+[A-Za-z][^\s\"'$`=<>|&;]*){1,12})[ \t]*$",
    re.MULTILINE,
)

# --- angle
_ANGLE = re.compile(r"(?<![<\\])<([^\W\d_][^<>\n|&;`\"'=(){}]{0,80})>(?!>)")
_NOT_ANGLE = re.compile(
    r"(?:none|nil|null|unset|unknown|nobr|no value|pending|invalid|empty|br|hr|p|b|i|u|a|li|ul|ol|td|tr|th|div|span|pre|code|html|head|body|table|"
    r"img|script|style|details|summary|title|kbd|sub|sup|em|strong|h[1-6]|center|font|input|form|xml|string|int|bool|void|T|K|V|"
    r"(?:ctrl|shift|alt|esc|enter|tab|space|cr|lf|leader|control|return|c|cmd)(?:[-+]\S+)?|f\d+|"
    r"[\w.+-]+@[\w.-]+|https?:.*|[\w.]*\.(?:sql|txt|json|ya?ml|csv|gz|sh|log|dump|tar|conf|xml|pem|crt))\Z",
    re.IGNORECASE,
)
# --- square
_SQUARE = re.compile(r"(?<![\\\w\]$)}])\[([^\[\]\n\"'`$\\|*^{}<>]{1,60})\](?![\[(*+?{:\w\]])")
_SQUARE_UPPER = re.compile(r"[A-Z][A-Z0-9]*(?:[_ -][A-Z0-9]+)+\Z|(?:[A-Z]{3,}\d*)\Z")
_SQUARE_WORDS = re.compile(r"[A-Za-z]{2,}(?:[ _-][A-Za-z]{2,}){1,5}\Z")
_SQUARE_NOUNS = frozenset(
    "version name namespace pod service host hostname server id user username password token url path file filename region cluster node "
    "database table date time port ip address email tag branch commit container image instance deployment environment".split()
)
_LEVELS = frozenset(
    "OK INFO DONE FAIL FAILED PASS PASSED SUCCESS SKIP SKIPPED TODO NOTE DEBUG WARN WARNING ERROR ERR FATAL CRITICAL TRACE NOTICE ALERT SEVERE "
    "UP DOWN YES HTTP HTTPS SQL JSON GET POST PUT DELETE OPTIONS OPTION COMMAND ARGS FLAGS START STARTED END STOP STEP EOF ALL ANY NEW OLD RFC "
    "UTC URGENT RESOLVED EMERG INPUT OUTPUT RESULT TEST RUN READY CHANGED UNREACHABLE".split()
)
_WIDE = re.compile(r"[\u1100-\u11ff\u3040-\u30ff\u3130-\u318f\u3400-\u9fff\uac00-\ud7a3]")
_CLASS = re.compile(r"(?:\w-\w)+\Z")
# --- brace
_DOUBLE_BRACE = re.compile(
    r"(?<![\w$%{])\{\{[ \t]*((?:var\.|option\.|step\.|input\.|inputs\.|vars\.)?[^\W\d_][\w-]*)[ \t]*\}\}"
)
_TEMPLATE_WORDS = frozenset(
    "end else range if with define template block break continue job instance level labels value".split()
)
_SINGLE_BRACE = re.compile(
    r"(?<![\w{$%@#\\^}])\{([A-Za-z][\w-]*(?: [A-Za-z][\w-]*){0,4})\}(?![}\w])|(?<=[/=:_-])\{([A-Za-z][\w-]*)\}(?![}])",
    _FLAGS,
)
_AFTER_WORD_BRACE = re.compile(r"(?<=[A-Za-z0-9])\{([A-Za-z]\w*[_-]\w+)\}")
_AWK_WORDS = frozenset("print next exit getline else done end pass do begin ubuntu debian centos get put post".split())
# --- literal
_YOURS = re.compile(
    r"(?<![\w$<{\[/@.-])(?:[\w.-]{0,40}[-_.])?(?:YOUR[-_][A-Z0-9]+(?:[-_][A-Z0-9]+)*|[Yy]our[-_][a-z0-9]+(?:[-_][a-z0-9]+)*)(?![\w>}\]])|(?<=[/@.])(?:YOUR[-_][A-Z0-9_-]+|your[-_][a-z0-9_-]+)(?![\w>}\]])"
)
_XXXX = re.compile(r"(?<![\w$<{\[%\\.-])(?:[A-Za-z0-9]+[-_.])*(?:X{4,}|x{4,})(?:[-_.](?:[A-Za-z0-9]+))*(?![\w>}\]])")
_BEARER = re.compile(
    r"Authorization:\s*(?:Bearer|Basic|Token|token|bearer)\s+([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*|xxx+|token)(?![\w.$<-])"
)
_UPPER = re.compile(
    r"(?:(?<=[ \t])|(?<=[ \t]-[A-Za-z]=)|(?<=[a-z]=)|(?<=[a-z]/))([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*_(?:NAME|ID|IP|HOST|HOSTNAME|URL|NAMESPACE|VERSION|TAG|TOKEN|PASSWORD|USER|USERNAME|EMAIL|"
    r"SHA|ARN|REGION|ZONE|BUCKET|CLUSTER|NUMBER|ADDRESS|UUID|PROJECT|INSTANCE))(?=[ \t]|$|[/.,:](?![=\w]))",
    re.MULTILINE,
)
_NOT_UPPER_LINE = re.compile(
    r"^\s*(?:echo|printf|unset|read|declare|printenv|env\b|local|readonly)|\s-e\s|--env|set env|\bENV\b|SELECT|WHERE|FROM|getenv",
    re.IGNORECASE,
)

_SQL_DOLLAR = re.compile(r"(?<![\w$:])(?:\$\{([A-Za-z_]\w*)\}|:'?([a-z_]\w{2,})'?(?=[\s;,)]|$))")


def blanks_in(code: str, language: str, assigned: set[str]) -> list[Blank]:
    """The blanks of a command, in the order they stand.

    Args:
        code: what would run.
        language: canonical.
        assigned: variables set earlier in the document; those this code sets are added to it.
    """
    found: list[Blank] = []
    if language == "powershell":
        assigned |= _assigned_powershell(code)
        found += _dollars(code, _POWERSHELL_DOLLAR, {*_POWERSHELL_NAMES, *assigned})
    elif language == "bash":
        found += _asked(code)
        assigned |= assignments(code)
        found += _dollars(_with_shell_quotes_hidden(code), _DOLLAR, SHELL_NAMES | assigned) if "$" in code else []
    elif language == "http":
        found += _dollars(code, _DOLLAR, frozenset())
    bare = _COMMENT.sub(lambda match: " " * len(match[0]), code) if language == "bash" and "#" in code else code
    for sign, search in _SEARCHES:
        if sign in bare:
            found += search(bare, language)
    found += _literals(bare, language, assigned)
    return _without_overlap(found)


def blanks_in_message(text: str) -> list[Blank]:
    """The blanks of a message template: square, brace, angle; a tag that opens a line ("[P0 긴급] ...") is none."""
    found = [*_message_squares(text)]
    if "{" in text:
        found += _double_braces(text, "text")
        found += _single_braces(text, "text")
    if "<" in text:
        found += _angles(text, "text")
    found += [
        blank
        for blank in _literals(text, "text", set())
        if blank.written.upper() != blank.written or "X" not in blank.written
    ]
    return _without_overlap(found)


def is_secret(name: str) -> bool:
    """Whether a name says that its value must not be shown."""
    return _SECRET.search(name) is not None and _NOT_SECRET.search(name) is None


def assignments(code: str) -> set[str]:
    """The variables that shell code sets."""
    names: set[str] = set()
    if "=" in code or "for" in code or "select" in code:
        for groups in _ASSIGNED.findall(code):
            names.update(groups)
    if "${" in code:
        names.update(_SET_DEFAULT.findall(code))
    for words in _READ.findall(code):
        names.update(words.split())
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


def _with_shell_quotes_hidden(code: str) -> str:
    """The code with what the shell does not expand blanked out: single quotes, comments, quoted here-docs."""

    def hide(match: re.Match[str]) -> str:
        return " " * len(match[0])

    def hide_body(match: re.Match[str]) -> str:
        if not match[1]:
            return match[0].replace("'", " ")
        return code[match.start() : match.start(3)] + " " * (match.end() - match.start(3))

    text = _HEREDOC.sub(hide_body, code) if "<<" in code else code
    if "#" in text:
        text = _COMMENT.sub(hide, text)
    return _hide_single_quotes(text) if "'" in text else text


_QUOTES = re.compile(r"\\.|\"(?:\\.|[^\"\\])*\"|'[^']*'", re.DOTALL)


def _hide_single_quotes(text: str) -> str:
    return _QUOTES.sub(lambda match: " " * len(match[0]) if match[0][0] == "'" else match[0], text)


def _dollars(code: str, pattern: re.Pattern[str], known: frozenset[str] | set[str]) -> Iterator[Blank]:
    for match in pattern.finditer(code):
        name = match[1] or match[2]
        if name in known or name.startswith(("BASH_", "COMP_", "GITHUB_")):
            continue
        if match.lastindex == 3 and match[3] != "}":
            continue  # ${NAME:-default}: the shell has an answer of its own
        written = "${" + name + "}" if match[2] else "$" + name
        yield Blank(name, written, "dollar", match.start(), secret=is_secret(name))


def _angles(code: str, language: str) -> Iterator[Blank]:
    if language in ("promql", "logql") or "</" in code or "/>" in code:
        return
    for match in _ANGLE.finditer(code):
        words = match[1]
        if words != words.strip() or _NOT_ANGLE.match(words) or "//" in words:
            continue
        if language == "sql" and " " in words and not _WIDE.search(words):
            continue
        before = code[match.start() - 1 : match.start()]
        if before.isalpha() and words[:1].isupper() and words.isalpha() and not words.isupper():
            continue  # List<String>
        yield Blank(words, match[0], "angle", match.start(), secret=is_secret(words))


def _squares(code: str, language: str) -> Iterator[Blank]:
    if language in ("powershell", "promql", "logql"):
        candidates = (match for match in _SQUARE.finditer(code) if _WIDE.search(match[1]))
    else:
        candidates = (match for match in _SQUARE.finditer(code))
    for match in candidates:
        words = match[1]
        if (
            words != words.strip()
            or not _is_square_blank(words)
            or _in_echo(code, match.start())
            or _in_pattern(code, match.start())
        ):
            continue
        yield Blank(words, match[0], "square", match.start(), secret=is_secret(words))


def _is_square_blank(words: str) -> bool:
    if _WIDE.search(words):
        return not _CLASS.match(words) and not words.isdigit()
    if words.isupper():
        return _SQUARE_UPPER.match(words) is not None and words not in _LEVELS
    return (words.lower() in _SQUARE_NOUNS or _SQUARE_WORDS.match(words) is not None) and words.islower()


def _line_before(code: str, at: int) -> str:
    return code[max(code.rfind("\n", 0, at) + 1, at - 300) : at]


def _in_echo(code: str, at: int) -> bool:
    line = _line_before(code, at).lstrip()
    return line.startswith(("echo ", "printf ", "log ", "Write-Host", "logger ")) or line.startswith("-- ")


def _in_pattern(code: str, at: int) -> bool:
    """Inside a quoted pattern of grep, sed, awk, jq or a path expression, a bracket is a class or an index."""
    line = _line_before(code, at)
    tool = re.search(r"\b(?:e?grep|rg|sed|awk|jq|yq|perl|--query|jsonpath)\b(?!.*\|)", line)
    return tool is not None and (line[tool.end() :].count("'") % 2 == 1 or line[tool.end() :].count('"') % 2 == 1)


def _braces(code: str, language: str) -> Iterator[Blank]:
    if "{{" in code:
        yield from _double_braces(code, language)
    if language in ("bash", "http", "text", "sql"):
        yield from _single_braces(code, language)


def _double_braces(code: str, language: str) -> Iterator[Blank]:
    if re.search(r"go-template|--format|--template|-f ['\"]?\{\{|line_format|label_format|inspect\b", code):
        return
    for match in _DOUBLE_BRACE.finditer(code):
        if match[1] not in _TEMPLATE_WORDS:
            yield Blank(match[1], match[0], "brace", match.start(), secret=is_secret(match[1]))


def _single_braces(code: str, language: str) -> Iterator[Blank]:
    for pattern in (_SINGLE_BRACE, _AFTER_WORD_BRACE):
        for match in pattern.finditer(code):
            words = match[1] or (match[2] if pattern is _SINGLE_BRACE else "")
            if not words or words.split()[0].lower() in _AWK_WORDS or code[match.start() - 1 : match.start()] == "$":
                continue
            if language == "bash" and (
                _in_pattern(code, match.start())
                or re.search(
                    r"(?:jsonpath|-o\s*jsonpath|--query|awk|-w|--write-out)[ =]\S*$", _line_before(code, match.start())
                )
            ):
                continue
            yield Blank(words, match[0], "brace", match.start(), secret=is_secret(words))


def _literals(code: str, language: str, assigned: set[str]) -> Iterator[Blank]:
    if "your" in code or "YOUR" in code or "Your" in code:
        for match in _YOURS.finditer(code):
            yield Blank(match[0], match[0], "literal", match.start(), secret=is_secret(match[0]))
    if "uthorization" in code:
        for match in _BEARER.finditer(code):
            yield Blank(match[1], match[1], "literal", match.start(1), secret=True)
    if ("XXXX" in code or "xxxx" in code) and "mktemp" not in code:
        for match in _XXXX.finditer(code):
            yield Blank(match[0], match[0], "literal", match.start(), secret=is_secret(match[0]))
    if language == "bash" and "_" in code:
        for match in _UPPER.finditer(code):
            start = code.rfind("\n", 0, match.start()) + 1
            line = code[start : match.end() + 1][:2000]
            if (
                match[1] not in assigned
                and match[1] not in SHELL_NAMES
                and not _NOT_UPPER_LINE.search(line)
                and not _quoted(code[start : match.start()])
            ):
                yield Blank(match[1], match[1], "literal", match.start(1), secret=is_secret(match[1]))


def _quoted(before: str) -> bool:
    return before.count("'") % 2 == 1 or before.count('"') % 2 == 1


_MESSAGE_SQUARE = re.compile(r"(?<!\\)\[([^\[\]\n]{1,120})\](?!\()")
_TAG_BEFORE = re.compile(r"^(?:[^\w\n]*|\s*(?:subject|title|제목|件名|主题|主旨)\s*[:：]\s*)$", re.IGNORECASE)
_BULLET = re.compile(r"^\s*[-*•]\s*$")


def _message_squares(text: str) -> Iterator[Blank]:
    for match in _MESSAGE_SQUARE.finditer(text) if "[" in text else ():
        words = match[1].strip()
        start = text.rfind("\n", 0, match.start()) + 1
        end = text.find("\n", match.end())
        before, after = text[start : match.start()], text[match.end() : end if end >= 0 else len(text)]
        if not words or words in ("x", "X") or not any(character.isalpha() for character in words):
            continue
        if _TAG_BEFORE.match(before) and after.strip() and not _BULLET.match(before):
            continue
        yield Blank(words, match[0], "square", match.start(), secret=is_secret(words))


_SEARCHES = (("<", _angles), ("[", _squares), ("{", _braces))


def _without_overlap(found: list[Blank]) -> list[Blank]:
    kept: list[Blank] = []
    end = -1
    for blank in sorted(found, key=lambda blank: (blank.at, -len(blank.written))):
        if blank.at >= end:
            kept.append(blank)
            end = blank.at + len(blank.written)
    return kept
