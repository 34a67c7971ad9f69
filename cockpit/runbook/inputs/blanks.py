"""Blanks in a command or message: what a responder must fill in, and the many things that only look like it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain

from cockpit.runbook.commands.vocabulary import words
from cockpit.runbook.inputs.variables import SHELL_NAMES, Blank, is_secret, variables_in, without_comments

# --- angle
_ANGLE = re.compile(r"(?<![<\\])<([^\W\d_](?:[^<>\n|&;`\"'=(){}]|\([^<>()\n|&;`\"'=$]{1,60}\)){0,80})>(?!>)")
_NOT_ANGLE = re.compile(
    r"(?:none|nil|null|anonymous|unset|unknown|nobr|no value|pending|invalid|empty|br|hr|p|b|i|u|a|li|ul|ol|td|"
    r"tr|th|div|span|pre|html|img|script|style|kbd|sub|sup|em|strong|h[1-6]|xml|void|T|K|V|"
    r"(?:ctrl|shift|alt|esc|enter|tab|space|cr|lf|leader|control|return|c|cmd)(?:[-+]\S+)?|f\d+|https?:.*|.*/)\Z",
    re.IGNORECASE,
)
# Tags and types inside quotes, words to fill in where nothing quotes them ("DELETE FROM <table>").
_TAG_OR_WORD = re.compile(
    r"(?:code|head|body|table|details|summary|title|center|font|input|form|string|int|bool)\Z", re.IGNORECASE
)
_CLOSING = re.compile(r"<\\?/([^\s<>]+)")
_ADDRESS = re.compile(r"[\w.+-]+@[\w.-]+\Z")
_FILE = re.compile(r"[\w.-]*\.(?:sql|txt|json|ya?ml|csv|gz|sh|log|dump|tar|conf|xml|pem|crt)\Z", re.IGNORECASE)
_REDIRECTED = re.compile(r"[ \t]*[\w./~$\"'-]")
_USAGE = re.compile(r"\b[Uu]sage\b|\bUSAGE\b")
# --- square
_SQUARE = re.compile(r"(?<!\\)\[([^\[\]\n\"'`$\\|*^{}<>]{1,60})\]")
_BEFORE_SQUARE = re.compile(r"[\w\]$)}.]")
_AFTER_SQUARE = re.compile(r"[\[(*+?{:\w\]]")
_SUBSCRIPT = re.compile(r"[A-Za-z_]\w*\Z", re.ASCII)
_SQUARE_UPPER = re.compile(r"[A-Z][A-Z0-9]*(?:[_ -][A-Z0-9]+)+\Z|(?:[A-Z]{3,}\d*)\Z")
_SQUARE_WORDS = re.compile(r"[A-Za-z]{2,}(?:[ _-][A-Za-z]{2,}){1,5}\Z")
_SQUARE_NOUNS = words(
    """
    version name namespace pod service host hostname server id user username password token url path file
    filename region cluster node database table date time port ip address email tag branch commit container
    image instance deployment environment
    """
)
_LEVELS = words(
    """
    OK INFO DONE FAIL FAILED PASS PASSED SUCCESS SKIP SKIPPED TODO NOTE DEBUG WARN WARNING ERROR ERR FATAL
    CRITICAL TRACE NOTICE ALERT SEVERE UP DOWN YES HTTP HTTPS SQL JSON GET POST PUT DELETE OPTIONS OPTION
    COMMAND ARGS FLAGS START STARTED END STOP STEP EOF ALL ANY NEW OLD RFC UTC URGENT RESOLVED EMERG INPUT
    OUTPUT RESULT TEST RUN READY CHANGED UNREACHABLE
    """
)
_WIDE = re.compile(r"[\u1100-\u11ff\u3040-\u30ff\u3130-\u318f\u3400-\u9fff\uac00-\ud7a3]")
_CLASS = re.compile(r"(?:\w-\w)+\Z")
_NAME_OF_WORDS = re.compile(r"[A-Z\d\u0080-\uffff]{2,}(?:_[A-Z\d\u0080-\uffff]+)+\Z")
_COMMAND_START = re.compile(r"&&|\|\||[;|]|\bdo\b|\bthen\b")
_OPENS_ECHO = re.compile(r"(?:echo|printf|log|Write-Host|logger)(?:\s+-\w+(?:\s+[\w.-]+(?=\s))?)*\s*[\"']?\W*\Z|-- ")
# --- brace
_DOUBLE_BRACE = re.compile(
    r"(?<![\w$%{])\{\{[ \t]*((?:var\.|option\.|step\.|input\.|inputs\.|vars\.)?[^\W\d_][\w-]*)[ \t]*\}\}"
)
_TEMPLATE_WORDS = words(
    """
    end else range if with define template block break continue job instance level labels value
    """
)
_SINGLE_BRACE = re.compile(
    r"(?<![\w{$%@#\\^}])\{([A-Za-z][\w-]*(?: [A-Za-z][\w-]*){0,4})\}(?![}\w])|"
    r"(?<=[/=:_-])\{([A-Za-z][\w-]*)\}(?![}])",
    re.ASCII,
)
_AFTER_WORD_BRACE = re.compile(r"(?<=[A-Za-z0-9])\{([A-Za-z]\w*[_-]\w+)\}")
_AWK_WORDS = words(
    """
    print next exit getline else done end pass do begin ubuntu debian centos get put post
    """
)
# --- literal
_YOURS = re.compile(
    r"(?<![\w$<{\[/@.-])(?:[\w.-]{0,40}[-_.])?(?:YOUR[-_][A-Z0-9]+(?:[-_][A-Z0-9]+)*|"
    r"[Yy]our[-_][a-z0-9]+(?:[-_][a-z0-9]+)*)(?![\w>}\]])|(?<=[/@.])(?:YOUR[-_][A-Z0-9_-]+|"
    r"your[-_][a-z0-9_-]+)(?![\w>}\]])"
)
# yourdomain.com, yourusername: as plain as with a dash. A mail address made of one is an example.
_YOUR_NOUN = re.compile(
    r"(?<![\w.@-])your(?:domain|website|site|host|hostname|server|user|username|password|token|bucket|cluster|namespace|"
    r"project|company|org|database|dbname|registry|repo|appname)(?![\w@-])",
    re.IGNORECASE,
)
_XXXX = re.compile(
    r"(?<![\w$<{\[%\\.-])(?:[A-Za-z0-9]+[-_.])*(?:X{4,}|"
    r"x{4,})(?:[-_.](?:[A-Za-z0-9]+))*(?![\w>}\]])"
)
_PATTERN_OF_VALUE = re.compile(r"(?<![\w.$%+-])(?:v?(?:x\.y\.z|X\.Y\.Z)|YYYY-?MM-?DD)(?![\w.])")
_FORMATS = re.compile(r"(?<![\w-])date\s|format|strftime|to_char", re.IGNORECASE)
_BEARER = re.compile(
    r"Authorization:\s*(?:Bearer|Basic|Token|token|bearer)\s+([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*|xxx+|token)(?![\w.$<-])"
)
_UPPER = re.compile(
    r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*_(?:NAME|ID|IP|HOST|HOSTNAME|URL|NAMESPACE|VERSION|TAG|TOKEN|PASSWORD|USER|"
    r"USERNAME|EMAIL|SHA|ARN|REGION|ZONE|BUCKET|CLUSTER|NUMBER|ADDRESS|UUID|PROJECT|INSTANCE)"
    r"(?=[ \t\n]|$|[/.,:](?![=\w]))"
)
_BEFORE_UPPER = re.compile(r"(?:[ \t]|\s-[A-Za-z]=|[a-z]=|[a-z]/)\Z")
_UNDERSCORED = re.compile(r"[A-Z\d]_[A-Z\d]")
_NOT_UPPER_LINE = re.compile(
    r"\bunset\s|^\s*(?:echo|printf|read|declare|printenv|env\b|local|readonly)|\s-e\s|--env|set env|\bENV\b|"
    r"SELECT|WHERE|FROM|getenv",
    re.IGNORECASE,
)


def blanks_in(code: str, language: str, assigned: set[str]) -> list[Blank]:
    """The blanks of a command, in the order they stand.

    Args:
        code: what would run.
        language: canonical.
        assigned: variables set earlier in the document; those this code sets are added to it.
    """
    found = variables_in(code, language, assigned)
    bare = without_comments(code) if language == "bash" and "#" in code else code
    for sign, search in _SEARCHES:
        if sign in bare:
            found += search(bare, language)
    found += _literals(bare, language, assigned)
    return _without_overlap(found)


def blanks_in_message(text: str) -> list[Blank]:
    """The blanks of a message template: square, brace, angle, and who sends it ("@본인이름"). A tag that opens a line
    ("[P0 긴급] ...") is none."""
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
    found += [Blank(match[0], match[0], "literal", match.start()) for match in _WHO.finditer(text)]
    return _without_overlap(found)


def _angles(code: str, language: str) -> Iterator[Blank]:
    for match in _ANGLE.finditer(code):
        inner, before = match[1], line_before(code, match.start())
        if _USAGE.search(before) or is_tag(inner, code) or "//" in inner or "::" in inner:
            continue
        quoted = _quoted(before)
        if not quoted and (language in ("promql", "logql") or _is_compared(inner, language)):
            continue
        if _TAG_OR_WORD.match(inner) and quoted and language != "sql":
            continue
        if _ADDRESS.match(inner) and (quoted or "." in inner.partition("@")[2]):
            continue
        if _FILE.match(inner) and not quoted and _REDIRECTED.match(code, match.end()):
            continue  # sort <in.txt> out.txt
        if before[-1:].isalpha() and inner[:1].isupper() and inner.isalpha() and not inner.isupper():
            continue  # List<String>
        yield Blank(inner, match[0], "angle", match.start(), secret=is_secret(inner))


def is_tag(inner: str, code: str) -> bool:
    """Whether words in angle brackets are a tag, a key or a value rather than a blank."""
    if inner != inner.strip() or _NOT_ANGLE.match(inner):
        return True
    return inner.split(maxsplit=1)[0] in _closed_tags(code)


@lru_cache(maxsize=16)
def _closed_tags(code: str) -> frozenset[str]:
    return frozenset(_CLOSING.findall(code)) if "/" in code else frozenset()


def _is_compared(inner: str, language: str) -> bool:
    """WHERE a <b AND c> d: in SQL a blank of several words is told by its letters or its quotes."""
    return language == "sql" and " " in inner and not _WIDE.search(inner)


def _squares(code: str, language: str) -> Iterator[Blank]:
    typed = language in ("powershell", "promql", "logql")
    for match in _SQUARE.finditer(code):
        inner = match[1]
        if inner != inner.strip() or not is_plain_square(inner):
            continue
        if typed and not (_WIDE.search(inner) or is_sure(inner)):
            continue  # [string]$x, [5m]
        if not is_sure(inner) and (_is_tag_in_echo(code, match) or _in_pattern(code, match.start())):
            continue
        if _is_heading(code, match) or not _stands_free(code, match) or _is_synopsis(code, match):
            continue
        yield Blank(inner, match[0], "square", match.start(), secret=is_secret(inner))


def is_plain_square(inner: str) -> bool:
    """Whether words in square brackets look like a blank wherever they stand in a command."""
    if _CLASS.match(inner):
        return False
    if _WIDE.search(inner):
        return not inner.isdigit()
    if inner.isupper():
        return _SQUARE_UPPER.match(inner) is not None and inner not in _LEVELS
    return (inner.lower() in _SQUARE_NOUNS or _SQUARE_WORDS.match(inner) is not None) and inner.islower()


def is_sure(inner: str) -> bool:
    """Whether a name in square brackets is joined as no log tag and no character class is: 이전_버전, DB_HOST."""
    return _NAME_OF_WORDS.match(inner) is not None


def is_subscript(code: str, start: int, end: int) -> bool:
    """Whether the bracket from `start` to `end` picks out of an array: ${HOSTS[DB_HOST]}, HOSTS[DB_HOST]=x."""
    before = line_before(code, start)
    name = _SUBSCRIPT.search(before)
    opened = name is not None and before[: name.start()].endswith(("${", "${!", "${#"))
    return opened or (name is not None and code[end : end + 2].startswith(("=", "+=")))


def _is_synopsis(code: str, match: re.Match[str]) -> bool:
    """One of several optional words: doctor [connection] [environment] [cache]."""
    if _WIDE.search(match[1]) or match[1].isupper():
        return False
    end = code.find("\n", match.end())
    line = line_before(code, match.start()) + code[match.start() : end if end >= 0 else len(code)]
    return any(not is_plain_square(other) and other.isalpha() for other in _SQUARE.findall(line))


def _stands_free(code: str, match: re.Match[str]) -> bool:
    """Whether nothing around the bracket makes it an index, a glob or a link; words of other scripts are none."""
    start, end = match.start(), match.end()
    before, after = code[start - 1 : start], code[end : end + 1]
    named = match[1].isupper() and after == ":" and code[end + 1 : end + 2].isalnum()  # [HOST]:8080
    tight = _BEFORE_SQUARE.match(before) or (_AFTER_SQUARE.match(after) and not named)
    if not tight or (is_sure(match[1]) and not before.isalnum() and before not in "$}."):
        return True
    return _WIDE.search(match[1]) is not None and (after not in "*+?{" or not after)


def _is_tag_in_echo(code: str, match: re.Match[str]) -> bool:
    """Whether the bracket opens what echo says ("[INFO] done"), or says it in plain words ("[see above]")."""
    command = _COMMAND_START.split(line_before(code, match.start()))[-1].lstrip()
    if not command.startswith(("echo ", "printf ", "log ", "Write-Host", "logger ", "-- ")):
        return False
    opens = _OPENS_ECHO.match(command) is not None
    return opens or not (_WIDE.search(match[1]) or match[1].isupper())


def _is_heading(code: str, match: re.Match[str]) -> bool:
    """Alone on its line, as in the settings a here-doc writes: [DEFAULT]."""
    end = code.find("\n", match.end())
    after = code[match.end() : end if end >= 0 else len(code)]
    return match[0].isascii() and not line_before(code, match.start()).strip() and not after.strip()


def line_before(code: str, at: int) -> str:
    """What stands before a place on its line."""
    return code[max(code.rfind("\n", 0, at) + 1, at - 300) : at]


def _in_pattern(code: str, at: int) -> bool:
    """Inside a quoted pattern of grep, sed, awk, jq or a path expression, a bracket is a class or an index."""
    line = line_before(code, at)
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
            inner = match[1] or (match[2] if pattern is _SINGLE_BRACE else "")
            if not inner or inner.split()[0].lower() in _AWK_WORDS or code[match.start() - 1 : match.start()] == "$":
                continue
            if language == "bash" and (
                _in_pattern(code, match.start())
                or re.search(
                    r"(?:jsonpath|-o\s*jsonpath|--query|awk|-w|"
                    r"--write-out)[ =]\S*$",
                    line_before(code, match.start()),
                )
            ):
                continue
            yield Blank(inner, match[0], "brace", match.start(), secret=is_secret(inner))


def _literals(code: str, language: str, assigned: set[str]) -> Iterator[Blank]:
    if "your" in code or "YOUR" in code or "Your" in code:
        for match in chain(_YOURS.finditer(code), _YOUR_NOUN.finditer(code)):
            yield Blank(match[0], match[0], "literal", match.start(), secret=is_secret(match[0]))
    if "uthorization" in code:
        for match in _BEARER.finditer(code):
            yield Blank(match[1], match[1], "literal", match.start(1), secret=True)
    if "XXXX" in code or "xxxx" in code:
        for match in _XXXX.finditer(code):
            if "mktemp" in line_before(code, match.start()):
                continue
            yield Blank(match[0], match[0], "literal", match.start(), secret=is_secret(match[0]))
    if language == "bash" and ("x.y.z" in code or "X.Y.Z" in code or "YYYY" in code):
        for match in _PATTERN_OF_VALUE.finditer(code):
            before = line_before(code, match.start())
            if not _quoted(before) and not _FORMATS.search(before):
                yield Blank(match[0], match[0], "literal", match.start())
    if language == "bash" and _UNDERSCORED.search(code):
        yield from _upper_words(code, assigned)


def _upper_words(code: str, assigned: set[str]) -> Iterator[Blank]:
    """POD_NAME where an argument stands."""
    for match in _UPPER.finditer(code):
        name, at = match[0], match.start()
        if name in assigned or name in SHELL_NAMES or not _BEFORE_UPPER.search(code[max(0, at - 4) : at]):
            continue
        before = line_before(code, at)
        if not _NOT_UPPER_LINE.search(before + name) and not _quoted(before):
            yield Blank(name, name, "literal", at, secret=is_secret(name))


def _quoted(before: str) -> bool:
    return before.count("'") % 2 == 1 or before.count('"') % 2 == 1


_MESSAGE_SQUARE = re.compile(r"(?<!\\)\[([^\[\]\n]{1,120})\](?!\()")
_TAG_BEFORE = re.compile(r"^(?:[^\w\n]*|\s*(?:subject|title|제목|件名|主题|主旨)\s*[:：]\s*)$", re.IGNORECASE)
_WHO = re.compile(r"(?<=@)(?:(?:본인|담당자|작성자)[ _]?(?:이름|성명)|your[-_]?name)(?!\w)", re.IGNORECASE)
_RANGE = re.compile(r"\d+(?:ms|[smhdwy])(?::\w*)?\Z")
_BULLET = re.compile(r"^\s*[-*•]\s*$")


def _message_squares(text: str) -> Iterator[Blank]:
    for match in _MESSAGE_SQUARE.finditer(text) if "[" in text else ():
        inner = match[1].strip()
        start = text.rfind("\n", 0, match.start()) + 1
        end = text.find("\n", match.end())
        before, after = text[start : match.start()], text[match.end() : end if end >= 0 else len(text)]
        if not inner or inner in ("x", "X") or not any(character.isalpha() for character in inner):
            continue
        if _RANGE.match(inner) or (text[match.start() - 1 : match.start()].isascii() and before[-1:].isalnum()):
            continue  # rate(x[5m]), map[string]string
        if _TAG_BEFORE.match(before) and after.strip() and not _BULLET.match(before):
            continue
        yield Blank(inner, match[0], "square", match.start(), secret=is_secret(inner))


_SEARCHES = (("<", _angles), ("[", _squares), ("{", _braces))


def _without_overlap(found: list[Blank]) -> list[Blank]:
    kept: list[Blank] = []
    end = -1
    for blank in sorted(found, key=lambda blank: (blank.at, -len(blank.written))):
        if blank.at >= end:
            kept.append(blank)
            end = blank.at + len(blank.written)
    return kept
